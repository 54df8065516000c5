"""Pictures on disk for the tests of this floor."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


def encoded(pixels: np.ndarray, kind: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("GANVAS_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def rng():
    return np.random.default_rng(7)


@pytest.fixture
def pixels(rng):
    """Twelve pictures of 8 x 6."""
    return rng.integers(0, 256, (12, 8, 6, 3), np.uint8)


@pytest.fixture
def encode():
    return encoded


@pytest.fixture
def folder(tmp_path, pixels) -> Path:
    """The twelve pictures in three class folders, under names that sort in their order."""
    root = tmp_path / "pictures"
    for index, picture in enumerate(pixels):
        path = root / ("ant", "bee", "cow")[index // 4] / f"{index:02d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded(picture))
    return root
