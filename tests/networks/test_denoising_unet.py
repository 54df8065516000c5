"""The U-Net of diffusion models: sizes, the start, and what each output depends on."""

import pytest
import torch
from torch.testing import assert_close

from ganvas.core.seeds import stream
from ganvas.networks.denoising_unet import DenoisingUNet
from ganvas.nn.layers.initialise import initialise

pytestmark = pytest.mark.usefixtures("float64")


def network(**changes):
    settings = {"features": 4, "multipliers": (1, 2, 2), "blocks": 1, "attention": (1,), **changes}
    found = DenoisingUNet(3, **settings)
    initialise(found, stream(0, "weights"))
    return found.eval()


def opened(**changes):
    """With numbers in the place of the zeros that it starts from."""
    found = network(**changes)
    for number, parameter in enumerate(found.parameters()):
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.3, generator=stream(1, "open", number))
    return found


def test_it_starts_at_nothing():
    assert not network()(torch.randn(2, 3, 8, 12), torch.zeros(2)).any()


def test_pictures_keep_their_size_and_every_pixel_depends_on_all_others_through_attention():
    images = torch.randn(1, 3, 8, 12).requires_grad_()
    found = opened()(images, torch.zeros(1))
    assert found.shape == images.shape
    found[0, 0, 0, 0].backward()
    assert (images.grad != 0).all()


def test_a_picture_is_told_its_own_noise_level_and_no_other():
    found, images = opened(), torch.randn(2, 3, 8, 8)
    both = found(images, torch.tensor([0.1, 2.0]))
    alone = found(images[:1], torch.tensor([0.1]))
    assert_close(both[:1], alone)
    assert not torch.allclose(both[:1], found(images[:1], torch.tensor([0.5])))
