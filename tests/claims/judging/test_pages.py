"""The page of a claim and the board's: whole, in one file, with links that lead somewhere."""

import dataclasses
import re

import pytest

from ganvas.claims.judging import board, board_page, claim_page
from ganvas.claims.judging.claim import Case, Experiment, Identity, Source
from ganvas.claims.judging.claim_page import JudgedClaim
from ganvas.claims.judging.running import run

SOURCES = (Source(who="Hinz & Kunz 2020", stance="denies", link="https://example.org/paper"),)
EXPERIMENT = Experiment(
    statement="a < b is more.",
    sources=SOURCES,
    scope="numbers below ten",
    arms=("arm a", "arm b"),
    estimand="a sum",
    says="more",
    unit="units",
    run=lambda arm, seeds: [seed % 7 / 64 + (5 if arm == "arm a" else 0) for seed in seeds],
    smallest_effect=1.25,
)
IDENTITY = Identity(
    statement="c is d.",
    sources=SOURCES,
    scope="all",
    cases=lambda: [Case(name="well", error=0.0), Case(name="badly", error=0.5, inside=False)],
    twin=list,
    smallest_effect=0.125,
    holds_when="it is well",
)
TREND = dataclasses.replace(
    EXPERIMENT,
    arms=("one", "two", "four"),
    doses=(0.0, 1.0, 2.0),
    run=lambda arm, seeds: [["one", "two", "four"].index(arm) * (2 - 5 * (seed == 103)) for seed in seeds],
)
RECORD = {
    "command": "ganvas claim mine.py",
    "date": "2026-12-01",
    "versions": {"torch": "2.13.0", "commit": "0123456789ab"},
    "machine": {"processor": "one of two"},
    "locked": "abcdef",
    "control": "fails",
    "planted": "holds",
    "adjusted_p": 0.0321,
}


def page_of(claim, seeds):
    judged = JudgedClaim(name="mine", claim=claim, outcome=run(claim, seeds), record=RECORD, told="Because ``so``.")
    return claim_page.html(judged)


def test_a_page_has_the_statement_who_says_so_every_seed_and_how_to_run_it_again():
    text = page_of(EXPERIMENT, [101, 104, 109])
    wanted = ("a &lt; b is more.", "arm a", "arm b", "a sum", "1.25 units", "numbers below ten", "Because so.")
    seeds = [f">{value}<" for value in (101, 5.047, 0.04688, 104, 5.094, 109, 5.062)]  # seed, first or second arm
    run_by = ("ganvas claim mine.py", "2026-12-01", "0123456789ab", "processor one of two", "abcdef", "0.032")
    assert [one for one in (*wanted, *seeds, *run_by) if one not in text] == []
    assert '<a href="https://example.org/paper"' in text


def test_a_page_of_an_identity_has_its_cases_and_their_condition():
    text = page_of(IDENTITY, [])
    assert "half true" in text
    assert re.search(r"badly</td><td[^>]*>0.5</td><td[^>]*>at most 0.125</td><td[^>]*>not met.*>counterexample<", text)
    assert re.search(r"well</td><td[^>]*>0</td><td[^>]*>at most 0.125</td><td[^>]*>met</td><td[^>]*>yes<", text)


def test_a_page_of_a_trend_says_how_many_pairs_of_levels_go_its_way():
    text = page_of(TREND, [101, 102, 103, 104])
    assert "75% of the pairs of levels rise" in text
    assert "It rises from the first dose to the last." in text
    assert "rise over 3 levels" in text
    assert re.search(r">103</td>(<td[^>]*>[^<]*</td>){3}<td[^>]*>−6<", text)  # Down from 0 over -3 to -6.


@pytest.mark.parametrize(("claim", "seeds"), [(EXPERIMENT, [1, 2]), (IDENTITY, [])])
def test_a_page_asks_for_nothing_from_elsewhere(claim, seeds):
    text = page_of(claim, seeds)
    assert "default-src &#x27;none&#x27;" in text
    assert "<svg" in text
    assert not re.search(r"""(src|href)="(?!https://example|data:)""", text)


def test_the_board_has_a_link_to_a_page_for_every_claim_with_a_verdict(tmp_path):
    names = ("norms/magnitudes_escalate", "upsampling/two_by_two_is_depth_to_space")
    kept = board.verdicts()
    waiting = board.BoardLine(name="", statement="Not yet.", state="waiting", told="It waits for somebody to write it.")
    lines = [*board.lines(names), waiting]
    board_page.write_board(tmp_path, lines, kept)
    text = (tmp_path / board_page.HOME).read_text()
    links = re.findall(r'href="([^"]+)"', text)
    assert sorted(links) == sorted(f"{name}.html" for name in names)
    for link in links:
        assert f'href="../{board_page.HOME}"' in (tmp_path / link).read_text()
    assert "Not yet." in text
    assert "1 to 1 channels by 2" in (tmp_path / f"{names[1]}.html").read_text()  # A case, as it was judged.
    assert text.count("<svg") == 2  # The forest, for wide screens and for narrow ones.
    assert all(line.told.partition(": ")[2][:20] in text for line in lines[:2])


def test_values_that_were_kept_stand_on_the_page_with_the_seeds_of_the_lock():
    name = "norms/magnitudes_escalate"
    kept = board.verdicts()[name]
    values = [1.5 + place / 8 for place in range(kept["n"])]
    arms = board_page.recalled(name, kept).claim.arms
    recalled = board_page.recalled(name, kept | {"values": dict(zip(arms, (values, values[::-1]), strict=True))})
    assert len(recalled.outcome.seeds) == kept["n"]
    assert min(recalled.outcome.seeds) >= 100
    assert dataclasses.replace(recalled.outcome, values=(), seeds=()).verdict.value == kept["value"]
    assert "1.625" in claim_page.html(recalled)
