"""A network's figure: nothing overlaps, nothing is lost, and the legend says what is there."""

import itertools
import re
from xml.etree import ElementTree

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from ganvas.anatomy.diagram.blocks import LAYERS, blocks
from ganvas.anatomy.diagram.diagram import diagram, layout
from ganvas.anatomy.diagram.line_style import LOOKS
from ganvas.anatomy.diagram.order import ordered
from ganvas.anatomy.diagram.parts import SIZE
from ganvas.anatomy.loading.load import load
from ganvas.anatomy.trace.graph import Graph
from ganvas.anatomy.trace.trace import trace
from ganvas.core.errors import UserError
from ganvas.report.drawing.drawing import Box, Drawing, Rect, Text, bounds, encoded

FAST = ("gan/dcgan:discriminator", "unet", "cifar_resnet20", "gated_generator", "squeezenet1_0")
SLOW = (
    *("gan/progan:generator", "gan/progan:discriminator", "gan/dcgan:generator", "vae/vae:encoder", "unet_padded"),
    *("resnet50", "densenet_bc_100_12", "sn_patchgan", "mobilenet_v2", "resnet_9blocks"),
    *("fcn8s", "vgg_d", "alexnet"),
)
NETWORKS = (
    *FAST,
    *(pytest.param(name, marks=pytest.mark.slow) for name in SLOW),
    pytest.param("mixnet_100_12_12", marks=pytest.mark.long),
)


@pytest.fixture(scope="module")
def graph_of():
    """The traced network of a name, traced once."""
    found: dict[str, Graph] = {}

    def get(name: str) -> Graph:
        if name not in found:
            loaded = load(name)
            assert loaded.inputs is not None
            found[name] = trace(loaded.model, *loaded.inputs, name=name)
        return found[name]

    return get


def overlap(a: Box, b: Box, *, by: float = 0.05) -> bool:
    return a[0] < b[2] - by and b[0] < a[2] - by and a[1] < b[3] - by and b[1] < a[3] - by


def texts(drawing: Drawing) -> list[tuple[Text, Box]]:
    """Every text with the box of its capitals and digits, which reach neither descenders nor accents."""
    found = []
    for item in drawing.items:
        if isinstance(item, Text):
            left, top, right, bottom = bounds(item)
            if item.rotation == 90:
                found.append((item, (left, top, item.x, bottom)))
            else:
                found.append((item, (left, top, right, item.y)))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_no_two_boxes_and_no_two_texts_overlap_and_all_is_on_the_page(name, graph_of):
    for width in (3.3, 6.9):
        made = layout(graph_of(name), width_inches=width)
        boxes = [(b.left, b.y - b.height / 2, b.right, b.y + b.height / 2) for b in made.boxes]
        boxes += [box for rail in made.rails for box, _ in rail.pills]
        assert not any(overlap(a, b) for a, b in itertools.combinations(boxes, 2))
        drawing = diagram(graph_of(name), width_inches=width)
        assert drawing.width == pytest.approx(72 * width)
        for item in drawing.items:
            left, top, right, bottom = bounds(item)
            assert left >= 0, item
            assert top >= 0, item
            assert right <= drawing.width, item
            assert bottom <= drawing.height, item
        for (a, first), (b, second) in itertools.combinations(texts(drawing), 2):
            assert not overlap(first, second), (a, b)


@pytest.mark.parametrize("name", NETWORKS)
def test_text_is_at_least_six_points_and_stands_on_no_line(name, graph_of):
    drawing, made = diagram(graph_of(name)), layout(graph_of(name))
    words = texts(drawing)
    assert min(text.size for text, _ in words) >= SIZE == 6.0
    stretches = [pair for rail in made.rails for pair in itertools.pairwise(rail.points)]
    pills = [box for rail in made.rails for box, _ in rail.pills]
    for (x0, y0), (x1, y1) in stretches:
        line = (min(x0, x1) - 0.2, min(y0, y1) - 0.2, max(x0, x1) + 0.2, max(y0, y1) + 0.2)
        for text, box in words:
            on_pill = any(overlap(box, pill) for pill in pills)
            assert on_pill or not overlap(line, box), (text, line)
        for placed in made.boxes:
            box = (placed.left, placed.y - placed.height / 2, placed.right, placed.y + placed.height / 2)
            assert placed.block.kind == "merge" or not overlap(line, box, by=0.3), (placed, line)


