"""The second moment of a signal in a dense network at its start, per layer."""

import torch
from torch import Tensor


def moments(seed: int, *, depth: int, width: int, activation: str, deviation: float, batch: int = 64) -> list[float]:
    """Mean squares behind each layer's activation; weights are normal with this deviation, biases are 0."""
    generator = torch.Generator().manual_seed(seed)
    x: Tensor = torch.randn(batch, width, generator=generator)
    act = {"tanh": torch.tanh, "relu": torch.relu}[activation]
    found = []
    for _ in range(depth):
        x = act(x @ (torch.randn(width, width, generator=generator) * deviation))
        found.append(float(x.square().mean()))
    return found
