"""Multi-encoder CNN: a pyramid of features for each modality, their mean over those present, one decoder."""
