"""Likelihoods as a person reads them, on stderr."""

from ganvas.cli.rendering.forms import form, table
from ganvas.core.number_text import with_error
from ganvas.core.progress import say
from ganvas.core.results import Result
from ganvas.tasks.likelihood import LikelihoodResult

TITLES = {
    "bits_per_dimension": "bits per dimension",
    "bits_per_dimension.gaussian": "a Gaussian fitted on the training pictures",
    "bits_per_dimension.histogram": "histograms of their pixels",
    "bits_per_dimension.png": "PNG files",
    "bits_per_dimension.webp": "lossless WebP files",
    "ais": "log-likelihood, nats per picture (a lower bound)",
    "ais.bits_per_dim": "bits per dimension",
    "ais.exact": "exact density with the same noise, nats per picture",
    "ais.shortfall": "what the estimate is short of it",
    "ais.gap": "gap of the bounds on simulated pictures",
    "ais.simulated.lower": "lower bound on simulated pictures",
    "ais.simulated.upper": "upper bound on simulated pictures",
}

TITLES |= {
    f"bits_per_{token}{part}": title
    for token in ("character", "word")
    for part, title in (
        ("", f"bits per {token}, ends of lines among them"),
        (".uniform", f"every {token} equally likely"),
        (".unigram", f"{token}s as frequent as in training"),
        (".order_5", "5-grams of the training lines"),
    )
}

OF_SAMPLES = ("bits_per_dimension", "bits_per_character", "bits_per_word", "ais", "ais.bits_per_dim", "ais.exact")
KINDS = {  # Of bits per dimension, by what the protocol says.
    "lower-bound": ", at most",
    "exact-density": ", at most (exact density)",
    "exact": " (exact)",
    "estimate": " (an estimate)",
}


@form.register
def _(result: LikelihoodResult) -> None:
    rows = [
        (_title(one), with_error(one.value, one.standard_error), _better(one), str(one.n)) for one in result.results
    ]
    table(
        f"{result.run} at {result.kimg:g} kimg on {result.data}: n = {result.n}, seed {result.seed}",
        ("what", "value ± error", "better", "n"),
        rows,
    )
    if result.variance is not None:
        origin = {"given": "given", "model": "the model's own", "validation": "chosen on validation pictures"}
        say(f"Variance of the noise: {result.variance:.4g} for colours in [0, 1] ({origin[result.variance_from]}).")
    if result.effective_chains is not None and result.acceptance is not None:
        say(f"{result.effective_chains:.1f} effective chains per picture; proposals accepted: {result.acceptance:.0%}.")
    for note in result.notes:
        say(f"Note: {note}")
    if result.written:
        say(f"A line was added to {result.written}.")


def _title(result: Result) -> str:
    """What was measured: of a likelihood its kind, and of which samples where they are not held out."""
    title = TITLES[result.metric]
    if result.metric == "bits_per_dimension":
        title += next((said for kind, said in KINDS.items() if f":{kind}:" in result.protocol), "")
    was_trained_on = result.metric in OF_SAMPLES and ":training=" in result.protocol
    return title + ", of what it was trained on" * was_trained_on


def _better(result: Result) -> str:
    is_yardstick = result.metric.startswith("bits_per_") and "." in result.metric
    return "a yardstick" if is_yardstick else result.better
