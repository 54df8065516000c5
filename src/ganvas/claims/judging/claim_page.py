"""The page of a claim: what it says, who agrees, what the judge says, every seed or case, and how to run it again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ganvas.claims.judging.claim import Case, Claim, Experiment, Identity
from ganvas.claims.judging.figure import figure
from ganvas.claims.judging.judge import ALPHA, Verdict, effect_name, effects_of
from ganvas.claims.judging.running import Outcome
from ganvas.claims.judging.trends import in_order
from ganvas.core.number_text import number
from ganvas.report.drawing.svg import svg
from ganvas.report.web import page
from ganvas.report.web.page import Content, Html, element

MOST_CASES = 40  # The worst of an identity's.
SAYS = {
    "more": "The first has more than the second.",
    "less": "The first has less than the second.",
    "same": "Both have the same.",
}
SAYS_OF_TREND = {
    "more": "It rises from the first dose to the last.",
    "less": "It falls from the first dose to the last.",
    "same": "It neither rises nor falls with the dose.",
}


@dataclass(frozen=True, kw_only=True)
class JudgedClaim:
    """A claim with its verdict and where that comes from.

    Args:
        told: The docstring of its file, without the first line.
        record: Command, date, versions, machine, digest of the design and controls, as ``verdicts.json`` has them;
            what is not known may be missing.
    """

    name: str
    claim: Claim
    outcome: Outcome
    record: Mapping[str, Any]
    told: str = ""


def html(judged: JudgedClaim, *, board: str = "") -> str:
    """The page as text; ``board`` is the address of the page that lists it beside others."""
    claim, verdict = judged.claim, judged.outcome.verdict
    back = element("a", "All claims", href=board) if board else None
    header = element(
        "header",
        element("h1", claim.statement, element("span", verdict.state, class_="status")),
        element("p", judged.name, " · " if back else None, back),
    )
    return page.document(
        claim.statement,
        header,
        page.section("What the judge says", element("p", verdict.sentence), _numbers(judged), _drawn(judged)),
        page.section("What is claimed", *_paragraphs(judged.told), page.facts(_design(claim))),
        page.section("Who says so", element("ul", *(_source(vars(source)) for source in claim.sources))),
        _values(judged),
        page.section("How it was run", page.command(judged.record["command"]), page.facts(_record(judged.record))),
    )


def _paragraphs(text: str) -> list[Html]:
    plain = text.replace("`", "").strip()
    return [element("p", " ".join(one.split())) for one in plain.split("\n\n") if one.strip()]


def _design(claim: Claim) -> list[tuple[str, Content]]:
    least = f"{number(claim.smallest_effect)} {claim.unit}"
    if isinstance(claim, Identity):
        return [
            ("Counts as none", least),
            ("Holds when", claim.holds_when),
            ("Scope", claim.scope),
            ("Tier", claim.tier),
        ]
    return [
        ("Arms", "; ".join(claim.arms)),
        ("Doses", ", ".join(map(number, claim.doses)) or None),
        ("Says", (SAYS_OF_TREND if claim.doses else SAYS)[claim.says]),
        ("Measured", f"{claim.estimand}; {_compared(claim)}, seed by seed"),
        ("Smallest effect", least),
        ("Seeds", f"{claim.seeds} by design"),
        ("Scope", claim.scope),
        ("Tier", claim.tier),
    ]


def _compared(claim: Experiment) -> str:
    if claim.doses:
        return f"{'the ratio' if claim.ratio else 'the rise'} over all doses along the line of least squares"
    return "their ratio" if claim.ratio else "their difference"


def _order(judged: JudgedClaim) -> str | None:
    """Of a trend, what the judge does not ask: whether every step goes the way of the line."""
    if not isinstance(judged.claim, Experiment) or not judged.claim.doses or not judged.outcome.values:
        return None
    rising = in_order(judged.outcome.values)
    return f"{rising:.0%} of the pairs of levels rise, seed by seed; half of them would by chance"


def _numbers(judged: JudgedClaim) -> Html:
    verdict, record = judged.outcome.verdict, judged.record
    if isinstance(judged.claim, Identity):
        return page.facts([("Largest error", number(verdict.value)), ("Cases", str(verdict.n))])
    level = f"{1 - ALPHA:.0%} to either side"
    least = f"{'a factor of ' if judged.claim.ratio else ''}{number(verdict.detectable, digits=2)}"
    blind = "nothing: the seeds are too few for shares"
    return page.facts(
        [
            ("Effect", f"{number(verdict.value)} {verdict.unit}"),
            ("Interval", f"{number(verdict.low)} to {number(verdict.high)} ({level})"),
            ("Seeds", str(verdict.n)),
            ("p", number(verdict.p, digits=2)),
            ("p in its family", number(record["adjusted_p"], digits=2) if "adjusted_p" in record else None),
            ("Would decide", f"about {verdict.would_decide} seeds" if verdict.would_decide else None),
            ("Order", _order(judged)),
            (
                "Detectable",
                blind if verdict.detectable is None else f"{least} beyond the smallest effect, four times out of five",
            ),
            ("Arm by itself", record.get("control")),
            ("Planted effect", record.get("planted")),
        ]
    )


def _drawn(judged: JudgedClaim) -> Html | None:
    if not judged.outcome.cases and not judged.outcome.values:
        return None
    drawn = element("div", Html(svg(figure(judged.claim, judged.outcome))), class_="drawing")
    return element("div", page.figure(drawn), class_="charts")


def _source(source: Mapping[str, str]) -> Html:
    who = page.link(source["link"], source["who"]) if source["link"] else source["who"]
    return element("li", element("b", source["stance"]), ": ", who)


def _values(judged: JudgedClaim) -> Html | None:
    outcome = judged.outcome
    if isinstance(judged.claim, Experiment):
        return page.section("Seeds", _by_seed(judged.claim, outcome)) if outcome.values else None
    if not outcome.cases:
        return None
    shown = sorted(outcome.cases, key=lambda case: -case.error)[:MOST_CASES]
    left = len(outcome.cases) - len(shown)
    rest = page.note(f"{left} cases with smaller errors are left out.") if left else None
    return page.section("Cases", _by_case(judged.claim, outcome.verdict, shown), rest)


def _by_seed(claim: Experiment, outcome: Outcome) -> Html:
    effects = effects_of(claim, *outcome.values)
    shown = np.exp(effects) if claim.ratio else effects
    rows = zip(outcome.seeds, *outcome.values, shown.tolist(), strict=True)
    header = ["seed", *claim.arms, effect_name(claim)]
    return page.table(header, [[str(seed), *map(number, values)] for seed, *values in rows])


def _by_case(claim: Identity, verdict: Verdict, cases: Sequence[Case]) -> Html:
    """What was found of every case beside what is expected: nothing, or what still counts as none."""
    of_condition, expected = bool(claim.holds_when), f"at most {number(claim.smallest_effect)}"
    header = ["case", f"found: {claim.unit}", "expected", *(["condition"] if of_condition else []), "so?"]
    met = {True: "met", False: "not met"}
    return page.table(
        header,
        [
            [
                case.name,
                number(case.error),
                expected,
                *([met[case.inside]] if of_condition else []),
                _so(case, claim, verdict),
            ]
            for case in cases
        ],
    )


def _so(case: Case, claim: Identity, verdict: Verdict) -> Content:
    if case.error <= claim.smallest_effect:
        return "yes"
    return element("b", "counterexample") if case.name == verdict.counterexample else "no"


def _record(record: Mapping[str, Any]) -> list[tuple[str, Content]]:
    versions, machine = record["versions"], record["machine"]
    locked = record.get("locked")
    return [
        ("Date", record["date"]),
        ("Commit", versions.get("commit")),
        ("Versions", ", ".join(f"{name} {version}" for name, version in versions.items() if name != "commit")),
        ("Machine", ", ".join(f"{name} {value}" for name, value in machine.items())),
        ("Design", page.code(locked) if locked else "a draft: never locked, judged by seeds of development"),
        ("Took", f"{record['cpu_sec']:g} s of one core" if "cpu_sec" in record else None),
    ]
