"""Tournaments as a person reads them, on stderr."""

from ganvas.cli.rendering.forms import form, table
from ganvas.core.number_text import with_error
from ganvas.core.progress import say
from ganvas.tasks.skill import SkillResult


@form.register
def _(result: SkillResult) -> None:
    rows = [
        (
            one.name,
            one.role,
            with_error(one.rating.value, one.rating.standard_error),
            f"{one.glicko:.0f} ± {one.glicko_deviation:.0f}",
            f"{one.win_rate:.3f}",
        )
        for one in result.standings
    ]
    matches = f"{len(result.generators)} generators against {len(result.discriminators)} discriminators"
    table(
        f"{matches}, {result.n:,} pictures each",
        ("player", "role", "rating ± error", "Glicko-2 ± deviation", "win rate"),
        rows,
    )
    for note in result.notes:
        say(f"Note: {note}")
