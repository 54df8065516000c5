"""Requests that a foreign page, a foreign program or a foreign run could cause; each rule refuses its own.

Sent as bytes over a socket: a browser of today stops some of them by itself, and another may not.
"""

import http.client
import json
import os
import shutil
import socket

import pytest

from ganvas.app.run_shelf import Gone, RunShelf

JSON = {"Content-Type": "application/json"}


def status(listening, method="GET", path="/api/runs", headers=None, body=None):
    return listening.request(method, path, headers, body)[0]


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:{port}",
        "127.0.0.1",
        "127.0.0.1:1",
        "localhost:{port}.evil.example",
        "[::1]",
        "",
        None,
    ],
)
@pytest.mark.parametrize("path", ["/", "/studio.js", "/api/runs"])
def test_a_name_that_was_made_to_lead_here_is_not_the_studios(studio, host, path):
    given = host and host.format(port=studio.port)
    assert status(studio, path=path, headers={"Host": given}) in (400, 403)


def test_two_host_headers_are_none(studio):
    ours = f"127.0.0.1:{studio.port}"
    assert status(studio, headers={"Host": [ours, "evil.example"]}) in (400, 403)
    assert status(studio, headers={"Host": [ours, ours]}) in (400, 403)


@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "localhost:{port}", "LOCALHOST:{port}", "[::1]:{port}"])
def test_every_name_of_this_machine_is(studio, host):
    assert status(studio, headers={"Host": host.format(port=studio.port)}) == 200


@pytest.mark.parametrize(
    "origin",
    ["null", "http://evil.example", "http://127.0.0.1", "http://127.0.0.1:1", "https://127.0.0.1:{port}", "file://",
     "http://127.0.0.1:{port}.evil.example"],
)  # fmt: skip
@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "localhost:{port}"])
def test_a_page_of_another_origin_reads_nothing(studio, origin, host):
    headers = {"Origin": origin.format(port=studio.port), "Host": host.format(port=studio.port)}
    assert status(studio, headers=headers) == 403
    assert status(studio, path="/studio.js", headers=headers) == 403


def test_the_pages_own_origin_does(studio):
    assert status(studio, headers={"Origin": f"http://localhost:{studio.port}"}) == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site", "something-new"])
def test_what_a_browser_says_another_site_asked_is_refused(studio, site):
    assert status(studio, headers={"Sec-Fetch-Site": site}) == 403
    frame = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}
    assert status(studio, path="/", headers=frame) == 403
    link = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert status(studio, headers=link) == 403


def test_a_link_from_another_site_opens_the_first_page(studio):
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert status(studio, path="/", headers=link | {"X-Ganvas-Token": None}) == 200


@pytest.mark.parametrize("token", [None, "", "the-toke", "the-token2", "THE-TOKEN", "tökén", ["the-token", "x"]])
@pytest.mark.parametrize(
    "question", ["runs", "training?run=demo", "sheet?run=demo&kimg=2", "events?run=demo", "no-such"]
)
def test_without_the_token_nothing_is_read(studio, token, question):
    headers = {"X-Ganvas-Token": token, "Cookie": "token=the-token", "Authorization": "Bearer the-token"}
    assert status(studio, path=f"/api/{question}", headers=headers) == 401
    assert status(studio, path=f"/api/{question.partition('?')[0]}?token=the-token&t=the-token", headers=headers) == 401


FORMS = [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]


@pytest.mark.parametrize("kind", [*FORMS, "text/plain; application/json"])
def test_a_form_of_another_page_changes_nothing(writable, kind):
    assert status(writable, "POST", "/api/stop", {"Content-Type": kind}, b'{"run": "demo"}') == 415


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "PROPFIND"])
def test_other_methods_are_none(studio, method):
    code, headers, _ = studio.request(method, "/api/runs")
    assert code == 405
    assert not [name for name in headers if name.startswith("access-control")]


@pytest.mark.parametrize("question", ["stop", "resume"])
def test_what_changes_something_is_never_a_get(writable, question):
    assert status(writable, path=f"/api/{question}?run=demo") == 405


@pytest.mark.parametrize("question", ["stop", "resume"])
def test_a_studio_that_only_reads_changes_nothing(studio, question):
    code, answer = studio.post(question, run="demo")
    assert code == 403
    assert "--write" in answer["error"]


def test_a_body_that_is_too_large_is_not_read(writable):
    long = b'{"run": "' + b"x" * 20_000 + b'"}'
    assert status(writable, "POST", "/api/stop", JSON, long) == 413
    for length in ("-1", "1e3", "99999999999999999999", "0x10"):
        assert status(writable, "POST", "/api/stop", JSON | {"Content-Length": length}, b"{}") in (400, 413)


