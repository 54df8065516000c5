"""Where a figure puts a normalisation, and how it reads sequences: on networks whose every edge is known by hand."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from ganvas.anatomy.diagram.blocks import Block, blocks
from ganvas.anatomy.diagram.diagram import diagram, layout
from ganvas.anatomy.diagram.order import ordered
from ganvas.anatomy.trace.trace import trace
from ganvas.report.drawing.drawing import Text, bounds

SEQUENCE = (1, 50, 32)


class PreActivation(nn.Module):
    """``x + conv(relu(norm(conv(relu(norm(x))))))`` (He et al. 2016, Identity Mappings, figure 1b)."""

    def __init__(self, before: int, channels: int, stride: int = 1):
        super().__init__()
        self.norm1, self.conv1 = nn.BatchNorm2d(before), nn.Conv2d(before, channels, 3, stride, 1)
        self.norm2, self.conv2 = nn.BatchNorm2d(channels), nn.Conv2d(channels, channels, 3, 1, 1)
        self.project = nn.Conv2d(before, channels, 1, stride) if stride > 1 else None

    def forward(self, x):
        h = F.relu(self.norm1(x))
        skip = x if self.project is None else self.project(h)
        return skip + self.conv2(F.relu(self.norm2(self.conv1(h))))


class PostActivation(nn.Module):
    """``relu(x + norm(conv(relu(norm(conv(x))))))`` (He et al. 2016, Deep Residual Learning, figure 2)."""

    def __init__(self):
        super().__init__()
        self.conv1, self.norm1 = nn.Conv2d(8, 8, 3, 1, 1), nn.BatchNorm2d(8)
        self.conv2, self.norm2 = nn.Conv2d(8, 8, 3, 1, 1), nn.BatchNorm2d(8)

    def forward(self, x):
        return F.relu(x + self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x))))))


class Attends(nn.Module):
    def __init__(self):
        super().__init__()
        self.qkv, self.out = nn.Linear(32, 96), nn.Linear(32, 32)

    def forward(self, x):
        q, k, v = (part.unflatten(-1, (4, 8)).transpose(1, 2) for part in self.qkv(x).chunk(3, -1))
        return self.out(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


class LongSkip(nn.Module):
    """Long enough to wrap, with a skip from the first row to the last, in rows that fill the page."""

    def __init__(self, c: int = 32):
        super().__init__()
        self.stem, self.down = nn.Conv2d(3, c, 3, 1, 1), nn.Conv2d(c, c, 3, 2, 1)
        self.inner = nn.ModuleList(nn.Conv2d(c, c, 3 if i % 2 else 1, 1, i % 2) for i in range(16))
        self.out = nn.Conv2d(2 * c, 3, 3, 1, 1)

    def forward(self, x):
        h = self.stem(x)
        y = self.down(h)
        for layer in self.inner:
            y = layer(y)
        return self.out(torch.cat([h, F.interpolate(y, scale_factor=2)], 1))


def drawn(model: nn.Module, *inputs) -> list[tuple[str, str, tuple[int, ...]]]:
    """Kind, marks and inputs of every block."""
    found = blocks(trace(model, *inputs))
    return [(block.kind, "".join(sorted(side[0] for side in block.normed)), block.inputs) for block in found]


def test_a_norm_that_only_a_branch_reads_is_drawn_in_the_branch_and_the_skip_starts_before_it():
    model = nn.Sequential(nn.Conv2d(3, 8, 3, 1, 1), PreActivation(8, 8), PreActivation(8, 8))
    first = [("plain", "", (0,)), ("plain", "ab", (1,)), ("plain", "", (2,)), ("merge", "", (1, 3))]
    second = [("plain", "ab", (4,)), ("plain", "", (5,)), ("merge", "", (4, 6))]
    assert drawn(model, (1, 3, 16, 16)) == [("input", "", ()), *first, *second]


def test_a_norm_that_branch_and_projection_read_is_drawn_before_both():
    model = nn.Sequential(nn.Conv2d(3, 8, 3, 1, 1), PreActivation(8, 8), PreActivation(8, 16, 2))
    # 4 is the sum, 5 its norm; the projection and the first convolution read that.
    assert drawn(model, (1, 3, 16, 16))[5:] == [
        ("normalisation", "", (4,)),
        ("plain", "", (5,)),
        ("plain", "a", (5,)),
        ("plain", "", (7,)),
        ("merge", "", (6, 8)),
    ]


class Branches(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm, self.a, self.b = nn.BatchNorm2d(3), nn.Conv2d(3, 8, 3), nn.Conv2d(3, 8, 3)

    def forward(self, x):
        h = self.norm(x)
        return self.a(h) + self.b(h)


def test_a_norm_of_the_input_that_two_branches_read_is_drawn_before_both():
    expected = [("input", "", ()), ("normalisation", "", (0,)), ("plain", "", (1,)), ("plain", "", (1,))]
    assert drawn(Branches(), (1, 3, 16, 16)) == [*expected, ("merge", "", (2, 3))]


def test_norms_after_their_layers_are_marks_as_before():
    model = nn.Sequential(nn.Conv2d(3, 8, 3, 1, 1), PostActivation())
    assert drawn(model, (1, 3, 16, 16)) == [
        ("input", "", ()),
        ("plain", "", (0,)),
        ("plain", "a", (1,)),
        ("plain", "a", (2,)),
        ("merge", "", (1, 3)),
    ]


def test_a_norm_after_a_sum_is_drawn_after_the_sum_and_the_next_skip_starts_behind_it():
    # Vaswani et al. 2017, section 3.1: LayerNorm(x + Sublayer(x)).
    layer = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True)
    once = [("attention", (0,)), ("merge", (0, 1)), ("normalisation", (2,)), ("linear", (3,)), ("linear", (4,))]
    once += [("merge", (3, 5)), ("normalisation", (6,))]
    found = drawn(layer, SEQUENCE)
    assert [(kind, inputs) for kind, _, inputs in found] == [("input", ()), *once]
    assert not any(marks for _, marks, _ in found)


def test_a_pre_norm_transformer_has_its_norms_in_the_branches_and_the_last_after_the_last_sum():
    layer = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True, norm_first=True)
    model = nn.TransformerEncoder(layer, 1, norm=nn.LayerNorm(32), enable_nested_tensor=False)
    assert drawn(model, SEQUENCE) == [
        ("input", "", ()),
        ("attention", "b", (0,)),
        ("merge", "", (0, 1)),
        ("linear", "b", (2,)),
        ("linear", "", (3,)),
        ("merge", "", (2, 4)),
        ("normalisation", "", (5,)),
    ]


@pytest.mark.parametrize("norm_first", [True, False])
def test_transformer_layers_fold_whatever_reads_the_last_norm(norm_first):
    layer = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True, norm_first=norm_first)
    encoder = nn.TransformerEncoder(layer, 3, enable_nested_tensor=False)
    order = ordered(blocks(trace(nn.Sequential(encoder, nn.Linear(32, 100)), SEQUENCE)))
    assert [(group.length, group.times) for group in order.groups] == [(5 if norm_first else 7, 3)]
    assert order.layers() == 3 * 3 + 1


class Excited(nn.Module):
    """``x + conv(h * sigmoid(linear(mean(h))))`` with ``h = conv(x)`` (Hu et al. 2018, figure 3)."""

    def __init__(self):
        super().__init__()
        self.conv, self.gate, self.out = nn.Conv2d(8, 8, 3, 1, 1), nn.Linear(8, 8), nn.Conv2d(8, 8, 1)

    def forward(self, x):
        h = self.conv(x)
        return x + self.out(h * torch.sigmoid(self.gate(h.mean((2, 3))))[:, :, None, None])


def test_squeeze_and_excitation_is_no_u():
    made = layout(trace(nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), Excited(), Excited()), (1, 3, 32, 32)))
    assert len({box.y for box in made.boxes}) == 1  # One row, all in the middle of it.


class Gated(nn.Module):
    def __init__(self):
        super().__init__()
        self.feature, self.gate, self.norm = nn.Conv2d(3, 8, 3), nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8)

    def forward(self, x):
        return F.elu(self.norm(self.feature(x))) * torch.sigmoid(self.gate(x))


def test_a_norm_inside_a_gate_marks_the_gated_box():
    assert drawn(Gated(), (1, 3, 16, 16)) == [("input", "", ()), ("gated", "a", (0,))]


def sized(model: nn.Module, *inputs) -> list[tuple[int, tuple[int, ...]]]:
    found = layout(trace(model, *inputs)).boxes
    return [(box.block.channels, box.block.size) for box in found]


def test_a_sequence_is_as_high_as_it_is_long_and_as_wide_as_its_features():
    model = nn.Sequential(nn.Linear(32, 64), nn.ReLU(), nn.LayerNorm(64), nn.Linear(64, 8))
    assert sized(model, SEQUENCE) == [(32, (50,)), (64, (50,)), (8, (50,))]
    assert sized(nn.Conv1d(50, 8, 3, padding=1), SEQUENCE) == [(50, (32,)), (8, (32,))]


@pytest.mark.parametrize(("batch_first", "shape"), [(True, (7, 50, 32)), (False, (50, 7, 32))])
def test_transformers_are_drawn_alike_whichever_axis_comes_first(batch_first, shape):
    layer = nn.TransformerEncoderLayer(32, 4, 64, batch_first=batch_first)
    widths = [32, 32, 32, 32, 64, 32, 32, 32]  # Input, attention, sum, norm, the two linear maps, sum, norm.
    assert sized(layer, shape) == [(width, (50,)) for width in widths]


def test_words_and_what_looks_them_up_are_drawn():
    made = layout(trace(nn.Sequential(nn.Embedding(100, 32), nn.Linear(32, 8)), torch.zeros(1, 50, dtype=torch.long)))
    assert [(box.block.kind, box.number, box.block.text) for box in made.boxes] == [
        ("input", "", ""),
        ("linear", "32", "embed"),
        ("linear", "8", ""),
    ]


class Twice(nn.Module):
    def __init__(self):
        super().__init__()
        self.attend = Attends()

    def forward(self, x):
        return self.attend(self.attend(x))


def test_a_module_that_attends_and_runs_twice_is_two_boxes():
    made: tuple[Block, ...] = blocks(trace(Twice(), SEQUENCE))
    assert [(block.kind, block.inputs) for block in made] == [("input", ()), ("attention", (0,)), ("attention", (1,))]
    layer = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True)
    order = ordered(blocks(trace(nn.Sequential(layer, layer, layer), SEQUENCE)))
    assert [(group.length, group.times) for group in order.groups] == [(7, 3)]


@pytest.mark.parametrize(
    ("model", "shape"),
    [
        (nn.Sequential(*(PreActivation(8, 8) for _ in range(3)), PreActivation(8, 16, 2)), (1, 8, 16, 16)),
        (nn.TransformerEncoderLayer(32, 4, 64, batch_first=True), SEQUENCE),
        (LongSkip(), (1, 3, 64, 64)),
    ],
)
@pytest.mark.parametrize("width", [2.0, 2.6, 3.3])
def test_all_of_it_is_on_the_page(model, shape, width):
    drawing = diagram(trace(model, shape), width_inches=width, shape="rows", fold=False)
    for item in drawing.items:
        left, _, right, _ = bounds(item)
        assert left >= 0, item
        assert right <= drawing.width, item


def test_the_legend_names_a_norm_that_stands_alone_and_axes_that_nothing_tells():
    def words(model: nn.Module, *inputs) -> str:
        return " ".join(i.text for i in diagram(trace(model, *inputs)).items if isinstance(i, Text)).replace(
            "\xa0", " "
        )

    assert "normalisation" in words(nn.TransformerEncoderLayer(32, 4, 64, batch_first=True), SEQUENCE)
    assert "axes" not in words(nn.Linear(32, 8), SEQUENCE)
    assert "axes that nothing tells: batch, channels, places" in words(Doubled(), SEQUENCE)


class Doubled(nn.Module):
    """A product that neither reads nor makes features by any rule of torch."""

    def forward(self, x):
        return torch.softmax(x @ x.transpose(1, 2), -1) @ x
