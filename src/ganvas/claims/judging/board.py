"""The board: every claim with its verdict, those that fail first, and those that wait for something, at the end.

Verdicts are kept in ``verdicts.json`` beside the claims, each with the digest of the design that it was judged by, its
cases or the values of its seeds, two controls, the command, the versions, the machine and the date. A verdict on
another design than the locked one is stale. What is kept is the verdict among those of the family, the claims of one
folder; the verdict of an experiment by itself stands beside it as ``alone``.
"""

import dataclasses
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ganvas.claims.judging import family, judge, lock, running
from ganvas.claims.judging.claim import Claim, Experiment, Identity, Tier
from ganvas.claims.judging.family import JudgedExperiment
from ganvas.claims.judging.unwritten import UNWRITTEN
from ganvas.core.files.atomic_files import read_json, write_json
from ganvas.core.process import provenance
from ganvas.core.progress import tracked

VERDICTS = lock.PACKAGE / "verdicts.json"
ORDER = ("fails", "half true", "undecided", "holds", "stale", "not judged", "waiting")


@dataclass(frozen=True, kw_only=True)
class BoardLine:
    """One claim of the board. ``state`` is one of ``ORDER``."""

    name: str  # Empty where there is no file yet.
    statement: str
    state: str
    told: str  # The judge's sentence, or why there is no file.
    tier: Tier = "quick"
    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: int | None = None


def lines(names: Sequence[str] = (), judged: Mapping[str, Mapping[str, Any]] | None = None) -> list[BoardLine]:
    """The whole board, or the claims of some names, without running or importing any claim.

    Args:
        judged: Verdicts to show; the committed ones where left out.

    Raises:
        UserError: a name that no claim of the package has.
    """
    kept = verdicts() if judged is None else judged
    if names:
        return _ordered([_line(name, running.path_of(name), kept.get(name)) for name in names])
    there = [_line(name, path, kept.get(name)) for name, path in running.names().items()]
    missing = [
        BoardLine(name="", statement=row.statement, state="waiting", told=f"{row.reason} Expected: {row.expected}.")
        for row in UNWRITTEN
    ]
    return _ordered(there + missing)


def _ordered(lines: list[BoardLine]) -> list[BoardLine]:
    return sorted(lines, key=lambda line: (ORDER.index(line.state), line.name))


def verdicts() -> dict[str, dict[str, Any]]:
    """As they were committed."""
    return read_json(VERDICTS) if VERDICTS.exists() else {}


def judge_all(names: Sequence[str] = (), *, tier: Tier = "quick") -> dict[str, dict[str, Any]]:
    """Every claim of a tier, or those named, judged by its locked design, with the provenance of the verdict.

    Raises:
        UserError: a name that no claim of the package has, or a claim that changed after it was locked.
    """
    chosen = list(names) or running.of_tier(tier)
    stamp = provenance.versions()  # Once: what the judge writes must not make the tree of later verdicts another.
    return {name: _judged(name, stamp) for name in tracked(chosen, "claims")}


def judge_changed(*, tier: Tier = "quick") -> None:
    """Judges claims of a tier without a verdict on their present design, and keeps each verdict as soon as it is there.

    Raises:
        UserError: a claim that changed after it was locked.
    """
    known, stamp = running.names(), provenance.versions()
    kept = {name: verdict for name, verdict in verdicts().items() if name in known}
    keep(kept)
    wanted = [name for name in running.of_tier(tier) if not _is_of(kept.get(name), known[name])]
    for name in tracked(wanted, "claims"):
        kept[name] = _judged(name, stamp)
        keep(dict(sorted(kept.items())))


def _is_of(verdict: Mapping[str, Any] | None, path: Path) -> bool:
    """Whether a verdict is on the design that the file says now."""
    return verdict is not None and verdict["locked"] == lock.digest(path)


