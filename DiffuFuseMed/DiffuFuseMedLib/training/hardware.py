"""What a training ran on."""

from __future__ import annotations

import os
import platform

import torch


def hardware(device: str) -> str:
    """The GPU's name, or how many threads of which CPU, in words."""
    if device.startswith("cuda"):
        return torch.cuda.get_device_name(0)
    return f"{torch.get_num_threads()} threads of {os.cpu_count()} CPU cores, {platform.machine()}"
