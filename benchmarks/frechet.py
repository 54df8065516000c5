"""FID, KID and Inception Score after features, against their usual forms in numpy and scipy, values equal.

``python benchmarks/frechet.py``: the trace of FID at d = 2048 against ``scipy.linalg.sqrtm`` and
``numpy.linalg.eigvals``, at full rank and for 500 pictures; KID over all pairs of 2,000 pictures, and by its default of
20,000, against 100 subsets of 1,000; Inception Score against a loop over pictures; and the memory of each at 20,000.
Processor seconds of one thread (``--threads``: wall clock on all), the best of some, so that a busy machine changes the
ratios little.
"""

import os
import sys

if "--threads" not in sys.argv:
    for library in ("OMP", "OPENBLAS", "MKL"):  # Before numpy and torch are loaded.
        os.environ[f"{library}_NUM_THREADS"] = "1"

import argparse
import multiprocessing
import time
import warnings

import numpy as np
import torch
from history import record
from scipy.linalg import sqrtm
from scipy.stats import entropy

from ganvas.metrics import inception_score, kid
from ganvas.metrics.maths import frechet

SUBSETS, SUBSET = 100, 1000
clock = time.perf_counter if "--threads" in sys.argv else time.process_time


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--features", type=int, default=2048)
    parser.add_argument("--many", type=int, default=20_000, help="pictures of the larger KID and of the memory")
    parser.add_argument("--quick", action="store_true", help="one repeat, no memory, no larger KID")
    parser.add_argument("--threads", action="store_true", help="all threads, wall clock: for a quiet machine")
    arguments = parser.parse_args()
    repeats, d = 1 if arguments.quick else 3, arguments.features
    found = {"features": d, "threads": torch.get_num_threads()}
    found |= full_rank(d, repeats) | few_pictures(d, repeats) | kernel(2000, d, repeats) | score(repeats)
    if not arguments.quick:
        found |= kernel(arguments.many, d, 1) | memory(arguments.many, d)
    record("frechet", found)


def best(call, repeats):
    """The shortest of some times, and what the call gave."""
    times, value = [], None
    for _ in range(repeats):
        started = clock()
        value = call()
        times.append(clock() - started)
    return min(times), value


def features(n, d, *, seed):
    """As after a ReLU and a pooling: positive, correlated, float32."""
    random = np.random.default_rng(seed)
    few = (
        random.normal(size=(n, 64)).astype(np.float32) @ np.random.default_rng(0).normal(size=(64, d)).astype("f4") / 8
    )
    noise = random.normal(size=(n, d)).astype(np.float32)
    return np.maximum(0.4 + 0.02 * seed + 0.3 * few + 0.2 * noise, 0)


def by_root(x_mean, x_cov, y_mean, y_cov, root):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(((x_mean - y_mean) ** 2).sum() + x_cov.trace() + y_cov.trace() - 2 * root(x_cov @ y_cov))


def compare_roots(moments, ours, repeats, tolerance):
    """Seconds of the three ways, whose values agree to ``tolerance``."""
    roots = {
        "sqrtm": lambda product: sqrtm(product).trace().real,
        "eigvals": lambda product: np.sqrt(np.linalg.eigvals(product).astype(complex)).real.sum(),
    }
    seconds, value = best(ours, max(repeats, 3))
    found = {"sec": seconds}
    for name, root in roots.items():
        found[f"{name}_sec"], other = best(lambda root=root: by_root(*moments, root), repeats)
        assert abs(other / value - 1) < tolerance, (name, other, value)
        found[f"{name}_ratio"] = found[f"{name}_sec"] / seconds
    return found


def full_rank(d, repeats):
    x, y = features(3 * d, d, seed=1).astype(float), features(3 * d, d, seed=2).astype(float)
    moments = [part for rows in (x, y) for part in (rows.mean(0), np.cov(rows.T))]
    tensors = [torch.from_numpy(part) for part in moments]
    found = compare_roots(moments, lambda: frechet.frechet_distance(*tensors), repeats, 1e-8)
    real = frechet.gaussian_of_moments(*tensors[2:])
    _ = real.factor  # As a reference that is used again has it.
    found["again_sec"], _ = best(lambda: frechet.distance(real, frechet.gaussian_of_moments(*tensors[:2])), 3)
    return {f"frechet_{key}": value for key, value in found.items()}


def few_pictures(d, repeats):
    x, y = (features(500, d, seed=seed).astype(float) for seed in (1, 2))
    moments = [part for rows in (x, y) for part in (rows.mean(0), np.cov(rows.T))]
    a, b = (frechet.gaussian_of_rows(torch.from_numpy(rows)) for rows in (x, y))  # As theirs have the covariances.
    # The others take roots of a rank-500 product's rounding: they are what is off.
    found = compare_roots(moments, lambda: frechet.distance(a, b), repeats, 1e-4)
    return {f"frechet500_{key}": value for key, value in found.items()}


