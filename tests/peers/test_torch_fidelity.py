"""torch-fidelity: features, and what it makes of them."""

import numpy as np
import peers_inputs
import pytest
import torch

from ganvas.features import network_catalogue
from ganvas.features.resize import tf1_bilinear
from ganvas.metrics import density_coverage, fid, inception_score, kid, precision_recall
from ganvas.metrics.maths import frechet
from ganvas.metrics.measuring import flow
from ganvas.tasks.measure import Measure, measure

fidelity = pytest.importorskip("torch_fidelity", reason="needs torch-fidelity: make peers")
from torch_fidelity import helpers, metric_fid, metric_isc, metric_kid, metric_prc
from torch_fidelity.interpolate_compat_tensorflow import interpolate_bilinear_2d_like_tensorflow1x

SPLITS_SEED = 2020  # Theirs, of everything random.


def fid_of(reals, fakes):
    sides = [metric_fid.fid_features_to_statistics(rows) for rows in (fakes, reals)]
    return metric_fid.fid_statistics_to_metric(*sides, verbose=False)["frechet_inception_distance"]


def kid_of(reals, fakes, *, subsets=1, size):
    how = {"kid_subsets": subsets, "kid_subset_size": size, "verbose": False}
    return metric_kid.kid_features_to_metric(fakes, reals, **how)["kernel_inception_distance_mean"]


def our_fid(reals, fakes):
    return frechet.distance(frechet.gaussian_of_rows(fakes.double()), frechet.gaussian_of_rows(reals.double()))


def filled(module, rows, **config):
    side = module.Accumulator(config=module.Config(**config))
    side.update(rows)
    return side


def cloudy(n, d, *, seed, spread=1.0):
    """Correlated rows, none below 0, as after a ReLU."""
    rng = torch.Generator().manual_seed(seed)
    mixing = torch.randn(8, d, generator=torch.Generator().manual_seed(99))
    return (torch.randn(n, 8, generator=rng) @ mixing / 4 + spread * torch.randn(n, d, generator=rng) + 0.5).relu()


def test_features_and_logits_are_theirs_to_a_hundred_thousandth(ours, theirs, off):
    for side in ("reals", "fakes"):
        assert off(ours[side].features, theirs[side].features) < 1e-5
        assert off(ours[side].logits, theirs[side].logits) < 1e-5


@pytest.mark.parametrize(("height", "width"), [(32, 32), (64, 48), (299, 299), (300, 298), (512, 700)])
def test_the_resize_is_theirs(rng, height, width):
    picture = torch.randint(0, 256, (2, 3, height, width), generator=rng, dtype=torch.uint8)
    expected = interpolate_bilinear_2d_like_tensorflow1x(picture.float(), (299, 299), align_corners=False)
    # Two float32 products and sums of numbers of up to 255, in two orders.
    torch.testing.assert_close(tf1_bilinear(picture, 299), expected, rtol=0, atol=1e-4)


def test_the_features_of_sfid_are_those_of_their_network_at_mixed_6d(pictures, weights, off):
    # torch-fidelity has no sFID; in ADM's evaluator the tap is "mixed_6/conv", its first 7 channels, places first.
    seen = []
    network = peers_inputs.fidelity_network(weights)
    network.Mixed_6d.branch1x1.register_forward_hook(lambda _module, _given, maps: seen.append(maps))
    few = pictures["fakes"][:4]
    with torch.no_grad():
        network(few)
    expected = seen[0][:, :7].permute(0, 2, 3, 1).flatten(1)
    found = network_catalogue.load("inception", weights=weights, trust=True).extract(few, ["spatial"])["spatial"]
    assert found.shape == (4, 2023)
    assert off(found, expected) < 1e-5


def test_what_it_keeps_of_a_folder_is_a_reference_here(folders, weights, tmp_path, ours):
    their = fidelity.calculate_metrics(
        input1=str(folders.fakes), input2=str(folders.reals), input1_cache_name="fakes", input2_cache_name="reals",
        cuda=False, cache=True, cache_root=str(tmp_path), verbose=False, batch_size=16, fid=True,
        feature_extractor="inception-v3-compat", feature_extractor_weights_path=str(weights),
    )  # fmt: skip
    paths = [path for path in tmp_path.rglob("*.pt") if "reals" in str(path)]
    assert len(paths) == 2  # Features, and mean and covariance.
    for path in paths:
        look = {"features": "inception", "weights": (str(weights),), "trust_weights": True, "quiet": True}
        n = len(ours["fakes"].features)
        found = measure(Measure(a=str(folders.fakes), ref=path, metrics=("fid",), n=n, **look)).results
        (value,) = (one.value for one in found if one.metric == "fid")
        assert value == pytest.approx(their["frechet_inception_distance"], rel=1e-5)  # As below.


