"""Traces: what is a node, who reads whom, whose parameters, and that nothing of the network is moved."""

import copy
import tracemalloc

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import prune

from ganvas.anatomy.trace.trace import trace
from ganvas.core.errors import UserError
from ganvas.models.gan import dcgan, progan
from ganvas.nn.layers.initialise import initialise


class Net(nn.Module):
    """A network of one function of itself and the inputs, with parts."""

    def __init__(self, function, **parts):
        super().__init__()
        self.function = function
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, *inputs):
        return self.function(self, *inputs)


def conv(before, after, **options):
    return nn.Conv2d(before, after, 3, padding=1, **options)


def ops(graph):
    return [node.op for node in graph.nodes]


def on_meta(kind, config):
    with torch.device("meta"):
        return kind(config)


# Figures printed in reports of the networks' authors, or sums of their tables.
@pytest.mark.parametrize(
    ("resolution", "generator", "discriminator"),
    [
        (32, 20_719_628, 20_726_785),
        (64, 22_490_383, 22_498_049),
        (128, 22_933_394, 22_941_313),
        (256, 23_044_309, 23_052_353),
        (1024, 23_079_115, 23_087_249),
    ],
)
def test_progan_has_its_published_parameters(resolution, generator, discriminator):
    model = on_meta(progan.Model, progan.Config(resolution=resolution))
    assert trace(model.generator, (1, 512)).parameters == generator
    assert trace(model.discriminator, (1, 3, resolution, resolution)).parameters == discriminator


@pytest.mark.slow
def test_progan_1024_uses_what_its_paper_counts_and_costs_what_torch_counts():
    model = on_meta(progan.Model, progan.Config(resolution=1024))
    for module in model.modules():
        if hasattr(module, "fused"):
            module.fused = False
    generator = trace(model.generator, (1, 512))
    assert generator.parameters - sum(generator.unused.values()) == 23_071_507
    discriminator = trace(model.discriminator, (1, 3, 1024, 1024))
    assert discriminator.parameters - sum(discriminator.unused.values()) == 23_077_137
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter, torch.device("meta"):
        model.generator(torch.empty(1, 512))
    assert generator.macs == counter.get_total_flops() // 2
    assert round(generator.macs / 1e9, 2) == 42.67


def test_dcgan_has_its_published_parameters():
    config = dcgan.Config(resolution=64, features=64, features_max=512)
    model = on_meta(dcgan.Model, config)
    assert trace(model.generator, (1, config.latent_size)).parameters == 3_576_704
    assert trace(model.discriminator, (1, 3, 64, 64)).parameters == 2_765_568


@pytest.mark.parametrize("net", ["generator", "discriminator"])
def test_shapes_alone_say_the_same_as_real_values(net):
    model = progan.Model(progan.TINY)
    initialise(model, torch.Generator().manual_seed(0))
    shape = (4, 8) if net == "generator" else (4, 3, 16, 16)
    bare, real = (trace(getattr(model, net), shape, real=real) for real in (False, True))
    assert bare == real
    assert len(bare.nodes) > 20


def test_a_trace_leaves_the_network_and_its_inputs_as_they_are():
    net = nn.Sequential(
        conv(3, 4), nn.BatchNorm2d(4), nn.Dropout(), nn.utils.parametrizations.spectral_norm(conv(4, 4))
    )
    net.train()
    before, marked = copy.deepcopy(net.state_dict()), torch.ones(2, 3, 8, 8)
    for real in (False, True):
        trace(net, marked, real=real, training=True)
    assert all(torch.equal(a, b) for a, b in zip(before.values(), net.state_dict().values(), strict=True))
    assert all(module.training for module in net.modules())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in net.modules())
    assert not vars(marked)


def test_a_trace_touches_nobodys_random_numbers():
    net, state = nn.Sequential(conv(3, 3), nn.Dropout()), torch.random.get_rng_state()
    for real in (False, True):
        trace(net, (1, 3, 4, 4), real=real, training=True)
    assert torch.equal(state, torch.random.get_rng_state())


