"""Signals in noise behind a pooling over a whole map: how often the pooled value tells with from without."""

import torch

PIXELS, PICTURES = 64, 1000
AVERAGE, MAXIMUM = "average", "maximum"
SCOPE = f"normal noise at {PIXELS} places"


def missed(arm: str, seed: int, *, sparse: bool) -> float:
    """The share of pairs of a map with the signal and one without whose pooled values stand in the wrong order."""
    generator = torch.Generator().manual_seed(seed)
    signal = torch.zeros(PICTURES, PIXELS)
    if sparse:
        signal[torch.arange(PICTURES), torch.randint(PIXELS, (PICTURES,), generator=generator)] = 4.0
    else:
        signal += 0.25
    with_signal, without = (torch.randn(PICTURES, PIXELS, generator=generator) for _ in range(2))
    pool = (lambda x: x.mean(1)) if arm == AVERAGE else (lambda x: x.amax(1))
    return float((pool(with_signal + signal)[:, None] <= pool(without)).float().mean())