@pytest.mark.parametrize("fold", [True, False])
@pytest.mark.parametrize("name", NETWORKS)
def test_boxes_times_their_multipliers_are_the_layers_of_the_network(name, fold, graph_of):
    graph = graph_of(name)
    made = layout(graph, fold=fold)
    held = sum(node.kind in LAYERS for node in graph.nodes)
    whole = {node.module for node in graph.nodes if node.module_type == "MinibatchStdDev"}  # One box of many steps.
    assert made.layers == held + len(whole)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_edge_of_the_network_is_drawn(name, graph_of):
    found = blocks(graph_of(name))
    order = ordered(found, fold=False)
    place = {id(block): index for index, block in enumerate(order.row)}
    branch = {id(b): skip for skip in order.skips for b in skip.branch}
    assert len(place) + len(branch) == len(found)  # Every block once.
    drawn = {(i, i + 1) for i in order.joined} | {(s.source, s.target) for s in order.skips if not s.branch}
    for target in found:
        for source in (found[index] for index in target.inputs):
            if id(target) in branch or id(source) in branch:
                skip = branch.get(id(target)) or branch[id(source)]
                chain = [order.row[skip.source], *skip.branch, order.row[skip.target]]
                assert any(a is source and b is target for a, b in itertools.pairwise(chain))
            else:
                assert (place[id(source)], place[id(target)]) in drawn
    made = layout(graph_of(name), fold=False)
    assert {(r.skip.source, r.skip.target) for r in made.rails} == {(s.source, s.target) for s in order.skips}


@pytest.mark.parametrize("name", ["unet", "cifar_resnet20", "squeezenet1_0", "fcn8s"])
def test_every_sum_and_concatenation_of_the_trace_reads_in_the_figure_what_it_read_in_the_network(name, graph_of):
    graph = graph_of(name)
    found = blocks(graph)
    holder = {node: index for index, block in enumerate(found) for node in block.nodes}

    def origin(index: int) -> int:
        """Back over what has no box, to what has one."""
        while index not in holder:
            index = graph.nodes[index].inputs[0]
        return index

    merges = [node for node in graph.nodes if node.op in ("add", "cat") and len(set(map(origin, node.inputs))) > 1]
    assert merges
    for node in merges:
        block = found[holder[node.index]]
        assert block.text == node.op
        assert set(block.inputs) == {holder[origin(index)] for index in node.inputs}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_skip_begins_behind_its_source_and_ends_at_its_target(name, graph_of):
    made = layout(graph_of(name))
    boxes = {box.place: box for box in made.boxes}
    for rail in made.rails:
        source, target = boxes[rail.skip.source], boxes[rail.skip.target]
        if not rail.closes:
            x, y = rail.points[-1]
            assert (x, y) == pytest.approx((target.x, target.y - target.height / 2)) or x == pytest.approx(target.left)
        if not rail.opens:
            after = boxes.get(rail.skip.source + 1)
            x = rail.points[0][0]
            if source.y == pytest.approx(rail.points[0][1]) and source.right < x:
                assert after is None or after.left < source.left or x < after.left
            else:  # It leaves where the next row begins.
                assert after is not None
                assert x < after.left
                assert rail.points[0][1] == pytest.approx(after.y)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_legend_names_the_kinds_that_are_there_and_no_other(name, graph_of):
    graph = graph_of(name)
    drawing = diagram(graph)
    words = {text.text for text, _ in texts(drawing)}
    kinds = {block.kind for block in blocks(graph)} - {"merge", "normalisation"}
    assert {kind for kind, look in LOOKS.items() if look.name in words} == kinds
    assert ("sum" in words) == any(block.text == "add" for block in blocks(graph))
    assert ("concatenation" in words) == any(block.text == "cat" for block in blocks(graph))
    assert ("normalisation" in words) == any(block.normed or block.kind == "normalisation" for block in blocks(graph))


