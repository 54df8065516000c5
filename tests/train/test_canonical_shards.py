"""One, two and four processes write the same bits; here they are threads."""

from dataclasses import replace

import pytest
import torch
from thread_ranks import ThreadRanks, live_together

from ganvas.core.errors import UserError
from ganvas.core.ranks import Ranks
from ganvas.core.seeds import stream
from ganvas.losses.augmentation import AdaptiveAugmentation
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.models.gan import dcgan, progan, sngan, stylegan2
from ganvas.models.vae import vae
from ganvas.nn.layers.initialise import initialise
from ganvas.train.execution.canonical_shards import CanonicalShards
from ganvas.train.execution.executors import Eager
from ganvas.train.plan import Plan
from ganvas.train.state import State, new_state
from ganvas.train.step import set_learning_rate

STEPS, BATCH = 3, 8


def run(make, count: int, *, shards: int = 4, steps: int = STEPS) -> list[State]:
    """The states of so many processes after some steps with the same batches."""
    states = []
    for _ in range(count):
        model = make()
        initialise(model, stream(0, "weights"))
        states.append(new_state(model))

    def live(ranks: ThreadRanks) -> None:
        state = states[ranks.rank]
        execute = CanonicalShards(state, seed=5, ranks=ranks, precision=torch.float32, shards=shards)
        stage = state.model.schedule().at(0)
        set_learning_rate(state, 1e-3)
        for step in range(steps):
            whole = torch.rand(BATCH, *size_of(state.model), generator=stream(step, "reals")) * 2 - 1
            execute.step(Pictures(images=ranks.share(whole)), stage)
            state.nimg, state.step = state.nimg + BATCH, state.step + 1

    live_together(count, live)
    return states


def size_of(model) -> tuple[int, ...]:
    side = [side // model.schedule().at(0).shrink for side in model.config.picture.size]
    return model.config.picture.channels, *side


def adapting() -> dcgan.Model:
    """Running statistics, and pictures that are augmented as much as the signs of verdicts say."""
    model = dcgan.Model(dcgan.TINY)
    model.augmentation = AdaptiveAugmentation(target=0.6, kimg=0.1)
    model.augmentation.p.fill_(0.5)
    return model


MODELS = {
    "minibatch stddev": lambda: progan.Model(replace(progan.TINY, group_size=2)),
    "likelihood": lambda: vae.Model(vae.TINY),
    "running statistics and adaptation": adapting,
    "spectral norm": lambda: sngan.Model(sngan.TINY),
}


@pytest.mark.parametrize("kind", list(MODELS))
def test_one_two_and_four_processes_have_the_same_bits(kind):
    alone = run(MODELS[kind], 1)[0].tensors()
    for count in (2, 4):
        for state in run(MODELS[kind], count):
            found = state.tensors()
            assert found.keys() == alone.keys()
            for name, tensor in alone.items():
                assert torch.equal(found[name], tensor), f"{count} processes: {name}"


def test_the_gradient_is_that_of_the_whole_batch():
    # Groups of two lie within a shard of two rows, so that only the order of additions differs from one pass: float32
    # rounding, which Adam divides by the size of the gradient.
    sharded = run(MODELS["minibatch stddev"], 1)[0]
    model = MODELS["minibatch stddev"]()
    initialise(model, stream(0, "weights"))
    state = new_state(model)
    execute = Eager(state, seed=5, ranks=Ranks(), precision=torch.float32)
    set_learning_rate(state, 1e-3)
    for step in range(STEPS):
        whole = torch.rand(BATCH, *size_of(model), generator=stream(step, "reals")) * 2 - 1
        execute.step(Pictures(images=whole), model.schedule().at(0))
        state.nimg, state.step = state.nimg + BATCH, state.step + 1
    for name, tensor in state.tensors().items():
        torch.testing.assert_close(sharded.tensors()[name], tensor, rtol=1e-2, atol=2e-4, msg=name)


def test_running_statistics_are_the_mean_of_what_passes_over_the_shards_leave():
    # A mean of means is that of the whole batch in the generator's first norm, which sees the same latents in both of
    # its passes; behind it shards have been normed by their own.
    whole, sharded = (
        run(lambda: dcgan.Model(dcgan.TINY), 1, shards=shards, steps=1)[0].model.generator for shards in (1, 4)
    )
    first = next(name for name, _ in whole.named_buffers() if name.endswith("running_mean"))
    assert whole.get_buffer(first).abs().max() > 0
    torch.testing.assert_close(sharded.get_buffer(first), whole.get_buffer(first), rtol=1e-5, atol=1e-6)


def test_buffers_that_no_pass_changes_are_not_sent_around(monkeypatch):
    sent = []
    mean_of = CanonicalShards._mean_of
    monkeypatch.setattr(
        CanonicalShards, "_mean_of", lambda self, flats: sent.append(len(flats[0])) or mean_of(self, flats)
    )
    run(MODELS["running statistics and adaptation"], 1, steps=1)
    assert len(sent) == 4, "gradients and running statistics of two phases"

    def with_constant():
        model = adapting()
        model.generator.register_buffer("filter", torch.ones(1000))
        return model

    without, state = sent.copy(), run(with_constant, 1, steps=1)[0]
    assert sent == without * 2
    assert torch.equal(state.model.generator.get_buffer("filter"), torch.ones(1000))


def test_a_model_that_remembers_whole_batches_is_refused():
    model = stylegan2.Model(replace(stylegan2.TINY, path_interval=1))
    initialise(model, stream(0, "weights"))
    state = new_state(model)
    execute = CanonicalShards(state, seed=0, ranks=Ranks(), precision=torch.float32, shards=2)
    images = torch.rand(8, *size_of(model), generator=stream(0, "reals"))
    with pytest.raises(UserError, match=r"shards=2: the model remembers path_mean of whole batches"):
        execute.step(Pictures(images=images), model.schedule().at(0))


def test_numbers_of_shards_that_make_no_tree_are_refused():
    state = new_state(MODELS["likelihood"]())
    with pytest.raises(UserError, match="cannot be shared by 3 processes"):
        CanonicalShards(state, seed=0, ranks=Ranks(count=3), precision=torch.float32, shards=4)
    with pytest.raises(UserError, match="no power of 2"):
        Plan(shards=6)
    with pytest.raises(UserError, match="local_steps=2 lets processes differ"):
        Plan(shards=4, local_steps=2)
