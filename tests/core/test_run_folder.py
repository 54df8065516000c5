import errno
import json
import os
import shutil
import tempfile
from pathlib import Path

import pytest

from ganvas.core import run_folder
from ganvas.core.errors import TrainingFailed, UserError
from ganvas.core.files import atomic_files
from ganvas.core.run_folder import RunFolder, is_run_or_model, kimg_name, run_around


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


def test_a_line_that_cannot_be_read_is_kept_beside_and_the_others_go_on(run, capsys):
    whole = [b'{"nimg": 100, "x": 0.30000000000000004}\n', b'{"nimg": 300, "note": "caf\xe9"}\n']
    (run.path / "log.jsonl").write_bytes(whole[0] + b'{"nimg": 2\x000}\n' + whole[1])
    assert [entry["nimg"] for entry in run.lines("log.jsonl")] == [100, 300]
    run.rewind(300)
    assert (run.path / "log.jsonl").read_bytes() == b"".join(whole), "also the byte that is no UTF-8"
    assert b'{"nimg": 2\x000}\n' in (run.path / "log.jsonl.damaged").read_bytes()
    assert "(line 2)" in capsys.readouterr().err
    with (run.path / "log.jsonl").open("ab") as file:
        file.write(b"lost again\n")
    run.rewind(200)
    assert (run.path / "log.jsonl").read_bytes() == whole[0]
    assert (run.path / "log.jsonl.damaged1").read_bytes() == b"".join(whole) + b"lost again\n"


def test_a_log_that_needs_no_change_is_not_written_anew(run):
    run.append("log.jsonl", {"nimg": 100})
    before = (run.path / "log.jsonl").stat().st_ino
    run.rewind(100)
    assert (run.path / "log.jsonl").stat().st_ino == before


def test_an_old_state_that_cannot_be_removed_is_told_once_and_tried_again(run, monkeypatch, capsys):
    for name in ("000000.000", "000001.000", "000002.000"):
        (run.path / "state" / name).mkdir(parents=True)

    def refuses(path):
        raise OSError(errno.EPERM, os.strerror(errno.EPERM), str(path))

    with monkeypatch.context() as patch:
        patch.setattr(run_folder, "remove_folder", refuses)
        for _ in range(2):
            run.keep_only({"000002.000"})
    assert len(run.states()) == 3
    said = capsys.readouterr().err.splitlines()
    assert [line.partition(" cannot")[0].rpartition("/")[2] for line in said] == ["000000.000", "000001.000"]
    run.keep_only({"000002.000"})
    assert [folder.name for folder in run.states()] == ["000002.000"]


def test_what_is_left_of_a_state_that_went_by_half_is_no_state_and_goes_the_next_time(run, monkeypatch):
    (run.path / "state" / "000000.000").mkdir(parents=True)

    def refuses(path, **_):
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), str(path))

    with monkeypatch.context() as patch:
        patch.setattr(atomic_files.shutil, "rmtree", refuses)
        with pytest.raises(OSError, match="busy"):  # The sweep's own attempt is not this test's matter.
            atomic_files.remove_folder(run.path / "state" / "000000.000")
    assert run.states() == []
    run.keep_only(set())
    assert list((run.path / "state").iterdir()) == []


def test_a_training_whose_folder_was_begun_anew_writes_nothing_into_it(run):
    ends = pytest.raises(TrainingFailed, match="removed or begun anew")
    with run.held():
        shutil.rmtree(run.path)
        other = RunFolder(run.path)
        other.create({"model": "gan/dcgan"})
        with other.held():
            for write in (
                lambda: run.append("log.jsonl", {"nimg": 1}),
                lambda: run.note(status="finished"),
                lambda: run.keep_only(set()),
                lambda: run.rewind(0),
                run.require_held,
            ):
                with ends:
                    write()
        assert other.describe()["model"] == "gan/dcgan"
        assert {path.name for path in run.path.iterdir()} == {"run.json", ".training"}


