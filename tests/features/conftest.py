"""Weights that nobody trained, in the shapes of the real ones."""

import pytest
import torch


@pytest.fixture(scope="session")
def inception_tensors() -> dict[str, torch.Tensor]:
    """Random weights of Inception-v3 under the names of the released file, scaled so that no map dies or explodes."""
    from ganvas.features.inception_layers import LAYERS

    rng = torch.Generator().manual_seed(0)
    tensors = {}
    for name, layer in LAYERS.items():
        fan_in = layer.inputs * layer.kernel[0] * layer.kernel[1]
        shape = (layer.outputs, layer.inputs, *layer.kernel)
        tensors[f"{name}.conv.weight"] = torch.randn(shape, generator=rng) * (2 / fan_in) ** 0.5
        tensors[f"{name}.bn.weight"] = torch.rand(layer.outputs, generator=rng) + 0.5
        tensors[f"{name}.bn.bias"] = torch.randn(layer.outputs, generator=rng) * 0.1
        tensors[f"{name}.bn.running_mean"] = torch.randn(layer.outputs, generator=rng) * 0.1
        tensors[f"{name}.bn.running_var"] = torch.rand(layer.outputs, generator=rng) + 0.5
    tensors["fc.weight"] = torch.randn(1008, 2048, generator=rng) * 0.02
    tensors["fc.bias"] = torch.randn(1008, generator=rng)
    return tensors


@pytest.fixture
def pictures(rng: torch.Generator) -> torch.Tensor:
    """Five pictures of 40 x 48, smooth enough to have something in common: bytes, RGB."""
    coarse = torch.rand(5, 3, 6, 7, generator=rng)
    fine = torch.nn.functional.interpolate(coarse, (40, 48), mode="bilinear")
    return (fine * 255).to(torch.uint8)
