"""Journeys in a terminal, in a notebook's live diagram, and in both languages."""

from __future__ import annotations

import json
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


def test_capture_in_a_terminal(lab):
    app = lab.run("app")
    listening = [*NETLAB, "capture", "--lab", lab.name, "--count", "2", "app", "icmp"]
    with subprocess.Popen(listening, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        for line in running.stderr:
            if "listening on" in line:
                break
        app.ping("172.17.0.1")
        said, _ = running.communicate(timeout=20)
    assert "ICMP echo request" in said
    assert "ICMP echo reply" in said
    assert running.returncode == 0


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
