"""Training: datasets, windows, the loop and the recipes."""
