"""A tiny packed set and a tiny run, for every test of training."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ganvas.core import catalogue
from ganvas.core.run_folder import RunFolder
from ganvas.core.seeds import stream
from ganvas.data.packed import Packed
from ganvas.data.packing import prepare
from ganvas.nn.layers.initialise import initialise
from ganvas.train.kinds.picture_kind import PictureData
from ganvas.train.loop import Setup
from ganvas.train.plan import Plan
from ganvas.train.sheets import point_sheets

sys.path.insert(0, str(Path(__file__).parent))  # For `thread_ranks`.


@pytest.fixture(scope="session", autouse=True)
def small_sheets_of_points() -> Iterator[None]:
    """Drawing sheets takes longer than the runs that are tested here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(point_sheets, "SHOWN", 200)
        patch.setattr(point_sheets, "SHEET_DPI", 36.0)
        yield


@pytest.fixture(scope="session")
def tiny_npz(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fifty labelled random pictures of 16x16."""
    file = tmp_path_factory.mktemp("tiny") / "tiny.npz"
    random = np.random.default_rng(0)
    pictures = random.integers(0, 256, (50, 16, 16, 3), dtype=np.uint8)
    np.savez(file, images=pictures, labels=np.arange(50) % 3)
    return file


@pytest.fixture(scope="session")
def tiny_packed(tiny_npz: Path) -> Packed:
    return prepare(str(tiny_npz), size=(16, 16), quiet=True)


@pytest.fixture
def tiny_setup(tiny_packed: Packed, tmp_path: Path) -> Callable[..., Setup]:
    """``tiny_setup(model="gan/progan", steps=20, config={...}, **plan)``: ready to train, in tmp_path/run."""

    def make(*, model: str = "gan/progan", steps: int = 20, config: dict[str, Any] | None = None, **plan: Any) -> Setup:
        module = catalogue.load("models", model)
        settings = replace(module.TINY, **(config or {}))
        plans = {"total_kimg": steps * settings.batch_size / 1000, "report_kimg": 0.016, "measure_kimg": -1.0}
        plans["sample_kimg"] = 0.064
        run = RunFolder(tmp_path / "run")
        if not run.exists:
            run.create({"data": {}, "cost": None})
        described = {"spec": "tiny", "height": 16, "width": 16, "channels": 3, "class_names": ["a", "b", "c"]}
        network = module.Model(settings)
        initialise(network, stream(0, "weights"))
        return Setup(
            run=run,
            name=model,
            model=network,
            plan=Plan(**(plans | plan)),
            data=PictureData(packed=tiny_packed, held_out=None, described=described),
            device=torch.device("cpu"),
            quiet=True,
            estimate=False,
        )

    return make
