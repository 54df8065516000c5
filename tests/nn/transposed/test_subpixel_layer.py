import copy
import math
import pickle
import time

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from ganvas.core.errors import UserError
from ganvas.nn.layers.initialise import initialise
from ganvas.nn.layers.plain_layers import ConvTranspose2d
from ganvas.nn.transposed import subpixel_layer
from ganvas.nn.transposed.subpixel_layer import SubpixelConvTranspose

EXACT = {"rtol": 0, "atol": 1e-12}


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def peers():
    torch.manual_seed(0)
    ours = ConvTranspose2d(4, 6, (4, 3), stride=2, padding=1)
    initialise(ours, rng())
    return [
        (nn.ConvTranspose1d(4, 6, 5, stride=3, padding=2, output_padding=1), (2, 4, 7)),
        (nn.ConvTranspose2d(4, 6, (4, 3), stride=(2, 3), padding=1, groups=2, bias=False), (2, 4, 5, 7)),
        (nn.ConvTranspose2d(4, 6, 3, stride=2, dilation=2, output_padding=1), (2, 4, 1, 3)),
        (nn.ConvTranspose3d(4, 6, 4, stride=2, padding=1), (2, 4, 3, 2, 4)),
        (ours, (2, 4, 5, 7)),
    ]


@pytest.mark.parametrize("index", range(5))
@pytest.mark.parametrize("method", ["subpixel", "auto"])
@pytest.mark.parametrize("mode", ["training", "eval", "inference"])
def test_a_layer_made_from_a_module_is_that_module(index, method, mode):
    module, shape = peers()[index]
    module = module.double().train(mode == "training")
    layer = SubpixelConvTranspose.from_module(module, method=method)
    assert layer.training == module.training
    x = torch.randn(shape, generator=rng(), dtype=torch.float64)
    with torch.inference_mode(mode == "inference"):
        for _ in range(2):  # The second time with the kernel that was kept.
            assert_close(layer(x), module(x), **EXACT)


def test_state_dicts_go_both_ways_and_parameters_are_shared():
    module, _ = peers()[1]
    layer = SubpixelConvTranspose.from_module(module)
    assert layer.weight is module.weight
    assert layer.bias is None
    assert layer.state_dict().keys() == module.state_dict().keys()
    other = SubpixelConvTranspose(4, 6, (4, 3), stride=(2, 3), padding=1, groups=2, bias=False)
    other.load_state_dict(module.state_dict())
    module.load_state_dict(other.state_dict())
    assert torch.equal(other.weight, module.weight)


def kept_layer():
    module = nn.ConvTranspose2d(4, 3, 4, stride=2, padding=1).eval()
    layer = SubpixelConvTranspose.from_module(module)
    x = torch.randn(2, 4, 5, 5, generator=rng())
    with torch.no_grad():
        layer(x)
    assert layer._kept is not None
    return module, layer, x


@torch.no_grad()
def test_the_kernel_is_computed_once_until_the_weight_changes():
    module, layer, x = kept_layer()
    kept = layer._kept
    layer(x)
    assert layer._kept is kept
    for change in (
        lambda: module.weight.mul_(2),
        lambda: module.bias.add_(1),
        lambda: module.load_state_dict({"weight": torch.ones(4, 3, 4, 4), "bias": torch.ones(3)}),
        lambda: setattr(module.weight, "data", torch.randn(4, 3, 4, 4, generator=rng())),
    ):
        change()
        assert_close(layer(x), module(x))
    sgd = torch.optim.SGD(layer.parameters(), lr=0.1)
    with torch.enable_grad():
        module(x).sum().backward()
    sgd.step()
    assert_close(layer(x), module(x))


@torch.no_grad()
def test_a_change_behind_autograd_s_back_is_seen_after_eval():
    module, layer, x = kept_layer()
    module.weight.data.mul_(2)
    layer.eval()
    assert_close(layer(x), module(x))
    layer.train()
    assert layer._kept is None


@torch.no_grad()
def test_what_is_kept_follows_the_precision_and_is_not_copied_nor_saved():
    module, layer, x = kept_layer()
    twin = copy.deepcopy(layer)
    assert twin._kept is None
    twin.weight.zero_()
    assert_close(layer(x), module(x))
    assert_close(pickle.loads(pickle.dumps(layer))(x), module(x))
    assert_close(layer.double()(x.double()), module.double()(x.double()), **EXACT)
    assert "_kept" not in layer.state_dict()


