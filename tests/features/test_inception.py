"""Inception-v3 against a second definition of it: plain modules, NCHW, nothing folded, nothing joined, in float64."""

import pytest
import torch
from torch import nn
from torch.testing import assert_close
from torch.utils.flop_counter import FlopCounterMode

from ganvas.core.errors import UserError
from ganvas.features.inception import Inception, named
from ganvas.features.inception_layers import LAYERS
from ganvas.features.resize import tf1_bilinear
from ganvas.features.weights import Weights

TAPS = ("features", "logits", "spatial")


@pytest.fixture(scope="module")
def network(inception_tensors):
    return Inception(Weights(tensors=inception_tensors, sha256="6726825d" + 56 * "0"))


class Basic(nn.Sequential):
    def __init__(self, tensors, name, stride=1, padding=0):
        weight = tensors[f"{name}.conv.weight"]
        conv = nn.Conv2d(weight.shape[1], weight.shape[0], weight.shape[2:], stride, padding, bias=False)
        norm = nn.BatchNorm2d(len(weight), eps=1e-3)
        super().__init__(conv, norm, nn.ReLU())
        conv.weight.data.copy_(weight)
        for mine, theirs in (("weight", "weight"), ("bias", "bias"), ("running_mean",) * 2, ("running_var",) * 2):
            getattr(norm, mine).data.copy_(tensors[f"{name}.bn.{theirs}"])


class Block(nn.Module):
    """Branches beside each other; a branch may itself end in two that are put side by side."""

    def __init__(self, *branches):
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x):
        return torch.cat([branch(x) for branch in self.branches], 1)


class Reference(nn.Module):
    """After figures 5 to 7 of the paper, with the pools of the graph of 2015-12-05."""

    def __init__(self, tensors, *, count_padding=False, last_pool=None):
        super().__init__()

        def conv(name, **kwargs):
            return Basic(tensors, name, **kwargs)

        def average():
            return nn.AvgPool2d(3, 1, 1, count_include_pad=count_padding)

        def a(n):
            return Block(
                conv(f"{n}.branch1x1"),
                nn.Sequential(conv(f"{n}.branch5x5_1"), conv(f"{n}.branch5x5_2", padding=2)),
                nn.Sequential(
                    conv(f"{n}.branch3x3dbl_1"),
                    conv(f"{n}.branch3x3dbl_2", padding=1),
                    conv(f"{n}.branch3x3dbl_3", padding=1),
                ),
                nn.Sequential(average(), conv(f"{n}.branch_pool")),
            )

        def c(n):
            row, column = {"padding": (0, 3)}, {"padding": (3, 0)}
            double = [conv(f"{n}.branch7x7dbl_1")]
            double += [conv(f"{n}.branch7x7dbl_{i}", **(column if i % 2 == 0 else row)) for i in range(2, 6)]
            seven = [conv(f"{n}.branch7x7_1"), conv(f"{n}.branch7x7_2", **row), conv(f"{n}.branch7x7_3", **column)]
            pooled = nn.Sequential(average(), conv(f"{n}.branch_pool"))
            return Block(conv(f"{n}.branch1x1"), nn.Sequential(*seven), nn.Sequential(*double), pooled)

        def e(n, pool):
            def fork(stem, ab):
                return Block(conv(f"{stem}{ab}a", padding=(0, 1)), conv(f"{stem}{ab}b", padding=(1, 0)))

            three = nn.Sequential(conv(f"{n}.branch3x3_1"), fork(f"{n}.branch3x3_", 2))
            double = nn.Sequential(
                conv(f"{n}.branch3x3dbl_1"), conv(f"{n}.branch3x3dbl_2", padding=1), fork(f"{n}.branch3x3dbl_", 3)
            )
            return Block(conv(f"{n}.branch1x1"), three, double, nn.Sequential(pool, conv(f"{n}.branch_pool")))

        b, d, two = "Mixed_6a", "Mixed_7a", {"stride": 2}
        self.early = nn.Sequential(
            conv("Conv2d_1a_3x3", stride=2),
            conv("Conv2d_2a_3x3"),
            conv("Conv2d_2b_3x3", padding=1),
            nn.MaxPool2d(3, 2),
            conv("Conv2d_3b_1x1"),
            conv("Conv2d_4a_3x3"),
            nn.MaxPool2d(3, 2),
            *(a(f"Mixed_5{letter}") for letter in "bcd"),
            Block(
                conv(f"{b}.branch3x3", stride=2),
                nn.Sequential(
                    conv(f"{b}.branch3x3dbl_1"),
                    conv(f"{b}.branch3x3dbl_2", padding=1),
                    conv(f"{b}.branch3x3dbl_3", stride=2),
                ),
                nn.MaxPool2d(3, 2),
            ),
            c("Mixed_6b"),
            c("Mixed_6c"),
        )
        self.fourth = c("Mixed_6d")
        self.late = nn.Sequential(
            c("Mixed_6e"),
            Block(
                nn.Sequential(conv(f"{d}.branch3x3_1"), conv(f"{d}.branch3x3_2", **two)),
                nn.Sequential(
                    conv(f"{d}.branch7x7x3_1"),
                    conv(f"{d}.branch7x7x3_2", padding=(0, 3)),
                    conv(f"{d}.branch7x7x3_3", padding=(3, 0)),
                    conv(f"{d}.branch7x7x3_4", **two),
                ),
                nn.MaxPool2d(3, 2),
            ),
            e("Mixed_7b", average()),
            e("Mixed_7c", last_pool or nn.MaxPool2d(3, 1, 1)),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
        )
        self.eval()

    def forward(self, x):
        x = self.early(x)
        spatial = self.fourth.branches[0](x)[:, :7].permute(0, 2, 3, 1).flatten(1)
        return self.late(self.fourth(x)), spatial


