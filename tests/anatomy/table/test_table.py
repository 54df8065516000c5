"""Tables: the paper's rows, sums that hold to the last parameter, and files that need no edit by hand."""

import csv
import io
import json
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from ganvas.anatomy.loading.load import load, specimens
from ganvas.anatomy.table.formats import FORMATS, to_csv, to_json
from ganvas.anatomy.table.layer_rows import rows
from ganvas.anatomy.table.table import merged, short, table
from ganvas.anatomy.trace.trace import trace
from ganvas.core.errors import UserError

GOLDEN = Path(__file__).parent / "golden"
SUFFIX = {"latex": "tex", "markdown": "md", "csv": "csv", "json": "json", "text": "txt"}


class Odd(nn.Module):
    """What a table must survive: shared weights, unused ones, branches, functions, names that LaTeX would choke on."""

    def __init__(self):
        super().__init__()
        self.in_conv = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.body = nn.Conv2d(8, 8, 3, padding=2, dilation=2)
        self.norm = nn.BatchNorm2d(8)
        self.up = nn.ConvTranspose2d(8, 4, 4, stride=2, padding=1)
        self.never_used = nn.Linear(3, 5)

    def forward(self, x):
        y = F.leaky_relu(self.in_conv(x), 0.2)
        y = y + self.norm(self.body(F.relu(self.body(y))))
        return torch.cat([torch.tanh(self.up(y)), F.interpolate(y, scale_factor=2.0)], 1)


def odd_table(**options):
    return table(trace(Odd(), (1, 3, 8, 8), name="100% odd_net & {more}"), **options)


def layers(made):
    return [(row.layer, row.activation, row.shape, row.parameters) for row in made.rows]


def progan(part, **options):
    loaded = load("gan/progan", part=part, changes={"resolution": 1024})
    return table(trace(loaded.model, *loaded.inputs, name=loaded.name), **options)


def as_printed(count):
    """Two digits, as the paper prints counts: 2.4M, 590k, 51."""
    for unit, size in (("M", 1e6), ("k", 1e3)):
        if count >= size:
            value = float(f"{count / size:.2g}")
            return f"{value:.1f}{unit}" if value < 10 else f"{value:.0f}{unit}"
    return str(count) if count else "-"


def test_the_progan_generator_is_the_papers_table_2():
    made = progan("generator", hide=["Pixel norm"])
    expected = [("Latent vector", "", "-"), ("Fully connected", "LReLU", "4.2M"), ("Conv 3×3", "LReLU", "2.4M")]
    expected += [("Upsample", "", "-"), ("Conv 3×3", "LReLU", "2.4M"), ("Conv 3×3", "LReLU", "2.4M")] * 3
    for first, second in [("1.2M", "590k"), ("295k", "148k"), ("74k", "37k"), ("18k", "9.2k"), ("4.6k", "2.3k")]:
        expected += [("Upsample", "", "-"), ("Conv 3×3", "LReLU", first), ("Conv 3×3", "LReLU", second)]
    expected += [("Conv 1×1", "linear", "51")]
    rounded = {"300k": "295k", "150k": "148k"}  # The paper gives these three digits.
    found = [(row.layer, row.activation, as_printed(row.parameters)) for row in made.rows]
    assert found == [(a, b, {v: k for k, v in rounded.items()}.get(c, c)) for a, b, c in expected]
    shapes = [row.shape for row in made.rows if row.layer != "Upsample"]
    assert shapes[:3] == [(512,), (512, 4, 4), (512, 4, 4)]
    channels = [512, 512, 512, 256, 128, 64, 32, 16]
    doubled = [(c, 4 << k, 4 << k) for k, c in enumerate(channels, start=1)]
    assert shapes[3:-1] == [shape for pair in zip(doubled, doubled, strict=True) for shape in pair]
    assert shapes[-1] == (3, 1024, 1024)
    assert made.used == 23_071_507  # 23.1M


