"""What every test may ask for. Nothing here imports torch before a test needs it."""

import faulthandler
import gc
import os
import runpy
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import is_dataclass
from functools import partial, wraps
from inspect import isclass, isfunction, isgeneratorfunction
from pathlib import Path
from typing import Any, NoReturn, get_args

import jaxtyping
import pytest
from hypothesis import HealthCheck, settings

# The same examples every time, and no complaint about a slow one: the machine may be busy.
settings.register_profile(
    "ganvas", derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("ganvas")

# Before torch is imported: two workers of two threads each on two cores run at a third of the speed of one thread each.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# Nothing that a shell has announced for a real run reaches a test, nor a process that a test starts.
for variable in ("WORLD_SIZE", "RANK", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT"):
    os.environ.pop(variable, None)

gc.disable()  # Until all is collected: what is imported and collected stays.

jaxtyped = jaxtyping.jaxtyped
one_call = jaxtyped("context")  # In which dimensions of one name are of one length.


def type_checked(fn: Any = None, *, typechecker: Any) -> Any:
    """What ``--jaxtyping-packages`` puts on every function: the same checks, at a fraction of the cost.

    Its own binds the arguments by name at every call, for shapes that speak of one, and checks them twice. That was
    half of the time of all tests. The checks of a function are made when it is first called: most of those that are
    imported never are, and making all was nearly half of a start of the tests.
    """
    if fn is None:
        return partial(type_checked, typechecker=typechecker)
    if isclass(fn):
        return with_checked_fields(fn, typechecker)
    if not isfunction(fn):
        return jaxtyped(fn, typechecker=typechecker)

    def first(*args: Any, **kwargs: Any) -> Any:
        nonlocal checked
        checked = checks_of(fn, typechecker)
        return checked(*args, **kwargs)

    checked = first

    @wraps(fn)
    def with_types(*args: Any, **kwargs: Any) -> Any:
        return (fn if jaxtyping.config.jaxtyping_disable else checked)(*args, **kwargs)

    return with_types


def with_checked_fields(cls: type, typechecker: Any) -> type:
    """A dataclass whose own ``__init__`` is checked; another class as it is: its functions are checked already."""
    if is_dataclass(cls) and isfunction(own := vars(cls).get("__init__")) and own.__globals__ is not globals():
        setattr(cls, "__init__", type_checked(own, typechecker=typechecker))  # noqa: B010
    return cls


def checks_of(fn: Any, typechecker: Any) -> Any:
    """A function with its checks. A generator is left to jaxtyping: beartype would check it when it is first asked."""
    shapes = [shape for hint in fn.__annotations__.values() for shape in shapes_in(hint)]
    if isgeneratorfunction(fn) or any(NAMED in shape for shape in shapes):
        return jaxtyped(fn, typechecker=typechecker)
    checked = typechecker(fn)

    def with_shapes(*args: Any, **kwargs: Any) -> Any:
        with one_call:
            return checked(*args, **kwargs)

    return with_shapes if shapes else checked


NAMED = "{"  # Opens the name of an argument in a shape.


def shapes_in(hint: Any) -> list[str]:
    """The shapes of the arrays in an annotation; of one that is not evaluated yet, any."""
    if isinstance(hint, str):
        return [NAMED]
    if isclass(hint) and issubclass(hint, jaxtyping.AbstractArray):
        return [hint.dim_str]
    return [shape for part in (hint if isinstance(hint, list) else get_args(hint)) for shape in shapes_in(part)]


jaxtyping.jaxtyped = type_checked  # Before the package is imported.

TESTS = Path(__file__).parent
PICTURES_PER_CLASS = 30
HANGS_AFTER, REARMED_EVERY = 300, 60  # Seconds.
EMOJI = 300


def pytest_collection_finish() -> None:
    """What was imported and collected is never looked through for garbage again."""
    gc.collect()
    gc.freeze()
    gc.enable()


def pytest_configure(config: pytest.Config) -> None:
    """The user's own cache is never read nor written; processes that tests start inherit the other one."""
    cache = tempfile.mkdtemp(prefix="ganvas-test-cache-")
    os.environ["GANVAS_CACHE"] = cache
    config.add_cleanup(lambda: shutil.rmtree(cache, ignore_errors=True))
    config.pluginmanager.register(Watchdog(os.dup(sys.__stderr__.fileno())))


class Watchdog:
    """Prints where every thread is when tests stand still for five minutes.

    pytest's own starts and joins a thread for every test: on a busy machine that is 5 ms, a minute of the suite. This
    one is armed anew once a minute, so that it speaks after five to six.
    """

    def __init__(self, stream: int) -> None:
        self.stream = stream
        self.armed = -float(REARMED_EVERY)

    def pytest_runtest_logstart(self) -> None:
        if time.monotonic() - self.armed > REARMED_EVERY:
            self.armed = time.monotonic()
            faulthandler.dump_traceback_later(HANGS_AFTER + REARMED_EVERY, file=self.stream)

    def pytest_unconfigure(self) -> None:
        faulthandler.cancel_dump_traceback_later()
        os.close(self.stream)


@pytest.hookimpl(tryfirst=True)  # Before `-m` chooses.
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks what took long; skips what this machine has not got or nobody asked for, and says what it would take."""
    listed = set((TESTS / "slow_tests.txt").read_text(encoding="utf-8").split())
    for item in items:
        if item.nodeid.partition("[")[0] in listed:
            item.add_marker(pytest.mark.slow)
    asked = {mark: partial(_not_asked_for, mark) for mark in ("machines", "long")}
    for mark, missing in {"gpu": _no_gpu, "data": _no_data, **asked}.items():
        marked = [item for item in items if item.get_closest_marker(mark)]
        reason = missing() if marked else None
        for item in marked if reason else []:
            item.add_marker(pytest.mark.skip(reason=str(reason)))


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Doctests are looked for in the package; a script that a test starts is not imported."""
    is_helper = collection_path.suffix == ".py" and not collection_path.name.startswith(("test_", "conftest"))
    return True if is_helper and TESTS in collection_path.parents else None


def _no_gpu() -> str | None:
    import torch

    return None if torch.cuda.is_available() else "needs a CUDA device"


def _no_data() -> str | None:
    if os.environ.get("GANVAS_TEST_DATA"):
        return None
    return "needs real pictures: set GANVAS_TEST_DATA to the folder with cifar10-jpg.tar.xz and noto-emoji-128.tar.xz"


def _not_asked_for(mark: str) -> str | None:
    return None if os.environ.get(f"GANVAS_{mark.upper()}") else f"left out of the suite: `make {mark}` runs it"


@pytest.fixture(scope="session")
def in_ranks() -> Callable[..., list[int]]:
    """``in_ranks(2, *words)`` runs ``python WORDS`` in two processes that are ranks of one group: their exit codes.

    They are forks of this process, so that none of them imports torch again: that would take most of their time.
    """
    return _in_ranks


SECONDS_OF_RANKS = 120  # After which they are killed.


def _in_ranks(count: int, *words: object) -> list[int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    told = {"WORLD_SIZE": str(count), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    given = [str(word) for word in words]
    if _no_gpu() is None:  # Threads of autograd, which a device brings along, do not survive a fork.
        command = [sys.executable, *given]
        started = [subprocess.Popen(command, env=os.environ | told | {"RANK": str(rank)}) for rank in range(count)]
        return [process.wait(SECONDS_OF_RANKS) for process in started]
    children = [_fork(given, told | {"RANK": str(rank)}) for rank in range(count)]
    end = time.monotonic() + SECONDS_OF_RANKS
    return [_exit_code(child, end) for child in children]


def _fork(words: list[str], environment: dict[str, str]) -> int:
    """The number of a process that runs ``python WORDS``; what it says goes to the error stream of the test."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # A fork leaves other threads behind: none computes.
        child = os.fork()
    if not child:
        os.environ |= environment
        _live(words)
    return child


def _live(words: list[str]) -> NoReturn:
    """A forked process's life; it never comes back into the test that forked it."""
    code: Any = 0
    try:
        sys.stdout = sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115
        warnings.resetwarnings()
        if words[0] == "-c":
            exec(words[1], {"__name__": "__main__"})
        elif words[0] == "-m":
            sys.argv = words[1:]
            runpy.run_module(words[1], run_name="__main__", alter_sys=True)
        else:
            sys.argv = words
            runpy.run_path(words[0], run_name="__main__")
    except SystemExit as end:
        code = end.code
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))


def _exit_code(child: int, end: float) -> int:
    """Waits for a child, and kills it when its time is over."""
    while not (found := os.waitpid(child, os.WNOHANG))[0]:
        if time.monotonic() > end:
            os.kill(child, signal.SIGKILL)
        time.sleep(0.01)
    return os.waitstatus_to_exitcode(found[1])


@pytest.fixture
def rng():
    """A torch generator at the start of one fixed stream."""
    import torch

    return torch.Generator().manual_seed(0)


@pytest.fixture
def float64() -> Iterator[None]:
    """New tensors and modules are float64 for the length of a test: mathematics to 1e-12."""
    import torch

    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


@pytest.fixture
def holds_as_bijection() -> Callable[..., None]:
    """Asserts that a bijection's inverse leads back and that its log-determinant is that of autograd's Jacobian."""
    import torch

    def check(bijection, x, *, tolerance=1e-9) -> None:
        y, log_det = bijection(x)
        torch.testing.assert_close(bijection.inverse(y), x, rtol=0, atol=tolerance)
        for row, found in zip(x, log_det, strict=True):
            jacobian = torch.autograd.functional.jacobian(lambda v: bijection(v[None])[0].flatten(), row)
            whole = torch.linalg.slogdet(jacobian.reshape(row.numel(), row.numel())).logabsdet
            torch.testing.assert_close(found, whole, rtol=0, atol=tolerance)

    return check


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder of real pictures named by GANVAS_TEST_DATA."""
    reason = _no_data()
    if reason:
        pytest.skip(reason)
    return Path(os.environ["GANVAS_TEST_DATA"]).resolve()


@pytest.fixture(scope="session")
def cifar_folder(data_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """300 CIFAR pictures, ``<class>/NNNN.jpg``, 32x32 RGB, 30 of each of 10 classes. Read only: tests share it."""
    into = tmp_path_factory.mktemp("cifar")

    def wanted(name: str) -> bool:
        part, _, file = name.rpartition("/")
        return part.startswith("test/") and file.removesuffix(".jpg").isdigit() and int(file[:4]) < PICTURES_PER_CLASS

    _unpack(data_folder / "cifar10-jpg.tar.xz", into, wanted, limit=10 * PICTURES_PER_CLASS)
    return into / "test"


@pytest.fixture(scope="session")
def emoji_folder(data_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """300 emoji as ``*.png``, 128x128, palette and RGBA. Read only: tests share it."""
    into = tmp_path_factory.mktemp("emoji")
    _unpack(data_folder / "noto-emoji-128.tar.xz", into, lambda name: name.endswith(".png"), limit=EMOJI)
    return into / "128"


def _unpack(archive: Path, into: Path, wanted: Callable[[str], bool], *, limit: int) -> None:
    """The first ``limit`` wanted members; the archive is read no further than the last of them."""
    count = 0
    with tarfile.open(archive, "r|xz") as tar:
        for member in tar:
            if member.isfile() and wanted(member.name):
                tar.extract(member, into, filter="data")
                count += 1
            if count == limit:
                return
    raise AssertionError(f"{archive.name} holds {count} of the {limit} pictures that the tests need")
