"""What a claim may say: words, arms and sizes, as a person writes them in a file of their own."""

from typing import Any

import pytest

from ganvas.claims.judging.claim import Experiment, Identity, Source
from ganvas.core.errors import UserError

SOURCES = (Source(who="someone", stance="agrees"),)
SAID: dict[str, Any] = {
    "statement": "a is more than b.",
    "sources": SOURCES,
    "scope": "numbers",
    "arms": ("a", "b"),
    "estimand": "a number",
    "says": "more",
    "unit": "units",
    "run": lambda arm, seeds: [0.0 for _ in seeds],
    "smallest_effect": 1.0,
}


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"says": "More"}, """^says='More' is none of "more", "less", "same". Did you mean 'more'.$"""),
        ({"says": "bigger"}, """^says='bigger' is none of "more", "less", "same".$"""),
        ({"says": 1}, "^says=1 is none of"),
        ({"arms": ("a",)}, "must be two different names"),
        ({"arms": ("a", "a")}, "must be two different names"),
        ({"arms": "ab"}, "must be two different names"),
        ({"smallest_effect": "a"}, "^smallest_effect='a' is no number"),
        ({"smallest_effect": True}, "^smallest_effect=True is no number"),
        ({"smallest_effect": -1}, "^smallest_effect=-1 must be a size"),
        ({"smallest_effect": float("inf")}, "^smallest_effect=inf must be a size"),
        ({"smallest_effect": float("nan")}, "names no smallest effect"),
        ({"smallest_effect": 0}, "^smallest_effect=0 must be above 0"),
        ({"smallest_effect": 1, "ratio": True}, "must be above 1"),
        ({"seeds": 1}, "no spread"),
        ({"tier": "slow"}, """^tier='slow' is none of "quick", "full", "gpu".$"""),
        ({"seeds": 2.5}, "^seeds=2.5 is no whole number"),
    ],
)
def test_an_experiment_that_says_what_cannot_be_judged_is_refused(change, told):
    with pytest.raises(UserError, match=told):
        Experiment(**SAID | change)


@pytest.mark.usefixtures("unchecked")
def test_who_is_neither_for_nor_against_it_is_refused():
    stance: Any = "agress"
    with pytest.raises(UserError, match=r"""^stance='agress' is none of "agrees", "denies". Did you mean 'agrees'.$"""):
        Source(who="me", stance=stance)


def test_an_identity_may_be_exact_and_not_less_than_that():
    said: dict[str, Any] = {"statement": "a is b.", "sources": SOURCES, "scope": "numbers", "cases": list, "twin": list}
    assert Identity(**said, smallest_effect=0.0).smallest_effect == 0
    with pytest.raises(UserError, match="must be a size"):
        Identity(**said, smallest_effect=-1e-9)