def relative(a, b):
    return float((a.double() - b).norm() / b.norm())


@pytest.mark.slow
@torch.no_grad()
def test_every_tap_is_that_of_plain_modules_in_float64(network, inception_tensors, pictures):
    found = network.extract(pictures[:1], TAPS)
    x = (tf1_bilinear(pictures[:1], 299).double() - 128) / 128
    features, spatial = Reference(inception_tensors).double()(x)
    assert relative(found["features"], features) < 1e-5
    assert relative(found["spatial"], spatial) < 1e-5
    assert relative(found["logits"], features @ inception_tensors["fc.weight"].double().T) < 1e-5
    assert spatial.shape == (1, 17 * 17 * 7)


@pytest.mark.slow
@torch.no_grad()
@pytest.mark.parametrize("other", [{"count_padding": True}, {"last_pool": nn.AvgPool2d(3, 1, 1)}])
def test_counting_the_padding_or_averaging_in_the_last_block_would_be_another_network(
    network, inception_tensors, pictures, other
):
    found = network.extract(pictures[:1])["features"]
    x = (tf1_bilinear(pictures[:1], 299) - 128) / 128
    assert relative(found, Reference(inception_tensors, **other)(x)[0]) > 1e-3


def by_hand():
    """Weights, and multiplications per picture, of each part of the network: (count, multiply-adds)."""

    def conv(inputs, outputs, taps, side):
        return inputs * outputs * taps + 2 * outputs, inputs * outputs * taps * side**2

    yield from (conv(3, 32, 9, 149), conv(32, 32, 9, 147), conv(32, 64, 9, 147), conv(64, 80, 1, 73))
    yield conv(80, 192, 9, 71)
    for inputs, pool in ((192, 32), (256, 64), (288, 64)):
        one = [(inputs, 64, 1), (inputs, 48, 1), (48, 64, 25), (inputs, 64, 1), (64, 96, 9), (96, 96, 9)]
        yield from (conv(*layer, 35) for layer in [*one, (inputs, pool, 1)])
    yield from (conv(288, 384, 9, 17), conv(288, 64, 1, 35), conv(64, 96, 9, 35), conv(96, 96, 9, 17))
    for c in (128, 160, 160, 192):
        seven = [(768, c, 1), (c, c, 7), (c, 192, 7)]
        double = [(768, c, 1), (c, c, 7), (c, c, 7), (c, c, 7), (c, 192, 7)]
        yield from (conv(*layer, 17) for layer in [(768, 192, 1), *seven, *double, (768, 192, 1)])
    yield from (conv(768, 192, 1, 17), conv(192, 320, 9, 8))
    yield from (conv(768, 192, 1, 17), conv(192, 192, 7, 17), conv(192, 192, 7, 17), conv(192, 192, 9, 8))
    for inputs in (1280, 2048):
        three = [(inputs, 384, 1), (384, 384, 3), (384, 384, 3)]
        double = [(inputs, 448, 1), (448, 384, 9), (384, 384, 3), (384, 384, 3)]
        yield from (conv(*layer, 8) for layer in [(inputs, 320, 1), *three, *double, (inputs, 192, 1)])
    yield 2048 * 1008 + 1008, 2048 * 1008


def test_it_has_23_851_thousand_weights(inception_tensors):
    learned = sum(value.numel() for name, value in inception_tensors.items() if "running" not in name)
    assert learned == sum(count for count, _ in by_hand()) == 23_850_960  # torchvision's 23,834,568 and 8 classes more.
    assert len(LAYERS) == 94


