import dataclasses
from types import SimpleNamespace

import pytest
import torch

from ganvas.core.errors import UserError
from ganvas.tasks.measuring import half_precision
from ganvas.tasks.measuring.half_precision import require_agreement
from ganvas.tasks.measuring.picture_options import PictureOptions


@dataclasses.dataclass
class Network:
    """The mean of each channel, off by ``error`` of itself: a distance of means and spreads that can be worked out."""

    identity: str
    error: float = 0.0
    taps: tuple[str, ...] = ("features",)
    seen: list[int] = dataclasses.field(default_factory=list)

    def extract(self, pictures, taps):
        self.seen.append(len(pictures))
        return {"features": pictures.double().mean((2, 3)) * (1 + self.error)}


def side(n, *, seed):
    pictures = torch.randint(0, 256, (n, 3, 4, 4), generator=torch.Generator().manual_seed(seed), dtype=torch.uint8)
    return SimpleNamespace(batches=lambda start, stop, of: iter(pictures[start:stop].split(7)))


def found(half, monkeypatch, *, whole="inception@12345678:tf1", sides=2, n=40, precision="bfloat16"):
    task = PictureOptions(precision=precision)
    networks = SimpleNamespace(of=lambda names: (dict.fromkeys(names, Network(whole)), {}))
    monkeypatch.setattr(half_precision, "_in_float32", lambda task, metrics: networks)
    given = [side(50, seed=seed) for seed in range(sides)]
    return require_agreement(task, given, {"fid": half, "kid": half}, ["fid", "kid"], n=n)


def test_what_it_moves_is_said_once_for_each_network(monkeypatch):
    half = Network("inception@12345678:tf1:bf16", error=1e-6)
    (note,) = found(half, monkeypatch)
    assert "Fréchet distance of inception on 40 pictures" in note
    assert half.seen == [40, 40]


@pytest.mark.parametrize("n", [40, 45])
def test_features_that_move_it_by_too_much_are_refused(n, monkeypatch):
    # All features of both sides 2 % larger: every Fréchet distance grows by 1.02^2, some 4 %.
    with pytest.raises(UserError, match=r"by more than 0\.01\. Measure in float32") as refused:
        found(Network("inception@12345678:tf1:bf16", error=0.02), monkeypatch, n=n)
    words = str(refused.value).replace(",", " ").split()
    before, after = (float(words[words.index(word) + 1]) for word in ("from", "to"))
    assert after / before == pytest.approx(1.02**2, rel=1e-4)  # Six digits are printed.


def test_other_networks_are_held_to_a_part_of_the_distance(monkeypatch):
    assert found(Network("clip@1:bf16", error=4e-4), monkeypatch, whole="clip@1")  # 1.0004^2: 0.8 thousandths.
    with pytest.raises(UserError, match="moves the Fréchet distance of clip"):
        found(Network("clip@1:bf16", error=6e-4), monkeypatch, whole="clip@1")


def test_one_side_is_compared_with_itself_by_halves(monkeypatch):
    half = Network("inception@12345678:tf1:bf16")
    (note,) = found(half, monkeypatch, sides=1)
    assert "on 20 pictures of each side" in note
    assert half.seen == [20, 20]


def test_no_more_than_the_first_pictures_are_looked_at(monkeypatch):
    monkeypatch.setattr(half_precision, "PROBE", 10)
    half = Network("inception@12345678:tf1:bf16")
    found(half, monkeypatch)
    assert half.seen == [10, 10]


def test_float32_is_not_looked_at(monkeypatch):
    half = Network("inception@12345678:tf1")
    assert found(half, monkeypatch, precision="float32") == []
    assert found(half, monkeypatch, sides=0) == []
    assert half.seen == []
