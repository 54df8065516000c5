"""Rows of ``parity.py``: values that other libraries and we find by one definition."""

import contextlib
import io

import numpy as np
import torch
from parity_cells import Agreement, cloudy, results

from ganvas.features import network_catalogue
from ganvas.features.resize import clean_bicubic, tf1_bilinear
from ganvas.metrics import density_coverage, inception_score, kid, mind, ms_ssim, precision_recall, psnr
from ganvas.metrics.maths import frechet
from ganvas.metrics.maths.distances import sliced_wasserstein
from ganvas.metrics.maths.pairs import ssim_map
from ganvas.metrics.tournament.ratings import Glicko, glicko2

FIDELITY, METRICS, CLEAN = "torch-fidelity", "torchmetrics", "clean-fid"


def apart(found, expected):
    """Of rows, relative to their length: the largest."""
    off = (found.double() - expected.double()).flatten(1).norm(dim=1)
    return float((off / expected.double().flatten(1).norm(dim=1)).max())


def of_torch_fidelity(given):
    from torch_fidelity import metric_fid, metric_isc, metric_kid, metric_prc

    their = [rows[:, :2048] for rows in given.theirs]
    our = [rows[:, :2048] for rows in given.ours]
    same = "pictures, each side by its own network in float32"
    off = max(apart(ours, theirs) for ours, theirs in zip(our, their, strict=True))
    yield Agreement(what="Inception features", library=FIDELITY, given=same, theirs=1, ours=our[0].mean(), apart=off)

    distance = frechet.frechet_from_features
    yield Agreement(what="FID", library=FIDELITY, given=same, theirs=distance(*their), ours=distance(*our))
    how = {"kid_subsets": 1, "verbose": False}

    def their_kid(rows):
        found = metric_kid.kid_features_to_metric(
            *(side.double() for side in rows), kid_subset_size=len(rows[0]), **how
        )
        return found["kernel_inception_distance_mean"]

    ours = results(kid, *our)["kid"].value
    yield Agreement(what="KID", library=FIDELITY, given=same, theirs=their_kid(their), ours=ours)
    double, ours_double = given.inputs.float64_networks(given.weights)
    few = [tf1_bilinear(side[:12], 299).round().byte() for side in given.pictures[:2]]
    with torch.no_grad():
        expected = [double(side)[0].double() for side in few]
    found = [ours_double.extract(side)["features"].double() for side in few]
    said = "12 pictures a side, of 299 pixels, each by its own network in float64"
    yield Agreement(what="FID", library=FIDELITY, given=said, theirs=distance(*expected), ours=distance(*found))
    value = float(kid.polynomial_mmd(*found))
    yield Agreement(what="KID", library=FIDELITY, given=said, theirs=their_kid(expected), ours=value)
    rows = [cloudy(400, 64, seed=seed, spread=1 + seed / 4).double() for seed in (1, 2)]
    sides = [metric_fid.fid_features_to_statistics(side) for side in rows]
    value = metric_fid.fid_statistics_to_metric(*sides, verbose=False)["frechet_inception_distance"]
    said = "400 rows of 64, float64"
    yield Agreement(what="FID", library=FIDELITY, given=said, theirs=value, ours=distance(*rows))
    logits = [rows[1][:, 2048:] for rows in (given.theirs, given.ours)]
    found = metric_isc.isc_features_to_metric(logits[0], splits=1)["inception_score_mean"]
    score = float(inception_score.inception_score(logits[1], splits=1))
    yield Agreement(what="Inception Score, one part", library=FIDELITY, given=same, theirs=found, ours=score)
    order = np.random.RandomState(2020).permutation(given.n)
    found = metric_isc.isc_features_to_metric(logits[0], splits=5)["inception_score_mean"]
    score = float(inception_score.inception_score(logits[1][order], splits=5).mean())
    yield Agreement(what="Inception Score, five parts", library=FIDELITY, given=same, theirs=found, ours=score)
    found = metric_prc.calculate_precision_recall_full(their[1], their[0], neighborhood=3)
    values = results(precision_recall, *our, k=3)
    for which, value in zip(("precision", "recall"), found, strict=True):
        ours = values[f"precision_recall.{which}"].value
        off = abs(round(ours * given.n) - round(value * given.n)) / given.n
        yield Agreement(what=which.title(), library=FIDELITY, given=same, theirs=value, ours=ours, apart=off)


def of_resizes(given):
    from cleanfid.resize import build_resizer
    from torch_fidelity.interpolate_compat_tensorflow import interpolate_bilinear_2d_like_tensorflow1x

    few = torch.cat([side[:8] for side in given.pictures[:2]])
    large = (given.sheets[1] / 1).byte().repeat(1, 1, 3, 3)[:, :, :512, :440]
    to_299 = "pictures, and sheets of 512 x 440; grey levels"
    our, their = [], []
    for batch in (few, large):
        our.append((tf1_bilinear(batch, 299), clean_bicubic(batch, 299)))
        clean = [build_resizer("clean")(one.permute(1, 2, 0).numpy()) for one in batch]
        plain = interpolate_bilinear_2d_like_tensorflow1x(batch.float(), (299, 299), align_corners=False)
        their.append((plain, torch.from_numpy(np.stack(clean)).permute(0, 3, 1, 2)))
    for place, (what, library) in enumerate((("TF1 bilinear resize", FIDELITY), ("Resize “clean”", CLEAN))):
        off = max(float((a[place] - b[place]).abs().max()) for a, b in zip(our, their, strict=True))
        mean = float(our[0][place].mean())
        yield Agreement(what=what, library=library, given=to_299, theirs=1, ours=mean, apart=off)


