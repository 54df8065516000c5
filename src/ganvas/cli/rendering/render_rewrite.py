"""Rewritten networks as a person reads of them, on stderr."""

from ganvas.cli.rendering.forms import form, table
from ganvas.core.progress import say
from ganvas.tasks.networks.rewrite import RewriteResult


@form.register
def _(result: RewriteResult) -> None:
    say(f"{result.model}, weights {result.weights}:")
    table("", ("operator", "times"), [(name, str(times)) for name, times in result.operators.items()])
    count = f"{result.replaced} transposed convolution{'' if result.replaced == 1 else 's'} rewritten, none left"
    say(
        f"{result.written}: {result.bytes / 1e6:,.1f} MB; {count if result.replaced else 'it has none to rewrite'}. "
        f"Outputs are off by at most {result.largest_difference:.2g} of {result.largest_output:.3g} "
        f"({result.checked_with})."
    )