@pytest.mark.slow
def test_it_multiplies_5_711_million_times_per_picture(network):
    with FlopCounterMode(display=False) as counter:
        network.extract(torch.zeros(1, 3, 299, 299, dtype=torch.uint8), ["logits"])
    multiplications = sum(macs for _, macs in by_hand())
    assert counter.get_total_flops() == 2 * multiplications
    assert round(multiplications / 1e9, 2) == 5.71


def test_rows_do_not_depend_on_the_batch(network, pictures):
    whole, single = network.extract(pictures[:3], TAPS), network.extract(pictures[2:3], TAPS)
    assert all(relative(single[tap], whole[tap][2:].double()) < 1e-5 for tap in TAPS)


def test_a_tap_asked_for_alone_is_the_same(network, pictures):
    both = network.extract(pictures[:1], TAPS)
    assert_close(network.extract(pictures[:1], ["spatial"])["spatial"], both["spatial"], rtol=0, atol=0)


def fid_blocks(tensors):
    """As a saved module of pytorch-fid has them: blocks in four lists, no classes."""
    lists = (
        ["Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3"],
        ["Conv2d_3b_1x1", "Conv2d_4a_3x3"],
        [f"Mixed_{x}" for x in ("5b", "5c", "5d", "6a", "6b", "6c", "6d", "6e")],
        ["Mixed_7a", "Mixed_7b", "Mixed_7c"],
    )
    place = {name: f"blocks.{i}.{j}" for i, names in enumerate(lists) for j, name in enumerate(names)}
    renamed = {}
    for name, value in tensors.items():
        head, _, rest = name.partition(".")
        if head in place:
            renamed[f"{place[head]}.{rest}"] = value
    return renamed


def test_every_layout_of_the_weights_is_one_network(inception_tensors):
    plain = named(inception_tensors)
    counted = {f"{name}.bn.num_batches_tracked": torch.tensor(0) for name in LAYERS}
    aux = {"AuxLogits.conv0.conv.weight": torch.zeros(128, 768, 1, 1), "AuxLogits.fc.bias": torch.zeros(1000)}
    layouts = {
        "torch-fidelity": inception_tensors | counted,
        "wrapped": {f"module.inception.{name}": value for name, value in inception_tensors.items()},
        "pytorch-fid module": fid_blocks(inception_tensors),
        "pytorch-fid module, wrapped": {f"net.{n}": value for n, value in fid_blocks(inception_tensors).items()},
        "torchvision": inception_tensors | counted | aux,
    }
    for layout, tensors in layouts.items():
        found = named(tensors)
        expected = plain.keys() - ({"fc.weight"} if "module" in layout and "fid" in layout else set())
        assert found.keys() == expected, layout
        assert all(found[name] is plain[name] for name in found), layout


def test_torchvisions_1000_classes_are_1000_logits_and_without_classes_there_are_none(inception_tensors, pictures):
    thousand = inception_tensors | {"fc.weight": inception_tensors["fc.weight"][:1000]}
    network = Inception(Weights(tensors=thousand, sha256="0" * 64))
    assert network.taps["logits"] == 1000 == network.extract(pictures[:1], ["logits"])["logits"].shape[1]
    blocks = Inception(Weights(tensors=fid_blocks(inception_tensors), sha256="0" * 64))
    assert set(blocks.taps) == {"features", "spatial"}
    with pytest.raises(UserError, match="does not give 'logits'"):
        blocks.extract(pictures[:1], ["logits"])


def test_weights_of_another_network_are_refused(inception_tensors):
    with pytest.raises(UserError, match=r"'Conv2d_1a_3x3\.conv\.weight' is missing"):
        named({"features.0.weight": torch.zeros(1)})
    with pytest.raises(UserError, match=r"has the shape \(5,\) and should have \(32,\)"):
        named(inception_tensors | {"Conv2d_1a_3x3.bn.bias": torch.zeros(5)})


def test_the_identity_names_the_weights_the_resize_and_the_precision(network, inception_tensors, pictures):
    assert network.identity == "inception-2015-12-05@6726825d:tf1-bilinear:uint8"
    half = Inception(Weights(tensors=inception_tensors, sha256="6726825d" + 56 * "0"), precision="bfloat16")
    assert half.identity == "inception-2015-12-05@6726825d:tf1-bilinear:uint8:bf16"
    # Eight bits of mantissa through some 50 layers of random weights: near, and not the same.
    error = relative(half.extract(pictures[:1])["features"], network.extract(pictures[:1])["features"].double())
    assert 1e-4 < error < 0.3
