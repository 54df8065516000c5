"""CycleGAN by hand: its losses on constant networks, its pool against a plain list, one forward pass for both moves."""

import dataclasses

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from ganvas.core.errors import UserError
from ganvas.core.ranks import Ranks
from ganvas.core.seeds import stream
from ganvas.losses.batches.domain_batch import Domains
from ganvas.models.translate.cyclegan import A_TO_B, B_TO_A, TINY, Config, Model
from ganvas.nn.layers.initialise import initialise
from ganvas.report.pictures.row_names import row_names
from ganvas.train.execution.executors import Eager
from ganvas.train.sheets.sample_grids import ShownSheets
from ganvas.train.state import averaged_model, new_state
from ganvas.train.step import set_learning_rate

CAPACITY = 3


class Constant(nn.Module):
    """The same value everywhere, whatever is given; remembers what that was."""

    def __init__(self, value):
        super().__init__()
        self.value = nn.Parameter(torch.tensor(value))
        self.seen = []

    def forward(self, x):
        self.seen.append(x.detach().clone())
        return x * 0 + self.value


def started(**changes):
    model = Model(dataclasses.replace(TINY, **changes))
    initialise(model, stream(0, "weights"))
    return model


def constant(**changes):
    """Night is 0.5 and day is -0.25; the discriminator of days says 0.3, that of nights 0.8."""
    model = started(**changes)
    model.generators[A_TO_B], model.generators[B_TO_A] = Constant(0.5), Constant(-0.25)
    model.discriminators["a"], model.discriminators["b"] = Constant(0.3), Constant(0.8)
    return model


def filled(a, b, n=2):
    return Domains(a=torch.full((n, 3, 16, 16), a), b=torch.full((n, 3, 16, 16), b), rng=stream(3, "noise"))


def random_domains(n=4, nimg=0):
    a, b = (torch.rand(n, 3, 16, 16, generator=stream(7, kind, nimg)) * 2 - 1 for kind in "ab")
    return Domains(a=a, b=b, rng=stream(3, "noise", nimg))


def phase(model, name):
    return next(one for one in model.phases() if one.name == name)


def means(terms):
    return {name: round(term.mean().item(), 6) for name, term in terms.items()}


# --- What the players are judged on ---


def test_the_generators_pay_for_rejection_for_the_way_back_and_for_changing_what_is_right_already():
    terms = phase(constant(), "G").loss(filled(a=0.75, b=0.0))
    assert means(terms) == {
        "adversarial_ab": 0.04,  # (0.8 - 1)^2
        "adversarial_ba": 0.49,  # (0.3 - 1)^2
        "cycle_a": 10.0,  # 10 |-0.25 - 0.75|
        "cycle_b": 5.0,  # 10 |0.5 - 0|
        "identity_a": 5.0,  # 10 / 2 |-0.25 - 0.75|
        "identity_b": 2.5,  # 10 / 2 |0.5 - 0|
    }


def test_the_way_back_sees_translations_under_the_noise_that_is_set():
    model = constant(cycle_noise=5.0)
    phase(model, "G").loss(filled(a=0.75, b=0.0))
    noise = (model.generators[B_TO_A].seen[-1] - 0.5) * 255 / 2  # A day becomes 0.5 everywhere.
    assert noise.std().item() == pytest.approx(5, rel=0.1)
    assert abs(noise.mean().item()) < 0.5


def test_the_discriminators_pay_half_of_both_errors():
    terms = phase(constant(), "D").loss(filled(a=0.75, b=0.0))
    assert means(terms) == {"real_or_fake_a": 0.29, "real_or_fake_b": 0.34}  # (0.7^2 + 0.3^2) / 2, (0.2^2 + 0.8^2) / 2


@pytest.mark.parametrize(("weight", "left"), [("cycle_weight", []), ("identity_weight", ["cycle_a", "cycle_b"])])
def test_a_loss_without_weight_is_not_computed(weight, left):
    changes = {weight: 0.0, "identity_weight": 0.0}
    terms = phase(constant(**changes), "G").loss(filled(a=0.75, b=0.0))
    assert list(terms) == ["adversarial_ab", "adversarial_ba", *left]


def test_each_discriminator_sees_pictures_of_its_own_kind_and_translations_into_it():
    model = constant(channels=1, other_channels=3, identity_weight=0.0)
    batch = Domains(a=torch.zeros(2, 1, 16, 16), b=torch.zeros(2, 3, 16, 16), rng=stream(3, "noise"))
    model.generators[A_TO_B] = nn.Conv2d(1, 3, 1)
    model.generators[B_TO_A] = nn.Conv2d(3, 1, 1)
    phase(model, "D").loss(batch)
    assert {x.shape[1] for x in model.discriminators["a"].seen} == {1}
    assert {x.shape[1] for x in model.discriminators["b"].seen} == {3}


