import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganvas.core.config import coerce, from_plain, override, parse_changes, to_plain
from ganvas.core.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Inner:
    rate: float = 0.5


@dataclass(frozen=True, kw_only=True)
class Settings:
    resolution: int = 32
    lr: float = 1e-3
    loss: Literal["wgan-gp", "hinge"] = "wgan-gp"
    mirror: bool = False
    base: tuple[int, int] = (4, 4)
    widths: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    batch_at: Mapping[int, int] = field(default_factory=dict)
    group: int | None = 4
    label: str = "a"
    inner: Inner = Inner()

    def __post_init__(self) -> None:
        if self.resolution < 4:
            raise UserError("resolution must be at least 4.")


@dataclass(frozen=True, kw_only=True)
class Demanding:
    needed: int


@pytest.mark.parametrize(
    ("typed", "hint", "value"),
    [
        ("64", int, 64),
        ("1e3", int, 1000),
        (" -7 ", int, -7),
        (64.0, int, 64),
        ("0.002", float, 0.002),
        (1, float, 1.0),
        ("yes", bool, True),
        ("OFF", bool, False),
        (True, bool, True),
        ("hinge", Literal["wgan-gp", "hinge"], "hinge"),
        ("2", Literal[1, 2], 2),
        ("None", int | None, None),
        (None, int | None, None),
        ("8", int | None, 8),
        ("a", int | str, "a"),
        ("none", str, "none"),
        ("6x4", tuple[int, int], (6, 4)),
        ("(6, 4)", tuple[int, int], (6, 4)),
        ([6, 4], tuple[int, int], (6, 4)),
        ("", tuple[int, ...], ()),
        ("64,32,", tuple[int, ...], (64, 32)),
        ("max,pixel", tuple[str, ...], ("max", "pixel")),
        ("{256: 14, 512:6}", Mapping[int, int], {256: 14, 512: 6}),
        ({"256": 14}, dict[int, int], {256: 14}),
        ({"rate": 2}, Inner, Inner(rate=2.0)),
    ],
)
def test_text_and_json_become_the_type_of_the_field(typed: Any, hint: Any, value: Any):
    found = coerce(typed, hint, "field")
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("typed", "hint", "says"),
    [
        ("big", int, "field=big is not a whole number"),
        ("2.5", int, "not a whole number"),
        (True, int, "not a whole number"),
        ("fast", float, "field=fast is not a finite number"),
        ("nan", float, "not a finite number"),
        ("-inf", float, "not a finite number"),
        ("inf", int, "not a whole number"),
        (None, int, "field=None is not a whole number"),
        (None, int | str, "field=None"),
        (False, float, "not a finite number"),
        ("maybe", bool, "field=maybe is not true or false"),
        ("hing", Literal["wgan-gp", "hinge"], "Did you mean 'hinge'.* Choices: wgan-gp, hinge"),
        ("x", int | None, "field=x"),
        ("4", tuple[int, int], "has 1 values and needs 2, separated by commas"),
        (5, tuple[int, ...], "field=5"),
        ("4,a", tuple[int, int], "field=a is not a whole number"),
        ("8", Mapping[int, int], "KEY:VALUE"),
        (3, Mapping[int, int], "field=3"),
        ([1], Mapping[int, int], "KEY:VALUE"),
        ("8:x", Mapping[int, int], "field=x is not a whole number"),
        (3, str, "field=3 is not of the kind str"),
        ({"rat": 2}, Inner, "'rat'"),
        ("x", Inner, "of the kind Inner"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence_that_names_it(typed: Any, hint: Any, says: str):
    with pytest.raises(UserError, match=says):
        coerce(typed, hint, "field")


@given(st.integers(min_value=-(2**70), max_value=2**70))
def test_a_whole_number_keeps_every_digit(number: int):
    # A detour over a float would lose the digits beyond 2^53: seeds are longer.
    assert coerce(str(number), int, "seed") == number
    assert coerce(number, int, "seed") == number


def test_changes_are_made_on_a_copy():
    before = Settings()
    after = override(before, {"resolution": "64", "batch_at": "8:16", "group": "none"})
    assert (after.resolution, after.batch_at, after.group) == (64, {8: 16}, None)
    assert before == Settings()
    assert after == dataclasses.replace(before, resolution=64, batch_at={8: 16}, group=None)


def test_an_unknown_field_names_the_nearest_and_all():
    with pytest.raises(UserError, match=r"no field 'resolutoin'. Did you mean 'resolution'\? Fields: resolution, lr,"):
        override(Settings(), {"resolutoin": 64})


def test_a_change_is_validated_by_the_configuration_itself():
    with pytest.raises(UserError, match="at least 4"):
        override(Settings(), {"resolution": 2})


def test_changes_are_written_field_equals_value():
    assert parse_changes(["batch-size= 16 ", "label=a=b", "label=c"]) == {"batch_size": "16", "label": "c"}
    assert parse_changes([]) == {}


@pytest.mark.parametrize("text", ["resolution", "=3", " =3", ""])
def test_a_change_without_a_name_or_an_equals_sign_is_refused(text: str):
    with pytest.raises(UserError, match="FIELD=VALUE"):
        parse_changes([text])


@given(
    st.builds(
        Settings,
        resolution=st.integers(min_value=4),
        lr=st.floats(allow_nan=False, allow_infinity=False),
        loss=st.sampled_from(["wgan-gp", "hinge"]),
        mirror=st.booleans(),
        base=st.tuples(st.integers(), st.integers()),
        widths=st.lists(st.integers()).map(tuple),
        names=st.lists(st.text()).map(tuple),
        batch_at=st.dictionaries(st.integers(), st.integers()),
        group=st.none() | st.integers(),
        label=st.text(),
        inner=st.builds(Inner, rate=st.floats(allow_nan=False, allow_infinity=False)),
    )
)
def test_a_configuration_survives_a_journey_through_a_json_file(config: Settings):
    assert from_plain(Settings, json.loads(json.dumps(to_plain(config)))) == config


def test_a_field_of_another_version_is_named():
    with pytest.raises(UserError, match="field 'momentum' that this version does not know"):
        from_plain(Settings, {"momentum": 0.9})


def test_a_field_that_was_cut_out_is_named():
    with pytest.raises(UserError, match="has no field 'needed'"):
        from_plain(Demanding, {})


def test_a_field_that_is_newer_than_the_file_takes_its_default():
    assert from_plain(Settings, {"resolution": 8}) == Settings(resolution=8)
