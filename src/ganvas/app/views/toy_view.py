"""Toy screen: a game of points at one step as pieces of a page, the picture, how far the laws are apart, the course."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ganvas.core.number_text import number
from ganvas.report.drawing.palette import BLUE, ORANGE, VERMILION
from ganvas.report.drawing.panels import Axes, Curve
from ganvas.report.pictures.critic_sheet import critic_sheet
from ganvas.report.web import page
from ganvas.report.web.chart import Chart, inline
from ganvas.report.web.chart_figure import chart_figure
from ganvas.report.web.page import Html, element
from ganvas.report.web.run_page import NARROW, WIDE
from ganvas.train.toy_game import CELLS, LATTICE, SHOWN, Distances, ToyGame, ToyMoment

MARKED = {  # By game: what it is about, or the row of the table that stands for it.
    "gan/gan": "Jensen–Shannon",
    "gan/lsgan": "Pearson χ²",
    "gan/wgan": "Wasserstein, sliced",
    "gan/wgan_gp": "Wasserstein, sliced",
    "gan/sngan": "Total variation",
}
Course = Mapping[int, Distances]  # By step, of the steps that were looked at.


def toy_view(name: str, game: ToyGame, moment: ToyMoment, course: Course) -> dict[str, Any]:
    """Everything that the screen shows of a step."""
    real = game.law.points[: SHOWN * 2].astype("float32")
    moved = ", ".join(
        f"{player} moved {count:,} time{'s' if count != 1 else ''}" for player, count in moment.moves.items()
    )
    drawn = inline(critic_sheet(moment.seen, real, title=f"Step {moment.step:,}"))
    return {
        "step": moment.step,
        "told": f"Step {moment.step:,}. {moved}." if moved else "Nobody has moved yet.",
        "picture": element("div", Html(drawn), class_="on-paper"),
        "distances": _distances(MARKED[name], moment.distances, game.floor),
        "course": _course(course),
    }


def _distances(marked: str, now: Distances, floor: Distances) -> Html:
    rows = [
        [
            page.join(element("b", title), f"{most} ←") if title == marked else f"{title}{most}",
            _shown(value),
            _shown(least),
        ]
        for (title, most, value), (_, _, least) in zip(_rows(now), _rows(floor), strict=True)
    ]
    return page.join(
        page.table(("divergence", "now", "floor"), rows),
        page.note(
            "← what this game is about. A critic that is held smooth is about the Wasserstein distance in the plane; "
            "its mean along 16 directions, the sliced one, stands for it here. Of the plane cut into "
            f"{CELLS}×{CELLS} cells and the rest: the law's mass in each is known in closed form, the model's is that "
            f"of {LATTICE}×{LATTICE} latents of equal mass, so that nothing is drawn at random. The sliced distance is "
            "exact along each direction for as many points of either. The floor is what as many points of the law "
            "itself score."
        ),
    )


def _rows(found: Distances) -> Sequence[tuple[str, str, float]]:
    cells = found.of_cells
    return (
        ("Jensen–Shannon", ", at most 0.693", cells.jensen_shannon),
        ("Pearson χ²", ", at most 2", cells.pearson),
        ("Total variation", ", at most 1", cells.total_variation),
        ("KL(model, law)", "", cells.reverse_kl),
        ("Mass missed", ", at most 1", cells.missed),
        ("Wasserstein, sliced", "", found.wasserstein),
    )


def _shown(value: float) -> str:
    return "∞" if math.isinf(value) else number(value, digits=3)


def _course(course: Course) -> Html:
    """The divergences over the steps that were looked at."""
    steps = sorted(course)
    if len(steps) < 2:
        return page.note("The course of the divergences is drawn from the second step that is looked at.")
    of = [course[step] for step in steps]
    curves = [
        _curve("Jensen–Shannon", steps, [one.of_cells.jensen_shannon for one in of], BLUE),
        _curve("total variation", steps, [one.of_cells.total_variation for one in of], VERMILION),
        _curve("Wasserstein, sliced", steps, [one.wasserstein for one in of], ORANGE),
    ]
    shown = Chart(title="Divergences by step", curves=curves, axes=Axes(x_title="step", y_title="", size=11.0))
    return chart_figure(shown, WIDE, NARROW, cursor=True)


def _curve(name: str, steps: Sequence[int], values: Sequence[float], colour: str) -> Curve:
    return Curve(name=name, x=steps, y=values, colour=colour, stroke_width=1.6)
