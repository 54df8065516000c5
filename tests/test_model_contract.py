"""What every model of the catalogue promises to the loop, to the checkpoint and to whoever draws pictures with it.

A new file under ``models/`` is tested here before its author writes a test.
"""

import dataclasses
import functools

import pytest
import torch
from torch.nn import functional as F
from torch.testing import assert_close

from ganvas.core import catalogue
from ganvas.core.config import from_plain, to_plain
from ganvas.core.errors import UserError
from ganvas.core.ranks import Ranks
from ganvas.core.schedule import Growth
from ganvas.core.seeds import stream
from ganvas.losses.game import Batch
from ganvas.nn.layers.initialise import initialise
from ganvas.train.executors import Eager
from ganvas.train.state import new_state
from ganvas.train.step import count_turns, set_learning_rate

MODELS = [entry.name for entry in catalogue.entries("models")]
COMMON = {"resolution", "base", "channels", "num_classes", "batch_size", "lr"}
VARIANTS = {
    "tiny": {},
    "grey": {"channels": 1},
    "rgba": {"channels": 4},
    "wide": {"base": (3, 5)},
    "first resolution only": {"resolution": 4},
    "classes": {"num_classes": 3},
}

pytestmark = pytest.mark.parametrize("name", MODELS)


@functools.cache
def takes_labels(name):
    """A model that has no use for labels says so; that is tested below."""
    try:
        config(name, num_classes=3)
    except UserError:
        return False
    return True


def config(name, **changes):
    return dataclasses.replace(catalogue.load("models", name).TINY, **changes)


def variant(name, kind):
    if kind == "classes" and not takes_labels(name):
        pytest.skip("takes no labels")
    return config(name, **VARIANTS[kind])


def started(name, settings=None, *, seed=0):
    model = catalogue.load("models", name).Model(settings or config(name))
    initialise(model, stream(seed, "weights"))
    return model


