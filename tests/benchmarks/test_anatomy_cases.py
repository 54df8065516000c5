"""The hand formulas that tools are judged by in ``benchmarks/anatomy.py``, and the judgement."""

import importlib
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def benchmark():
    sys.path.insert(0, str(FOLDER))
    try:
        yield importlib.import_module("anatomy")
    finally:
        sys.path.remove(str(FOLDER))


@pytest.mark.slow
def test_ganvas_says_what_the_hand_formulas_say_of_every_case(benchmark):
    said = benchmark.measured("ganvas", list(benchmark.CASES))
    for name, case in benchmark.CASES.items():
        assert {key: said[name][key] for key in case.right} == case.right, name
    assert benchmark.faults({"ganvas": said})[1]["ganvas"][0] == 0


def test_published_sizes_are_among_them(benchmark):
    # Karras et al. 2018: 23.1M; torchvision's page of ResNet-50: 4.09 GFLOPS, 25557032 parameters.
    right = {name: case.right for name, case in benchmark.NETS.items()}
    assert round(right["ProGAN-1024 generator"]["parameters"] / 1e6, 1) == 23.1
    assert (round(right["ResNet-50"]["macs"] / 1e9, 2), right["ResNet-50"]["parameters"]) == (4.09, 25_557_032)


def test_a_figure_is_right_or_right_by_another_convention_or_wrong(benchmark):
    assert benchmark.judged(None, 1000, 10) == ("–", False)
    assert benchmark.judged(1000, 1000, 10) == ("1,000", False)
    assert benchmark.judged(1010, 1000, 10) == ("*1,010*", False)
    assert benchmark.judged(1011, 1000, 10) == ("**1,011**", True)
    assert benchmark.judged(0, 1000, 10) == ("**0**", True)
