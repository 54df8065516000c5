import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.testing import assert_close

from ganvas.core.errors import UserError
from ganvas.nn.layers.fused_scale import EqualizedUpConv2d
from ganvas.nn.layers.initialise import initialise
from ganvas.nn.transposed.rewrite_transposed import replace_modules, rewrite, rewrite_program, trace, transposed_in
from ganvas.nn.transposed.subpixel_layer import SubpixelConvTranspose

pytestmark = pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning")  # Of torch.export to itself.


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


class Everything(nn.Module):
    """Layers, a function, a normed weight, a fused up-scaling, a layer used twice, and a weight of the input."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.first = nn.ConvTranspose2d(5, 4, 4)
        self.twice = nn.ConvTranspose2d(4, 4, 3, stride=2, padding=1, output_padding=1, groups=2)
        self.normed = nn.utils.parametrizations.spectral_norm(nn.ConvTranspose2d(4, 4, 4, stride=2, padding=1))
        self.weight = nn.Parameter(torch.randn(4, 3, 2, 2))
        self.fused = EqualizedUpConv2d(3, 3)
        initialise(self.fused, rng())

    def forward(self, z):
        x = self.twice(self.twice(self.first(z[:, :, None, None])).relu())
        x = F.conv_transpose2d(self.normed(x).tanh(), 0.1 * self.weight, stride=2, dilation=2)
        x = self.fused(x)
        modulated = self.weight[:3] * z[0, :3, None, None, None]
        return F.conv_transpose2d(x, modulated, padding=1)


def normal(*shape, seed=0):
    return torch.randn(shape, generator=rng(seed))


@pytest.mark.slow
def test_every_kind_of_transposed_convolution_of_a_model_goes_and_its_output_stays():
    model, z = Everything(), normal(2, 5)
    assert len(transposed_in(trace(model.eval(), (z,)))) == 7
    program = rewrite(model, (z,))
    assert transposed_in(program) == []
    assert not any("transpose" in str(node.target) and "conv" in str(node.target) for node in program.graph.nodes)
    for seed in range(3):
        other = normal(2, 5, seed=seed)
        expected = model(other)
        assert_close(program.module()(other), expected, rtol=1e-5, atol=1e-5 * expected.abs().max().item())


@pytest.mark.slow
def test_one_and_three_axes_and_decomposed_programs_are_rewritten_too():
    torch.manual_seed(0)
    one = nn.Sequential(nn.ConvTranspose1d(3, 4, 5, stride=3, padding=1), nn.ReLU(), nn.ConvTranspose1d(4, 2, 2))
    three = nn.Sequential(nn.ConvTranspose3d(3, 4, 4, stride=2, padding=1), nn.ReLU())
    for model, x in ((one, normal(1, 3, 6)), (three, normal(1, 3, 3, 4, 2))):
        program = trace(model.eval(), (x,))
        for given in (program, program.run_decompositions()):  # aten.convolution with transposed=True
            assert transposed_in(given)
            done = rewrite_program(given, (x,))
            assert not transposed_in(done.run_decompositions())
            assert_close(done.module()(x), model(x), rtol=1e-5, atol=1e-5)


def test_kernels_are_computed_once_and_the_old_weights_are_gone():
    torch.manual_seed(0)
    model = nn.Sequential(nn.ConvTranspose2d(8, 4, 4, stride=2, padding=1), nn.BatchNorm2d(4))
    program = rewrite(model, (normal(1, 8, 4, 4),))
    shapes = {tuple(tensor.shape) for tensor in program.state_dict.values()}
    assert (16, 8, 2, 2) in shapes
    assert (8, 4, 4, 4) not in shapes
    assert not any("flip" in str(node.target) for node in program.graph.nodes)


@pytest.mark.slow
def test_a_batch_of_any_size_stays_one():
    batch = torch.export.Dim("batch")
    torch.manual_seed(0)
    model = nn.Sequential(nn.ConvTranspose2d(5, 4, 4), nn.ReLU(), nn.ConvTranspose2d(4, 3, 4, 2, 1))
    program = rewrite(model, (normal(2, 5, 1, 1),), dynamic_shapes=({0: batch},))
    for n in (1, 7):
        assert_close(program.module()(normal(n, 5, 1, 1)), model(normal(n, 5, 1, 1)), rtol=1e-5, atol=1e-6)


def test_a_model_s_own_mode_and_weights_are_left_alone():
    model = nn.Sequential(nn.ConvTranspose2d(3, 4, 4, stride=2), nn.BatchNorm2d(4)).train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    rewrite(model, (normal(2, 3, 4, 4),))
    assert model.training
    assert model[1].training
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, before[name])


def test_replaced_layers_keep_the_state_dict_train_and_share_where_they_were_shared():
    torch.manual_seed(0)
    shared = nn.ConvTranspose2d(4, 4, 3, stride=2)
    model = nn.ModuleDict({"a": nn.Sequential(nn.ConvTranspose2d(3, 4, 4), shared), "b": shared})
    done = replace_modules(model)
    assert done.state_dict().keys() == model.state_dict().keys()
    assert done["b"] is done["a"][1]
    assert isinstance(done["b"], SubpixelConvTranspose)
    assert isinstance(model["b"], nn.ConvTranspose2d)
    assert done["b"].weight is not model["b"].weight
    x = normal(1, 3, 4, 4)
    done["a"](x).sum().backward()
    model["a"](x).sum().backward()
    assert_close(done["b"].weight.grad, model["b"].weight.grad, rtol=1e-4, atol=1e-4)
    assert isinstance(replace_modules(shared), SubpixelConvTranspose)
    with pytest.raises(UserError, match="cannot be replaced layer by layer"):
        replace_modules(nn.Sequential(nn.utils.parametrizations.weight_norm(nn.ConvTranspose2d(3, 3, 3))))


class Chooses(nn.Module):
    def forward(self, x):
        return x if x.sum() > 0 else -x


def test_what_cannot_be_traced_is_named():
    with pytest.raises(UserError, match=r"Chooses cannot be traced by torch.export with an input of 2x3"):
        rewrite(Chooses(), (normal(2, 3),))
    with pytest.raises(UserError, match=r"ConvTranspose2d cannot be traced .* input of 1x4x2x2"):
        rewrite(nn.ConvTranspose2d(3, 2, 2), (normal(1, 4, 2, 2),))
