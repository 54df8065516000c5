import pytest
import torch

from ganvas.core import catalogue
from ganvas.core.seeds import stream
from ganvas.nn.layers.initialise import initialise
from ganvas.train.sampling.dials import dials_of, drawn_at
from ganvas.train.sampling.sampling_cost import sampling_cost
from ganvas.train.trained import Trained


def trained(name, **settings):
    module = catalogue.load("models", name)
    model = module.Model(module.TINY if not settings else module.Config(**settings))
    initialise(model, stream(0, "weights"))
    height, width = model.config.picture.size
    data = {"height": height, "width": width, "channels": model.config.channels}
    return Trained(
        model=model.eval(),
        name=name,
        nimg=0,
        resolution=getattr(model.config, "resolution", None),
        fade=1.0,
        data=data,
        fingerprint="",
        device=torch.device("cpu"),
    )


def drawn(model, dial, value, n=5):
    return torch.cat(list(drawn_at(model, dial, value, n, seed=3, batch=2)))


def test_a_temperature_of_one_draws_what_the_model_draws_and_of_zero_one_picture():
    model = trained("gan/dcgan")
    (dial,) = dials_of(model)
    assert dial.name == "temperature"
    assert torch.equal(drawn(model, dial, 1.0), torch.cat(list(model.sample_bytes(5, seed=3))))
    cold = drawn(model, dial, 0.0)
    assert all(torch.equal(cold[0], other) for other in cold)


def test_a_flow_has_a_temperature_of_its_own():
    model = trained("flow/nice")
    (dial,) = dials_of(model)
    assert (dial.name, dial.kind) == ("temperature", "temperature")
    assert torch.equal(drawn(model, dial, 1.0), torch.cat(list(model.sample_bytes(5, seed=3))))


def test_a_model_that_truncates_has_that_dial_in_the_place_of_a_temperature():
    model = trained("gan/stylegan2")
    (dial,) = dials_of(model)
    assert dial.name == "truncation"
    assert torch.equal(drawn(model, dial, 1.0), torch.cat(list(model.sample_bytes(5, seed=3))))


def test_drawing_a_gan_takes_one_evaluation_and_a_pixel_model_one_for_each_pixel_or_number():
    small = {"height": 4, "width": 6, "levels": 1, "blocks": 1, "features": 2, "mixtures": 1}
    assert sampling_cost(trained("autoregressive/pixelcnn_pp", **small), batch=1)[0].evaluations == 4 * 6
    small = {"height": 4, "width": 6, "blocks": 1, "features": 3, "top_features": 3}
    for mixtures, each in ((1, 1), (0, 3)):  # A softmax gives red, green and blue in turn.
        model = trained("autoregressive/pixelcnn", **small, mixtures=mixtures)
        cost = sampling_cost(model, batch=1)[0]
        assert (cost.evaluations, cost.parameters) == (4 * 6 * each, sum(p.numel() for p in model.model.parameters()))
    made = trained("autoregressive/made", height=4, width=6, channels=3, hidden=4)
    assert sampling_cost(made, batch=1)[0].evaluations == 4 * 6 * 3
    cost, pictures = sampling_cost(trained("gan/dcgan"), batch=2)
    assert cost.evaluations == 1
    assert cost.milliseconds > 0
    assert pictures.shape == (2, 3, 16, 16)


def test_multiply_accumulates_of_a_dcgan_are_those_of_its_table():
    from ganvas.anatomy.trace.trace import trace

    model = trained("gan/dcgan")
    counted = sum(node.macs for node in trace(model.model.generator, (1, model.model.config.latent_size)).nodes)
    assert sampling_cost(model, batch=1)[0].macs == pytest.approx(counted, abs=0)
    own = sum(p.numel() for p in model.model.generator.parameters())
    assert sampling_cost(model, batch=1)[0].parameters == own
