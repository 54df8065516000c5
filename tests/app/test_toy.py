"""Answers of the studio about games of points that are played step by step."""

import pytest

from ganvas.app.answers import toy_questions
from ganvas.train import point_moments, toy_game


@pytest.fixture(scope="module")
def asked(studio):
    """Games with a lattice of latents that costs little."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(toy_game, "LATTICE", 16)
        patch.setattr(toy_game, "SHOWN", 20)
        patch.setattr(point_moments, "GRID", 7)
        yield lambda **given: studio.get("toy", **{"game": "gan/wgan", "law": "squares", "tab": "a"} | given)


def test_what_can_be_played_is_told(studio):
    status, told = studio.get("games", tab="a")
    assert status == 200
    assert "gan/wgan" in told["games"]
    assert told["laws"]["squares"].startswith("Two uniform unit squares")
    assert "spiral" not in told["laws"]  # Its mass in a cell has no closed form.


def test_a_step_that_is_gone_back_to_is_as_it_was(asked):
    first, second, again = (asked(step=step)[1] for step in (1, 2, 1))
    assert (first["step"], second["step"]) == (1, 2)
    assert first["told"] == "Step 1. D moved 1 time."  # The generator waits: the critic begins with a hundred moves.
    assert first["picture"] != second["picture"]
    assert [again[part] for part in ("picture", "distances")] == [first[part] for part in ("picture", "distances")]
    assert "Divergences by step" in again["course"]


def test_a_far_step_is_gone_to_in_pieces(asked, monkeypatch):
    monkeypatch.setattr(toy_questions, "AT_ONCE", 2)
    found = [asked(step=5, seed=1)[1] for _ in range(3)]
    assert [(one["step"], one["arrived"]) for one in found] == [(2, False), (4, False), (5, True)]


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"game": "gan/gen"}, "Did you mean 'gan/gan'?"),
        ({"law": "spiral"}, "no law 'spiral' to play on"),
        ({"step": "-1"}, "whole number from 0"),
        ({"seed": "x"}, "'seed' must be a number"),
    ],
)
def test_what_cannot_be_played_is_told_in_a_sentence(asked, given, why):
    status, told = asked(**given)
    assert status == 400
    assert why in told["error"]
