"""Rows of ``parity.py``: one name and two numbers, with the reason and the source that says which is right."""

import contextlib
import io

import numpy as np
import torch
from parity_agreements import CLEAN, FIDELITY, METRICS, AsItIs
from parity_cells import Difference, cloudy, number, results

from ganvas.core.pixels import to_bytes
from ganvas.features import network_catalogue
from ganvas.metrics import density_coverage, inception_score, kid, ms_ssim, precision_recall
from ganvas.metrics.maths import frechet
from ganvas.metrics.maths.pairs import ssim_map
from ganvas.metrics.tournament.ratings import Glicko, glicko2

MSSSIM = "pytorch-msssim"
GRAPH = "the graph of 2015-12-05 (Heusel et al. 2017, `fid.py`): ours"
WANG = "Wang et al. 2004, `ssim_index.m`: "  # Their code, as public copies have it.
SCALES = "Wang et al. 2003, `msssim.m`"
KARRAS = "Karras et al. 2018, `metrics/ms_ssim.py`"


def of_resizes(given):
    from cleanfid.resize import build_resizer

    network = given.inputs.pytorch_fid_network(given.weights)
    legacy, plain = build_resizer("legacy_pytorch"), given.inputs.pytorch_fid_network(given.weights, resize_input=False)

    def by_legacy(few):
        resized = torch.from_numpy(np.stack([legacy(one.permute(1, 2, 0).numpy()) for one in few]))
        return plain(resized.permute(0, 3, 1, 2) / 255)[0].flatten(1)

    ours = fid([side[:, :2048] for side in given.ours])
    their = fid(given.looked(lambda few: network(few.float() / 255)[0].flatten(1)))
    yield Difference(
        what="FID", library="pytorch-fid", setting="as it comes", theirs=their, ours=ours,
        why="half-pixel centres, and x / 127.5 - 1 for (x - 128) / 128", right=f"{GRAPH}; its README says so",
    )  # fmt: skip
    yield Difference(
        what="FID", library=CLEAN, setting='`mode="legacy_pytorch"`', theirs=fid(given.looked(by_legacy)), ours=ours,
        why="as pytorch-fid", right=GRAPH,
    )  # fmt: skip
    clean = network_catalogue.load("inception_clean", weights=given.weights, trust=True)
    yield Difference(
        what="FID", library=CLEAN, setting='`mode="clean"`', ours=ours,
        theirs=fid(given.looked(lambda few: clean.extract(few)["features"])),
        why="bicubic, antialiased: another metric",
        right="both: here `--features inception_clean` (table above), which Parmar et al. 2022 advise",
    )  # fmt: skip
    yield Difference(
        what="FID", library=CLEAN, setting='`mode="legacy_tensorflow"`', theirs="not run", ours=ours,
        why="its network is a download of NVIDIA's, which resizes as the graph does", right="the same definition",
    )  # fmt: skip


def fid(rows):
    return frechet.frechet_from_features(*rows)


def of_antialiasing(given):
    from torchmetrics.image.fid import FrechetInceptionDistance, NoTrainInceptionV3
    from torchmetrics.image.inception import InceptionScore
    from torchmetrics.image.kid import KernelInceptionDistance
    from torchmetrics.image.mifid import MemorizationInformedFrechetInceptionDistance

    taps = ["2048", "logits_unbiased"]
    network = NoTrainInceptionV3("x", features_list=taps, feature_extractor_weights_path=str(given.weights))
    smooth = given.looked(lambda few: torch.cat(network._torch_fidelity_forward(few), 1))  # Both taps; it gives one.
    where = "as it comes since 1.8.0"
    why = "`antialias=True`: half-pixel centres; beyond 299 pixels also smoothing"
    fixed = f"{GRAPH}; here is no switch"

    def of_sides(metric, rows):
        for side, real in zip(rows, (True, False), strict=True):
            metric.update(side[:, :2048], real=real)
        found = metric.compute()
        return float(found[0] if isinstance(found, tuple) else found)

    def their_fid():
        return FrechetInceptionDistance(feature=AsItIs(2048)).set_dtype(torch.float64)

    def row(what, theirs, ours, right):
        return Difference(what=what, library=METRICS, setting=where, theirs=theirs, ours=ours, why=why, right=right)

    doubled = [side.double() for side in smooth]
    our = [side[:, :2048] for side in given.ours]
    yield row("FID", of_sides(their_fid(), doubled), fid(our), f"{GRAPH}; `antialias=False` brings it back")
    metric = KernelInceptionDistance(feature=AsItIs(2048), subsets=1, subset_size=given.n)
    yield row("KID", of_sides(metric, doubled), results(kid, *our)["kid"].value, fixed)
    score = InceptionScore(feature=AsItIs(1008), splits=1)
    score.update(doubled[1][:, 2048:])  # In float32 theirs takes the logarithm of what has underflowed.
    ours = float(inception_score.inception_score(given.ours[1][:, 2048:], splits=1))
    yield row("Inception Score", float(score.compute()[0]), ours, fixed)
    mifid = [
        of_sides(MemorizationInformedFrechetInceptionDistance(feature=AsItIs(2048)), rows)
        for rows in (smooth, given.theirs)
    ]
    yield row("MiFID", mifid[0], f"not here; theirs by the graph's resize: {number(mifid[1])}", fixed)