def test_measured_from_the_same_folders_all_values_agree(folders, pictures, theirs, weights):
    n = len(pictures["reals"])
    their = fidelity.calculate_metrics(
        input1=str(folders.fakes), input2=str(folders.reals), cuda=False, cache=False, verbose=False, batch_size=16,
        isc=True, fid=True, kid=True, prc=True, isc_splits=1, kid_subsets=1, kid_subset_size=n,
        feature_extractor="inception-v3-compat", feature_extractor_weights_path=str(weights),
    )  # fmt: skip
    metrics = {
        "fid": fid.Config(),
        "kid": kid.Config(),
        "inception_score": inception_score.Config(splits=1),
        "precision_recall": precision_recall.Config(),
    }
    network = network_catalogue.load("inception", weights=weights, trust=True)
    networks = dict.fromkeys(metrics, network)
    reals, fakes = pictures["reals"].split(16), pictures["fakes"].split(16)
    measured = flow.measure(reals, fakes, metrics=metrics, n=n, networks=networks, floor=False)
    found = {one.metric: one.value for one in measured.results}
    rows = [theirs[side].features for side in ("reals", "fakes")]
    # Features of two float32 networks differ by some 2e-6; with float64 networks (below) values agree to 1e-6.
    assert found["fid"] == pytest.approx(our_fid(*rows), rel=5e-6)
    # As it comes, theirs carries the roots of its rounding: fewer pictures than features.
    assert found["fid"] == pytest.approx(their["frechet_inception_distance"], rel=1e-5)
    assert found["inception_score"] == pytest.approx(their["inception_score_mean"], rel=1e-3)
    assert their["inception_score_mean"] > 2
    # By their network and their function, whose kernels are of the type of its rows: float64.
    assert found["kid"] == pytest.approx(kid_of(*(side.double() for side in rows), size=n), rel=5e-6)
    # As it comes, theirs has float32 kernels: a few roundings of the largest of them remain of the sums.
    largest = (1 + max(float(side.square().mean(1).max()) for side in rows)) ** 3
    assert found["kid"] == pytest.approx(their["kernel_inception_distance_mean"], abs=4 * largest * 2**-24)
    assert found["kid"] > 1
    # Whole numbers of pictures; their mean is a float32.
    for which in ("precision", "recall"):
        assert round(n * found[f"precision_recall.{which}"]) == round(n * their[which])
        assert 0.1 < their[which] < 1


def test_by_networks_in_float64_fid_and_kid_are_theirs_to_a_millionth(pictures, weights, off):
    their, our = peers_inputs.float64_networks(weights)
    few = [tf1_bilinear(pictures[side][:12], 299).round().byte() for side in ("reals", "fakes")]
    with torch.no_grad():
        expected = [their(side)[0].double() for side in few]
    found = [our.extract(side)["features"].double() for side in few]
    # Of 299 pixels, because both resize in float32. What is left are features that are float32 in the end.
    assert max(off(a, b) for a, b in zip(found, expected, strict=True)) < 5e-7
    assert our_fid(*found) == pytest.approx(our_fid(*expected), rel=1e-6)
    assert float(kid.polynomial_mmd(*found)) == pytest.approx(kid_of(*expected, size=12), rel=1e-6)


@pytest.mark.parametrize(("n", "d"), [(300, 64), (40, 16)])
def test_fid_of_one_table_of_features_is_theirs(n, d):
    reals, fakes = cloudy(n, d, seed=1), cloudy(n + 10, d, seed=2, spread=1.3)
    assert our_fid(reals, fakes) == pytest.approx(fid_of(reals.double(), fakes.double()), rel=1e-10)
    assert our_fid(reals, fakes) == pytest.approx(fid_of(reals, fakes), rel=1e-6)  # Their means are float32.


def test_fid_of_fewer_pictures_than_features_is_exact_here_and_theirs_carries_the_root_of_its_rounding():
    rng = torch.Generator().manual_seed(0)
    a, b = torch.randn(2, 512, generator=rng, dtype=torch.float64) + 1
    reals, fakes = torch.stack([a, -a]), torch.stack([b, -b])
    # Both covariances have rank one, 2 a a' and 2 b b': the trace of the root of their product is 2 |a.b|.
    exact = float(2 * a.square().sum() + 2 * b.square().sum() - 4 * (a @ b).abs())
    assert our_fid(reals, fakes) == pytest.approx(exact, rel=1e-13)
    apart = abs(fid_of(reals, fakes) / exact - 1)
    assert 1e-10 < apart < 1e-5