def flips(now: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Verdicts that are others than the committed ones, one line each; those of families whose members changed too."""
    touched = {_family(name) for name in now}
    kept = {name: verdict for name, verdict in verdicts().items() if _family(name) in touched}
    return [
        f"{name}: {kept[name]['state']} before, {verdict['state']} now"
        for name, verdict in settled(kept | dict(now)).items()
        if name in kept and kept[name]["state"] != verdict["state"]
    ]


def _family(name: str) -> str:
    return name.partition("/")[0]


def keep(judged: Mapping[str, Mapping[str, Any]]) -> None:
    """Writes the verdicts that are committed, each as it is among its family."""
    write_json(VERDICTS, settled(judged))


def settled(judged: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Verdicts with those of experiments settled within their families; stale ones stay as they are and count not."""
    families: dict[str, dict[str, JudgedExperiment]] = {}
    for name, one in experiments(judged).items():
        families.setdefault(_family(name), {})[name] = one
    found = {name: dict(verdict) for name, verdict in judged.items()}
    for members in families.values():
        chances = family.adjusted(members)
        for name, verdict in family.settled(members).items():
            by_itself, shifted = family.alone(members[name]).state, family.planted(members[name]).state
            found[name] |= {**vars(verdict), "alone": by_itself, "adjusted_p": chances[name], "planted": shifted}
    return found


def experiments(judged: Mapping[str, Mapping[str, Any]]) -> dict[str, JudgedExperiment]:
    """Those of some verdicts that are on an experiment as its file says it now, with what they are on."""
    fields = [field.name for field in dataclasses.fields(judge.Verdict)]
    known = running.names()
    claims = {name: running.find(name).claim for name in judged if _is_of(judged[name], known[name])}
    return {
        name: JudgedExperiment(claim=claim, verdict=judge.Verdict(**{field: judged[name][field] for field in fields}))
        for name, claim in claims.items()
        if isinstance(claim, Experiment)
    }


def _judged(name: str, stamp: Mapping[str, str]) -> dict[str, Any]:
    found = running.find(name)
    digest = lock.locked(found.path)
    began = time.process_time()
    outcome = running.run(found.claim, running.seeds_of(found, digest, None))
    return {
        **vars(outcome.verdict),
        **_shown(found.claim, outcome),
        "control": _control(found, digest, outcome),
        "cpu_sec": round(time.process_time() - began, 1),
        "locked": digest,
        "command": f"ganvas claim {name}",
        "date": datetime.now(UTC).date().isoformat(),
        "versions": dict(stamp),
        "machine": provenance.machine(),
    }


def _shown(claim: Claim, outcome: running.Outcome) -> dict[str, Any]:
    """What the verdict stands on: every case, or the values of every arm, seed by seed."""
    if isinstance(claim, Identity):
        return {"cases": [vars(case) for case in outcome.cases]}
    return {"values": dict(zip(claim.arms, map(list, outcome.values), strict=True))}


def _control(found: running.Found, digest: str | None, outcome: running.Outcome) -> str | None:
    """The state of one arm of an experiment against itself; None of an identity, which has a twin instead."""
    claim = found.claim
    if isinstance(claim, Identity) or digest is None:
        return None
    seeds = lock.judged_seeds(digest, len(claim.arms) * claim.seeds)
    return running.control(claim, outcome, seeds[claim.seeds :]).state


def _line(name: str, path: Path, verdict: Mapping[str, Any] | None) -> BoardLine:
    statement, _ = running.told(path)
    tier = running.tier_of(path)
    if verdict is None:
        told = f"not judged yet: tier {tier}."
        return BoardLine(name=name, statement=statement, state="not judged", told=told, tier=tier)
    if not _is_of(verdict, path):
        return BoardLine(name=name, statement=statement, state="stale", told="changed after it was judged", tier=tier)
    return BoardLine(
        tier=tier,
        name=name,
        statement=statement,
        state=verdict["state"],
        told=verdict["sentence"],
        value=verdict["value"],
        low=verdict["low"],
        high=verdict["high"],
        n=verdict["n"],
    )
