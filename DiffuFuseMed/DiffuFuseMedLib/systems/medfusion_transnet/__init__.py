"""MedFusion-TransNet: CASNet, a U-Net with contextual attention, atrous scales and a transformer over modalities."""
