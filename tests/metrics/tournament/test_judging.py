import pytest
import torch
from torch import nn

from ganvas.metrics.tournament.judging import batch_statistics, outputs
from ganvas.nn.norms.batch_norm import BatchNorm2d


@pytest.mark.parametrize("kind", [BatchNorm2d, nn.BatchNorm2d])
def test_a_batch_norm_uses_the_batch_s_statistics_and_forgets_them(kind):
    norm = kind(1).eval()
    norm.running_mean.fill_(100.0)
    before = {name: buffer.clone() for name, buffer in norm.named_buffers()}
    x = torch.tensor([1.0, 3.0]).view(2, 1, 1, 1)
    with batch_statistics(nn.Sequential(norm)), torch.no_grad():
        y = norm(x).flatten()
    # Mean 2 and population variance 1: -1 and 1, by hand.
    assert y.tolist() == pytest.approx([-1, 1], abs=1e-4)
    assert not norm.training
    assert all(torch.equal(buffer, before[name]) for name, buffer in norm.named_buffers())


def test_dropout_and_all_else_stay_in_evaluation_mode():
    network = nn.Sequential(BatchNorm2d(1), nn.Dropout(0.9)).eval()
    with batch_statistics(network):
        assert [part.training for part in network] == [True, False]


def test_an_error_leaves_the_network_as_it_was():
    norm = BatchNorm2d(1).eval()
    with pytest.raises(KeyError), batch_statistics(norm):
        raise KeyError
    assert not norm.training


def test_every_batch_is_whole_and_every_picture_has_its_own_output():
    sizes = []

    def judge(part):
        sizes.append(len(part))
        return part[:, 0] * 10

    found = outputs(judge, torch.arange(10.0)[:, None], batch=4)
    assert found.tolist() == [10.0 * i for i in range(10)]
    assert sizes == [4, 4, 4]
    assert outputs(judge, torch.arange(3.0)[:, None], batch=4).tolist() == [0, 10, 20]