def test_who_sends_too_much_hears_why(writable):
    """Bytes that nobody read would make the system reset the connection, and the page would show no reason."""
    head = [f"{name}: {value}" for name, value in (writable.honest | JSON | {"Content-Length": "900000"}).items()]
    for _ in range(5):
        with socket.create_connection(("127.0.0.1", writable.port), timeout=10) as sent:
            sent.sendall("\r\n".join(["POST /api/stop HTTP/1.1", *head, "", ""]).encode())
            sent.sendall(bytes(900_000))
            answer = http.client.HTTPResponse(sent)
            answer.begin()
            assert (answer.status, "at the most" in json.loads(answer.read())["error"]) == (413, True)


def test_nor_is_one_that_does_not_say_how_large_it_is(writable):
    chunks = b"".join(b"1000\r\n" + b"x" * 0x1000 + b"\r\n" for _ in range(5)) + b"0\r\n\r\n"
    assert status(writable, "POST", "/api/stop", JSON | {"Transfer-Encoding": "chunked"}, chunks) == 413


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"3", b'"demo"', b"{", b"\xff\xfe", b"[" * 5000, b'{"run": NaN}', b'{"run": 3}']
)
def test_a_body_that_is_no_object_is_a_mistake(writable, body):
    assert status(writable, "POST", "/api/stop", JSON, body) == 400


OUTSIDE = [
    *("..", "../", ".", "", "/", "demo/..", "demo/../demo", "older", "../secret.txt", "/etc", "..\\runs", "demo;x"),
    *("demo\x00", "DEMO", "demo/", "C:\\runs", "//host/share", "%2e%2e", "older/../demo"),
]


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_run_is_one_of_those_that_were_found_and_no_path(studio, name):
    for question in ("training", "sheet"):
        code, answer = studio.get(question, run=name, kimg=2)
        assert code == 404
        assert "nobody" not in str(answer)


@pytest.mark.parametrize(
    "path",
    ["/../secret.txt", "/..%2fsecret.txt", "/%2e%2e/secret.txt", "/page/../guard.py", "/..\\secret.txt", "//etc/passwd",
     "/studio.js/", "/api", "/api/", "/index.html/..", "/samples/000002.000.png", "/run.json"],
)  # fmt: skip
def test_no_path_leads_to_a_file(studio, path):
    code, headers, _ = studio.request("GET", path)
    assert code == 404
    assert "location" not in headers


def test_a_link_out_of_the_folder_is_not_followed(tmp_path, write_run):
    outside, inside = write_run(tmp_path / "outside"), tmp_path / "runs"
    run = write_run(inside / "honest")
    os.symlink(outside, inside / "linked")
    (run / "samples" / "000002.000.png").unlink()
    os.symlink(outside / "samples" / "000004.000.png", run / "samples" / "000002.000.png")
    shelf = RunShelf(inside)
    assert list(shelf.look()) == ["honest"]
    with pytest.raises(Gone):
        shelf.run("linked")
    assert not shelf.holds(run / "samples" / "000002.000.png")
    assert shelf.holds(run / "samples" / "000004.000.png")


def test_a_run_that_is_swapped_for_a_link_is_gone(tmp_path, write_run):
    outside, run = write_run(tmp_path / "outside"), write_run(tmp_path / "runs" / "demo")
    shelf = RunShelf(tmp_path / "runs")
    shelf.look()
    shutil.rmtree(run)
    os.symlink(outside, run)
    with pytest.raises(Gone):
        shelf.run("demo")


@pytest.mark.parametrize(
    "path", ["/", "/studio.js", "/light.css", "/api/runs", "/api/no-such", "/none", "/api/sheet?run=demo&kimg=2"]
)
@pytest.mark.parametrize("token", ["the-token", None])
def test_every_answer_is_locked_down(studio, path, token):
    _, headers, _ = studio.request("GET", path, {"X-Ganvas-Token": token})
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == policy["base-uri"] == policy["form-action"] == policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["img-src"].split() == ["'self'", "blob:", "data:"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-opener-policy"] == headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert not {name for name in headers if name.startswith("access-control")} | (
        {"set-cookie", "location"} & set(headers)
    )


def test_a_range_is_not_taken_apart(studio):
    ranges = "bytes=" + ",".join(f"{at}-{at}" for at in range(2000))
    code, headers, body = studio.request("GET", "/studio.js", {"Range": ranges})
    assert (code, len(body)) == (200, int(headers["content-length"]))


def test_a_websocket_is_not_opened(studio):
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "x" * 22 + "==",
    }
    assert status(studio, path="/api/events?run=demo&x=1", headers=upgrade | {"X-Ganvas-Token": None}) != 101


def test_others_on_the_network_do_not_reach_it(studio):
    assert studio.socket.getsockname()[0] == "127.0.0.1"
    with socket.socket() as other:
        other.settimeout(2)
        assert other.connect_ex(("127.0.0.2", studio.port)) != 0
