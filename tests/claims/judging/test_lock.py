"""A design is fixed before its seeds are known."""

import json

import pytest

from ganvas.claims.judging import lock
from ganvas.core.errors import UserError


@pytest.fixture
def file(tmp_path):
    """A claim's file; what it says does not matter to a lock."""
    path = tmp_path / "mine.py"
    path.write_text("CLAIM = 1\n")
    return path


def test_a_file_that_was_never_locked_has_no_digest(file):
    assert lock.locked(file) is None


def test_a_change_is_refused_until_it_is_locked_again_and_the_old_design_is_kept(file):
    first = lock.lock(file)
    assert lock.locked(file) == first
    file.write_text("CLAIM = 2\n")
    with pytest.raises(UserError, match="has changed since its design was locked"):
        lock.locked(file)
    second = lock.lock(file)
    assert lock.locked(file) == second != first
    assert json.loads((file.parent / "claims.lock").read_text())["mine"] == {"digest": second, "before": [first]}


def test_a_helper_beside_it_is_part_of_the_design_and_another_file_is_not(file):
    helper, deeper, other = (file.parent / f"{name}.py" for name in ("helper", "deeper", "other"))
    file.write_text("import ganvas.claims.judging.claim\nfrom helper import STEPS\n\nCLAIM = STEPS\n")
    helper.write_text("import math\n\nfrom deeper import STEPS\n")
    deeper.write_text("import helper\n\nSTEPS = 1\n")
    other.write_text("STEPS = 1\n")
    (file.parent / "claim.py").write_text("from ganvas.claims.judging.claim import Claim\n")
    first = lock.lock(file)
    assert lock.helpers(file) == {helper, deeper}
    other.write_text("STEPS = 2\n")
    assert lock.locked(file) == first
    deeper.write_text("import helper\n\nSTEPS = 2\n")
    with pytest.raises(UserError, match="has changed since its design was locked"):
        lock.locked(file)


def test_another_judge_is_another_design(file, monkeypatch):
    lock.lock(file)
    monkeypatch.setattr(lock.judge, "VERSION", 999)
    with pytest.raises(UserError, match="has changed"):
        lock.locked(file)


def test_seeds_follow_from_the_design_and_more_of_them_begin_with_the_same():
    seeds = lock.judged_seeds("a", 50)
    assert lock.judged_seeds("a", 12) == seeds[:12]
    assert len(set(seeds)) == 50
    assert min(seeds) >= lock.DEVELOPMENT
    assert not set(seeds) & set(lock.judged_seeds("b", 50))


def test_a_lock_that_is_none_is_refused(file):
    (file.parent / "claims.lock").write_text("[1]")
    with pytest.raises(UserError, match="is no lock"):
        lock.locked(file)
