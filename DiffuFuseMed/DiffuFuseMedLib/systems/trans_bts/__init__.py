"""TransBTS (W. Wang, C. Chen, M. Ding, H. Yu, S. Zha, J. Li, MICCAI 2021): a transformer at the bottom of a CNN."""
