"""What a person sees of signals, of the ReLU collapse and of stacked kernels, on stderr."""

import math

from ganvas.cli.render import show, table
from ganvas.core.progress import say
from ganvas.tasks.collapse import CollapseResult, DecoderRow
from ganvas.tasks.compare_kernels import CompareKernelsResult
from ganvas.tasks.signal import SignalResult

SHOWN = 6  # Layers named on the screen; the JSON has them all.


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
    say(result.verdict)
    if result.left_out:
        few = ", ".join(result.left_out[:SHOWN]) + (", ..." if len(result.left_out) > SHOWN else "")
        say(f"Not as asked, since their weight is normalised at run time or is no parameter: {few}.")
    if result.written:
        say(f"{result.written}: written.")


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3g}"


@show.register
def _(result: CollapseResult) -> None:
    say(f"{result.points}: relative errors after a ReLU in n dimensions, median of {result.draws} draws (quartiles).")
    rows = [
        (
            str(row.dimensions),
            _decoder(row.pseudo_inverse),
            _decoder(row.best_linear),
            f"{row.distinguishable:.4f}",
            f"{row.distinguishable_theory:.4f}",
        )
        for row in result.rows
    ]
    table("", ("n", "pseudo-inverse", "best linear", "two active", "theory"), rows)
    say("The pseudo-inverse tends to 0.5, not to 0: it brings the shape back at half the size. What is lost is small")
    say("once two directions are active nearly everywhere, and a linear decoder that may learn the scale shows it.")
    if result.written:
        say(f"{result.written}: written.")


@show.register
def _(result: CompareKernelsResult) -> None:
    say(f"{result.channels} channels, {result.size} x {result.size} pixels, without biases:")
    heads = ["", "layers", "weights", "by C^2", "large has", "MACs", "field"]
    rows = [
        [
            stack.name,
            str(stack.layers),
            f"{stack.parameters:,}",
            f"{stack.per_square:.4g}",
            "" if stack is result.stacks[0] else f"{stack.more_parameters:+.1%}",
            f"{stack.macs / 1e6:,.0f} M",
            str(stack.field),
        ]
        for stack in result.stacks
    ]
    timing = result.stacks[0].time
    if timing is not None:
        heads += ["ms", "by large"]
        for row, stack in zip(rows, result.stacks, strict=True):
            took = stack.time
            assert took is not None
            row += [f"{took.seconds * 1e3:.2f}", f"{took.ratio:.2f}"]
    table("", heads, rows)
    if timing is not None:
        say(
            f"Forward, {result.batch} at once, {timing.device}, threads: {timing.threads}; "
            f"medians of {timing.rounds} interleaved rounds."
        )


def _decoder(row: DecoderRow) -> str:
    return f"{row.median:.3g} ({row.lower_quartile:.2g} to {row.upper_quartile:.2g})"
