"""clean-fid: its resize "clean", its features by it, and its distances."""

import numpy as np
import peers_inputs
import pytest
import torch
from PIL import Image
from torch.testing import assert_close

from ganvas.features import network_catalogue
from ganvas.features.resize import clean_bicubic
from ganvas.metrics import kid
from ganvas.metrics.maths import frechet
from ganvas.tasks.measure import Measure, measure

pytest.importorskip("cleanfid", reason="needs clean-fid: make peers")
import cleanfid as cleanfid_package
from cleanfid import fid as cleanfid
from cleanfid.resize import build_resizer


@pytest.fixture(scope="module")
def rows():
    """Two sets of 200 rows of 24 numbers, float64."""
    random = np.random.default_rng(0)
    return random.normal(size=(200, 24)), 1.2 * random.normal(size=(220, 24)) + 0.1


@pytest.mark.parametrize(("height", "width"), [(32, 32), (64, 48), (299, 299), (300, 298), (512, 700)])
def test_the_clean_resize_is_theirs(rng, height, width):
    picture = torch.randint(0, 2, (height, width, 3), generator=rng, dtype=torch.uint8) * 255
    expected = torch.from_numpy(build_resizer("clean")(picture.numpy())).permute(2, 0, 1)
    # Float32 sums of up to a few hundred numbers of up to 255, in two orders.
    assert_close(clean_bicubic(picture.permute(2, 0, 1)[None], 299)[0], expected, rtol=0, atol=1e-3)


def test_features_of_a_folder_by_their_resize_and_loader_are_those_of_inception_clean(folders, pictures, weights, off):
    network = peers_inputs.pytorch_fid_network(weights, resize_input=False, normalize_input=False)
    few = str(folders.reals)
    expected = cleanfid.get_folder_features(
        few, model=lambda x: network((x - 128) / 128)[0].flatten(1), num=8, num_workers=0, batch_size=8,
        device=torch.device("cpu"), mode="clean", verbose=False,
    )  # fmt: skip
    ours = network_catalogue.load("inception_clean", weights=weights, trust=True)
    found = ours.extract(pictures["reals"][:8])["features"]
    assert off(found, torch.from_numpy(expected)) < 1e-5


def test_their_frechet_distance_is_ours(rows):
    found = frechet.distance(*(frechet.gaussian_of_rows(torch.from_numpy(side)) for side in rows))
    assert found == pytest.approx(float(cleanfid.fid_from_feats(*rows)), rel=1e-9)


def test_their_kernel_distance_over_all_pairs_is_ours(rows):
    few = [side[:200] for side in rows]
    expected = cleanfid.kernel_distance(*few, num_subsets=1, max_subset_size=200)
    assert kid.polynomial_mmd(*(torch.from_numpy(side) for side in few)) == pytest.approx(expected, rel=1e-9)


def test_statistics_that_they_keep_of_a_folder_are_references_here(folders, weights, tmp_path, monkeypatch):
    monkeypatch.setattr(cleanfid_package, "__file__", str(tmp_path / "__init__.py"))  # They write beside their code.
    (tmp_path / "stats").mkdir()
    network = peers_inputs.pytorch_fid_network(weights, resize_input=False, normalize_input=False)
    few = tmp_path / "six"
    few.mkdir()
    for path in sorted(folders.fakes.glob("*.png"))[:6]:
        (few / path.name).symlink_to(path)
    how = {"mode": "clean", "num_workers": 0, "batch_size": 8, "device": torch.device("cpu"), "verbose": False}
    look_through = lambda x: network((x - 128) / 128)[0].flatten(1)  # noqa: E731
    monkeypatch.setattr(cleanfid, "build_feature_extractor", lambda *_, **__: look_through)  # Theirs is a download.
    cleanfid.make_custom_stats("eight", str(folders.reals), num=8, **how)
    features = cleanfid.get_folder_features(str(few), model=look_through, **how)
    look = {"features": "inception_clean", "weights": (str(weights),), "trust_weights": True, "quiet": True}
    (moments,) = (tmp_path / "stats").glob("*na.npz")
    (kept,) = (tmp_path / "stats").glob("*kid.npz")
    with np.load(kept) as file:
        reals = file["feats"]
    found = {}
    for path, metrics in ((moments, ("fid",)), (kept, ("fid", "kid"))):
        results = measure(Measure(a=str(few), ref=path, metrics=metrics, n=6, **look)).results
        found[path] = {one.metric: one.value for one in results}
    expected = frechet.frechet_from_features(*(torch.from_numpy(side).double() for side in (features, reals)))
    assert found[moments]["fid"] == pytest.approx(expected, rel=1e-6)
    assert found[kept]["fid"] == pytest.approx(expected, rel=1e-6)
    # Of so few pictures it is a small difference of kernels, which shows the last digits of features.
    paths = sorted(few.glob("*.png"))
    six = torch.stack([torch.from_numpy(np.array(Image.open(path))).permute(2, 0, 1) for path in paths])
    seen = network_catalogue.load("inception_clean", weights=weights, trust=True).extract(six)["features"]
    expected = kid.polynomial_mmd(seen.double(), torch.from_numpy(reals).double())
    assert found[kept]["kid"] == pytest.approx(float(expected), rel=1e-6)
