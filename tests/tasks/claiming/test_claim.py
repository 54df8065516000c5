"""A person's own claim outside the package: verdicts and refusals."""

import csv
import io
import json
from pathlib import Path

import pytest
import torch

from ganvas.claims.judging import board, running
from ganvas.cli.rendering.show import show
from ganvas.core.errors import UserError
from ganvas.tasks.claiming.claim import ClaimTask, claim
from ganvas.tasks.claiming.claims import ClaimsTask, claims

OWN = '''"""Two throws of a die are more than one."""
import random

from ganvas.claims.judging.claim import Experiment, Source


def run(arm, seeds):
    return [sum(random.Random(f"{arm} {seed} {n}").randint(1, 6) for n in range(100 * int(arm))) for seed in seeds]


CLAIM = Experiment(
    statement="Two throws are more than one.",
    sources=(Source(who="me", stance="agrees"),),
    scope="fair dice",
    arms=("2", "1"),
    estimand="sum of a hundred throws",
    says="more",
    unit="pips",
    smallest_effect=10.0,
    seeds=6,
    run=run,
)
'''


@pytest.fixture
def own(tmp_path):
    """A file outside the package."""
    path = tmp_path / "my_claim.py"
    path.write_text(OWN)
    return path


def test_an_own_claim_is_a_draft_until_it_is_locked(own, tmp_path):
    draft = claim(ClaimTask(name=str(own)))
    assert (draft.state, draft.locked, draft.seeds, draft.as_designed) == ("holds", None, [0, 1, 2, 3, 4, 5], False)
    judged = claim(ClaimTask(name=str(own), lock=True, out=tmp_path / "verdict"))
    assert judged.as_designed
    assert min(judged.seeds) >= 100
    assert json.loads((tmp_path / "verdict" / "verdict.json").read_text())["state"] == "holds"
    assert (tmp_path / "verdict" / "figure.svg").read_text().startswith("<svg")
    assert "ganvas claim my_claim.py" in (tmp_path / "verdict" / "claim.html").read_text()


def test_more_seeds_after_the_verdict_of_the_design_decide_nothing(own, capsys):
    assert claim(ClaimTask(name=str(own), lock=True)).state == "holds"
    again = claim(ClaimTask(name=str(own), seeds=8))
    assert (again.state, again.as_designed, again.looks) == ("undecided", False, [6, 8])
    show(again)
    assert "by their seeds: 6, 8. They share one chance" in capsys.readouterr().err
    assert claim(ClaimTask(name=str(own))).as_designed


def test_a_budget_too_small_is_undecided_and_says_how_many_seeds_would_decide(own):
    own.write_text(OWN.replace("smallest_effect=10.0", "smallest_effect=345.0"))
    found = claim(ClaimTask(name=str(own), seeds=2))
    assert found.state == "undecided"
    assert "seeds would decide" in found.sentence


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("    smallest_effect=10.0,\n", ""), "names no smallest effect"),
        (('(Source(who="me", stance="agrees"),)', "()"), "names nobody"),
        (("CLAIM =", "OTHER ="), "says no claim"),
        (("import random", "import nothing_of_that_name"), "cannot be imported"),
        (("return [sum", "return [missing"), "failed while it ran in line 8: NameError"),
        (("return [sum", "return [None and sum"), "failed while it ran: TypeError"),
        (("for seed in seeds]", "for seed in seeds[1:]]"), "one per seed"),
    ],
)
def test_a_file_that_is_no_claim_is_refused(own, change, told):
    own.write_text(OWN.replace(*change))
    with pytest.raises(UserError, match=told):
        claim(ClaimTask(name=str(own)))


@pytest.mark.parametrize(
    ("seeds", "out"), [(0, None), (1, None), (None, Path("my_claim.py")), (None, Path("nowhere/verdict"))]
)
def test_what_is_refused_leaves_no_lock_behind(own, seeds, out, monkeypatch):
    monkeypatch.chdir(own.parent)
    with pytest.raises(UserError):
        claim(ClaimTask(name=own.name, lock=True, seeds=seeds, out=out))
    assert not (own.parent / "claims.lock").exists()


def test_a_failure_is_told_with_its_line_where_the_path_is_relative(own, monkeypatch):
    monkeypatch.chdir(own.parent)
    own.write_text(OWN.replace("return [sum", "return [missing"))
    with pytest.raises(UserError, match="in line 8: NameError"):
        claim(ClaimTask(name=own.name))


def test_a_change_behind_the_lock_is_refused_and_nothing_is_written(own, tmp_path):
    claim(ClaimTask(name=str(own), lock=True))
    own.write_text(OWN.replace("smallest_effect=10.0", "smallest_effect=5.0"))
    with pytest.raises(UserError, match="changed since its design was locked"):
        claim(ClaimTask(name=str(own), out=tmp_path / "verdict"))
    assert not (tmp_path / "verdict").exists()


