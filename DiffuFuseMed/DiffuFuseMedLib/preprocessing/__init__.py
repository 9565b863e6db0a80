"""From files to a Case: load, align, register, intensities as networks see them, regions of interest; no torch."""
