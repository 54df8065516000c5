"""The table of verbs is whole: what it names can be asked for, described and run by any shell."""

import dataclasses
import inspect

import pytest

from ganvas.core.errors import UserError
from ganvas.tasks import verbs
from ganvas.tasks.verbs import GROUPS, VERBS, find, members, verb_of


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_a_verb_takes_its_own_task_and_its_task_explains_itself(verb):
    assert dataclasses.is_dataclass(verb.task)
    first, *others = inspect.signature(verb.run).parameters.values()
    assert first.annotation is verb.task
    assert [other.name for other in others if other.default is inspect.Parameter.empty] == []
    assert verb.task.__doc__.partition("\n")[0].endswith(".")
    assert [one for one in VERBS if one.task is verb.task] == [verb]


def test_a_name_is_found_by_its_words_and_a_task_by_its_kind():
    for verb in VERBS:
        assert find([*verb.name.split(), "more", "--words"]) is verb
    assert verb_of(verbs.models.Models()).name == "models"


def test_verbs_of_two_words_are_those_of_the_groups_and_stand_together():
    in_groups = [verb.name for group in GROUPS for verb in members(group)]
    alone = {verb.name for verb in VERBS if " " not in verb.name}
    assert in_groups == [name for name in (verb.name for verb in VERBS) if " " in name and name.split()[0] not in alone]
    assert [find([group.name]) for group in GROUPS] == [None] * len(GROUPS)


def test_a_name_that_there_is_not_is_refused():
    with pytest.raises(UserError, match=r"no command 'data train'"):
        find(["data", "train"])