@pytest.mark.parametrize(
    ("name", "seeds", "told"),
    [
        ("fields/hybrid_dilation_rul", None, "Did you mean 'fields/hybrid_dilation_rule'"),
        ("hybrid_dilation_rule", None, "Did you mean 'fields/hybrid_dilation_rule'"),
        ("nowhere.py", None, "There is no file"),
        ("fields/hybrid_dilation_rule", 12, "has no seeds"),
    ],
)
def test_what_cannot_be_run_is_refused(name, seeds, told):
    with pytest.raises(UserError, match=told):
        claim(ClaimTask(name=name, seeds=seeds))


def test_one_seed_is_too_few(own):
    with pytest.raises(UserError, match="no spread"):
        claim(ClaimTask(name=str(own), seeds=1))


def test_the_list_has_claims_and_what_is_missing():
    listed = claims(ClaimsTask())
    states = {line["state"] for line in listed.claims}
    assert {"half true", "waiting"} <= states
    assert listed.exit_code == 0


def test_in_a_pipe_every_line_is_whole_and_a_narrow_terminal_cuts_it(monkeypatch, capsys):
    listed = claims(ClaimsTask())
    monkeypatch.delenv("COLUMNS", raising=False)
    show(listed)
    said = capsys.readouterr().err
    assert all(line["told"].removeprefix(f"{line['state']}: ") in said for line in listed.claims)
    monkeypatch.setenv("COLUMNS", "60")
    show(listed)
    assert max(map(len, capsys.readouterr().err.splitlines()[:-1])) == 60


def test_as_tsv_the_board_has_a_row_per_claim_and_no_lines_for_people(capsys):
    listed = claims(ClaimsTask(names=NAMED, format="tsv"))
    assert listed.printed is not None
    rows = list(csv.DictReader(io.StringIO(listed.printed), dialect="excel-tab"))
    assert [row["name"] for row in rows] == [line["name"] for line in listed.claims]
    assert [row["told"] for row in rows] == [line["told"] for line in listed.claims]
    show(listed)
    assert len(capsys.readouterr().err.splitlines()) == 1  # The counts.


NAMED = ("upsampling/two_by_two_is_depth_to_space", "fields/hybrid_dilation_rule")


def test_only_the_claims_that_are_named_are_listed_and_judged_again(monkeypatch):
    judged = []
    ran = running.run
    monkeypatch.setattr(running, "run", lambda claim, seeds: judged.append(claim.statement) or ran(claim, seeds))
    listed = claims(ClaimsTask(names=NAMED, check=True))
    assert {line["name"] for line in listed.claims} == set(NAMED)
    assert judged == [running.find(name).claim.statement for name in NAMED]
    assert listed.exit_code == 0


def test_the_board_is_written_as_pages_and_a_file_in_its_place_is_refused_first(tmp_path, monkeypatch):
    written = claims(ClaimsTask(names=NAMED, out=tmp_path / "board"))
    folder = tmp_path / "board"
    assert written.written == folder
    files = {file.relative_to(folder).as_posix() for file in folder.rglob("*.html")}
    assert files == {"index.html", *(f"{name}.html" for name in NAMED)}
    monkeypatch.setattr(board, "judge_all", lambda names: pytest.fail("judged before the folder was looked at"))
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="is a file"):
        claims(ClaimsTask(names=NAMED, check=True, out=tmp_path / "file"))


def test_a_claim_that_takes_longer_is_judged_where_its_tier_is_asked_for(monkeypatch):
    tiers = dict(zip(running.names().values(), ("full", "quick"), strict=False))
    monkeypatch.setattr(running, "tier_of", lambda path: tiers.get(path, "gpu"))
    judged = []
    monkeypatch.setattr(board, "judge_all", lambda names, tier: judged.append(running.of_tier(tier)) or {})
    first, second = list(running.names())[:2]
    claims(ClaimsTask(check=True))
    full = claims(ClaimsTask(check=True, tier="full"))
    assert judged == [[second], [first]]
    assert [line["name"] for line in full.claims] == [first]
    monkeypatch.setattr(board, "verdicts", dict)
    assert claims(ClaimsTask(names=(first,))).claims[0]["told"] == "not judged yet: tier full."
    if not torch.cuda.is_available():
        with pytest.raises(UserError, match="there is no GPU here"):
            claims(ClaimsTask(check=True, tier="gpu"))


def test_a_tier_without_claims_is_an_empty_list(capsys):
    listed = claims(ClaimsTask(tier="gpu", format="tsv"))
    assert listed.printed is not None
    assert listed.printed.startswith("name\tstatement\tstate")
    show(listed)
    assert "There is no such claim." in capsys.readouterr().err


def test_a_verdict_that_is_another_than_the_committed_one_is_named(monkeypatch):
    kept = board.verdicts()
    monkeypatch.setattr(board, "verdicts", lambda: kept | {NAMED[1]: kept[NAMED[1]] | {"state": "undecided"}})
    listed = claims(ClaimsTask(names=NAMED, check=True))
    assert listed.flipped == [f"{NAMED[1]}: undecided before, {kept[NAMED[1]]['state']} now"]
    assert listed.exit_code == 1


def test_a_name_of_no_claim_is_refused_before_any_is_judged():
    with pytest.raises(UserError, match="Did you mean 'fields/hybrid_dilation_rule'"):
        claims(ClaimsTask(names=(*NAMED, "hybrid_dilation_rule"), check=True))
