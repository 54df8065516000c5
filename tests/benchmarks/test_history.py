import importlib.util
import json
from pathlib import Path

import pytest

FILE = Path(__file__).parents[2] / "benchmarks" / "history.py"


@pytest.fixture
def history():
    spec = importlib.util.spec_from_file_location("benchmark_history", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_measurement_is_one_more_line_with_what_it_was_made_on(history, tmp_path: Path, capsys):
    path = tmp_path / "history.jsonl"
    history.record("step", {"images_per_sec": 123.456789, "batch": 16}, history=path)
    history.record("step", {"images_per_sec": 1.0, "batch": 16}, history=path)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["values"]["images_per_sec"] for line in lines] == [123.456789, 1.0]
    assert set(lines[0]) == {"when", "commit", "machine", "versions", "name", "values"}
    assert "torch" in lines[0]["versions"]
    assert capsys.readouterr().out.splitlines()[0] == "step: images_per_sec 123.5, batch 16"
