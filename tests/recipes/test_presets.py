"""Every preset against what its source says (docs/published.toml), and the page that shows both."""

import dataclasses
import functools
import importlib.util
from pathlib import Path

import pytest
import torch

from ganvas.core import catalogue
from ganvas.core.schedule import Growth
from ganvas.train.plan import Recipe

ROOT = Path(__file__).parents[2]


def _page_script():
    spec = importlib.util.spec_from_file_location("presets_table", ROOT / "scripts" / "presets_table.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PAGE = _page_script()
PRESETS = [
    (entry.name, name) for entry in catalogue.entries("recipes") for name in catalogue.functions("recipes", entry.name)
]
OURS = {"small", "small-coarse", "denoising", "small-fast", "cifar10-fast", "cifar10-laptop", "table1-h", "mixtures"}
OURS |= {"gap"}
KEPT = 0.05  # Of the weights at the start, in the average at the end.
# What no source speaks of: the shape of the data, and how often a run reports.
UNSAID = {"resolution", "base", "channels", "num_classes", "crop_margin", "discrimination_kernels", "seed", "precision"}
UNSAID |= {
    "health_kimg",
    "report_kimg",
    "sample_kimg",
    "measure_kimg",
    "measure_n",
    "keep_last",
    "keep_best",
    "checkpoint_minutes",
    "noise_scale",
    "delays",
    "histories",
    "local_steps",
    "shards",
}
UNSAID |= {"dims", "width", "hidden", "depth"}  # Of points, in models of pictures or points.
UNSAID |= {"labelled_pool"}  # How many of the pictures with labels a run remembers.
UNSAID |= {"augment", "augment_policies", "augment_target", "augment_kimg", "augment_cap"}  # Later than most sources.

# What one source alone does not speak of; torchcfm draws with an adaptive solver, and has neither classes nor a bound.
OF_ONE = {
    "gan/dcgan": {"eps"},
    "gan/wgan": {"beta1", "beta2"},  # Of an Adam that a later study put in the place of RMSprop.
    # Of the losses that are not the paper's, and of a decay that it does not have.
    "gan/progan": {"r1_gamma", "r1_interval", "hold_kimg", "decay_kimg", "end_share", "grown"},
    "text/wgan_gp": {"alphabet", "unit", "closed"},  # Of the text.
    "sound/gansynth": {"length", "normalise"},  # Notes of 64,000 samples lie in 65,536.
    "text/arae": {"alphabet", "closed", "lr", "beta1", "total_kimg"},  # Of the text, and of an Adam that is ours.
    "text/scratchgan": {"alphabet", "closed"},
    "graphs/molgan": {
        *("node_kinds", "edge_kinds", "valences"),  # Of the graphs.
        *("tau", "reward", "balance", "reward_kimg", "beta1", "beta2", "total_kimg"),
    },
    "graphs/netgan": {"nodes", "edges", "node_kinds", "edge_kinds", "walks", "tau_decay", "total_kimg"},
    "detect/csp": {"anchors", "base_width", "average_ramp"},  # Of ours: another head and backbone, from nothing.
    "segment/unet": {
        "balance",
        "dropout",
        "mirror",
        "decay_kimg",
        "weight_decay",
        "lr",
        "summed_loss",
        "void",
        "total_kimg",
    },
    "diffusion/flow_matching": {
        "steps",
        "rho",
        "solver",
        "guidance",
        "label_dropout",
        "sigma_min",
        "sigma_max",
        "average_ramp",
    },
}


@functools.cache
def built(model, preset):
    """A preset and its model, without values."""
    recipe = getattr(catalogue.load("recipes", model), preset.replace("-", "_"))()
    with torch.device("meta"):
        return recipe, catalogue.load("models", model).Model(recipe.config)


@pytest.mark.parametrize(("model", "preset"), PRESETS)
def test_a_preset_is_a_recipe_of_its_model_that_builds_and_fits_its_schedule(model, preset):
    recipe, game = built(model, preset)
    assert isinstance(recipe, Recipe)
    assert isinstance(recipe.config, catalogue.load("models", model).Config)
    growth = game.schedule()
    assert (
        not isinstance(growth, Growth) or [*growth.stages()][-1].resolution == recipe.config.networks.picture.resolution
    )
    borders = growth.borders()
    assert not borders or borders[-1] < recipe.plan.total_nimg, "it ends before its last resolution is trained"
    # Minibatch standard deviation in groups: every batch is a whole number of them, or one smaller batch.
    group = getattr(recipe.config, "group_size", None)
    assert not group or all(s.batch_size % group == 0 or s.batch_size < group for s in growth.stages())


def kept_of_start(phase, recipe, batch_size):
    """How much of an average is still the weights that a run began with, when it ends."""
    kept, samples = 1.0, range(0, recipe.plan.total_nimg, batch_size)
    for step, nimg in enumerate(samples):
        if phase.turn(step, nimg):
            kept *= phase.average(nimg) if callable(phase.average) else phase.average
        if kept < KEPT:
            break
    return kept


@pytest.mark.parametrize(("model", "preset"), PRESETS)
def test_a_preset_ends_with_an_average_that_has_forgotten_where_it_began(model, preset):
    recipe, game = built(model, preset)
    batch_size = [*game.schedule().stages()][-1].batch_size
    for phase in game.phases():
        assert phase.average is None or kept_of_start(phase, recipe, batch_size) < KEPT


@pytest.mark.parametrize(("model", "preset"), PRESETS)
def test_a_preset_says_in_one_line_where_its_settings_come_from(model, preset):
    summary = catalogue.functions("recipes", model)[preset]
    assert summary.endswith(".")
    said = ("Source: ", "Not the paper's", "As ", "For a laptop")
    assert any(word in summary for word in said)


@pytest.mark.parametrize(("model", "preset"), [pair for pair in PRESETS if pair[1] not in OURS])
def test_a_preset_with_a_source_has_every_value_of_the_source(model, preset):
    source, values = PAGE.published(model, preset), PAGE.settings(model, preset)
    assert {name: values[name] for name in source} == source
    unsaid = set(values) - set(source) - UNSAID - OF_ONE.get(model, set())
    assert unsaid == set(), "a setting that the source speaks of, and the table of published values does not"


@pytest.mark.slow
def test_the_page_of_presets_is_the_one_that_the_script_writes():
    written = (ROOT / "docs" / "presets.md").read_text(encoding="utf-8")
    assert written == PAGE.page(), "run: python scripts/presets_table.py > docs/presets.md"


@pytest.mark.parametrize("model", sorted({model for model, _ in PRESETS}))
def test_the_page_shows_every_setting_of_every_preset_once(model):
    names = [preset for known, preset in PRESETS if known == model]
    grouped = PAGE.grouped(model, names)
    assert sorted(name for members in grouped.values() for name in members) == sorted(names)
    recipe = getattr(catalogue.load("recipes", model), names[0].replace("-", "_"))()
    fields = [field.name for part in (recipe.config, recipe.plan) for field in dataclasses.fields(part)]
    for members in grouped.values():
        rows = PAGE.table(model, members).splitlines()
        assert [row.split("|")[1].strip(" `") for row in rows[2:]] == fields
        assert all(row.count(" | ") == len(members) for row in rows)


def test_a_difference_from_the_source_is_seen_on_the_page():
    assert PAGE.cell(16, {"batch_size": 64}, "batch_size") == "**16 ≠ 64**"
    assert PAGE.cell(16, {"batch_size": 16}, "batch_size") == "16"
    assert PAGE.cell(16, {}, "batch_size") == "16 °"


# --- The clock of growing, by the level of detail that the releases count down ---


def level_of_detail(kimg, *, doublings, train, fade):
    """Doublings still missing at ``kimg``: one less per period of training and fading, the fade at its end."""
    periods = kimg // (train + fade)
    within = kimg - periods * (train + fade)
    return max(doublings - periods - max(within - train, 0) / fade, 0.0)


@pytest.mark.parametrize(
    ("preset", "doublings", "train", "fade", "total"),
    [("celeba-hq-v1", 8, 800, 800, 19000), ("celeba-hq-v2", 8, 600, 600, 12000), ("cifar10", 3, 400, 400, 20000)],
)
def test_the_resolution_and_the_fade_follow_the_level_of_detail(preset, doublings, train, fade, total):
    growth = _growth(preset)
    borders = [1000 * kimg for start in range(0, total, train + fade) for kimg in (start, start + train)]
    moments = [*range(0, 1000 * total, 37_111), *borders, *(at + off for at in borders[1:] for off in (-16, 16))]
    for nimg in moments:
        lod = level_of_detail(nimg / 1000, doublings=doublings, train=train, fade=fade)
        stage = growth.at(nimg)
        newest = int(lod)  # Towards the larger resolution.
        assert stage.resolution == 4 << (doublings - newest), nimg
        assert stage.fade == pytest.approx(1 - (lod - newest), abs=1e-9), nimg


@pytest.mark.parametrize(
    ("preset", "kimg", "resolution", "fade", "batch", "lr"),
    [
        # v1: 4x4 alone for 800 kimg, then 800 of fading and 800 of training per doubling; the rate rises for 40 kimg.
        ("celeba-hq-v1", 0, 4, 1.0, 16, 0.001 * 0.006737947),  # e^-5
        ("celeba-hq-v1", 20, 4, 1.0, 16, 0.001 * 0.2865048),  # e^(-5/4)
        ("celeba-hq-v1", 40, 4, 1.0, 16, 0.001),
        ("celeba-hq-v1", 800, 4, 1.0, 16, 0.001),
        ("celeba-hq-v1", 1200, 8, 0.5, 16, 0.001),
        ("celeba-hq-v1", 1600, 8, 1.0, 16, 0.001),
        ("celeba-hq-v1", 9200, 256, 0.5, 14, 0.001),
        ("celeba-hq-v1", 10800, 512, 0.5, 6, 0.001),
        ("celeba-hq-v1", 12000, 512, 1.0, 6, 0.001),
        ("celeba-hq-v1", 12200, 1024, 0.25, 3, 0.001),
        ("celeba-hq-v1", 18999, 1024, 1.0, 3, 0.001),
        ("celeba-hq-v2", 0, 4, 1.0, 128, 0.001),
        ("celeba-hq-v2", 900, 8, 0.5, 128, 0.001),
        ("celeba-hq-v2", 3300, 32, 0.5, 64, 0.001),
        ("celeba-hq-v2", 4500, 64, 0.5, 32, 0.001),
        ("celeba-hq-v2", 5700, 128, 0.5, 16, 0.001),
        ("celeba-hq-v2", 6900, 256, 0.5, 8, 0.001),
        ("celeba-hq-v2", 8100, 512, 0.5, 4, 0.001),
        ("celeba-hq-v2", 9300, 1024, 0.5, 4, 0.0015),
        ("celeba-hq-v2", 11999, 1024, 1.0, 4, 0.0015),
        ("celeba-hq-v2-8gpu", 0, 4, 1.0, 512, 0.001),
        ("celeba-hq-v2-8gpu", 5700, 128, 0.5, 32, 0.0015),
        ("celeba-hq-v2-8gpu", 9300, 1024, 0.5, 32, 0.003),
        ("cifar10", 0, 4, 1.0, 16, 0.001),
        ("cifar10", 600, 8, 0.5, 16, 0.001),
        ("cifar10", 2200, 32, 0.5, 16, 0.001),
        ("cifar10", 2400, 32, 1.0, 16, 0.001),
        ("cifar10", 19999, 32, 1.0, 16, 0.001),
    ],
)
def test_batches_and_rates_change_at_the_published_resolutions(preset, kimg, resolution, fade, batch, lr):
    stage = _growth(preset).at(1000 * kimg)
    assert (stage.resolution, stage.fade, stage.batch_size) == (resolution, fade, batch)
    assert stage.lr == pytest.approx(lr, rel=1e-6)


def _growth(preset):
    return getattr(catalogue.load("recipes", "gan/progan"), preset.replace("-", "_"))().config.growth()
