import pytest
import torch
from torch.testing import assert_close

from ganvas.core.ranks import Ranks
from ganvas.core.schedule import Growth
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.models.gan.progan import TINY, Config, Model
from ganvas.nn.layers.initialise import initialise
from ganvas.train.feeds.feed import Feed
from ganvas.train.forecast import Forecast, count_flop, forecast


class ZeroFeed(Feed):
    """Black pictures of any stage."""

    def __init__(self, side):
        self.side = side

    def batch(self, nimg, stage):
        side = self.side // stage.shrink
        fade = torch.tensor(stage.fade) if stage.fading else None
        return Pictures(images=torch.zeros(stage.batch_size, 3, side, side), fade=fade)

    def close(self):
        pass


GROWTH = Growth(first=4, last=8, train_kimg=1, fade_kimg=2, batch_size=4, lr=1e-3)


def test_what_is_to_come_adds_up_over_the_stages():
    # 1,000 images of phase 0 at 1 s, 2,000 of phase 1 at 10 s, the rest of phase 2 at 100 s.
    coming = Forecast(schedule=GROWTH, total_nimg=5000, seconds={0: 1, 1: 10, 2: 100}, flop={0: 2, 1: 20, 2: 200})
    assert coming.seconds_between(0, 5000) == 1000 + 20_000 + 200_000
    assert coming.seconds_between(500, 1500) == 500 + 5000
    assert coming.flop_between(2500, 3500) == 500 * 20 + 500 * 200


def test_a_forecast_learns_from_the_pace_that_was_seen():
    coming = Forecast(schedule=GROWTH, total_nimg=5000, seconds={0: 1, 1: 1, 2: 1}, flop={})
    for start in range(0, 5000, 100):
        coming.observe(start, start + 100, 300.0)
    assert coming.correction == pytest.approx(3, rel=1e-3)


@pytest.mark.slow
def test_a_step_costs_nine_forward_passes_of_both_networks():
    # Per real image, one move of each player costs 9 x (G forward + D forward), the gradient penalty included: G's
    # move is G forward, D forward, and their backward passes; D's is G forward, three D forwards, backward passes and
    # a second one through the penalty. Exactly so for convolutions; here within 15 %, the first and last layers being
    # small but not absent.
    from torch.utils.flop_counter import FlopCounterMode

    config = Config(resolution=32, latent_size=64, fmap_base=4096, fmap_max=128)
    model = Model(config).to("meta")
    stage = config.growth().at(10**9)
    with FlopCounterMode(display=False) as counter:
        model.discriminator(model.generator(torch.empty(4, 64, device="meta")))
    forward = counter.get_total_flops() / 4
    total = count_flop(model, ZeroFeed(32).batch(0, stage))
    assert total / forward == pytest.approx(9, rel=0.15)


@pytest.mark.slow
def test_trying_out_changes_nothing_of_the_model(rng):
    model = Model(TINY)
    initialise(model, rng)
    before = [p.clone() for p in model.parameters()]
    coming = forecast(model, ZeroFeed(16), 200, ranks=Ranks())
    assert set(coming.seconds) == set(coming.flop) == {0, 1, 2, 3, 4}
    assert all(seconds > 0 for seconds in coming.seconds.values())
    for old, new in zip(before, model.parameters(), strict=True):
        assert_close(new, old, rtol=0, atol=0)
        assert new.grad is None