def test_gradients_reach_weights_and_latents_in_eval_too():
    module, layer, x = kept_layer()
    x.requires_grad_()
    for parts in ([x, module.weight, module.bias], [x]):
        module.requires_grad_(len(parts) == 3)
        ours = torch.autograd.grad(layer(x).square().sum(), parts)
        theirs = torch.autograd.grad(module(x).square().sum(), parts)
        for a, b in zip(ours, theirs, strict=True):
            assert_close(a, b, rtol=1e-4, atol=1e-4)  # float32; sums of some hundred products.


def test_a_kernel_kept_in_inference_mode_serves_a_gradient_of_latents():
    module, layer, x = kept_layer()
    module.requires_grad_(False)
    layer.eval()
    with torch.inference_mode():
        layer(x)
    x.requires_grad_()
    layer(x).sum().backward()
    assert x.grad is not None


def test_two_training_steps_with_double_backward_equal_torch_s():
    """A penalty on the gradient, as of WGAN-GP: what is derived in the graph has second derivatives."""
    found = []
    for layer in (peers()[0][0].double(), SubpixelConvTranspose.from_module(peers()[0][0].double())):
        layer.train()
        x = torch.randn(2, 4, 7, generator=rng(), dtype=torch.float64, requires_grad=True)
        (gradient,) = torch.autograd.grad(layer(x).pow(3).sum(), x, create_graph=True)
        gradient.square().sum().backward()
        found.append(layer.weight.grad)
    assert_close(*found, rtol=1e-11, atol=1e-9)


def test_it_starts_as_the_plain_layer_does():
    ours = SubpixelConvTranspose(32, 64, 4, stride=2, padding=1)
    plain = ConvTranspose2d(32, 64, 4, stride=2, padding=1)
    for layer in (ours, plain):
        initialise(layer, rng())
    assert_close(ours.weight, plain.weight, rtol=0, atol=0)
    assert not ours.bias.any()
    small = SubpixelConvTranspose(32, 64, 4, std=0.02, dims=1, bias=False)
    initialise(small, rng())
    assert math.isclose(small.weight.std().item(), 0.02, rel_tol=0.05)  # 8,192 draws: 3 sigma are 2.3 %.


def test_modules_whose_weight_is_not_their_own_are_refused():
    normed = nn.utils.parametrizations.spectral_norm(nn.ConvTranspose2d(3, 4, 4))
    hooked = nn.ConvTranspose2d(3, 4, 4)
    hooked.register_forward_hook(lambda *_: None)
    for module in (normed, hooked):
        with pytest.raises(UserError, match="cannot be replaced layer by layer"):
            SubpixelConvTranspose.from_module(module)
    with pytest.raises(UserError, match="groups=2 does not divide 3 and 4 channels"):
        SubpixelConvTranspose(3, 4, 4, groups=2)


@pytest.mark.parametrize("quicker", ["native", "subpixel"])
def test_auto_keeps_the_form_that_was_quicker_on_the_first_input_of_a_size(quicker, monkeypatch):
    calls = []

    def timed(name, form):
        def call(*arguments):
            calls.append(name)
            if name != quicker:
                time.sleep(0.003)
            return form(*arguments)

        return call

    for name, function in (("native", "conv_transpose_native"), ("subpixel", "conv_transpose_by_kernel")):
        monkeypatch.setattr(subpixel_layer, function, timed(name, getattr(subpixel_layer, function)))
    module = nn.ConvTranspose2d(4, 6, 4, stride=2, padding=1).eval()
    layer = SubpixelConvTranspose.from_module(module, method="auto")
    x = torch.randn(2, 4, 5, 5, generator=rng())
    with torch.no_grad():
        assert_close(layer(x), module(x))
        assert set(calls) == {"native", "subpixel"}
        calls.clear()
        assert_close(layer(x + 1), module(x + 1))
        assert calls == [quicker]
        calls.clear()
        layer(x[:1])
    assert set(calls) == {"native", "subpixel"}  # Another size is tried anew.


def test_auto_does_not_try_what_wastes_taps_nor_while_it_learns(monkeypatch):
    monkeypatch.setattr(SubpixelConvTranspose, "_by_kept_kernel", None)
    x = torch.randn(8, 4, 5, 5, generator=rng())
    wasteful = nn.ConvTranspose2d(4, 6, 3, stride=2).eval()
    with torch.no_grad():
        assert_close(SubpixelConvTranspose.from_module(wasteful, method="auto")(x), wasteful(x))
    learning = nn.ConvTranspose2d(4, 6, 4, stride=2)
    assert_close(SubpixelConvTranspose.from_module(learning, method="auto")(x), learning(x))
