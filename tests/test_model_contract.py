"""What every model of the catalogue promises to the loop, to the checkpoint and to whoever draws samples with it.

A new file under ``models/`` is tested here before its author writes a test. Each test asks for the capability that it
is about, and the steps are the loop's own.
"""

import dataclasses
import functools
from typing import get_args, get_type_hints

import pytest
import torch
from torch.nn import functional as F
from torch.testing import assert_close
from torch.utils._python_dispatch import TorchDispatchMode

from ganvas.core import catalogue
from ganvas.core.config import from_plain, to_plain
from ganvas.core.errors import UserError
from ganvas.core.hashes.derived_seeds import derive_seed
from ganvas.core.ranks import Ranks
from ganvas.core.schedule import Growth, Schedule
from ganvas.core.seeds import stream, torch_seeded
from ganvas.losses.augmentation import AdaptiveAugmentation, Augmentation, ShowsAugmented
from ganvas.losses.batches.box_batch import BoxedPictures
from ganvas.losses.batches.domain_batch import Domains
from ganvas.losses.batches.graph_batch import Graphs
from ganvas.losses.batches.picture_batch import VOID, Pictures
from ganvas.losses.batches.point_batch import Points
from ganvas.losses.batches.sound_batch import Sounds
from ganvas.losses.batches.text_batch import Lines
from ganvas.losses.capabilities import (
    Calibrates,
    Classifies,
    Detects,
    Encodes,
    Fills,
    FitsLength,
    HasDensity,
    HasLatents,
    HasTemperature,
    Inverts,
    Judges,
    KnowsDensity,
    LabelsPixels,
    Segments,
    Shifts,
    Shows,
    SizesPictures,
    SizesTargets,
    TakesStyle,
    Translates,
    Truncates,
    classes_of,
)
from ganvas.losses.game import Game, Settings
from ganvas.losses.likelihoods.bits import Kind
from ganvas.losses.likelihoods.line_likelihood import ended
from ganvas.nn.layers.initialise import initialise
from ganvas.nn.norms.spectral_norm import PowerMethod
from ganvas.tasks.pictures.tiling import reach_of
from ganvas.tasks.pictures.whole_statistics import statistics_given
from ganvas.train.execution.executors import Eager
from ganvas.train.feeds.feed import Feed
from ganvas.train.forecast import count_flop
from ganvas.train.kinds.kinds import KINDS
from ganvas.train.loop import advance
from ganvas.train.sampling import drawn
from ganvas.train.sampling.drawn import can_draw, drawn_samples
from ganvas.train.state import movable, new_state
from ganvas.train.step import let_move

TINIES = {"pictures": "TINY", "points": "TINY_POINTS"}  # By what a model of several kinds is tested on.
VARIANTS = {
    "tiny": {},
    "grey": {"channels": 1},
    "rgba": {"channels": 4},
    "wide": {"base": (3, 5)},
    "first resolution only": {"resolution": 4},
    "classes": {"num_classes": 3},
    "residual": {"network": "resnet"},
}
STEP = 1e-8  # Of a slope by central differences.
STOPS_GRADIENTS = {
    "translate/cut": "takes the patches of the given picture as constants, as its authors' code does",
    "text/seqgan": "draws tokens, and follows the slope of their law: tested by enumeration",
    "text/maligan": "draws tokens, and follows the slope of their law: tested by enumeration",
    "graphs/molgan": "weighs its reward by a ratio that it takes as a constant: its penalties are tested by themselves",
    "graphs/netgan": "shows choices with the slope of soft ones: tested with those of text/gumbel by enumeration",
    "text/gumbel": "shows choices with the slope of soft ones: tested by enumeration",
    "text/scratchgan": "draws tokens, and follows the slope of their law: tested by enumeration",
}
OF_PICTURES = {"channels", "base", "resolution", "num_classes", "network"}  # Fields without a meaning for points.


def names():
    """Every model; one that takes several kinds of sample once for each: ``gan/wgan:points``."""
    for entry in catalogue.entries("models"):
        several = len(catalogue.load("models", entry.name).Model.takes) > 1
        yield from [f"{entry.name}:{kind}" for kind in TINIES] if several else [entry.name]


# `make fast` asks about the tiny form of one model of every kind of sample, and leaves the others, other forms and long
# trainings to the whole suite. A new model: `pytest tests/test_model_contract.py -k NAME`.
IN_FAST = (
    *("gan/dcgan", "gan/wgan:points", "vae/vae", "translate/cyclegan", "flow/realnvp", "sound/wavegan", "text/mle"),
    *("graphs/autoregressive", "detect/csp", "fill/partial", "segment/unet", "style/gatys", "diffusion/edm:points"),
)
pytestmark = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in IN_FAST else [pytest.mark.slow]) for name in names()]
)
KINDS_OF_CONFIG = ["tiny", *(pytest.param(kind, marks=pytest.mark.slow) for kind in VARIANTS if kind != "tiny")]
TINY_AND_CLASSES = ["tiny", pytest.param("classes", marks=pytest.mark.slow)]


