"""Values that torch-fidelity publishes for CIFAR-10, with the published weights: neither is downloaded for a test.

They are in its repository under tests/torch_versions_ge_1_13_0/ and tests/tf1/numerical_precision/ (0.4.0), which hold
them against the original TensorFlow code. Its third fixture, the KID of noisy pictures (0.4718520), is of floats beyond
255 made into bytes, which every machine may do in its own way.
"""

import tarfile

import numpy as np
import pytest
import torch

from ganvas.core.errors import UserError
from ganvas.data.sources.opening_sources import open_source
from ganvas.features import network_catalogue
from ganvas.metrics import kid, precision_recall
from ganvas.metrics.inception_score import inception_score
from ganvas.metrics.maths import frechet

pytestmark = [pytest.mark.slow, pytest.mark.data]
ARCHIVE = "cifar-10-binary.tar.gz"
N, SEED = 5000, 2020  # Pictures of each side; theirs of every random choice.


@pytest.fixture(scope="module")
def pictures(data_folder, tmp_path_factory):
    """5,000 pictures of each part, drawn and ordered as by its utils/util_dump_dataset_as_images.py: bytes."""
    archive = data_folder / ARCHIVE
    if not archive.exists():
        pytest.skip(f"needs {ARCHIVE} of https://www.cs.toronto.edu/~kriz/cifar.html in the folder of GANVAS_TEST_DATA")
    unpacked = tmp_path_factory.mktemp("cifar")
    with tarfile.open(archive) as tar:
        tar.extractall(unpacked, filter="data")  # Members of the archive are in no order.
    found = {}
    for part in ("train", "test"):
        blocks = open_source(f"{unpacked / 'cifar-10-batches-bin'}::{part}").blocks(10_000)
        whole = np.concatenate([block.images for block in blocks])
        drawn = np.sort(drawn_places(len(whole)))  # Files are named by their places, and read by their names.
        found[part] = torch.from_numpy(whole[drawn]).permute(0, 3, 1, 2)
    return found


def drawn_places(n, count=N):
    return np.random.RandomState(SEED).choice(n, count, replace=False)


@pytest.fixture(scope="module")
def seen(pictures):
    """Features and logits of both parts: twenty minutes on a processor, seconds on a GPU."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        network = network_catalogue.load("inception", device=device)
    except UserError as missing:
        pytest.skip(f"needs the published weights: {missing}")
    found = {}
    for part, batch in pictures.items():
        rows = [network.extract(few, ["features", "logits"]) for few in batch.split(250)]
        found[part] = {tap: torch.cat([row[tap].cpu() for row in rows]) for tap in ("features", "logits")}
    return found


def test_fid(seen):
    found = frechet.frechet_from_features(seen["train"]["features"], seen["test"]["features"])
    assert found == pytest.approx(10.3233274, abs=1e-4)


def test_inception_score(seen):
    logits = seen["train"]["logits"]
    hundred = logits[np.isin(np.sort(drawn_places(50_000)), drawn_places(50_000, 100))]  # Drawn first.
    few = inception_score(hundred[np.random.RandomState(SEED).permutation(100)])
    assert float(few.mean()) == pytest.approx(4.51089784587268, abs=1e-4)
    scores = inception_score(logits[np.random.RandomState(SEED).permutation(N)])
    assert float(scores.mean()) == pytest.approx(10.75051, abs=1e-3)
    assert float(scores.std(correction=0)) == pytest.approx(0.5778723, abs=1e-3)


def test_kid(seen):
    train, test = (seen[part]["features"].double() for part in ("train", "test"))
    random, values = np.random.RandomState(SEED), []
    for _ in range(100):
        drawn = [rows[random.choice(N, 1000, replace=False)] for rows in (train, test)]
        values.append(float(kid.polynomial_mmd(*drawn)))
    # Of one law, where kernels cancel to a few digits: theirs is of float32 kernels, and allows itself 1e-7.
    assert np.mean(values) == pytest.approx(-2.907863e-05, abs=2e-7)
    assert np.std(values) == pytest.approx(0.0001023118, abs=2e-7)


def test_precision_and_recall(seen):
    sides = {}
    for part, rows in seen.items():
        sides[part] = precision_recall.Accumulator(config=precision_recall.Config(k=3))
        sides[part].update(rows["features"])
    results = precision_recall.compare(sides["test"], sides["train"])
    found = {one.metric.rpartition(".")[2]: one.value for one in results}
    # A handful of the 5,000 lie so near a ball's edge that float32 decides.
    assert found["precision"] == pytest.approx(0.6852, abs=1e-3)
    assert found["recall"] == pytest.approx(0.6908, abs=1e-3)
