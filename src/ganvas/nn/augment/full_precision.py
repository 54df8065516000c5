"""Autocast switched off where places and colours are computed: half precision would move pictures by whole pixels."""

from contextlib import AbstractContextManager, nullcontext

import torch


def full_precision(device: torch.device) -> AbstractContextManager[object]:
    """No autocast inside; the meta device, where nothing is computed, has none to be switched off."""
    return nullcontext() if device.type == "meta" else torch.autocast(device.type, enabled=False)
