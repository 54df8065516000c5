"""Two machines in two network namespaces, and the cable between them is pulled."""

import os
import shutil
import subprocess

import pytest
from elastic import Job, told

HOSTS = ("ganvas-a", "ganvas-b")
ADDRESSES = ("10.77.0.1", "10.77.0.2")
CABLE = ("gv-a", "gv-b")
TIMEOUT = 10  # Seconds for which a process waits for another within a step.


def ip(words: str) -> None:
    subprocess.run(["ip", *words.split()], check=True, capture_output=True)


@pytest.fixture
def two_machines():
    """Namespaces with a cable between them; skipped where this machine does not permit them."""
    if shutil.which("ip") is None or os.geteuid() != 0:
        pytest.skip("network namespaces need the command ip and the rights of root")
    _remove()  # What a run that was killed left behind.
    try:
        for host in HOSTS:
            ip(f"netns add {host}")
        ip(f"link add {CABLE[0]} netns {HOSTS[0]} type veth peer name {CABLE[1]} netns {HOSTS[1]}")
        for host, end, address in zip(HOSTS, CABLE, ADDRESSES, strict=True):
            ip(f"-n {host} addr add {address}/24 dev {end}")
            ip(f"-n {host} link set {end} up")
            ip(f"-n {host} link set lo up")
    except subprocess.CalledProcessError as error:
        _remove()
        pytest.skip(f"this machine permits no network namespaces: {error.stderr.decode().strip()}")
    yield
    _remove()


def _remove() -> None:
    for host in HOSTS:
        subprocess.run(["ip", "netns", "del", host], check=False, capture_output=True)


def job(run, number: int) -> Job:
    launch = (
        "--nnodes 1:2 --nproc-per-node 1 --max-restarts 3 --rdzv-backend c10d"
        f" --rdzv-endpoint {ADDRESSES[0]}:29571 --local-addr {ADDRESSES[number]}"
        f" --rdzv-conf is_host={'true' if number == 0 else 'false'}"
    )
    return Job(
        run,
        launch=launch,
        training=f"--rank-timeout {TIMEOUT}",
        before=f"ip netns exec {HOSTS[number]}",
        environment={"GLOO_SOCKET_IFNAME": CABLE[number]},
    )


def test_a_link_that_is_cut_silently_is_noticed_and_the_machine_that_is_left_goes_on(two_machines, tmp_path):
    with job(tmp_path / "run", 0) as stays, job(tmp_path / "run", 1) as goes:
        stays.wait_for_states(2)
        assert len(goes.workers()) == len(stays.workers()) == 1
        ip(f"-n {HOSTS[0]} link set {CABLE[0]} down")
        with told("link cut") as figures:
            stays.wait_for_states(1)
            figures["timeout_sec"] = TIMEOUT
        goes.kill()
        stays.require_finished()
