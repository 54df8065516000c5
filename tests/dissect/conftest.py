"""A generator whose units are known: on 16 units of 8x8, units 0 and 1 paint red, 2 green, the others a faint blue."""

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganvas.dissect.labellers.rules import Rule
from ganvas.dissect.places import numbered
from ganvas.dissect.subject import Inputs, Subject

UNITS, SIDE = 16, 8


class Planted(nn.Module):
    """``z`` (n, 16, 8, 8) is what the units say, after a ReLU that is a function; the picture is twice as large."""

    def __init__(self) -> None:
        super().__init__()
        self.paint = nn.Conv2d(UNITS, 3, 1, bias=False)
        with torch.no_grad():
            self.paint.weight.zero_()
            self.paint.weight[0, :2] = 1.0
            self.paint.weight[1, 2] = 1.0
            self.paint.weight[2, 3:15] = 0.02  # Unit 15 paints nothing.

    def forward(self, z: Tensor) -> Tensor:
        x = F.relu(z)
        x = F.interpolate(self.paint(x), scale_factor=2, mode="nearest")
        return 2 * x.clamp(0, 1) - 1


def planted_inputs(of: str, start: int, stop: int) -> Inputs:
    """Blocks of 2x2 units, each active with probability 0.08, and noise below 0."""
    rows = []
    for row in range(start, stop):
        generator = torch.Generator().manual_seed(hash_of(of) + row)
        on = torch.rand(UNITS, SIDE // 2, SIDE // 2, generator=generator) < 0.08
        on[1] = on[0]
        noise = -0.1 * torch.rand(UNITS, SIDE, SIDE, generator=generator)
        rows.append(torch.where(on.repeat_interleave(2, 1).repeat_interleave(2, 2), 1.0 + noise, noise))
    return (torch.stack(rows),)


def hash_of(text: str) -> int:
    return sum(map(ord, text)) * 100_000


def red_green() -> Rule:
    """Red, green, or other."""

    def rule(images: Tensor) -> Tensor:
        red, green = images[:, 0] > 0, images[:, 1] > 0
        return torch.where(red, 1, torch.where(green, 2, 0))

    return Rule(identity="red-green", labels=("other", "red", "green"), rule=rule)


@dataclass(frozen=True)
class PlantedCase:
    """The planted generator with its labeller."""

    subject: Subject
    labeller: Rule


@pytest.fixture(scope="session")
def planted() -> PlantedCase:
    network = Planted().eval()
    given = planted_inputs("numbering", 0, 2)
    subject = Subject(
        name="planted",
        kind="draws",
        whose="made by hand",
        network=network,
        module=network,
        numbering=numbered(network, given, {}, name="planted"),
        series=planted_inputs,
        size=(2 * SIDE, 2 * SIDE),
        channels=3,
    )
    return PlantedCase(subject, red_green())
