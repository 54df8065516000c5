import getpass
import json
import platform
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

import ganvas
from ganvas.core.process import provenance
from ganvas.core.process.provenance import machine, versions


def test_versions_name_what_can_change_a_number():
    found = versions()
    assert {"ganvas", "python", "torch", "numpy", "pillow", "safetensors"} <= set(found)
    assert found["torch"] == torch.__version__
    assert found["python"] == platform.python_version()


def test_a_library_that_is_not_there_is_said_to_be_missing(monkeypatch: pytest.MonkeyPatch):
    def missing(package: str) -> str:
        raise provenance.importlib.metadata.PackageNotFoundError(package)

    monkeypatch.setattr(provenance.importlib.metadata, "version", missing)
    assert versions()["torch"] == "not installed"


def test_nothing_says_whose_machine_it_is_nor_where_the_project_lies():
    text = json.dumps([versions(), machine()])
    for private in (str(Path.home()), str(Path(provenance.__file__).parents[3]), platform.node()):
        assert private not in text
    assert not re.search(rf"\b{re.escape(getpass.getuser())}\b", text)


def test_the_machine_is_described():
    described = machine()
    assert described["cores"] >= 1
    assert described["threads"] == torch.get_num_threads()
    assert described["processor"]


def test_the_commit_of_a_checkout_is_said_and_a_change_marked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def git(*arguments: str) -> None:
        settings = ["-c", "user.name=n", "-c", "user.email=e@example.org"]
        subprocess.run(["git", "-C", str(tmp_path), *settings, *arguments], check=True, capture_output=True)

    module = tmp_path / "src" / Path(provenance.__file__).relative_to(Path(ganvas.__file__).parents[1])
    module.parent.mkdir(parents=True)
    module.write_text("")
    monkeypatch.setattr(provenance, "__file__", str(module))
    assert "commit" not in versions()  # An installed package has no checkout around it.
    git("init")
    assert "commit" not in versions()  # Nor has an empty one a commit.
    git("add", ".")
    git("commit", "-m", "first")
    clean = versions()["commit"]
    assert re.fullmatch("[0-9a-f]{12}", clean)
    kept = tmp_path / "benchmarks" / "history.jsonl"
    kept.parent.mkdir()
    kept.write_text("{}")
    git("add", ".")
    git("commit", "-m", "second")
    clean = versions()["commit"]
    kept.write_text("{}{}")
    assert versions()["commit"] == clean  # A figure that was kept changes nothing of the next.
    module.write_text("changed")
    assert versions()["commit"] == f"{clean}-dirty"


def test_describing_the_machine_is_no_reason_to_import_torch():
    script = (
        "import sys; from ganvas.core.process.provenance import *; machine(); versions(); "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script]).returncode == 0


@pytest.mark.parametrize(("system", "unit"), [("linux", 1024), ("darwin", 1)])
def test_the_most_memory_is_said_in_mebibytes_whatever_the_system_counts(monkeypatch, system, unit):
    resource = pytest.importorskip("resource", reason="Windows does not say")
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(resource, "getrusage", lambda who: SimpleNamespace(ru_maxrss=300 * 2**20 // unit))
    monkeypatch.setitem(sys.modules, "torch", None)
    assert provenance.peak_memory_mib() == 300.0
