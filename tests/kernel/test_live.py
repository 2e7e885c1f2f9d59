"""The live diagram: whatever changes in the kernel reaches the page, nothing runs for nothing, and nothing is left behind."""

from __future__ import annotations

import gc
import os
import threading
import time
import warnings
from pathlib import Path

import pytest
from live_reader import WAIT, Page
from outside import Traces

from netlab import Lab

BY_HAND = {
    "a link down": ("web", "ip link set eth0 down", ("web", "eth0", "off")),
    "an address": ("web", "ip address add 10.9.9.9/24 dev eth0", ("10.9.9.9/24",)),
    "an IPv6 address": ("host", "ip address add fd00:9::9/64 dev eth0 nodad", ("fd00:9::9/64",)),
    "a route": ("web", "ip route add 10.10.0.0/16 via 172.17.0.1", ("10.10.0.0/16",)),
    "an IPv6 route": ("host", "ip -6 route add blackhole fd00:8::/64", ("fd00:8::/64",)),
    "a bridge": ("host", "ip link add br7 type bridge", ("br7", "appeared")),
    "a rule": ("host", "nft add table ip t; nft 'add chain ip t c'; nft add rule ip t c drop", ("rule", "drop")),
    "forwarding": ("host", "sysctl -qw net.ipv4.ip_forward=0", ("host", "no packets on")),
    "a namespace": ("host", "ip netns add red", ("namespace red appeared",)),
    "a veth pair": (
        "host",
        "ip netns add red; ip link add to-red type veth peer name eth0 netns red",
        ("to-red", "appeared"),  # as one cable, or on a busy machine first the end that is on the host
    ),
    "a name gone": ("host", "ip netns add red; ip netns delete red; ip netns add blue", ("namespace blue appeared",)),
    "MTU": ("web", "ip link set eth0 mtu 1400", ("eth0", "1400")),
    "a server": ("web", "(nc -lk -p 4444 >/dev/null 2>&1 &) ; ip address add 10.1.1.1/32 dev lo", ("4444",)),
}


def wait_until(condition, what):
    deadline = time.monotonic() + WAIT
    while not condition():
        assert time.monotonic() < deadline, f"not within {WAIT:g} s: {what}"
        time.sleep(0.01)


def live_threads():
    return [one for one in threading.enumerate() if one.name.startswith("netlab live")]


def descriptors():
    return sorted(str(one.readlink()) for one in Path("/proc/self/fd").iterdir() if one.is_symlink())


@pytest.fixture
def page(lab):
    lab.run("web")
    one = Page(lab)
    one.wait_for(lambda: one.state == "live" and "place/web" in one.parts, "the first picture")
    return one


@pytest.mark.parametrize(("place", "command", "words"), BY_HAND.values(), ids=BY_HAND)
def test_what_is_typed_by_hand_is_told(lab, page, place, command, words):
    """Each kind of change, made by a command in a terminal, comes by itself."""
    lab[place].sh(command, check=True)
    page.wait_for_sentence(*words)


def test_containers_come_and_go(lab, page):
    lab.run("db")
    page.wait_for_sentence("container db appeared")
    assert "place/db" in page.parts
    lab.rename("db", "store")
    page.wait_for(lambda: "place/store" in page.parts and "place/db" not in page.parts, "the new name")
    lab.rm("store")
    page.wait_for_sentence("container store went")
    assert "place/store" not in page.parts


def test_a_server_that_starts_after_its_container_is_seen(lab, page):
    """Nothing tells when a process begins to listen; a second look soon after finds it."""
    lab.run("shop", image="nginx")
    page.wait_for(lambda: "listens :80" in page.parts.get("place/shop", ["", "", ""])[2], "the web server listens")


def test_a_page_that_applies_every_change_has_what_a_new_one_gets(lab, page):
    """Parts, places, order and names: nothing is lost on the way."""
    lab.run("db", publish="8080:80")
    lab.network("blue")
    lab.connect("blue", "db")
    lab["web"].sh("ip link set eth0 down")
    lab.host.sh("ip netns add red")
    lab.rm("web")
    page.wait_for(lambda: "place/red" in page.parts and "place/web" not in page.parts, "the last change")
    page.wait_for(lambda: not _differs(page), "the same as a new page")
    assert page.missed == 0
    revisions = [one["revision"] for one in page.of("change")]
    assert revisions == list(range(revisions[0], revisions[0] + len(revisions)))


def _differs(page):
    """Whether what the page has is not what the session would send as a whole."""
    whole = page.session.whole()
    return (page.parts, page.order, page.elements) != (whole["parts"], whole["order"], whole["elements"])


def test_a_missed_change_is_made_good(lab, page):
    page.revision -= 1  # as if one had been lost
    lab["web"].sh("ip link set eth0 down")
    page.wait_for(lambda: page.missed > 0, "a change that cannot be applied")
    page.ask("whole")
    page.wait_for(lambda: "DOWN" in page.parts["place/web"][2], "the whole picture")
    assert not _differs(page)


