"""Answers of the studio about runs: the list, a run's training, its samples, its end."""

import http.client
import importlib
import json
import os
import pkgutil
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest

from ganvas.app import answers, application
from ganvas.app.events import mark_of
from ganvas.app.processes import Processes, resuming
from ganvas.app.run_rows import RunRows, last_entry
from ganvas.app.run_status import status_now
from ganvas.app.views.training_view import training_view
from ganvas.core.errors import UserError
from ganvas.core.run_folder import RunFolder
from ganvas.report.web import run_page, run_reader


def test_a_row_says_what_the_files_say(studio):
    code, answer = studio.get("runs")
    assert code == 200
    assert [row["name"] for row in answer["runs"]] == ["demo", "older/first"]
    row = answer["runs"][0]
    assert (row["model"], row["data"], row["kimg"], row["total_kimg"]) == ("gan/progan", "scenes", 4.0, 4.0)
    assert (row["measure"], row["floor"]) == ("SWD 44.3 ± 3.3", "10.7 ± 2.0")
    assert (row["health"], row["cost"], row["status"]) == ("mode collapse", "2 min 05 s", "finished")


def test_a_row_is_made_again_when_a_file_has_changed(tmp_path, write_run):
    run, rows = write_run(tmp_path / "demo"), RunRows()
    before = rows.row("demo", str(run))
    assert rows.row("demo", str(run)) is before
    with (run / "cost.jsonl").open("a") as file:
        file.write('{"nimg": 4500, "kimg": 4.5}\n')
    assert rows.row("demo", str(run)).kimg == 4.5


@pytest.mark.parametrize("said", [b"", b"{", b"[]", b'{"cost": 3, "data": [], "plan": null, "model": {}}', b"\xff"])
def test_a_run_whose_description_was_harmed_is_listed_all_the_same(tmp_path, said, write_run):
    run = write_run(tmp_path / "demo")
    (run / "run.json").write_bytes(said)
    (run / "measures.jsonl").write_bytes(b'{"results": [3, {"metric": "fid", "value": "x"}]}\n')
    row = RunRows().row("demo", str(run))
    assert (row.status, row.model, row.measure) == ("unreadable", "", "FID –")


def test_the_end_of_a_log_is_its_last_whole_line(tmp_path):
    log = tmp_path / "log"
    assert last_entry(str(log)) == {}
    log.write_bytes(b'{"k": 1}\n' + b"x" * 70_000 + b'\n{"k": 2}\nrubbish\n{"k": 3}')
    assert last_entry(str(log)) == {"k": 2}
    log.write_bytes(b'{"k": 1}\n{"k": "' + b"x" * 10_000 + b'"}\n')
    assert last_entry(str(log)) == {"k": "x" * 10_000}


def test_training_shows_curves_health_and_the_moments_of_its_samples(studio):
    code, shown = studio.get("training", run="demo", smooth=0)
    assert (code, shown["status"], shown["sheets"], shown["training"]) == (200, "finished", [0, 2, 4], False)
    assert "Discriminator (D)" in shown["charts"]
    assert 'class="cursor"' in shown["charts"]
    assert "Mode collapse since 2 kimg. A lower lr" in shown["troubles"]
    assert studio.get("training", run="older/first")[1]["status"] == "interrupted"  # Nobody holds it.


def test_the_list_and_the_screen_say_the_same_of_a_run_that_was_killed(studio):
    statuses = {row["name"]: row["status"] for row in studio.get("runs")[1]["runs"]}
    assert statuses["older/first"] == studio.get("training", run="older/first")[1]["status"] == "interrupted"


def test_of_a_process_of_another_machine_nothing_is_claimed_and_no_second_one_started(tmp_path, write_run):
    run = RunFolder(write_run(tmp_path / "demo", status="running"))
    (run.path / ".training").write_text("12 node7\n")
    assert status_now(run, "running") == "running or interrupted on node7"
    assert status_now(run, "finished") == "finished"
    with pytest.raises(UserError, match="node7 trained this run last"):
        Processes().resume("demo", run)


@pytest.mark.parametrize(("error", "told"), [(ProcessLookupError, "just ended"), (PermissionError, "another user")])
def test_a_training_that_cannot_be_told_to_stop_is_named(tmp_path, write_run, monkeypatch, error, told):
    def refuses(process, number):
        if number:
            raise error

    run = RunFolder(write_run(tmp_path / "demo"))
    with run.held():
        monkeypatch.setattr(os, "kill", refuses)
        try:
            said = Processes().stop(run)
        except UserError as refusal:
            said = str(refusal)
    assert told in said


def test_the_cursor_of_a_chart_stands_between_the_ends_of_its_axis(studio):
    charts = studio.get("training", run="demo")[1]["charts"]
    low, high = re.search(r'data-low="([^"]+)" data-high="([^"]+)"', charts).groups()
    assert (float(low), float(high)) == (0.5, 4.0)


def test_a_logarithmic_axis_is_for_what_is_positive_everywhere(studio):
    plain, log = (studio.get("training", run="demo", log=log)[1]["charts"] for log in ("", "1"))
    assert plain != log
    assert plain.split("Generator")[1] == log.split("Generator")[1]  # -0.5 has no logarithm.