def test_kid_over_the_same_subsets_is_theirs(ours):
    reals, fakes = ours["reals"].features.double(), ours["fakes"].features.double()
    random = np.random.RandomState(SPLITS_SEED)
    values = []
    for _ in range(10):
        drawn = [rows[random.choice(len(rows), 20, replace=False)] for rows in (fakes, reals)]
        values.append(kid.polynomial_mmd(*drawn))
    assert float(np.mean(values)) == pytest.approx(kid_of(reals, fakes, subsets=10, size=20), rel=1e-10)


def test_kid_over_all_pairs_is_theirs_where_their_kernels_are_float64(ours):
    reals, fakes = ours["reals"].features, ours["fakes"].features
    found = kid.compare(filled(kid, reals), filled(kid, fakes))[0].value
    assert found == pytest.approx(kid_of(reals.double(), fakes.double(), size=len(reals)), rel=1e-6)


def test_inception_score_over_the_same_parts_is_theirs(theirs):
    logits = theirs["fakes"].logits
    expected = metric_isc.isc_features_to_metric(logits, splits=5)
    order = np.random.RandomState(SPLITS_SEED).permutation(len(logits))
    found = inception_score.inception_score(logits[order], splits=5)
    assert float(found.mean()) == pytest.approx(expected["inception_score_mean"], rel=1e-12)
    assert float(found.std(correction=0)) == pytest.approx(expected["inception_score_std"], rel=1e-9)


def test_an_accumulated_inception_score_of_one_part_is_theirs(theirs):
    logits = theirs["fakes"].logits
    expected = metric_isc.isc_features_to_metric(logits, splits=1)["inception_score_mean"]
    found = inception_score.compare(None, filled(inception_score, logits, splits=1))[0].value
    assert found == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("save_ram", [False, True])
@pytest.mark.parametrize("k", [1, 3, 5])
def test_precision_and_recall_are_theirs_exactly(k, save_ram):
    reals, fakes = cloudy(300, 24, seed=1), cloudy(280, 24, seed=2, spread=0.8)
    way = metric_prc.calculate_precision_recall_part if save_ram else metric_prc.calculate_precision_recall_full
    expected = way(fakes, reals, neighborhood=k)
    results = precision_recall.compare(filled(precision_recall, reals, k=k), filled(precision_recall, fakes, k=k))
    found = {one.metric.removeprefix("precision_recall."): one.value for one in results}
    assert [round(300 * found["recall"]), round(280 * found["precision"])] == [
        round(300 * expected[1]),
        round(280 * expected[0]),
    ]
    assert 0.1 < found["recall"] < 0.95


def test_a_set_against_itself_is_all_precise_here_and_theirs_may_lose_copies_to_rounding():
    rows = 1000 + cloudy(200, 16, seed=1) / 100  # Far from 0, so that |x|^2 + |y|^2 - 2 x.y cancels in float32.
    sides = [filled(precision_recall, rows), filled(precision_recall, rows)]
    assert [one.value for one in precision_recall.compare(*sides)] == [1.0, 1.0, 1.0]
    density = {one.metric: one.value for one in density_coverage.compare(*(filled(density_coverage, rows),) * 2)}
    assert density["density_coverage.coverage"] == 1.0


def test_their_float64_networks_are_float32():
    assert helpers.text_to_dtype("float64", "float32") is torch.float32


@pytest.mark.slow
def test_features_of_vgg16_are_theirs(pictures, tmp_path, off):
    torchvision = pytest.importorskip("torchvision", reason="needs torchvision: make peers")
    from torch_fidelity.feature_extractor_vgg16 import FeatureExtractorVGG16

    torch.manual_seed(0)
    torch.save(torchvision.models.vgg16().state_dict(), tmp_path / "vgg16.pth")
    few = pictures["reals"][:3]
    their = FeatureExtractorVGG16("vgg16", ["fc2_relu"], feature_extractor_weights_path=str(tmp_path / "vgg16.pth"))
    with torch.no_grad():
        (expected,) = their(few)
    found = network_catalogue.load("vgg16", weights=tmp_path / "vgg16.pth", trust=True).extract(few)["features"]
    assert off(found, expected) < 1e-5
