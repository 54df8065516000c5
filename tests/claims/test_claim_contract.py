"""The contract of every claim: it is locked, its wrong twin is found out, and its verdict is the committed one."""

import ast

import pytest

from ganvas.claims.judging import board, lock, running
from ganvas.claims.judging.claim import Experiment, Identity
from ganvas.claims.judging.judge import ALPHA, judge_identity
from ganvas.claims.judging.unwritten import UNWRITTEN, UnwrittenClaim
from ganvas.core.errors import UserError

NAMES = list(running.names())


@pytest.mark.parametrize("name", NAMES)
def test_every_claim_is_locked_as_it_stands_and_its_verdict_is_of_that_design(name):
    found = running.find(name)
    digest = lock.locked(found.path)
    assert digest is not None
    assert found.claim.tier == running.tier_of(found.path)
    if found.claim.tier == "quick":  # Others are judged where there are hours, or a GPU, for it.
        assert board.verdicts()[name]["locked"] == digest


@pytest.mark.parametrize("name", NAMES)
def test_every_claim_says_in_its_first_line_what_it_claims(name):
    claim, path = running.find(name).claim, running.names()[name]
    assert (ast.get_docstring(ast.parse(path.read_text())) or "").partition("\n")[0].endswith(".")
    assert claim.statement.endswith(".")


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_wrong_twin_of_an_identity_is_found_false_and_its_verdict_is_repeated(name):
    claim = running.find(name).claim
    if isinstance(claim, Experiment):
        pytest.skip("an experiment: judged by seeds")
    assert judge_identity(claim, claim.twin()).state != "holds"
    assert running.run(claim, []).verdict.state == board.verdicts()[name]["state"]


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in NAMES if isinstance(running.find(name).claim, Experiment)])
def test_arms_of_an_experiment_repeat_themselves_and_differ_by_seed(name):
    claim = running.find(name).claim
    assert not isinstance(claim, Identity)
    run = claim.rehearsal or claim.run
    arm = running.control_arm(claim)
    once = list(run(arm, [0, 1]))  # Never the longer one of two.
    assert once == list(run(arm, [0, 1]))
    if claim.unit not in ("modes", "of all boxes") and not claim.share:  # Counts of a few may be alike.
        assert once[0] != once[1]


@pytest.mark.parametrize("name", NAMES)
def test_an_arm_against_itself_has_nothing_to_find(name):
    claim, verdict = running.find(name).claim, board.verdicts().get(name)
    if verdict is None:
        pytest.skip(f"not judged yet: tier {claim.tier}")
    control = verdict["control"]
    if isinstance(claim, Identity):
        assert control is None
    else:
        assert control != ("fails" if claim.says == "same" else "holds")
        assert verdict["planted"] in {"undecided", "fails" if claim.says == "same" else "holds"}


def test_no_verdict_of_a_family_stands_on_an_adjusted_p_that_does_not_hold():
    experiments = {name: verdict for name, verdict in board.verdicts().items() if verdict["p"] is not None}
    for name, verdict in experiments.items():
        assert (verdict["state"] == "undecided") == (verdict["adjusted_p"] > ALPHA), name


def test_no_statement_is_listed_as_missing_that_is_there():
    there = {running.find(name).claim.statement for name in NAMES}
    assert not there & {row.statement for row in UNWRITTEN}


def test_a_statement_without_a_claim_stands_on_the_board_with_its_reason():
    told = {line.statement: line.told for line in board.lines() if not line.name}
    assert set(told) == {row.statement for row in UNWRITTEN}
    assert all(told[row.statement].startswith(row.reason) for row in UNWRITTEN)
    with pytest.raises(UserError, match="no reason"):
        UnwrittenClaim(statement="Larger is better.", expected="open", reason="")


def test_the_board_has_every_claim_once_and_false_ones_before_true_ones():
    lines = board.lines()
    named = [line.name for line in lines if line.name]
    assert sorted(named) == sorted(NAMES)
    places = [board.ORDER.index(line.state) for line in lines]
    assert places == sorted(places)
