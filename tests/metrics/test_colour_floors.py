"""What colours alone tell: tables and linear maps, against what they were made of."""

import torch
from torch.testing import assert_close

from ganvas.core.seeds import stream
from ganvas.metrics.maths.pairs.colour_table import ColourMeans
from ganvas.metrics.maths.pairs.colour_transport import ColourTransport, colour_moments


def test_a_table_of_means_paints_what_every_colour_became():
    cells = torch.randint(32, (6, 3, 9, 7), generator=stream(0, "cells"))
    pictures = (8 * cells + torch.randint(8, cells.shape, generator=stream(0, "within"))).byte()
    truth = (7 * cells[:, :1] + cells[:, 1:2]).byte()  # A function of the coarse colour.
    table = ColourMeans(3, 1)
    table.add(pictures[:2], truth[:2])
    table.add(pictures[2:], truth[2:])
    assert torch.equal(table.painted(pictures), truth)


def test_a_table_of_means_averages_what_a_colour_became_and_all_for_a_colour_that_was_never_seen():
    pictures = torch.tensor([0, 7, 8, 16]).byte().view(1, 1, 1, 4)  # One coarse colour twice, and two others.
    table = ColourMeans(1, 1)
    table.add(pictures, torch.tensor([10, 20, 40, 90]).byte().view(1, 1, 1, 4))
    shown = torch.tensor([3, 8, 255]).byte().view(1, 1, 1, 3)
    assert table.painted(shown).flatten().tolist() == [15, 40, 40]


def test_the_least_moving_map_between_sets_finds_a_symmetric_map_again():
    # The map that moves least is the symmetric positive one that brings one covariance to the other.
    images = 0.3 * torch.randn(3, 3, 16, 16, generator=stream(0, "images"), dtype=torch.float64)
    mix = torch.tensor([[0.9, 0.2, 0.0], [0.2, 0.7, 0.1], [0.0, 0.1, 0.5]]).double()
    shift = torch.tensor([0.1, -0.1, 0])
    moved = torch.einsum("dc,nchw->ndhw", mix, images) + shift.view(1, 3, 1, 1)
    transport = ColourTransport(colour_moments(images.split(1), 3), colour_moments([moved], 3))
    assert_close(transport(images), moved.clamp(-1, 1).float(), rtol=0, atol=1e-6)


def test_sets_that_are_grey_in_three_channels_are_mapped_without_a_trace_of_colour():
    grey = 0.3 * torch.randn(2, 1, 16, 16, generator=stream(1, "grey")).expand(-1, 3, -1, -1)
    transport = ColourTransport(colour_moments([grey], 3), colour_moments([0.5 * grey + 0.25], 3))
    assert_close(transport(grey), 0.5 * grey + 0.25, rtol=0, atol=1e-6)