def test_boxes_are_to_scale():
    # From 64 to 8 is three halvings, from 3 to 48 channels four doublings: equal steps.
    sizes = [
        nn.Conv2d(3, 6, 3, 2, 1),
        nn.Conv2d(6, 12, 3, 2, 1),
        nn.Conv2d(12, 24, 3, 2, 1),
        nn.Conv2d(24, 48, 3, 1, 1),
    ]
    boxes = layout(trace(nn.Sequential(*sizes), (1, 3, 64, 64))).boxes
    heights = [a.height - b.height for a, b in itertools.pairwise(boxes)]
    widths = [b.width - a.width for a, b in itertools.pairwise(boxes)]
    assert heights == pytest.approx([heights[0]] * 3 + [0.0])
    assert widths == pytest.approx([widths[0]] * 4)
    assert heights[0] > 0 < widths[0]


@pytest.mark.slow
def test_a_resnet_is_folded_to_its_stages():
    order = ordered(blocks(trace(load("resnet50").model, (1, 3, 224, 224))))
    assert [(group.length, group.times) for group in order.groups] == [(4, 2), (4, 3), (4, 5), (4, 2)]
    assert [[b.text for b in s.branch] for s in order.skips if s.branch] == [["1×1"]] + [["1×1 s2"]] * 3
    assert order.layers() == 53 + 1 + 2  # Convolutions, the linear layer, two pools.


@pytest.mark.slow
def test_a_dense_net_is_folded_to_its_blocks():
    order = ordered(blocks(trace(load("densenet121").model, (1, 3, 224, 224))))
    assert [(group.length, group.times) for group in order.groups] == [(3, 6), (3, 12), (3, 24), (3, 16)]
    assert order.layers() == 120 + 1 + 5


class ConcatenatesAll(nn.Module):
    """A dense block that gathers a list, as torchvision's does."""

    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList(nn.Conv2d(8 + 4 * i, 4, 3, padding=1) for i in range(6))

    def forward(self, x):
        found = [x]
        for layer in self.layers:
            found.append(layer(torch.cat(found, 1)))
        return torch.cat(found, 1)


def test_a_growing_list_of_features_is_drawn_as_a_chain_and_folds():
    order = ordered(blocks(trace(ConcatenatesAll(), (1, 8, 16, 16))))
    assert [(group.length, group.times) for group in order.groups] == [(2, 6)]
    assert [(skip.target - skip.source) for skip in order.skips] == [2]
    assert order.row[-1].shape == (1, 8 + 6 * 4, 16, 16)


def test_a_u_net_stands_in_a_u_with_its_skips_inside_one_another(graph_of):
    made = layout(graph_of("unet"))
    lowest = max(made.boxes, key=lambda box: box.y)
    assert lowest.block.size == (28, 28) or lowest.block.size == (32, 32)
    spans = sorted((rail.skip.source, rail.skip.target) for rail in made.rails)
    assert len(spans) == 4
    assert all(a < c < d < b for (a, b), (c, d) in itertools.pairwise(spans))
    tops = [min(y for _, y in rail.points) for rail in sorted(made.rails, key=lambda rail: rail.skip.source)]
    assert tops == sorted(tops)  # Long skips above short ones: no two cross.
    rows = layout(graph_of("unet"), shape="rows")
    assert len({round(box.y, 3) for box in rows.boxes}) < len({round(box.y, 3) for box in made.boxes}) + 1


class Delayed(nn.Module):
    """Every sum reads the layer of the step before: the steps look alike and cannot be drawn as one."""

    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList(nn.Conv2d(4, 4, 3, padding=1) for _ in range(6))

    def forward(self, x):
        before = h = self.layers[0](x)
        for layer in self.layers[1:]:
            now = layer(h)
            before, h = now, now + before
        return h


def test_what_a_skip_enters_in_its_middle_is_not_folded():
    order = ordered(blocks(trace(Delayed(), (1, 4, 8, 8))))
    assert order.groups == ()
    assert [(skip.source, skip.target) for skip in order.skips] == [(1, 3), (2, 5), (4, 7), (6, 9), (8, 11)]


