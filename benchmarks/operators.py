"""Transposed convolution on a CPU, method against method, over the shapes of generators; resize and dilation beside it.

python benchmarks/operators.py [--threads 1] [--rounds 9] [--only TEXT]

One thread unless told, and then processor time and not the clock's: on a busy machine the threads of an operator wait
for each other, and all wait for others, and the figures say little.
The methods of a shape take turns, and each round's ratio to torch's own is taken within the round, because the
machine's speed drifts. "auto" is the layer as it is used: ``SubpixelConvTranspose(method="auto")``, its kernel kept in
inference and derived in the graph in training. Asked of it: at most 1.1 times the quickest exact method everywhere,
and at 64 -> 3 channels in inference at least 1.8 times as quick as torch's own.
"""

import argparse
import random
import statistics
import sys
import time
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).parent))
from history import record

from ganvas.claims.operators.dilated import dilated_conv
from ganvas.claims.operators.resize_kernel import resize
from ganvas.nn.transposed.subpixel_layer import SubpixelConvTranspose
from ganvas.nn.transposed.transposed import conv_transpose

SHAPES = [  # batch, channels in and out, side, kernel, stride, padding, output padding
    (8, 512, 256, 8, 4, 2, 1, 0),
    (8, 256, 128, 16, 4, 2, 1, 0),
    (8, 128, 64, 32, 4, 2, 1, 0),
    (4, 512, 512, 8, 4, 2, 1, 0),
    (4, 512, 512, 16, 4, 2, 1, 0),
    (2, 256, 128, 64, 4, 2, 1, 0),
    (8, 64, 3, 32, 4, 2, 1, 0),
    (8, 64, 3, 64, 4, 2, 1, 0),
    (8, 64, 1, 32, 4, 2, 1, 0),
    (8, 128, 3, 32, 4, 2, 1, 0),
    (8, 64, 8, 32, 4, 2, 1, 0),
    (8, 64, 16, 32, 4, 2, 1, 0),
    (8, 64, 32, 32, 4, 2, 1, 0),
    (1, 64, 3, 64, 4, 2, 1, 0),
    (8, 512, 256, 8, 2, 2, 0, 0),
    (8, 256, 128, 16, 2, 2, 0, 0),
    (8, 128, 64, 32, 2, 2, 0, 0),
    (8, 64, 64, 64, 2, 2, 0, 0),
    (8, 512, 256, 8, 3, 2, 1, 1),
    (4, 256, 128, 32, 3, 2, 1, 1),
    (4, 128, 64, 64, 3, 2, 1, 1),
]
LAYOUTS = {"NCHW": torch.contiguous_format, "NHWC": torch.channels_last}
LEAST_SECONDS, MOST_ROUNDS = 0.6, 100  # Of a case.
MOST_OF_BEST, LEAST_GAIN = 1.1, 1.8


def in_turns(methods, rounds, now):
    """Seconds of each method in each round by the clock ``now``, after a round that is not counted.

    What takes a millisecond has more rounds, up to LEAST_SECONDS in all: single calls of it vary by a fifth. Each round
    has an order of its own: what follows its like finds its weights in the cache.
    """
    order = random.Random(0)
    seconds = {name: [] for name in methods}
    begun = time.perf_counter()
    for turn in range(MOST_ROUNDS + 1):
        if turn > rounds and time.perf_counter() - begun > LEAST_SECONDS:
            break
        for name in order.sample(list(methods), len(methods)):
            started = now()
            methods[name]()
            if turn:
                seconds[name].append(now() - started)
    return seconds


def ratios(seconds, to="native"):
    """Medians over the rounds of each method's time by that of ``to`` in the same round."""
    return {
        name: statistics.median(a / b for a, b in zip(found, seconds[to], strict=True))
        for name, found in seconds.items()
    }


