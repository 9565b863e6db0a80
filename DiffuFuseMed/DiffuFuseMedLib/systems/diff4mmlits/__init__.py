"""Diff4MMLiTS (Chen et al.): tumors taken out of every modality, and others put in, for a segmenter to learn from."""
