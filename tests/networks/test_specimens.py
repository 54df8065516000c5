import functools
import importlib
import pkgutil

import pytest
import torch

from ganvas import networks
from ganvas.nn.layers.initialise import initialise

MODULES = [
    importlib.import_module(found.name) for found in pkgutil.walk_packages(networks.__path__, networks.__name__ + ".")
]
ALL = [(module, name) for module in MODULES for name in vars(module).get("INPUT", ())]  # Others are parts of models.
DEEP = {"cifar_resnet1202", "mixnet_250_24_24", "mixnet_190_40_40", "densenet_bc_250_24", "densenet_bc_190_40"}
DEEP |= {name for _, name in ALL if name.startswith(("resnet101", "resnet152"))}


def marked(names, mark=pytest.mark.slow):
    """Parameters of a test; those of hundreds of layers with a mark."""
    return [pytest.param(name, marks=mark if name in DEEP else ()) for name in names]


PUBLISHED = {
    # Simonyan & Zisserman 2015, table 2: 133, 133, 134, 138, 144 million.
    "vgg_a": 132_863_336,
    "vgg_b": 133_047_848,
    "vgg_c": 133_638_952,
    "vgg_d": 138_357_544,
    "vgg_e": 143_667_240,
    "vgg16": 138_357_544,
    "vgg19": 143_667_240,
    "vgg16_bn": 138_365_992,
    # He et al. 2015, table 6: 0.27, 0.46, 0.66, 0.85, 1.7, 19.4 million.
    "cifar_resnet20": 269_722,
    "cifar_resnet32": 464_154,
    "cifar_resnet44": 658_586,
    "cifar_resnet56": 853_018,
    "cifar_resnet110": 1_727_962,
    "cifar_resnet1202": 19_421_274,
    # Published with torchvision's models of the same layers.
    "resnet18": 11_689_512,
    "resnet34": 21_797_672,
    "resnet50": 25_557_032,
    "resnet50_original": 25_557_032,
    "resnet50_slim": 25_557_032,
    "resnet101": 44_549_160,
    "resnet152": 60_192_808,
    "squeezenet1_0": 1_248_424,
    "squeezenet1_1": 1_235_496,
    "mobilenet_v2": 3_504_872,
    "densenet121": 7_978_856,
    "alexnet": 60_965_224,  # Caffe's model of the paper: 60.97 million.
    # Wang et al. 2018: 1.5, 29.0, 48.5 million; Huang et al. 2017, table 2: 0.8, 15.3, 25.6 million.
    "mixnet_100_12_12": 1_464_202,
    "mixnet_250_24_24": 28_964_122,
    "mixnet_190_40_40": 48_537_770,
    "densenet_bc_100_12": 769_162,
    "densenet_bc_250_24": 15_324_406,
    "densenet_bc_190_40": 25_624_430,
    # The authors' own code of pix2pix and CycleGAN prints these.
    "patchgan70": 2_765_633,
    "patchgan70_pairs": 2_768_705,
    "patchgan70_instance": 2_764_737,
    "resnet_9blocks": 11_378_179,
    # The authors' own code of StyleGAN2 has these at 256 x 256, setting "paper256" of Karras et al. 2020 (ADA).
    "stylegan2_generator": 24_767_458,
    "stylegan2_discriminator": 24_001_089,
}
OUTPUT = {
    "unet": (2, 388, 388),  # Figure 1 of the paper.
    "unet_padded": (2, 256, 256),
    **dict.fromkeys(["fcn32s", "fcn16s", "fcn8s"], (21, 500, 500)),
    "patchgan70": (1, 30, 30),
    "patchgan70_pairs": (1, 30, 30),
    "patchgan70_instance": (1, 30, 30),
    "resnet_9blocks": (3, 256, 256),
    "resnet_6blocks": (3, 128, 128),
    "pix2pix_unet256": (3, 256, 256),
    "pix2pix_unet128": (3, 128, 128),
    "gated_generator": (3, 256, 256),
    "sn_patchgan": (256, 4, 4),
    "sngan_generator": (3, 32, 32),
    "sngan_discriminator": (),
    "sagan_generator": (3, 128, 128),
    "sagan_discriminator": (),
    "stylegan2_generator": (3, 256, 256),
    "stylegan2_discriminator": (),
    "munit_generator": (3, 256, 256),
    "munit_discriminator": [(1, 16, 16), (1, 8, 8), (1, 4, 4)],  # Four halvings of 256, 128 and 64.
    "style_aware_generator": (3, 768, 768),
    # Scores of layers 1, 2, 4, 6 and 7 of 7 that halve 768.
    "style_aware_discriminator": [(1, 384, 384), (1, 192, 192), (1, 48, 48), (1, 12, 12), (1, 6, 6)],
}


