"""Receptive fields: sets against the gradient of random networks, intervals against published figures."""

import importlib
import random

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from ganvas.anatomy.fields.exact_set import support
from ganvas.anatomy.fields.receptive_field import cumulative, field, find
from ganvas.anatomy.loading.load import specimens
from ganvas.anatomy.trace.trace import trace
from ganvas.core.errors import UserError
from ganvas.models.gan import dcgan, progan


class Drawn(nn.Module):
    """A random graph of linear operations with positive weights: branches, skips, strides, holes, ups and downs."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.random = random.Random(seed)
        self.steps = nn.ModuleList()
        self.plan = [self._step() for _ in range(self.random.randint(2, 6))]

    def _step(self):
        pick = self.random.choice
        kind = pick(
            ["conv", "conv", "conv", "transposed", "pool", "resize", "pad", "branch", "shuffle", "slice", "across"]
        )
        if kind in ("conv", "branch"):
            layer = nn.Conv2d(4, 4, (pick([1, 2, 3]), pick([1, 3, 4])), stride=pick([1, 1, 2]), padding=pick([0, 1, 2]),
                              dilation=pick([1, 2, 3]), groups=pick([1, 2, 4]))  # fmt: skip
        elif kind == "transposed":
            stride = pick([1, 2, 3])
            layer = nn.ConvTranspose2d(
                4,
                4,
                pick([1, 2, 3, 4]),
                stride=stride,
                padding=pick([0, 1]),
                output_padding=pick(range(stride)),
                dilation=pick([1, 2]),
                groups=pick([1, 2]),
            )
        elif kind == "across":
            layer = nn.Conv2d(4, 4, 3, padding=1)
        elif kind == "shuffle":
            layer = nn.Conv2d(4, 16, 1, groups=4)
        else:
            layer = nn.Identity()
        self.steps.append(layer)
        how = {
            "pool": pick(["avg", "adaptive", "ceil"]),
            "resize": pick(["nearest", "bilinear", "bicubic", "align", "nearest-exact", "area"]),
            "pad": pick(["constant", "replicate", "reflect", "circular"]),
            "slice": pick(["step", "flip", "crop", "channels"]),
            "across": pick(["mean", "permute", "attend"]),
        }.get(kind, "")
        return kind, how, pick([0.5, 1.5, 2, 3])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer, (kind, how, scale) in zip(self.steps, self.plan, strict=True):
            x = self._apply_one(x, layer, kind, how, scale)
        return x

    def _apply_one(self, x, layer, kind, how, scale):
        if min(x.shape[2:]) < 8 or max(x.shape[2:]) > 60:
            return x
        if kind == "pool":
            if how == "adaptive":
                return F.adaptive_avg_pool2d(x, (x.shape[2] * 2 // 3, 5))
            return F.avg_pool2d(x, 3, 2, 1, ceil_mode=how == "ceil")
        if kind == "resize":
            mode, corners = {
                "align": ("bilinear", True),
                "bilinear": ("bilinear", False),
                "bicubic": ("bicubic", False),
            }.get(how, (how, None))
            return F.interpolate(x, scale_factor=scale, mode=mode, align_corners=corners)
        if kind == "pad":
            return F.pad(x, (1, 2, 0, 3), mode=how)
        if kind == "branch":
            y = layer(x)
            y = F.interpolate(y, size=x.shape[2:], mode="nearest")
            return torch.cat([x[:, :2], y[:, 2:]], 1) if scale > 1.6 else x + F.relu(y)
        if kind == "shuffle":
            return (
                F.pixel_shuffle(layer(x), 2)
                if scale > 1
                else layer(F.pixel_unshuffle(x[:, :1, : x.shape[2] // 2 * 2, : x.shape[3] // 2 * 2], 2))[:, 4:8]
            )
        if kind == "slice":
            second = x.chunk(2, 1)[1].mean(1, keepdim=True).expand(-1, 4, -1, -1)
            return {"step": x[:, :, ::2, 1:], "flip": x.flip(3), "crop": x[..., 2:-1, 1:], "channels": second}[how]
        if kind == "across":
            if how == "mean":
                return layer(x) + x.mean(3, keepdim=True)
            if how == "permute":
                return layer(x.transpose(2, 3)).permute(0, 1, 3, 2)
            n, c, h, w = x.shape
            flat = x.view(n, c, h * w)
            return (
                (flat @ torch.ones(h * w, h * w, dtype=x.dtype, device=x.device)).reshape(n, c, h, w)
                if scale > 2.5
                else x
            )
        return layer(x)


def gradient(model, shape, unit):
    """What the unit's gradient reaches, with random positive weights (bicubic ones are not, but generic)."""
    random = torch.Generator().manual_seed(0)
    model = model.double()
    for parameter in model.parameters():
        parameter.data = torch.rand(parameter.shape, generator=random, dtype=torch.float64) + 0.1
    x = torch.rand(shape, generator=random, dtype=torch.float64).add(1).requires_grad_()
    (found,) = torch.autograd.grad(model(x)[unit], x)
    return (found.abs() > 1e-14 * found.abs().max()).numpy()


