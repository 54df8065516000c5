"""Signals, the ReLU collapse and stacked kernels as a person reads them, on stderr."""

import math
from collections.abc import Sequence

from ganvas.cli.rendering.forms import form, line_width, table
from ganvas.core.progress import say
from ganvas.tasks.networks.collapse import CollapseResult, DecoderRow
from ganvas.tasks.networks.compare_kernels import CompareKernelsResult
from ganvas.tasks.networks.signal import LayerRow, SignalResult

SHOWN = 6  # Layers named on the screen; the JSON has them all.
LONGEST = 24  # Letters of a layer's name that stay in one line.
NOTE = """\
q: second moment of a layer's output; gradient: the same of the gradient there.
Both are exp(mean log) over seeds; spread: deviation of the natural log.
theory: from the layer's own measured input (gradient: from who reads it);
chain: from the network's input (output) on, * where it took up a measurement."""


@form.register
def _(result: SignalResult) -> None:
    say(f"{result.model}: weights {result.weights}; {result.seeds} x {result.batch} inputs of {result.inputs}.")
    _moments(result.layers)
    say(NOTE)
    if all(layer.gradient == 0 for layer in result.layers[:-1]) and result.init == "fixup":
        say("Gradients are 0 below the last layer because Fixup starts that layer at 0: after one step they are not.")
    say(result.verdict)
    if result.without_theory:
        say(f"Measured alone (-), as there is no theory here of such layers: {_few(result.without_theory)}.")
    if "zeros (" in result.inputs:
        say("Whole numbers, such as words or classes, are all 0: every place reads the same.")
    if result.left_out:
        say("Not as asked, since their weight is normalised at run time, is no parameter, or is")
        say(f"an embedding's or a recurrent layer's: {_few(result.left_out)}.")
    if result.written:
        say(f"{result.written}: written.")


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")


def _moments(layers: Sequence[LayerRow]) -> None:
    """Values, gradients and shares side by side where the terminal is wide enough, below one another elsewhere."""
    names = ["layer", *(layer.layer for layer in layers)]
    values = [
        ["q", *(_number(layer.second_moment) for layer in layers)],
        ["spread", *(_spread(layer.second_moment_spread) for layer in layers)],
        ["theory", *(_number(layer.theory) for layer in layers)],
        ["chain", *(_chain(layer.theory_chain, layer.theory_chain_whole) for layer in layers)],
    ]
    gradients = [
        ["gradient", *(_number(layer.gradient) for layer in layers)],
        ["theory", *(_number(layer.gradient_theory) for layer in layers)],
        ["chain", *(_chain(layer.gradient_theory_chain, layer.gradient_theory_chain_whole) for layer in layers)],
    ]
    for name in ("dead", "saturated"):
        shares = [getattr(layer, name) for layer in layers]
        if any(share is not None for share in shares):
            gradients.append([name, *("" if share is None else f"{share:.1%}" for share in shares)])
    room = line_width() - min(max(map(len, names)), LONGEST)
    for part in [values + gradients] if _wide(values + gradients) <= room else [values, gradients]:
        heads, *rows = zip(names, *part, strict=True)
        table("", heads, rows, firm=_wide(part) <= room)


def _wide(columns: Sequence[Sequence[str]]) -> int:
    """Letters of columns with the gaps before them."""
    return sum(2 + max(map(len, column)) for column in columns)


def _chain(value: float, whole: bool) -> str:
    return _number(value) + ("" if whole or math.isnan(value) else "*")


def _spread(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.2f}"


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3g}"


@form.register
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


@form.register
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