@functools.cache
def made(module, name):
    """On the meta device: shapes without memory, so that all may be kept."""
    with torch.device("meta"):
        return getattr(module, name)().eval()


def count(network):
    return sum(parameter.numel() for parameter in network.parameters())


def owner(name):
    (module,) = (module for module, known in ALL if known == name)
    return module


def named(name):
    return made(owner(name), name)


@pytest.mark.parametrize("name", marked(PUBLISHED))
def test_the_networks_have_as_many_parameters_as_published(name):
    assert count(named(name)) == PUBLISHED[name]


@pytest.mark.slow
@pytest.mark.parametrize("name", marked((name for _, name in ALL), pytest.mark.long))
def test_every_specimen_takes_the_input_that_its_module_states(name):
    module = owner(name)
    y = made(module, name)(torch.empty(2, *module.INPUT[name], device="meta"))
    if isinstance(y, list):  # Of several sizes.
        assert [tuple(scores.shape[1:]) for scores in y] == OUTPUT[name]
        return
    assert y.dtype == torch.float32
    classes = 10 if module.INPUT[name] == (3, 32, 32) else 1000
    assert tuple(y.shape) == (2, *OUTPUT.get(name, y.shape[1:] if "patchgan" in name else (classes,)))


@pytest.mark.parametrize("name", marked(name for _, name in ALL))
def test_every_part_with_parameters_can_be_started_from_a_generator(name):
    parts = named(name).modules()
    assert all(hasattr(part, "reset") for part in parts if next(part.parameters(recurse=False), None) is not None)


@pytest.mark.parametrize(
    "name", ["cifar_resnet20", "densenet_bc_100_12", "squeezenet1_1", "mobilenet_v2", "patchgan70"]
)
def test_a_started_specimen_gives_numbers(name):
    network = getattr(owner(name), name)()
    initialise(network, torch.Generator().manual_seed(0))
    y = network(torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(1)))
    assert y.isfinite().all()
    assert y.std() > 0


def test_a_u_net_has_23_convolutions():
    # Ronneberger et al. 2015, section 2: "In total the network has 23 convolutional layers."
    assert sum("Conv" in type(part).__name__ for part in named("unet").modules()) == 23


def test_the_fully_convolutional_network_is_vgg_16_with_21_classes_and_its_skips():
    dense = 123_642_856 - (4096 * 1000 + 1000) + (4096 * 21 + 21)  # VGG's three dense layers, of 21 classes.
    coarse = 14_714_688 + dense
    scores, enlarging = 21 * (512 + 1), 21 * 21
    assert count(named("fcn32s")) == coarse + enlarging * 64**2
    assert count(named("fcn16s")) == coarse + scores + enlarging * (4**2 + 32**2)
    assert count(named("fcn8s")) == coarse + scores + 21 * (256 + 1) + enlarging * (2 * 4**2 + 16**2)


def test_the_coarse_stage_of_free_form_inpainting_has_17_convolutions_of_twice_the_channels():
    w = 24  # (kernel, channels in, channels out after gating), as in the authors' code.
    middle = [(3, 4 * w, 4 * w)] * 8
    gated = [(5, 5, w), (3, w, 2 * w), (3, 2 * w, 2 * w), (3, 2 * w, 4 * w), *middle]
    gated += [(3, 4 * w, 2 * w), (3, 2 * w, 2 * w), (3, 2 * w, w), (3, w, w // 2)]
    last = 9 * (w // 2) * 3 + 3
    assert len(gated) + 1 == 17
    assert count(named("gated_generator")) == sum((k * k * i + 1) * 2 * o for k, i, o in gated) + last


@pytest.mark.parametrize(
    ("placement", "sides"), [("", (56, 28, 14, 7)), ("_original", (56, 28, 14, 7)), ("_slim", (28, 14, 7, 7))]
)
def test_the_stride_of_a_resnet_stands_where_its_name_says(placement, sides):
    network = named(f"resnet50{placement}")
    x, found = torch.empty(1, 3, 224, 224, device="meta"), []
    for part in network:
        x = part(x)
        found += [x.shape[2]] if isinstance(part, torch.nn.Sequential) else []
    assert tuple(found) == sides
    strides = [(b.conv1.stride, b.conv2.stride) for b in network[5]]
    one, two, middle = (1, 1), (1, 2), [(1, 1)] * 2
    assert (
        strides
        == {"": [two, one, *middle], "_original": [(2, 1), one, *middle], "_slim": [*middle, one, two]}[placement]
    )


def test_the_padding_of_the_fully_convolutional_network_keeps_a_picture_of_any_size():
    network = named("fcn8s")
    for height, width in [(64, 97), (131, 33)]:
        assert network(torch.empty(1, 3, height, width, device="meta")).shape == (1, 21, height, width)