ALWAYS, IN_THE_SUITE = 30, 120  # Of 200 random networks: in `make fast`, and in `make test`.


def marked(seed):
    marks = [] if seed < ALWAYS else [pytest.mark.slow if seed < IN_THE_SUITE else pytest.mark.long]
    return pytest.param(seed, marks=marks)


@pytest.mark.parametrize("seed", [marked(seed) for seed in range(200)])
def test_a_units_set_is_the_support_of_its_gradient(seed):
    model, shape = Drawn(seed), (2, 4, 13, 17)
    graph = trace(model, shape)
    assert graph.failed is None
    output = graph.nodes[graph.output[0]]
    pick = random.Random(seed)
    unit = (1, *(pick.randrange(size) for size in output.shape[1:]))
    found = support(graph, output.index, unit)
    assert found.guessed == ()
    expected = gradient(model, shape, unit)
    mine = np.broadcast_to(found.sets.get(0, np.zeros(shape, dtype=bool)), shape)
    assert np.array_equal(mine, expected)


@pytest.mark.parametrize("seed", range(0, 200, 5))
def test_the_interval_holds_the_set_and_with_statistics_it_is_no_smaller(seed):
    model, shape = nn.Sequential(nn.Conv2d(4, 4, 5, padding=2), nn.InstanceNorm2d(4), Drawn(seed)), (2, 4, 13, 17)
    graph = trace(model, shape)
    sizes = graph.nodes[graph.output[0]].shape[2:]
    for unit in ((0, 0), tuple(size // 2 for size in sizes), tuple(size - 1 for size in sizes)):
        without, with_them = (field(graph, unit=unit, statistics=asked) for asked in (False, True))
        for found in (without, with_them):
            if found.read:
                ends = zip(found.first, found.inside, found.last, strict=True)
                assert all(first <= inside[0] and inside[1] <= last for first, inside, last in ends)
        if without.size != (0, 0):
            assert all(a <= b for a, b in zip(with_them.first, without.first, strict=True))
            assert all(a >= b for a, b in zip(with_them.last, without.last, strict=True))


def dilated(*rates):
    return nn.Sequential(*(nn.Conv2d(1, 1, 3, dilation=rate, padding=rate) for rate in rates))


@pytest.mark.parametrize(
    ("layers", "side"),
    [(dilated(1), 3), (dilated(1, 2), 7), (dilated(1, 2, 4), 15), (dilated(1, 1), 5), (dilated(1, 1, 1), 7)],
)
def test_stacks_of_three_by_three(layers, side):
    # Yu & Koltun 2016, figure 1: 3, 7, 15.
    assert field(trace(layers, (1, 1, 64, 64))).size == (side, side)


def test_holes_of_a_dilated_stack():
    found = field(trace(dilated(2, 4, 8), (1, 1, 64, 64)))
    assert (found.read, found.read + found.holes) == (225, 841)
    assert field(trace(dilated(1, 2, 5), (1, 1, 64, 64))).holes == 0


def test_the_field_of_a_transposed_convolution_depends_on_the_phase():
    # k 3, s 2: even outputs read one input along an axis, odd ones two (o = 2 i + k).
    graph = trace(nn.Sequential(nn.ConvTranspose2d(1, 1, 3, stride=2)), (1, 1, 8, 8))
    assert [field(graph, unit=(y, 5)).size[0] for y in (4, 5)] == [2, 1]
    assert [str(stride) for stride in field(graph, unit=(4, 4)).stride] == ["1/2", "1/2"]


def test_statistics_of_a_normalisation_are_left_out_unless_asked_for():
    model = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.InstanceNorm2d(4), nn.Conv2d(4, 1, 3, padding=1))
    graph = trace(model, (1, 1, 16, 16))
    assert field(graph).read == 25
    assert field(graph, statistics=True).read == 256


@pytest.mark.parametrize("norm", [nn.InstanceNorm2d(4), nn.GroupNorm(2, 4), nn.LayerNorm((16, 16))])
def test_an_interval_with_statistics_is_that_without_and_the_whole_map(norm):
    # Seven kernels of 7: 1 + 7 x 6 = 43 pixels on a plane, more than the map of 16, which the statistics read.
    model = nn.Sequential(nn.Conv2d(1, 4, 7, padding=3), norm, *(nn.Conv2d(4, 4, 7, padding=3) for _ in range(6)))
    graph = trace(model, (1, 1, 16, 16))
    assert field(graph).size == field(graph, statistics=True).size == (43, 43)


@pytest.mark.parametrize("pad", [nn.ReflectionPad2d(3), nn.ReplicationPad2d(3), nn.CircularPad2d(3), nn.ZeroPad2d(3)])
def test_every_padding_is_the_same_on_a_plane_without_borders(pad):
    layers = (layer for _ in range(4) for layer in (pad, nn.Conv2d(1, 1, 7)))
    graph = trace(nn.Sequential(*layers), (1, 1, 16, 16))
    assert field(graph).size == (25, 25)  # 1 + 4 x 6.


def test_an_interval_that_lies_before_the_border_stays_there():
    # The unit at 0 reads the pixels -3 of the padding, which are -3 / 2 and thus -2 of a map before its doubling.
    model = nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(1, 1, 1, padding=3))
    found = field(trace(model, (1, 1, 16, 16)), unit=(0, 0))
    assert (found.first, found.last, found.read) == ((-2, -2), (-2, -2), 0)