def test_a_picture_cannot_equal_its_translation_of_other_channels():
    with pytest.raises(UserError, match=r"identity_weight=0\.5.*1 channels.*3.*give identity_weight=0"):
        Config(channels=1)
    assert Config(channels=1, identity_weight=0).picture.channels == 1


def test_pictures_too_small_for_the_discriminator_are_refused_with_the_size_that_would_do():
    with pytest.raises(UserError, match=r"at least 24x24 pixels, and these have 16x16"):
        Config(height=16, width=16)
    assert Config(height=24, width=24).picture.size == (24, 24)


# --- One step ---


def test_both_moves_of_a_step_share_one_translation_made_before_the_generators_move():
    state = new_state(started())
    model, batch = state.model, random_domains()
    with torch.no_grad():
        before = model.translate(batch.a, A_TO_B)
    shown, translated = [], []
    model.discriminators["b"].register_forward_pre_hook(lambda module, given: shown.append(given[0].detach().clone()))
    model.generators[A_TO_B].register_forward_pre_hook(lambda module, given: translated.append(given[0]))
    step(state, batch)
    judged, both = shown
    real, fake = both.chunk(2)
    assert torch.equal(real, batch.b)
    assert torch.equal(judged, fake)
    assert_close(fake, before)
    assert len(translated) == 2, "of a picture beside its kind's own, and on the way back of the other's"
    with torch.no_grad():
        assert not torch.allclose(model.translate(batch.a, A_TO_B), before)


def test_batch_norm_has_one_number_more_for_each_normed_map():
    # Two of the norm for one bias of the convolution before it; maps as in section 7.2 of the paper.
    with torch.device("meta"):
        instance, batch = (Model(Config(norm=norm)) for norm in ("instance", "batch"))
    assert count(instance.generators[A_TO_B]) == 11_378_179  # That of the authors' code.
    assert count(batch.generators[A_TO_B]) == 11_378_179 + (64 + 128 + 256) + 2 * 9 * 256 + (128 + 64)
    assert count(batch.discriminators["b"]) == 2_764_737 + (128 + 256 + 512)


def count(network):
    return sum(parameter.numel() for parameter in network.parameters())


def test_batch_norm_sees_pictures_of_one_origin_at_a_time():
    state = new_state(started(norm="batch"))
    translated, shown = [], []
    state.model.generators[A_TO_B].register_forward_pre_hook(lambda module, given: translated.append(given[0].detach()))
    state.model.discriminators["b"].register_forward_pre_hook(lambda module, given: shown.append(given[0].detach()))
    batch = random_domains()
    step(state, batch)
    days, nights, back = translated
    assert torch.equal(days, batch.a)
    assert torch.equal(nights, batch.b)
    assert len(back) == len(days)
    judged, real, fake = shown
    assert torch.equal(judged, fake)
    assert torch.equal(real, batch.b)


def test_with_batch_norm_a_translation_depends_on_its_picture_alone():
    model, days = started(norm="batch").eval(), random_domains().a
    with torch.no_grad():
        assert_close(model.translate(days, A_TO_B)[:1], model.translate(days[:1], A_TO_B))


def step(state, batch):
    stage = state.model.schedule().at(state.nimg)
    set_learning_rate(state, stage.lr)
    Eager(state, seed=0, ranks=Ranks(), precision=torch.float32).step(batch, stage)
    state.nimg += batch.size
    state.step += 1


@pytest.mark.parametrize(("kimg", "share"), [(0, 1), (133.4, 1), (200.1, 0.5), (253.46, 0.1), (266.8, 0), (300, 0)])
def test_the_learning_rate_is_held_for_a_hundred_passes_and_falls_to_zero_in_a_hundred(kimg, share):
    with torch.device("meta"):
        schedule = Model(Config()).schedule()
    assert schedule.at(round(1000 * kimg)).lr == pytest.approx(2e-4 * share, abs=1e-12)


def test_a_sheet_says_what_its_rows_are(tmp_path):
    state = new_state(started())
    ShownSheets(tmp_path, random_domains()).sample(state, state.model.schedule().at(0), "000000.000")
    names = row_names((tmp_path / "000000.000.png").read_bytes())
    assert names == ["a", "a to b", "a to b to a", "b", "b to a", "b to a to b"]