def test_a_burst_is_told_together(lab, page):
    """A hundred addresses do not make a hundred messages: at most 20 a second."""
    before, begun = len(page.of("change")), time.monotonic()
    lab["web"].sh("for i in $(seq 100); do ip address add 10.9.9.$i/32 dev eth0; done", check=True)
    page.wait_for(lambda: "10.9.9.100/32" in page.text, "the last address")
    assert len(page.of("change")) - before <= 20 * (time.monotonic() - begun) + 1


def test_earlier_steps_can_be_seen_again(lab, page):
    lab["web"].sh("ip link set eth0 down")
    told = "web: eth0 was switched off."
    page.wait_for_sentence(told)
    changes = [one for one in page.of("change") if one["entry"]]
    step = next(one["revision"] for one in changes if told in one["entry"]["sentences"])
    lab.rm("web")
    page.wait_for_sentence("container web went")
    page.ask("picture", revision=step)
    picture = page.of("picture")[-1]
    assert "DOWN" in picture["parts"]["place/web"][2]
    assert "interface/web/eth0" in picture["marks"]["changed"]
    page.ask("picture", revision=100_000)
    assert page.of("picture")[-1]["missing"]


def test_nothing_runs_while_nothing_changes(page):
    """No wake-up and no processor time in two seconds, once the network has calmed down."""
    (thread,) = live_threads()

    def effort():
        fields = Path(f"/proc/self/task/{thread.native_id}/stat").read_text().rpartition(")")[2].split()
        return page.feed.wakeups, int(fields[11]) + int(fields[12])

    for _ in range(30):  # duplicate address detection and the like take a few seconds
        before = effort()
        time.sleep(2)
        if effort() == before:
            return
    pytest.fail(f"the thread never rests: {before} {effort()}")


def test_closing_leaves_no_thread_and_no_descriptor(make_lab):
    lab = make_lab()
    before = descriptors()
    lab.run("web")
    page = Page(lab)
    assert len(live_threads()) == 1
    traces = Traces(lab)
    lab.close()
    page.wait_for(lambda: page.state == "closed", "the end")
    wait_until(lambda: not live_threads(), "the thread has ended")
    traces.wait_until_gone()
    lab = page = None
    gc.collect()
    assert [one for one in descriptors() if "eventpoll" in one or "eventfd" in one or "inotify" in one] == [
        one for one in before if "eventpoll" in one or "eventfd" in one or "inotify" in one
    ]
    assert len(descriptors()) <= len(before)


def test_what_was_last_seen_of_a_closed_lab_can_be_asked_for(make_lab):
    lab = make_lab()
    lab.run("web")
    page = Page(lab)
    lab["web"].sh("ip link set eth0 down")
    page.wait_for_sentence("web", "eth0", "off")
    lab.close()
    page.wait_for(lambda: page.state == "closed", "the end")
    page.ask("whole")
    page.ask("select", id="place/web")
    assert page.state == "closed"
    assert "DOWN" in page.parts["place/web"][2]
    panel = page.of("panel")[-1]
    assert panel["title"] == "web"
    assert panel["actions"] == []


def test_the_end_of_the_sandbox_is_told(make_lab):
    lab = make_lab()
    page = Page(lab)
    os.kill(lab.world.sandbox.pid, 9)
    page.wait_for(lambda: page.state == "closed", "the end")
    wait_until(lambda: not live_threads(), "the thread has ended")


def test_a_reset_lab_goes_on_in_the_same_view(lab, page):
    lab.reset()
    page.wait_for(lambda: "place/web" not in page.parts and page.state == "live", "the new lab")
    lab.run("db")
    page.wait_for_sentence("container db appeared")


def test_nothing_runs_without_a_view(lab, page):
    page.ask("bye")
    wait_until(lambda: not live_threads(), "the thread has ended")
    lab.run("db")
    page.ask("whole")
    page.wait_for(lambda: "place/db" in page.parts, "what has happened meanwhile")
    assert len(live_threads()) == 1


def test_two_views_of_one_lab_speak_two_languages(lab, page):
    other = Page(lab, "ja", "other")
    assert len(live_threads()) == 1
    lab["web"].sh("ip link set eth0 down")
    page.wait_for_sentence("web", "eth0", "off")
    other.wait_for(lambda: bool(other.sentences), "a sentence in Japanese")
    assert not set(other.sentences) & set(page.sentences)
    assert page.parts.keys() == other.parts.keys()


def test_two_labs_do_not_mix(make_lab, lab, page):
    second = make_lab()
    other = Page(second)
    second.run("only-here")
    other.wait_for_sentence("only-here")
    assert "only-here" not in page.text
    lab["web"].sh("ip link set eth0 down")
    page.wait_for_sentence("web", "eth0", "off")
    assert other.sentences == [one for one in other.sentences if "web" not in one]


