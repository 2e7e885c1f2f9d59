"""The buttons of the live diagram that act on what a reader has chosen: each does what its command says, and answers."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from live_reader import Page


@pytest.fixture
def page(lab):
    lab.run("web")
    one = Page(lab)
    one.wait_for(lambda: one.state == "live" and "place/web" in one.parts, "the first picture")
    return one


def buttons(page, element):
    """Choose an element; return its buttons by their names."""
    page.ask("select", id=element)
    return {one["action"]: one for one in page.of("panel")[-1]["actions"]}


def press(page, element, action):
    """Press a button; return what became of it."""
    before = len(page.of("outcome"))
    page.ask("act", id=element, action=action)
    page.wait_for(lambda: len(page.of("outcome")) > before, action)
    return page.of("outcome")[-1]


def test_capture_here_shows_the_packets_of_that_interface(lab, page):
    shown = buttons(page, "interface/web/eth0")["capture"]
    assert "tcpdump" in shown["command"]
    assert "eth0" in shown["command"]
    lab["web"].sh("(ping -i 0.2 -c 40 172.17.0.1 >/dev/null 2>&1 &)")
    outcome = press(page, "interface/web/eth0", "capture")
    assert outcome["ok"], outcome
    assert outcome["command"] == shown["command"]
    assert "172.17.0.2 > 172.17.0.1: ICMP echo request" in outcome["text"]


def test_a_cable_is_unplugged_from_its_bridge_and_plugged_in_again(lab, page):
    end = f"interface/host/{lab['web'].veth}"
    shown = buttons(page, end)["unplug"]
    assert shown["command"] == f"ip link set {lab['web'].veth} nomaster"
    assert press(page, end, "unplug")["ok"]
    assert "master" not in lab.host.sh(f"ip link show dev {lab['web'].veth}").stdout
    page.wait_for(lambda: any(one["action"] == "plug docker0" for one in page.of("panel")[-1]["actions"]), "plug")
    assert press(page, end, "plug docker0")["ok"]
    assert "master docker0" in lab.host.sh(f"ip link show dev {lab['web'].veth}").stdout


def test_the_line_of_open_a_shell_leads_into_that_place(lab, page):
    line = buttons(page, "place/web")["shell"]
    assert line["kind"] == "paste"
    program, verb, *where = shlex.split(line["command"])
    assert (Path(program).name, verb) == ("netlab", "shell")
    netlab = [
        sys.executable,
        "-c",
        "from netlab.cli import main; main()",
        "exec",
        *where,
        "--",
        "ip",
        "-brief",
        "address",
    ]
    done = subprocess.run(netlab, capture_output=True, text=True, timeout=30, check=True)
    assert "172.17.0.2/16" in done.stdout
    assert lab["web"].sh("ip -brief address").stdout == done.stdout


def test_a_button_answers_also_when_the_sandbox_breaks_off(lab, page, monkeypatch):
    def broken(*_):
        raise BrokenPipeError("the sandbox has ended")

    monkeypatch.setattr(lab, "stop", broken)
    outcome = press(page, "place/web", "stop")
    assert not outcome["ok"]
    assert "the sandbox has ended" in outcome["text"]