def pictures(settings, n, stage=None, *, nimg=0):
    """Random pictures with large and small structure, at the size of a stage."""
    height, width = settings.picture_size
    generator = stream(7, "pictures", nimg)
    coarse = torch.rand(n, settings.channels, *settings.base, generator=generator) * 2 - 1
    images = F.interpolate(coarse, size=(height, width), mode="nearest")
    images = (images + 0.3 * torch.randn(n, settings.channels, height, width, generator=generator)).clamp(-1, 1)
    return F.avg_pool2d(images, settings.resolution // stage.resolution) if stage else images


def labels(settings, n, *, nimg=0):
    classes = settings.num_classes
    return torch.randint(classes, (n,), generator=stream(7, "labels", nimg)) if classes else None


def batch_at(settings, stage, n=8):
    return Batch(
        images=pictures(settings, n, stage),
        labels=labels(settings, n),
        rng=stream(3, "noise"),
        fade=torch.tensor(stage.fade) if stage.fading else None,
    )


def let_move(model, phase):
    """As the step does: everyone stands still but the player."""
    model.requires_grad_(False)
    model.zero_grad(set_to_none=True)
    phase.player.requires_grad_(True)


def total(phase, batch):
    """What the step descends; the stream starts anew."""
    terms = phase.loss(batch.with_rng(stream(3, "noise")))
    return torch.stack([term.mean() for term in terms.values()]).sum()


def train(state, settings, steps):
    """The loop without its reports."""
    growth = state.model.schedule()
    execute = Eager(state, seed=5, ranks=Ranks(), precision=torch.float32)
    for _ in range(steps):
        stage = growth.at(state.nimg)
        if stage.phase != state.stage_phase:
            state.restart_optimizers()
            state.stage_phase = stage.phase
        set_learning_rate(state, stage.lr)
        images = pictures(settings, stage.batch_size, stage, nimg=state.nimg)
        execute.step(images, labels(settings, stage.batch_size, nimg=state.nimg), stage)
        count_turns(state)
        state.nimg += stage.batch_size
        state.step += 1


def steps_through_all_stages(model):
    growth = model.schedule()
    last = growth.borders()[-1] if growth.borders() else 0
    return -(-last // growth.batch_size) + 3


def test_its_file_says_what_it_is_and_links_to_its_paper(name):
    entry = next(entry for entry in catalogue.entries("models") if entry.name == name)
    assert entry.summary.endswith(".")
    assert entry.link.startswith("https://")


def test_its_settings_are_one_frozen_dataclass_that_json_can_hold(name):
    module = catalogue.load("models", name)
    fields = {field.name: field for field in dataclasses.fields(module.Config)}
    assert fields.keys() >= COMMON
    assert all(field.kw_only for field in fields.values())
    with pytest.raises(dataclasses.FrozenInstanceError):
        module.TINY.resolution = 8
    for settings in (module.Config(), module.TINY):
        assert from_plain(module.Config, to_plain(settings)) == settings
        doublings = settings.resolution // 4
        assert settings.picture_size == (settings.base[0] * doublings, settings.base[1] * doublings)


def test_its_default_settings_build_a_network_and_a_schedule_up_to_their_resolution(name):
    module = catalogue.load("models", name)
    with torch.device("meta"):
        model = module.Model(module.Config())
    assert model.config == module.Config()
    assert isinstance(model.schedule(), Growth)
    assert model.schedule().last == module.Config().resolution


@pytest.mark.parametrize(
    "change",
    [
        {"resolution": 48},
        {"resolution": 2},
        {"resolution": 0},
        {"resolution": -16},
        {"base": (0, 4)},
        {"channels": 0},
        {"num_classes": -1},
        {"batch_size": 0},
        {"batch_size": -8},
        {"lr": 0.0},
        {"lr": -1e-3},
        {"latent_size": 0},
        {"beta1": 1.0},
        {"beta2": -0.1},
    ],
    ids=str,
)
def test_impossible_settings_are_refused_by_a_message_with_the_name_and_the_value(name, change):
    ((field, value),) = change.items()
    if field not in {known.name for known in dataclasses.fields(catalogue.load("models", name).Config)}:
        pytest.skip(f"has no {field}")
    with pytest.raises(UserError) as refusal:
        config(name, **change)
    # The schedule speaks of the resolution as a number; a name alone would not tell a person what was given.
    assert str(value) in str(refusal.value)
    assert field in str(refusal.value) or field == "resolution"


def test_a_model_without_classes_says_so_when_asked_for_some(name):
    if takes_labels(name):
        pytest.skip("takes labels")
    with pytest.raises(UserError, match="num_classes=3"):
        config(name, num_classes=3)


def test_its_start_is_a_function_of_the_seed_alone_and_leaves_no_weight_unset(name):
    torch.manual_seed(11)
    before = torch.get_rng_state()
    first, again, other = started(name), started(name), started(name, seed=1)
    assert torch.equal(torch.get_rng_state(), before), "the global stream was drawn from"
    one, two = first.state_dict(), again.state_dict()
    assert all(torch.equal(one[key], two[key]) for key in one)
    assert all(tensor.isfinite().all() for tensor in one.values())
    assert any(not torch.equal(one[key], tensor) for key, tensor in other.state_dict().items())


def test_its_phases_are_named_apart_and_every_parameter_has_a_player(name):
    model = started(name)
    phases = model.phases()
    assert len({phase.name for phase in phases}) == len(phases) > 0
    assert not phases[-1].simultaneous, "a move that waits needs a next one to wait for"
    moved = {id(parameter) for phase in phases for parameter in phase.player.parameters()}
    assert [key for key, parameter in model.named_parameters() if id(parameter) not in moved] == []


@pytest.mark.parametrize("kind", VARIANTS)
def test_every_term_is_a_finite_number_per_picture_at_every_stage(name, kind):
    settings = variant(name, kind)
    model = started(name, settings)
    for stage in model.schedule().stages():
        for phase in model.phases():
            let_move(model, phase)
            terms = phase.loss(batch_at(settings, stage))
            assert terms
            for term in terms.values():
                assert term.shape == (8,)
                assert term.isfinite().all()


@pytest.mark.parametrize("kind", ["tiny", "classes"])
def test_gradients_reach_every_parameter_of_the_player_in_some_stage_and_none_of_the_others(name, kind):
    settings = variant(name, kind)
    model = started(name, settings)
    unreached = {}
    for phase in model.phases():
        unreached |= {phase.name: {key for key, _ in phase.player.named_parameters()}}
    for stage in model.schedule().stages():
        for phase in model.phases():
            let_move(model, phase)
            total(phase, batch_at(settings, stage)).backward()
            mine = {id(parameter) for parameter in phase.player.parameters()}
            assert all(p.grad is None for p in model.parameters() if id(p) not in mine)
            for key, parameter in phase.player.named_parameters():
                if parameter.grad is not None:
                    assert parameter.grad.isfinite().all(), key
                    # What a norm cancels has a zero gradient; a whole weight has not.
                    if parameter.ndim < 2 or parameter.grad.any():
                        unreached[phase.name].discard(key)
    assert unreached == {phase.name: set() for phase in model.phases()}


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("kind", ["tiny", "wide", "classes"])
def test_in_float64_the_gradient_is_the_slope_of_the_loss(name, kind):
    settings = variant(name, kind)
    model = started(name, settings)
    for stage in model.schedule().stages():
        batch = batch_at(settings, stage)
        for phase in model.phases():
            let_move(model, phase)
            loss = total(phase, batch)
            assert loss.dtype == torch.float64
            loss.backward()
            moved = [parameter for parameter in phase.player.parameters() if parameter.grad is not None]
            generator = stream(9, "direction")
            directions = [p.abs().mean().clamp(min=0.01) * torch.randn(p.shape, generator=generator) for p in moved]
            directions = [direction.detach() for direction in directions]
            slope = sum((p.grad * d).sum() for p, d in zip(moved, directions, strict=True))
            assert_close(slope, _slope(phase, batch, moved, directions), rtol=1e-4, atol=1e-5)


def _slope(phase, batch, parameters, directions, step=1e-8):
    """By central differences, of a step so small that hardly any leaky ReLU changes sides within it."""
    ends = []
    for sign in (1, -1):
        with torch.no_grad():
            torch._foreach_add_(parameters, directions, alpha=sign * step)
        ends.append(total(phase, batch).detach())
        with torch.no_grad():
            torch._foreach_add_(parameters, directions, alpha=-sign * step)
    return (ends[0] - ends[1]) / (2 * step)


@pytest.mark.parametrize("kind", ["tiny", "classes"])
def test_a_short_training_through_all_stages_moves_every_player_and_stays_finite(name, kind):
    settings = variant(name, kind)
    state = new_state(started(name, settings))
    before = {key: tensor.clone() for key, tensor in state.model.named_parameters()}
    train(state, settings, steps_through_all_stages(state.model))
    assert state.is_finite()
    assert all(total.isfinite() for total in state.sums.values())
    still = [key for key, tensor in state.model.named_parameters() if torch.equal(tensor, before[key])]
    assert still == []


def test_stopping_and_going_on_equals_never_stopping_bit_for_bit(name):
    settings = config(name)
    state = new_state(started(name))
    steps = steps_through_all_stages(state.model)
    train(state, settings, steps // 2)
    saved, numbers = {key: tensor.clone() for key, tensor in state.tensors().items()}, dict(state.numbers())
    numbers["counts"] = dict(numbers["counts"])
    resumed = new_state(started(name, seed=1))
    resumed.restore(saved, numbers)
    back = resumed.tensors()
    assert back.keys() == saved.keys()
    assert all(torch.equal(back[key], tensor) for key, tensor in saved.items())

    train(state, settings, steps - steps // 2)
    train(resumed, settings, steps - steps // 2)
    through, after = state.tensors(), resumed.tensors()
    assert after.keys() == through.keys()
    assert [key for key, tensor in through.items() if not torch.equal(tensor, after[key])] == []
    assert resumed.numbers() == state.numbers()
    assert {key: total.item() for key, total in resumed.sums.items()} == {
        key: total.item() for key, total in state.sums.items()
    }, "what was summed for the next report"


@pytest.mark.parametrize("kind", VARIANTS)
def test_a_drawn_picture_depends_on_its_latent_alone(name, kind):
    settings = variant(name, kind)
    model = started(name, settings).eval()
    if not hasattr(model, "latents"):
        pytest.skip("draws no pictures")
    kept = {key: tensor.clone() for key, tensor in model.state_dict().items()}
    z, again = model.latents(5, stream(1, "z")), model.latents(5, stream(1, "z"))
    assert torch.equal(z, again)
    assert len(z) == 5
    chosen = labels(settings, 5)

    def draw(rows):
        return model.decode(z[rows], **({} if chosen is None else {"labels": chosen[rows]}))

    with torch.no_grad():
        drawn, alone = draw(slice(None)), [draw(slice(i, i + 1)) for i in range(5)]
    assert drawn.shape == (5, settings.channels, *settings.picture_size)
    assert drawn.std() > 0
    # Kernels for other batch sizes round otherwise; a byte of colour is 8e-3.
    assert_close(drawn, torch.cat(alone), rtol=1e-5, atol=1e-5)
    assert all(torch.equal(tensor, kept[key]) for key, tensor in model.state_dict().items()), (
        "drawing changed the model"
    )


@pytest.mark.parametrize("kind", ["tiny", "wide"])
def test_a_growing_model_draws_at_every_resolution(name, kind):
    settings = variant(name, kind)
    model = started(name, settings).eval()
    stages = list(model.schedule().stages())
    if len(stages) == 1:
        pytest.skip("does not grow")
    z = model.latents(2, stream(1, "z"))
    for stage in stages:
        fade = torch.tensor(stage.fade) if stage.fading else None
        with torch.no_grad():
            drawn = model.decode(z, resolution=stage.resolution, fade=fade)
        factor = settings.resolution // stage.resolution
        assert drawn.shape[2:] == tuple(side // factor for side in settings.picture_size)


def test_an_encoded_picture_has_a_latent_of_its_own_that_can_be_decoded(name):
    settings = config(name)
    model = started(name).eval()
    if not hasattr(model, "encode"):
        pytest.skip("does not encode")
    images = pictures(settings, 4)
    with torch.no_grad():
        encoded = model.encode(images)
        z = encoded[0] if isinstance(encoded, tuple) else encoded
        assert z.shape == model.latents(4, stream(1, "z")).shape
        assert model.decode(z).shape == images.shape
