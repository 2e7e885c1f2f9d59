"""Journeys in a terminal, in a notebook's live diagram, and in both languages."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys

import pytest

from netlab.language import set_language

pytestmark = pytest.mark.kernel

NETLAB = [sys.executable, "-P", "-c", "from netlab.cli import main; main(prog_name='netlab')"]


def netlab(*arguments):
    return subprocess.run([*NETLAB, *arguments], capture_output=True, text=True, timeout=60, check=False)


def test_trace_in_a_terminal(lab, tmp_path):
    web = lab.run("web", image="nginx")
    lab.run("app")
    file = tmp_path / "some.pcapng"
    done = netlab("trace", "--lab", lab.name, "app", f"http://{web.address}", "--pcapng", str(file))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"✓ app → http://{web.address}/: HTTP/1.1 200 OK")
    read = subprocess.run(["tcpdump", "-n", "-r", file], capture_output=True, text=True, check=True).stdout
    assert "HTTP/1.1 200 OK" in read
    told = json.loads(netlab("trace", "--lab", lab.name, "--json", "app", "ping", web.address).stdout)
    assert (told["ok"], told["places"]) == (True, ["app", "host", "web"])


def test_trace_ends_with_status_1_when_no_answer_came(lab):
    lab.run("app")
    done = netlab("trace", "--lab", lab.name, "--json", "app", "tcp:172.17.0.1:81")
    assert done.returncode == 1
    assert json.loads(done.stdout)["reason"]["code"] == "port-closed"
    wrong = netlab("trace", "--lab", lab.name, "app", "tcp:81:")
    assert wrong.returncode == 1
    assert "is no target" in wrong.stderr
    assert "Traceback" not in wrong.stderr


@contextlib.contextmanager
def capturing(lab, *words):
    """Run `netlab capture` and wait until it listens."""
    words = [*NETLAB, "capture", "--lab", lab.name, *words]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        try:
            assert "listening on" in running.stderr.readline()
            yield running
        finally:
            running.kill()


def test_capture_in_a_terminal(lab):
    app = lab.run("app")
    with capturing(lab, "--count", "2", "app", "icmp") as running:
        app.ping("172.17.0.1")
        said, ended = running.communicate(timeout=20)
    lines = said.splitlines()
    assert len(lines) == 2
    assert "app eth0 out 172.17.0.2 > 172.17.0.1 icmp echo request" in lines[0]
    assert "app eth0 in  172.17.0.1 > 172.17.0.2 icmp echo reply" in lines[1]
    assert ended == "2 packets, 0 lost\n"
    assert running.returncode == 0


def test_capture_in_several_places_into_a_file_until_ctrl_c(lab, tmp_path):
    app, red, file = lab.run("app"), lab.namespace("red"), tmp_path / "some.pcapng"
    red.link("lo").up()
    with capturing(lab, "host", "--also", "app", "--also", "red", "--write", str(file), "icmp[0] == 8") as running:
        app.ping("172.17.0.1")
        red.ping("127.0.0.1")
        running.send_signal(signal.SIGINT)
        said, ended = running.communicate(timeout=20)
    assert (said, running.returncode) == ("", 0)
    assert "Traceback" not in ended
    assert ended.endswith("5 packets, 0 lost\n"), ended  # lo shows each packet twice, on the way out and in
    raw = file.read_bytes()
    assert all(name in raw for name in (b"app/eth0", b"host/docker0", b"red/lo", f"host/{app.veth}".encode()))
    read = subprocess.run(["tcpdump", "-n", "-r", file], capture_output=True, text=True, check=True).stdout
    assert read.count("ICMP echo request") == 5


def test_capture_refuses_what_it_cannot_do(lab):
    for words in (["nowhere"], ["host", "icmp", "or"], ["host", "--also", "nowhere"]):
        done = netlab("capture", "--lab", lab.name, *words)
        assert done.returncode == 1, words
        assert "Traceback" not in done.stderr
    assert "syntax error" in netlab("capture", "--lab", lab.name, "host", "icmp", "or").stderr


def test_a_journey_moves_through_the_live_diagram(lab):
    web = lab.run("web", image="nginx")
    lab.run("app")
    journey = lab.trace("app", f"http://{web.address}")
    heard = []

    class Screen:
        def packets(self, moves):
            heard.extend(one.message for one in moves)

    journey.play(Screen())
    assert [one["steps"] for one in heard] == journey.edges
    assert [one["kind"] for one in heard] == ["request", "reply"]
    drawn = lab.show().svg
    assert all(f'id="{step}"' in drawn for one in heard for step in one["steps"])


def test_a_journey_speaks_japanese(lab):
    lab.run("app")
    journey = lab.trace("app", "http://web")
    english = [step.text for step in journey]
    try:
        set_language("ja")
        japanese = [step.text for step in journey]
        assert all(one != other for one, other in zip(english, japanese, strict=True))
        assert "応答なし" in repr(journey)
        assert "DNS サーバー" in journey.reason.text
        assert 'lang="ja"' in journey._repr_html_()
    finally:
        set_language(None)
