import copy
import math

import pytest
import torch
from torch import nn
from torch.autograd import gradgradcheck
from torch.nn import functional as F
from torch.testing import assert_close

from ganvas.core.errors import UserError
from ganvas.nn.layers.initialise import initialise
from ganvas.nn.layers.plain_layers import Conv2d, ConvTranspose2d, Linear
from ganvas.nn.norms.batch_norm import BatchNorm2d
from ganvas.nn.norms.spectral_norm import SpectralNorm


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def started(layer, seed=0):
    module = SpectralNorm(layer)
    initialise(module, rng(seed))
    return module.double()


def largest(weight, *, transposed=False):
    matrix = (weight.transpose(0, 1) if transposed else weight).detach().flatten(1)
    return torch.linalg.matrix_norm(matrix, 2)


LAYERS = {
    "conv": (Conv2d(3, 5, 3), (2, 3, 6, 7)),
    "transposed": (ConvTranspose2d(3, 5, 4, stride=2), (2, 3, 4, 5)),
    "linear": (Linear(7, 4), (2, 7)),
}


@pytest.mark.parametrize("kind", LAYERS)
def test_sigma_converges_to_the_largest_singular_value_and_follows_a_weight_that_moves(kind):
    layer, shape = copy.deepcopy(LAYERS[kind])
    module, x = started(layer), torch.randn(shape, generator=rng(1), dtype=torch.float64)
    for _ in range(2):
        for _ in range(400):
            module.power.step(1)
        module(x)
        assert_close(module.power.sigma(), largest(layer.weight, transposed=kind == "transposed"), rtol=1e-9, atol=0)
        with torch.no_grad():
            layer.weight += torch.randn(layer.weight.shape, generator=rng(2), dtype=torch.float64)


@pytest.mark.parametrize("kind", LAYERS)
def test_the_output_is_that_of_the_layer_with_its_weight_divided(kind):
    layer, shape = copy.deepcopy(LAYERS[kind])
    module, x = started(layer).eval(), torch.randn(shape, generator=rng(1), dtype=torch.float64)
    with torch.no_grad():
        layer.bias.copy_(torch.arange(len(layer.bias)))
        scaled = copy.deepcopy(layer)
        scaled.weight /= module.power.sigma()
    assert_close(module(x), scaled(x), rtol=1e-12, atol=1e-12)


def test_a_training_pass_takes_one_step_of_the_power_method_and_evaluation_none():
    module, x = started(Linear(7, 4)), torch.ones(1, 7, dtype=torch.float64)
    u, v = module.power.u.clone(), module.power.v.clone()
    module.eval()(x)
    assert torch.equal(module.power.u, u)
    assert torch.equal(module.power.v, v)
    module.train()(x)
    w = module.layer.weight.detach()
    v = F.normalize(w.T @ u, dim=0)  # Miyato et al. 2018, algorithm 1.
    u = F.normalize(w @ v, dim=0)
    assert_close(module.power.v, v, rtol=1e-12, atol=0)
    assert_close(module.power.u, u, rtol=1e-12, atol=0)


def test_the_gradient_is_that_of_the_quotient_with_u_and_v_constant():
    # Miyato et al. 2018, eq. 12: d/dW of <G, W / sigma> with sigma = u^T W v is (G - <G, W / sigma> u v^T) / sigma.
    module = started(Linear(7, 4, bias=False)).eval()
    x = torch.eye(7, dtype=torch.float64)
    g = torch.randn(7, 4, generator=rng(3), dtype=torch.float64)
    (found,) = torch.autograd.grad(module(x), module.layer.weight, g)
    w, (u, v) = module.layer.weight.detach(), (module.power.u, module.power.v)
    sigma = u @ w @ v
    expected = (g.T - (g.T * w).sum() / sigma * torch.outer(u, v)) / sigma
    assert_close(found, expected, rtol=1e-12, atol=1e-12)


def test_two_passes_may_come_before_one_gradient():
    module = started(Conv2d(2, 3, 3))
    real, fake = (torch.randn(2, 2, 5, 5, generator=rng(seed), dtype=torch.float64) for seed in (1, 2))
    (module(real).mean() - module(fake).mean()).backward()
    assert module.layer.weight.grad.isfinite().all()