class TwoHeads(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.a, self.b = nn.Conv2d(3, 8, 3), nn.Conv2d(8, 1, 1), nn.Conv2d(8, 5, 1)

    def forward(self, x):
        h = F.relu(self.body(x))
        return self.a(h), self.b(h)


class TwoGates(nn.Module):
    def __init__(self):
        super().__init__()
        self.feature, self.gate = nn.Conv2d(3, 8, 3), nn.Conv2d(3, 8, 3)

    def forward(self, x):
        return torch.tanh(self.feature(x)) * torch.sigmoid(self.gate(x))


class SelfAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.query, self.key, self.value = nn.Conv2d(8, 2, 1), nn.Conv2d(8, 2, 1), nn.Conv2d(8, 8, 1)
        self.gamma = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        q, k, v = (layer(x).flatten(2) for layer in (self.query, self.key, self.value))
        weights = (q.transpose(1, 2) @ k).softmax(-1)
        return x + self.gamma * (v @ weights.transpose(1, 2)).view_as(x)


class TwoInputs(nn.Module):
    def __init__(self):
        super().__init__()
        self.picture, self.vector = nn.Conv2d(3, 8, 3, padding=1), nn.Linear(5, 8)

    def forward(self, x, z):
        return self.picture(x) * self.vector(z)[:, :, None, None]


def test_an_input_stands_just_before_what_reads_it():
    order = ordered(blocks(trace(TwoInputs(), (1, 3, 32, 32), (1, 5))))
    assert [block.kind for block in order.row] == ["input", "plain", "input", "linear", "merge"]
    assert order.joined == {0, 2, 3}  # Picture to convolution; vector to linear layer to product.
    assert [(skip.source, skip.target) for skip in order.skips] == [(1, 4)]


def test_two_heads_are_two_ends_of_one_body():
    order = ordered(blocks(trace(TwoHeads(), (1, 3, 16, 16))))
    assert [block.channels for block in order.row] == [3, 8, 1, 5]
    assert order.joined == {0, 1}
    assert [(skip.source, skip.target) for skip in order.skips] == [(1, 3)]


def test_two_convolutions_that_meet_in_a_gate_are_one_gated_box():
    input_, gated = blocks(trace(TwoGates(), (1, 3, 16, 16)))
    assert (gated.kind, len(gated.nodes), gated.inputs) == ("gated", 2, (0,))
    assert input_.kind == "input"


def test_attention_is_one_box():
    model = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), SelfAttention(), nn.Conv2d(8, 3, 1))
    assert [block.kind for block in blocks(trace(model, (1, 3, 8, 8)))] == ["input", "plain", "attention", "plain"]


@pytest.mark.parametrize("shape", [(1, 4, 100), (1, 4, 8, 8, 8)])
def test_one_and_three_dimensions_are_drawn_as_well(shape):
    conv = {3: nn.Conv1d, 5: nn.Conv3d}[len(shape)]
    model = nn.Sequential(conv(4, 8, 3, padding=1), nn.ReLU(), conv(8, 8, 3, stride=2, padding=1))
    words = [text.text for text, _ in texts(diagram(trace(model, shape)))]
    assert {"100", "50"} <= set(words) if len(shape) == 3 else {"8³", "4³"} <= set(words)


def test_the_three_formats_show_the_same_network(graph_of):
    drawing = diagram(graph_of("cifar_resnet20"))
    tree = ElementTree.fromstring(encoded(drawing, ".svg"))
    named = [title.text for title in tree.iter("{http://www.w3.org/2000/svg}title")]
    assert sum(bool(re.search(r" convolution .*\(1, ", name or "")) for name in named) == 1 + 5 * 2
    rects = [item for item in drawing.items if isinstance(item, Rect)]
    assert len(list(tree.iter("{http://www.w3.org/2000/svg}rect"))) == len(rects) + 1
    assert encoded(drawing, ".pdf").startswith(b"%PDF")


def test_a_wider_page_takes_fewer_rows(graph_of):
    heights = [diagram(graph_of("cifar_resnet20"), width_inches=width).height for width in (3.3, 6.9)]
    assert heights[1] < heights[0] * 0.8