def of_clean_and_pytorch_fid(given):
    from cleanfid import fid as cleanfid
    from cleanfid.resize import build_resizer
    from pytorch_fid import fid_score

    network = given.inputs.pytorch_fid_network(given.weights, resize_input=False, normalize_input=False)
    resize = build_resizer("clean")

    def look(few):
        resized = torch.from_numpy(np.stack([resize(one.permute(1, 2, 0).numpy()) for one in few]))
        return network((resized.permute(0, 3, 1, 2) - 128) / 128)[0].flatten(1)

    our = network_catalogue.load("inception_clean", weights=given.weights, trust=True)
    their, ours = given.looked(look), given.looked(lambda few: our.extract(few)["features"])
    same = "pictures, each side by its own resize and network"
    off = max(apart(a, b) for a, b in zip(ours, their, strict=True))
    yield Agreement(what="“clean” features", library=CLEAN, given=same, theirs=1, ours=ours[0].mean(), apart=off)
    few = [rows[:, ::16].numpy().astype(float) for rows in their]  # 128 of 2048: their square root is of a matrix.
    said = "128 of the features, float64"
    found = frechet.frechet_from_features(*(torch.from_numpy(rows) for rows in few))
    yield Agreement(what="FID", library=CLEAN, given=said, theirs=cleanfid.fid_from_feats(*few), ours=found)
    found = float(kid.polynomial_mmd(*(torch.from_numpy(rows) for rows in few)))
    value = cleanfid.kernel_distance(*few, num_subsets=1, max_subset_size=given.n)
    yield Agreement(what="KID", library=CLEAN, given=said, theirs=value, ours=found)

    rows = [cloudy(400, 64, seed=seed, spread=1 + seed / 4).double() for seed in (1, 2)]
    moments = [(side.mean(0).numpy(), np.cov(side.numpy(), rowvar=False)) for side in rows]
    value = fid_score.calculate_frechet_distance(*moments[0], *moments[1])
    found = frechet.frechet_from_features(*rows)
    said = "means and covariances of 400 rows of 64"
    yield Agreement(what="FID", library="pytorch-fid", given=said, theirs=value, ours=found)


class AsItIs(torch.nn.Module):
    """A network for torchmetrics whose pictures are the features themselves."""

    def __init__(self, num_features):
        super().__init__()
        self.num_features = num_features

    def forward(self, rows):
        return rows


def of_torchmetrics(given):
    from torchmetrics.image.fid import FrechetInceptionDistance, NoTrainInceptionV3
    from torchmetrics.image.inception import InceptionScore
    from torchmetrics.image.kid import KernelInceptionDistance

    how = {"features_list": ["2048"], "feature_extractor_weights_path": str(given.weights)}
    network, few = NoTrainInceptionV3("x", antialias=False, **how), given.pictures.fakes[:16]
    with torch.no_grad():
        off = apart(given.ours[1][:16, :2048], network(few))
    said = "16 pictures; `antialias=False`"
    mean = given.ours[1][:16, :2048].mean()
    yield Agreement(what="Inception features", library=METRICS, given=said, theirs=1, ours=mean, apart=off)
    rows = [cloudy(400, 64, seed=seed, spread=1 + seed / 4).double() for seed in (1, 2)]
    said = "400 rows of 64, float64"
    metric = FrechetInceptionDistance(feature=AsItIs(64)).set_dtype(torch.float64)
    apiece = KernelInceptionDistance(feature=AsItIs(64), subsets=1, subset_size=400)
    for side, real in zip(rows, (True, False), strict=True):
        metric.update(side, real=real)
        apiece.update(side, real=real)
    found = frechet.frechet_from_features(*rows)
    yield Agreement(what="FID", library=METRICS, given=said, theirs=float(metric.compute()), ours=found)
    value, found = float(apiece.compute()[0]), float(kid.polynomial_mmd(*rows))
    yield Agreement(what="KID", library=METRICS, given=said, theirs=value, ours=found)
    score = InceptionScore(feature=AsItIs(64), splits=1)
    score.update(3 * rows[0])
    found = float(inception_score.inception_score(3 * rows[0], splits=1))
    value = float(score.compute()[0])
    yield Agreement(what="Inception Score, one part", library=METRICS, given=said, theirs=value, ours=found)


