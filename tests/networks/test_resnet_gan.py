import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from ganvas.networks.adversarial.resnet_gan import DoublingBlock, ResNetDiscriminator, ResNetGenerator, unchanged
from ganvas.nn.layers.initialise import initialise
from ganvas.nn.norms.spectral_norm import SpectralNorm


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def started(network):
    initialise(network, rng())
    return network.double()


def randn(*shape, seed=1):
    return torch.randn(*shape, generator=rng(seed), dtype=torch.float64)


def count(network):
    return sum(parameter.numel() for parameter in network.parameters())


def convolution(before, after, kernel=3):
    return kernel**2 * before * after + after


def test_the_networks_for_cifar_have_the_parameters_of_the_authors_layers():
    # gen_models/resnet_32.py and dis_models/snresnet_32.py of pfnet-research/sngan_projection, layer by layer.
    generator = 128 * 4096 + 4096
    generator += 3 * (2 * convolution(256, 256) + convolution(256, 256, 1) + 2 * 2 * 256)
    generator += 2 * 256 + convolution(256, 3)
    discriminator = convolution(3, 128) + convolution(128, 128) + convolution(3, 128, 1)
    discriminator += 6 * convolution(128, 128) + convolution(128, 128, 1) + 128
    with torch.device("meta"):
        ours = ResNetGenerator(latent_size=128, base=(4, 4), maps=(256,) * 4, channels=3)
        theirs = ResNetDiscriminator(channels=3, maps=(128,) * 4, halvings=2, score_bias=False)
        classes = ResNetDiscriminator(channels=3, maps=(128,) * 4, halvings=2, score_bias=False, num_classes=10)
    assert count(ours) == generator == 4_276_739
    assert count(theirs) == discriminator == 1_053_824
    assert count(classes) == discriminator + 10 * 128


def test_sagan_of_imagenet_has_81_5_million_parameters():
    # Brock et al. 2019 (https://arxiv.org/abs/1809.11096), table 1: the baseline, of both networks together.
    maps = (64, 128, 256, 512, 1024, 1024)
    with torch.device("meta"):
        generator = ResNetGenerator(
            latent_size=128,
            base=(4, 4),
            maps=maps[::-1],
            channels=3,
            num_classes=1000,
            wrap=SpectralNorm,
            attention=3,
        )
        discriminator = ResNetDiscriminator(
            channels=3, maps=maps, halvings=5, num_classes=1000, widen_first=True, attention=2
        )
    assert round((count(generator) + count(discriminator)) / 1e6, 1) == 81.5


def test_a_doubling_block_is_what_its_formula_says():
    block = started(DoublingBlock(3, 5, num_classes=0, wrap=unchanged))
    x = randn(2, 3, 4, 6)
    state = block.state_dict()

    def conv(y, name):
        return F.conv2d(
            y, state[f"{name}.weight"], state[f"{name}.bias"], padding=state[f"{name}.weight"].shape[2] // 2
        )

    def double(y):
        return F.interpolate(y, scale_factor=2.0)

    y = F.relu(F.batch_norm(x, None, None, training=True))
    y = F.relu(F.batch_norm(conv(double(y), "doubling"), None, None, training=True))
    expected = conv(double(x), "shortcut.0") + conv(y, "convolution")
    assert_close(block(x), expected, rtol=1e-9, atol=1e-9)


def test_a_discriminator_is_what_the_authors_code_computes():
    network = started(ResNetDiscriminator(channels=3, maps=(4, 6, 6), halvings=2, wrap=unchanged))
    x = randn(2, 3, 8, 12)
    first, second, third = network.blocks

    def conv(y, layer):
        return F.conv2d(y, layer.weight, layer.bias, padding=layer.weight.shape[2] // 2)

    def halved(y):
        return F.avg_pool2d(y, 2)

    branch, shortcut = first.branch, first.shortcut
    y = halved(conv(F.relu(conv(x, branch[0])), branch[2])) + conv(halved(x), shortcut[1])
    branch, shortcut = second.branch, second.shortcut
    assert branch[1].weight.shape[:2] == (4, 4), "SNGAN widens in the second convolution"
    y = halved(conv(F.relu(conv(F.relu(y), branch[1])), branch[3])) + halved(conv(y, shortcut[1]))
    y = y + conv(F.relu(conv(F.relu(y), third.branch[1])), third.branch[3])
    expected = F.relu(y).sum((2, 3)) @ network.score.weight.T + network.score.bias
    assert_close(network(x), expected[:, 0], rtol=1e-9, atol=1e-9)


def test_the_projection_adds_the_product_of_features_and_the_classes_vector():
    # Miyato & Koyama 2018, eq. 3, worked for two samples, with the vectors divided by their spectral norm.
    network = started(ResNetDiscriminator(channels=1, maps=(4, 4), halvings=1, num_classes=3)).eval()
    x, labels = randn(2, 1, 8, 8), torch.tensor([2, 0])
    network.classes.power.step(500)
    vectors = network.classes.layer.weight
    vectors = vectors / torch.linalg.matrix_norm(vectors, 2)
    features = network.features(x)
    first = sum(features[0, i] * vectors[2, i] for i in range(4))
    second = sum(features[1, i] * vectors[0, i] for i in range(4))
    assert_close(network(x, labels), network(x) + torch.stack([first, second]), rtol=1e-9, atol=1e-9)


def test_every_weight_of_the_discriminator_is_spectrally_normalised():
    network = ResNetDiscriminator(channels=3, maps=(8, 8, 8), halvings=2, num_classes=3, attention=1)
    weights = {name for name, parameter in network.named_parameters() if parameter.ndim > 1}
    assert {name for name in weights if not name.endswith("layer.weight")} == set()


@pytest.mark.parametrize("at", [0, 1, 2])
def test_attention_stands_at_the_resolution_that_is_asked_for(at):
    generator = started(
        ResNetGenerator(latent_size=4, base=(4, 6), maps=(8, 16, 24), channels=3, attention=at, attention_start=0.5)
    )
    seen = []
    generator.attention.register_forward_hook(lambda module, inputs, output: seen.append(tuple(output.shape)))
    assert generator(randn(2, 4)).shape == (2, 3, 16, 24)
    assert seen == [(2, (8, 16, 24)[at], 4 << at, 6 << at)]


def test_attention_of_the_discriminator_comes_after_the_blocks_that_it_counts():
    network = started(ResNetDiscriminator(channels=3, maps=(8, 16), halvings=2, attention=1))
    seen = []
    network.blocks[1].register_forward_hook(lambda module, inputs, output: seen.append(tuple(output.shape)))
    network(randn(2, 3, 8, 12))
    assert seen == [(2, 8, 4, 6)]
