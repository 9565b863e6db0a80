"""SegResNet (A. Myronenko, BrainLes 2018) as MONAI ships it: the yardstick of every segmenter here."""
