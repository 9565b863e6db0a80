"""Segment the lesion: the contract of a segmenter, and what is done with one."""