def of_arithmetic(given):
    from pytorch_fid import fid_score
    from torch_fidelity import metric_fid, metric_kid

    rng = torch.Generator().manual_seed(0)
    a, b = torch.randn(2, 512, generator=rng, dtype=torch.float64) + 1
    sets = torch.stack([a, -a]), torch.stack([b, -b])
    exact = float(2 * a.square().sum() + 2 * b.square().sum() - 4 * (a @ b).abs())
    moments = [metric_fid.fid_features_to_statistics(rows) for rows in sets]
    by_eigenvalues = metric_fid.fid_statistics_to_metric(*moments, verbose=False)["frechet_inception_distance"]
    with contextlib.redirect_stdout(io.StringIO()):
        flat = [part for side in moments for part in (side["mu"], side["sigma"])]
        by_sqrtm = fid_score.calculate_frechet_distance(*flat)
    pictures = [side[:, :2048].double() for side in given.theirs]
    theirs = [metric_fid.fid_features_to_statistics(side) for side in pictures]
    value = metric_fid.fid_statistics_to_metric(*theirs, verbose=False)["frechet_inception_distance"]
    yield Difference(
        what="FID of fewer pictures than features", library=FIDELITY, setting=f"{given.n} pictures, 2048 features",
        theirs=f"off by {abs(value / fid(pictures) - 1):.0e}", ours=fid(pictures),
        why="eigenvalues of a product that is not symmetric: roots of rounding", right="as the next row",
    )  # fmt: skip
    ours = f"exact to {abs(fid(sets) / exact - 1):.0e}"
    for library, value, how in (
        (FIDELITY, by_eigenvalues, "eigenvalues of a product that is not symmetric"),
        ("pytorch-fid", by_sqrtm, "`sqrtm` of a singular product"),
    ):
        yield Difference(
            what="FID of fewer pictures than features", library=library, setting="2 pictures, 512 features",
            theirs=f"off by {abs(value / exact - 1):.0e}", ours=ours,
            why=f"{how}: roots of rounding", right=f"closed form, {number(exact)}: ours",
        )  # fmt: skip

    their = [rows[:, :2048] for rows in given.theirs]
    how = {"kid_subsets": 1, "kid_subset_size": given.n, "verbose": False}
    float32, float64 = (
        metric_kid.kid_features_to_metric(*rows, **how)["kernel_inception_distance_mean"]
        for rows in (their, [side.double() for side in their])
    )
    yield Difference(
        what="KID of the same features", library=FIDELITY, setting="as it comes",
        theirs=f"off by {abs(float32 / float64 - 1):.0e}",
        ours=f"off by {abs(results(kid, *their)['kid'].value / float64 - 1):.0e}",
        why="sums of float32 kernels, which cancel", right=f"its own function in float64, {number(float64)}: ours",
    )  # fmt: skip
    how = {"kid_subsets": 100, "kid_subset_size": given.n // 2, "verbose": False}
    found = metric_kid.kid_features_to_metric(their[1], their[0], **how)
    yield Difference(
        what="what stands behind KID's ±", library=FIDELITY, setting="100 subsets of half the pictures",
        theirs=found["kernel_inception_distance_std"], ours=results(kid, *their)["kid"].standard_error,
        why="spread over subsets that share pictures; ours is the standard error of the U-statistic",
        right="each is what it says; only ours is an error of the value",
    )  # fmt: skip


def of_parts(given):
    from torchmetrics.image.inception import InceptionScore

    logits = 3 * cloudy(23, 24, seed=1)
    metric = InceptionScore(feature=AsItIs(24), splits=1)
    metric.update(logits)
    yield Difference(
        what="Inception Score of 23 pictures in 10 parts", library=METRICS, setting="`splits=10`",
        theirs=f"{len(logits.chunk(10))} parts", ours=f"{len(inception_score.inception_score(logits))} parts",
        why="`chunk`", right="Salimans et al. 2016, `inception_score/model.py`: parts from i·N // 10 on: ours",
    )  # fmt: skip
    yield Difference(
        what="its deviation over one part", library=METRICS, setting="`splits=1`",
        theirs=float(metric.compute()[1]),
        ours=float(inception_score.inception_score(logits, splits=1).std(correction=0)),
        why="divided by parts - 1",
        right="the same file: `np.std`, divided by the parts: ours (in results: a standard error)",
    )  # fmt: skip
    x = torch.rand(1, 3, 200, 200, generator=torch.Generator().manual_seed(0))
    yield Difference(
        what="floats as bytes, mean shift", library=METRICS, setting="`normalize=True`",
        theirs=float(((x * 255).byte() - x * 255).mean()), ours=float((to_bytes(2 * x - 1) - x * 255).mean()),
        why="cut off, not rounded",
        right="rounding, as StyleGAN2-ADA's `save_image_grid` and torchvision's `save_image` do: ours",
    )  # fmt: skip


def of_torchmetrics_ssim(given):
    import torchmetrics.functional.image as functional

    x, y = given.sheets
    how = {"data_range": 255.0}
    ssim = functional.structural_similarity_index_measure
    scales = functional.multiscale_structural_similarity_index_measure
    ours = float(ssim_map.ssim(x, y).mean())
    yield Difference(
        what="SSIM", library=METRICS, setting="as it comes", theirs=float(ssim(x, y, **how)), ours=ours,
        why="borders mirrored, and counted", right=f"{WANG}the window where it fits: ours",
    )  # fmt: skip
    five, eleven = (float(ssim(x, y, kernel_size=size, **how)) for size in (5, 11))
    yield Difference(
        what="SSIM", library=METRICS, setting="`kernel_size=5`", theirs=five, ours=ours,
        why=f"passed over: `kernel_size=11` gives {number(eleven)} too",
        right="its documentation says so of Gaussian windows; ours has one window",
    )  # fmt: skip
    half = [side[:1] / 2 for side in (x, y)]
    alone, among = (
        float(ssim(torch.cat([half[0], *more[:1]]), torch.cat([half[1], *more[1:]]), reduction="none")[0])
        for more in ([], [x[1:2], y[1:2]])
    )
    yield Difference(
        what="SSIM of a dark picture", library=METRICS, setting="`data_range=None`",
        theirs=f"{number(alone)} alone, {number(among)} beside a bright one", ours=float(ssim_map.ssim(*half)),
        why="the range is the batch's",
        right=f"{WANG}L is 255 for bytes, whatever is in the picture: ours",
    )  # fmt: skip
    yield Difference(
        what="MS-SSIM", library=METRICS, setting="as it comes", theirs=float(scales(x, y, **how)),
        ours=float(ms_ssim.ms_ssim(x, y).mean()), why="borders mirrored at the last level, cut off at the others",
        right=f"{SCALES}: the window where it fits, at every level: ours",
    )  # fmt: skip
    negative = 255 - x
    for setting in (None, "simple", "relu"):
        yield Difference(
            what="MS-SSIM of negatives", library=METRICS, setting=f"`normalize={setting!r}`".replace("'", '"'),
            theirs=float(scales(x, negative, normalize=setting, **how)),
            ours=float(ms_ssim.ms_ssim(x, negative).mean()),
            why={None: "roots of numbers below 0", "simple": "(s + 1) / 2 before the product", "relu": "none"}[setting],
            right={None: f"{SCALES}, has no rule for it; 0 in {KARRAS}: ours",
                   "simple": "another measure, made for training", "relu": "the same"}[setting],
        )  # fmt: skip


def of_pytorch_msssim(given):
    import pytorch_msssim as peer

    x, y = given.sheets
    place = torch.arange(11, dtype=torch.float64) - 5
    window = torch.exp(-(place**2) / (2 * 1.5**2))
    window = (window / window.sum()).expand(3, 1, 1, 11)
    how = {"data_range": 255, "size_average": True}
    yield Difference(
        what="SSIM of float64 pictures", library=MSSSIM, setting="as it comes", theirs=float(peer.ssim(x, y, **how)),
        ours=float(ssim_map.ssim(x, y).mean()), why="its window is rounded to float32", right="arithmetic: ours",
    )  # fmt: skip
    yield Difference(
        what="MS-SSIM of colours", library=MSSSIM, setting="the window in float64",
        theirs=float(peer.ms_ssim(x, y, win=window, **how)), ours=float(ms_ssim.ms_ssim(x, y).mean()),
        why="the product over levels channel by channel, then the mean",
        right=f"{SCALES}, takes grey pictures only; ours is {KARRAS} (the mean over colours level by level)",
    )  # fmt: skip
    odd = [side[:, :1, :191, :177] for side in (x, y)]
    yield Difference(
        what="MS-SSIM of 191 x 177, grey", library=MSSSIM, setting="the window in float64",
        theirs=float(peer.ms_ssim(*odd, win=window[:1], **how)), ours=float(ms_ssim.ms_ssim(*odd).mean()),
        why="halving adds black before the first row of odd sizes; ours repeats the last",
        right=f"{SCALES}: borders are mirrored, so the last row and column count twice: ours",
    )  # fmt: skip
    small = [side[..., :128, :128] for side in (x, y)]
    try:
        theirs = number(float(peer.ms_ssim(*small, **how)))
    except AssertionError:
        theirs = "refused"
    yield Difference(
        what="MS-SSIM of 128 x 128", library=MSSSIM, setting="as it comes", theirs=theirs,
        ours=float(ms_ssim.ms_ssim(*small).mean()), why="the window must fit at every level; ours shrinks with it",
        right=f"open: {SCALES}, refuses it too (below 176 pixels); ours is {KARRAS}, whose window shrinks",
    )  # fmt: skip


def of_scikit_image(given):
    from skimage.metrics import structural_similarity

    x, y = given.sheets
    pairs = zip(x.numpy(), y.numpy(), strict=True)
    found = np.mean([structural_similarity(a, b, channel_axis=0, data_range=255) for a, b in pairs])
    yield Difference(
        what="SSIM", library="scikit-image", setting="as it comes", theirs=float(found),
        ours=float(ssim_map.ssim(x, y).mean()), why="a flat window of 7 x 7, and variances over n - 1",
        right=f"{WANG}Gaussian, 11 x 11, deviation 1.5: ours (its documentation names the options)",
    )  # fmt: skip


def of_balls(given):
    import prdc

    reals = np.repeat(given.ours[0][: given.n // 2, :2048].numpy().astype(float), 2, axis=0)
    with contextlib.redirect_stdout(io.StringIO()):
        their = prdc.compute_prdc(reals, reals, nearest_k=1)
    rows = torch.from_numpy(reals)
    found = results(precision_recall, rows, rows, k=1) | results(density_coverage, rows, rows, k=1)
    named = {name.rpartition(".")[2]: one.value for name, one in found.items()}
    paper = "Kynkäänniemi et al. 2019, `precision_recall.py`: ≤: ours"
    unsaid = "open: this is the code of Naeem et al. 2020; of the ball's edge their README says nothing, ours counts it"
    for name, value in their.items():
        yield Difference(
            what=f"{name} of copies, every real twice", library="prdc", setting="k = 1", theirs=float(value),
            ours=named[name], why="`<` leaves out what lies on the ball, as a copy does; ours is ≤",
            right=paper if name in ("precision", "recall") else unsaid,
        )  # fmt: skip


def of_ratings(given):
    import glicko2 as peer

    for rating, deviation, scores in ((1500, 200, [1, 0, 0]), (2200, 60, [0, 0, 0])):
        met = [Glicko(rating=r, deviation=d) for r, d in ((1400, 30), (1550, 100), (1700, 300))]
        ours = glicko2(Glicko(rating=rating, deviation=deviation), met, scores)
        player = peer.Player(rating=rating, rd=deviation, vol=0.06)
        player.update_player([1400, 1550, 1700], [30, 100, 300], scores)
        said = "Glickman's example" if rating == 1500 else "a strong player loses to Glickman's three"
        yield Difference(
            what="Glicko-2 volatility", library="glicko2", setting=said,
            theirs=f"{player.vol:.7f} (rating {player.rating:.2f})",
            ours=f"{ours.volatility:.7f} (rating {ours.rating:.2f})",
            why="step 5 has the rating μ in the place of the deviation φ", right="Glickman 2013, step 5: φ²: ours",
        )  # fmt: skip


PARTS = (
    of_resizes,
    of_antialiasing,
    of_arithmetic,
    of_parts,
    of_torchmetrics_ssim,
    of_pytorch_msssim,
    of_scikit_image,
    of_balls,
    of_ratings,
)
