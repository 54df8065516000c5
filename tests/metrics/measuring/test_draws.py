import numpy as np
import pytest
import torch

from ganvas.data.packing import prepare
from ganvas.metrics.measuring.draws import draw, order


@pytest.fixture
def hundred(tmp_path, monkeypatch):
    """A pack of a hundred pictures, each of one grey level: its place."""
    monkeypatch.setenv("GANVAS_CACHE", str(tmp_path / "cache"))
    np.save(
        tmp_path / "grey.npy", np.arange(100, dtype=np.uint8)[:, None, None, None] * np.ones((1, 8, 8, 1), np.uint8)
    )
    return prepare(str(tmp_path / "grey.npy"), quiet=True)


def places(batches):
    return torch.cat(list(batches))[:, 0, 0, 0].tolist()


def test_pictures_are_drawn_without_repetition_in_an_order_of_the_seed_alone(hundred):
    # Sources sorted by class would otherwise pair pictures of one class, and take the first classes only.
    orders = [places(draw(hundred, 60, seed=seed, batch=batch)) for seed, batch in ((1, 7), (1, 60), (2, 7))]
    assert len(set(orders[0])) == 60
    assert orders[0] == orders[1] != orders[2]
    assert orders[0] != sorted(orders[0])
    assert orders[0] == order(100, seed=1)[:60].tolist()


def test_the_second_draw_of_reals_goes_on_where_the_first_one_ended(hundred):
    whole, second = (places(draw(hundred, 60, seed=1, batch=7, start=start)) for start in (0, 25))
    assert second == whole[25:]


def test_an_order_holds_every_place_once():
    assert sorted(order(50, seed=3).tolist()) == list(range(50))
