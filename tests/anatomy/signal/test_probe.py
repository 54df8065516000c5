"""One pass through networks whose gradients take odd ways: unread pieces, written views, inputs without a batch."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from ganvas.anatomy.signal import signal as signal_module
from ganvas.anatomy.signal.layer_moments import PIECE, by_place
from ganvas.anatomy.signal.signal import signal


class HalfRead(nn.Module):
    """A variational encoder that hands on its mean: nobody reads the other half of a chunk."""

    def __init__(self):
        super().__init__()
        self.encoder, self.decoder = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(4, 3, 1)

    def forward(self, x):
        mean, _ = self.encoder(x).chunk(2, dim=1)
        return self.decoder(mean)


class ChannelMean(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(2, 4, 1)

    def forward(self, x):
        return self.b(self.a(x).unflatten(1, (2, 4)).mean(2))


class WritesIntoAView(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(4, 4), nn.Linear(4, 2)

    def forward(self, x):
        y = self.first(x) * 1
        view = y.view(2, 4, 2, 4).transpose(2, 1)
        view[:, :1] = view[:, 1:] * 2
        view[:, 1:] = view[:, :1] * 2
        return self.last(view)


class SetsRequiresGrad(nn.Module):
    def __init__(self, *, sets):
        super().__init__()
        self.layer, self.sets = nn.Conv1d(1, 2, 3), sets

    def forward(self, x):
        x = x[:, None]
        if self.sets:
            x.requires_grad = True
        return self.layer(x)


class Positions(nn.Module):
    def __init__(self):
        super().__init__()
        self.words, self.places = nn.Linear(4, 8), nn.Linear(2, 8)

    def forward(self, x, places):
        return self.words(x) + self.places(places)


def of(found, layer, op):
    return next(each for each in found.operations if each.layer.startswith(layer) and each.op == op)


def test_a_piece_that_nobody_reads_has_no_gradient_and_the_whole_has_half_of_the_other_pieces():
    found = signal(HalfRead(), (1, 3, 8, 8), seeds=1, batch=2)
    read, unread = (each for each in found.operations if each.op == "split")
    assert math.isnan(unread.gradient.value)
    assert of(found, "encoder", "conv2d").gradient.value == pytest.approx(read.gradient.value / 2, rel=1e-6)


def test_a_mean_over_channels_is_measured_and_has_no_theory_beside_it():
    found = signal(ChannelMean(), (1, 3, 8, 8), seeds=1, batch=2)
    unflattened, mean = (next(e for e in found.operations if e.op == op) for op in ("reshape", "mean"))
    assert unflattened.gradient.value == pytest.approx(mean.gradient.value / 16, rel=1e-6)  # Of 4, each (1/4)^2.
    assert math.isnan(unflattened.gradient_step.value)


def test_a_view_that_was_written_into_has_no_gradient_and_no_theory_is_made_of_its_absence():
    found = signal(WritesIntoAView(), (2, 8, 4), seeds=1, batch=2)
    written = [each for each in found.operations if each.op == "setitem"]
    assert written
    assert all(math.isnan(each.gradient.value) for each in written)
    readers = {source for each in written for source in each.inputs}
    assert all(math.isnan(each.gradient_step.value) for each in found.operations if each.index in readers)
    assert found.layers[0].gradient.value > 0


def test_a_view_that_was_written_into_does_not_end_python(in_ranks):
    code = f"""
import sys
sys.path.insert(0, {str(__file__.rpartition("/")[0])!r})
from test_probe import WritesIntoAView
from ganvas.anatomy.signal.signal import signal
signal(WritesIntoAView(), (2, 8, 4), seeds=1, batch=2)
"""
    assert in_ranks(1, "-c", code) == [0]


def test_a_network_that_asks_for_the_gradient_of_what_it_reads_is_measured_as_one_that_does_not():
    plain = SetsRequiresGrad(sets=False)
    asking = SetsRequiresGrad(sets=True)
    asking.load_state_dict(plain.state_dict())
    a, b = (signal(each, (1, 40), seeds=1, batch=2).layers[0] for each in (plain, asking))
    assert a.second == b.second
    assert a.gradient.value == b.gradient.value > 0


def test_an_input_without_a_batch_keeps_its_first_size():
    found = signal(Positions(), (1, 5, 4), (5, 2), seeds=1, batch=3, unbatched=[1])
    assert [layer.shape for layer in found.layers] == [(3, 5, 8), (5, 8)]


def test_a_convolution_of_one_picture_without_a_batch_has_no_theory():
    found = signal(nn.Conv2d(3, 4, 3), (3, 8, 8), seeds=1, unbatched=[0])
    (layer,) = found.layers
    assert layer.shape == (4, 6, 6)
    assert math.isnan(layer.step.value)


class PadsByTensors(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Conv1d(1, 2, 3)

    def forward(self, x):
        return self.layer(F.pad(x, (torch.tensor(2), torch.tensor(4)), mode="reflect"))


def test_padding_by_sizes_that_are_tensors_has_the_theory_of_its_numbers():
    found = signal(PadsByTensors(), (1, 1, 33), seeds=1, batch=2)
    assert found.layers[0].shape == (2, 2, 37)
    (pad,) = [each for each in found.operations if each.op == "pad"]
    assert pad.shape == (2, 1, 39)
    # Reflection repeats values of variance 1: the mean of 66 squares is within three of its deviations, sqrt(2 / 66).
    assert abs(pad.step.value - 1) < 3 * math.sqrt(2 / 66)


class LargestInFloat64(TorchDispatchMode):
    def __init__(self):
        super().__init__()
        self.largest = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        output = func(*args, **(kwargs or {}))
        if isinstance(output, torch.Tensor) and output.dtype == torch.float64:
            self.largest = max(self.largest, output.numel())
        return output


def test_moments_of_a_large_tensor_are_those_of_its_float64_copy_without_that_copy():
    x = torch.randn(13, 8, 128, 128)
    with LargestInFloat64() as seen:
        mean, second = by_place(x)
    assert seen.largest <= PIECE < x.numel()
    torch.testing.assert_close(mean, x.double().mean((0, 1)), rtol=1e-10, atol=1e-14)
    torch.testing.assert_close(second, x.double().square().mean((0, 1)), rtol=1e-12, atol=0)


def test_memory_is_given_back_after_every_seed(monkeypatch):
    calls = []
    monkeypatch.setattr(signal_module, "return_freed_memory", lambda: calls.append(1))
    signal(nn.Linear(3, 2), (1, 3), seeds=3)
    assert len(calls) == 3
