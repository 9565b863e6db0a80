"""Tumors taken out of images, and put in: contract, training, removal and its figures."""
