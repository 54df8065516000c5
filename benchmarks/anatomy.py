"""Tables of networks: Ganvas, torchinfo, torchlens and torch's own counter, in one run.

python benchmarks/anatomy.py [--write]    time, memory, and what each says of parameters and multiply-accumulates

Every tool runs in a process of its own on a network of its own, as one command would: time is of the call alone, with
imports done; memory is what the process grew by. What is right is counted by hand formulas (``ganvas.anatomy.macs``,
held to sums of ones by the tests). A tool that is not installed is left out, with a line that says so.
"""

import argparse
import importlib.util
import json
import resource
import subprocess
import sys
import time

from history import record

NETS = {"progan_1024": (1, 512), "resnet50": (1, 3, 224, 224), "unet": (1, 1, 572, 572)}
LAYERS = {
    "transposed 8->4 k4 s2": (1, 8, 16, 16),
    "transposed, 4 groups": (1, 8, 16, 16),
    "depthwise 3x3": (1, 8, 16, 16),
    "spectral-normed 3x3": (1, 8, 16, 16),
    "weights used twice": (1, 8, 16, 16),
}
TOOLS = ("ganvas", "torchinfo", "torchlens", "torch")


def network(name):
    import torch
    from torch import nn

    from ganvas.anatomy.loading import load

    if name == "progan_1024":
        return load("gan/progan:generator", changes={"resolution": 1024}, values=True).model
    if name in NETS:
        return load(name, values=True).model
    conv = nn.Conv2d(8, 8, 3, padding=1)
    return {
        "transposed 8->4 k4 s2": lambda: nn.ConvTranspose2d(8, 4, 4, stride=2, padding=1),
        "transposed, 4 groups": lambda: nn.ConvTranspose2d(8, 4, 4, stride=2, padding=1, groups=4),
        "depthwise 3x3": lambda: nn.Conv2d(8, 8, 3, padding=1, groups=8),
        "spectral-normed 3x3": lambda: torch.nn.utils.parametrizations.spectral_norm(conv),
        "weights used twice": lambda: nn.Sequential(conv, conv),
    }[name]()


def measured(tool, name):
    """What one tool says, how long it takes, and by how much the process grew."""
    import torch

    torch.manual_seed(0)
    model, shape = network(name), (NETS | LAYERS)[name]
    run = {"ganvas": _ganvas, "torchinfo": _torchinfo, "torchlens": _torchlens, "torch": _torch}[tool]
    __import__({"ganvas": "ganvas.anatomy.trace"}.get(tool, tool))
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
    parameters, forward, both = run(model, shape)
    seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "parameters": parameters,
        "macs": forward,
        "macs_forward_and_backward": both,
        "seconds": round(seconds, 3),
        "MiB": round((after - before) / 1024, 1),
    }


def _ganvas(model, shape):
    from ganvas.anatomy.trace import trace

    graph = trace(model, shape, input_gradients=True)
    return graph.parameters, graph.macs, graph.macs + graph.macs_backward


def _torchinfo(model, shape):
    import torchinfo

    said = torchinfo.summary(model, input_size=shape, verbose=0, mode="eval")
    return said.total_params, said.total_mult_adds, None


def _torchlens(model, shape):
    import torch
    import torchlens

    log = torchlens.trace(model, torch.ones(shape))  # As of 2.36; it has been renamed before.
    forward = int(log.total_macs_forward)
    return int(log.num_params), forward, forward + int(log.total_flops_backward) // 2


def _torch(model, shape):
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    counted = []
    for backward in (False, True):
        if backward and shape[-1] > 100:
            continue  # Only the single layers: the large networks would take minutes.
        x = torch.ones(shape, requires_grad=backward)
        with FlopCounterMode(display=False) as counter, torch.set_grad_enabled(backward):
            y = model(x)
            if backward:
                y.sum().backward()
        counted.append(counter.get_total_flops() // 2)
    return sum(p.numel() for p in model.parameters()), counted[0], counted[1] if len(counted) > 1 else None


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="add the figures to history.jsonl")
    parser.add_argument("--one", nargs=2, metavar=("TOOL", "NET"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measured(*options.one)))
        return
    figures = {}
    for name in [*NETS, *LAYERS]:
        for tool in TOOLS:
            if importlib.util.find_spec(tool) is None:
                print(f"{name:24} {tool:10} is not installed")
                continue
            command = [sys.executable, __file__, "--one", tool, name]
            ran = subprocess.run(command, capture_output=True, text=True, check=False)
            if ran.returncode:
                print(f"{name:24} {tool:10} failed: {(ran.stderr.strip().splitlines() or ['killed'])[-1][:120]}")
                continue
            said = json.loads(ran.stdout.splitlines()[-1])
            figures[f"{name}, {tool}"] = said
            print(f"{name:24} {tool:10} {said}")
    if options.write:
        record("anatomy", figures)


if __name__ == "__main__":
    main()
