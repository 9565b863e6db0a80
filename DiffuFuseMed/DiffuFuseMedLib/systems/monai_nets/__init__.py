"""Published segmenters that MONAI ships: 2D U-Net, Attention U-Net, Swin UNETR. docs/systems/baselines.md."""
