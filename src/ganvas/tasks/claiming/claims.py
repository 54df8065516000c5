"""``ganvas claims``: what has been claimed, what the judge said, and what waits for its model; or all judged again."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

if TYPE_CHECKING:
    from ganvas.claims.judging.board import BoardLine


@dataclass(frozen=True, kw_only=True)
class ClaimsTask:
    """List the claims with their verdicts, false and half-true ones first, or judge all or some of them again.

    Examples:
      ganvas claims
      ganvas claims --format tsv > claims.tsv
      ganvas claims --check
      ganvas claims -o board/
      ganvas claims --tier full --check
      ganvas claims games/larger_batch_is_nearer norms/magnitudes_escalate --check
    """

    names: Annotated[tuple[str, ...], tyro.conf.Positional, tyro.conf.arg(metavar="[CLAIM ...]")] = ()
    """Claims to list or to judge again; all of them where left out."""
    check: bool = False
    """Judge the claims again, and name the verdicts that are others now."""
    tier: Literal["quick", "full", "gpu"] | None = None
    """Claims of one tier alone: of three minutes of a core or less, of more, or for a GPU. All are listed where it is
    left out, and those of quick are judged again; names choose by themselves."""
    out: Annotated[Path | None, tyro.conf.arg(aliases=["-o"])] = None
    """A folder to write the board into as web pages: index.html, and a page per claim."""
    format: Literal["json", "tsv"] = "json"
    """What a pipe or a file gets: everything as JSON, or a row per claim with tabs between its columns. A terminal gets
    the board for people, unless it is to be tsv."""


@dataclass(frozen=True, kw_only=True)
class ClaimsResult:
    """A line per claim, in the order of the board."""

    claims: list[dict[str, Any]]
    flipped: list[str] = field(default_factory=list)
    checked: bool = False
    printed: str | None = None
    written: Path | None = None

    @property
    def exit_code(self) -> int:
        """1 where a verdict is another now, so that a script notices."""
        return 1 if self.flipped else 0


def claims(task: ClaimsTask) -> ClaimsResult:
    """Reads the board; imports a claim only to run it."""
    import dataclasses

    from ganvas.claims.judging import board
    from ganvas.tasks.claiming.claim import require_folder

    lines = _of_tier(board.lines(task.names), task)
    if task.out is not None:
        require_folder(task.out)
    judged = board.judge_all(task.names, tier=task.tier or "quick") if task.check else {}
    flipped = board.flips(judged)
    if task.out is not None:
        _write_board(task, judged)
    found = [dataclasses.asdict(line) for line in lines]
    result = ClaimsResult(claims=found, flipped=flipped, checked=task.check, written=task.out)
    return dataclasses.replace(result, printed=_as_tsv(result.claims)) if task.format == "tsv" else result


def _write_board(task: ClaimsTask, judged: dict[str, dict[str, Any]]) -> None:
    from ganvas.claims.judging import board
    from ganvas.claims.judging.board_page import write_board

    assert task.out is not None
    kept = board.settled(board.verdicts() | judged) if judged else board.verdicts()
    task.out.mkdir(exist_ok=True)
    write_board(task.out, _of_tier(board.lines(task.names, kept), task), kept)


def _of_tier(lines: list["BoardLine"], task: ClaimsTask) -> list["BoardLine"]:
    """Those of the tier that is asked for; what waits is of none."""
    if task.tier is None or task.names:
        return lines
    return [line for line in lines if line.name and line.tier == task.tier]


def _as_tsv(listed: list[dict[str, Any]]) -> str:
    """A row per claim, whole."""
    import csv
    import dataclasses
    import io

    from ganvas.claims.judging.board import BoardLine

    out = io.StringIO()
    columns = [column.name for column in dataclasses.fields(BoardLine)]
    writer = csv.DictWriter(out, columns, dialect="excel-tab", lineterminator="\n")
    writer.writeheader()
    writer.writerows(listed)
    return out.getvalue()
