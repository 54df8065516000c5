"""Questions of the screen Network: the drawing of a run's network, and the field of a cell on a sample."""

import shlex
from typing import TYPE_CHECKING, Any

from ganvas.app.questions import Given, Question, text, whole
from ganvas.app.studio import Studio
from ganvas.app.worker import LoadedModels
from ganvas.report.web import page
from ganvas.report.web.page import element

if TYPE_CHECKING:
    from ganvas.dissect.places import Place

NETWORK_INCHES = 6.9
MOST_SAMPLES = 9999


def show_network(studio: Studio, given: Given) -> dict[str, Any]:
    """The network of a run that draws, as ``ganvas diagram`` draws it."""
    path = studio.shelf.run(text(given, "run")).path

    def work(models: LoadedModels) -> str:
        from ganvas.anatomy.diagram import diagram as diagrams
        from ganvas.report.web.chart import inline
        from ganvas.tasks.networks.network_options import Network, graph_of

        graph = graph_of(Network(model=str(path)))
        drawing = diagrams.drawn(diagrams.layout(graph, width_inches=NETWORK_INCHES), title=graph.model)
        return inline(drawing)

    drawn = page.Html(studio.worker.ask(f"{text(given, 'tab')} network", work))
    more = page.note("The numbers of every layer, and this figure for a paper:")
    commands = "\n".join(
        f"ganvas {words}"
        for words in (f"table {shlex.quote(str(path))}", f"diagram {shlex.quote(str(path))} -o network.pdf")
    )
    return {"html": page.join(element("div", drawn, class_="on-paper"), more, page.command(commands))}


def show_field(studio: Studio, given: Given) -> dict[str, Any]:
    """What a cell of a layer has to do with the pixels of a sample; the middle one of the first layer at first."""
    run, part, layer = studio.shelf.run(text(given, "run")), text(given, "part", ""), text(given, "layer", "")
    sample = whole(given, "sample", 0, most=MOST_SAMPLES)

    def work(models: LoadedModels) -> dict[str, Any]:
        from ganvas.app.views.field_view import field_view
        from ganvas.dissect.unit_fields import unit_field

        subject = models.subject(run, part or None)
        layers = subject.numbering.chosen()
        place = subject.numbering.place(layer) if layer else layers[len(layers) // 2]
        cell = _at(given, "row", place.size[0]), _at(given, "column", place.size[1])
        found = unit_field(subject, place, cell, sample)
        return {
            "html": field_view(subject, place, cell, found),
            "parts": [name for name, _ in models.trained(run).model.named_children()],
            "layers": [_named(one) for one in layers],
            "layer": place.name,
            "size": list(place.size),
            "cell": list(cell),
            "kind": subject.kind,
        }

    return studio.worker.ask(f"{text(given, 'tab')} field", work)


def _at(given: Given, name: str, size: int) -> int:
    """A row or a column; the middle one where none is given, the last where the layer before had more."""
    return min(whole(given, name, size // 2) if given.get(name) else size // 2, size - 1)


def _named(place: "Place") -> dict[str, str]:
    return {"name": place.name, "title": place.title}


NETWORK_QUESTIONS = (
    Question(path="network", answer=show_network),
    Question(path="field", answer=show_field),
)