def layers(shape, layout):
    batch, c_in, c_out, side, kernel, stride, padding, extra = shape
    torch.manual_seed(0)
    native = nn.ConvTranspose2d(c_in, c_out, kernel, stride, padding, extra).to(memory_format=LAYOUTS[layout])
    x = torch.randn(batch, c_in, side, side).contiguous(memory_format=LAYOUTS[layout])
    return (
        native,
        x,
        SubpixelConvTranspose.from_module(native),
        SubpixelConvTranspose.from_module(native, method="auto"),
    )


def inference(shape, layout):
    native, x, subpixel, auto = (part.eval() if isinstance(part, nn.Module) else part for part in layers(shape, layout))
    stride, padding, extra = shape[5:]
    settings = {"stride": stride, "padding": padding, "output_padding": extra, "method": "zero"}
    return {
        "native": lambda: native(x),
        "zero": lambda: conv_transpose(x, native.weight, native.bias, **settings),
        "subpixel": lambda: subpixel(x),
        "auto": lambda: auto(x),
    }


def training(shape, layout):
    """Forward and backward, gradients of input and weights."""
    native, x, subpixel, auto = layers(shape, layout)
    x.requires_grad_()

    def both(layer):
        layer(x).square().mean().backward()

    return {
        "native": lambda: both(native),
        "subpixel": lambda: both(subpixel),
        "auto": lambda: both(auto),
    }


def resizing(layout):
    x = torch.randn(8, 64, 32, 32).contiguous(memory_format=LAYOUTS[layout])
    return {
        "native": lambda: F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False),
        "transposed": lambda: resize(x, 2, "bilinear"),
    }


def dilating(layout, dilation):
    x = torch.randn(4, 64, 64, 64).contiguous(memory_format=LAYOUTS[layout])
    weight = torch.randn(64, 64, 3, 3).contiguous(memory_format=LAYOUTS[layout])
    settings = {"dilation": dilation, "padding": dilation}
    return {
        "native": lambda: dilated_conv(x, weight, **settings),
        "space_to_batch": lambda: dilated_conv(x, weight, **settings, method="space_to_batch"),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--only", default="", help="part of a case's name")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    now = time.process_time if options.threads == 1 else time.perf_counter
    cases = {}
    for shape in SHAPES:
        name = "k{4}s{5}p{6}op{7} n{0} {1}->{2} @{3}".format(*shape)
        for layout in LAYOUTS:
            cases[f"inference {name} {layout}"] = (inference, (shape, layout), True)
            cases[f"training {name} {layout}"] = (training, (shape, layout), False)
    for layout in LAYOUTS:
        cases[f"bilinear x2 n8 c64 @32 {layout}"] = (resizing, (layout,), True)
        for dilation in (2, 4, 8):
            cases[f"dilation {dilation} k3 n4 c64 @64 {layout}"] = (dilating, (layout, dilation), True)
    worst, least = ("", 0.0), ("", float("inf"))
    for case, (build, arguments, frozen) in cases.items():
        if options.only not in case:
            continue
        methods = build(*arguments)
        with torch.inference_mode(frozen):
            seconds = in_turns(methods, options.rounds, now)
        ratio = ratios(seconds)
        print(f"{case}: native {statistics.median(seconds['native']) * 1e3:.2f} ms", end="  ")
        print("  ".join(f"{name} {value:.2f}" for name, value in ratio.items() if name != "native"), flush=True)
        if "auto" in ratio:
            off = ratio["auto"] / min(value for name, value in ratio.items() if name != "auto")
            worst = max(worst, (case, off), key=lambda pair: pair[1])
            if "inference" in case and " 64->3 " in case:
                least = min(least, (case, 1 / ratio["auto"]), key=lambda pair: pair[1])
    print(f"auto against the best: at most {worst[1]:.2f} ({worst[0]}); wanted {MOST_OF_BEST}")
    print(f"auto at 64->3 in inference: at least {least[1]:.2f} times as quick ({least[0]}); wanted {LEAST_GAIN}")
    if not options.only:
        summary = {"threads": options.threads, "auto_over_best_most": round(worst[1], 3), "where": worst[0]}
        summary |= {"gain_64_to_3_least": round(least[1], 3), "at": least[0]}
        record("operators, CPU", summary)


if __name__ == "__main__":
    main()
