import pytest

from ganvas.core.errors import UserError
from ganvas.core.ranges import LogUniform, OneOf, Uniform, parse_ranges


def test_what_is_written_is_what_is_read_again():
    texts = ["lr=1e-05..0.01:log", "beta1=0..0.9", "critic_moves=1,5"]
    parsed = parse_ranges(texts)
    assert [f"{name}={one}" for name, one in parsed.items()] == texts
    assert list(map(type, parsed.values())) == [LogUniform, Uniform, OneOf]


def test_a_third_of_a_logarithmic_range_is_a_decade_of_three():
    assert LogUniform(1e-5, 1e-2).at(1 / 3) == pytest.approx(1e-4)
    assert Uniform(2.0, 4.0).at(0.25) == 2.5


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("lr", "is written"),
        ("lr=", "is written"),
        ("lr=2..1", "is empty"),
        ("lr=0..1:log", "numbers above 0"),
        ("lr=a..b", "must be numbers"),
        ("lr=1..2:linear", "only log"),
        ("lr=nan..1", "is empty"),
    ],
)
def test_a_range_that_cannot_be_is_refused(text, said):
    with pytest.raises(UserError, match=said):
        parse_ranges([text])