def file_of(name):
    return catalogue.load("models", name.partition(":")[0])


@functools.cache
def fields_of(name):
    return {field.name for field in dataclasses.fields(file_of(name).Config)}


def networks_of(name):
    """What its field ``network`` may say."""
    return get_args(get_type_hints(file_of(name).Config)["network"])


def config(name, **changes):
    tiny = vars(file_of(name))[TINIES[name.partition(":")[2] or "pictures"]]
    return dataclasses.replace(tiny, **changes)


def variant(name, kind):
    if not VARIANTS[kind].keys() <= fields_of(name):
        pytest.skip(f"has no {', '.join(VARIANTS[kind])}")
    if name.endswith(":points") and VARIANTS[kind].keys() & OF_PICTURES:
        pytest.skip("is of points")
    if "network" in VARIANTS[kind] and VARIANTS[kind]["network"] not in networks_of(name):
        pytest.skip("has other networks")
    changes = dict(VARIANTS[kind])
    if "channels" in changes and "other_channels" in fields_of(name):
        changes["other_channels"] = changes["channels"]
    return config(name, **changes)


def started(name, settings=None, *, seed=0):
    model = file_of(name).Model(settings or config(name))
    initialise(model, stream(seed, "weights"))
    return model


def coarse_and_fine(picture, n, *parts):
    """Random pictures in [-1, 1] with large and small structure."""
    height, width = picture.size
    generator = stream(7, "pictures", *parts)
    coarse = torch.rand(n, picture.channels, 4, 4, generator=generator) * 2 - 1
    images = F.interpolate(coarse, size=(height, width), mode="nearest")
    return (images + 0.3 * torch.randn(n, picture.channels, height, width, generator=generator)).clamp(-1, 1)


