"""What single operations read: never less than the support of the gradient, and exactly it where nothing is guessed."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from ganvas.anatomy.fields.axes import axes
from ganvas.anatomy.fields.receptive_field import field
from ganvas.anatomy.trace.trace import trace

SHAPE = (1, 3, 12, 12)


class Then(nn.Module):
    """A convolution of positive weights, and a function of what it gives."""

    def __init__(self, function, kernel=3):
        super().__init__()
        self.layer, self.function = nn.Conv2d(3, 4, kernel), function
        for parameter in self.parameters():
            nn.init.uniform_(parameter, 0.5, 1.0, generator=torch.Generator().manual_seed(0))

    def forward(self, x):
        return self.function(self.layer(x))


def reached(model, shape, index):
    """The places of a picture whose gradient is not zero, over several random pictures."""
    model, random, total = model.double(), torch.Generator().manual_seed(1), 0
    for _ in range(4):
        x = torch.rand(shape, generator=random, dtype=torch.float64).requires_grad_()
        part = model(x)[index]
        weights = torch.rand(part.shape, generator=random, dtype=torch.float64) + 0.5
        if part.requires_grad:
            (found,) = torch.autograd.grad((part * weights).sum(), x, allow_unused=True)
            total = total + (torch.zeros_like(x) if found is None else found.abs())
        else:
            total = total + torch.zeros_like(x).detach()
    return (total[0].sum(0) > 1e-12).numpy()


UNKNOWN = {
    "Fourier transform": lambda y: torch.fft.fft2(y).real,
    "permuted rows": lambda y: y.index_select(2, torch.arange(9, -1, -1, device=y.device)),
    "matrix inverse": lambda y: torch.linalg.inv(y + 9 * torch.eye(10, dtype=y.dtype, device=y.device)),
    "turned": lambda y: torch.rot90(y, 1, (2, 3)),
    "sorted": lambda y: y.sort(2).values,
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_is_not_known_to_work_element_by_element_reads_everything_and_is_named(name):
    model = Then(UNKNOWN[name])
    found = field(trace(model, SHAPE), unit=(2, 7))
    assert found.guessed
    assert np.all(found.pixels | ~reached(model, SHAPE, found.index))


@pytest.mark.parametrize(
    "function",
    [
        torch.zeros_like,
        lambda y: y.new_ones(y.shape),
        lambda y: torch.full_like(y, 2.0),
        lambda y: torch.rand_like(y),
    ],
)
def test_what_takes_only_a_shape_reads_no_values(function):
    found = field(trace(Then(function), SHAPE))
    assert (found.read, found.guessed, found.stride) == (0, (), ())


@pytest.mark.parametrize(
    "name", [n for n in nn.modules.activation.__all__ if n not in {"MultiheadAttention", "GLU", "Threshold"}]
)
def test_every_activation_of_torch_works_place_by_place(name):
    kind = getattr(nn, name)
    model = Then(kind(dim=1) if "dim" in kind.__init__.__code__.co_varnames else kind())
    found = field(trace(model, SHAPE))
    assert (found.read, found.guessed) == (9, ())


def test_the_network_of_every_known_operation_is_not_guessed():
    def many(y):
        y = torch.where(y > 0, y.clamp(min=0) ** 2, -y.abs()).masked_fill(y.isnan(), 0.0)
        y = F.dropout(torch.lerp(y, y.exp().sqrt(), 0.5)).floor() + y // 2 + y % 2 + (y > 1) * ~(y > 2)
        return torch.addcmul(y, y, y).nan_to_num().tril() + F.threshold(y, 0.1, 0.0) + F.logsigmoid(y)

    graph = trace(Then(many), SHAPE)
    assert field(graph).guessed == ()
    assert all(node.op != "_threshold" for node in graph.nodes)


def test_softmin_reads_along_its_axis():
    found = field(trace(Then(lambda y: F.softmin(y, dim=3)), SHAPE), unit=(4, 4))
    assert (found.read, found.guessed) == (3 * 12, ())


def causal(y):
    return F.scaled_dot_product_attention(*(y.flatten(2).transpose(1, 2),) * 3, is_causal=True)


EXACT = {
    "rolled": lambda y: y.roll((2, -3), (2, 3)),
    "rolled along channels": lambda y: y.roll(1, 1)[:, :1] + y,
    "repeated": lambda y: y.repeat(1, 1, 2, 3),
    "each repeated": lambda y: y.repeat_interleave(2, 2).repeat_interleave(3, dim=3),
    "mirrored": torch.fliplr,
    "mirrored columns": lambda y: y.transpose(0, 1).flipud().transpose(0, 1).flip(3),
    "shuffled channels": lambda y: F.channel_shuffle(y, 2),
    "halves of columns": lambda y: F.glu(y, 3),
    "sum so far": lambda y: y.cumsum(3),
    "sum so far, logarithms": lambda y: y.logcumsumexp(2),
    "p-norm": lambda y: F.lp_pool2d(y, 2, (3, 2), stride=(2, 1)),
    "windows": lambda y: y.unfold(2, 3, 2).sum(-1),
    "blocks": lambda y: F.unfold(y, (3, 2), dilation=(1, 2), padding=1, stride=(2, 1)).sum(1, keepdim=True),
    "blocks, channel by channel": lambda y: F.unfold(y, 3, padding=1).view(1, 4, 9, 10, 10).sum(2)[:, :2],
    "blocks and back": lambda y: F.fold(F.unfold(y, 3, padding=1, stride=2), (10, 10), 3, padding=1, stride=2),
    "einsum": lambda y: torch.einsum("n...w,wv->n...v", y, torch.ones(10, 10, dtype=y.dtype, device=y.device)),
    "einsum of both": lambda y: torch.einsum("nchw,nchv->nhwv", y, y),
    "einsum, its result left out": lambda y: torch.einsum("achw,achv", y, y),
    "matrix from the left": lambda y: torch.ones(10, 10, dtype=y.dtype, device=y.device) @ y,
    "matrix from the right": lambda y: y @ torch.ones(10, 10, dtype=y.dtype, device=y.device),
    "attention to a constant's keys": lambda y: F.scaled_dot_product_attention(
        torch.ones(1, 4, 5, 10, dtype=y.dtype, device=y.device), y, y
    ),
    "causal attention": causal,
    "bilinear, antialiased": lambda y: F.interpolate(y, size=(4, 3), mode="bilinear", antialias=True),
    "bicubic, antialiased": lambda y: F.interpolate(y, size=(3, 10), mode="bicubic", antialias=True),
}


@pytest.mark.parametrize("name", EXACT)
def test_what_is_known_is_exactly_the_support_of_the_gradient(name):
    model = Then(EXACT[name])
    graph = trace(model, SHAPE)
    sizes = axes(graph)[graph.output[0]].places(graph.nodes[graph.output[0]].shape)
    for share in (0.0, 0.4, 0.99):
        found = field(graph, unit=[int(share * size) for size in sizes])
        assert found.guessed == ()
        assert np.array_equal(found.pixels, reached(model, SHAPE, found.index))
        assert all(a <= b for a, (b, _) in zip(found.first, found.inside, strict=True))
        assert all(a >= b for a, (_, b) in zip(found.last, found.inside, strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("kind", [nn.GRU, nn.LSTM, nn.RNN])
@pytest.mark.parametrize(("both", "read"), [(False, 5), (True, 20)])
def test_a_recurrent_layer_reads_no_later_step_unless_it_runs_both_ways(kind, both, read):
    # The fifth of 20 steps.
    for first, shape in ((True, (1, 20, 6)), (False, (20, 1, 6))):
        graph = trace(kind(6, 4, num_layers=2, batch_first=first, bidirectional=both), shape)
        found = field(graph, unit=(4,))
        assert (found.size, found.read, found.guessed) == ((read,), read, ())


def test_an_unpooled_place_may_come_from_any_window_that_it_lies_in():
    class Both(nn.Module):
        def __init__(self):
            super().__init__()
            self.down, self.up = nn.MaxPool2d(3, 2, return_indices=True), nn.MaxUnpool2d(3, 2)

        def forward(self, x):
            return self.up(*self.down(x))

    # Rows 2 i to 2 i + 2 are window i: row 4 lies in windows 1 and 2, which read rows 2 to 6; row 5 in window 2 alone.
    graph = trace(Both(), (1, 1, 13, 13))
    assert [field(graph, unit=(row, 5)).size for row in (4, 5)] == [(5, 3), (3, 3)]
    assert field(graph).guessed == ()


def test_a_masked_attention_reads_what_no_trace_of_shapes_can_tell():
    class Masked(nn.Module):
        def __init__(self):
            super().__init__()
            self.attend = nn.MultiheadAttention(8, 2, batch_first=True)
            self.register_buffer("mask", torch.triu(torch.ones(10, 10), 1).bool())

        def forward(self, x, causal=False):
            return self.attend(x, x, x, attn_mask=self.mask, is_causal=causal, need_weights=False)[0]

    found = field(trace(Masked(), (1, 10, 8)), unit=(3,))
    assert (found.read, found.guessed) == (10, ("attend (multi_head_attention)",))
    found = field(trace(Masked(), (1, 10, 8), True), unit=(3,))
    assert (found.read, found.guessed) == (4, ())


def part_doubled(y):
    y[:, :2].mul_(2)
    return y


def channel_changed(y):
    y[:, 0].add_(1)
    return y


def row_cleared(y):
    y[:, :, 0].zero_()
    return y


def gathered(y):
    buffer = torch.zeros(1, 8, 10, 10, dtype=y.dtype, device=y.device)
    buffer[:, :4].copy_(y)
    buffer[:, 4:].copy_(y.flip(3))
    return buffer.relu()


@pytest.mark.parametrize("function", [part_doubled, channel_changed, row_cleared, gathered])
def test_what_is_written_through_a_view_leaves_the_rest_as_it_was(function):
    model = nn.Sequential(Then(function), nn.Conv2d(8 if function is gathered else 4, 1, 3, padding=1))
    nn.init.constant_(model[1].weight, 1.0)
    found = field(trace(model, SHAPE), unit=(5, 2))
    expected = reached(model, SHAPE, found.index)
    assert np.all(found.pixels | ~expected)
    if function in (part_doubled, gathered):
        assert found.guessed == ()
        assert np.array_equal(found.pixels, expected)
