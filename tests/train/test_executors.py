from dataclasses import replace

import pytest
import torch

from ganvas.core.errors import UserError
from ganvas.core.ranks import Ranks
from ganvas.core.seeds import stream
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.models.gan import r3gan, stylegan2
from ganvas.models.gan.progan import TINY, Model
from ganvas.nn.layers.initialise import initialise
from ganvas.train.execution.executor_choice import executor_for
from ganvas.train.execution.executors import CudaGraph, Eager
from ganvas.train.state import new_state
from ganvas.train.step import set_learning_rate


def fresh(device="cpu"):
    model = Model(TINY)
    initialise(model, stream(0, "weights"))
    return new_state(model.to(device, memory_format=torch.channels_last))


def test_a_cpu_steps_eagerly_unless_told_otherwise_and_is_told_that_it_has_no_graphs():
    assert executor_for("auto", torch.device("cpu")) is Eager
    assert executor_for("auto", torch.device("cuda")) is CudaGraph
    with pytest.raises(UserError, match=r"executor=graph needs a CUDA device\. Use executor=eager"):
        CudaGraph(fresh(), seed=0, ranks=Ranks(), precision=torch.float32)


def test_a_step_is_a_function_of_the_state_and_its_position():
    ends = []
    for _ in range(2):
        state = fresh()
        executor = Eager(state, seed=5, ranks=Ranks(), precision=torch.float32)
        torch.rand(17)  # Whatever else draws from torch's own stream changes nothing.
        set_learning_rate(state, 1e-3)
        executor.step(Pictures(images=torch.ones(8, 3, 4, 4)), TINY.growth().at(0))
        ends.append(torch.cat([p.detach().flatten() for p in state.model.parameters()]))
    assert torch.equal(*ends)


@pytest.mark.gpu
@pytest.mark.parametrize("stage", list(TINY.growth().stages()), ids=lambda stage: f"{stage.resolution}-{stage.fade:g}")
def test_a_replayed_step_equals_an_eager_one_while_fade_and_rate_move(stage):
    # The same kernels on the same numbers; only the choice of convolution algorithms may differ: float32 rounding.
    ends = []
    for kind in (Eager, CudaGraph):
        state = fresh("cuda")
        executor = kind(state, seed=0, ranks=Ranks(), precision=torch.float32)
        for step in range(10):
            fade = 0.1 + 0.05 * step if stage.fading else 1.0
            set_learning_rate(state, 1e-3 * (1 + step))
            reals = torch.rand(8, 3, stage.resolution, stage.resolution, generator=stream(step, "reals")).cuda()
            weight = torch.tensor(fade, device="cuda") if stage.fading else None
            reals = reals.contiguous(memory_format=torch.channels_last)
            executor.step(Pictures(images=reals, fade=weight), replace(stage, fade=fade))
            state.nimg += 8
            state.step += 1
        ends.append(torch.cat([p.detach().flatten() for p in state.model.parameters()]))
    torch.testing.assert_close(ends[0], ends[1], rtol=0, atol=1e-5)


@pytest.mark.gpu
@pytest.mark.parametrize(("module", "config"), [(r3gan, r3gan.TINY.fitted(0.1)), (stylegan2, stylegan2.TINY)])
def test_a_replayed_step_equals_an_eager_one_while_courses_run_and_lazy_phases_rest(module, config):
    ends = []
    for kind in (Eager, CudaGraph):
        game = module.Model(config)
        initialise(game, stream(0, "weights"))
        state = new_state(game.to("cuda", memory_format=torch.channels_last))
        executor = kind(state, seed=0, ranks=Ranks(), precision=torch.float32)
        for step in range(12):
            stage = game.schedule().at(state.nimg)
            set_learning_rate(state, stage.lr)
            reals = torch.rand(8, 3, 16, 16, generator=stream(step, "reals")).cuda()
            executor.step(Pictures(images=reals.contiguous(memory_format=torch.channels_last)), stage)
            state.nimg += 8
            state.step += 1
        averages = [p for player in state.players if player.average for p in player.average.parameters()]
        ends.append(torch.cat([p.detach().flatten() for p in [*state.model.parameters(), *averages]]))
    torch.testing.assert_close(ends[0], ends[1], rtol=0, atol=1e-4)
