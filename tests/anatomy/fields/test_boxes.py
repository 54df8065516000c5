"""Intervals of words that were a picture, of stacks and of what is written into, against the gradient's support."""

import pytest
import torch
from torch import nn

from ganvas.anatomy.fields.boxes import Strip, union
from ganvas.anatomy.fields.receptive_field import Field, cumulative, field
from ganvas.anatomy.table.table import table
from ganvas.anatomy.trace.trace import trace


class Net(nn.Module):
    """A network of one function of itself and the inputs, with parts."""

    def __init__(self, function, **parts):
        super().__init__()
        self.function = function
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, *inputs):
        return self.function(self, *inputs)


def moved(net, shape, found: Field):
    """The places of the input that the unit's gradient is not zero at; weights are ones, so that nothing cancels."""
    net = net.double()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.fill_(1.0)
    x = torch.rand(shape, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(net(x)[found.index].sum(), x)
    return gradient


def words(x):
    return x.flatten(2).transpose(1, 2)


def laid_out(t, side):
    return t.transpose(1, 2).reshape(t.shape[0], -1, side, side)


def mixed(net, x):
    """Segformer's: words, and a depthwise convolution of the picture that they were."""
    t = net.l(words(net.p(x)))
    return net.o(laid_out(net.m(words(net.d(laid_out(t, 8)))), 8))


def mix():
    deep = nn.Conv2d(4, 4, 3, padding=1, groups=4)
    return Net(mixed, p=nn.Conv2d(3, 4, 4, 4), l=nn.Linear(4, 4), d=deep, m=nn.Linear(4, 4), o=nn.Conv2d(4, 2, 1))


def test_words_of_a_picture_keep_its_rows_and_columns():
    net = mix()
    found = field(trace(net, (1, 3, 32, 32)))
    assert (found.size, found.first, found.last) == (
        (12, 12),
        (8, 8),
        (19, 19),
    )  # Three patches of four, around (3, 3).
    support = moved(net, (1, 3, 32, 32), found)[0].abs().sum(0) > 0
    assert (support.numpy() == found.pixels).all()
    assert found.read == 144


def test_a_class_token_before_the_words_does_not_hide_the_picture():
    def forward(net, x):
        t = torch.cat([net.token.expand(x.shape[0], 1, 4), words(net.p(x))], 1)
        near = words(net.d(laid_out(t[:, 1:], 8)))
        return laid_out(torch.cat([t[:, :1], t[:, 1:] + near], 1)[:, 1:], 8)

    net = Net(
        forward, p=nn.Conv2d(3, 4, 4, 4), d=nn.Conv2d(4, 4, 3, padding=1), token=nn.Parameter(torch.ones(1, 1, 4))
    )
    found = field(trace(net, (1, 3, 32, 32)))
    assert (found.size, found.first) == ((12, 12), (8, 8))
    assert ((moved(net, (1, 3, 32, 32), found)[0].abs().sum(0) > 0).numpy() == found.pixels).all()


def test_at_a_corner_the_words_go_on_beyond_the_border_as_the_picture_does():
    found = field(trace(mix(), (1, 3, 32, 32)), unit=(0, 0))
    assert (found.size, found.first) == ((12, 12), (-4, -4))
    assert found.read == 8 * 8


def test_windows_of_a_picture_are_read_whole():
    def forward(net, x):
        cut = x.view(1, 4, 4, 2, 4, 2).permute(0, 2, 4, 3, 5, 1).reshape(16, 4, 4)
        mean = cut.mean(1, keepdim=True).expand(16, 4, 4)  # All four places of each window.
        return mean.reshape(1, 4, 4, 2, 2, 4).permute(0, 5, 1, 3, 2, 4).reshape(1, 4, 8, 8)

    found = field(trace(Net(forward), (1, 4, 8, 8)), unit=(3, 3))
    assert (found.size, found.first, found.everywhere) == ((2, 2), (2, 2), False)


def test_boxes_of_one_picture_join_row_by_row():
    a, b = Strip(0, (8, 8), ((1, 3), (2, 2))), Strip(0, (8, 8), ((2, 4), (5, 6)))
    assert union((a,), (b,)) == (Strip(0, (8, 8), ((1, 4), (2, 6))),)
    assert union((a,), ((19, 21),)) == (Strip(0, (8, 8), ((1, 3), (2, 5))),)  # Words 19 to 21: row 2, columns 3 to 5.
    assert union((a,), ((-3, 2),)) == ((-3, 26),)  # Beyond the picture there are no rows: row 3, column 2 is word 26.


def steps(net, x):
    y = net.l(x)
    return torch.stack([y[:, t] * 2 for t in range(y.shape[1])], 1)


def scan(net, x):
    y, state, every = net.l(x), 0.0, []
    for t in range(y.shape[1]):
        state = 0.5 * state + y[:, t]
        every.append(state)
    return torch.stack(every, 1)


@pytest.mark.parametrize(("function", "read"), [(steps, 1), (scan, 4)])
def test_a_stack_of_steps_reads_as_their_concatenation(function, read):
    net = Net(function, l=nn.Linear(4, 4))
    found = field(trace(net, (2, 7, 4)))
    assert (found.size, found.read, found.guessed) == ((read,), read, ())
    assert ((moved(net, (2, 7, 4), found)[0].abs().sum(-1) > 0).numpy() == found.pixels).all()


def test_a_stack_of_frames_reads_its_own_frame():
    net = Net(lambda s, x: torch.stack([s.c(frame) for frame in x.unbind(2)], 2), c=nn.Conv2d(3, 4, 3, padding=1))
    found = field(trace(net, (1, 3, 5, 8, 8)))
    assert (found.size, found.read) == ((1, 3, 3), 9)


def test_a_constant_in_a_concatenation_or_a_stack_has_its_place():
    def joined(net, x):
        return torch.cat([torch.zeros(1, 4, 2), x], 2)

    found = field(trace(Net(joined), (1, 4, 6)), unit=(2,))
    assert found.first == (0,)  # Two zeros stand before it.

    def stacked(net, x):
        return torch.stack([torch.zeros(1, 4), x[:, :, 5]], 2)

    assert field(trace(Net(stacked), (1, 4, 6)), unit=(0,)).read == 0
    assert field(trace(Net(stacked), (1, 4, 6)), unit=(1,)).first == (5,)


@pytest.mark.parametrize(
    ("function", "axis"), [(torch.hstack, 1), (torch.dstack, 2), (torch.vstack, 0), (torch.column_stack, 1)]
)
def test_every_spelling_of_a_concatenation_has_its_axis(function, axis):
    node = trace(Net(lambda s, a, b: function([a, b])), (2, 3, 4, 5), (2, 3, 4, 5)).nodes[-1]
    assert (node.op, node.attributes["dim"]) == ("cat", axis)


def channel(net, x):
    z = net.b(net.a(x))
    z[:, 0] = z[:, 1] * 2
    return z


def rows(net, x):
    z = net.b(net.a(x))
    z[:, :, 2:9:3] = net.a(x)[:, :, :3]
    return z


def one_row(net, x):
    z = net.b(net.a(x))
    z[:, :, 5] = x.mean(1, keepdim=True)[:, :, 0] * 1.0
    return z


def through_a_view(net, x):
    z = net.b(net.a(x))
    z[:, 1].mul_(2)
    z[:, 0] += 1
    return z


@pytest.mark.parametrize("unit", [(5, 5), (2, 4), (6, 6)])
@pytest.mark.parametrize("function", [channel, rows, one_row, through_a_view])
def test_what_is_written_at_an_index_is_read_there_alone(function, unit):
    net = Net(function, a=nn.Conv2d(3, 4, 3, padding=1), b=nn.Conv2d(4, 4, 3, padding=1))
    found = field(trace(net, (1, 3, 12, 12)), unit=unit)
    assert ((moved(net, (1, 3, 12, 12), found)[0].abs().sum(0) > 0).numpy() == found.pixels).all()
    assert found.guessed == ()


def test_places_of_words_behind_a_change_of_shape_are_found():
    class Causal(nn.Module):
        def __init__(self):
            super().__init__()
            self.e, self.q, self.h = nn.Embedding(50, 16), nn.Linear(16, 48), nn.Linear(16, 50)

        def forward(self, words):
            t = self.e(words.view(-1, words.size(-1)))
            b, n, _ = t.shape
            q, k, v = (z.view(b, n, 2, 8).transpose(1, 2) for z in self.q(t).chunk(3, -1))
            made = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
            return self.h(t + made.transpose(1, 2).reshape(b, n, 16))

    found = field(trace(Causal(), torch.zeros(1, 32, dtype=torch.int64)), unit=(16,))
    assert (found.read, found.last) == (17, (16,))


@pytest.mark.parametrize("lifted", [lambda x: x[:, None], lambda x: x.unsqueeze(1), lambda x: x.view(-1, 1, 400)])
def test_a_waveform_that_gets_its_channel_in_forward_has_places(lifted):
    part = nn.Sequential(nn.Conv1d(1, 8, 10, stride=5), nn.ReLU(), nn.Conv1d(8, 8, 3))
    found = field(trace(Net(lambda s, x: s.c(lifted(x)), c=part), (1, 400)))
    assert (found.size, found.stride[0].pixels) == ((20,), 5)  # 10 + 2 * 5.


def squeezed(net, x):
    y = net.c(x)
    return net.d(y * torch.sigmoid(net.s(y.mean((2, 3), keepdim=True))))


def test_behind_a_squeeze_and_excitation_there_is_no_size():
    convs = {name: nn.Conv2d(3, 3, 3, padding=1) for name in ("c", "d")}
    net = nn.Sequential(nn.Conv2d(3, 3, 3, padding=1), Net(squeezed, s=nn.Conv2d(3, 3, 1), **convs))
    graph = trace(net, (1, 3, 16, 16))
    assert field(graph).everywhere
    assert not field(graph, "0").everywhere
    cells = [(row.module, row.reads_all) for row in table(graph).rows if row.layer == "Conv 3×3"]
    assert cells == [("0", False), ("1.c", False), ("1.d", True)]
    assert "all: the whole input" in table(graph).field


def test_a_mean_that_a_network_ends_in_is_a_window_as_large_as_the_map():
    net = nn.Sequential(nn.Conv2d(3, 4, 3, 2, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))
    graph = trace(net, (1, 3, 16, 16))
    assert not any(row.reads_all for row in table(graph).rows)
    assert cumulative(graph)[graph.output[0]] == (17, 17)  # Eight windows of three, two apart.
