"""The style-based generator: what its styles, its noise and its mapping network do."""

import torch
import torch.nn.functional as F
from torch.testing import assert_close

from ganvas.networks.adversarial.style_generator import MappingNetwork, StyleGenerator
from ganvas.nn.layers.initialise import initialise
from ganvas.nn.layers.smooth_resample import smooth_double


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def started(network, seed=0):
    initialise(network, rng(seed))
    return network


def small(**settings):
    """Three resolutions, 4 x 6 to 16 x 24, with biases and noise that count."""
    sizes = {"base": (4, 6), "latent_size": 5, "style_size": 7, "mapping_layers": 2}
    network = started(StyleGenerator([6, 5, 4], **sizes | settings)).double()
    for name, parameter in network.named_parameters():
        if name.endswith(("bias", "strength")):
            parameter.data.normal_(generator=rng(3))
    return network


def randn(*shape, seed=1):
    return torch.randn(*shape, generator=rng(seed), dtype=torch.float64)


def test_a_picture_is_the_sum_of_what_each_resolution_adds_doubled_on_the_way():
    network = small().synthesis
    styles, added = randn(2, network.num_styles, 7), []
    for layer in network.to_rgb:
        layer.register_forward_hook(lambda _layer, _given, colours: added.append(colours))
    images = network(styles)
    assert [tuple(colours.shape[2:]) for colours in added] == [(4, 6), (8, 12), (16, 24)]
    assert_close(images, smooth_double(smooth_double(added[0]) + added[1]) + added[2])


def test_every_layer_has_its_own_style_and_colours_share_that_of_the_next():
    network, heard = small().synthesis, []
    for name, part in network.named_modules():
        if name.endswith("convolution.style"):
            part.register_forward_pre_hook(lambda _part, given, name=name: heard.append((name.split(".")[0], given[0])))
    styles = torch.arange(6.0, dtype=torch.float64)[None, :, None].expand(2, 6, 7)
    network(styles)
    order = [(kind, int(given[0, 0])) for kind, given in heard]
    layers, colours = [("layers", at) for at in range(5)], [("to_rgb", at) for at in (1, 3, 5)]
    assert order == [layers[0], colours[0], *layers[1:3], colours[1], *layers[3:5], colours[2]]


def test_a_layer_is_the_activation_of_what_the_style_the_noise_and_the_bias_make():
    layer = small().synthesis.layers[1]
    x, w, noise = randn(2, 6, 4, 6), randn(2, 7, seed=2), randn(2, 1, 8, 12, seed=3)
    inside = layer.convolution(x, w) + layer.strength * noise + layer.bias.view(-1, 1, 1)
    assert_close(layer(x, w, noise), F.leaky_relu(inside, 0.2) * 2**0.5)


def test_without_noise_of_its_own_every_picture_has_the_one_that_the_network_keeps():
    network = small()
    z = randn(3, 5)
    kept = [layer.noise.expand(3, 1, *layer.noise.shape) for layer in network.synthesis.layers]
    assert_close(network(z), network(z, noise=kept))
    other = [randn(3, 1, *size, seed=8) for size in network.synthesis.noise_sizes]
    assert not torch.allclose(network(z), network(z, noise=other))


def test_noise_says_nothing_at_the_start():
    network = started(StyleGenerator([6, 5], latent_size=5, style_size=7, mapping_layers=2)).double()
    noise = [randn(2, 1, *size) for size in network.synthesis.noise_sizes]
    assert torch.equal(network(randn(2, 5)), network(randn(2, 5), noise=noise))


def test_the_length_of_a_latent_says_nothing():
    mapping = small().mapping
    z = randn(3, 5)
    assert_close(mapping(z), mapping(7 * z), rtol=1e-6, atol=1e-6)  # But for the 1e-8 beside the mean square.


def test_the_mapping_network_is_fully_connected_layers_behind_the_hypersphere():
    network = started(MappingNetwork(5, 7, layers=3, lr_multiplier=0.01)).double()
    for layer in network.layers:
        layer.bias.data.normal_(generator=rng(4))
    z = randn(4, 5)
    x = z / (z.square().mean(1, keepdim=True) + 1e-8).sqrt()
    for layer in network.layers:
        x = F.leaky_relu(0.01 * (x @ layer.weight.T / layer.weight.shape[1] ** 0.5 + layer.bias), 0.2) * 2**0.5
    assert_close(network(z), x)


def test_labels_enter_the_mapping_network_beside_the_latent():
    network = small(num_classes=3)
    z = randn(1, 5).expand(3, 5)
    one, two, three = network(z, torch.arange(3))
    assert not torch.allclose(one, two)
    assert not torch.allclose(two, three)


def test_at_psi_zero_every_picture_is_that_of_the_mean_and_at_one_its_own():
    network = small()
    network.style_mean.copy_(randn(7, seed=5))
    z = randn(3, 5)
    mean = network.synthesis(network.style_mean.expand(1, 6, 7))
    assert_close(network(z, psi=0.0), mean.expand(3, -1, -1, -1))
    halfway = network.style_mean + 0.5 * (network.mapping(z) - network.style_mean)
    assert_close(network(z, psi=0.5), network.synthesis(halfway.unsqueeze(1).expand(-1, 6, -1)))


def test_mixed_styles_are_of_one_latent_below_the_layer_and_of_the_other_from_it_on():
    network = small()
    z, other, layers = randn(3, 5), randn(3, 5, seed=2), torch.tensor([1, 4, 6])
    w, styles = network.mixed(z, other, layers)
    assert_close(w, network.mapping(z))
    for row, layer in enumerate(layers):
        expected = [network.mapping(z if at < layer else other)[row] for at in range(6)]
        assert_close(styles[row], torch.stack(expected))
