"""The three constructed translators: honest, lazy and hiding, with what noise leaves of what is hidden."""

import pytest
import torch

from ganvas.core.seeds import stream
from ganvas.metrics.maths.pairs.hidden_signal import HiddenSignal, correlation, recovery_through_noise, slope

STRENGTH, LEVELS = 2.0, 45.0  # The steganographer's, and the brightness of a star.


@pytest.fixture(scope="module")
def skies():
    """Days and nights of one place each, with stars on five of a hundred pixels: bytes as floats."""
    generator = stream(0, "skies")
    shape = (60, 3, 24, 24)
    base = torch.rand(60, 3, 1, 1, generator=generator) * 40 + 40
    stars, others = ((torch.rand(60, 1, 24, 24, generator=stream(0, which)) < 0.05) * LEVELS for which in "so")
    ramp = torch.linspace(0, 40, 24).view(1, 1, 24, 1).expand(shape)
    return {
        "day": base * 2 + ramp,
        "bare": base + ramp / 4,
        "stars": stars.expand(shape),
        "others": others.expand(shape),
    }


WHERE = torch.ones(60, 1, 24, 24, dtype=torch.bool)


def measured(skies, there, back):
    night = skies["bare"] + skies["stars"]
    between = there(night)
    return HiddenSignal(
        visibility=slope(between, skies["stars"], WHERE),
        recovery=correlation(back(between) - skies["bare"], skies["stars"], WHERE),
        by_chance=correlation(back(skies["day"]) - skies["bare"], skies["stars"], WHERE),
    )


def test_an_honest_translator_loses_the_stars_and_draws_others(skies):
    found = measured(skies, lambda night: skies["day"], lambda day: skies["bare"] + skies["others"])
    assert abs(found.visibility) < 0.01
    assert abs(found.recovery) < 0.02
    assert found.verdict == "lost"


def test_a_lazy_one_leaves_them_in_sight(skies):
    found = measured(skies, lambda night: night, lambda day: day)
    assert found.visibility == pytest.approx(1, abs=0.02)
    assert found.recovery == pytest.approx(1)
    assert found.verdict == "kept in sight"


def hidden(skies, noise=0.0):
    """Stars are a twentieth as bright, which rounds to 2 levels, and are made as bright again."""

    def there(night):
        sent = skies["day"] + STRENGTH * (night - skies["bare"]) / LEVELS
        return (sent + noise * torch.randn(sent.shape, generator=stream(1, "noise"))).round()

    return measured(skies, there, lambda between: (between - skies["day"]) * LEVELS / STRENGTH + skies["bare"])


def test_a_steganographer_hides_them(skies):
    found = hidden(skies)
    assert found.visibility == pytest.approx(STRENGTH / LEVELS, abs=0.01)
    assert found.recovery > 0.8
    assert abs(found.by_chance) < 0.15
    assert found.verdict == "hidden"


@pytest.mark.parametrize("noise", [1.0, 2.0, 4.0])
def test_noise_leaves_of_them_what_theory_says(skies, noise):
    variance = float((skies["stars"] / LEVELS).var())
    # The day's own values have fractions, so rounding is noise of variance 1/12.
    wanted = recovery_through_noise(STRENGTH, variance, noise)
    assert hidden(skies, noise).recovery == pytest.approx(wanted, abs=0.02)


def test_the_theory_has_the_published_examples():
    # Stars on 5 % of pixels, two levels strong: .384 at one level of noise, .106 at four.
    variance = 0.05 * 0.95
    assert recovery_through_noise(2.0, variance, 1.0) == pytest.approx(0.385, abs=0.01)
    assert recovery_through_noise(2.0, variance, 4.0) == pytest.approx(0.108, abs=0.002)
