"""The engine's process: requests in, job queues, handlers that compute, replies out."""
