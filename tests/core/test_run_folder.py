import pytest

from ganvas.core.errors import UserError
from ganvas.core.run_folder import RunFolder, kimg_name


@pytest.fixture
def run(tmp_path):
    folder = RunFolder(tmp_path / "run")
    folder.create({"model": "gan/progan"})
    return folder


def test_names_of_moments_sort_as_the_moments_do():
    moments = [0, 16, 999, 1000, 1016, 20_000_000]
    assert sorted(kimg_name(nimg) for nimg in moments) == [kimg_name(nimg) for nimg in moments]
    assert kimg_name(12_345) == "000012.345"


def test_what_was_logged_after_a_moment_is_forgotten_and_what_a_person_measured_is_not(run):
    for nimg in (100, 200, 300):
        run.append("log.jsonl", {"nimg": nimg, "x": 0.1 * nimg})
        run.append("measures.jsonl", {"nimg": nimg, "kimg": nimg / 1000, "source": "training"})
    run.append("measures.jsonl", {"kimg": 0.3, "source": "measure"})
    before = (run.path / "log.jsonl").read_bytes()
    run.rewind(200)
    assert [entry["nimg"] for entry in run.lines("log.jsonl")] == [100, 200]
    assert before.startswith((run.path / "log.jsonl").read_bytes()), "what is kept is kept byte for byte"
    assert [entry.get("source") for entry in run.lines("measures.jsonl")] == ["training", "training", "measure"]


def test_a_line_torn_by_a_kill_is_left_out_and_rewound_away(run):
    run.append("log.jsonl", {"nimg": 100})
    with (run.path / "log.jsonl").open("a") as file:
        file.write('{"nimg": 2')
    assert run.lines("log.jsonl") == [{"nimg": 100}]
    run.rewind(100)
    assert (run.path / "log.jsonl").read_text() == '{"nimg": 100}\n'


def test_a_folder_that_is_not_a_run_is_neither_read_nor_filled(tmp_path):
    (tmp_path / "holiday.txt").write_text("mine")
    with pytest.raises(UserError, match=r"not a run and not empty"):
        RunFolder(tmp_path).create({})
    with pytest.raises(UserError, match=r"is not a run"):
        RunFolder(tmp_path).describe()
    assert [entry.name for entry in tmp_path.iterdir()] == ["holiday.txt"]


def test_only_what_is_to_be_kept_is_kept(run):
    for name in ("000000.000", "000001.000", "000002.000"):
        run.state_at(round(float(name) * 1000)).mkdir(parents=True)
        run.model_at(round(float(name) * 1000)).mkdir(parents=True)
    run.keep_only({"000001.000", "000002.000"})
    assert [folder.name for folder in run.states()] == ["000001.000", "000002.000"]
    assert [folder.name for folder in run.models()] == ["000001.000", "000002.000"]


def test_a_run_json_that_was_cut_is_a_clear_mistake(run):
    (run.path / "run.json").write_text('{"format": 1, "mod')
    with pytest.raises(UserError, match=r"run\.json"):
        run.describe()


def test_two_processes_never_train_into_one_run(run):
    # The system's lock belongs to the open file, so a second opening stands for a second process.
    taken = pytest.raises(UserError, match="is being trained by another process")
    with run.held(), taken, RunFolder(run.path).held():
        pass
    with run.held():
        pass
