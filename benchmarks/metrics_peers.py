"""The metrics beside other libraries, on two cores, values equal: time, and memory beyond the features themselves.

``make bench-peers``, or ``python benchmarks/metrics_peers.py [PART ...] [--rows N]`` in an environment with
torch-fidelity, numpy and scipy. Parts:

- ``extract``: Inception-v3 on the same random weights and pictures, torch-fidelity's and ours;
- ``is``, ``kid``, ``pr``: from 20,000 rows at hand, torch-fidelity's functions of features and ours. Ours is everything
  that a measurement does, standard errors included; theirs gives the value alone, and of KID the spread over subsets;
- ``swd``, ``ms_ssim``: the plain forms in numpy and scipy of ``benchmarks/metrics.py``, and ours.

The two sides take turns, each in a process of its own with as many threads as there are cores (two at most), and the
best wall clock of each counts. Processor seconds are recorded too. Where other work keeps a core busy, two threads wait
for each other at every step: ``--threads 1`` and processor seconds say more there. Memory is the growth of the peak
over what was in use when the features were there.
"""

import argparse
import json
import os
import subprocess
import sys
import time
import types
from pathlib import Path

HERE = Path(__file__).parent
REPEATS = {"extract": 2, "is": 3, "kid": 2, "pr": 1, "swd": 2, "ms_ssim": 3}
WANTED = {"extract": 1.4, "is": 3.0, "kid": 3.0, "pr": 3.0, "swd": 2.0, "ms_ssim": 3.0}  # Times as fast.
FEATURES, CLASSES, SPLITS = 2048, 1008, 10
WARM = 64  # Rows of a first call, which is not counted.


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("parts", nargs="*", help=f"{', '.join(REPEATS)}; all where left out")
    parser.add_argument("--rows", type=int, default=20_000, help="on each side, of is, kid and pr")
    parser.add_argument("--pictures", type=int, default=48, help="of extract")
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1), help="1 where the machine is busy")
    parser.add_argument("--repeats", type=int, help="turns of each side")
    parser.add_argument("--child", nargs=2, metavar=("PART", "SIDE"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        part, side = arguments.child
        print(json.dumps(measured(part, side, arguments)))
        return
    unknown = set(arguments.parts) - set(REPEATS)
    if unknown:
        parser.error(f"no such part: {', '.join(unknown)}")
    found = {part: turns(part, arguments) for part in arguments.parts or REPEATS}
    both = [found[part] for part in ("is", "kid", "pr") if part in found]
    if len(both) == 3:
        report("after_features", *({key: sum(one[i][key] for one in both) for key in ("sec", "cpu_sec")} | {
            "mb": max(one[i]["mb"] for one in both)} for i in (0, 1)), arguments)  # fmt: skip


def turns(part, arguments):
    """Both sides in turn; what the best of each took."""
    found = {"theirs": [], "ours": []}
    for _ in range(arguments.repeats or REPEATS[part]):
        for side, runs in found.items():
            runs.append(in_a_process(part, side, arguments))
    theirs, ours = ({key: min(run[key] for run in runs) for key in ("sec", "cpu_sec", "mb")} for runs in found.values())
    require_equal(part, found["theirs"][0]["values"], found["ours"][0]["values"])
    report(part, theirs, ours, arguments)
    return theirs, ours


def report(part, theirs, ours, arguments):
    from history import record

    values = {"threads": arguments.threads, "load": round(os.getloadavg()[0], 1)}
    if part in ("is", "kid", "pr", "after_features"):
        values |= {"rows": arguments.rows}
    for key in ("sec", "cpu_sec", "mb"):
        values |= {f"theirs_{key}": theirs[key], key: ours[key]}
    values |= {"ratio": theirs["sec"] / ours["sec"], "cpu_ratio": theirs["cpu_sec"] / ours["cpu_sec"]}
    values |= {"memory_ratio": theirs["mb"] / max(ours["mb"], 1.0), "wanted_ratio": WANTED.get(part, 3.0)}
    record(f"metrics_peers.{part}", values)


def require_equal(part, theirs, ours):
    """Within what the sides' arithmetic allows; KID's two estimates of one number within their errors."""
    if part == "kid":
        value, error = ours[0], ours[1]
        assert abs(value - theirs[0]) < 4 * error + 4 * theirs[1], (theirs, ours)
        assert abs(ours[2] / theirs[2] - 1) < 1e-6, (theirs, ours)  # Three subsets of the same rows, float64.
        return
    tolerance = {"extract": 1e-5, "is": 1e-9, "pr": 1e-6, "swd": 1e-5, "ms_ssim": 1e-6}[part]
    apart = sum((a - b) ** 2 for a, b in zip(theirs, ours, strict=True)) ** 0.5
    assert apart <= tolerance * sum(a * a for a in theirs) ** 0.5, (part, apart, theirs[:4], ours[:4])


def in_a_process(part, side, arguments):
    told = ["--child", part, side, "--rows", str(arguments.rows), "--pictures", str(arguments.pictures)]
    threads = {f"{library}_NUM_THREADS": str(arguments.threads) for library in ("OMP", "OPENBLAS", "MKL")}
    command = [sys.executable, "-W", "ignore", __file__, *told]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=os.environ | threads)
    return json.loads(done.stdout.splitlines()[-1])


def measured(part, side, arguments):
    """Seconds, processor seconds and memory of one side; it has been called on little before."""
    prepare = {"extract": extraction, "is": score, "kid": kernel, "pr": neighbours, "swd": patches, "ms_ssim": scales}
    ready = prepare[part](side, arguments)
    ready.small()
    before = restarted_peak()
    wall, processor = time.perf_counter(), time.process_time()
    found = ready.whole()
    seconds = {"sec": time.perf_counter() - wall, "cpu_sec": time.process_time() - processor}
    growth = status("VmHWM") - before
    return {**seconds, "mb": max(growth, 0.0), "values": ready.values(found)}


def job(small, whole, values=lambda found: found):
    return types.SimpleNamespace(small=small, whole=whole, values=values)


# Each of these gives what is done on little, what is measured, and the numbers that must be equal.


def extraction(side, arguments):
    import torch

    rng = torch.Generator().manual_seed(0)
    pictures = torch.randint(0, 256, (arguments.pictures, 3, 64, 64), generator=rng, dtype=torch.uint8)
    tensors = weights(rng)

    def values(rows):
        return rows.flatten()[:: max(1, rows.numel() // 20_000)].tolist()

    if side == "ours":
        from ganvas.features.inception import Inception
        from ganvas.features.weights import Weights

        network = Inception(Weights(tensors=tensors, sha256="0" * 64))
        return job(lambda: network.extract(pictures[:4]), lambda: network.extract(pictures)["features"], values)
    network = fidelity_inception(tensors)

    @torch.no_grad()
    def features(some):
        return torch.cat([network(batch)[0] for batch in some.split(64)])  # 64: its default.

    return job(lambda: features(pictures[:4]), lambda: features(pictures), values)


def score(side, arguments):
    import numpy as np
    import torch

    from ganvas.metrics import inception_score

    n = arguments.rows - arguments.rows % SPLITS
    logits = 2 * torch.randn(n, CLASSES, generator=torch.Generator().manual_seed(0))
    if side == "ours":

        def found(rows):
            side = inception_score.Accumulator()
            for start in range(0, len(rows), 500):
                side.update(rows[start : start + 500])
            return [inception_score.compare(None, side)[0].value]

        return job(lambda: found(logits[:WARM]), lambda: found(logits))
    from torch_fidelity.metric_isc import isc_features_to_metric

    # Rows in such an order that after its shuffling its ten parts hold the pictures that ours do.
    part = inception_score._groups(torch.arange(n), SPLITS, seed=0) // inception_score.GROUPS
    shuffled = torch.from_numpy(np.random.RandomState(2020).permutation(n))
    order = torch.empty(n, dtype=torch.int64)
    order[shuffled] = part.argsort(stable=True)
    logits = logits[order]
    return job(
        lambda: isc_features_to_metric(logits[:WARM]), lambda: [isc_features_to_metric(logits)["inception_score_mean"]]
    )


def kernel(side, arguments):
    import numpy as np
    import torch

    sides = [rows(arguments.rows, seed=seed) for seed in (2, 1)]  # Generated, real.
    drawn = np.random.RandomState(2020)
    places = [[drawn.choice(len(one), 1000, replace=False) for one in sides] for _ in range(3)]
    few = [[one[torch.from_numpy(place)].double() for one, place in zip(sides, pair, strict=True)] for pair in places]
    if side == "ours":
        from ganvas.metrics import kid

        same = float(np.mean([kid.polynomial_mmd(*pair) for pair in few]))
        fake, real = (filled(kid, one) for one in sides)
        sides.clear()
        little = [filled(kid, one[0]) for one in few]
        return job(
            lambda: kid.compare(*little[:2]),
            lambda: kid.compare(real, fake)[0],
            lambda found: [found.value, found.standard_error, same],
        )
    from torch_fidelity.metric_kid import kid_features_to_metric

    def found(fake, real, **how):
        values = kid_features_to_metric(fake, real, verbose=False, **how)
        return [values["kernel_inception_distance_mean"], values["kernel_inception_distance_std"] / 10]

    same = float(np.mean([found(*pair, kid_subsets=1)[0] for pair in few]))
    return job(
        lambda: found(sides[0][:WARM], sides[1][:WARM], kid_subsets=1, kid_subset_size=WARM),
        lambda: found(*sides),
        lambda values: [*values, same],
    )


def neighbours(side, arguments):
    sides = [rows(arguments.rows, seed=seed) for seed in (2, 1)]
    if side == "ours":
        from ganvas.metrics import precision_recall

        fake, real = (filled(precision_recall, one) for one in sides)
        little = [filled(precision_recall, one[:WARM]) for one in sides]
        sides.clear()
        return job(
            lambda: precision_recall.compare(*little),
            lambda: [one.value for one in precision_recall.compare(real, fake)[1:]],
        )
    from torch_fidelity.metric_prc import prc_features_to_metric

    def found(fake, real):
        values = prc_features_to_metric(fake, real, verbose=False)
        return [values["precision"], values["recall"]]

    return job(lambda: found(sides[0][:WARM], sides[1][:WARM]), lambda: found(*sides))


def patches(side, arguments):
    plain = plain_forms()
    real, fake = (plain.pictures(256, 128, seed=seed) for seed in (1, 2))
    if side == "ours":
        return job(
            lambda: plain.our_swd(real[:16], fake[:16]), lambda: [one.value for one in plain.our_swd(real, fake)[:1]]
        )
    return job(lambda: plain.numpy_swd(real[:16], fake[:16]), lambda: [plain.numpy_swd(real, fake)])


def scales(side, arguments):
    from ganvas.metrics import ms_ssim

    plain = plain_forms()
    shown = plain.pictures(256, 128, seed=2)
    x, y = shown[::2], shown[1::2]
    if side == "ours":
        return job(
            lambda: ms_ssim.ms_ssim(x[:4].float(), y[:4].float()),
            lambda: ms_ssim.ms_ssim(x.float(), y.float()).tolist(),
        )
    return job(
        lambda: plain.fft_ms_ssim(x[:4].numpy().astype(float), y[:4].numpy().astype(float)),
        lambda: plain.fft_ms_ssim(x.numpy().astype(float), y.numpy().astype(float)).tolist(),
    )


def plain_forms():
    """``benchmarks/metrics.py``, which asks for one thread when it is loaded first: by now torch has its two."""
    import numpy  # noqa: F401
    import torch  # noqa: F401

    sys.path.insert(0, str(HERE))
    import metrics

    return metrics


def rows(n, *, seed):
    """As after a ReLU and a pooling: none below 0, correlated, float32."""
    import torch

    rng = torch.Generator().manual_seed(seed)
    mixing = torch.randn(64, FEATURES, generator=torch.Generator().manual_seed(0)) / 8
    whole = torch.empty(n, FEATURES)
    for part in whole.split(2000):
        few = torch.randn(len(part), 64, generator=rng) @ mixing
        part.copy_((0.4 + 0.02 * seed + 0.3 * few + 0.2 * torch.randn(part.shape, generator=rng)).clamp_min_(0))
    return whole


def filled(module, table):
    side = module.Accumulator()
    for batch in table.split(500):
        side.update(batch.float())
    return side


def weights(rng):
    """Random ones, under the names of torch-fidelity's file."""
    import torch

    from ganvas.features.inception_layers import LAYERS

    tensors = {}
    for name, layer in LAYERS.items():
        shape = (layer.outputs, layer.inputs, *layer.kernel)
        tensors[f"{name}.conv.weight"] = torch.randn(shape, generator=rng) * (2 / torch.Size(shape[1:]).numel()) ** 0.5
        for part, base in (("weight", 0.5), ("bias", 0.0), ("running_mean", 0.0), ("running_var", 0.5)):
            tensors[f"{name}.bn.{part}"] = torch.rand(layer.outputs, generator=rng) * (1 if base else 0.1) + base
    return tensors | {"fc.weight": torch.randn(CLASSES, FEATURES, generator=rng), "fc.bias": torch.zeros(CLASSES)}


def fidelity_inception(tensors):
    import tempfile

    import torch
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    with tempfile.NamedTemporaryFile(suffix=".pth") as file:
        torch.save(tensors, file.name)
        return FeatureExtractorInceptionV3("inception", ["2048"], feature_extractor_weights_path=file.name)


def declare_operators():
    """As the tests beside other libraries do: torchvision beside a CPU build of torch lacks two operators."""
    import torch

    if torch.version.cuda is None:
        global library  # The declaration lives as long as the object.
        library = torch.library.Library("torchvision", "DEF")
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")


def restarted_peak():
    with open("/proc/self/clear_refs", "w") as file:  # Linux: the peak starts anew from what is in use now.
        file.write("5")
    return status("VmRSS")


def status(name):
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) / 1024 for line in file if line.startswith(name))


if __name__ == "__main__":
    if "--child" in sys.argv:
        declare_operators()
    main()
