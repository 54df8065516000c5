"""The residual discriminator against its definition, block by block, and its projection on labels."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from ganvas.networks.adversarial.residual_discriminator import HalvingBlock, ResidualDiscriminator
from ganvas.nn.layers.initialise import initialise
from ganvas.nn.layers.smooth_resample import smooth, smooth_halve


def started(network):
    initialise(network, torch.Generator().manual_seed(0))
    for name, parameter in network.named_parameters():
        if name.endswith("bias"):
            parameter.data.normal_(generator=torch.Generator().manual_seed(1))
    return network.double()


def randn(*shape, seed=1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def small(**settings):
    return started(ResidualDiscriminator([6, 5, 4], base=(2, 3), channels=3, group_size=2, **settings))


@pytest.mark.parametrize("residual", [True, False])
def test_a_block_is_two_convolutions_of_which_the_second_halves_and_a_shortcut_at_equal_shares(residual):
    block = started(HalvingBlock(4, 5, residual=residual))
    x = randn(2, 4, 6, 8)
    first, second = (part.weight / 6 for part in (block.convolution, block.halving))  # sqrt(4 channels x 9 pixels)
    y = 2**0.5 * F.leaky_relu(F.conv2d(x, first, block.convolution.bias, padding=1), 0.2)
    y = 2**0.5 * F.leaky_relu(F.conv2d(smooth(y, margin=2), second, block.halving.bias, stride=2), 0.2)
    if residual:
        y = (y + F.conv2d(smooth_halve(x), block.shortcut.weight / 2)) * 0.5**0.5
    assert_close(block(x), y)


def test_with_classes_the_score_is_the_projection_of_the_features_on_the_label():
    network, labels = small(num_classes=3), torch.tensor([0, 2, 1, 2])
    images = randn(4, 3, 8, 12)
    features = network.score(network.features(images))
    targets = network.embedding(None, labels)
    assert_close(network(images, labels), (features * targets).sum(1) / math.sqrt(6))


def test_without_labels_it_gives_the_mean_score_of_all_classes():
    network, images = small(num_classes=3), randn(4, 3, 8, 12)
    scores = torch.stack([network(images, torch.full((4,), label)) for label in range(3)])
    assert_close(network(images), scores.mean(0))
    assert scores.std(0).min() > 0


def test_it_sees_how_much_the_pictures_of_a_batch_vary():
    network, images = small(), randn(2, 3, 8, 12)
    alone = network(images[:1].repeat(2, 1, 1, 1))
    assert not torch.allclose(network(images)[0], alone[0])
    assert_close(alone[0], alone[1])
