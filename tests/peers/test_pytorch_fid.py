"""pytorch-fid: files of statistics in both directions, and how far its own features are from FID's."""

import numpy as np
import pytest
import torch

from ganvas.features import network_catalogue
from ganvas.metrics.maths import frechet
from ganvas.tasks.measure import Measure, measure
from ganvas.tasks.stats import Stats, stats

pytest.importorskip("pytorch_fid", reason="needs pytorch-fid: make peers")
from pytorch_fid import fid_score, inception

UNTRAINED = {"features": "untrained", "quiet": True}
CPU = torch.device("cpu")


@pytest.fixture
def small_folders(tmp_path):
    """300 and 290 pictures of 8 x 8 pixels: more than the 256 features of "untrained"."""
    from PIL import Image

    for seed, (name, n) in enumerate({"reals": 300, "fakes": 290}.items()):
        random = np.random.default_rng(seed)
        (tmp_path / name).mkdir()
        for index in range(n):
            pixels = (128 + (40 + 6 * seed) * random.normal(size=(8, 8, 3))).clip(0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f"{index:03d}.png")
    return tmp_path


@pytest.fixture
def their_weights(weights, monkeypatch):
    """Theirs reads the same random file, where it would fetch the published one."""
    monkeypatch.setattr(inception, "load_state_dict_from_url", lambda *_, **__: torch.load(weights))
    return weights


def few_of(folder, n, into):
    """The first of a folder's pictures, as bytes, and as a folder of their own."""
    from PIL import Image

    paths = sorted(folder.glob("*.png"))[:n]
    if into is not None:
        into.mkdir()
        for path in paths:
            (into / path.name).symlink_to(path)
    return torch.stack([torch.as_tensor(np.array(Image.open(path))) for path in paths]).permute(0, 3, 1, 2).contiguous()


def value_of(result):
    return next(one.value for one in result.results if one.metric == "fid")


def test_their_reader_takes_our_files_and_finds_our_value(small_folders, their_weights, capsys):
    paths = {name: small_folders / f"{name}.npz" for name in ("reals", "fakes")}
    for name, path in paths.items():
        stats(Stats(source=str(small_folders / name), out=path, **UNTRAINED))
    how = {"batch_size": 1, "device": CPU, "dims": 2048}  # Passed over, because both paths are files.
    their = fid_score.calculate_fid_given_paths([str(paths["fakes"]), str(paths["reals"])], **how)
    ours = measure(Measure(a=str(small_folders / "fakes"), ref=paths["reals"], metrics=("fid",), n=290, **UNTRAINED))
    assert value_of(ours) == pytest.approx(float(their), rel=1e-6)


def test_a_file_in_their_form_is_a_reference_with_their_value(small_folders):
    network = network_catalogue.load("untrained")
    rows = {}
    for name in ("reals", "fakes"):
        rows[name] = network.extract(few_of(small_folders / name, 300, None))["features"].double().numpy()
    (mu_1, sigma_1), (mu_2, sigma_2) = ((side.mean(0), np.cov(side, rowvar=False)) for side in rows.values())
    np.savez_compressed(small_folders / "theirs.npz", mu=mu_1, sigma=sigma_1)  # As their --save-stats does.
    their = fid_score.calculate_frechet_distance(mu_2, sigma_2, mu_1, sigma_1)
    ours = measure(
        Measure(a=str(small_folders / "fakes"), ref=small_folders / "theirs.npz", metrics=("fid",), n=290, **UNTRAINED)
    )
    assert value_of(ours) == pytest.approx(float(their), rel=1e-6)


def test_moments_of_inception_pass_between_the_two_in_both_directions_unchanged(folders, their_weights, tmp_path):
    made = tmp_path / "ours.npz"
    look = {"features": "inception", "weights": (str(their_weights),), "trust_weights": True, "quiet": True}
    stats(Stats(source=str(folders.reals), out=made, n=8, moments=True, **look))
    mean, cov = fid_score.compute_statistics_of_path(str(made), None, 1, 2048, CPU)
    with np.load(made) as file:
        assert np.array_equal(mean, file["mu"])
        assert np.array_equal(cov, file["sigma"])
    assert (mean.dtype, mean.shape, cov.shape) == (np.float64, (2048,), (2048, 2048))

    theirs = tmp_path / "theirs.npz"
    few_of(folders.reals, 8, tmp_path / "eight")
    fid_score.save_fid_stats([str(tmp_path / "eight"), str(theirs)], batch_size=8, device=CPU, dims=2048, num_workers=0)
    with np.load(theirs) as file:
        given = frechet.gaussian_of_moments(torch.from_numpy(file["mu"]), torch.from_numpy(file["sigma"]))
    pictures = few_of(folders.fakes, 6, tmp_path / "six")
    fakes = network_catalogue.load("inception", weights=their_weights, trust=True).extract(pictures)["features"]
    expected = frechet.distance(frechet.gaussian_of_rows(fakes.double()), given)
    ours = measure(Measure(a=str(tmp_path / "six"), ref=theirs, metrics=("fid",), n=6, **look))
    assert value_of(ours) == pytest.approx(expected, rel=1e-6)


def test_its_own_resize_and_scaling_move_features_by_more_than_rounding(pictures, their_weights, ours, off):
    few = pictures["reals"][:6]
    with torch.no_grad():
        (their,) = inception.InceptionV3().eval()(few.float() / 255)
    # Half-pixel centres and 2 x - 1 = x / 127.5 - 1, where FID's graph has neither.
    assert off(ours["reals"].features[:6], their.flatten(1)) > 1e-3
