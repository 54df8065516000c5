import pytest
import torch
from torch import nn
from torch.testing import assert_close

from ganvas.core.errors import UserError
from ganvas.features.resize import tf1_bilinear
from ganvas.features.vgg16 import Vgg16, shapes_of
from ganvas.features.weights import Weights

NARROW = ((4, 4), (8, 8), (8, 8, 8), (8, 8, 8), (8, 8, 8))


def drawn(rng, hidden=16):
    tensors = {}
    for name, shape in shapes_of(NARROW, hidden).items():
        fan_in = torch.Size(shape[1:]).numel()
        tensors[name] = torch.randn(shape, generator=rng) * ((2 / fan_in) ** 0.5 if len(shape) > 1 else 0.1)
    return tensors


@torch.no_grad()
def test_fc2_after_its_relu_is_that_of_torchvisions_list_of_layers(rng, pictures):
    tensors = drawn(rng)
    layers, inputs = [], 3
    for stage in NARROW:
        for outputs in stage:
            layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU()]
            inputs = outputs
        layers.append(nn.MaxPool2d(2, 2))
    reference = nn.ModuleDict(
        {
            "features": nn.Sequential(*layers),
            "classifier": nn.Sequential(nn.Linear(8 * 49, 16), nn.ReLU(), nn.Dropout(), nn.Linear(16, 16), nn.ReLU()),
        }
    ).eval()
    reference.load_state_dict(tensors)
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    x = (tf1_bilinear(pictures, 224) / 255 - mean[:, None, None]) / deviation[:, None, None]
    expected = reference["classifier"](reference["features"](x).flatten(1))
    head = {"classifier.6.weight": torch.zeros(1000, 16), "classifier.6.bias": torch.zeros(1000)}
    network = Vgg16(Weights(tensors=tensors | head, sha256="397923af"), channels=NARROW, hidden=16)
    found = network.extract(pictures)["features"]
    assert_close(found, expected, rtol=1e-4, atol=1e-5)
    assert found.min() == 0 < found.max()
    assert network.identity == "vgg16@397923af:tf1-bilinear:uint8"


def test_it_has_138_million_weights_less_its_classes():
    published, classes = 138_357_544, 4096 * 1000 + 1000
    assert sum(torch.Size(shape).numel() for shape in shapes_of().values()) == published - classes


def test_weights_of_another_network_are_refused(rng):
    with pytest.raises(UserError, match="not the weights of VGG-16"):
        Vgg16(Weights(tensors=drawn(rng), sha256="0" * 8))
