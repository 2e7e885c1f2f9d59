"""Capturing packets: as tcpdump does, in several places on one clock, and nothing is lost without a word."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from jupyter_client.manager import start_new_kernel
from outside import wait_until

from netlab.errors import NotFound, RequestError

pytestmark = pytest.mark.kernel
ROOT = Path(__file__).parents[2]


def test_a_filter_is_tcpdumps(lab):
    web, app = lab.run("web", image="nginx"), lab.run("app")
    with app.capture("icmp") as seen:
        assert app.ping(web.address).ok
        assert app.http(f"http://{web.address}").ok
        assert seen.wait(2)
    assert [packet.headers.protocol for packet in seen] == ["icmp", "icmp"]
    assert [packet.outgoing for packet in seen] == [True, False]
    assert seen[0].scapy["ICMP"].type == 8


def test_a_wrong_filter_is_refused_in_tcpdumps_words(lab):
    with pytest.raises(RequestError, match="syntax error"):
        lab.host.capture("icmp or")
    with pytest.raises(NotFound):
        lab.host.capture("icmp", also=["nowhere"])
    assert sockets(lab.host) == 0


def test_several_places_are_on_one_clock(lab):
    web, app = lab.run("web", image="nginx"), lab.run("app")
    app.ping(web.address)
    with app.capture("icmp[icmptype] == 8", also=[lab.host, "web"]) as seen:
        app.ping(web.address)
        assert seen.wait(4)
    assert [(packet.place, packet.interface) for packet in seen] == [
        ("app", "eth0"), ("host", app.veth), ("host", web.veth), ("web", "eth0"),
    ]  # fmt: skip
    times = [packet.nanoseconds for packet in seen]
    assert times == sorted(times)
    assert times[-1] - times[0] < 1_000_000_000


def test_it_sees_what_tcpdump_sees(lab, tmp_path):
    web, app = lab.run("web", image="nginx"), lab.run("app")
    file = tmp_path / "tcpdump"
    file.touch()
    pid = app.sh(f"exec tcpdump --immediate-mode -n -l -i eth0 tcp >{file} 2>&1 & echo $!", check=True).stdout.strip()
    wait_until(lambda: "listening on" in file.read_text())
    with app.capture("tcp") as seen:
        assert app.http(f"http://{web.address}").ok
        wait_until(lambda: file.read_text().count("Flags [F") == 2)
        app.sh(f"kill -INT {pid}; while kill -0 {pid} 2>/dev/null; do sleep 0.01; done")
    theirs = re.findall(r"IP (\S+)\.(\d+) > \S+ Flags \[(\S+)\]", file.read_text())
    ours = [(one.headers.source, str(one.headers.source_port), one.headers.flags) for one in seen]
    letters = {"S": "S", "S.": "SA", ".": "A", "P.": "PA", "F.": "FA", "FP.": "FPA"}
    assert [(address, port, letters[flags]) for address, port, flags in theirs] == ours


def test_a_file_for_wireshark(lab, tmp_path):
    web, app = lab.run("web", image="nginx"), lab.run("app")
    with app.capture("arp or icmp", also=[web]) as seen:
        app.ping(web.address)
        assert seen.wait(8)
    path = seen.pcapng(tmp_path / "some.pcapng")
    read = subprocess.run(
        ["tcpdump", "--nano", "-tt", "-n", "-r", path], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert len(read) == len(seen)
    stamp = f"{seen[0].nanoseconds // 10**9}.{seen[0].nanoseconds % 10**9:09}"
    assert read[0].startswith(stamp)
    raw = path.read_bytes()
    assert b"app/eth0" in raw
    assert b"web/eth0" in raw
    if shutil.which("capinfos"):
        said = subprocess.run(["capinfos", "-M", path], capture_output=True, text=True, check=True).stdout
        assert f"Number of packets:   {len(seen)}" in said
        assert "nanoseconds" in said
    from scapy.utils import PcapNgReader  # noqa: PLC0415 - slow, and only for this

    with PcapNgReader(str(path)) as reader:
        assert [bytes(one) for one in reader] == [packet.data for packet in seen]


def test_a_table_shows_what_came(lab):
    app = lab.run("app")
    with app.capture("udp port 53") as seen:
        app.sh("dig +short www.example.com", check=True)
        assert seen.wait(2)
        assert "capturing" in repr(seen)
    assert "DNS question www.example.com" in repr(seen)
    assert "stopped" in repr(seen)
    page = seen._repr_mimebundle_()["text/html"]
    assert "<table" in page
    assert "<script" not in page
    assert [row.way for row in seen.table] == ["out", "in"]


def test_a_live_table_follows_in_a_notebook_and_ends_with_the_capture():
    """A real kernel, and what it tells a notebook: one output, renewed until the capture has stopped, then never again."""
    manager, client = start_new_kernel(kernel_name="python3", env={**os.environ, "PYTHONPATH": str(ROOT)})
    pages: list[tuple[str, str, str]] = []

    def hear(message):
        content = message["content"]
        if message["msg_type"] in ("display_data", "update_display_data") and "display_id" in content["transient"]:
            page = content["data"]["text/html"]
            pages.append((message["msg_type"], content["transient"]["display_id"], page))

    def run(code):
        reply = client.execute_interactive(code, timeout=60, output_hook=hear)
        assert reply["content"]["status"] == "ok", reply["content"]

    def hear_until(condition):
        deadline = time.monotonic() + 10
        while not condition() and time.monotonic() < deadline:
            with contextlib.suppress(queue.Empty):
                hear(client.get_iopub_msg(timeout=0.1))
        assert condition(), pages

    try:
        run(
            "import threading; from netlab import Lab; lab = Lab(); app = lab.run('app'); seen = app.capture('icmp').live()"
        )
        hear_until(lambda: pages)
        assert "capturing" in pages[0][2]
        run("app.ping('172.17.0.1')")
        hear_until(lambda: "echo reply" in pages[-1][2])
        assert "(capturing), 2 packets" in pages[-1][2]
        run("_ = seen.stop()")
        hear_until(lambda: "stopped" in pages[-1][2])
        run(
            "[one.join(10) for one in threading.enumerate() if one.name == 'netlab-live-capture']; app.ping('172.17.0.1')"
        )
        run("lab.close()")
    finally:
        client.stop_channels()
        manager.shutdown_kernel()
    assert [kind for kind, _, _ in pages] == ["display_data"] + ["update_display_data"] * (len(pages) - 1)
    assert len({name for _, name, _ in pages}) == 1
    assert "echo reply" in pages[-1][2]
    assert "(stopped), 2 packets" in pages[-1][2]


def test_nothing_is_left_after_the_end(lab):
    app = lab.run("app")
    seen = app.capture()
    assert sockets(app) == 1
    app.ping("172.17.0.1")
    seen.stop()
    seen.stop()
    assert sockets(app) == 0
    count = len(seen)
    app.ping("172.17.0.1")
    assert len(seen) == count
    del seen
    app.capture()  # nobody holds it
    wait_until(lambda: sockets(app) == 0)


def test_a_container_may_go_meanwhile(lab):
    app = lab.run("app")
    seen = app.capture("icmp")
    app.ping("172.17.0.1")
    assert seen.wait(2)
    lab.rm("app")
    assert len(seen.stop()) == 2


def sockets(place):
    return len(place.sh("cat /proc/net/packet").stdout.splitlines()) - 1


def test_a_flood_loses_little_or_says_how_much(lab):
    """Some 100,000 packets a second: each is there, or counted as lost."""
    web, app = lab.run("web"), lab.run("app")
    lab.host.sh("true")
    counted = transmitted(app)
    blast = (
        "python3 -c \"import socket,time\ns=socket.socket(2,2); s.connect(('172.17.0.2',9)); n=0; end=time.time()+1\n"
        "while time.time()<end:\n try:\n  s.send(b'x'*64); n+=1\n except OSError: pass\n\""
    )
    with app.capture("udp port 9 and udp[4:2] = 72") as seen:
        app.sh(blast, check=True)
    sent = transmitted(app) - counted
    del web
    assert sent > 10_000
    assert len(seen) == seen.count
    assert abs(seen.count + seen.lost - sent) <= 20  # ARP, ICMP and such are in the interface's count too
    assert seen.lost < 0.01 * sent
    assert (f"{seen.lost} lost" in repr(seen)) == bool(seen.lost)


def transmitted(place):
    (link,) = json.loads(place.sh("ip -j -s link show eth0", check=True).stdout)
    return link["stats64"]["tx"]["packets"]