@pytest.mark.slow
def test_a_network_of_a_hundred_billion_parameters_takes_no_memory():
    with torch.device("meta"):
        net = nn.Linear(316_228, 316_228)
    trace(nn.Linear(1, 1), (1, 1))  # The first trace of a process imports torch's compiler: 60 MB of Python's own.
    tracemalloc.start()
    graph = trace(net, (1, 316_228))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert graph.parameters == 316_228**2 + 316_228
    assert peak < 50e6  # Python's own.


@pytest.mark.slow
def test_functions_are_nodes_under_the_module_that_called_them():
    graph = trace(Net(lambda s, x: F.relu(s.c(F.interpolate(x, scale_factor=2.0))), c=conv(3, 4)), (1, 3, 4, 4))
    assert [(node.op, node.module) for node in graph.nodes] == [
        ("input", ""),
        ("interpolate", ""),
        ("conv2d", "c"),
        ("relu", ""),
    ]
    assert graph.output == (3,)
    assert graph.nodes[1].attributes["output_size"] == (8, 8)


def test_a_skip_connection_reads_both_its_ends():
    graph = trace(Net(lambda s, x: torch.cat([s.a(x), s.b(s.a(x))], dim=-3), a=conv(3, 3), b=conv(3, 3)), (1, 3, 4, 4))
    cat = graph.nodes[-1]
    assert (cat.op, cat.inputs, cat.attributes["dim"], cat.kind) == ("cat", (1, 3), 1, "merge")


def test_shared_weights_count_once_and_are_marked():
    graph = trace(Net(lambda s, x: s.c(s.c(x)), c=conv(3, 3)), (1, 3, 4, 4))
    first, second = graph.nodes[1:]
    assert first.parameters == {"c.weight": 81, "c.bias": 3}
    assert (second.parameters, second.shared) == ({}, ("c.weight", "c.bias"))
    tied = Net(lambda s, x: s.b(s.a(x)), a=nn.Linear(4, 4, bias=False), b=nn.Linear(4, 4, bias=False))
    tied.b.weight = tied.a.weight
    graph = trace(tied, (1, 4))
    assert graph.parameters == 16
    assert graph.nodes[2].note == "weights shared with a"


def test_parameters_that_nothing_used_are_listed():
    graph = trace(Net(lambda s, x: s.a(x), a=conv(3, 3, bias=False), b=nn.Linear(2, 2)), (1, 3, 4, 4))
    assert graph.unused == {"b.weight": 4, "b.bias": 2}
    assert graph.parameters == 81 + 6


@pytest.mark.parametrize(
    "wrap",
    [
        nn.utils.parametrizations.spectral_norm,
        nn.utils.spectral_norm,
        nn.utils.parametrizations.weight_norm,
        nn.utils.parametrizations.orthogonal,
    ],
)
def test_what_is_computed_from_weights_alone_is_no_layer(wrap):
    layer = wrap(nn.Conv2d(3, 4, 3))
    graph = trace(layer, (1, 3, 8, 8), training=True)
    assert ops(graph) == ["input", "conv2d"]
    assert sum(graph.nodes[1].parameters.values()) == sum(p.numel() for p in layer.parameters())


def test_equalised_layers_are_one_node_each_with_all_their_parameters():
    from ganvas.nn.layers.equalized import EqualizedConv2d
    from ganvas.nn.layers.fused_scale import EqualizedUpConv2d

    assert ops(trace(EqualizedConv2d(3, 4, 3), (1, 3, 8, 8))) == ["input", "conv2d"]
    fused = trace(EqualizedUpConv2d(3, 4), (1, 3, 8, 8))
    assert ops(fused) == ["input", "conv_transpose2d"]
    assert fused.nodes[1].parameters == {"weight": 108, "bias": 4}
    assert fused.nodes[1].attributes["kernel_size"] == (4, 4)


