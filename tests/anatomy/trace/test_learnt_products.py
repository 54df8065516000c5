"""A product with a learnt matrix is a layer however it is spelt, and a row's shape is what its operation made."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from ganvas.anatomy.diagram.blocks import blocks
from ganvas.anatomy.diagram.diagram import layout
from ganvas.anatomy.fields.axes import axes
from ganvas.anatomy.table.table import table
from ganvas.anatomy.trace.trace import trace

STEPS, READ, MADE = 7, 12, 20


class Product(nn.Module):
    """One learnt matrix of ``shape``, and how it meets the input."""

    def __init__(self, shape, meet):
        super().__init__()
        self.weight, self.meet = nn.Parameter(torch.zeros(shape)), meet

    def forward(self, x):
        return self.meet(x, self.weight)


LAST = (1, STEPS, READ)
FIRST = (1, READ, STEPS)
SPELT = {
    "@": (LAST, (READ, MADE), lambda x, w: x @ w),
    "matmul, transposed": (LAST, (MADE, READ), lambda x, w: torch.matmul(x, w.t())),
    "bmm": (LAST, (1, READ, MADE), torch.bmm),
    "linear": (LAST, (MADE, READ), F.linear),
    "einsum": (LAST, (READ, MADE), lambda x, w: torch.einsum("btc,cd->btd", x, w)),
    "einsum, any batch": (LAST, (MADE, READ), lambda x, w: torch.einsum("...c, dc -> ...d", x, w)),
    "einsum, no arrow": (LAST, (READ, MADE), lambda x, w: torch.einsum("abc,cd", x, w)),
    "@ from the left": (FIRST, (MADE, READ), lambda x, w: w @ x),
    "einsum from the left": (FIRST, (MADE, READ), lambda x, w: torch.einsum("dc,bct->bdt", w, x)),
}


@pytest.mark.parametrize("spelt", SPELT)
def test_a_product_with_a_learnt_matrix_is_a_linear_layer_however_it_is_spelt(spelt):
    shape, weight, meet = SPELT[spelt]
    graph = trace(Product(weight, meet), shape)
    source, layer = blocks(graph)
    assert (layer.kind, layer.layers, layer.macs) == ("linear", 1, STEPS * READ * MADE)
    assert (source.channels, source.size) == (READ, (STEPS,))
    assert (layer.channels, layer.size) == (MADE, (STEPS,))
    assert all(each.told for each in axes(graph))
    row = table(graph).rows[-1]
    assert (row.kind, row.activation, row.parameters) == ("linear", "linear", READ * MADE)


class Written(nn.Module):
    """A convolution, then a classifier without a module of its own."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, 2, 1)
        self.m, self.b = nn.Parameter(torch.zeros(8 * 64, 10)), nn.Parameter(torch.zeros(10))

    def forward(self, x):
        return torch.relu(F.avg_pool2d(self.conv(x), 2).flatten(1) @ self.m + self.b)


def test_the_figure_of_a_network_that_multiplies_by_hand_ends_at_its_product():
    made = layout(trace(Written(), (1, 3, 32, 32)))
    assert [block.kind for block in made.blocks] == ["input", "plain", "pool", "linear"]
    assert made.blocks[-1].shape == (1, 10)
    row = table(trace(Written(), (1, 3, 32, 32))).rows[-1]
    assert (row.layer, row.activation, row.parameters) == ("Matrix product", "ReLU", 8 * 64 * 10 + 10)


def test_a_product_of_two_values_of_the_network_stays_a_place_where_they_meet():
    class Gram(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(READ, MADE), nn.Linear(READ, MADE)

        def forward(self, x):
            return self.a(x) @ self.b(x).mT

    assert [block.kind for block in blocks(trace(Gram(), LAST))] == ["input", "linear", "linear", "merge"]


@pytest.mark.parametrize("spelt", ["@", "@ from the left"])
def test_a_learnt_matrix_on_either_side_mixes_features_and_no_places(spelt):
    shape, weight, meet = SPELT[spelt]
    square = (READ,) * len(weight)  # As many features as before: only the side tells what is summed over.
    assert table(trace(Product(square, meet), shape)).rows[-1].receptive_field == (1,)


class Heads(nn.Module):
    """Self-attention as vision transformers write it: one layer for query, key and value, then views of it."""

    def __init__(self, d: int, heads: int):
        super().__init__()
        self.heads, self.qkv, self.out = heads, nn.Linear(d, 3 * d), nn.Linear(d, d)

    def forward(self, x):
        n, t, d = x.shape
        q, k, v = self.qkv(x).reshape(n, t, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        return self.out(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(n, t, d))


def test_a_rows_shape_is_what_its_operation_made_and_no_later_view_of_it():
    rows = table(trace(Heads(32, 4), (1, 17, 32))).rows[1:]
    assert [(row.layer, row.shape) for row in rows] == [
        ("Fully connected", (17, 96)),
        ("Attention", (4, 17, 8)),  # Heads, steps, features of a head.
        ("Fully connected", (17, 32)),
    ]


def test_a_vector_that_becomes_a_picture_is_a_picture_in_its_row():
    rows = table(trace(nn.Sequential(nn.Linear(8, 4 * 16), nn.Unflatten(1, (4, 4, 4))), (1, 8))).rows
    assert [row.shape for row in rows] == [(8,), (4, 4, 4)]  # As in the tables of generators.
