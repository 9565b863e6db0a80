"""What a system is asked for, one folder a task: its contract, prediction, calibration, evaluation and training."""
