"""A training that loses processes ends with the bits of one that does not."""

import os
import signal

import pytest
from elastic import Job, free_port, same_bits, told

# With all that goes together: late views, past opponents, and the noise of gradients measured on the way.
VIEWS = "--set delays=D:2 --set histories=G:4 --set noise_scale=3 --set health_kimg=1"
SHARDS = f"--shards 4 --threads 1 {VIEWS}"
RESTARTED = "--nproc-per-node 2 --max-restarts 3 --rdzv-backend c10d --rdzv-endpoint localhost:0"


@pytest.fixture(scope="module")
def sharded(tmp_path_factory):
    """The run of two processes with shards that nothing happens to."""
    run = tmp_path_factory.mktemp("sharded") / "run"
    with Job(run, training=SHARDS) as job:
        job.require_finished()
    return run


def test_a_rank_that_is_killed_is_started_again_and_nothing_is_lost(undisturbed, tmp_path):
    with Job(tmp_path / "run", launch=RESTARTED) as job:
        job.wait_for_states(3)
        other = job.workers()[0]
        os.kill(job.workers()[1], signal.SIGKILL)
        with told("rank killed"):
            job.wait_for_states(1)
        assert other not in job.workers(), "the other process was started again too"
        job.require_finished()
    same_bits(undisturbed, tmp_path / "run")


def test_a_signal_to_torchrun_ends_a_step_saves_and_the_same_command_goes_on(undisturbed, tmp_path):
    with Job(tmp_path / "run") as job:
        job.wait_for_states(3)
        before = job.run.states()[-1].name
        with told("signal to torchrun"):
            os.kill(job.agent.pid, signal.SIGTERM)
            assert job.wait() != 0
        assert job.run.describe()["status"] == "stopped", job.said()
        assert job.run.states()[-1].name > before
    with Job(tmp_path / "run") as job:
        job.require_finished()
    same_bits(undisturbed, tmp_path / "run")


def test_after_a_loss_the_signal_to_the_others_saves_nothing_and_ends_them(undisturbed, tmp_path):
    # Without restarts torchrun sends SIGTERM to those that are left: they must not wait for the dead one.
    with Job(tmp_path / "run") as job:
        job.wait_for_states(3)
        os.kill(job.workers()[1], signal.SIGKILL)
        kept = {path.name for path in job.run.states()}
        with told("loss without restarts"):
            assert job.wait() != 0
        assert max(path.name for path in job.run.states()) <= max(kept), "nothing was saved without the other"
        assert job.run.describe()["status"] != "finished"
    with Job(tmp_path / "run") as job:
        job.require_finished()
    same_bits(undisturbed, tmp_path / "run")


def test_a_machine_that_loses_its_power_and_a_damaged_state_cost_the_steps_behind_the_state_before(
    undisturbed, tmp_path
):
    with Job(tmp_path / "run") as job:
        job.wait_for_states(4)
    last = job.run.states()[-1] / "state.safetensors"
    last.write_bytes(last.read_bytes()[:1000])
    with Job(tmp_path / "run") as job:
        job.require_finished()
        assert "is not as it was written" in job.said()
    same_bits(undisturbed, tmp_path / "run")


@pytest.mark.parametrize("counts", [(2, 1), (1, 2)], ids=["two then one", "one then two"])
def test_with_shards_a_run_goes_on_with_another_number_of_processes_and_the_same_bits(sharded, tmp_path, counts):
    first, then = (f"--nproc-per-node {count} --rdzv-backend c10d --rdzv-endpoint localhost:0" for count in counts)
    with Job(tmp_path / "run", launch=first, training=SHARDS) as job:
        job.wait_for_states(3)
    with Job(tmp_path / "run", launch=then, training=SHARDS) as job:
        job.require_finished()
    same_bits(sharded, tmp_path / "run")


def test_processes_that_go_apart_for_some_steps_lose_nothing_when_one_is_killed(tmp_path):
    apart = f"--set local_steps=5 {VIEWS}"
    with Job(tmp_path / "whole", training=apart) as job:
        job.require_finished()
    with Job(tmp_path / "run", launch=RESTARTED, training=apart) as job:
        job.wait_for_states(3)
        os.kill(job.workers()[1], signal.SIGKILL)
        job.require_finished()
    same_bits(tmp_path / "whole", tmp_path / "run")


def test_an_agent_that_is_killed_with_its_process_leaves_the_others_to_go_on(tmp_path):
    port = free_port()
    launch = f"--nnodes 1:2 --nproc-per-node 1 --max-restarts 3 --rdzv-backend c10d --rdzv-endpoint localhost:{port}"
    options = {"training": "--rank-timeout 10"}
    with (
        Job(tmp_path / "run", launch=f"{launch} --rdzv-conf is_host=true", **options) as stays,
        Job(tmp_path / "run", launch=f"{launch} --rdzv-conf is_host=false", **options) as goes,
    ):
        stays.wait_for_states(3)
        assert len(goes.workers()) == 1
        goes.kill()
        with told("agent killed"):
            stays.wait_for_states(1)
        stays.require_finished()
