"""PHiSeg-like (C. Baumgartner et al., MICCAI 2019): a hierarchy of latents, a map of them at every resolution.

A rival that CalDiff is compared with.
"""
