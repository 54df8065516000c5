import pytest
import torch
from torch.autograd import gradcheck
from torch.testing import assert_close

from ganvas.core.errors import UserError
from ganvas.nn.layers.initialise import initialise
from ganvas.nn.norms.conditional_batch_norm import ConditionalBatchNorm2d

LABELS = torch.tensor([2, 0, 2, 1, 0])


def randn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def norm():
    module = ConditionalBatchNorm2d(4, 3, eps=0.1).double()
    with torch.no_grad():
        module.gain.copy_(randn(3, 4, seed=1))
        module.shift.copy_(randn(3, 4, seed=2))
    return module


def test_each_sample_has_the_gain_and_shift_of_its_class_around_the_statistics_of_the_whole_batch():
    x, module = 3 * randn(5, 4, 2, 3) + 7, norm()
    expected = torch.empty_like(x)
    for channel in range(4):
        values = [x[sample, channel, row, column] for sample in range(5) for row in range(2) for column in range(3)]
        mean = sum(values) / 30
        variance = sum((value - mean) ** 2 for value in values) / 30
        for sample, label in enumerate(LABELS.tolist()):
            gain, shift = module.gain[label, channel], module.shift[label, channel]
            expected[sample, channel] = gain * (x[sample, channel] - mean) / (variance + 0.1) ** 0.5 + shift
    assert_close(module(x, LABELS), expected.detach(), rtol=1e-12, atol=1e-12)


def test_in_evaluation_a_sample_depends_on_itself_and_its_class_alone():
    x, module = randn(5, 4, 2, 3), norm()
    module(3 * x + 7, LABELS)
    module.eval()
    whole = module(x, LABELS)
    alone = torch.cat([module(x[i : i + 1], LABELS[i : i + 1]) for i in range(5)])
    assert_close(whole, alone, rtol=1e-12, atol=1e-12)
    assert not torch.allclose(whole, module(x, (LABELS + 1) % 3))


def test_its_gradients_by_input_and_tables_are_the_slopes():
    module = norm()

    def run(x, gain, shift):
        return torch.func.functional_call(module, {"gain": gain, "shift": shift}, (x, LABELS))

    tables = [table.detach().clone().requires_grad_() for table in (module.gain, module.shift)]
    assert gradcheck(run, (randn(5, 4, 2, 2).requires_grad_(), *tables))


def test_a_start_makes_it_a_norm_that_no_class_changes():
    module = norm()
    module(randn(5, 4, 2, 2), LABELS)
    initialise(module, torch.Generator())
    fresh = ConditionalBatchNorm2d(4, 3).state_dict()
    assert all(torch.equal(value.float(), fresh[name]) for name, value in module.state_dict().items())
    assert set(fresh) == {"gain", "shift", "norm.running_mean", "norm.running_var"}
    x = randn(5, 4, 2, 2)
    assert_close(module(x, LABELS), module(x, (LABELS + 1) % 3), rtol=0, atol=0)


def test_no_classes_are_refused():
    with pytest.raises(UserError, match="classes=0"):
        ConditionalBatchNorm2d(4, 0)
