"""Everything about Ganvas that only a GPU can show, in one go. Without a GPU it says so and ends.

    python benchmarks/gpu.py                              # checks and speeds, about five minutes
    python benchmarks/gpu.py --cifar cifar10.tar.xz --minutes 15   # and trains progan's cifar10 preset for as long
    python benchmarks/gpu.py --cifar cifar10.tar.xz --models gan/sngan gan/r3gan gan/stylegan2   # these in its place

1. A step replayed from a CUDA graph equals the eager step, for each kind of stage.
2. Speed of the ``cifar10`` preset at batch 16, graph against eager: at most 0.08 s per kimg, at least 4x.
3. Speed of the paper's network at 128x128, batch 16, bfloat16: at most 1.6 s per kimg.
4. With ``--cifar``: the preset ``cifar10`` of each model on real pictures, for ``--minutes`` each; its curve of SWD,
   its cost and its sheets stay in runs/gpu-cifar-NAME.

Figures go to benchmarks/history.jsonl.
"""

import argparse
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parent))
from history import record

from ganvas.core.ranks import Ranks
from ganvas.core.run_folder import RunFolder
from ganvas.core.schedule import Stage
from ganvas.core.seeds import stream
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.models.gan import progan
from ganvas.nn.layers.initialise import initialise
from ganvas.recipes.gan.progan import celeba_hq_v1, cifar10
from ganvas.train.execution.executors import CudaGraph, Eager
from ganvas.train.state import new_state
from ganvas.train.step import count_turns, set_learning_rate

DEVICE = torch.device("cuda")


def player(config, kind, precision=torch.float32):
    """A fresh state of a configuration and an executor of one kind for it."""
    model = progan.Model(config)
    initialise(model, stream(0, "weights"))
    state = new_state(model.to(DEVICE, memory_format=torch.channels_last))
    return state, kind(state, seed=0, ranks=Ranks(), precision=precision)


def run(state, executor, stage, size, steps, start=0):
    """``steps`` steps on pictures that are a function of the step; returns seconds."""
    pictures = [
        torch.rand(stage.batch_size, 3, size, size, generator=stream(k, "reals", device=DEVICE), device=DEVICE) * 2 - 1
        for k in range(8)
    ]
    pictures = [p.contiguous(memory_format=torch.channels_last) for p in pictures]
    torch.cuda.synchronize()
    started = time.perf_counter()
    for step in range(start, start + steps):
        set_learning_rate(state, stage.lr)
        fade = torch.tensor(stage.fade, device=DEVICE) if stage.fading else None
        turns = executor.step(Pictures(images=pictures[step % 8], fade=fade), stage)
        count_turns(state, turns)
        state.nimg += stage.batch_size
        state.step += 1
    torch.cuda.synchronize()
    return time.perf_counter() - started


def graph_equals_eager():
    """Weights after 12 steps by either executor, at each kind of stage, with the fade moving between steps."""
    torch.backends.cudnn.deterministic = True
    worst = 0.0
    config = replace(progan.TINY, resolution=16, fmap_max=32, fmap_base=512)
    for stage in config.growth().stages():
        ends = []
        for kind in (Eager, CudaGraph):
            state, executor = player(config, kind)
            for step in range(12):
                fade = 0.1 + 0.05 * step if stage.fading else 1.0
                run(state, executor, replace(stage, fade=fade), stage.resolution, 1, start=step)
            ends.append(torch.cat([p.detach().flatten() for p in state.model.parameters()]))
        worst = max(worst, float((ends[0] - ends[1]).abs().max()))
    torch.backends.cudnn.deterministic = False
    record("graph equals eager", {"largest_weight_difference_after_12_steps": worst, "wanted": 1e-5})
    return worst <= 1e-5


def speed_of_cifar10():
    config = cifar10().config
    stage = Stage(resolution=32, batch_size=16, lr=1e-3)
    seconds = {}
    for precision in (torch.float32, torch.bfloat16):
        for kind in (Eager, CudaGraph):
            state, executor = player(config, kind, precision)
            run(state, executor, stage, 32, 20)
            took = min(run(state, executor, stage, 32, 125) for _ in range(3))
            seconds[f"{kind.__name__}_{str(precision)[6:]}_seconds_per_kimg"] = round(took / 2, 4)
    fastest = min(v for k, v in seconds.items() if k.startswith("CudaGraph"))
    ratio = seconds["Eager_float32_seconds_per_kimg"] / seconds["CudaGraph_float32_seconds_per_kimg"]
    record("cifar10 preset, batch 16, GPU", seconds | {"eager_over_graph": round(ratio, 2), "wanted": "<= 0.08, >= 4x"})
    return fastest <= 0.08 and ratio >= 4


def speed_at_128():
    config = replace(celeba_hq_v1().config, resolution=128, pool_before_activation=True, group_size=4)
    state, executor = player(config, CudaGraph, torch.bfloat16)
    stage = Stage(resolution=128, batch_size=16, lr=1e-3)
    run(state, executor, stage, 128, 10)
    took = min(run(state, executor, stage, 128, 63) for _ in range(3)) / (63 * 16 / 1000)
    record("128x128, batch 16, bfloat16, graph", {"seconds_per_kimg": round(took, 3), "wanted": 1.6})
    return took <= 1.6


def train_cifar(model, source, minutes):
    """The preset on real pictures until the time is up; the same command would go on. Records its curve and cost."""
    out = f"runs/gpu-cifar-{model.rpartition('/')[2]}"
    command = [sys.executable, "-m", "ganvas", "train", model, "--data", source, "--out", out]
    command += ["--preset", "cifar10", "--keep-best", "swd", "--set", "measure_kimg=200"]
    process = subprocess.Popen(command)
    try:
        process.wait(timeout=60 * minutes)
    except subprocess.TimeoutExpired:
        process.terminate()
        process.wait()
    subprocess.run([sys.executable, "-m", "ganvas", "report", out], check=True)
    record(f"gpu.cifar {model}", curve_of(RunFolder(Path(out))))


def curve_of(run):
    """Kimg shown and SWD of every measurement of a run, and what its steps cost."""
    measures, costs = run.lines("measures.jsonl"), run.lines("cost.jsonl")
    swd = [next(one["value"] for one in line["results"] if one["metric"] == "swd") for line in measures]
    return {"kimg": [line["nimg"] / 1000 for line in measures], "swd": swd, **costs[-1]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cifar", help="the CIFAR-10 archive; trains the preset on it")
    parser.add_argument("--models", nargs="+", default=["gan/progan"], help="whose preset cifar10 is trained")
    parser.add_argument("--minutes", type=float, default=15, help="for each")
    arguments = parser.parse_args()
    if not torch.cuda.is_available():
        print("No CUDA device here: nothing was measured.")
        return 0
    held = [graph_equals_eager(), speed_of_cifar10(), speed_at_128()]
    for model in arguments.models if arguments.cifar else ():
        train_cifar(model, arguments.cifar, arguments.minutes)
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
