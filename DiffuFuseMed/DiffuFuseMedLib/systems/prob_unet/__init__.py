"""Probabilistic U-Net (S. Kohl et al., NeurIPS 2018): a U-Net whose last layers are told one latent of a window.

A rival that CalDiff is compared with.
"""
