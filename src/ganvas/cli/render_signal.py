"""What a person sees of signals, of the ReLU collapse and of stacked kernels, on stderr."""

import math

from ganvas.cli.render import show, table
from ganvas.core.progress import say
from ganvas.tasks.signal import SignalResult


@show.register
def _(result: SignalResult) -> None:
    say(f"{result.model}: weights {result.weights}; {result.seeds} x {result.batch} inputs of {result.inputs}.")
    heads = ["layer", "q", "spread", "theory", "chain", "gradient", "theory", "chain"]
    rows = [
        [
            layer.layer,
            _number(layer.second_moment),
            "" if math.isnan(layer.second_moment_spread) else f"{layer.second_moment_spread:.2f}",
            _number(layer.theory),
            _number(layer.theory_chain) + ("" if layer.theory_chain_whole else " *"),
            _number(layer.gradient),
            _number(layer.gradient_theory),
            _number(layer.gradient_theory_chain) + ("" if layer.gradient_theory_chain_whole else " *"),
        ]
        for layer in result.layers
    ]
    for name in ("dead", "saturated"):
        shares = [getattr(layer, name) for layer in result.layers]
        if any(share is not None for share in shares):
            heads.append(name)
            for row, share in zip(rows, shares, strict=True):
                row.append("" if share is None else f"{share:.1%}")
    table("", heads, rows)
    say("q: second moment of a layer's output; gradient: second moment of the gradient there. Both are exp(mean log)")
    say("over seeds; spread: deviation of the natural log. theory: from the layer's own measured input (gradient: from")
    say("who reads it); chain: from the network's input (output) on, * where it took up a measurement on its way.")
    if all(layer.gradient == 0 for layer in result.layers[:-1]) and result.init == "fixup":
        say("Gradients are 0 below the last layer because Fixup starts that layer at 0: after one step they are not.")
    if result.left_out:
        say(f"Left as they are, since their weight is normalised or is no parameter: {', '.join(result.left_out)}.")
    if result.written:
        say(f"{result.written}: written.")


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3g}"