def of_pairs(given):
    import pytorch_msssim
    import torchmetrics.functional.image as functional
    from skimage.metrics import structural_similarity

    x, y = given.sheets
    found = ssim_map.ssim(x, y)
    place = torch.arange(11, dtype=torch.float64) - 5
    window = torch.exp(-(place**2) / (2 * 1.5**2))
    window = (window / window.sum()).expand(3, 1, 1, 11)
    said, mean = "4 sheets of 192 x 192 and noisy copies", found.mean()

    def largest(their, found=found):
        return float((found / their - 1).abs().max())

    their = pytorch_msssim.ssim(x, y, data_range=255, size_average=False, win=window)
    given_window = f"{said}; the window in float64"
    msssim = "pytorch-msssim"
    yield Agreement(what="SSIM", library=msssim, given=given_window, theirs=1, ours=mean, apart=largest(their))
    grey = [side[:, :1] for side in (x, y)]
    their = pytorch_msssim.ms_ssim(*grey, data_range=255, size_average=False, win=window[:1])
    found_grey = ms_ssim.ms_ssim(*grey)
    off = largest(their, found_grey)
    given_window = f"{said}, grey; the window in float64"
    yield Agreement(what="MS-SSIM", library=msssim, given=given_window, theirs=1, ours=found_grey.mean(), apart=off)
    how = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 255}
    pairs = zip(x.numpy(), y.numpy(), strict=True)
    their = torch.tensor([structural_similarity(a, b, channel_axis=0, **how) for a, b in pairs])
    options = f"{said}; `gaussian_weights=True, use_sample_covariance=False`"
    yield Agreement(what="SSIM", library="scikit-image", given=options, theirs=1, ours=mean, apart=largest(their))
    _, maps = functional.structural_similarity_index_measure(
        y, x, data_range=255.0, reduction="none", return_full_image=True
    )
    their = maps[..., 5:-5, 5:-5].flatten(1).mean(1)
    inside = f"{said}; its map without 5 pixels at the border"
    yield Agreement(what="SSIM", library=METRICS, given=inside, theirs=1, ours=mean, apart=largest(their))
    value = float(functional.peak_signal_noise_ratio(y, x, data_range=255.0))
    found = results(psnr, x.byte(), y.byte())["psnr.of_mean_error"].value
    yield Agreement(what="PSNR of the mean error", library=METRICS, given=said, theirs=value, ours=found)


def of_neighbours_and_slices(given):
    import ot
    import prdc

    rows = [side[:, :2048] for side in given.ours]
    with contextlib.redirect_stdout(io.StringIO()):
        their = prdc.compute_prdc(*(side.numpy() for side in rows), nearest_k=5)
    found = results(precision_recall, *rows, k=5) | results(density_coverage, *rows, k=5)
    named = {name.rpartition(".")[2]: one.value for name, one in found.items()}
    for name, value in their.items():
        whole = given.n * given.n * 5
        off = abs(round(named[name] * whole) - round(float(value) * whole)) / whole
        said = "our features of the pictures, k = 5"
        yield Agreement(what=name.title(), library="prdc", given=said, theirs=value, ours=named[name], apart=off)
    directions = sliced_wasserstein.unit_directions(256, 2048, "parity", seed=0).double()
    one, other = (side.double() for side in rows)
    clouds = [sliced_wasserstein.cloud(side[:, None]) for side in (other, one)]
    found = float(sliced_wasserstein.wasserstein(*clouds, directions).distances.mean())
    how = {"projections": directions.T.numpy()}
    value = float(ot.sliced_wasserstein_distance(one.numpy(), other.numpy(), p=1, **how))
    said = "our features, 256 directions"
    yield Agreement(what="Sliced W1 (of SWD)", library="POT", given=said, theirs=value, ours=found)
    found = mind.mind(one, other[: given.n // 2], directions)
    value = float(ot.sliced_wasserstein_distance(one.numpy(), other[: given.n // 2].numpy(), p=2, **how))
    said = "our features, 256 directions; sets of two sizes"
    yield Agreement(
        what="Sliced W2², times 3d (MIND)", library="POT", given=said, theirs=3 * 2048 * value**2, ours=found
    )


def of_ratings(given):
    import glicko2 as peer

    # The package's step 5 has mu where Glickman has phi: at 1700 with a deviation of 200 the two are one number.
    met = [Glicko(rating=1400, deviation=30), Glicko(rating=1550, deviation=100), Glicko(rating=1700, deviation=300)]
    found = glicko2(Glicko(rating=1700, deviation=200), met, [1, 0, 0])
    player = peer.Player(rating=1700, rd=200, vol=0.06)
    player.update_player([1400, 1550, 1700], [30, 100, 300], [1, 0, 0])
    said = "1700 ± 200 against Glickman's three players"
    yield Agreement(what="Glicko-2 rating", library="glicko2", given=said, theirs=player.rating, ours=found.rating)


PARTS = (
    of_torch_fidelity,
    of_resizes,
    of_clean_and_pytorch_fid,
    of_torchmetrics,
    of_pairs,
    of_neighbours_and_slices,
    of_ratings,
)
