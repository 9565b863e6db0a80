"""What is installed: registry (without torch), zoo (weights, checked), devices and memory."""