def test_samples_are_those_of_their_moment(studio, root):
    code, headers, body = studio.request("GET", "/api/sheet?run=demo&kimg=2")
    assert (code, headers["content-type"]) == (200, "image/png")
    assert body == (root / "demo" / "samples" / "000002.000.png").read_bytes()
    assert studio.get("sheet", run="demo", kimg=3)[0] == 404


@pytest.mark.parametrize("kimg", ["x", "", "nan", "inf", "1e999"])
def test_what_is_no_moment_is_a_mistake(studio, kimg):
    code, answer = studio.get("sheet", run="demo", kimg=kimg)
    assert code == 400
    assert "'kimg' must be a number" in answer["error"]


def test_a_run_without_pictures_or_lines_says_so(tmp_path, write_run, serving):
    run = write_run(tmp_path / "bare")
    shutil.rmtree(run / "samples")
    for file in run.glob("*.jsonl"):
        file.unlink()
    with serving(tmp_path) as studio:
        code, shown = studio.get("training", run="bare")
    assert (code, shown["sheets"]) == (200, [])
    assert "no curves yet" in shown["charts"]


def test_a_run_that_is_removed_while_it_is_open_is_gone(tmp_path, write_run, serving):
    run = write_run(tmp_path / "demo")
    with serving(tmp_path) as studio:
        assert studio.get("training", run="demo")[0] == 200
        shutil.rmtree(run)
        code, answer = studio.get("training", run="demo")
        assert (code, "removed or renamed" in answer["error"]) == (404, True)
        assert studio.get("runs")[1]["runs"] == []


def test_a_folder_that_is_a_run_is_listed_alone(tmp_path, write_run, serving):
    with serving(write_run(tmp_path / "demo")) as studio:
        assert [row["name"] for row in studio.get("runs")[1]["runs"]] == ["demo"]


def test_a_stream_tells_what_changes_and_ends_with_the_run(tmp_path, write_run, serving):
    run = write_run(tmp_path / "demo")
    with serving(tmp_path) as studio:
        connection = http.client.HTTPConnection("127.0.0.1", studio.port, timeout=10)
        connection.request("GET", "/api/events?run=demo", headers={"X-Ganvas-Token": "the-token"})
        answer = connection.getresponse()
        assert answer.getheader("content-type").startswith("text/event-stream")
        assert _event(answer) == "ready"
        (run / "log.jsonl").write_text("")
        assert _event(answer) == "change"
        shutil.rmtree(run)
        assert _event(answer) == "gone"
        assert answer.read().startswith(b"data:")  # Of the last event, and then it ends.
        answer.close()
        connection.close()


def _event(answer):
    while not (line := answer.readline()).startswith(b"event:"):
        assert line
    return line.split()[1].decode()