def test_a_learnt_constant_that_layers_read_is_a_node():
    class Constant(nn.Module):
        def __init__(self):
            super().__init__()
            self.const, self.c, self.style = nn.Parameter(torch.ones(1, 3, 4, 4)), conv(3, 3), nn.Linear(5, 3)

        def forward(self, z):
            return self.c(self.const.expand(len(z), -1, -1, -1)) * self.style(z)[:, :, None, None]

    graph = trace(Constant(), (2, 5))
    assert ops(graph) == ["input", "parameter", "conv2d", "linear", "getitem", "mul"]
    assert graph.nodes[1].parameters == {"const": 48}
    assert graph.nodes[5].inputs == (2, 4)
    assert not graph.unused


def test_writing_in_place_is_read_by_whom_it_reaches_and_by_no_other():
    def forward(net, x):
        y = net.c(x)  # 1
        first, second = y.chunk(2, dim=1)  # 2, 3
        second.mul_(2)  # 4
        out = torch.zeros(1, 8, 4, 4)
        out[:, :4] = first  # 5 reads 2
        out[:, 4:] = second  # 6 reads 5, 4
        F.relu(out, inplace=True)  # 7
        out += y  # 9 reads 7 and y, of which a part was doubled: 8 joins 1 and 4
        return {"out": out, "also": [first]}

    graph = trace(Net(forward, c=conv(3, 8)), (1, 3, 4, 4))
    assert ops(graph)[1:] == ["conv2d", "split", "split", "mul", "setitem", "setitem", "relu", "setitem", "add"]
    assert [node.inputs for node in graph.nodes[4:]] == [(3,), (2,), (5, 4), (6,), (1, 4), (7, 8)]
    assert graph.output == (9, 2)


def test_pieces_of_a_split_know_where_they_are_from():
    def forward(net, x):
        a, b = x.split([1, 2], dim=1)
        return torch.cat([b, a], 1)[:, 1:, ::2, None], x.unbind(0)[1], x[..., -1]

    graph = trace(Net(forward), (2, 3, 4, 5))
    index = {node.index: node.attributes.get("index") for node in graph.nodes}
    assert index[1] == ((0, 2, 1), (0, 1, 1), (0, 4, 1), (0, 5, 1))
    assert index[2] == ((0, 2, 1), (1, 3, 1), (0, 4, 1), (0, 5, 1))
    assert index[4] == ((0, 2, 1), (1, 3, 1), (0, 4, 2), None, (0, 5, 1))
    assert index[6] == (1, (0, 3, 1), (0, 4, 1), (0, 5, 1))
    assert graph.nodes[-1].attributes["index"] == ((0, 2, 1), (0, 3, 1), (0, 4, 1), 4)


@pytest.mark.parametrize(
    ("change", "dims"),
    [
        (lambda x: x.permute(0, 2, 3, 1), (0, 2, 3, 1)),
        (lambda x: torch.permute(x, (3, 2, 1, 0)), (3, 2, 1, 0)),
        (lambda x: x.transpose(-1, 1), (0, 3, 2, 1)),
        (lambda x: x.mT, (0, 1, 3, 2)),
        (lambda x: x.movedim(1, -1), (0, 2, 3, 1)),
        (lambda x: torch.movedim(x, (0, 1), (3, 2)), (2, 3, 1, 0)),
    ],
)
def test_every_way_to_permute_says_the_same_order_of_axes(change, dims):
    node = trace(Net(lambda s, x: change(x)), (2, 3, 4, 5)).nodes[-1]
    assert (node.op, node.attributes["dims"]) == ("permute", dims)
    assert node.shape == tuple((2, 3, 4, 5)[d] for d in dims)


