"""CalDiff (X. Wang et al., 2026): mask diffusion whose uncertainty is calibrated step by step and over steps."""