# --- The pool of earlier translations ---


def shown_and_kept(model, number, coins):
    """One step with one translation, filled with ``number``: what the discriminator is shown, and the pool after it."""
    named = {f"fake_{kind}": torch.full((1, 3, 16, 16), float(number)) for kind in "ab"}
    move = phase(model, "D")
    batch = CoinedDomains(a=named["fake_a"], b=named["fake_b"], kept=named, coins=coins)
    terms = move.loss(batch)
    with torch.no_grad():
        move.after(batch, terms)
    real, shown = model.discriminators["a"].seen[-1].chunk(2)
    assert real.unique().item() == number
    return shown.unique().item(), model.get_buffer("pool_a")[:, 0, 0, 0].tolist()


@dataclasses.dataclass(frozen=True, kw_only=True)
class CoinedDomains(Domains):
    """A batch whose random numbers are given."""

    coins: torch.Tensor

    def whole_rand(self, *shape):
        assert shape == (4,)
        return self.coins.view(1, 4)


def test_with_one_picture_a_step_the_pool_is_that_of_the_paper():
    # Shrivastava et al. 2017, section 2.3, as the authors of CycleGAN do it: an image goes into a pool that has room
    # and is shown; into a full one it goes half of the time, in the place of a random one, which is shown instead.
    model, coins = constant(pool_size=CAPACITY), torch.rand(40, 4, generator=stream(5, "coins"))
    pool = []
    exchanged = 0
    for number in range(40):
        swap, place = coins[number, 0].item() < 0.5, int(coins[number, 1].item() * CAPACITY)
        expected = number
        if len(pool) < CAPACITY:
            pool.append(number)
        elif swap:
            expected, pool[place] = pool[place], number
            exchanged += 1
        assert shown_and_kept(model, number, coins[number]) == (expected, pool + [0] * (CAPACITY - len(pool)))
    assert 10 < exchanged < 27, "about half of the 37 steps with a full pool"


def test_the_pools_of_both_kinds_fall_by_coins_of_their_own():
    model = started(pool_size=CAPACITY)
    for nimg in range(10):
        batch = random_domains(n=1, nimg=nimg)
        batch.keep("fake_a", torch.full_like(batch.a, nimg))
        batch.keep("fake_b", torch.full_like(batch.b, nimg))
        with torch.no_grad():
            phase(model, "D").after(batch, {})
    pools = [model.get_buffer(f"pool_{kind}")[:, 0, 0, 0].tolist() for kind in "ab"]
    assert pools[0] != pools[1]


def test_without_a_pool_the_discriminators_see_the_translations_of_the_step_alone():
    model = constant(pool_size=0)
    for number in range(5):
        assert shown_and_kept(model, number, torch.zeros(4)) == (number, [])


def test_a_step_of_several_pictures_fills_the_pool_in_their_order():
    state = new_state(started(pool_size=6))
    batch = random_domains(n=4)
    with torch.no_grad():
        fakes = state.model.translate(batch.b, B_TO_A)
    step(state, batch)
    assert_close(state.model.get_buffer("pool_a")[:4], fakes)
    assert not state.model.get_buffer("pool_a")[4:].any()
    step(state, random_domains(n=4, nimg=4))
    assert state.model.get_buffer("pool_a").flatten(1).any(1).all()
    assert state.model.get_buffer("pooled_a").item() == 6


def test_what_a_step_puts_into_the_pool_and_what_was_never_there_is_not_shown_in_that_step():
    state = new_state(started(pool_size=CAPACITY))
    shown = []
    state.model.discriminators["a"].register_forward_pre_hook(lambda module, given: shown.append(given[0].clone()))
    for nimg in range(0, 80, 4):  # Four pictures a step: the fourth finds the pool full of this step's.
        with torch.no_grad():
            state.model.get_buffer("pooled_a").zero_()
            fakes = state.model.translate(random_domains(nimg=nimg).b, B_TO_A)
        phase(state.model, "D").loss(random_domains(nimg=nimg))
        assert_close(shown[-1].chunk(2)[1], fakes)


def test_the_pools_are_resumed_and_never_published():
    state = new_state(started())
    step(state, random_domains())
    resumed = new_state(started())
    resumed.restore(state.tensors(), state.numbers())
    for name in ("pool_a", "pooled_a", "pool_b", "pooled_b"):
        assert state.model.get_buffer(name).any(), name
        assert torch.equal(resumed.model.get_buffer(name), state.model.get_buffer(name)), name
        assert name not in averaged_model(state)