def test_the_progan_discriminator_ends_as_in_the_papers_table_2():
    made = progan("discriminator")
    assert layers(made)[:2] == [
        ("Input image", "", (3, 1024, 1024), 0),
        ("Conv 1×1", "LReLU", (16, 1024, 1024), 64),
    ]
    # The paper's last block; its 4 x 4 convolution is a dense layer here.
    assert layers(made)[-4:] == [
        ("Minibatch stddev", "", (513, 4, 4), 0),
        ("Conv 3×3", "LReLU", (512, 4, 4), 2_364_416),
        ("Fully connected", "LReLU", (512, 1, 1), 4_194_816),
        ("Fully connected", "linear", (1,), 513),
    ]
    assert made.used == 23_077_137


def test_layers_hold_their_activations_and_functions_have_rows():
    assert layers(odd_table()) == [
        ("Input image", "", (3, 8, 8), 0),
        ("Conv 3×3", "LReLU", (8, 4, 4), 224),
        ("Conv 3×3", "ReLU", (8, 4, 4), 584),
        ("Conv 3×3", "", (8, 4, 4), 0),
        ("Batch norm", "", (8, 4, 4), 16),
        ("Add", "", (8, 4, 4), 0),
        ("Transposed conv 4×4", "tanh", (4, 8, 8), 516),
        ("Upsample", "", (8, 8, 8), 0),
        ("Concatenate", "", (12, 8, 8), 0),
    ]
    assert [row.shared for row in odd_table().rows].index(True) == 3


# Of more layers of the kinds that their smaller sisters have: seconds each. Those of hundreds are left out altogether.
NEVER = ("cifar_resnet1202", "mixnet_250_24_24", "mixnet_190_40_40", "densenet_bc_250_24", "densenet_bc_190_40")
LARGER = (
    *("resnet34", "resnet50_original", "resnet50_slim", "resnet101", "resnet101_original", "resnet101_slim"),
    *("resnet152", "resnet152_original", "resnet152_slim", "cifar_resnet44", "cifar_resnet56", "cifar_resnet110"),
    *("mixnet_100_12_12", "densenet121", "vgg_b", "vgg_c", "vgg_d", "vgg_e", "vgg16", "vgg19", "squeezenet1_1"),
    *("resnet_9blocks", "patchgan286", "sagan_generator"),
)
FEW = ("alexnet", "resnet18", "unet", "gated_generator", "sn_patchgan", "sagan_discriminator")


@pytest.mark.parametrize(
    "name",
    [
        n if n in FEW else pytest.param(n, marks=pytest.mark.long if n in LARGER else pytest.mark.slow)
        for n in specimens()
        if n not in NEVER
    ],
)
def test_rows_and_unused_parameters_add_up_to_the_last_one(name):
    loaded = load(name)
    graph = trace(loaded.model, *loaded.inputs)
    found = rows(graph)  # Without receptive fields, which take far longer in dense networks.
    used = sum(row.parameters for row in found)
    assert used + sum(graph.unused.values()) == sum(p.numel() for p in loaded.model.parameters())
    assert sum(row.macs for row in found) == graph.macs


def test_an_activation_has_a_row_of_its_own_where_the_layer_is_read_without_it():
    class Beside(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 3, 3, padding=1)

        def forward(self, x):
            y = self.conv(x)
            return y + F.relu(y)

    made = table(trace(Beside(), (1, 3, 4, 4)))
    assert [(row.layer, row.activation) for row in made.rows[1:]] == [("Conv 3×3", "linear"), ("ReLU", ""), ("Add", "")]


@pytest.mark.parametrize("name", ["gan/progan", "gan/progan:discriminator", "gan/dcgan", "vae/vae", "vae/vae:encoder"])
def test_rows_of_the_catalogues_models_add_up(name):
    loaded = load(name)
    made = table(trace(loaded.model, *loaded.inputs))
    assert made.used + sum(made.unused.values()) == sum(p.numel() for p in loaded.model.parameters())


