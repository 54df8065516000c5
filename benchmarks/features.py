# ruff: noqa: E402
"""Inception-v3 here against the plain arrangement that others run, rows equal: ``python benchmarks/features.py``.

The plain arrangement is that of torch-fidelity and pytorch-fid: NCHW, each convolution followed by its batch norm and
its ReLU, each branch on its own, pools before the 1 x 1 convolutions, the resize by gathering. Both sides have the same
random weights. Expected: at least 1.4 times as fast in float32 with rows equal to 1e-5. bfloat16 is faster still only
on a processor that has it (avx512_bf16, amx_bf16); on others it is several times slower.

Times are processor seconds of one thread, the best of three, so that a busy machine changes the ratios little.
"""

import os

for library in ("OMP", "OPENBLAS", "MKL"):  # Before torch is loaded.
    os.environ[f"{library}_NUM_THREADS"] = "1"

import argparse
import time

import torch
import torch.nn.functional as F
from history import record

from ganvas.features.inception import Inception
from ganvas.features.inception_layers import LAYERS
from ganvas.features.resize import tf1_bilinear
from ganvas.features.weights import Weights


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pictures", type=int, default=16)
    parser.add_argument("--size", type=int, default=64)
    arguments = parser.parse_args()
    rng = torch.Generator().manual_seed(0)
    shape = (arguments.pictures, 3, arguments.size, arguments.size)
    pictures = torch.randint(0, 256, shape, generator=rng, dtype=torch.uint8)
    weights = Weights(tensors=drawn(rng), sha256="0" * 64)
    ours, half = Inception(weights), Inception(weights, precision="bfloat16")
    plain_sec, expected = best(lambda: plain(weights.tensors, pictures))
    ours_sec, found = best(lambda: ours.extract(pictures)["features"])
    half_sec, _ = best(lambda: half.extract(pictures)["features"])
    gather_sec, _ = best(lambda: gathered(pictures, 299))
    resize_sec, _ = best(lambda: tf1_bilinear(pictures, 299))
    error = float((found - expected).norm() / expected.norm())
    assert error < 1e-5, error
    n = arguments.pictures
    record(
        "features.inception",
        {
            "pictures": n,
            "size_px": arguments.size,
            "plain_ms_per_picture": 1000 * plain_sec / n,
            "ours_ms_per_picture": 1000 * ours_sec / n,
            "bfloat16_ms_per_picture": 1000 * half_sec / n,
            "gathering_resize_ms_per_picture": 1000 * gather_sec / n,
            "resize_ms_per_picture": 1000 * resize_sec / n,
            "times_as_fast": plain_sec / ours_sec,
            "relative_difference": error,
        },
    )


def best(work, times=3):
    """The least processor time of a few runs, and the result."""
    found = []
    for _ in range(times):
        started = time.process_time()
        result = work()
        found.append(time.process_time() - started)
    return min(found), result


def drawn(rng):
    tensors = {}
    for name, layer in LAYERS.items():
        shape = (layer.outputs, layer.inputs, *layer.kernel)
        tensors[f"{name}.conv.weight"] = torch.randn(shape, generator=rng) * (2 / torch.Size(shape[1:]).numel()) ** 0.5
        for part, base in (("weight", 0.5), ("bias", 0.0), ("running_mean", 0.0), ("running_var", 0.5)):
            tensors[f"{name}.bn.{part}"] = torch.rand(layer.outputs, generator=rng) * (1 if base else 0.1) + base
    return tensors


def gathered(pictures, size):
    """TensorFlow 1's bilinear resize by four gathers."""
    _, _, h, w = pictures.shape
    y, x = torch.arange(size) * (h / size), torch.arange(size) * (w / size)
    top, left = y.long(), x.long()
    below, right = (top + 1).clamp_max(h - 1), (left + 1).clamp_max(w - 1)
    down, across = (y - top)[:, None], x - left
    image = pictures.float()
    upper = image[:, :, top[:, None], left] * (1 - across) + image[:, :, top[:, None], right] * across
    lower = image[:, :, below[:, None], left] * (1 - across) + image[:, :, below[:, None], right] * across
    return upper * (1 - down) + lower * down


@torch.no_grad()
def plain(tensors, pictures):
    """The network as it is drawn, one layer after the other."""

    def run(x, block, *names):
        for name in names:
            full = f"{block}.branch{name}" if block else name
            x = F.conv2d(x, tensors[f"{full}.conv.weight"], None, LAYERS[full].stride, LAYERS[full].padding)
            norm = [tensors[f"{full}.bn.{part}"] for part in ("running_mean", "running_var", "weight", "bias")]
            x = F.relu(F.batch_norm(x, *norm, training=False, eps=1e-3), inplace=True)
        return x

    def average(x):
        return F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)

    x = (gathered(pictures, 299) - 128) / 128
    x = F.max_pool2d(run(x, "", "Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3"), 3, 2)
    x = F.max_pool2d(run(x, "", "Conv2d_3b_1x1", "Conv2d_4a_3x3"), 3, 2)
    for b in ("Mixed_5b", "Mixed_5c", "Mixed_5d"):
        branches = (("1x1",), ("5x5_1", "5x5_2"), ("3x3dbl_1", "3x3dbl_2", "3x3dbl_3"))
        x = torch.cat([*(run(x, b, *names) for names in branches), run(average(x), b, "_pool")], 1)
    b = "Mixed_6a"
    x = torch.cat([run(x, b, "3x3"), run(x, b, "3x3dbl_1", "3x3dbl_2", "3x3dbl_3"), F.max_pool2d(x, 3, 2)], 1)
    for b in ("Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e"):
        branches = (("1x1",), ("7x7_1", "7x7_2", "7x7_3"), tuple(f"7x7dbl_{i}" for i in range(1, 6)))
        x = torch.cat([*(run(x, b, *names) for names in branches), run(average(x), b, "_pool")], 1)
    b = "Mixed_7a"
    seven = run(x, b, *(f"7x7x3_{i}" for i in range(1, 5)))
    x = torch.cat([run(x, b, "3x3_1", "3x3_2"), seven, F.max_pool2d(x, 3, 2)], 1)
    for b in ("Mixed_7b", "Mixed_7c"):
        three, double = run(x, b, "3x3_1"), run(x, b, "3x3dbl_1", "3x3dbl_2")
        pooled = average(x) if b == "Mixed_7b" else F.max_pool2d(x, 3, 1, 1)
        forks = [
            run(three, b, "3x3_2a"),
            run(three, b, "3x3_2b"),
            run(double, b, "3x3dbl_3a"),
            run(double, b, "3x3dbl_3b"),
        ]
        x = torch.cat([run(x, b, "1x1"), *forks, run(pooled, b, "_pool")], 1)
    return x.mean((2, 3))


if __name__ == "__main__":
    main()
