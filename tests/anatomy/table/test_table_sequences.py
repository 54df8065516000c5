"""Tables of sequence networks against formulas by hand, and what the notes say of axes and fields."""

import csv
import io
import json

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from ganvas.anatomy.table.formats import FORMATS, to_csv, to_json
from ganvas.anatomy.table.table import table
from ganvas.anatomy.trace.trace import trace

MIDDLE = "middle unit"


class VisionTransformer(nn.Module):
    """Dosovitskiy et al. 2021, equations 1 to 4, small: patches, a class word, positions, pre-norm blocks, a head."""

    def __init__(self, side: int, patch: int, d: int, depth: int, classes: int):
        super().__init__()
        words = (side // patch) ** 2 + 1
        self.patch = nn.Conv2d(3, d, patch, patch)
        self.word, self.positions = nn.Parameter(torch.zeros(1, 1, d)), nn.Parameter(torch.zeros(1, words, d))
        layer = nn.TransformerEncoderLayer(d, 4, 4 * d, activation=F.gelu, batch_first=True, norm_first=True)
        self.blocks = nn.TransformerEncoder(layer, depth, norm=nn.LayerNorm(d), enable_nested_tensor=False)
        self.head = nn.Linear(d, classes)

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.word.expand(len(x), -1, -1), x], 1) + self.positions
        return self.head(self.blocks(x)[:, 0])


def of_layer(made, name: str) -> list:
    return [row for row in made.rows if row.layer == name]


@pytest.mark.parametrize("norm_first", [True, False])
@pytest.mark.parametrize("batch_first", [True, False])
def test_a_transformer_layer_is_as_its_formulas_say_in_either_order_of_the_axes(batch_first, norm_first):
    length, d, wide = 50, 32, 96
    layer = nn.TransformerEncoderLayer(d, 4, wide, batch_first=batch_first, norm_first=norm_first)
    made = table(trace(layer, (1, length, d) if batch_first else (length, 1, d)))
    # Four projections of d x d with biases, scores and weighted sum of length x length x d each.
    (attention,) = of_layer(made, "Multi-head attention")
    assert attention.macs == 4 * length * d**2 + 2 * length**2 * d
    assert attention.parameters == 4 * (d**2 + d)
    assert made.macs == attention.macs + 2 * length * d * wide
    assert made.used == attention.parameters + (d * wide + wide) + (wide * d + d) + 2 * 2 * d
    shapes = {row.shape for row in made.rows}
    assert shapes == {(length, d), (length, wide)}  # Steps and features, never the batch.
    before = {row.receptive_field for row in made.rows[: made.rows.index(attention)]}
    after = {row.receptive_field for row in made.rows[made.rows.index(attention) :]}
    assert before == {(1,)}
    assert after == {(length,)}


def test_a_vision_transformer_is_as_its_formulas_say():
    side, patch, d, depth, classes = 32, 8, 16, 3, 10
    made = table(trace(VisionTransformer(side, patch, d, depth, classes), (1, 3, side, side)))
    cut, n = (side // patch) ** 2, (side // patch) ** 2 + 1
    embedding = 3 * patch**2 * d
    block = 4 * n * d**2 + 2 * n**2 * d + 8 * n * d**2  # Attention, and two linear maps of d x 4 d.
    assert made.macs == embedding * cut + depth * block + d * classes
    of_block = 12 * d**2 + 13 * d  # 4 (d^2 + d) + 4 d^2 + 4 d + 4 d^2 + d + two norms of 2 d.
    assert made.parameters == embedding + d + d + n * d + depth * of_block + 2 * d + d * classes + classes
    by_name = {row.layer: row for row in made.rows}
    assert by_name["Conv 8×8"].shape == (d, 4, 4)
    assert {row.shape for row in of_layer(made, "Layer norm")} == {(n, d)}
    assert of_layer(made, "Layer norm")[0].receptive_field == (patch, patch)  # A word sees its patch, ...
    assert of_layer(made, "Multi-head attention")[0].receptive_field == (side, side)  # ... attention everything.


def test_recurrent_and_embedded_words_have_steps_and_features():
    class Reader(nn.Module):
        def __init__(self):
            super().__init__()
            self.look, self.read, self.say = nn.Embedding(100, 8), nn.LSTM(8, 16, batch_first=True), nn.Linear(16, 5)

        def forward(self, words):
            return self.say(self.read(self.look(words))[0])

    made = table(trace(Reader(), torch.zeros(1, 30, dtype=torch.long)))
    assert [(row.layer, row.shape, row.receptive_field) for row in made.rows] == [
        ("Input sequence", (30,), (1,)),
        ("Embedding", (30, 8), (1,)),
        ("LSTM", (30, 16), (15,)),  # Its middle unit is the 15th step, and reads that and those before it.
        ("Fully connected", (30, 5), (15,)),
    ]
    assert made.macs == 30 * 4 * 16 * (8 + 16) + 30 * 16 * 5  # Four gates.


def test_a_sound_keeps_its_channels_first_and_says_nothing_of_axes():
    made = table(trace(nn.Sequential(nn.Conv1d(4, 8, 5, 2), nn.ReLU(), nn.Conv1d(8, 8, 3)), (1, 4, 100)))
    assert [row.receptive_field for row in made.rows] == [(1,), (5,), (9,)]
    assert not any("features" in note or "channels" in note for note in made.footnotes)


def test_the_notes_say_where_the_features_are_and_what_was_assumed():
    def said(model: nn.Module, *inputs) -> str:
        return " ".join(table(trace(model, *inputs)).footnotes)

    assert "without the batch, features last." in said(nn.Linear(32, 8), (1, 50, 32))
    assert "features last in linear layers" in said(VisionTransformer(32, 8, 16, 1, 10), (1, 3, 32, 32))
    assert "Taken as channels, then places, since no layer tells: 50 × 32." in said(nn.ReLU(), (1, 50, 32))


def convolutions():
    return table(trace(nn.Sequential(nn.Conv2d(3, 8, 3, 2), nn.Conv2d(8, 8, 3)), (1, 3, 32, 32)))


@pytest.mark.parametrize("form", ["text", "markdown", "latex", "json"])
def test_every_format_says_that_the_field_is_the_middle_units(form):
    assert MIDDLE in FORMATS[form](convolutions())
    vector = table(trace(nn.Linear(8, 4), (1, 8)))
    assert MIDDLE not in FORMATS[form](vector)  # It has no field.


def test_a_csv_says_it_in_the_name_of_the_column():
    header, first, *_ = csv.reader(io.StringIO(to_csv(convolutions())))
    assert dict(zip(header, first, strict=True))["field_of_middle_unit"] == "1x1"


def test_notes_follow_the_columns_that_are_shown_and_json_has_all():
    model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ConvTranspose2d(8, 8, 4, 2, 1))
    narrow = table(trace(model, (1, 3, 32, 32)), columns=("layer", "params"))
    assert not any("Field" in note for note in narrow.footnotes)
    assert any("up-sampling" in note for note in json.loads(to_json(narrow))["notes"])
