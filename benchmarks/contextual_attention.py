"""Contextual attention at 512 x 512 pixels: peak memory and time against the published form, at equal values.

The published form holds the scores of all places for all places, once for every pass over them. Each form runs in a
process of its own; its peak is what the process grew by, at most, from the moment when the features were there.
"""

import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import torch
import torch.nn.functional as F

sys.path.insert(0, str(Path(__file__).parent))
from history import record
from torch import Tensor

from ganvas.nn.blocks.contextual_attention import ContextualAttention

SIDE, WIDTH = 512, 96  # Of the picture, in pixels; channels of the features, which are a quarter as large.


def published(x: Tensor, mask: Tensor, scale: float = 10.0) -> Tensor:
    """As the authors' code reads, for one picture."""
    (features,) = x
    c, height, width = features.shape
    h, w = height // 2, width // 2
    patches = F.unfold(F.pad(x, (1, 1, 1, 1)), 4, stride=2)[0].T.reshape(h * w, c, 4, 4)
    small = x[:, :, ::2, ::2]
    kernels = F.unfold(small, 3, padding=1)[0].T.reshape(h * w, c, 3, 3)
    normed = kernels / kernels.flatten(1).norm(dim=1).clamp_min(1e-4)[:, None, None, None]
    free = (F.unfold(1 - mask[:, :, ::2, ::2], 3, padding=1)[0].mean(0) == 0).float()
    scores = F.conv2d(small, normed, padding=1)[0].flatten(1).T[None, None]
    diagonal = torch.eye(3)[None, None]
    for a, b in ((h, w), (w, h)):
        scores = F.conv2d(scores, diagonal, padding=1).reshape(a, b, a, b)
        scores = scores.permute(1, 0, 3, 2).reshape(1, 1, h * w, h * w)
    scores = scores[0, 0] * free
    weights = torch.softmax(scores * scale, 1) * free
    return F.conv_transpose2d(weights.T.reshape(1, h * w, h, w), patches, stride=2, padding=1) / 4


def features() -> tuple[Tensor, Tensor]:
    """Random ones, and a mask with a quarter of the picture as its hole."""
    side = SIDE // 4
    x = torch.randn(1, WIDTH, side, side, generator=torch.Generator().manual_seed(0))
    mask = torch.ones(1, 1, side, side)
    mask[..., side // 4 : 3 * side // 4, side // 4 : 3 * side // 4] = 0
    return x, mask


@torch.no_grad()
def alone(form: str) -> None:
    """Runs one form and prints what it took and what came out."""
    torch.set_num_threads(1)
    x, mask = features()
    F.conv2d(x, x.new_ones(1, WIDTH, 3, 3))  # What torch allocates once.
    before, started = _peak_bytes(), time.process_time()
    made = {"published": published, "chunked": ContextualAttention()}[form](x, mask)
    spent = {"cpu_sec": time.process_time() - started, "peak_mb": (_peak_bytes() - before) / 1e6}
    print(json.dumps(spent | {"values": made.flatten()[::97].tolist()}))


def main() -> None:
    """Both forms, their ratio, and the largest difference of what came out."""
    found = {}
    for form in ("published", "chunked"):
        command = [sys.executable, __file__, form]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        found[form] = json.loads(done.stdout)
    values = [torch.tensor(found[form].pop("values")) for form in ("published", "chunked")]
    record(
        "contextual_attention",
        {
            **{f"{form}_{name}": value for form, one in found.items() for name, value in one.items()},
            "memory_ratio": found["published"]["peak_mb"] / found["chunked"]["peak_mb"],
            "largest_difference": float((values[0] - values[1]).abs().max()),
            "side_px": SIDE,
        },
    )


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    alone(sys.argv[1]) if len(sys.argv) > 1 else main()