def test_a_lab_that_nobody_holds_takes_its_thread_with_it():
    lab = Lab()
    page = Page(lab)
    traces = Traces(lab)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        del lab, page
        wait_until(lambda: gc.collect() >= 0 and not live_threads(), "the thread has ended")
        wait_until(lambda: any(one.category is ResourceWarning for one in told), "the warning that it was never closed")
    traces.wait_until_gone()


def test_a_fork_holds_nothing_of_the_watch(lab, page):
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        found = [one for one in descriptors() if "eventpoll" in one or "inotify" in one]
        os.write(writer, repr(found).encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reader, 1 << 16) == b"[]"
    os.close(reader)
    os.close(writer)
    lab["web"].sh("ip link set eth0 down")  # and we still hear
    page.wait_for_sentence("web", "eth0", "off")


def test_a_button_does_what_its_command_says(lab, page):
    page.ask("select", id="interface/web/eth0")
    (button,) = [one for one in page.of("panel")[-1]["actions"] if one["action"].startswith("down")]
    assert (button["command"], button["where"], button["kind"]) == ("ip link set eth0 down", "web", "run")
    page.ask("act", id="interface/web/eth0", action=button["action"])
    page.wait_for(lambda: bool(page.of("outcome")), "the outcome")
    assert page.of("outcome")[-1]["ok"]
    assert "DOWN" in lab["web"].sh("ip -brief link show dev eth0").stdout
    page.wait_for(
        lambda: any(one["action"].startswith("up") for one in page.of("panel")[-1]["actions"]), "the other button"
    )


def test_every_button_of_a_container_works(lab, page):
    lab.network("blue")
    for action, check in (
        ("connect blue", lambda: len(lab["web"].interfaces) == 3),
        ("disconnect blue", lambda: len(lab["web"].interfaces) == 2),
        ("stop", lambda: lab.containers["web"].status == "exited"),
        ("start web", lambda: lab.containers["web"].status == "running"),
    ):
        seen = len(page.of("outcome"))
        page.ask("select", id="place/web")
        page.wait_for(lambda name=action: name in [one["action"] for one in page.of("panel")[-1]["actions"]], action)
        page.ask("act", id="place/web", action=action)
        page.wait_for(lambda seen=seen: len(page.of("outcome")) > seen, action)
        assert page.of("outcome")[-1]["ok"], page.of("outcome")[-1]
        assert check(), action


def test_a_refused_button_says_why(page):
    page.ask("act", id="interface/web/eth0", action="no such thing")
    assert not page.of("outcome")[-1]["ok"]
    assert page.of("outcome")[-1]["text"]


def test_the_lines_of_a_panel_show_what_it_shows(lab, page):
    """Every line of a panel, typed into a terminal of the machine, runs and says what the panel's rows say."""
    page.ask("select", id="place/host")
    for section in page.of("panel")[-1]["sections"]:
        done = lab.host.sh(section["command"])
        assert done.returncode == 0, (section["command"], done.stderr)
        if section["command"] == "ip route":
            assert section["rows"]
            assert all(row[0] in done.stdout for row in section["rows"])
    page.ask("select", id="interface/host/docker0")
    for section in page.of("panel")[-1]["sections"]:
        assert lab.host.sh(section["command"]).returncode == 0, section["command"]


def test_a_neighbour_shows_in_the_panel_without_a_step(lab, page):
    page.ask("select", id="place/web")
    steps = len(page.sentences)
    lab["web"].ping("172.17.0.1")
    page.wait_for(
        lambda: any("172.17.0.1" in str(one["sections"][2]["rows"]) for one in page.of("panel")), "the neighbour"
    )
    assert not [one for one in page.sentences[steps:] if "172.17.0.1" in one]


def test_a_large_network_is_folded_and_unfolds(lab):
    lab.run_many([f"c{number}" for number in range(60)])
    page = Page(lab)
    fold = "fold/host/docker0"
    assert fold in page.parts
    assert "place/c7" not in page.parts
    assert page.elements["place/c7"]["fold"] == fold
    assert "60 containers" in page.parts[fold][2]
    page.ask("fold", id=fold, folded=False)
    page.wait_for(lambda: "place/c7" in page.parts and fold not in page.parts, "all of them")
    assert "fold" not in page.elements["place/c7"]


def test_rules_inside_a_container_are_in_its_panel_and_changes_of_them_are_heard(lab, page):
    page.ask("select", id="place/web")
    lab["web"].sh("nft add table ip own; nft 'add chain ip own c'; nft add rule ip own c drop", check=True)

    def rules():
        return next(one for one in page.of("panel")[-1]["sections"] if one["title"] == "Rules")["rows"]

    page.wait_for(lambda: ["ip own c", "drop", ""] in rules(), "the rule")
    lab["web"].sh("nft delete table ip own", check=True)
    page.wait_for(lambda: ["ip own c", "drop", ""] not in rules(), "no rule")