class Fails(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 8, 3), nn.Linear(7, 2)

    def forward(self, x):
        return self.second(self.first(x))


def test_a_network_that_fails_is_refused_with_the_layer_named():
    with pytest.raises(UserError, match=r"cannot be drawn: .*second.*--input"):
        diagram(trace(Fails(), (1, 3, 16, 16)))


def test_a_network_without_layers_is_refused():
    with pytest.raises(UserError, match="no layer to draw"):
        diagram(trace(nn.ReLU(), (1, 3, 16, 16)))


@pytest.mark.parametrize("width", [0.5, 1e6])
def test_a_width_that_no_page_has_is_refused(width, graph_of):
    with pytest.raises(UserError, match="inches"):
        diagram(graph_of("gated_generator"), width_inches=width)


def test_a_u_that_does_not_fit_is_refused_only_when_it_was_asked_for(graph_of):
    with pytest.raises(UserError, match="does not fit"):
        diagram(graph_of("unet"), width_inches=2.0, shape="u")
    assert diagram(graph_of("unet"), width_inches=2.0).width == 144


class Mixed(nn.Module):
    """Levels of words whose blocks repeat, and all of them at one head: a U with grounds."""

    def __init__(self):
        super().__init__()
        sizes = (16, 32, 64)
        self.down = nn.ModuleList([nn.Conv2d(a, b, 3, 2, 1) for a, b in itertools.pairwise((3, *sizes))])
        self.blocks = nn.ModuleList([nn.ModuleList([nn.Linear(c, c) for _ in range(4)]) for c in sizes])
        self.heads = nn.ModuleList([nn.Linear(c, 32) for c in sizes])
        self.out = nn.Conv2d(96, 5, 1)

    def forward(self, x):
        found = []
        for down, blocks_, head in zip(self.down, self.blocks, self.heads, strict=True):
            x = down(x)
            b, c, h, w = x.shape
            t = x.flatten(2).transpose(1, 2)
            for one, two in (blocks_[:2], blocks_[2:]):
                picture = two(F.gelu(one(t))).transpose(1, 2).reshape(b, c, h, w)
                t = t + F.max_pool2d(picture, 3, 1, 1).flatten(2).transpose(1, 2)
            x = t.transpose(1, 2).reshape(b, c, h, w)
            found.append(head(t).transpose(1, 2).reshape(b, -1, h, w))
        return self.out(torch.cat([F.interpolate(one, size=found[0].shape[2:]) for one in found], 1))


@pytest.mark.parametrize("shape", ["rows", "u"])
def test_how_often_a_ground_runs_stands_on_no_resolution(shape):
    drawn = diagram(trace(Mixed(), (1, 3, 64, 64)), width_inches=10.0, shape=shape)
    written = texts(drawn)
    assert any(text.text.startswith("×") for text, _ in written)
    for (a, here), (b, there) in itertools.combinations(written, 2):
        assert not overlap(here, there), (a.text, b.text)


def test_a_layer_whose_output_is_cut_to_patches_keeps_its_channels():
    class Patches(nn.Module):
        def __init__(self):
            super().__init__()
            self.p, self.o = nn.Conv2d(4, 64, 2, 2), nn.Linear(64, 32)

        def forward(self, x):
            t = self.o(self.p(x).flatten(2).transpose(1, 2))
            return t.reshape(1, 8, 8, 2, 2, 8).permute(0, 5, 1, 3, 2, 4).reshape(1, 8, 16, 16)

    last = blocks(trace(Patches(), (1, 4, 16, 16)))[-1]
    assert (last.channels, last.size) == (32, (64,))


def test_words_laid_out_as_a_picture_and_a_vector_as_a_map_show_it():
    words = nn.Sequential(
        nn.Linear(4, 6), nn.Unflatten(1, (8, 8))
    )  # 64 words of 6 become 8 x 8 of 6: no channels first.
    assert blocks(trace(words, (1, 64, 4)))[-1].channels == 6
    vector = nn.Sequential(nn.Linear(4, 6 * 16), nn.Unflatten(1, (6, 4, 4)))
    last = blocks(trace(vector, (1, 4)))[-1]
    assert (last.channels, last.size) == (6, (4, 4))
