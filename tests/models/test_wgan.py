import dataclasses

import pytest
import torch
from torch.testing import assert_close

from ganvas.core.errors import UserError
from ganvas.core.ranks import Ranks
from ganvas.core.seeds import stream
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.losses.batches.point_batch import Points
from ganvas.losses.optimizers import Adam, RMSprop
from ganvas.models.gan.wgan import TINY, TINY_POINTS, Config, Model, generator_turn
from ganvas.nn.layers.initialise import initialise
from ganvas.train.execution.executors import Eager
from ganvas.train.state import new_state
from ganvas.train.step import set_learning_rate


def started(**changes):
    model = Model(dataclasses.replace(TINY_POINTS, **changes))
    initialise(model, stream(0, "weights"))
    return model


def batch(n=8, dims=2, **how):
    return Points(points=torch.randn(n, dims, generator=stream(1, "points")), rng=stream(2, "noise"), **how)


@pytest.mark.parametrize(
    ("few", "many", "first", "every"), [(5, 100, 25, 500), (2, 7, 3, 4), (3, 5, 0, 6), (4, 9, 6, 3), (1, 1, 2, 2)]
)
def test_the_turns_are_those_of_the_authors_loop(few, many, first, every):
    settings = Config(critic_moves=few, burst_moves=many, burst_first=first, burst_every=every)
    critic, wanted = 0, []
    for generator_move in range(3 * every + first):
        critic += many if generator_move < first or generator_move % every == 0 else few
        wanted.append(critic)
    turn = generator_turn(settings)
    assert [step + 1 for step in range(critic) if turn(step, 0)] == wanted


def test_without_bursts_every_move_of_the_generator_waits_for_as_many_of_the_critic():
    turn = generator_turn(Config(critic_moves=3, burst_first=0, burst_every=0))
    assert [step for step in range(10) if turn(step, 0)] == [2, 5, 8]


def test_after_every_move_the_critics_weights_lie_within_the_clip_and_the_generators_do_not():
    model = started(clip=0.03)
    state = new_state(model)
    executor = Eager(state, seed=0, ranks=Ranks(), precision=torch.float32)
    for _ in range(6):
        set_learning_rate(state, 1e-2)
        executor.step(batch(), model.schedule().at(0))
        state.step += 1
        largest = max(float(weight.detach().abs().max()) for weight in model.critic.parameters())
        assert largest == pytest.approx(0.03)  # A step of 1e-2 brings some weight to the bound.
    assert max(float(weight.detach().abs().max()) for weight in model.generator.parameters()) > 0.1


def test_both_players_move_by_rmsprop_without_momentum():
    assert [phase.optimizer for phase in started().phases()] == [RMSprop(), RMSprop()]
    assert RMSprop().momentum == 0


def test_both_move_by_adam_where_it_is_chosen():
    adam = Adam(beta1=0.3, beta2=0.999)
    assert [phase.optimizer for phase in started(optimizer="adam", beta1=0.3).phases()] == [adam, adam]


def test_the_critics_loss_is_minus_the_difference_of_means_that_it_sees():
    model = started()
    critic, generator = model.phases()
    given = batch()
    with torch.no_grad():
        real = model.judge(given.points)
        fake = model.judge(model.decode(given.with_rng(stream(2, "noise")).randn(TINY_POINTS.latent_size)))
        terms = critic.loss(given.with_rng(stream(2, "noise")))
        judged = generator.loss(given.with_rng(stream(2, "noise")))
    assert_close(terms["wasserstein"].mean(), fake.mean() - real.mean())
    assert_close(judged["wasserstein"], -fake)


def test_a_calibrated_model_works_around_the_middle_of_the_points_in_their_unit():
    # Two points at (10, 0) and (16, 8): the mean is (13, 4), the mean square per dimension (9 + 16) / 2 = 12.5.
    points = torch.tensor([[10.0, 0.0], [16.0, 8.0]]).repeat(4, 1)
    model = started()
    model.calibrate(Points(points=points))
    assert model.middle.tolist() == [13, 4]
    assert float(model.unit) == pytest.approx(5)  # The root of twice 12.5: half of the variance is left inside.
    z = model.latents(3, stream(5, "z"))
    with torch.no_grad():
        inside = model.generator(z)
        assert_close(model.decode(z), 5 * inside + torch.tensor([13.0, 4.0]))
        assert_close(model.judge(model.decode(z)), model.critic(inside).flatten())


def test_points_that_are_all_the_same_have_a_unit_above_zero():
    model = started()
    model.calibrate(Points(points=torch.ones(8, 2)))
    assert model.unit > 0
    assert model.judge(torch.ones(8, 2)).isfinite().all()


def test_a_fitted_learning_rate_is_held_and_then_falls_to_zero_at_the_end():
    schedule = Model(TINY.fitted(10.0)).schedule()
    assert schedule.at(5000).lr == TINY.lr
    assert schedule.at(7500).lr == pytest.approx(TINY.lr / 2)
    assert schedule.at(10_000).lr == 0
    assert Model(TINY).schedule().at(10**9).lr == TINY.lr


@pytest.mark.parametrize("change", [{"clip": 0.0}, {"dims": -1}, {"critic_moves": 0}, {"average_decay": 1.0}], ids=str)
def test_impossible_settings_are_refused_by_name(change):
    ((name, value),) = change.items()
    with pytest.raises(UserError, match=f"{name}={value}"):
        Config(**change)


def test_its_networks_of_pictures_have_the_numbers_of_parameters_of_the_authors():
    # DCGAN_G and DCGAN_D of their code at 64 pixels and 64 maps are those of PyTorch's DCGAN example.
    with torch.device("meta"):
        model = Model(Config())
    assert sum(p.numel() for p in model.generator.parameters()) == 3_576_704
    assert sum(p.numel() for p in model.critic.parameters()) == 2_765_568


def test_of_pictures_the_gains_of_batch_norm_are_clipped_too_as_in_the_authors_code():
    model = Model(TINY)
    initialise(model, stream(0, "weights"))
    critic = model.phases()[0]
    with torch.no_grad():
        critic.after(Pictures(images=torch.zeros(2, 3, 16, 16)), {})
    assert all(float(p.detach().abs().max()) <= TINY.clip for p in model.critic.parameters())


def test_of_pictures_reals_and_fakes_are_normalised_apart():
    model, sizes = Model(TINY), []
    initialise(model, stream(0, "weights"))
    model.critic.register_forward_pre_hook(lambda _net, args: sizes.append(len(args[0])))
    images = torch.rand(8, 3, 16, 16, generator=stream(1, "images")) * 2 - 1
    model.phases()[0].loss(Pictures(images=images, rng=stream(0, "noise")))
    assert sizes == [8, 8]