def kernel(n, d, repeats):
    x, y = features(n, d, seed=1), features(n, d, seed=2)
    sides = filled(kid, x), filled(kid, y)
    seconds, results = best(lambda: kid.compare(*reversed(sides)), repeats)
    plain_seconds, plain = best(lambda: plain_kid(x, y), 1)
    assert abs(results[0].value - plain) < 4 * results[0].standard_error + 0.05 * abs(plain), (results, plain)
    return {f"kid{n}_sec": seconds, f"kid{n}_subsets_sec": plain_seconds, f"kid{n}_ratio": plain_seconds / seconds}


def plain_kid(x, y):
    """The usual protocol in the rows' own precision: whole kernel matrices of random subsets."""
    random, d = np.random.RandomState(2020), x.shape[1]
    values = []
    for _ in range(SUBSETS):
        a, b = (rows[random.choice(len(rows), SUBSET, replace=False)] for rows in (x, y))
        aa, bb, ab = ((p @ q.T / d + 1) ** 3 for p, q in ((a, a), (b, b), (a, b)))
        within = (aa.sum() - np.trace(aa) + bb.sum() - np.trace(bb)) / (SUBSET * (SUBSET - 1))
        values.append(within - 2 * ab.mean())
    return float(np.mean(values))


def score(repeats, n=5000, classes=1008):
    logits = torch.from_numpy(2 * np.random.default_rng(0).normal(size=(n, classes)).astype(np.float32))
    seconds, results = best(lambda: inception_score.compare(None, filled(inception_score, logits)), repeats)
    parts = inception_score._groups(torch.arange(n), 10, seed=0) // inception_score.GROUPS
    loop_seconds, value = best(lambda: loop_score(logits.double().softmax(1).numpy(), parts.numpy()), repeats)
    assert abs(results[0].value / value - 1) < 1e-9, (results, value)
    return {"is_sec": seconds, "is_loop_sec": loop_seconds, "is_ratio": loop_seconds / seconds}


def loop_score(p, parts):
    scores = []
    for part in np.unique(parts):
        rows = p[parts == part]
        mean = rows.mean(0)
        scores.append(np.exp(np.mean([entropy(row, mean) for row in rows])))
    return float(np.mean(scores))


def filled(module, rows):
    side = module.Accumulator()
    for batch in torch.as_tensor(rows).split(500):
        side.update(batch)
    return side


def memory(n, d):
    """What each needs at most beside the features themselves, MB, each way in a process of its own."""
    ways = {"kid": our_kid, "kid_subsets": subsets_kid, "is": our_score, "is_plain": plain_score}
    context = multiprocessing.get_context("spawn")
    found = {}
    for name, way in ways.items():
        with context.Pool(1) as pool:
            found[f"{name}{n}_work_mb"] = pool.apply(way, (n, d))
    return found


def our_kid(n, d):
    sides = [filled(kid, features(n, d, seed=seed)) for seed in (2, 1)]
    return _growth(lambda: kid.compare(*sides))


def subsets_kid(n, d):
    sides = [features(n, d, seed=seed) for seed in (1, 2)]
    return _growth(lambda: plain_kid(*sides))


def our_score(n, d):
    side = inception_score.Accumulator()
    side.update(torch.zeros(64, 1008), torch.arange(64) + n + 64)

    def fill():
        for start in range(0, n, 64):
            batch = torch.randn(64, 1008, generator=torch.Generator().manual_seed(start))
            side.update(batch, torch.arange(start, start + 64))
        inception_score.compare(None, side)

    return _growth(fill)


def plain_score(n, d):
    torch.zeros(64, 1008).double().softmax(1)

    def keep():
        batches = [torch.randn(64, 1008, generator=torch.Generator().manual_seed(i)) for i in range(0, n, 64)]
        logits = torch.cat(batches).double()
        p, log_p = logits.softmax(1), logits.log_softmax(1)
        return float((p * (log_p - p.mean(0).log())).sum(1).mean().exp())

    return _growth(keep)


def _growth(call):
    """Of the peak over what was in use before; the peak of the filling itself is handed back first."""
    with open("/proc/self/clear_refs", "w") as file:  # Linux: the peak starts anew from what is in use now.
        file.write("5")
    before = _status("VmRSS")
    call()
    return _status("VmHWM") - before


def _status(name):
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) / 1024 for line in file if line.startswith(name))


if __name__ == "__main__":
    main()
