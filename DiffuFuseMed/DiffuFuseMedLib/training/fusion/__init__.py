"""Training of CLIN-FuseDiff++: picture stacks, crops, the prior's pictures, lesion heads, teacher and student."""
