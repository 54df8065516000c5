"""torchmetrics: FID, KID and Inception Score, whose defaults are no longer those of the field."""

import math

import pytest
import torch

from ganvas.metrics import inception_score, kid
from ganvas.metrics.maths import frechet

pytest.importorskip("torchmetrics", reason="needs torchmetrics: make peers")
pytest.importorskip("torch_fidelity", reason="torchmetrics looks through torch-fidelity's network: make peers")
from torchmetrics.image.fid import FrechetInceptionDistance, NoTrainInceptionV3
from torchmetrics.image.inception import InceptionScore
from torchmetrics.image.kid import KernelInceptionDistance


class AsItIs(torch.nn.Module):
    """A network for torchmetrics whose pictures are the features themselves."""

    num_features = 24

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        return rows


@pytest.fixture
def rows():
    rng = torch.Generator().manual_seed(0)
    reals, fakes = (torch.randn(n, 24, generator=rng, dtype=torch.float64) for n in (200, 230))
    return reals, 1.2 * fakes + 0.1


def test_without_antialiasing_its_features_are_ours(pictures, weights, ours, off):
    how = {"features_list": ["2048"], "feature_extractor_weights_path": str(weights)}
    few = pictures["reals"][:6]
    with torch.no_grad():
        plain, usual = (NoTrainInceptionV3("x", antialias=smooth, **how)(few) for smooth in (False, True))
    assert off(plain, ours["reals"].features[:6]) < 1e-5
    # Its default since 1.8.0 has half-pixel centres (and smooths larger pictures): another metric of the same name.
    assert off(usual, ours["reals"].features[:6]) > 1e-3


def test_its_fid_of_one_table_of_features_is_ours(rows):
    metric = FrechetInceptionDistance(feature=AsItIs()).set_dtype(torch.float64)
    for side, real in zip(rows, (True, False), strict=True):
        metric.update(side, real=real)
    found = frechet.distance(*(frechet.gaussian_of_rows(side) for side in rows))
    assert found == pytest.approx(float(metric.compute()), rel=1e-6)  # It sums in one pass, which loses digits.


def test_its_kid_over_whole_sets_is_ours(rows):
    few = [side[:200] for side in rows]
    metric = KernelInceptionDistance(feature=AsItIs(), subsets=1, subset_size=200)
    for side, real in zip(few, (True, False), strict=True):
        metric.update(side, real=real)
    assert kid.polynomial_mmd(*few) == pytest.approx(float(metric.compute()[0]), rel=1e-6)


def test_its_inception_score_of_one_part_is_ours_and_of_ten_parts_of_23_pictures_has_eight(rows):
    logits = 3 * rows[0][:23]
    metric = InceptionScore(feature=AsItIs(), splits=1)
    metric.update(logits)
    mean, deviation = metric.compute()
    assert float(inception_score.inception_score(logits, splits=1)) == pytest.approx(float(mean), rel=1e-12)
    assert math.isnan(float(deviation))  # Divided by 1 - 1.
    assert len(logits.chunk(10)) == 8  # As it cuts them.
    assert len(inception_score.inception_score(logits, splits=10)) == 10
