# ruff: noqa: E402
"""SWD and MS-SSIM against their plain forms in numpy and scipy, values equal: ``python benchmarks/metrics.py``.

Ours is everything a measurement does, standard errors included; the plain forms give the value alone. Times are
processor seconds of one thread, the best of three, so that a busy machine changes the ratios little; on a quiet one our
sorting is shared by all cores besides.
"""

import os

for library in ("OMP", "OPENBLAS", "MKL"):  # Before numpy and torch are loaded.
    os.environ[f"{library}_NUM_THREADS"] = "1"

import argparse
import time

import numpy as np
import torch
from history import record
from scipy import ndimage, signal

from ganvas.metrics import ms_ssim, swd
from ganvas.metrics.maths.distances import sliced_wasserstein

BINOMIAL = (np.outer([1, 4, 6, 4, 1], [1, 4, 6, 4, 1]) / 256).astype(np.float32)[None, None]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pictures", type=int, default=256, help="on each side")
    parser.add_argument("--size", type=int, default=128)
    arguments = parser.parse_args()
    real, fake = (pictures(arguments.pictures, arguments.size, seed=seed) for seed in (1, 2))
    plain_swd, plain_value = best(lambda: numpy_swd(real, fake))
    ours_swd, results = best(lambda: our_swd(real, fake))
    assert abs(results[0].value / plain_value - 1) < 1e-5, (results[0].value, plain_value)
    few = fake[:64]
    plain_ms, plain_pairs = best(lambda: fft_ms_ssim(few[::2].numpy().astype(float), few[1::2].numpy().astype(float)))
    ours_ms, our_pairs = best(lambda: ms_ssim.ms_ssim(few[::2].float(), few[1::2].float()))
    assert np.abs(our_pairs.numpy() - plain_pairs).max() < 1e-6
    record(
        "metrics",
        {
            "size_px": arguments.size,
            "swd_pictures": arguments.pictures,
            "swd_plain_cpu_sec": plain_swd,
            "swd_cpu_sec": ours_swd,
            "swd_ratio": plain_swd / ours_swd,
            "ms_ssim_pairs": len(few) // 2,
            "ms_ssim_fft_cpu_sec": plain_ms,
            "ms_ssim_cpu_sec": ours_ms,
            "ms_ssim_ratio": plain_ms / ours_ms,
        },
    )


def best(call, repeats=3):
    """The shortest of some processor times, and what the call gave."""
    times = []
    for _ in range(repeats):
        started = time.process_time()
        value = call()
        times.append(time.process_time() - started)
    return min(times), value


def pictures(n, size, *, seed):
    """Large shapes under noise."""
    random = torch.Generator().manual_seed(seed)
    shapes = torch.nn.functional.interpolate(torch.rand(n, 3, 8, 8, generator=random), size=size, mode="bilinear")
    return (255 * shapes + 4 * seed * torch.randn(n, 3, size, size, generator=random)).clamp(0, 255).byte()


def our_swd(real, fake):
    sides = [swd.Accumulator(), swd.Accumulator()]
    for side, shown in zip(sides, (real, fake), strict=True):
        for batch in shown.split(64):
            side.update(batch)
    return swd.compare(*sides)


def numpy_swd(real, fake):
    """The definition: full 5 x 5 filters, one batch of all patches, directions in four repeats, sorted along axis 0."""
    names = swd.levels(*real.shape[2:])
    descriptors = [numpy_descriptors(side.numpy().astype(np.float32), names) for side in (real, fake)]
    distances = []
    for name, x, y in zip(names, *descriptors, strict=True):
        x, y = (normalised(patches) for patches in (x, y))
        directions = sliced_wasserstein.unit_directions(512, x.shape[1], "swd", "directions", name, seed=0).numpy()
        for part in np.split(directions, 4):
            distances.append(np.abs(np.sort(x @ part.T, axis=0) - np.sort(y @ part.T, axis=0)).mean())
    return 1000 * float(np.mean(distances))


def numpy_descriptors(pictures, names):
    found, places = [], swd.Accumulator()
    for index, name in enumerate(names):
        level = pictures
        if index < len(names) - 1:
            low = ndimage.convolve(pictures, BINOMIAL, mode="mirror")[:, :, ::2, ::2]
            stuffed = np.zeros_like(pictures)
            stuffed[:, :, ::2, ::2] = low
            level = pictures - ndimage.convolve(stuffed, 4 * BINOMIAL, mode="mirror")
            pictures = low
        n, channels, height, width = level.shape
        corner = places._places(torch.arange(n), name, height, width).numpy()
        picture, channel, row, column = np.ogrid[:n, :channels, :7, :7]
        found.append(
            level[
                picture[:, None],
                channel[:, None],
                corner[:, :, 0, None, None, None] + row[:, None],
                corner[:, :, 1, None, None, None] + column[:, None],
            ].reshape(n * corner.shape[1], channels, 7, 7)
        )
    return found


def normalised(patches):
    patches = patches - patches.mean(axis=(0, 2, 3), keepdims=True, dtype=np.float64).astype(np.float32)
    return (patches / patches.std(axis=(0, 2, 3), keepdims=True)).reshape(len(patches), -1)


def fft_ms_ssim(x, y):
    """The definition, filtered by FFT, in float64."""
    product, box, c1, c2 = 1.0, np.ones((1, 1, 2, 2)) / 4, 2.55**2, 7.65**2
    for level, weight in enumerate(ms_ssim.WEIGHTS):
        size = min(11, *x.shape[2:])
        place = np.arange(size) - (size - 1) / 2
        kernel = np.exp(-(place[:, None] ** 2 + place**2) / (2 * (1.5 * size / 11) ** 2))[None, None]
        kernel /= kernel.sum()
        mx, my, xx, yy, xy = (signal.fftconvolve(v, kernel, mode="valid") for v in (x, y, x * x, y * y, x * y))
        contrast = (2 * (xy - mx * my) + c2) / (xx - mx**2 + yy - my**2 + c2)
        both = contrast * (2 * mx * my + c1) / (mx**2 + my**2 + c1)
        product = product * np.maximum((both if level == 4 else contrast).mean((1, 2, 3)), 0) ** weight
        x, y = (ndimage.convolve(v, box, mode="reflect")[:, :, ::2, ::2] for v in (x, y))
    return product


if __name__ == "__main__":
    main()