def test_a_gate_is_folded_into_its_convolution():
    loaded = load("gated_generator")
    rows = table(trace(loaded.model, *loaded.inputs)).rows
    assert [(r.layer, r.activation, r.shape) for r in rows[1:3]] == [
        ("Conv 5×5", "gated", (24, 256, 256)),
        ("Conv 3×3", "gated", (48, 128, 128)),
    ]


def test_a_depth_joins_the_layers_of_a_module():
    loaded = load("resnet18")
    graph = trace(loaded.model, *loaded.inputs)
    fine, coarse = table(graph), table(graph, depth=1)
    assert [row.layer for row in coarse.rows][4:8] == ["4", "5", "6", "7"]
    assert (coarse.used, coarse.macs) == (fine.used, fine.macs)
    assert merged(fine.rows, 9) != fine.rows or len(merged(fine.rows, 9)) == len(fine.rows)


@pytest.mark.parametrize("form", list(FORMATS))
def test_a_table_is_written_as_it_was_approved(form):
    """The golden files were read by a person, and checked by the other tests of this file."""
    text = FORMATS[form](odd_table(columns=None if form != "csv" else ["layer", "module", "shape", "params", "macs"]))
    assert text == (GOLDEN / f"odd.{SUFFIX[form]}").read_text(encoding="utf-8")


def test_a_csv_adds_up_and_keeps_every_digit():
    rows = list(csv.DictReader(io.StringIO(to_csv(odd_table()))))
    assert sum(int(row["params"]) for row in rows) == 224 + 584 + 16 + 516
    assert rows[1]["shape"] == "8x4x4"


def test_json_says_everything():
    said = json.loads(to_json(odd_table()))
    assert said["parameters"] == sum(p.numel() for p in Odd().parameters())
    assert said["unused"] == {"never_used.weight": 15, "never_used.bias": 5}
    assert said["rows"][3]["dilation"] == [2, 2]
    assert said["macs"] == sum(row["macs"] for row in said["rows"])


def test_receptive_fields_are_those_of_the_papers():
    loaded = load("vgg16_bn")
    rows = table(trace(loaded.model, *loaded.inputs)).rows
    pools = [row.receptive_field for row in rows if row.layer.startswith("Max pool")]
    assert pools[-1] == (212, 212)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"columns": ["layer", "parms"]}, "Did you mean 'params'"),
        ({"hide": ["Conv 4×4"]}, "There is no layer"),
        ({"hide": ["Conv 3×3"]}, "sums would not be right"),
        ({"depth": 0}, "at least 1"),
    ],
)
def test_what_cannot_be_shown_is_refused(options, said):
    with pytest.raises(UserError, match=said):
        odd_table(**options)


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, ""), (999, "999"), (1000, "1 k"), (2_359_808, "2.36 M"), (42_672_848_896, "42.7 G"), (999_960, "1000 k")],
)
def test_counts_are_said_in_three_digits(count, said):
    assert short(count) == said


def test_an_rms_norm_written_out_by_hand_is_one_row():
    class LlamaRMSNorm(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(8))

        def forward(self, x):
            wide = x.float()
            return self.weight * (wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + 1e-6)).type_as(x)

    found = table(trace(nn.Sequential(nn.Linear(8, 8), LlamaRMSNorm(), nn.Linear(8, 4)), (2, 5, 8))).rows
    assert [(row.layer, row.kind, row.parameters) for row in found[1:]] == [
        ("Fully connected", "linear", 72),
        ("RMS norm", "normalisation", 8),
        ("Fully connected", "linear", 36),
    ]


def test_what_the_macs_leave_out_is_a_footnote():
    class Codes(nn.Module):
        def __init__(self):
            super().__init__()
            self.codes = nn.Parameter(torch.ones(7, 4))

        def forward(self, x):
            return torch.cdist(x, self.codes)

    made = table(trace(Codes(), (5, 4)))
    assert (made.macs, "Not counted in the MACs: cdist (1)." in made.footnotes) == (0, True)
