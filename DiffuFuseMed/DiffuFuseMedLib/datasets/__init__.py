"""Collections of images that recipes train on, one file each: terms, citation, folds, and patients left out."""
