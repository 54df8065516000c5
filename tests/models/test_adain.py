"""AdaIN: layers of the published networks, what is exchanged, the losses by hand, and where weights come from."""

import dataclasses

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from ganvas.core.errors import UserError
from ganvas.core.seeds import stream
from ganvas.features import classifier
from ganvas.losses.batches.domain_batch import Domains
from ganvas.losses.style import map_moments
from ganvas.models.style.adain import A_TO_B, TINY, Config, Model
from ganvas.networks.adversarial.style_stages import StyleStages, mirrored_decoder
from ganvas.nn.layers.initialise import initialise


def started(**changes):
    model = Model(dataclasses.replace(TINY, **changes))
    initialise(model, stream(0, "weights"))
    return model


def domains(n=3):
    a, b = (torch.rand(n, 3, 16, 24, generator=stream(7, kind)) * 2 - 1 for kind in "ab")
    return Domains(a=a, b=b, rng=stream(3, "noise"))


def test_shuffled_pixels_have_the_same_style():
    x = torch.randn(2, 3, 4, 5, generator=stream(0, "x"))
    shuffled = x.flatten(2)[:, :, torch.randperm(20, generator=stream(0, "order"))].reshape(x.shape)
    for moment, same in zip(map_moments(shuffled), map_moments(x), strict=True):
        assert_close(moment, same)


def test_the_decoder_mirrors_vgg_19_as_in_the_authors_code():
    # net.py of the PyTorch port: 512-256, three of 256, 256-128, 128, 128-64, 64, 64-3.
    pairs = [(512, 256), *[(256, 256)] * 3, (256, 128), (128, 128), (128, 64), (64, 64), (64, 3)]
    with torch.device("meta"):
        decoder = mirrored_decoder("vgg19", 64)
    assert [tuple(part.weight.shape[:2][::-1]) for part in decoder if hasattr(part, "weight")] == pairs


def test_the_frozen_network_is_that_of_torchvisions_file(tmp_path):
    layers, inputs = [], 3
    for depth, outputs in ((2, 4), (2, 8), (3, 16), (1, 32)):
        for _ in range(depth):
            layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU()]
            inputs = outputs
        layers.append(nn.MaxPool2d(2))
    listed = nn.Sequential(*layers)
    torch.save({f"features.{name}": value for name, value in listed.state_dict().items()}, tmp_path / "vgg.pth")
    stages = StyleStages("vgg16", 4)
    stages.read(tmp_path / "vgg.pth")
    x = torch.rand(2, 3, 16, 24, generator=stream(0, "x")) * 2 - 1
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    y, expected = ((x + 1) / 2 - mean[:, None, None]) / deviation[:, None, None], []
    for place, layer in enumerate(listed):
        y = layer(y)
        if place in (1, 6, 11, 18):  # relu1_1, 2_1, 3_1, 4_1.
            expected.append(y)
    for found, wanted in zip(stages(x), expected, strict=True):
        assert_close(found, wanted, rtol=1e-4, atol=1e-5)
    with pytest.raises(UserError, match="not the weights of vgg19 of features=4"):
        StyleStages("vgg19", 4).read(tmp_path / "vgg.pth")


def test_the_frozen_network_may_be_a_classifier_of_ones_own(tmp_path):
    config = classifier.Config(classes=("a", "b"), size=16, width=2, mean=(100.0, 110.0, 120.0), deviation=(50.0,) * 3)
    module = classifier.Classifier(config)
    for norm in (part for part in module.modules() if isinstance(part, nn.BatchNorm2d)):
        norm.running_mean.normal_(generator=stream(0, "mean"))
        norm.running_var.uniform_(0.5, 2.0, generator=stream(0, "var"))
    classifier.save(classifier.Trained(config=config, module=module), tmp_path / "own.safetensors")
    model = started(encoder="classifier", features=2, weights=str(tmp_path / "own.safetensors"))
    model.calibrate(domains())
    pixels = torch.randint(0, 256, (2, 3, 16, 16), generator=stream(0, "x"), dtype=torch.uint8)
    last = model.encoder(pixels / 127.5 - 1)[-1]
    with torch.no_grad():
        own = module.eval().features(classifier.standardised(pixels.float(), config))
    assert_close(last.mean((2, 3)), own, rtol=1e-4, atol=1e-4)
    with pytest.raises(UserError, match="set features=2"):
        StyleStages("classifier", 4).read(tmp_path / "own.safetensors")
    (tmp_path / "other.bin").write_bytes(b"x" * 99)
    with pytest.raises(UserError, match="no classifier"):
        StyleStages("classifier", 2).read(tmp_path / "other.bin")


def test_a_style_is_put_in_and_found_again_in_the_exchanged_maps():
    model, batch = started(), domains()
    with torch.no_grad():
        style = model.style_of(batch.b, A_TO_B)
        maps = model._exchanged(batch.a, style)
    mean, deviation = map_moments(maps)
    live = map_moments(model.encoder(batch.a)[-1])[1] > 0.01  # A map that is flat has no deviation to be exchanged.
    assert_close(mean, style.chunk(2, 1)[1], rtol=1e-4, atol=1e-4)
    assert_close(deviation[live], style.chunk(2, 1)[0][live], rtol=1e-2, atol=1e-2)


def test_the_losses_are_those_of_exchanged_maps_and_of_moments():
    model, batch = started(content_weight=3.0, style_weight=5.0), domains()
    terms = model.phases()[0].loss(batch)
    styles = model.encoder(batch.b)
    target = model._exchanged(batch.a, model.style_of(batch.b, A_TO_B))
    seen = model.encoder(model.decoder(target))
    assert_close(terms["content"], 3 * (seen[-1] - target).square().flatten(1).mean(1))

    def apart(x, y):
        each = [(x.mean((2, 3)) - y.mean((2, 3))).square().mean(1)]
        spread = [(side.var((2, 3), correction=0) + 1e-5).sqrt() for side in (x, y)]
        return each[0] + (spread[0] - spread[1]).square().mean(1)

    assert_close(terms["style"], 5 * sum(apart(x, y) for x, y in zip(seen, styles, strict=True)))


def test_without_a_style_it_is_the_mean_one_of_the_collection():
    model, batch = started(), domains()
    model.calibrate(batch)
    mean = model.style_of(batch.b, A_TO_B).mean(0, keepdim=True)
    with torch.no_grad():
        assert_close(model.translate(batch.a, A_TO_B), model.styled(batch.a, mean.expand(3, -1), A_TO_B))
    with pytest.raises(UserError, match="the same number"):
        Config(channels=1)
    with pytest.raises(UserError, match="at least 16"):
        Config(height=8, width=16)
