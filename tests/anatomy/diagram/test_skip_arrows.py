"""Lines of skips: drawn where there is nothing to pass over, and never through the words of another."""

import itertools

import pytest
import torch
from torch import nn

from ganvas.anatomy.diagram.diagram import diagram, layout
from ganvas.anatomy.trace.trace import trace


def conv(before, after, **options):
    return nn.Conv2d(before, after, 3, padding=1, **options)


class Exchange(nn.Module):
    """Two streams that read one another after every layer: rows end where many lines are open."""

    def __init__(self, depth):
        super().__init__()
        self.start = nn.ModuleList([nn.Conv2d(3, 8, 8, 8), nn.Conv2d(3, 16, 16, 16)])
        self.a = nn.ModuleList([nn.Linear(8, 8) for _ in range(depth)])
        self.b = nn.ModuleList([nn.Linear(16, 16) for _ in range(depth)])
        self.ab = nn.ModuleList([nn.Linear(8, 16) for _ in range(depth)])
        self.ba = nn.ModuleList([nn.Linear(16, 8) for _ in range(depth)])

    def forward(self, x):
        a, b = (part(x).flatten(2).transpose(1, 2) for part in self.start)
        for one, other, across, back in zip(self.a, self.b, self.ab, self.ba, strict=True):
            a, b = a + one(a), b + other(b)
            first, second = a[:, :1], b[:, :1]
            a = torch.cat([back(second) + first, a[:, 1:]], 1)
            b = torch.cat([across(first) + second, b[:, 1:]], 1)
        return a.mean(1), b.mean(1)


@pytest.mark.slow
@pytest.mark.parametrize("width", [2.2, 3.3, 4.0, 5.0, 6.9])
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_two_streams_that_exchange_are_drawn_at_every_width(depth, width):
    graph = trace(Exchange(depth), (1, 3, 64, 64))
    assert diagram(graph, width_inches=width, fold=False).items
    for rail in layout(graph, width_inches=width, fold=False).rails:
        assert all(0 <= x <= width * 72 for x, _ in rail.points)


class Crossing(nn.Module):
    """A skip with layers on it, and a longer one that begins, or ends, under its middle."""

    def __init__(self, branch, late):
        super().__init__()
        self.first = conv(3, 8)
        self.row = nn.ModuleList([conv(8, 8) for _ in range(9)])
        self.branch = nn.Sequential(*[nn.Conv2d(8, 8, 1) for _ in range(branch)])
        self.late = late

    def forward(self, x):
        x = start = self.first(x)
        for number, layer in enumerate(self.row):
            x = layer(x)
            if number == (0 if self.late else 1):
                long = x
            if number == (3 if self.late else 0):
                start = x if self.late else start
            if number == (7 if self.late else 3):
                x = x + self.branch(start)
            if number == (5 if self.late else 7):
                x = x + long
        return x


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("branch", [1, 2, 3])
def test_no_line_runs_through_the_words_of_another_skip(branch, late):
    found = layout(trace(Crossing(branch, late), (1, 3, 64, 64)), width_inches=6.9, fold=False)
    words = [box for rail in found.rails for box, _ in rail.pills]
    assert len(words) == branch
    lines = [pair for rail in found.rails for pair in itertools.pairwise(rail.points)]
    uprights = [(x, y0, y1) for (x, y0), (x1, y1) in lines if x == x1]
    for left, top, right, bottom in words:
        for x, y0, y1 in uprights:
            assert not (left < x < right and min(y0, y1) < bottom and max(y0, y1) > top)
