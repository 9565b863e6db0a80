"""Speed and memory, measured on this machine: `python -m benchmarks`, `live` and `web`. Not shipped to Slicer."""
