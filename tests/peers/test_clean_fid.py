"""clean-fid: its resize "clean", its features by it, and its distances."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from ganvas.features import shelf
from ganvas.features.resize import clean_bicubic
from ganvas.metrics import frechet, kid

pytest.importorskip("cleanfid", reason="needs clean-fid: make peers")
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
    from pytorch_fid import inception as their

    release = pytest.MonkeyPatch()
    with release.context() as patched:
        patched.setattr(their, "load_state_dict_from_url", lambda *_, **__: torch.load(weights))
        network = their.InceptionV3(resize_input=False, normalize_input=False).eval()
    few = str(folders.reals)
    expected = cleanfid.get_folder_features(
        few, model=lambda x: network((x - 128) / 128)[0].flatten(1), num=8, num_workers=0, batch_size=8,
        device=torch.device("cpu"), mode="clean", verbose=False,
    )  # fmt: skip
    ours = shelf.load("inception_clean", weights=weights, trust=True)
    found = ours.extract(pictures["reals"][:8])["features"]
    assert off(found, torch.from_numpy(expected)) < 1e-5


def test_their_frechet_distance_is_ours(rows):
    found = frechet.distance(*(frechet.gaussian_of_rows(torch.from_numpy(side)) for side in rows))
    assert found == pytest.approx(float(cleanfid.fid_from_feats(*rows)), rel=1e-9)


def test_their_kernel_distance_over_all_pairs_is_ours(rows):
    few = [side[:200] for side in rows]
    expected = cleanfid.kernel_distance(*few, num_subsets=1, max_subset_size=200)
    assert kid.polynomial_mmd(*(torch.from_numpy(side) for side in few)) == pytest.approx(expected, rel=1e-9)
