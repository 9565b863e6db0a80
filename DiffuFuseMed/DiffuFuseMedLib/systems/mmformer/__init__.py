"""mmFormer (Y. Zhang, N. He, J. Yang, Y. Li, D. Wei et al., MICCAI 2022): learning from incomplete modalities."""
