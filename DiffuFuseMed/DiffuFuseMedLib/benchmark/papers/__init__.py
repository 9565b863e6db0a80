"""What the papers print, as they print it, to stand beside what is measured here; one file a paper."""
