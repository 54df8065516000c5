"""The board as web pages: one that lists every claim with the forest of all, and a page for each beside it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ganvas.claims.judging import board, claim_page, lock, running
from ganvas.claims.judging.claim import Case, Claim, Identity
from ganvas.claims.judging.claim_page import JudgedClaim
from ganvas.claims.judging.forest import forest
from ganvas.claims.judging.judge import Verdict
from ganvas.claims.judging.running import Outcome
from ganvas.core.files.atomic_files import write_text
from ganvas.core.number_text import number
from ganvas.report.drawing.svg import svg
from ganvas.report.web import page
from ganvas.report.web.page import Html, element

HOME = "index.html"
COLUMNS = ("claim", "verdict", "what the judge says", "p among its family")
HOW = (
    "A claim holds where the interval of its effect lies beyond the smallest effect worth naming, fails where it lies "
    "on the other side of it, and is undecided in between. Verdicts are those among a claim's family, after Holm; "
    "intervals are those of each by itself. An identity is judged by its largest error, and is half true where it "
    "holds under a condition and not without it."
)


def write_board(folder: Path, lines: Sequence[board.BoardLine], kept: Mapping[str, Mapping[str, Any]]) -> None:
    """Writes the pages of some lines: each claim's first, so that the board's links lead somewhere.

    Args:
        kept: Verdicts by name, as they are committed or judged just now.
    """
    for line in lines:
        if _has_page(line):
            file = folder / f"{line.name}.html"
            file.parent.mkdir(parents=True, exist_ok=True)
            write_text(file, claim_page.html(recalled(line.name, kept[line.name]), board=f"../{HOME}"))
    write_text(folder / HOME, html(lines, kept))


def html(lines: Sequence[board.BoardLine], kept: Mapping[str, Mapping[str, Any]]) -> str:
    """The board as text, with links to pages beside it."""
    found = board.experiments({line.name: kept[line.name] for line in lines if _has_page(line)})
    counts = {state: sum(line.state == state for line in lines) for state in board.ORDER}
    told = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
    drawn = [found[line.name] for line in lines if line.name in found]
    rows = [_row(line, kept.get(line.name, {}).get("adjusted_p")) for line in lines]
    return page.document(
        "Claims",
        element("header", element("h1", "Claims, and what the judge says"), element("p", told)),
        element("p", HOW),
        page.section("Claims", page.table(COLUMNS, rows, text_columns=3)),
        page.section("Experiments", _forest(drawn)) if drawn else None,
    )


def recalled(name: str, kept: Mapping[str, Any]) -> JudgedClaim:
    """A claim of the package with a verdict that was kept; seeds follow from its lock."""
    found = running.find(name)
    outcome = _outcome(found.claim, kept)
    return JudgedClaim(name=name, claim=found.claim, outcome=outcome, record=kept, told=running.told(found.path)[1])


def _outcome(claim: Claim, kept: Mapping[str, Any]) -> Outcome:
    verdict = Verdict(**{field: kept[field] for field in Verdict.__dataclass_fields__})
    if isinstance(claim, Identity):
        return Outcome(verdict=verdict, cases=tuple(Case(**case) for case in kept["cases"]))
    values = tuple(tuple(kept["values"][arm]) for arm in claim.arms)
    return Outcome(verdict=verdict, seeds=tuple(lock.judged_seeds(kept["locked"], verdict.n)), values=values)


def _has_page(line: board.BoardLine) -> bool:
    return bool(line.name) and line.state not in ("not judged", "stale")


def _row(line: board.BoardLine, chance: float | None) -> Html:
    statement = element("a", line.statement, href=f"{line.name}.html") if _has_page(line) else line.statement
    told = line.told.removeprefix(f"{line.state}: ")
    return element(
        "tr",
        element("td", statement, class_="protocol"),
        element("td", element("b", line.state)),
        element("td", told, class_="protocol"),
        element("td", "" if chance is None else number(chance, digits=2), class_="number", data_label=COLUMNS[-1]),
    )


def _forest(drawn: Sequence[board.JudgedExperiment]) -> Html:
    drawings = page.chart(svg(forest(drawn)), svg(forest(drawn, narrow=True)))
    told = (
        "Effects counted in their smallest effects, with intervals. What says more or less holds to the right of 1; "
        "what says the same holds between the dashed lines."
    )
    return page.figure(drawings, told)
