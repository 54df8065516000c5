"""Gatys' style: Gram matrices by hand, the layers of VGG, and pictures that are optimised until they fit."""

import dataclasses

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from ganvas.core.errors import UserError
from ganvas.core.seeds import stream
from ganvas.losses.batches.domain_batch import Domains
from ganvas.losses.style import gram_matrix
from ganvas.models.style.gatys import A_TO_B, TINY, Model
from ganvas.networks.adversarial.style_stages import StyleStages
from ganvas.nn.layers.initialise import initialise


def started(**changes):
    model = Model(dataclasses.replace(TINY, **changes))
    initialise(model, stream(0, "weights"))
    return model


def domains(n=2):
    a, b = (torch.rand(n, 3, 16, 24, generator=stream(7, kind)) * 2 - 1 for kind in "ab")
    return Domains(a=a, b=b, rng=stream(3, "noise"))


def test_a_gram_matrix_forgets_places_and_grows_with_the_square():
    x = torch.randn(2, 3, 4, 5, generator=stream(0, "x"))
    by_hand = torch.stack([torch.stack([(x[n, i] * x[n]).sum((1, 2)) / 60 for i in range(3)]) for n in range(2)])
    assert_close(gram_matrix(x), by_hand)
    shuffled = x.flatten(2)[:, :, torch.randperm(20, generator=stream(0, "order"))].reshape(x.shape)
    assert_close(gram_matrix(shuffled), gram_matrix(x))
    assert_close(gram_matrix(3 * x), 9 * gram_matrix(x))


def test_the_deeper_layers_are_those_of_torchvisions_vgg_19(tmp_path):
    layers, inputs = [], 3
    for depth, outputs in ((2, 4), (2, 8), (4, 16), (4, 32), (1, 32)):
        for _ in range(depth):
            layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU()]
            inputs = outputs
        layers.append(nn.MaxPool2d(2))
    torch.save(
        {f"features.{name}": value for name, value in nn.Sequential(*layers).state_dict().items()}, tmp_path / "v"
    )
    stages = StyleStages("vgg19", 4, deeper=True)
    stages.read(tmp_path / "v")
    x = torch.rand(1, 3, 32, 32, generator=stream(0, "x")) * 2 - 1
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    y, expected = ((x + 1) / 2 - mean[:, None, None]) / deviation[:, None, None], []
    for place, layer in enumerate(layers):
        y = layer(y)
        if place in (1, 6, 11, 20, 22, 29):  # relu1_1, 2_1, 3_1, 4_1, 4_2, 5_1 of configuration E.
            expected.append(y)
    for found, wanted in zip(stages(x), expected, strict=True):
        assert_close(found, wanted, rtol=1e-4, atol=1e-5)


def test_a_picture_of_the_content_and_the_style_that_are_asked_for_has_no_error():
    model, batch = started(), domains(1)
    content, style = model._seen(batch.a)
    assert all(float(term) < 1e-6 for term in model._errors(batch.a, content, style).values())
    with torch.no_grad():  # Nothing is left to be changed.
        assert_close(model.styled(batch.a, style, A_TO_B), batch.a)
    shifted = model._errors(batch.b, content, style)
    seen, grams = model._seen(batch.b)
    maps = model.encoder(batch.b)  # relu1_1, 2_1, 3_1, 4_1, 4_2, 5_1.
    assert_close(seen, maps[4])
    assert_close(grams, torch.cat([gram_matrix(maps[layer]).flatten(1) for layer in (0, 1, 2, 3, 5)], 1))
    assert_close(shifted["content"], (seen - content).square().mean()[None])
    layers = [
        (grams - style)[0, first : first + n].square().mean()
        for first, n in zip((0, 16, 80, 336, 1360), (16, 64, 256, 1024, 1024), strict=True)
    ]
    assert_close(shifted["style"], 1e6 * sum(layers)[None])


def test_a_picture_comes_near_to_the_style_that_is_given_by_itself():
    model, batch = started(steps=15, content_weight=0.0).to(memory_format=torch.channels_last), domains()
    model.calibrate(batch)
    with torch.no_grad():
        style = model.style_of(batch.b, A_TO_B)
        made = model.styled(batch.a.to(memory_format=torch.channels_last), style, A_TO_B)
        before, after = ((model.style_of(x, A_TO_B) - style).square().sum(1) for x in (batch.a, made))
        assert (after < before / 10).all()
        assert_close(made[1:], model.styled(batch.a[1:], style[1:], A_TO_B))
        mean = style.mean(0, keepdim=True).expand(2, -1)
        assert_close(model.translate(batch.a, A_TO_B), model.styled(batch.a, mean, A_TO_B))


def test_the_player_starts_at_the_content_and_weights_that_are_not_there_are_named(tmp_path, capsys):
    model, batch = started(), domains()
    model.calibrate(batch)
    assert_close(model.canvas.picture, batch.a.mean(0, keepdim=True))
    assert "vgg19 has random weights; --set weights=FILE gives others" in capsys.readouterr().err
    with pytest.raises(UserError, match=r"gone\.pth"):
        started(weights=str(tmp_path / "gone.pth")).calibrate(batch)