def test_padding_is_said_in_numbers():
    def attributes(layer, size=8):
        return trace(layer, (1, 2, size, size)).nodes[1].attributes

    assert attributes(nn.Conv2d(2, 2, 3, padding="same", dilation=2))["padding"] == (2, 2)
    assert attributes(nn.Conv2d(2, 2, 4, padding="same"))["padding"] == ((1, 2), (1, 2))
    assert attributes(nn.Conv2d(2, 2, 3, padding="valid"))["padding"] == (0, 0)
    assert attributes(nn.MaxPool2d(2))["stride"] == (2, 2)
    up = attributes(nn.ConvTranspose2d(2, 2, (3, 4), (2, 3), (1, 0), (1, 2), dilation=2))
    assert (up["kernel_size"], up["stride"], up["padding"]) == ((3, 4), (2, 3), (1, 0))
    assert (up["output_padding"], up["dilation"]) == ((1, 2), (2, 2))


@pytest.mark.parametrize(
    ("layer", "kind"),
    [
        (conv(4, 4), "plain"),
        (conv(4, 4, groups=4), "depthwise"),
        (conv(4, 4, groups=2), "plain"),
        (nn.Conv2d(4, 4, 3, dilation=2), "dilated"),
        (nn.ConvTranspose2d(4, 4, 3), "transposed"),
        (nn.utils.parametrizations.spectral_norm(conv(4, 4)), "spectral-normed"),
        (nn.utils.spectral_norm(nn.ConvTranspose2d(4, 4, 3)), "spectral-normed"),
        (nn.GroupNorm(2, 4), "normalisation"),
        (nn.GELU(), "activation"),
        (nn.Upsample(scale_factor=2.0), "resize"),
        (nn.AvgPool2d(2), "pool"),
        (nn.Flatten(), "reshape"),
    ],
)
def test_a_layer_has_its_kind(layer, kind):
    assert trace(layer, (1, 4, 8, 8)).nodes[-1].kind == kind


def test_ganvas_spectral_norm_is_seen_too():
    from ganvas.nn.layers.plain_layers import Conv2d
    from ganvas.nn.norms.spectral_norm import SpectralNorm

    graph = trace(SpectralNorm(Conv2d(3, 4, 3)), (1, 3, 8, 8))
    assert [(n.op, n.kind) for n in graph.nodes[1:]] == [("conv2d", "spectral-normed")]
    assert sum(graph.nodes[1].parameters.values()) == 3 * 4 * 9 + 4


def test_gates_are_seen_by_how_they_meet():
    two = Net(lambda s, x: F.elu(s.a(x)) * torch.sigmoid(s.b(x)), a=conv(3, 4), b=conv(3, 4))
    assert [n.kind for n in trace(two, (1, 3, 4, 4)).nodes if n.op == "conv2d"] == ["gated", "gated"]

    def split(net, x):
        features, gates = net.a(x).chunk(2, dim=1)
        return features * gates.sigmoid()

    assert trace(Net(split, a=conv(3, 8)), (1, 3, 4, 4)).nodes[1].kind == "gated"
    # A squeeze-and-excitation's gate has another input: no gated convolution.
    se = Net(lambda s, x: s.a(x) * torch.sigmoid(s.b(s.a(x).mean((2, 3), keepdim=True))), a=conv(3, 4), b=conv(4, 4))
    assert all(n.kind == "plain" for n in trace(se, (1, 3, 4, 4)).nodes if n.op == "conv2d")


def test_attention_written_out_is_seen_by_its_softmax():
    graph = trace(Net(lambda s, q, k: torch.softmax(q @ k.mT / 2, -1) @ k), (1, 3, 4), (1, 5, 4))
    assert [n.kind for n in graph.nodes if n.op in ("matmul", "softmax")] == ["attention"] * 3


def test_inputs_may_be_nested_whole_numbers_and_outputs_dataclasses():
    graph = trace(
        Net(lambda s, i, more: {"a": s.e(i) + more["x"]}, e=nn.Embedding(10, 4)),
        torch.zeros(2, dtype=torch.long),
        {"x": torch.zeros(2, 4)},
    )
    assert ops(graph) == ["input", "input", "embedding", "add"]
    assert graph.nodes[3].inputs == (2, 1)
    assert graph.output == (3,)


