"""What a person sees of receptive fields and gridding, on stderr."""

from ganvas.cli.render import show, table
from ganvas.core.progress import say
from ganvas.tasks.grid import GridResult
from ganvas.tasks.receptive_field import ReceptiveFieldResult


@show.register
def _(result: ReceptiveFieldResult) -> None:
    by = " x "
    say(f"{result.model}, layer {result.layer} ({result.op}), unit {', '.join(map(str, result.unit)) or '(all)'}:")
    inside = " and ".join(f"{first} to {last}" for first, last in result.inside)
    rows = [
        ("size, borders aside", by.join(map(str, result.size))),
        ("from, to", f"{_places(result.first)} to {_places(result.last)}"),
        ("pixels of the input", f"{inside} of {by.join(map(str, result.input_size))}"),
        (
            "read",
            f"{result.pixels_read:,}" + (f", with {result.holes:,} holes between" if result.holes else ", no holes"),
        ),
        ("pixels per unit", by.join(f"{stride:g}" for stride in result.stride) or "-"),
    ]
    if result.effective is not None:
        deviation = by.join(f"{value:.2f}" for value in result.effective.deviation)
        rows += [
            ("effective field", f"deviation {deviation} pixels, about {result.effective.side:.1f} pixels a side"),
            (
                "measured with",
                f"weights {result.effective.weights}; {result.effective.samples} x {result.effective.inputs}",
            ),
        ]
    table("", ("what", "value"), rows)
    if result.guessed:
        say(f"Taken as reading everything, since they are not known: {', '.join(result.guessed)}.")
    if result.not_measured and result.not_measured != "--samples 0":
        say(f"Not measured: {result.not_measured}")
    if result.written:
        say(f"{result.written}: written.")


@show.register
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
        say(f"  Published rule: {stack.rule}.")
        say(f"  Paths to a pixel: {stack.fewest_paths:,} to {stack.most_paths:,}; common divisor {stack.divisor}.")
        if stack.suggestion and not stack.covers:
            say(f"  Without holes: {' '.join(map(str, stack.suggestion))} (field {stack.suggested_field}).")


def _places(places: tuple[int, ...]) -> str:
    return f"({', '.join(map(str, places))})"
