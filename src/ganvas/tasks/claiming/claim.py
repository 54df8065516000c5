"""``ganvas claim NAME``: runs one claim, of the package or a person's own file, and says the judge's verdict."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

if TYPE_CHECKING:
    from ganvas.claims.judging.claim_page import JudgedClaim
    from ganvas.claims.judging.running import Found, Outcome


@dataclass(frozen=True, kw_only=True)
class ClaimTask:
    """Run a claim and judge it: it holds, it fails, or it is undecided, with the seeds that would decide.

    Examples:
      ganvas claim fields/hybrid_dilation_rule
      ganvas claim upsampling/every_resize_is_transposed -o verdict/
      ganvas claim my_claim.py --seeds 24
      ganvas claim my_claim.py --lock
    """

    name: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="CLAIM")]
    """A claim of the package (`ganvas claims` lists them), or a file of your own that ends in .py."""
    seeds: int | None = None
    """Seeds to judge by; the design's own number where left out."""
    out: Annotated[Path | None, tyro.conf.arg(aliases=["-o"])] = None
    """A folder to write verdict.json, figure.svg and the page claim.html into."""
    lock: bool = False
    """Lock the design as it stands now, before it is judged: its seeds follow from it."""


@dataclass(frozen=True, kw_only=True)
class ClaimResult:
    """The verdict, and all that it stands on."""

    claim: str
    statement: str
    state: str
    sentence: str
    value: float
    unit: str
    n: int
    low: float | None
    high: float | None
    p: float | None
    would_decide: int | None
    detectable: float | None
    counterexample: str
    smallest_effect: float
    scope: str
    sources: list[dict[str, str]]
    locked: str | None  # Digest of the design; None of a draft, which has seeds of development.
    seeds: list[int]
    as_designed: bool  # The design is locked and judged by its own number of seeds, and by no other before.
    looks: list[int]  # Numbers of seeds that the locked design was judged by, this one included.
    values: dict[str, list[float]] = field(default_factory=dict)
    written: Path | None = None


def claim(task: ClaimTask) -> ClaimResult:
    """Finds the claim, looks at its lock, runs it, and writes. What is refused leaves no lock behind."""
    from ganvas.claims.judging import lock, looks, running

    found = running.find(task.name)
    running.check_seeds(found, task.seeds)
    if task.out is not None:
        require_folder(task.out)
    digest = lock.lock(found.path) if task.lock else lock.locked(found.path)
    seeds = running.seeds_of(found, digest, task.seeds)
    outcome = looks.after_looks(found, digest, running.run_found(found, seeds))
    result = _result(task, found, outcome, digest)
    if task.out is not None:
        _write(task.out, found, outcome, result)
    return result


def _result(task: ClaimTask, found: "Found", outcome: "Outcome", digest: str | None) -> ClaimResult:
    from ganvas.claims.judging import looks
    from ganvas.claims.judging.claim import Experiment

    claimed = found.claim
    of_arms = isinstance(claimed, Experiment)
    looked = list(dict.fromkeys([*looks.earlier(found), len(outcome.seeds)])) if of_arms and digest else []
    own_number = not of_arms or (looked[:1] == [claimed.seeds] and len(outcome.seeds) == claimed.seeds)
    values = dict(zip(claimed.arms, map(list, outcome.values), strict=True)) if of_arms else {}
    return ClaimResult(
        claim=found.name,
        statement=claimed.statement,
        **vars(outcome.verdict),
        smallest_effect=claimed.smallest_effect,
        scope=claimed.scope,
        sources=[dict(vars(source)) for source in claimed.sources],
        locked=digest,
        seeds=list(outcome.seeds),
        as_designed=digest is not None and own_number,
        looks=looked,
        values=values,
        written=task.out,
    )


def require_folder(path: Path) -> None:
    """Looks at a folder that is to be written, before any work is done for it.

    Raises:
        UserError: it is a file, or there is no folder to make it in.
    """
    from ganvas.core.errors import UserError

    if path.exists() and not path.is_dir():
        raise UserError(f"-o {path} is a file; what is written needs a folder.")
    if not path.absolute().parent.is_dir():
        raise UserError(f"There is no folder {path.absolute().parent} to make {path.name} in.")


def _write(folder: Path, found: "Found", outcome: "Outcome", result: ClaimResult) -> None:
    import dataclasses
    import math

    from ganvas.claims.judging.claim_page import html
    from ganvas.claims.judging.figure import figure
    from ganvas.core.files.atomic_files import write_json, write_text
    from ganvas.report.drawing.drawing import write

    folder.mkdir(exist_ok=True)
    plain = {name: value for name, value in dataclasses.asdict(result).items() if name != "written"}
    finite = {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in plain.items()}
    write_json(folder / "verdict.json", finite)
    write(figure(found.claim, outcome), folder / "figure.svg")
    write_text(folder / "claim.html", html(_judged(found, outcome, result)))


def _judged(found: "Found", outcome: "Outcome", result: ClaimResult) -> "JudgedClaim":
    from datetime import UTC, datetime

    from ganvas.claims.judging import running
    from ganvas.claims.judging.claim_page import JudgedClaim
    from ganvas.core.process import provenance

    seeds = "" if result.as_designed or not outcome.seeds else f" --seeds {len(outcome.seeds)}"
    record = {
        "command": f"ganvas claim {found.asked}{seeds}",
        "date": datetime.now(UTC).date().isoformat(),
        "versions": provenance.versions(),
        "machine": provenance.machine(),
        "locked": result.locked,
    }
    told = running.told(found.path)[1]
    return JudgedClaim(name=found.name, claim=found.claim, outcome=outcome, record=record, told=told)