def test_a_failing_layer_is_named_and_what_ran_before_is_kept():
    graph = trace(Net(lambda s, x: s.b(s.a(x)), a=conv(3, 4), b=nn.Sequential(conv(5, 4))), (1, 3, 8, 8))
    assert ops(graph) == ["input", "conv2d"]
    assert graph.failed.startswith("b.0 (Conv2d): it takes 5 channels and was given 4 [")
    assert "1x4x8x8" in graph.failed
    assert sum(graph.unused.values()) == 5 * 4 * 9 + 4


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        (nn.Linear(5, 4), "it takes 5 features and was given 8"),
        (nn.LayerNorm(5), "it takes 5 features and was given 8"),
        (nn.ConvTranspose2d(5, 4, 2), "it takes 5 channels and was given 3"),
        (nn.Conv2d(3, 4, 9), "RuntimeError"),  # Of other reasons torch's own words are kept.
    ],
)
@pytest.mark.parametrize("real", [False, True])
def test_a_layer_that_takes_another_width_says_both_in_words(layer, said, real):
    assert said in (trace(Net(lambda s, x: s.layer(x), layer=layer), (1, 3, 8, 8), real=real).failed or "")


def test_an_input_looked_up_by_a_name_is_said_to_be_a_dict():
    net = Net(lambda s, batch: s.a(batch["x"]), a=nn.Linear(5, 4))
    assert "as in a dict" in trace(net, (1, 5)).failed
    assert trace(net, {"x": (1, 5)}).failed is None


def test_an_input_of_the_wrong_shape_fails_in_the_first_layer():
    assert "c (Conv2d)" in trace(Net(lambda s, x: s.c(x), c=conv(3, 4)), (1, 2, 8, 8)).failed
    assert "missing 1 required positional argument" in trace(nn.Bilinear(2, 2, 2), (1, 2)).failed


def test_a_path_that_depends_on_values_needs_values():
    def forward(net, x):
        y = net.c(x)
        return y if (y * 0).sum() == 0 else net.unused(y)

    net = Net(forward, c=conv(3, 3))
    with pytest.raises(UserError, match=r"its own forward \(Net\).*--real"):
        trace(net, (1, 3, 4, 4))
    graph = trace(net, (1, 3, 4, 4), real=True)
    assert graph.output == (1,)
    with pytest.raises(UserError, match="--real"):
        trace(Net(lambda s, x: torch.nonzero(x)), (1, 3))
    with torch.device("meta"), pytest.raises(UserError, match="without memory"):
        trace(conv(3, 3), (1, 3, 4, 4), real=True)


def test_a_lazy_layer_is_refused_with_what_to_do():
    net = nn.Sequential(nn.LazyLinear(3))
    with pytest.raises(UserError, match=r"0\.weight.*Run the network once"):
        trace(net, (1, 3))


def test_a_negative_size_is_no_shape():
    with pytest.raises(UserError, match="negative size"):
        trace(conv(3, 3), (1, -3, 4, 4))


def test_whole_numbers_with_a_precision_run_on_values():
    class Words(nn.Module):
        def __init__(self):
            super().__init__()
            self.e, self.l = nn.Embedding(100, 8), nn.Linear(8, 3)

        def forward(self, words):
            y = self.l(self.e(words))
            return y * 2 if y.mean() > 0 else y

    words = torch.zeros(2, 4, dtype=torch.int64, device="meta")  # What --input 2,4:int64 stands for.
    graph = trace(Words(), words, real=True)
    assert (graph.failed, graph.macs) == (None, 2 * 4 * 8 * 3)
    half = torch.zeros(1, 3, 8, 8, dtype=torch.float16, device="meta")
    assert trace(nn.Sequential(nn.Conv2d(3, 4, 3)).half(), half, real=True).macs == 6 * 6 * 3 * 9 * 4


