"""Threads of a run's steps: chosen by what tried steps took, and given back."""

import pytest
import torch

from ganvas.core.run_folder import RunFolder
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.models.gan.progan import TINY, Model
from ganvas.tasks.train import Train, train
from ganvas.train.execution import threads
from ganvas.train.feeds.feed import Feed


class ZeroFeed(Feed):
    """Black pictures of the full size."""

    def batch(self, nimg, stage):
        return Pictures(images=torch.zeros(stage.batch_size, 3, 16, 16))

    def close(self): ...


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def takes(monkeypatch):
    """Steps that take so many seconds with one thread and with two; returns with how many each was tried."""

    def arrange(*seconds):
        tried = []

        def step(model, stage, feed):
            tried.append(torch.get_num_threads())
            return seconds[tried[-1] - 1]

        monkeypatch.setattr(threads, "try_steps", step)
        return tried

    return arrange


@pytest.mark.usefixtures("two_threads")
@pytest.mark.parametrize(("one", "two", "chosen"), [(0.048, 0.055, 1), (0.30, 0.27, 1), (0.30, 0.20, 2)])
def test_one_thread_is_taken_where_two_are_hardly_faster(takes, one, two, chosen):
    tried = takes(one, two)
    assert threads.threads_worth(Model(TINY), ZeroFeed(), 200) == chosen
    assert tried == [1, 2, 1, 2]
    assert torch.get_num_threads() == 2


@pytest.mark.usefixtures("two_threads")
def test_a_step_of_more_than_a_second_is_not_tried_and_gets_every_thread(takes, monkeypatch):
    tried = takes(1.0, 1.0)
    monkeypatch.setattr(threads, "LARGE_STEP", 1.0)
    assert threads.threads_worth(Model(TINY), ZeroFeed(), 200) == 2
    assert tried == []


@pytest.mark.usefixtures("two_threads")
def test_a_run_is_begun_with_what_is_chosen_says_so_keeps_it_and_gives_the_threads_back(tmp_path, monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(threads, "threads_worth", lambda *_: 1)
    settings = ("resolution=16", "features=4", "batch_size=8", "measure_kimg=-1", "sample_kimg=1000")
    begun = {"model": "vae/vae", "data": "scenes:16,16x16", "out": tmp_path / "run", "quiet": True, "device": "cpu"}
    train(Train(**begun, set=settings, kimg=0.008))
    assert RunFolder(tmp_path / "run").describe()["machine"]["threads"] == 1
    assert torch.get_num_threads() == 2
    monkeypatch.setattr(threads, "threads_worth", lambda *_: pytest.fail("a run that is resumed chooses no more"))
    train(Train(**begun, kimg=0.016))