def some_holes(size, n, *parts):
    """A third of each picture is a hole: a band at a place of its own."""
    height, width = size
    first = torch.randint(width, (n, 1, 1, 1), generator=stream(7, "holes", *parts))
    away = (torch.arange(width) - first) % width
    return (away >= width // 3).float().expand(n, 1, height, width).contiguous()


def some_guide(images, guides):
    """A line for every change from left to right, and the picture's own colours on its upper half."""
    lines = F.pad((images[:, :1, :, 1:] - images[:, :1, :, :-1]).abs() > 0.5, (0, 1)).float()
    present = torch.zeros_like(lines)
    present[:, :, : images.shape[2] // 2] = 1
    planes = {"sketch": [lines], "colour": [images * present, present]}
    return torch.cat([plane for name in ("sketch", "colour") if name in guides for plane in planes[name]], 1)


def picture_batch(settings, stage, nimg):
    n, classes = stage.batch_size, classes_of(settings)
    images = F.avg_pool2d(coarse_and_fine(settings.picture, n, nimg), stage.shrink)
    return Pictures(
        images=images,
        labels=torch.randint(classes, (n,), generator=stream(7, "labels", nimg)) if classes else None,
        mask=some_holes(images.shape[2:], n, nimg),
        fade=torch.tensor(stage.fade) if stage.fading else None,
        **belonging(settings, n, nimg),
    )


def belonging(settings, n, nimg):
    """What belongs to pictures, for models that learn pairs: other pictures, or a class for every pixel."""
    if isinstance(settings, LabelsPixels):
        maps = torch.randint(settings.pixel_classes, (n, *settings.picture.size), generator=stream(7, "maps", nimg))
        maps[:, 0, 0] = VOID
        return {"label_map": maps}
    if isinstance(settings, SizesTargets):
        return {"target": coarse_and_fine(settings.other_picture, n, nimg, 1)}
    return {}


def domain_batch(settings, stage, nimg):
    return Domains(
        a=coarse_and_fine(settings.picture, stage.batch_size, nimg, 0),
        b=coarse_and_fine(settings.other_picture, stage.batch_size, nimg, 1),
    )


def point_batch(settings, stage, nimg):
    return Points(points=torch.randn(stage.batch_size, settings.dims, generator=stream(7, "points", nimg)))


def sound_batch(settings, stage, nimg):
    sound, generator = settings.sound, stream(7, "sounds", nimg)
    turns = torch.rand(stage.batch_size, 1, generator=generator) * torch.arange(sound.length) / 4
    noise = torch.randn(stage.batch_size, sound.length, generator=generator)
    classes = classes_of(settings)
    return Sounds(
        waves=(0.6 * torch.sin(2 * torch.pi * turns) + 0.1 * noise).clamp(-1, 1),
        labels=torch.randint(classes, (stage.batch_size,), generator=stream(7, "labels", nimg)) if classes else None,
        shrink=stage.shrink,
        fade=torch.tensor(stage.fade) if stage.fading else None,
    )


def line_batch(settings, stage, nimg):
    line = settings.line
    tokens = torch.randint(line.alphabet, (stage.batch_size, line.length), generator=stream(7, "lines", nimg))
    return Lines(tokens=ended(tokens))


def graph_batch(settings, stage, nimg):
    graph, generator, n = settings.graph, stream(7, "graphs", nimg), stage.batch_size
    edges = torch.randint(graph.edge_kinds + 1, (n, graph.nodes, graph.nodes), generator=generator).triu(1)
    sizes = torch.randint(1, graph.nodes + 1, (n,), generator=generator)
    there = torch.arange(graph.nodes) < sizes[:, None]
    kinds = torch.randint(1, graph.node_kinds + 1, (n, graph.nodes), generator=generator) * there
    tables = (edges + edges.mT) * there[:, :, None] * there[:, None, :]
    return Graphs(tables=tables + torch.diag_embed(kinds))


def box_batch(settings, stage, nimg):
    picture, n = settings.picture, stage.batch_size
    corner = torch.rand(n, 3, 2, generator=stream(7, "boxes", nimg)) * 12
    sides = 8 + torch.rand(n, 3, 2, generator=stream(7, "sides", nimg)) * 10
    kinds = torch.randint(-1, 2, (n, 3), generator=stream(7, "kinds", nimg))
    kinds[:, 0] = 1  # Something is to be found in each.
    return BoxedPictures(
        images=coarse_and_fine(picture, n, nimg), corners=torch.cat([corner, corner + sides], -1), kinds=kinds
    )


BATCHES = {  # One per kind of sample.
    Pictures: picture_batch,
    Domains: domain_batch,
    Points: point_batch,
    Sounds: sound_batch,
    Lines: line_batch,
    Graphs: graph_batch,
    BoxedPictures: box_batch,
}


class RandomFeed(Feed):
    """Random samples of a model's kind, a function of the position."""

    def __init__(self, model):
        self.make, self.settings = BATCHES[model.batch_type], model.config
        self.guides = model.guides if isinstance(model, Fills) else ()

    def batch(self, nimg, stage):
        batch = self.make(self.settings, stage, nimg)
        return dataclasses.replace(batch, guide=some_guide(batch.images, self.guides)) if self.guides else batch

    def close(self):
        pass


def batch_at(model, stage, n=8):
    batch = RandomFeed(model).batch(0, dataclasses.replace(stage, batch_size=n))
    return batch.with_rng(stream(3, "noise"))


def total(phase, batch):
    """What the step descends; every stream starts anew."""
    with torch_seeded(derive_seed(3, "torch")):
        terms = phase.loss(batch.with_rng(stream(3, "noise")))
    return torch.stack([term.mean() for term in terms.values()]).sum()


class NothingFromTheHost(TorchDispatchMode):
    """Refuses ``torch.tensor``: its numbers are copied to the device, which waits, and which no CUDA graph can hold."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        assert func is not torch.ops.aten.lift_fresh.default, "a step makes a tensor of numbers of the host"
        return func(*args, **(kwargs or {}))


def moving(model):
    """The parameters of each phase's player that may move, by name."""
    return {phase.name: movable(phase.player) for phase in model.phases()}


def train(state, steps):
    """Steps of the loop, without its reports."""
    schedule, feed = state.model.schedule(), RandomFeed(state.model)
    execute = Eager(state, seed=5, ranks=Ranks(), precision=torch.float32)
    for _ in range(steps):
        advance(state, execute, feed, schedule.at(state.nimg))


def steps_through_all_stages(model):
    schedule = model.schedule()
    last = schedule.borders()[-1] if schedule.borders() else 0
    return -(-last // model.config.batch_size) + 3


def test_its_file_says_what_it_is_and_links_to_its_paper(name):
    entry = next(entry for entry in catalogue.entries("models") if entry.name == name.partition(":")[0])
    assert entry.summary.endswith(".")
    assert entry.link.startswith("https://")


def test_its_settings_are_one_frozen_dataclass_that_json_can_hold(name):
    module = file_of(name)
    assert all(field.kw_only for field in dataclasses.fields(module.Config))
    with pytest.raises(dataclasses.FrozenInstanceError):
        module.TINY.batch_size = 8
    for settings in (module.Config(), module.TINY):
        assert isinstance(settings, Settings)
        assert from_plain(module.Config, to_plain(settings)) == settings


def test_its_default_settings_build_a_game_of_a_known_kind_with_a_schedule(name):
    module = file_of(name)
    with torch.device("meta"):
        model = module.Model(module.Config())
    assert isinstance(model, Game)
    assert model.config == module.Config()
    assert set(model.takes) <= set(KINDS)
    assert model.batch_type in model.takes
    assert isinstance(model.schedule(), Schedule)
    if isinstance(model.config, SizesPictures) and isinstance(model.schedule(), Growth):
        assert model.schedule().last == module.Config().resolution


def test_a_model_of_several_kinds_has_settings_for_points(name):
    module = file_of(name)
    if len(module.Model.takes) < 2:
        pytest.skip("takes one kind")
    assert module.POINTS.dims > 0
    assert from_plain(module.Config, to_plain(module.POINTS)) == module.POINTS


def test_its_tiny_settings_are_of_the_kind_that_they_are_named_after(name):
    model = started(name)
    if len(model.takes) > 1:
        assert model.batch_type is {"pictures": Pictures, "points": Points}[name.partition(":")[2]]


def test_settings_fitted_to_a_length_reach_the_last_stage_within_it(name):
    settings = config(name)
    if not isinstance(settings, FitsLength):
        pytest.skip("has no schedule to be fitted")
    for kimg in (1.0, 100.0):
        schedule = file_of(name).Model(settings.fitted(kimg)).schedule()
        stages = list(schedule.stages())
        assert schedule.at(round(1000 * kimg) - 1).phase == stages[-1].phase


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
    if field not in fields_of(name):
        pytest.skip(f"has no {field}")
    with pytest.raises(UserError) as refusal:
        config(name, **change)
    # The schedule speaks of the resolution as a number; a name alone would not tell a person what was given.
    assert str(value) in str(refusal.value)
    assert field in str(refusal.value) or field == "resolution"


def test_its_start_is_a_function_of_the_seed_alone_and_leaves_no_weight_unset(name):
    torch.manual_seed(11)
    before = torch.get_rng_state()
    first, again, other = started(name), started(name), started(name, seed=1)
    assert torch.equal(torch.get_rng_state(), before), "the global stream was drawn from"
    one, two = first.state_dict(), again.state_dict()
    assert all(torch.equal(one[key], two[key]) for key in one)
    assert all(tensor.isfinite().all() for tensor in one.values())
    assert any(not torch.equal(one[key], tensor) for key, tensor in other.state_dict().items())


def test_its_phases_are_named_apart_and_every_parameter_that_may_move_has_a_player(name):
    model = started(name)
    phases = model.phases()
    assert len({phase.name for phase in phases}) == len(phases) > 0
    assert not phases[-1].simultaneous, "a move that waits needs a next one to wait for"
    moved = {id(parameter) for own in moving(model).values() for parameter in own.values()}
    assert [key for key, parameter in movable(model).items() if id(parameter) not in moved] == []


def test_what_it_remembers_is_buffers_of_its_own_that_are_never_published(name):
    from ganvas.train.state import averaged_model

    model = started(name)
    buffers = {key for key, _ in model.named_buffers()}
    assert set(model.memory()) <= buffers
    assert not set(model.memory()) & averaged_model(new_state(model)).keys()


@pytest.mark.parametrize("kind", KINDS_OF_CONFIG)
def test_every_term_is_a_finite_number_per_sample_or_per_batch_at_every_stage(name, kind):
    model = started(name, variant(name, kind))
    own = moving(model)
    for stage in model.schedule().stages():
        batch = batch_at(model, stage)
        for phase in model.phases():
            let_move(model, own[phase.name].values())
            terms = phase.loss(batch)
            assert terms
            for term in terms.values():
                assert term.shape in ((8,), ())
                assert term.isfinite().all()


def test_the_operations_of_a_step_can_be_counted_and_nothing_of_it_is_copied_from_the_host(name):
    model = started(name)
    stages = list(model.schedule().stages())
    for stage in stages[:1] + stages[1:][-2:]:  # Of those that grow the first, the last and its fade.
        batch = batch_at(model, stage)
        with NothingFromTheHost():
            assert count_flop(model, batch) > 0


def open_what_is_shut(model):
    """A weight that starts at zero, as the last one of a residual branch may, lets no gradient through to others."""
    for parameter in model.parameters():
        if parameter.ndim >= 2 and not parameter.any():
            with torch.no_grad():
                parameter.copy_(0.1 * torch.randn(parameter.shape, generator=stream(11, "open")))


@pytest.mark.parametrize("kind", TINY_AND_CLASSES)
def test_gradients_reach_every_parameter_of_the_player_in_some_stage_and_none_of_the_others(name, kind):
    model = started(name, variant(name, kind))
    open_what_is_shut(model)
    own = moving(model)
    unreached = {phase: set(parameters) for phase, parameters in own.items()}
    for stage in model.schedule().stages():
        for phase in model.phases():
            let_move(model, own[phase.name].values())
            model.zero_grad(set_to_none=True)
            total(phase, batch_at(model, stage)).backward()
            mine = {id(parameter) for parameter in own[phase.name].values()}
            assert all(p.grad is None for p in model.parameters() if id(p) not in mine)
            for key, parameter in own[phase.name].items():
                if parameter.grad is not None:
                    assert parameter.grad.isfinite().all(), key
                    # What a norm cancels has a zero gradient; a whole weight has not.
                    if parameter.ndim < 2 or parameter.grad.any():
                        unreached[phase.name].discard(key)
    reached_by_a_player = {
        id(phase.player): {key for other in model.phases() if other.player is phase.player for key in own[other.name]}
        - set.intersection(*(unreached[other.name] for other in model.phases() if other.player is phase.player))
        for phase in model.phases()
    }
    for phase in model.phases():
        assert set(own[phase.name]) - reached_by_a_player[id(phase.player)] == set(), phase.name


def test_a_filled_picture_is_as_it_was_outside_of_its_hole_and_what_was_under_the_hole_changes_nothing(name):
    model = started(name)
    if not isinstance(model, Fills):
        pytest.skip("fills no holes")
    model.eval()
    batch = batch_at(model, next(iter(model.schedule().stages())), n=2)
    noise = torch.randn(batch.mask.shape, generator=stream(3, "noise"))
    filled = model.fill(batch.images, batch.mask, guide=batch.guide, noise=noise)
    known = batch.mask.expand_as(filled) > 0
    assert torch.equal(filled[known], batch.images[known])
    other = torch.where(known, batch.images, torch.nan)
    again = model.fill(other, batch.mask, guide=batch.guide, noise=noise)
    assert torch.equal(again, filled)
    assert filled.abs().max() <= 1
    nothing = torch.ones_like(batch.mask)
    assert torch.equal(model.fill(batch.images, nothing, guide=batch.guide, noise=noise), batch.images)


@pytest.mark.slow
@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("kind", ["tiny", "wide", "classes"])
def test_in_float64_the_gradient_is_the_slope_of_the_loss(name, kind):
    if name in STOPS_GRADIENTS:
        pytest.skip(STOPS_GRADIENTS[name])
    model = started(name, variant(name, kind))
    settle(model)
    leave_kinks(model)
    own = moving(model)
    for stage in model.schedule().stages():
        batch = batch_at(model, stage)
        for phase in model.phases():
            let_move(model, own[phase.name].values())
            model.zero_grad(set_to_none=True)
            loss = total(phase, batch)
            assert loss.dtype == torch.float64
            loss.backward()
            moved = [parameter for parameter in own[phase.name].values() if parameter.grad is not None]
            generator = stream(9, "direction")
            directions = [p.abs().mean().clamp(min=0.01) * torch.randn(p.shape, generator=generator) for p in moved]
            directions = [direction.detach() for direction in directions]
            slope = sum((p.grad * d).sum() for p, d in zip(moved, directions, strict=True))
            rounding = (
                16 * torch.finfo(torch.float64).eps * loss.detach().abs().item() / STEP
            )  # Of two losses, subtracted.
            assert_close(slope, _slope(phase, batch, moved, directions), rtol=1e-4, atol=max(1e-5, rounding))


@torch.no_grad()
def settle(model):
    """Brings singular vectors to where they stay: they move with every pass, and their gradient is left out."""
    for part in model.modules():
        if isinstance(part, PowerMethod):
            u, _, vh = torch.linalg.svd(part.matrix(), full_matrices=False)
            part.u.copy_(u[:, 0])
            part.v.copy_(vh[0])


@torch.no_grad()
def leave_kinks(model):
    """Masked pixels are 0, and with a shift that starts at 0 a ReLU after it would stand where it has two slopes."""
    for key, parameter in model.named_parameters():
        if key.endswith("norm.shift") and not parameter.any():
            parameter.copy_(0.1 * torch.randn(parameter.shape, generator=stream(11, key)))


def _slope(phase, batch, parameters, directions, step=STEP):
    """By central differences, of a step so small that hardly any leaky ReLU changes sides within it."""
    ends = []
    for sign in (1, -1):
        with torch.no_grad():
            torch._foreach_add_(parameters, directions, alpha=sign * step)
        ends.append(total(phase, batch).detach())
        with torch.no_grad():
            torch._foreach_add_(parameters, directions, alpha=-sign * step)
    return (ends[0] - ends[1]) / (2 * step)


@pytest.mark.parametrize("kind", TINY_AND_CLASSES)
def test_a_short_training_through_all_stages_moves_every_player_and_stays_finite(name, kind):
    state = new_state(started(name, variant(name, kind)))
    may_move = set(movable(state.model))
    before = {key: tensor.clone() for key, tensor in state.model.named_parameters()}
    train(state, steps_through_all_stages(state.model))
    assert state.is_finite()
    assert all(total.isfinite() for total in state.sums.values())
    still = {key for key, tensor in state.model.named_parameters() if torch.equal(tensor, before[key])}
    assert still == set(before) - may_move


class Marked(Augmentation):
    """Shows pictures of one colour, by which they are known again."""

    COLOUR = 0.625

    def __call__(self, images, batch):
        return 0 * images + self.COLOUR

    def notice(self, real, batch):
        batch.keep("noticed", real)

    def adapt(self, batch, terms):
        pass

    def numbers(self):
        return {}


def augmentable(name):
    model = started(name)
    if not isinstance(model, ShowsAugmented) or model.batch_type is not Pictures:
        pytest.skip("shows no pictures to a discriminator through an augmentation")
    return model


def test_its_discriminator_sees_augmented_pictures_alone(name):
    model = augmentable(name)
    model.augmentation = Marked()
    phases, seen = model.phases(), []
    stage = list(model.schedule().stages())[-1]
    batches = [batch_at(model, stage) for _ in phases]
    for phase, batch in zip(phases, batches, strict=True):
        total(phase, batch)
    judges = {phase.player for phase, batch in zip(phases, batches, strict=True) if "noticed" in batch.kept}
    assert judges, "the augmentation is told what was thought of reals"
    for judge in judges:
        judge.register_forward_pre_hook(lambda module, given: seen.append(given[0]))
    for phase in phases:
        total(phase, batch_at(model, stage))
    assert len(seen) > len(judges)
    assert all((images == Marked.COLOUR).all() for images in seen)


def test_its_discriminator_is_listened_to_by_an_adaptive_augmentation(name):
    model = augmentable(name)
    model.augmentation = AdaptiveAugmentation(target=-1.5, kimg=1.0)  # No mean sign is so low: p goes up.
    train(new_state(model), 4)
    assert float(model.augmentation.p) == pytest.approx(4 * model.config.batch_size / 1000)


@pytest.mark.slow
def test_stopping_and_resuming_equals_never_stopping_bit_for_bit(name):
    state = new_state(started(name))
    steps = steps_through_all_stages(state.model)
    train(state, steps // 2)
    saved, numbers = {key: tensor.clone() for key, tensor in state.tensors().items()}, dict(state.numbers())
    numbers["counts"] = dict(numbers["counts"])
    resumed = new_state(started(name, seed=1))
    resumed.restore(saved, numbers)
    back = resumed.tensors()
    assert back.keys() == saved.keys()
    assert all(torch.equal(back[key], tensor) for key, tensor in saved.items())

    train(state, steps - steps // 2)
    train(resumed, steps - steps // 2)
    through, after = state.tensors(), resumed.tensors()
    assert after.keys() == through.keys()
    assert [key for key, tensor in through.items() if not torch.equal(tensor, after[key])] == []
    assert resumed.numbers() == state.numbers()
    assert {key: total.item() for key, total in resumed.sums.items()} == {
        key: total.item() for key, total in state.sums.items()
    }, "what was summed for the next report"


@pytest.mark.parametrize("kind", KINDS_OF_CONFIG)
def test_a_drawn_sample_depends_on_its_latent_alone(name, kind):
    settings = variant(name, kind)
    model = started(name, settings).eval()
    if not isinstance(model, HasLatents):
        pytest.skip("has no latents")
    kept = {key: tensor.clone() for key, tensor in model.state_dict().items()}
    z, again = model.latents(5, stream(1, "z")), model.latents(5, stream(1, "z"))
    assert torch.equal(z, again)
    assert len(z) == 5
    classes = classes_of(settings)
    chosen = torch.randint(classes, (5,), generator=stream(7, "labels")) if classes else None

    def draw(rows):
        return model.decode(z[rows], None if chosen is None else chosen[rows])

    with torch.no_grad():
        drawn, alone = draw(slice(None)), [draw(slice(i, i + 1)) for i in range(5)]
    assert drawn.shape == (5, *sample_shape(model))
    assert drawn.double().std() > 0
    # Kernels for other batch sizes round otherwise; a byte of colour is 8e-3.
    assert_close(drawn, torch.cat(alone), rtol=1e-5, atol=1e-5)
    assert all(torch.equal(tensor, kept[key]) for key, tensor in model.state_dict().items()), (
        "drawing changed the model"
    )


def test_truncation_to_nothing_leaves_one_sample_and_truncation_by_nothing_every_one(name):
    model = started(name).eval()
    if not isinstance(model, Truncates):
        pytest.skip("cannot truncate")
    z = model.latents(3, stream(1, "z"))
    with torch.no_grad():
        assert torch.equal(model.decode_truncated(z, 1.0), model.decode(z))
        alike = model.decode_truncated(z, 0.0)
    assert_close(alike, alike[:1].expand_as(alike), rtol=1e-5, atol=1e-5)


def test_a_temperature_of_one_changes_nothing_and_one_of_nothing_leaves_one_sample(name):
    model = started(name).eval()
    if not isinstance(model, HasTemperature):
        pytest.skip("has no temperature")
    z = model.latents(3, stream(1, "z"))
    with torch.no_grad():
        assert torch.equal(model.decode_at(z, 1.0), model.decode(z))
        alike = model.decode_at(z, 0.0)
    assert_close(alike, alike[:1].expand_as(alike), rtol=1e-5, atol=1e-5)


def test_its_inverse_leads_back_to_what_it_came_from(name):
    model = started(name).eval()
    if not isinstance(model, Inverts):
        pytest.skip("has no inverse")
    with torch.no_grad():
        error = model.inverse_error(samples_of(model, 4))
    assert error.shape == (4,)
    assert error.max() < 1e-4  # A colour is 8e-3.


@pytest.mark.usefixtures("float64")
def test_a_density_that_is_known_is_that_of_its_latent_and_the_jacobian(name):
    model = started(name).eval()
    if not (isinstance(model, KnowsDensity) and isinstance(model, Encodes)) or model.prior != "normal":
        pytest.skip("has no density, or not of normal latents")
    open_what_is_shut(model)
    (x,) = samples_of(model, 1).double()
    z = model.encode(x[None])
    rows = torch.autograd.functional.jacobian(lambda v: model.encode(v[None])[0], x, vectorize=True)
    log_det = torch.linalg.slogdet(rows.reshape(z.numel(), -1)).logabsdet
    assert_close(model.log_density(x[None])[0], torch.distributions.Normal(0, 1).log_prob(z).sum() + log_det)


def samples_of(model, n):
    """Random samples of the model's kind, as the last stage takes them."""
    return next(iter(batch_at(model, model.schedule().at(10**9), n=n).tensors().values()))


def sample_shape(model):
    """What a sample of the model's kind looks like, after a batch of them."""
    return samples_of(model, 1).shape[1:]


@pytest.mark.slow
def test_what_draws_gives_the_same_samples_for_the_same_seed_whatever_the_batch(name, monkeypatch):
    monkeypatch.setattr(drawn, "ROWS_OF_A_STREAM", 4)  # Six samples are of two streams.
    model = started(name).eval()
    if not can_draw(model):
        pytest.skip("draws nothing")
    classes = classes_of(model.config)
    labels = torch.arange(6) % classes if classes else None

    def draw(seed, batch):
        return torch.cat(list(drawn_samples(model, 6, seed=seed, purpose="test", labels=labels, batch=batch)))

    one, again, other = draw(1, 3), draw(1, 4), draw(2, 3)
    assert one.shape == (6, *sample_shape(model))
    assert_close(one, again, rtol=1e-5, atol=1e-5)  # Kernels for other batch sizes round otherwise.
    assert not torch.equal(one, other)


@pytest.mark.parametrize("kind", ["tiny", "wide"])
def test_a_growing_model_draws_at_every_resolution(name, kind):
    settings = variant(name, kind)
    model = started(name, settings).eval()
    stages = list(model.schedule().stages())
    if len(stages) == 1 or not isinstance(model, HasLatents) or model.batch_type is not Pictures:
        pytest.skip("draws no pictures that grow")
    z = model.latents(2, stream(1, "z"))
    for stage in stages:
        with torch.no_grad():
            drawn = model.decode(z, stage=stage)
        assert drawn.shape[2:] == tuple(side // stage.shrink for side in settings.picture.size)


def test_an_encoded_picture_has_a_latent_of_its_own_that_can_be_decoded(name):
    model = started(name).eval()
    if not isinstance(model, Encodes):
        pytest.skip("does not encode")
    images = samples_of(model, 4)
    with torch.no_grad():
        encoded = model.encode(images)
        z = encoded[0] if isinstance(encoded, tuple) else encoded
        assert z.shape == model.latents(4, stream(1, "z")).shape
        assert model.decode(z).shape == images.shape


def test_a_judge_gives_one_number_per_sample(name):
    model = started(name).eval()
    if not isinstance(model, Judges):
        pytest.skip("judges nothing")
    with torch.no_grad():
        scores = model.judge(samples_of(model, 4))
    assert scores.shape == (4,)
    assert scores.isfinite().all()


def test_what_classifies_gives_each_picture_a_logit_per_class(name):
    model = started(name, variant(name, "classes")).eval()
    if not isinstance(model, Classifies):
        pytest.skip("names no classes")
    with torch.no_grad():
        logits = model.classify(samples_of(model, 4))
    assert logits.shape == (4, 3)
    assert logits.isfinite().all()


def test_a_likelihood_is_one_number_per_picture_and_is_not_the_same_for_all(name):
    model = started(name).eval()
    if not isinstance(model, HasDensity):
        pytest.skip("has no likelihood")
    assert model.density in get_args(Kind)
    with torch.no_grad():
        log_prob = model.log_prob(samples_of(model, 4), stream(1, "density"))
    assert log_prob.shape == (4,)
    assert log_prob.isfinite().all()
    assert log_prob.std() > 0


def test_a_translation_keeps_the_number_of_pictures_and_has_the_other_kinds_channels(name):
    model = started(name).eval()
    if not isinstance(model, Translates):
        pytest.skip("translates nothing")
    assert model.directions
    for direction in model.directions:
        sources = [model.config.picture, model.config.other_picture]
        source, target = sources if direction == model.directions[0] else sources[::-1]
        with torch.no_grad():
            images = model.translate(coarse_and_fine(source, 3), direction)
        assert images.shape == (3, target.channels, *target.size)


def test_a_style_that_is_given_decides_the_translation(name):
    model = started(name).eval()
    if not isinstance(model, TakesStyle):
        pytest.skip("takes no style")
    for direction in model.directions:
        sources = [model.config.picture, model.config.other_picture]
        source, target = sources if direction == model.directions[0] else sources[::-1]
        with torch.no_grad():
            styles = model.style_of(coarse_and_fine(target, 3), direction)
            images = coarse_and_fine(source, 3)
            made, again, other = (model.styled(images, one, direction) for one in (styles, styles, styles.roll(1, 0)))
        assert made.shape == (3, target.channels, *target.size)
        assert torch.equal(made, again)
        assert not torch.equal(made, other)


def test_what_segments_gives_every_pixel_of_a_picture_of_any_size_a_logit_per_class(name):
    model = started(name).eval()
    if not isinstance(model, Segments):
        pytest.skip("labels no pixels")
    height, width = (side + 3 for side in model.config.picture.size)
    with torch.no_grad():
        logits = model.segment(torch.rand(2, model.config.picture.channels, height, width, generator=stream(1, "x")))
    assert logits.shape == (2, model.config.pixel_classes, height, width)


def test_what_detects_finds_boxes_inside_pictures_of_any_size_the_surest_first(name):
    model = started(name).eval()
    if not isinstance(model, Detects):
        pytest.skip("detects nothing")
    height, width = (side + 3 for side in model.config.picture.size)
    images = torch.rand(2, model.config.picture.channels, height, width, generator=stream(1, "x")) * 2 - 1
    for found in model.detect(images, least_score=0.0):
        assert len(found) > 0
        assert found.scores.diff().amax() <= 0
        assert found.corners.min() >= 0
        assert (found.corners[:, 2:] > found.corners[:, :2]).all()
        assert (found.corners.amax(0)[2:] <= torch.tensor([width, height])).all()


def test_a_shifted_picture_becomes_the_shifted_result_in_the_middle(name):
    model = started(name).eval()
    if not isinstance(model, Shifts):
        pytest.skip("does not say by how much a picture may be shifted")
    channels = model.config.picture.channels

    def function(x):
        if isinstance(model, Fills):  # A hole wherever the first channel is about 0.
            return model.fill(x, 1 - (x[:, :1].abs() < 0.5).float())
        with torch_seeded(1):  # Noise, where it has some, is the same every time.
            return model.segment(x) if isinstance(model, Segments) else model.translate(x, model.directions[0])

    with statistics_given(model) as norms, torch.no_grad():
        for norm in norms:
            norm.passing = True
        reach = reach_of(function, channels=channels, stride=model.tile_stride, device=torch.device("cpu"))
        if reach.halo is None:
            return  # Sees everything: there is no middle.
        side, inner = (
            2 * reach.halo + 4 * model.tile_stride,
            slice(reach.halo + model.tile_stride, reach.halo + 3 * model.tile_stride),
        )
        whole = torch.rand(1, channels, side + model.tile_stride, side, generator=stream(1, "x")) * 2 - 1
        shifted, first = function(whole[:, :, model.tile_stride :]), function(whole[:, :, :side])
        later = slice(inner.start - model.tile_stride, inner.stop - model.tile_stride)
        assert_close(shifted[:, :, later, inner], first[:, :, inner, inner], rtol=1e-5, atol=1e-5)


def test_what_it_shows_is_rows_of_equally_many_pictures_with_captions(name):
    model = started(name).eval()
    if not isinstance(model, Shows):
        pytest.skip("shows nothing")
    with torch.no_grad():
        rows = model.show(batch_at(model, model.schedule().at(0), n=3))
    assert {len(images) for _, images in rows} == {3}
    assert all(caption for caption, _ in rows)


def test_a_calibration_is_a_function_of_the_batch(name):
    one, other = started(name), started(name)
    if not isinstance(one, Calibrates):
        pytest.skip("measures nothing first")
    for model in (one, other):
        model.calibrate(batch_at(model, model.schedule().at(0), n=16))
    assert all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))
