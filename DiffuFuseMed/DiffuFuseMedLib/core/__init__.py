"""What everything else speaks: Grid, Volume, Case, Prediction, Fused, Rois, what is known of each modality and
map, errors, resampling; no torch."""
