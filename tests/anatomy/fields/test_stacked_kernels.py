"""Stacks of small kernels: VGG's counts, work by hand, equal fields."""

import pytest
import torch

from ganvas.anatomy.fields.stacked_kernels import compare_kernels
from ganvas.core.errors import UserError


def by_name(**how):
    return {stack.name: stack for stack in compare_kernels(**how)}


def test_vggs_counts():
    # Simonyan & Zisserman 2015, section 2.3: 27 C^2 against 49 C^2, 81 % more; 18 against 25.
    seven, five = by_name(channels=16, size=14), by_name(channels=16, size=14, large=5)
    assert (seven["7x7"].per_square, seven["3 x 3x3"].per_square) == (49, 27)
    assert (five["5x5"].per_square, five["2 x 3x3"].per_square) == (25, 18)
    assert seven["3 x 3x3"].more_parameters == pytest.approx(22 / 27)
    assert seven["7x7"].more_parameters == 0


def test_work_by_hand():
    c, s = 8, 10
    found = by_name(channels=c, size=s)
    per_pixel = {
        "7x7": 49 * c * c,
        "3 x 3x3": 27 * c * c,
        "1x7, 7x1": 14 * c * c,
        "7x7 depthwise, 1x1": 49 * c + c * c,
        "3 x 3x3 depthwise, 1x1": 3 * (9 * c + c * c),
    }
    assert {name: stack.macs for name, stack in found.items()} == {n: v * s * s for n, v in per_pixel.items()}
    assert {name: stack.parameters for name, stack in found.items()} == per_pixel
    assert [stack.layers for stack in found.values()] == [1, 3, 2, 2, 6]
    assert found["3 x 3x3"].activations == 3 * c * s * s


@pytest.mark.parametrize("large", [3, 5, 7, 9, 13])
def test_all_see_as_far(large):
    found = compare_kernels(channels=4, size=56, large=large)
    assert {stack.field for stack in found} == {large}
    assert len(found) == (3 if large == 3 else 5)


@pytest.mark.slow
def test_the_time_is_by_the_large_kernel_and_says_its_threads():
    threads = torch.get_num_threads()
    found = compare_kernels(channels=4, size=8, timed=True, threads=1)
    assert found[0].time.ratio == 1
    assert all(stack.time.seconds > 0 and stack.time.threads == 1 for stack in found)
    assert all(stack.time.lower <= stack.time.ratio <= stack.time.upper for stack in found)
    assert torch.get_num_threads() == threads
    assert compare_kernels(channels=4, size=8)[0].time is None


@pytest.mark.parametrize(
    ("how", "said"),
    [({"channels": 0}, "channels=0"), ({"large": 4}, "odd"), ({"large": 1}, "odd"), ({"threads": 0}, "threads=0")],
)
def test_what_cannot_be_compared_is_refused(how, said):
    with pytest.raises(UserError, match=said):
        compare_kernels(**how)