def test_places_of_a_sequence_are_its_steps_and_it_is_said():
    # A word of 128 numbers is read by its own unit alone; attention reads all 50, in either order of the axes.
    alone = field(trace(nn.Sequential(nn.Linear(128, 8), nn.LayerNorm(8)), (1, 50, 128)))
    assert (alone.input_size, alone.unit, alone.size, alone.read) == ((50,), (24,), (1,), 1)
    assert "the input (1x50x128) is batch, places, features" in alone.read_as
    for first, shape in ((True, (1, 50, 32)), (False, (50, 1, 32))):
        among = field(trace(nn.TransformerEncoderLayer(32, 4, 64, batch_first=first), shape), unit=(3,))
        assert (among.input_size, among.size, among.read) == ((50,), (50,), 50)
    words = field(trace(nn.Sequential(nn.Embedding(100, 8), nn.Linear(8, 4)), torch.zeros(1, 30, dtype=torch.long)))
    assert (words.input_size, words.size) == ((30,), (1,))
    sound = field(trace(nn.Sequential(nn.Conv1d(4, 8, 5, 2), nn.Conv1d(8, 8, 3)), (1, 4, 100)))
    assert (sound.input_size, sound.size, sound.read_as) == ((100,), (9,), ())
    assert "taken as batch, channels, places" in field(trace(nn.ReLU(), (1, 50, 32))).read_as[0]


def test_a_picture_cut_and_put_together_by_hand_has_its_interval():
    class Cut(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Conv2d(4, 4, 3, padding=1)

        def forward(self, x):
            n, _, h, w = x.shape
            return self.layer(
                x.view(n, 1, h // 2, 2, w // 2, 2).permute(0, 1, 3, 5, 2, 4).reshape(n, 4, h // 2, w // 2)
            )

    graph = trace(Cut(), (1, 1, 16, 16))
    found = field(graph)  # Three blocks of two: 6, as behind a pixel unshuffle.
    assert (found.size, found.read) == ((6, 6), 36)
    assert cumulative(graph)[graph.output[0]] == (6, 6)


def test_a_linear_layer_reads_the_whole_map_below_it():
    model = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1, stride=2), nn.Flatten(), nn.Linear(2 * 8 * 8, 5))
    found = field(trace(model, (1, 1, 16, 16)))
    assert found.size == (17, 17)
    assert found.read == 256


