"""Which axis is features and which is batch, as torch's documentation of the operations that touch a tensor says."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from ganvas.anatomy.fields.axes import axes
from ganvas.anatomy.trace.trace import trace


def of_input_and_output(model: nn.Module, *inputs) -> list[tuple[int | None, int]]:
    graph = trace(model, *inputs)
    found = axes(graph)
    return [(found[index].features, found[index].batch) for index in (0, *graph.output)]


@pytest.mark.parametrize(
    ("model", "shape", "expected"),
    [
        (nn.Linear(128, 10), (2, 50, 128), 2),
        (nn.LayerNorm(128), (2, 50, 128), 2),
        (nn.Sequential(nn.ReLU(), nn.Dropout(), nn.Linear(128, 10)), (2, 50, 128), 2),
        (nn.Linear(128, 10), (2, 5, 6, 128), 3),
        (nn.Conv1d(50, 8, 3), (2, 50, 128), 1),
        (nn.BatchNorm1d(50), (2, 50, 128), 1),
        (nn.GroupNorm(5, 50), (2, 50, 128), 1),
        (nn.Sequential(nn.ReLU(), nn.AvgPool1d(2)), (2, 50, 128), 1),
        (nn.Conv2d(3, 8, 3), (2, 3, 32, 32), 1),
    ],
)
def test_features_are_where_the_operation_takes_them(model, shape, expected):
    assert of_input_and_output(model, shape) == [(expected, 0)] * 2


@pytest.mark.slow
@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize(
    "make",
    [
        lambda batch_first: nn.TransformerEncoderLayer(32, 4, 64, batch_first=batch_first),
        lambda batch_first: nn.LSTM(32, 16, 2, batch_first=batch_first, bidirectional=True),
        lambda batch_first: nn.GRU(32, 16, batch_first=batch_first),
    ],
)
def test_attention_and_recurrence_count_the_batch_where_torch_does(make, batch_first):
    # torch: (batch, sequence, feature) if batch_first, else (sequence, batch, feature).
    expected = (2, 0 if batch_first else 1)
    assert of_input_and_output(make(batch_first), (7, 50, 32))[:2] == [expected] * 2


def test_words_have_places_and_no_features():
    model = nn.Sequential(nn.Embedding(100, 8), nn.Linear(8, 3))
    assert of_input_and_output(model, torch.zeros(2, 50, dtype=torch.long)) == [(None, 0), (2, 0)]


class Patches(nn.Module):
    """A picture cut into words, as a vision transformer does."""

    def __init__(self):
        super().__init__()
        self.cut, self.mix, self.head = nn.Conv2d(3, 8, 4, 4), nn.Linear(8, 8), nn.Linear(8, 5)

    def forward(self, x):
        words = self.cut(x).flatten(2).transpose(1, 2)
        return self.head(F.gelu(self.mix(words)).mean(1))


class ChannelsLast(nn.Module):
    """Linear maps on the last axis between permutations, as ConvNeXt has."""

    def __init__(self):
        super().__init__()
        self.wide, self.norm, self.mix = nn.Conv2d(8, 8, 7, padding=3, groups=8), nn.LayerNorm(8), nn.Linear(8, 8)

    def forward(self, x):
        return x + self.mix(self.norm(self.wide(x).permute(0, 2, 3, 1))).permute(0, 3, 1, 2)


def test_features_are_followed_through_permutations_and_changes_of_shape():
    graph = trace(Patches(), (1, 3, 32, 32))
    found = {node.op: a.features for node, a in zip(graph.nodes, axes(graph), strict=True)}
    assert found["conv2d"] == 1
    assert found["reshape"] == 1  # flatten(2): 8 channels, then 64 places.
    assert found["permute"] == found["gelu"] == 2
    assert found["mean"] == 1  # A vector of features again.
    graph = trace(ChannelsLast(), (1, 8, 16, 16))
    by_op = [(node.op, a.features) for node, a in zip(graph.nodes, axes(graph), strict=True)]
    inside = [("permute", 3), ("layer_norm", 3), ("linear", 3), ("permute", 1)]
    assert by_op == [("input", 1), ("conv2d", 1), *inside, ("add", 1)]


def test_what_nothing_tells_is_taken_as_channels_first_and_said():
    (only, _) = axes(trace(nn.ReLU(), (2, 50, 128)))
    assert (only.features, only.batch, only.told) == (1, 0, False)
    assert only.places((2, 50, 128)) == (128,)
    (vector, _) = axes(trace(nn.ReLU(), (2, 50)))
    assert (vector.features, vector.told) == (1, True)
