"""Results as a person reads them, on stderr; stdout carries the same as JSON, unless both are one terminal."""

from typing import Any

from ganvas.cli.rendering import (  # noqa: F401  (registers their forms)
    render_advise,
    render_anatomy,
    render_claims,
    render_data,
    render_diagram,
    render_dissect,
    render_features,
    render_fields,
    render_likelihood,
    render_measure,
    render_rewrite,
    render_runs,
    render_serve,
    render_signal,
    render_skill,
)
from ganvas.cli.rendering.forms import form


def show(result: Any) -> None:
    """Says a result in the form of its kind; nothing where it has none, so that the JSON is all."""
    form(result)


def has_form(result: Any) -> bool:
    """Whether ``show`` says anything of it."""
    return form.dispatch(type(result)) is not form.dispatch(object)
