import pytest
import torch

from ganvas.core import catalogue
from ganvas.core.errors import UserError
from ganvas.core.seeds import stream
from ganvas.losses.diffusion.solvers import SolverOptions
from ganvas.models.autoregressive import pixelcnn_pp
from ganvas.models.diffusion import edm
from ganvas.models.flow import nice
from ganvas.models.gan import dcgan, stylegan2
from ganvas.nn.layers.initialise import initialise
from ganvas.train.sampling.drawn import drawn_labels, drawn_samples


def test_classes_are_drawn_with_their_shares_of_the_data():
    found = drawn_labels(20_000, seed=3, counts=[1, 0, 3]).bincount(minlength=3) / 20_000
    # A share of 20,000 draws has a standard error of 0.003: four of them.
    assert found.tolist() == pytest.approx([0.25, 0.0, 0.75], abs=0.0125)


def test_neighbours_are_of_one_class_as_often_as_two_pictures_of_the_data():
    # Metrics of pairs pair neighbours: in turn, a class would never meet itself. With shares p, sum p^2 of the pairs.
    labels = drawn_labels(20_000, seed=0, counts=[10] * 10)
    same = (labels[0::2] == labels[1::2]).double().mean()
    assert float(same) == pytest.approx(0.1, abs=0.012)


def test_the_draw_is_a_function_of_the_seed():
    one, again, other = (drawn_labels(50, seed=seed, counts=[1, 2]) for seed in (1, 1, 2))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


def drawn(module, truncation):
    model = module.Model(module.TINY)
    initialise(model, stream(0, "weights"))
    return torch.cat(list(drawn_samples(model.eval(), 6, seed=1, purpose="test", truncation=truncation, batch=4)))


def test_truncation_draws_samples_together_and_only_where_a_model_can():
    spread = [drawn(stylegan2, truncation).std(0).mean().item() for truncation in (0.0, 0.5, 1.0)]
    assert spread[0] < 1e-6
    assert spread[0] < spread[1] < spread[2]
    assert torch.equal(drawn(stylegan2, 1.0), drawn(stylegan2, None))
    for module in (dcgan, pixelcnn_pp):  # From latents, and without.
        with pytest.raises(UserError, match=r"--truncation 0\.5: \w+/\w+ has no intermediate latents"):
            drawn(module, 0.5)


@pytest.mark.parametrize("truncation", [-0.1, float("inf"), float("nan")])
def test_a_truncation_that_is_no_share_is_refused(truncation):
    with pytest.raises(UserError, match="must be at least 0"):
        drawn(stylegan2, truncation)


def at(model, temperature, **how):
    return torch.cat(list(drawn_samples(model.eval(), 6, seed=1, purpose="test", temperature=temperature, **how)))


def test_a_temperature_scales_latents_and_is_refused_where_there_is_none():
    model = nice.Model(nice.TINY)
    initialise(model, stream(0, "weights"))
    z = model.latents(6, stream(1, "test"))
    assert torch.equal(at(model, 0.7, batch=4), torch.cat([model.decode(0.7 * z[:4]), model.decode(0.7 * z[4:])]))
    assert torch.equal(at(model, 1.0), at(model, None))
    with pytest.raises(UserError, match=r"--temperature -1 must be at least 0"):
        at(model, -1.0)
    with pytest.raises(UserError, match="Give one of them"):
        at(model, 0.7, truncation=0.7)
    other = dcgan.Model(dcgan.TINY)
    initialise(other, stream(0, "weights"))
    with pytest.raises(UserError, match=r"--temperature 0\.7: gan/dcgan has none; flows, models of text"):
        at(other, 0.7)


def test_the_steps_of_a_solver_are_chosen_where_a_model_solves_an_equation_and_refused_elsewhere():
    model = edm.Model(edm.TINY)
    initialise(model, stream(0, "weights"))

    def draw(module, **options):
        return torch.cat(list(drawn_samples(module.eval(), 2, seed=1, purpose="test", solver=SolverOptions(**options))))

    assert torch.equal(draw(model), draw(model, steps=edm.TINY.steps))
    assert not torch.equal(draw(model), draw(model, steps=1))
    with pytest.raises(UserError, match=r"--steps 5: gan/stylegan2 solves no equation to draw"):
        draw(stylegan2.Model(stylegan2.TINY), steps=5)


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("fill/gated", "inpaint RUN SRC --masks MASKS -o OUT --truth"),
        ("segment/unet", "segment RUN SRC -o OUT --truth"),
        ("detect/csp", "detect RUN SRC"),
        ("translate/cyclegan", "translate RUN SRC"),
    ],
)
def test_a_model_that_draws_nothing_names_the_command_that_it_is_for(name, command):
    module = catalogue.load("models", name)
    with pytest.raises(UserError, match=f"{name} draws no samples of its own. `ganvas {command}"):
        next(drawn_samples(module.Model(module.TINY), 1, seed=0, purpose="grid"))
