"""Two processes measure together what one measures alone, and one of them speaks and writes."""

import json
import subprocess
import sys

import numpy as np
import pytest
from elastic import ENVIRONMENT
from PIL import Image

from ganvas.tasks.measure import Measure, measure


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("given")
    for name, seed in (("reals", 1), ("fakes", 2)):
        random = np.random.default_rng(seed)
        (root / name).mkdir()
        for index in range(300):
            Image.fromarray(random.integers(0, 256, (16, 16, 3), dtype=np.uint8)).save(root / name / f"{index:03d}.png")
    return str(root / "fakes"), str(root / "reals")


def test_values_errors_and_protocols_are_those_of_one_process(folders):
    metrics = "fid,kid,swd,ms_ssim,precision_recall"
    alone = measure(Measure(a=folders[0], b=folders[1], metrics=(metrics,), n=150, features="untrained", quiet=True))
    launch = "--nproc-per-node 2 --rdzv-backend c10d --rdzv-endpoint localhost:0 -m ganvas measure"
    words = [*launch.split(), *folders, "--metrics", metrics, "-n", "150", "--features", "untrained", "--quiet"]
    done = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", *words],
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        timeout=150,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)  # One document, so one process spoke.
    assert found["fakes"] == alone.fakes
    for part in ("results", "floor"):
        assert len(found[part]) == len(getattr(alone, part)) > 0
        for one, other in zip(found[part], getattr(alone, part), strict=True):
            assert one["protocol"] == other.protocol
            assert (one["value"], one["standard_error"]) == pytest.approx((other.value, other.standard_error), rel=1e-9)
