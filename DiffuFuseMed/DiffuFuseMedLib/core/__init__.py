"""What everything else speaks: Grid, Volume, Case, Prediction, Fused, Rois, errors, resampling; no torch."""