def test_a_file_that_is_replaced_by_one_of_its_size_is_another(tmp_path, write_run):
    run = write_run(tmp_path / "demo")
    before, stat = mark_of(run), (run / "log.jsonl").stat()
    os.replace(shutil.copy(run / "log.jsonl", run / "copy"), run / "log.jsonl")
    os.utime(run / "log.jsonl", ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert mark_of(run) != before


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_a_training_is_stopped_by_the_signal_that_ctrl_c_sends(tmp_path, write_run, serving):
    run = write_run(tmp_path / "demo")
    holds = (
        "import sys, time, pathlib\nfrom ganvas.core.run_folder import RunFolder\n"
        "with RunFolder(pathlib.Path(sys.argv[1])).held():\n    print('held', flush=True)\n    time.sleep(60)\n"
    )
    with (
        serving(tmp_path, write=True) as studio,
        subprocess.Popen([sys.executable, "-c", holds, str(run)], stdout=subprocess.PIPE) as training,
    ):
        training.stdout.readline()
        while RunFolder(run).trainer is None:
            time.sleep(0.02)
        shown = studio.get("training", run="demo")[1]
        assert (shown["training"], shown["status"]) == (True, "running")
        assert studio.post("resume", run="demo")[0] == 400  # It goes on already.
        code, answer = studio.post("stop", run="demo")
        assert (code, "saves" in answer["told"]) == (200, True)
        assert training.wait(10) == -signal.SIGTERM
        assert "nothing to stop" in studio.post("stop", run="demo")[1]["error"]


def test_a_run_is_resumed_by_its_own_command_into_its_own_folder(tmp_path, write_run):
    words = resuming(RunFolder(write_run(tmp_path / "demo")))
    train = ["train", "gan/progan", "--data", "scenes", "--out", str(tmp_path / "demo")]
    assert words == [sys.executable, "-m", "ganvas", *train]
    joined = ["ganvas", "train", "gan/progan", "--data", "scenes", "--out=/etc", "-o", "/tmp", "-o=x"]
    assert resuming(RunFolder(write_run(tmp_path / "other", command=joined)))[-2:] == ["--out", str(tmp_path / "other")]
    assert "/etc" not in str(resuming(RunFolder(tmp_path / "other")))


@pytest.mark.parametrize(
    "command",
    [None, [], "ganvas train x", ["rm", "-rf", "/"], ["ganvas", "serve", "/"], ["ganvas", "train"], [3, 4, 5]],
)
def test_a_run_of_somebody_else_starts_nothing_but_a_training(tmp_path, command, write_run):
    with pytest.raises(UserError, match="does not say which"):
        resuming(RunFolder(write_run(tmp_path / "demo", command=command)))


def test_the_page_and_its_list_load_no_torch(tmp_path, write_run):
    pytest.importorskip("starlette", reason="the extra [app] is not installed")
    write_run(tmp_path / "demo")
    script = (
        "import sys, pathlib\nfrom ganvas.app.access import Access\n"
        "from ganvas.app.application import application, page_files\n"
        "from ganvas.app.answers.run_questions import list_runs, show_training\n"
        "from ganvas.app.studio import studio_of\n"
        "studio = studio_of(pathlib.Path(sys.argv[1]), Access(port=1))\n"
        "application(studio); page_files(); list_runs(studio, {}); show_training(studio, {'run': 'demo'})\n"
        "sys.exit(3 if 'torch' in sys.modules else 0)"
    )
    assert subprocess.run([sys.executable, "-c", script, str(tmp_path)]).returncode == 0


def test_the_page_is_small_and_asks_no_other_machine(studio):
    from ganvas.app.application import page_files

    assert sum(len(content) for content, _ in page_files().values()) < 100_000
    for path, (content, _) in page_files().items():
        assert b"https://" not in content, path
        assert content.count(b"http://") == content.count(b"http://www.w3.org/2000/svg"), path


def test_what_somebody_wrote_into_a_run_is_text_and_no_markup(tmp_path, write_run, serving):
    bad = "<img src=x onerror=alert(1)>"
    data = {"spec": bad, "height": 8, "width": 8}
    run = write_run(tmp_path / "demo", data=data, preset=bad, started=bad, status="failed", cause=bad)
    finding = {"name": bad, "text": bad, "advice": bad}
    (run / "health.jsonl").write_text(json.dumps({"kimg": 1.0, "signs": {}, "findings": [finding]}) + "\n")
    log = [{"nimg": 500 * step, f"D/{bad}": 1.0 * step, f"{bad}/x": 2.0} for step in range(1, 5)]
    (run / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in log))
    with serving(tmp_path) as studio:
        shown = studio.get("training", run="demo")[1]
    for piece in ("facts", "troubles", "charts"):
        assert "<img" not in shown[piece], piece
        assert "&lt;img" in shown[piece], piece


def test_every_question_that_is_written_is_answered():
    written = [
        question
        for found in pkgutil.iter_modules(answers.__path__)
        for name, listed in vars(importlib.import_module(f"{answers.__name__}.{found.name}")).items()
        if name.endswith("_QUESTIONS")
        for question in listed
    ]
    assert {one.path for one in written} == {one.path for one in application.QUESTIONS}
    assert len({one.path for one in written}) == len(application.QUESTIONS)


def test_lines_and_sounds_of_a_moment_are_shown(tmp_path, write_run, serving):
    run = write_run(tmp_path / "runs" / "demo")
    for path in (run / "samples").iterdir():
        path.unlink()
    (run / "samples" / "000001.000.txt").write_text("to be <b>\nor not\n")
    (run / "samples" / "000002.000.wav").write_bytes(b"RIFF....WAVE")
    (tmp_path / "secret.txt").write_text("nobody's business")
    (run / "samples" / "000003.000.txt").symlink_to(tmp_path / "secret.txt")
    with serving(tmp_path / "runs") as studio:
        told = studio.get("training", run="demo")[1]
        assert (told["sheets"], told["pictures"], told["others"]) == ([1.0, 2.0, 3.0], False, True)
        assert "to be &lt;b&gt;\nor not</pre>" in studio.get("other_sheet", run="demo", kimg=1)[1]["html"]
        sound = studio.get("other_sheet", run="demo", kimg=2)[1]["html"]
        assert 'src="data:audio/wav;base64,UklGRi4uLi5XQVZF"' in sound
        for kimg in (3, 9):  # A link out of the folder, and nothing.
            assert studio.get("other_sheet", run="demo", kimg=kimg)[0] == 404


def test_losses_that_diverged_are_told_as_in_the_report(tmp_path, write_run):
    run = write_run(tmp_path / "demo")
    log = [{"nimg": 500 * step, "kimg": step / 2, "D/real": 10.0 ** (2 * step)} for step in range(1, 9)]
    (run / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in log))
    report = run_page.html(run_reader.read(run))
    for shown in (report, training_view(RunFolder(run), log=False, smooth=0.0)["troubles"]):
        assert "The losses diverged" in shown


def test_a_description_of_another_version_is_refused_in_a_sentence(tmp_path, write_run, serving):
    write_run(tmp_path / "demo", format=99)
    with serving(tmp_path) as studio:
        code, answer = studio.get("training", run="demo")
        assert (code, "another version" in answer["error"]) == (400, True)
        assert json.dumps(studio.get("runs")[1])
