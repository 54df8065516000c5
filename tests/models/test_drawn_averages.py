"""Games whose generator may be drawn from as a running average of its weights."""

from dataclasses import replace

import pytest

from ganvas.core import catalogue


@pytest.mark.parametrize("name", ["graphs/molgan", "sound/specgan", "sound/wavegan", "text/wgan_gp"])
@pytest.mark.parametrize(("given", "used"), [(0.9, 0.9), (0.0, None)])
def test_the_generator_alone_has_an_average_where_one_is_asked_for(name, given, used):
    module = catalogue.load("models", name)
    phases = module.Model(replace(module.TINY, average_decay=given)).phases()
    assert all(phase.average == (used if phase.name.startswith("G") else None) for phase in phases)