def test_layers_are_found_by_name_and_unknown_ones_refused():
    graph = trace(nn.Sequential(nn.Conv2d(1, 1, 3), nn.ReLU()), (1, 1, 8, 8))
    assert find(graph, "0").op == "conv2d"
    assert find(graph, "output").op == "relu"
    assert find(graph, "#1").op == "conv2d"
    with pytest.raises(UserError, match="no layer 'convx'"):
        find(graph, "convx")
    with pytest.raises(UserError, match="no unit"):
        field(graph, "0", unit=(7, 0))


def test_a_latent_has_no_places():
    with pytest.raises(UserError, match="no places"):
        field(trace(nn.Linear(8, 4), (1, 8)))
    assert set(cumulative(trace(nn.Linear(8, 4), (1, 8))).values()) == {None}


def test_an_input_without_a_batch_is_refused_and_what_would_do_is_said():
    with pytest.raises(UserError, match=r"3x16x16 has no batch.* 1,3,16,16"):
        field(trace(nn.Conv2d(3, 4, 3), (3, 16, 16)))


def largest(graph, name):
    return cumulative(graph)[find(graph, name).index]


@pytest.mark.parametrize(
    ("name", "side"),
    [
        # Isola et al. 2017, appendix: 16, 70, 286; the others by the same recursion.
        *((f"patchgan{side}", side) for side in (16, 34, 70, 142, 286)),
        # The table of google-research/receptive_field (Araujo et al. 2019, https://distill.pub/2019/computing-receptive-fields).
        ("vgg16", 404),
        ("resnet50_slim", 483),
        pytest.param("resnet101_slim", 1027, marks=pytest.mark.long),
        pytest.param("resnet152_slim", 1507, marks=pytest.mark.long),
        ("resnet50", 427),
        pytest.param("resnet101", 971, marks=pytest.mark.long),
        pytest.param("resnet152", 1451, marks=pytest.mark.long),
        ("resnet18", 435),
        ("resnet34", 899),
        ("alexnet", 195),
    ],
)
def test_published_fields(name, side):
    module = importlib.import_module(f"ganvas.networks.{specimens()[name]}")
    graph = trace(getattr(module, name)(), (1, *module.INPUT[name]))
    sides = cumulative(graph)
    if "patchgan" in name:
        assert sides[graph.output[0]] == (side, side)
    elif name == "vgg16":  # pool5, then fc6 over its 7 x 7.
        pools = [node for node in graph.nodes if node.kind == "pool"]
        first = next(node for node in graph.nodes if node.op == "linear")
        assert sides[pools[4].index] == (212, 212)
        assert sides[first.index] == (side, side)
    elif name == "alexnet":
        pools = [node for node in graph.nodes if node.kind == "pool"]
        assert sides[pools[-1].index] == (side, side)
        assert sides[max(node.index for node in graph.nodes if node.op == "conv2d")] == (163, 163)
    else:  # Before the mean over the map.
        last = max(node.index for node in graph.nodes if node.op == "add")
        assert sides[last] == (side, side)


def test_the_fields_of_the_discriminators_of_dcgan_and_progan():
    with torch.device("meta"):
        dcgan_d = dcgan.Model(dcgan.Config()).discriminator
        progan_d = progan.Model(progan.Config(resolution=1024, fmap_base=8192)).discriminator
    graph = trace(dcgan_d, (1, 3, 64, 64))
    sides = cumulative(graph)
    assert [sides[node.index][0] for node in graph.nodes if node.op == "conv2d"] == [4, 10, 22, 46, 94]
    graph = trace(progan_d, (1, 3, 1024, 1024))
    last = max(node.index for node in graph.nodes if node.op == "conv2d")
    assert cumulative(graph)[last] == (1788, 1788)


class Levelled(nn.Module):
    """Numbers by what their largest one, a single number, says."""

    def forward(self, x):
        return x * (x.abs().max() + 1)


def test_a_single_number_on_the_way_reads_everything():
    graph = trace(Levelled(), (1, 1, 4, 4))
    found = support(graph, graph.output[0], (0, 0, 1, 2))
    assert found.sets[0].all()
