import subprocess
import sys
from pathlib import Path

import pytest

from ganvas.core import catalogue
from ganvas.core.catalogue import entries, functions, load
from ganvas.core.errors import UserError


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package with two models, one of them broken at import, and a private file."""
    models = tmp_path / "models"
    (models / "gan").mkdir(parents=True)
    (models / "__init__.py").write_text("")
    (models / "gan" / "_shared.py").write_text('"""Private."""')
    (models / "gan" / "good.py").write_text(
        '"""A good model (A. Author 2018).\n\nSee <https://example.org/1>, and http://b.org."""'
    )
    (models / "gan" / "broken.py").write_text("raise RuntimeError")
    monkeypatch.setattr(catalogue, "PACKAGE", tmp_path)
    return models


def test_a_new_file_is_in_the_catalogue_and_nothing_is_imported_for_it(shelf: Path):
    assert [entry.name for entry in entries("models")] == ["gan/broken", "gan/good"]
    good = entries("models")[1]
    assert (good.summary, good.link) == ("A good model (A. Author 2018).", "https://example.org/1")
    (shelf / "vae.py").write_text('"""Another."""')
    assert entries("models")[-1].name == "vae"


def test_functions_are_listed_by_the_name_that_a_person_types(shelf: Path):
    (shelf / "presets.py").write_text(
        '"""Presets."""\ndef table1_a(x):\n    """Row a.\n\n    More."""\ndef plain(): ...\ndef _private(): ...\n'
    )
    assert functions("models", "presets") == {"table1-a": "Row a.", "plain": ""}
    assert functions("models", "nothing") == {}


def test_a_module_is_found_by_its_path():
    assert load("core", "seeds") is sys.modules["ganvas.core.seeds"]


@pytest.mark.parametrize(("name", "nearest"), [("gan/god", "gan/good"), ("good", "gan/good"), ("vae/good", "gan/good")])
def test_an_unknown_name_names_the_nearest(shelf: Path, name: str, nearest: str):
    with pytest.raises(UserError, match=rf"no model '{name}'. Did you mean '{nearest}'\? `ganvas models` lists them"):
        load("models", name)


def test_a_name_like_no_other_gets_no_proposal(shelf: Path):
    with pytest.raises(UserError, match=r"no model 'zzz'\. `ganvas models`"):
        load("models", "zzz")


def test_every_entry_says_what_it_is():
    for kind in ("models", "metrics", "recipes"):
        for entry in entries(kind):
            assert entry.summary, f"{kind}/{entry.name} needs a docstring"


def test_the_catalogue_is_read_without_torch():
    script = (
        "import sys; from ganvas.core.catalogue import *\n"
        "for shelf in ('models', 'metrics', 'recipes'):\n"
        "    for entry in entries(shelf): functions(shelf, entry.name)\n"
        "sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script]).returncode == 0


@pytest.mark.parametrize(("capability", "family"), [("Fills", "fill"), ("Segments", "segment"), ("Detects", "detect")])
def test_the_models_with_a_capability_are_found_by_their_methods(capability, family):
    from ganvas.losses import capabilities

    able = catalogue.models_with(vars(capabilities)[capability])
    assert able == [entry.name for entry in entries("models") if entry.name.startswith(f"{family}/")]
