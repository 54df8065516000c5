"""50,000 pictures by FID, KID, Inception Score and precision and recall in one pass, features on a GPU.

``python benchmarks/gpu_metrics.py``: 2 x 50,000 made-up pictures of 64 pixels through Inception-v3 of random weights,
in float32 and in bfloat16; seconds of the pass and of each metric, pictures per second, the card's peak memory,
and by how much bfloat16 moves each value. Without a GPU it says so and ends (``--device cpu --pictures 200`` tries it).
"""

import argparse
import time

import torch
from history import record
from metrics_peers import weights

from ganvas.features.inception import Inception
from ganvas.features.weights import Weights
from ganvas.metrics.accumulators import feature_pass
from ganvas.metrics.measuring import flow

METRICS = ("fid", "kid", "inception_score", "precision_recall")
BATCH = 500


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pictures", type=int, default=50_000, help="on each side")
    parser.add_argument("--device", default="cuda")
    arguments = parser.parse_args()
    if arguments.device == "cuda" and not torch.cuda.is_available():
        print("gpu_metrics: no CUDA device here, nothing measured")
        return
    tensors = weights(torch.Generator().manual_seed(0))
    values = {}
    for precision in ("float32", "bfloat16"):
        network = Inception(
            Weights(tensors=tensors, sha256="0" * 64), device=torch.device(arguments.device), precision=precision
        )
        found, values[precision] = measured(network, arguments.pictures, arguments.device)
        record(f"gpu_metrics.{precision}", {"device": arguments.device, "pictures": arguments.pictures, **found})
    moved = {name: values["bfloat16"][name] / value - 1 for name, value in values["float32"].items()}
    record("gpu_metrics.bfloat16_moves", moved)


def measured(network, n, device):
    networks = dict.fromkeys(METRICS, network)
    network.extract(next(pictures(BATCH, seed=0)), ["features", "logits"])  # Kernels are chosen and memory is taken.
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    started = time.perf_counter()
    real, fake = (
        feature_pass.gather(pictures(n, seed=seed), metrics=METRICS, n=n, networks=networks, quiet=False)
        for seed in (1, 2)
    )
    found = {"pass_sec": time.perf_counter() - started}
    found["pictures_per_sec"] = 2 * n / found["pass_sec"]
    values = {}
    for name in METRICS:
        started = time.perf_counter()
        one = feature_pass.Gathered(stats={name: fake.stats[name]}, n=n, fingerprint=fake.fingerprint)
        for result in flow.compare(real, one)[0]:
            values[result.metric] = result.value
        found[f"{name}_sec"] = time.perf_counter() - started
    if device == "cuda":
        found |= {"card": torch.cuda.get_device_name(), "card_mb": torch.cuda.max_memory_allocated() / 2**20}
    return found, values


def pictures(n, *, seed):
    """Smooth noise, whose colours the seed shifts a little: uint8 (b, 3, 64, 64)."""
    rng = torch.Generator().manual_seed(seed)
    for start in range(0, n, BATCH):
        coarse = torch.rand(min(BATCH, n - start), 3, 8, 8, generator=rng)
        smooth = torch.nn.functional.interpolate(coarse, scale_factor=8, mode="bilinear")
        yield (smooth * 235 + 10 * seed).to(torch.uint8)


if __name__ == "__main__":
    main()
