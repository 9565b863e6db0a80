"""The one place that knows MRML nodes, for both hosts: the scene or the node is always passed in."""
