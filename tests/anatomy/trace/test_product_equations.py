"""Products of matrices by every name that torch has for them; the figures are added up by hand."""

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from ganvas.anatomy.fields.receptive_field import field
from ganvas.anatomy.trace.product_equations import equation
from ganvas.anatomy.trace.trace import trace


class Product(nn.Module):
    """One function of the inputs."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *inputs):
        return self.function(*inputs)


@pytest.mark.parametrize(
    ("function", "shapes", "products"),
    [
        (lambda a, b: torch.tensordot(a, b, dims=([1, 2], [1, 2])), [(3, 4, 5), (6, 4, 5)], 3 * 4 * 5 * 6),
        (lambda a, b: torch.tensordot(a, b, dims=1), [(3, 4, 5), (5, 6)], 3 * 4 * 5 * 6),
        (torch.linalg.matmul, [(3, 8), (8, 5)], 3 * 8 * 5),
        # (3 x 8 . 8 x 5) . 5 x 3 takes 120 + 45; the other way round 120 + 72.
        (lambda a, b, c: torch.linalg.multi_dot([a, b, c]), [(3, 8), (8, 5), (5, 3)], 120 + 45),
        (lambda a, b, c: torch.linalg.multi_dot([a, b, c]), [(8,), (8, 5), (5,)], 40 + 5),
        (torch.chain_matmul, [(3, 8), (8, 5), (5, 3)], 120 + 45),
        (lambda a, b: torch.addbmm(torch.zeros(4, 6), a, b), [(3, 4, 5), (3, 5, 6)], 3 * 4 * 5 * 6),
        (lambda a, b: torch.baddbmm(torch.zeros(3, 4, 6), a, b), [(3, 4, 5), (3, 5, 6)], 3 * 4 * 5 * 6),
        (lambda a, b: torch.addmv(torch.zeros(4), a, b), [(4, 5), (5,)], 4 * 5),
        (lambda a, b: a.__rmatmul__(b), [(5, 9), (7, 5)], 7 * 5 * 9),
        (torch.inner, [(3, 4, 5), (6, 5)], 3 * 4 * 5 * 6),
        (torch.linalg.vecdot, [(3, 4, 5), (3, 4, 5)], 3 * 4 * 5),
        (lambda a, b: torch.linalg.vecdot(a, b, dim=1), [(3, 4, 5), (1, 4, 5)], 3 * 4 * 5),
        (torch.dot, [(5,), (5,)], 5),
        (torch.mv, [(4, 5), (5,)], 4 * 5),
    ],
)
def test_a_product_costs_its_index_space_whatever_it_is_called(function, shapes, products):
    assert trace(Product(function), *shapes).macs == products


def test_a_grouped_product_costs_every_row_one_matrix():
    class Experts(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.randn(2, 8, 16))

        def forward(self, x):
            return torch._grouped_mm(x, self.weight, offs=torch.tensor([3, 8], dtype=torch.int32))

    graph = trace(Experts(), (8, 8), real=True)
    assert (graph.macs, graph.nodes[-1].kind) == (8 * 8 * 16, "linear")


@pytest.mark.parametrize(
    ("text", "shapes", "pairs"),
    [
        ("bi,bj,bk->bijk", [(2, 3), (2, 4), (2, 5)], 0),  # Nothing is added up.
        ("bi,bj->b", [(2, 3), (2, 4)], 0),  # Each is added up alone.
        ("ab,bc,cd->ad", [(3, 8), (8, 5), (5, 3)], 3 * 8 * 5 + 3 * 5 * 3),
    ],
)
def test_an_einsum_goes_pair_by_pair_as_torch_counts(text, shapes, pairs):
    operands = [torch.randn(shape) for shape in shapes]
    with torch.backends.opt_einsum.flags(enabled=False), FlopCounterMode(display=False) as counter:
        torch.einsum(text, *operands)
    assert counter.get_total_flops() == 2 * pairs
    assert trace(Product(lambda *given: torch.einsum(text, *given)), *shapes).macs == pairs


@pytest.mark.parametrize("seed", range(12))
def test_the_equation_is_the_product(seed):
    draw = torch.Generator().manual_seed(seed)
    sizes = [int(size) for size in torch.randint(1, 4, (5,), generator=draw)]
    a, b = torch.randn(sizes[0], sizes[1], sizes[2], generator=draw), torch.randn(sizes[2], sizes[3], sizes[1])
    bound = {"dims": ([2, 1], [0, -1])}
    made = torch.einsum(equation("tensordot", bound, [a, b]), a, b)
    assert torch.allclose(made, torch.tensordot(a, b, dims=bound["dims"]), atol=1e-5)
    c = torch.randn(4, sizes[2], generator=draw)
    assert torch.allclose(torch.einsum(equation("inner", {}, [a, c]), a, c), torch.inner(a, c), atol=1e-5)


def test_the_second_factor_of_an_inner_product_is_read_along_its_last_axis():
    class Inner(nn.Module):
        def forward(self, x):
            return torch.inner(torch.ones(4, 6), x[0])  # (4, 5): column j reads row j.

    found = field(trace(Inner(), (1, 5, 6)), unit=None)
    assert found.guessed == ()


def test_a_learnt_factor_of_a_tensordot_is_a_linear_layer():
    class Mix(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.randn(6, 4, 5))

        def forward(self, x):
            return torch.tensordot(x, self.weight, dims=([1, 2], [1, 2]))

    node = trace(Mix(), (3, 4, 5)).nodes[-1]
    assert (node.kind, node.macs, dict(node.parameters)) == ("linear", 360, {"weight": 120})
