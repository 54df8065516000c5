"""Receptive fields and gridding as a person reads them, on stderr."""

from ganvas.cli.rendering.forms import form, table
from ganvas.core.progress import say
from ganvas.tasks.networks.grid import GridResult
from ganvas.tasks.networks.receptive_field import ReceptiveFieldResult


@form.register
def _(result: ReceptiveFieldResult) -> None:
    by = " x "
    say(f"{result.model}, layer {result.layer} ({result.op}), unit {', '.join(map(str, result.unit)) or '(all)'}:")
    rows = [*_exact(result), ("stride, in pixels", _strides(result.stride_exact))]
    if result.effective is not None:
        deviation = by.join(f"{value:.2f}" for value in result.effective.deviation)
        moved = f"deviation {deviation} pixels, about {result.effective.side:.1f} pixels a side"
        rows += [
            ("effective field", moved if result.effective.side else "none: no pixel moves the unit"),
            (
                "measured with",
                f"weights {result.effective.weights}; {result.effective.samples} x {result.effective.inputs}",
            ),
        ]
    table("", ("what", "value"), rows)
    for note in result.read_as:
        say(f"{note[0].upper()}{note[1:]}.")
    if result.guessed:
        say(f"Taken as reading everything, since they are not known: {', '.join(result.guessed)}.")
    if result.not_measured and result.not_measured != "--samples 0":
        say(f"Not measured: {result.not_measured}")
    if result.written:
        say(f"{result.written}: written.")


def _exact(result: ReceptiveFieldResult) -> list[tuple[str, str]]:
    """The interval and the set, or that there is none."""
    by = " x "
    whole = by.join(map(str, result.input_size))
    if not min(result.size):
        return [("reads", f"nothing of the {whole} pixels of the input")]
    rows = [
        ("size, borders aside", by.join(map(str, result.size))),
        ("from, to", f"{_places(result.first)} to {_places(result.last)}"),
    ]
    if result.everywhere:
        rows = [("size, borders aside", "none: a mean or an attention reads all places")]
    if not result.pixels_read:
        return [*rows, ("reads", f"nothing of the {whole} pixels of the input: padding alone")]
    inside = " and ".join(f"{first} to {last}" for first, last in result.inside)
    return [
        *rows,
        ("pixels of the input", f"{inside} of {whole}"),
        (
            "read",
            f"{result.pixels_read:,}" + (f", with {result.holes:,} holes between" if result.holes else ", no holes"),
        ),
    ]


def _strides(exact: tuple[str, ...]) -> str:
    """One number per axis; sentences are said once where they are the same."""
    if len(set(exact)) == 1 and " " in exact[0]:
        return exact[0]
    return ("; " if any(" " in one for one in exact) else " x ").join(exact) or "-"


@form.register
def _(result: GridResult) -> None:
    if not result.stacks:
        say(f"{result.model}: no dilated convolutions.")
    for stack in result.stacks:
        rates = " ".join(map(str, stack.rates))
        kernels = sorted(set(stack.kernels))
        named = f" ({stack.layers[0]} to {stack.layers[-1]})" if stack.layers else ""
        say(f"Rates {rates}, kernel {', '.join(map(str, kernels))}{named}: {stack.verdict}.")
        if stack.missed is not None and bool(stack.missed) != bool(stack.holes):
            say(f"  With the network's skips: {f'{stack.missed} pixels are missed' if stack.missed else 'no holes'}.")
        if stack.layers and stack.missed is None:
            say("  The map is smaller than this field, so the rates alone are judged; a larger --input counts skips.")
        if stack.dead_layers:
            named = ", ".join(stack.dead_layers)
            say(f"  Taps that reach a pixel of their map: {named}; {stack.dead_parameters:,} weights do nothing.")
        say(f"  Published rule: {stack.rule}.")
        say(f"  Paths to a pixel: {stack.fewest_paths:,} to {stack.most_paths:,}; common divisor {stack.divisor}.")
        if stack.suggestion and not stack.covers:
            say(f"  Without holes: {' '.join(map(str, stack.suggestion))} (field {stack.suggested_field}).")


def _places(places: tuple[int, ...]) -> str:
    return f"({', '.join(map(str, places))})"