def test_a_measurement_of_a_run_that_cannot_be_written_is_no_reason_to_lose_its_value(run, capsys):
    assert run.add_measurement({"kimg": 1}) == run.path / "measures.jsonl"
    # Where nobody may create a file, not even a superuser.
    locked = RunFolder(Path("/proc/version"))
    assert locked.add_measurement({"kimg": 1}) is None
    assert "The measurement is not noted in the run. /proc/version/measures.jsonl cannot" in capsys.readouterr().err


def test_a_name_that_is_no_text_is_refused_before_anything_is_written(tmp_path):
    folder = RunFolder(tmp_path / os.fsdecode(b"caf\xe9"))
    for use in (lambda: folder.create({}), folder.describe):
        with pytest.raises(UserError, match="is not text in UTF-8"):
            use()
    assert list(tmp_path.iterdir()) == []


def test_a_system_without_a_temporary_folder_is_told_before_the_run_is_begun(tmp_path, monkeypatch):
    def none():
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']")

    monkeypatch.setattr(tempfile, "gettempdir", none)
    with pytest.raises(UserError, match="Set TMPDIR"):
        RunFolder(tmp_path / "run").create({})
    assert list(tmp_path.iterdir()) == []


def test_whoever_begins_a_run_second_is_told_that_it_is_one(run):
    with pytest.raises(UserError, match="Another process has just begun a run"):
        RunFolder(run.path).create({})


def test_a_model_is_found_in_its_run_and_a_run_in_itself(run, tmp_path):
    model = run.model_at(1000)
    model.mkdir(parents=True)
    (model / "model.json").write_text("{}")
    assert is_run_or_model(model)
    assert is_run_or_model(run.path)
    assert not is_run_or_model(tmp_path)
    assert [found and found.path for found in map(run_around, (run.path, model, tmp_path))] == [
        run.path,
        run.path,
        None,
    ]


def test_sheets_of_moments_come_in_their_order_and_the_others_by_name_with_the_reals_first(run):
    run.samples.mkdir()
    names = [
        "000010.000.png",
        "000009.500.png",
        "sources.png",
        "reals.png",
        "inf.png",
        ".partial-1.png",
        "000001.000.txt",
    ]
    for name in names:
        (run.samples / name).touch()
    assert [(kimg, path.name) for kimg, path in run.sheets()] == [(9.5, "000009.500.png"), (10.0, "000010.000.png")]
    assert [path.name for path in run.other_sheets()] == ["reals.png", "inf.png", "sources.png"]


def test_a_run_of_an_earlier_format_is_refused_with_what_would_do(run):
    described = json.loads((run.path / "run.json").read_text())
    (run.path / "run.json").write_text(json.dumps(described | {"format": 1}))
    with pytest.raises(UserError, match=r"earlier version of Ganvas \(format 1.*train it anew"):
        run.describe()


def test_two_that_begin_a_run_in_one_moment_do_not_mix(tmp_path):
    first, second = RunFolder(tmp_path / "run"), RunFolder(tmp_path / "run")
    with first.held(), pytest.raises(UserError, match="is being trained by another process"):
        second.create({"model": "second"})
    assert not second.exists
    second.create({"model": "second"})
    assert second.describe()["model"] == "second"


def test_a_run_is_known_by_what_its_weights_follow_from_alone(tmp_path):
    whole = {"model": "gan/progan", "config": {"lr": 1}, "seed": 0, "data": {"fingerprint": "a"}, "started": "now"}
    changes = ({}, {"started": "then"}, {"seed": 1}, {"config": {"lr": 2}}, {"data": {"fingerprint": "b"}})
    runs = [RunFolder(tmp_path / str(place)) for place in range(len(changes))]
    for folder, change in zip(runs, changes, strict=True):
        folder.create(whole | change)
    assert runs[0].identity == runs[1].identity
    assert len({folder.identity for folder in runs}) == 4