def test_it_can_be_differentiated_twice():
    module = started(Conv2d(2, 3, 2)).eval()
    x = torch.randn(1, 2, 3, 3, generator=rng(1), dtype=torch.float64).requires_grad_()
    weight = module.layer.weight

    def run(x, weight):
        return torch.func.functional_call(module, {"layer.weight": weight}, (x,)).tanh()

    assert gradgradcheck(run, (x, weight.detach().clone().requires_grad_()))


def test_u_and_v_are_state_and_not_parameters():
    module = SpectralNorm(Conv2d(8, 16, 4))
    assert sum(parameter.numel() for parameter in module.parameters()) == 2064
    assert {name: buffer.numel() for name, buffer in module.named_buffers()} == {"power.u": 16, "power.v": 128}
    assert set(module.state_dict()) == {"layer.weight", "layer.bias", "power.u", "power.v"}


def test_a_run_that_is_resumed_goes_on_as_if_it_had_not_stopped():
    x = torch.randn(4, 7, generator=rng(1), dtype=torch.float64)

    def train(module, steps):
        optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
        for _ in range(steps):
            optimizer.zero_grad()
            module(x).square().mean().backward()
            optimizer.step()
        return module

    whole = train(started(Linear(7, 4)), 6)
    half = train(started(Linear(7, 4)), 3)
    resumed = SpectralNorm(Linear(7, 4)).double()
    resumed.load_state_dict(half.state_dict())
    train(resumed, 3)
    for name, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name


def test_it_starts_as_a_function_of_the_generator_and_nearly_normalised():
    one, same, other = (started(Conv2d(16, 32, 3), seed) for seed in (5, 5, 6))
    assert torch.equal(one.power.u, same.power.u)
    assert not torch.equal(one.power.u, other.power.u)
    # After 15 steps the estimate is below the norm, by a little where two singular values are close.
    ratio = (one.power.sigma() / largest(one.layer.weight)).item()
    assert 0.95 < ratio <= 1 + 1e-12


def test_construction_touches_no_random_stream():
    before = torch.random.get_rng_state()
    SpectralNorm(Conv2d(2, 3, 3))
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.parametrize(
    ("layer", "shape", "transposed"),
    [
        (nn.Conv2d(3, 5, 3), (2, 3, 6, 7), False),
        (nn.Linear(7, 4), (2, 7), False),
        (nn.ConvTranspose2d(3, 5, 4), (2, 3, 4, 5), True),
        (nn.Conv1d(3, 5, 3), (2, 3, 6), False),
    ],
    ids=["conv2d", "linear", "transposed", "conv1d"],
)
def test_torchs_own_layers_are_normalised_without_a_start(layer, shape, transposed):
    module = SpectralNorm(layer)
    x = torch.randn(shape, generator=rng(1))
    for _ in range(300):
        module(x)
    norm = largest(module.weight(), transposed=transposed).item()
    assert math.isclose(norm, 1.0, rel_tol=1e-4)  # float32


def test_a_normalised_linear_layer_is_1_lipschitz():
    module = started(Linear(7, 4, bias=False))
    module.power.step(500)
    x, y = torch.randn(2, 50, 7, generator=rng(1), dtype=torch.float64)
    stretch = (module(x) - module(y)).norm(dim=1) / (x - y).norm(dim=1)
    assert stretch.max() <= 1 + 1e-9


def test_a_copy_follows_its_own_weight():
    module = started(Linear(7, 4))
    copied = copy.deepcopy(module)
    with torch.no_grad():
        copied.layer.weight *= 3
    assert_close(copied.power.sigma(), 3 * module.power.sigma(), rtol=1e-12, atol=0)


def test_a_zero_weight_stays_finite_and_is_followed_when_it_grows():
    module = started(Linear(7, 4, bias=False))
    with torch.no_grad():
        module.layer.weight.zero_()
    x = torch.ones(1, 7, dtype=torch.float64)
    assert torch.equal(module(x), torch.zeros(1, 4, dtype=torch.float64))
    with torch.no_grad():
        module.layer.weight[1, 2] = 5
    module.power.step(3)
    assert_close(module.power.sigma().item(), 5.0)


@pytest.mark.parametrize("layer", [BatchNorm2d(3), nn.ReLU()])
def test_what_has_no_matrix_is_refused(layer):
    with pytest.raises(UserError, match=f"{type(layer).__name__} has no weight of two"):
        SpectralNorm(layer)