def test_padding_by_a_size_that_is_computed_is_its_number():
    class Padded(nn.Module):
        def __init__(self):
            super().__init__()
            self.c = nn.Conv1d(1, 4, 7, stride=2)
            self.register_buffer("stride", torch.tensor(2))

        def forward(self, x):
            steps = torch.ceil((torch.tensor(x.shape[-1]) - 2) / self.stride).to(torch.int64)
            return self.c(F.pad(x, (5, steps * self.stride + 2 - x.shape[-1])))

    pad = trace(Padded(), (1, 1, 33), real=True).nodes[1]
    assert (pad.op, repr(pad.attributes["pad"])) == ("pad", "(5, 1)")  # ceil(31 / 2) * 2 + 2 - 33; no tensors.
    with pytest.raises(UserError, match="Give --real"):
        trace(Padded(), (1, 1, 33))


def test_a_network_that_hides_its_own_methods_is_refused():
    class Shadow(nn.Module):
        def __init__(self):
            super().__init__()
            self.modules = [nn.Conv2d(3, 4, 3)]

    with pytest.raises(UserError, match="keeps a list under the name 'modules'"):
        trace(Shadow(), (1, 3, 8, 8))


def test_a_network_that_computes_when_it_is_set_to_evaluation_is_told_to_run_on_values():
    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.l = nn.Linear(3, 2)

        def train(self, mode=True):
            self.scale = 1.0 if mode else float(self.l.weight.abs().max())
            return super().train(mode)

        def forward(self, x):
            return self.l(x) / self.scale

    with pytest.raises(UserError, match=r"train\(False\) fails: .* Give --real"):
        trace(Scaled(), (1, 3))
    assert trace(Scaled(), (1, 3), real=True).macs == 6


def test_what_torch_cannot_do_on_shapes_alone_is_told_to_run_on_values():
    class Packed(nn.Module):
        def __init__(self):
            super().__init__()
            self.e, self.l = nn.Embedding(10, 8), nn.LSTM(8, 16, batch_first=True)

        def forward(self, words):
            packed = nn.utils.rnn.pack_padded_sequence(self.e(words), torch.tensor([5, 3]), batch_first=True)
            return self.l(packed)[0].data

    words = torch.zeros(2, 5, dtype=torch.int64)
    with pytest.raises(UserError, match="Give --real"):
        trace(Packed(), words)
    assert trace(Packed(), words, real=True).macs == (5 + 3) * 4 * 16 * (8 + 16)

    class Grouped(nn.Module):  # Its rule for shapes takes half precision alone.
        def forward(self, x):
            return torch._grouped_mm(x, torch.ones(1, 8, 8), offs=torch.tensor([8], dtype=torch.int32))

    with pytest.raises(UserError, match="Give --real"):
        trace(Grouped(), (8, 8))


def test_a_wrong_shape_is_not_told_to_run_on_values():
    assert "it takes 3 channels and was given 4" in str(trace(nn.Sequential(nn.Conv2d(3, 4, 3)), (1, 4, 8, 8)).failed)
    assert "[add of 1x3, 1x2]" in str(trace(Net(lambda s, x: x + x[:, :2]), (1, 3)).failed)


def test_weights_computed_before_every_forward_run_on_values():
    with pytest.warns(FutureWarning):
        normed = nn.utils.weight_norm(nn.Conv2d(3, 4, 3))
    pruned = prune.l1_unstructured(nn.Conv2d(3, 4, 3), "weight", amount=0.5)
    for layer in (normed, pruned):
        layer(torch.zeros(1, 3, 8, 8))  # Its weight now has a history of gradients.
        graph = trace(nn.Sequential(layer), (1, 3, 8, 8), real=True)
        assert (graph.macs, dict(graph.unused)) == (6 * 6 * 3 * 9 * 4, {})


def test_what_calls_the_compiler_is_refused_in_plain_words():
    class Flex(nn.Module):
        def forward(self, x):
            from torch.nn.attention.flex_attention import flex_attention

            return flex_attention(x, x, x)

    for real in (False, True):
        assert "let it call scaled_dot_product_attention" in str(trace(Flex(), (1, 2, 16, 16), real=real).failed)
