"""What single operations read: never less than the support of the gradient, and exactly it where nothing is guessed."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from ganvas.anatomy.receptive_field import field
from ganvas.anatomy.trace import trace

SHAPE = (1, 3, 12, 12)


class Then(nn.Module):
    """A convolution of positive weights, and a function of what it gives."""

    def __init__(self, function, kernel=3):
        super().__init__()
        self.layer, self.function = nn.Conv2d(3, 4, kernel), function
        for parameter in self.parameters():
            nn.init.uniform_(parameter, 0.5, 1.0, generator=torch.Generator().manual_seed(0))

    def forward(self, x):
        return self.function(self.layer(x))


def reached(model, shape, index):
    """The places of a picture whose gradient is not zero, over several random pictures."""
    model, random, total = model.double(), torch.Generator().manual_seed(1), 0
    for _ in range(4):
        x = torch.rand(shape, generator=random, dtype=torch.float64).requires_grad_()
        part = model(x)[index]
        weights = torch.rand(part.shape, generator=random, dtype=torch.float64) + 0.5
        if part.requires_grad:
            (found,) = torch.autograd.grad((part * weights).sum(), x, allow_unused=True)
            total = total + (torch.zeros_like(x) if found is None else found.abs())
        else:
            total = total + torch.zeros_like(x).detach()
    return (total[0].sum(0) > 1e-12).numpy()


UNKNOWN = {
    "Fourier transform": lambda y: torch.fft.fft2(y).real,
    "permuted rows": lambda y: y.index_select(2, torch.arange(9, -1, -1, device=y.device)),
    "matrix inverse": lambda y: torch.linalg.inv(y + 9 * torch.eye(10, dtype=y.dtype, device=y.device)),
    "turned": lambda y: torch.rot90(y, 1, (2, 3)),
    "sorted": lambda y: y.sort(2).values,
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_is_not_known_to_work_element_by_element_reads_everything_and_is_named(name):
    model = Then(UNKNOWN[name])
    found = field(trace(model, SHAPE), unit=(2, 7))
    assert found.guessed
    assert np.all(found.pixels | ~reached(model, SHAPE, found.index))


@pytest.mark.parametrize(
    "function",
    [
        torch.zeros_like,
        lambda y: y.new_ones(y.shape),
        lambda y: torch.full_like(y, 2.0),
        lambda y: torch.rand_like(y),
    ],
)
def test_what_takes_only_a_shape_reads_no_values(function):
    found = field(trace(Then(function), SHAPE))
    assert (found.read, found.guessed, found.stride) == (0, (), ())


@pytest.mark.parametrize(
    "name", [n for n in nn.modules.activation.__all__ if n not in {"MultiheadAttention", "GLU", "Threshold"}]
)
def test_every_activation_of_torch_works_place_by_place(name):
    kind = getattr(nn, name)
    model = Then(kind(dim=1) if "dim" in kind.__init__.__code__.co_varnames else kind())
    found = field(trace(model, SHAPE))
    assert (found.read, found.guessed) == (9, ())


def test_the_network_of_every_known_operation_is_not_guessed():
    def many(y):
        y = torch.where(y > 0, y.clamp(min=0) ** 2, -y.abs()).masked_fill(y.isnan(), 0.0)
        y = F.dropout(torch.lerp(y, y.exp().sqrt(), 0.5)).floor() + y // 2 + y % 2 + (y > 1) * ~(y > 2)
        return torch.addcmul(y, y, y).nan_to_num().tril() + F.threshold(y, 0.1, 0.0) + F.logsigmoid(y)

    graph = trace(Then(many), SHAPE)
    assert field(graph).guessed == ()
    assert all(node.op != "_threshold" for node in graph.nodes)


def test_softmin_reads_along_its_axis():
    found = field(trace(Then(lambda y: F.softmin(y, dim=3)), SHAPE), unit=(4, 4))
    assert (found.read, found.guessed) == (3 * 12, ())
