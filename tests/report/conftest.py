"""A run's folder as training leaves it, made in a moment."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganvas.report.pictures.animation import write_animation
from ganvas.report.pictures.grid import grid, save_png

STARTS = [(0.0, 4, False), (8.0, 8, True), (12.0, 8, False), (20.0, 16, True), (24.0, 16, False), (32.0, 32, True)]
STAGES = [*STARTS, (36.0, 32, False)]
TOTAL_KIMG = 60.0
PROTOCOL = "swd n=2048 levels=32,16 patch=7x7 patches=64 directions=128 x 4 quantised=uint8 reference=sha256:5d0c…"


@pytest.fixture(scope="session")
def one_run(tmp_path_factory):
    return write_run(tmp_path_factory.mktemp("runs") / "demo", pictures=16)


@pytest.fixture
def fake_run(one_run, tmp_path):
    return Path(shutil.copytree(one_run, tmp_path / "demo"))


def write_run(folder, *, preset="small", name_of_data="scenes", pictures=64):
    (folder / "samples").mkdir(parents=True)
    _json(folder / "run.json", describe(preset, name_of_data))
    _lines(folder / "log.jsonl", log_lines())
    _lines(folder / "cost.jsonl", cost_lines())
    _lines(folder / "measures.jsonl", measure_lines())
    draw(folder / "samples", pictures)
    return folder


def describe(preset, name_of_data):
    return {
        "format": 1,
        "model": "gan/progan",
        "preset": preset,
        "config": {"resolution": 32, "channels": 3, "latent": 128, "feature_maps": {"4": 128, "8": 128, "16": 64}},
        "plan": {"total_kimg": TOTAL_KIMG, "train_kimg": 8, "fade_kimg": 4, "batch_size": 16, "snapshot_kimg": 4},
        "seed": 0,
        "data": {
            "spec": name_of_data,
            "fingerprint": "sha256:9a3e5c41b0f27d6e8a9b0c1d2e3f405162738495a6b7c8d9eafb0c1d2e3f4051",
            "count": 20000,
            "height": 32,
            "width": 32,
            "channels": 3,
        },
        "versions": {"python": "3.11.7", "ganvas": "0.1.0", "torch": "2.13.0+cpu", "numpy": "2.3.1"},
        "machine": {"system": "Linux x86_64", "processor": "A Processor @ 2.50GHz", "cores": 2, "memory_gib": 7.8},
        "command": ["ganvas", "train", "gan/progan", "--data", name_of_data, "--preset", "small", "--out", "runs/demo"],
        "started": "2025-11-21T07:21:00+00:00",
        "cost": {"seconds": 301.2, "gpu_seconds": 0, "flop": 1.2e15, "nimg": int(TOTAL_KIMG * 1000)},
        "status": "finished",
        "stages": [{"kimg": kimg, "resolution": size, "fading": fading} for kimg, size, fading in STAGES],
    }


def log_lines():
    rng = np.random.default_rng(0)
    for step in range(1, 601):
        kimg = step / 10
        noise = rng.normal(size=4)
        spike = 60.0 if step == 81 else 0.0
        yield {
            "nimg": step * 100,
            "kimg": kimg,
            "resolution": stage(kimg),
            "fade": 1.0,
            "lr": 0.001,
            "D/real": -0.8 + 0.6 * np.exp(-kimg / 20) + 0.4 * noise[0],
            "D/fake": 0.5 + 0.3 * np.sin(kimg / 7) + 0.4 * noise[1],
            "D/gradient_penalty": 0.3 + 0.1 * abs(noise[2]) + spike,
            "G/fake": -0.5 + kimg / 80 + 0.3 * noise[3],
        }


def cost_lines():
    for step in range(1, 61):
        speed = {4: 2400.0, 8: 900.0, 16: 420.0, 32: 160.0}[stage(step)]
        yield {"kimg": float(step), "seconds": step / 0.2, "images_per_second": speed, "memory_mib": 400 + stage(step)}


def measure_lines():
    for kimg in [0, *range(4, 61, 8)]:
        quality = 0.12 * np.exp(-kimg / 18)
        results = [result("swd", 0.012 + quality, 0.0004)]
        results += [result(f"swd.{size}", 0.012 + quality * size / 24, 0.0006) for size in (32, 16)]
        floor = [result(metric, 0.0104, 0.0002) for metric in ("swd", "swd.32", "swd.16")]
        results += [result("ms_ssim", 0.18 + 0.3 * quality, 0.004, better="neither", protocol="ms_ssim pairs=2048")]
        floor += [result("ms_ssim", 0.171, 0.004, better="neither", protocol="ms_ssim pairs=2048")]
        told = {"kimg": float(kimg), "when": "2025-11-21T07:26:00+00:00", "source": "training"}
        yield {**told, "results": results, "floor": floor}


def result(metric, value, error, *, better="lower", protocol=PROTOCOL):
    return {
        "metric": metric,
        "value": value,
        "standard_error": error,
        "error_method": "directions",
        "n": 2048,
        "seed": 0,
        "better": better,
        "protocol": protocol,
    }


def draw(folder, count):
    scenes = np.stack([scene(index) for index in range(count)])
    save_png(grid(np.stack([scene(index + 100) for index in range(count)])), folder / "reals.png")
    names = []
    for kimg in range(4, 61, 4):
        size = stage(kimg)
        pictures = np.stack([shrink(picture, size) for picture in scenes]).astype(float)
        rough = np.random.default_rng(1).normal(size=pictures.shape) * 60 * np.exp(-kimg / 15)
        path = folder / f"{kimg:09.2f}.png"
        save_png(grid(np.clip(pictures + rough, 0, 255).astype(np.uint8), scale=32 // size), path)
        names.append(path)
    write_animation(names, folder / "growth.webp", fps=4)


def scene(index):
    rng = np.random.default_rng(index)
    picture = np.zeros((32, 32, 3))
    horizon = int(rng.integers(14, 24))
    picture[:horizon] = rng.uniform([90, 140, 190], [160, 200, 255])
    picture[horizon:] = rng.uniform([40, 90, 20], [150, 160, 80])
    rows, columns = np.mgrid[:32, :32]
    y, x, radius = rng.uniform(4, 26), rng.uniform(4, 28), rng.uniform(3, 7)
    disc = (rows - y) ** 2 + (columns - x) ** 2 < radius**2
    picture[disc] = rng.uniform(60, 255, 3)
    return picture.astype(np.uint8)


def shrink(picture, size):
    return np.asarray(Image.fromarray(picture).resize((size, size), Image.Resampling.BOX))


def stage(kimg):
    return [size for start, size, _ in STAGES if start < kimg or start == 0][-1]


def _json(path, value):
    path.write_text(json.dumps(value))


def _lines(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
