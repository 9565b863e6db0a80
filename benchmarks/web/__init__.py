"""How live the workspace is: the real server in a process of its own, real headless Chromium in front of it."""

from benchmarks.web.run import bench_web

__all__ = ["bench_web"]
