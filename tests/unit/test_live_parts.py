"""The live diagram without a kernel: what is sent, what is marked, what folds, what a panel says."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from view_samples import MASQUERADE, docker_world

from netlab.changes.comparing import differences
from netlab.changes.difference import Changes
from netlab.errors import RequestError
from netlab.live import history, update
from netlab.live.packets import Move, Pace
from netlab.live.panel import panel
from netlab.live.session import MANY_ON_ONE_NETWORK, Session
from netlab.view.dot import to_dot
from netlab.view.elements import elements
from netlab.view.parts import draw_parts
from netlab.view.scene import NETWORK_PAINTS, Scene


def lab(count=3):
    """Return a lab with so many containers on docker0: c0, c1, …"""
    world = docker_world()
    for number in range(count):
        world.run(f"c{number}", f"172.17.0.{number + 2}/16", label="alpine")
    return world


class Deeds:
    """A lab in which nothing can be done."""

    def panel_lines(self, place, command):
        return f"netlab exec {place} -- {command}"

    def rules(self, _):
        return []

    def actions(self, *_):
        return []

    def act(self, *asked):
        asked[-1]({"command": "", "ok": False, "text": asked[2]})


def session(world, language="en"):
    sent = []
    return Session(world.snapshot(), language, Deeds(), sent.append), sent


def switched_off(world, place):
    """Return the lab with a container's eth0 switched off, and the signal gone at the other end."""
    snapshot = world.snapshot()
    here = snapshot.place(place)
    peer = here.interface("eth0").peer_name
    places = []
    for one in snapshot.places:
        names = {place: "eth0"}.get(one.name, peer)
        off = [
            replace(i, up=i.name != "eth0", carrier=False, state="down") if i.name == names else i
            for i in one.interfaces
        ]
        places.append(replace(one, interfaces=tuple(off)) if one.name in (place, here.host or "host") else one)
    return replace(snapshot, places=tuple(places))


# ── parts ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_parts_have_no_ids_and_every_element_is_named():
    drawing = draw_parts(to_dot(lab().snapshot()))
    text = "".join(part.fragment for part in drawing.parts.values())
    assert not re.search(r'\bid="', text.replace("data-id", "data"))
    assert 'data-id="interface/c0/eth0"' in text
    assert {"place/host", "place/c0", "around/interface/host/docker0", "title/place/host"} <= set(drawing.parts)


def test_parts_are_well_formed_and_begin_at_their_corner():
    drawing = draw_parts(to_dot(lab().snapshot()))
    left, top, wide, high = drawing.view_box
    for name, part in drawing.parts.items():
        ET.fromstring(part.fragment)  # noqa: S314 - our own
        assert left <= part.x <= left + wide, name
        assert top <= part.y <= top + high, name


def test_colours_are_variables_with_the_light_one_to_fall_back_on():
    text = "".join(part.fragment for part in draw_parts(to_dot(lab().snapshot())).parts.values())
    assert f"var(--netlab-network-1-line, {NETWORK_PAINTS[0].line})" in text
    assert f"var(--netlab-network-1-paper, {NETWORK_PAINTS[0].paper})" in text
    assert not re.search(r'(?:fill|stroke)="#', text)


@pytest.mark.parametrize(("count", "most"), [(3, 1), (6, 23), (8, 1), (12, 1), (30, 1)])
def test_nobody_moves_within_the_network_when_one_more_comes(count, most):
    """Boxes stay where they are relative to their host, and to their bridge; also when an address gets longer.

    With its second row a bridge gets room, once, for the line from one row to the next.
    """
    before, after = (draw_parts(to_dot(lab(number).snapshot())).parts for number in (count, count + 1))
    for home in ("place/host", "around/interface/host/docker0"):
        for name in ("place/c0", "place/c1", "place/c2"):
            old = before[name].x - before[home].x, before[name].y - before[home].y
            new = after[name].x - after[home].x, after[name].y - after[home].y
            assert new == pytest.approx(old, abs=most), name


def test_the_same_lab_gives_the_same_parts():
    assert draw_parts(to_dot(lab().snapshot())) == draw_parts(to_dot(lab().snapshot()))


# ── changes ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def applied(parts, message):
    """Return what a page has after a change."""
    parts = {name: list(one) for name, one in parts.items()} | message["parts"]
    for name, place in message["moved"].items():
        parts[name] = [*place, parts[name][2]]
    return {name: one for name, one in parts.items() if name not in message["gone"]}


@pytest.mark.parametrize(("before", "after"), [(3, 4), (4, 3), (0, 1), (6, 30)])
def test_a_change_makes_the_later_picture_of_the_earlier(before, after):
    old, new = (draw_parts(to_dot(lab(count).snapshot())) for count in (before, after))
    message = update.change(old, new, {}, {})
    assert applied(old.parts, message) == {name: list(one) for name, one in new.parts.items()}
    assert message["viewBox"] == list(new.view_box)


def test_an_unchanged_picture_needs_no_message():
    drawing = draw_parts(to_dot(lab().snapshot()))
    assert update.change(drawing, drawing, {"a": {}}, {"a": {}}) == {}


def test_a_link_that_goes_down_changes_only_what_shows_it():
    shown, sent = session(lab(12))
    shown.take(switched_off(lab(12), "c5"), 0)
    (message,) = sent
    assert "place/c5" in message["parts"]
    assert not [name for name in message["parts"] if re.fullmatch(r"place/c\d+", name) and name != "place/c5"]
    assert len(str(message["parts"])) < len(str(shown.whole()["parts"])) / 2
    assert "interface/c5/eth0" in message["marks"]["changed"]
    assert "c5" in message["entry"]["sentence"]
    assert (message["after"], message["revision"]) == (1, 2)


def test_nothing_is_sent_when_nothing_changed():
    shown, sent = session(lab())
    shown.take(lab().snapshot(), 0)
    assert sent == []


def test_an_element_that_stays_is_changed_whatever_came_or_went_in_it():
    before, after = lab(1).snapshot(), lab(1).snapshot()
    host = after.place("host")
    with_rule = replace(host, routes=())
    after = replace(after, places=tuple(with_rule if one.name == "host" else one for one in after.places))
    found = history.marks(Changes(differences(before, after)), {"place/host": {}}, {"place/host": {}})
    assert found == {"appeared": [], "changed": ["place/host"], "gone": []}


def test_the_history_is_bounded_and_in_order():
    shown, sent = session(lab(1))
    pictures = (switched_off(lab(1), "c0"), lab(1).snapshot())
    for number in range(history.MOST_STEPS + 20):
        shown.take(pictures[number % 2], 0)
    entries = shown.whole()["history"]
    assert len(entries) == history.MOST_STEPS
    assert [one["revision"] for one in entries] == sorted(one["revision"] for one in entries)
    shown.hear({"type": "picture", "view": "v", "revision": entries[0]["revision"]})
    assert sent[-1]["entry"] == entries[0]
    shown.hear({"type": "picture", "view": "v", "revision": 2})
    assert sent[-1] == {"type": "picture", "view": "v", "revision": 2, "missing": True}


def test_one_can_step_back_before_the_first_change():
    shown, sent = session(lab(1))
    shown.take(switched_off(lab(1), "c0"), 0)
    first, change = shown.whole()["history"]
    assert "switched off" in change["sentence"]
    assert first["commands"] == []
    shown.hear({"type": "picture", "view": "v", "revision": first["revision"]})
    assert sent[-1]["entry"] == first
    assert "DOWN" not in sent[-1]["parts"]["place/c0"][2]


def test_a_lab_that_began_anew_is_a_step_of_its_own():
    shown, sent = session(lab(1), "ja")
    shown.begin_anew(lab(2).snapshot())
    entry = shown.whole()["history"][-1]
    assert re.search(r"[ぁ-ん]", entry["sentence"])
    shown.hear({"type": "picture", "view": "v", "revision": entry["revision"]})
    assert "place/c1" in sent[-1]["parts"]


def test_sentences_come_in_the_language_of_the_session():
    english, japanese = session(lab(1)), session(lab(1), "ja")
    for shown, _ in (english, japanese):
        shown.take(switched_off(lab(1), "c0"), 0)
    assert english[1][0]["entry"]["sentence"] != japanese[1][0]["entry"]["sentence"]
    assert re.search(r"[ぁ-ん]", japanese[1][0]["entry"]["sentence"])


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"type": "nonsense"},
        {"type": "picture", "view": "v", "revision": "two"},
        {"type": "select", "view": "v", "id": 5},
        {"type": "select", "view": "v", "id": "interface/"},
        {"type": "select", "view": "v", "id": "link/a/b"},
        {"type": "fold", "id": "interface/host/nothing", "folded": True},
    ],
)
def test_a_message_that_makes_no_sense_does_no_harm(message):
    shown, sent = session(lab(1))
    shown.hear(message)
    assert all(one.get("missing") or one.get("gone") for one in sent)
    assert shown.revision == 1


# ── folding ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_folded_network_is_one_box_with_a_count_and_its_members_are_still_found():
    scene = Scene(lab(12).snapshot(), "en", folded=frozenset({"interface/host/docker0"}))
    drawing = draw_parts(to_dot(scene.snapshot, folded=scene.folded))
    assert "12 containers" in drawing.parts["fold/host/docker0"].fragment
    assert not [name for name in drawing.parts if name.startswith("place/c") and name != "place/client"]
    named = elements(scene, drawing)
    assert {named[f"place/c{number}"]["fold"] for number in range(12)} == {"fold/host/docker0"}
    assert "fold" not in named["place/host"]


def test_one_container_less_does_not_unfold_what_one_more_has_folded():
    shown, _ = session(lab(59))
    folded = []
    for count in (59, 60, 59, 49, 47):
        shown.take(lab(count).snapshot(), 0)
        folded.append("fold/host/docker0" in shown.whole()["parts"])
    assert folded == [False, True, True, True, False]


def test_who_is_on_two_networks_is_not_folded_with_one():
    world = lab(2)
    world.bridge("host", "br-blue", ["172.18.0.1/16"], "blue")
    world.join("host", "veth-blue", "c0", "eth1", master="br-blue", addresses=["172.18.0.2/16"])
    folded = {"interface/host/docker0"}
    parts = draw_parts(to_dot(world.snapshot(), folded=folded)).parts
    assert "place/c0" in parts
    assert "place/c1" not in parts


def test_a_folded_network_says_how_many_do_not_work():
    parts = draw_parts(to_dot(switched_off(lab(3), "c1"), folded={"interface/host/docker0"}, language="en")).parts
    assert "1 without a signal" in parts["fold/host/docker0"].fragment


def test_a_large_network_folds_by_itself_and_what_the_reader_chose_stays():
    shown, sent = session(lab(MANY_ON_ONE_NETWORK - 1))
    assert "place/c0" in shown.whole()["parts"]
    shown.take(lab(MANY_ON_ONE_NETWORK).snapshot(), 0)
    assert "fold/host/docker0" in shown.whole()["parts"]
    assert sent[-1]["foldable"] == [
        {"id": "interface/host/docker0", "name": "bridge", "count": MANY_ON_ONE_NETWORK, "folded": True}
    ]
    shown.hear({"type": "fold", "view": "v", "id": "fold/host/docker0", "folded": False})
    shown.take(lab(MANY_ON_ONE_NETWORK + 1).snapshot(), 0)
    assert "place/c0" in shown.whole()["parts"]


# ── published ports ──────────────────────────────────────────────────────────────────────────────────────────────────


def published(*texts):
    world = lab(2)
    world.rules("host", MASQUERADE, *texts)
    return world


def test_a_published_port_is_a_door_with_an_arrow_to_its_container():
    world = published("tcp dport 8080 counter dnat to 172.17.0.2:80")
    drawing = draw_parts(to_dot(world.snapshot()))
    assert ":8080" in drawing.parts["published/host/:8080"].fragment
    arrow, box = drawing.parts["to/published/host/:8080"], drawing.parts["place/c0"]
    (point,) = re.findall(r'points="[\d.-]+,[\d.-]+ ([\d.-]+),([\d.-]+)', arrow.fragment)
    wide = float(re.search(r'width="([\d.]+)"', box.fragment)[1])
    assert arrow.x + float(point[0]) == pytest.approx(box.x + wide, abs=1.5)
    assert box.y < arrow.y + float(point[1]) < box.y + 30
    named = elements(Scene(world.snapshot(), "en"), drawing)
    assert named["published/host/:8080"]["label"] == "published port :8080, to c0 port 80"


def test_a_port_for_nobody_in_the_lab_has_no_door():
    drawing = draw_parts(to_dot(published("tcp dport 8080 counter dnat to 192.0.2.9:80").snapshot()))
    assert not [name for name in drawing.parts if name.startswith("published/")]


# ── panels ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def panel_of(element, world=None, language="en"):
    return panel(Scene((world or lab()).snapshot(), language), element, Deeds().panel_lines, Deeds().rules)


def test_a_container_shows_its_tables_each_with_its_command():
    shown = panel_of("place/c0")
    commands = [one["command"] for one in shown["sections"]]
    assert commands == ["ip address", "ip route", "ip neigh", "nft list ruleset", "ss -tulnp", "ip netns pids c0"]
    assert shown["sections"][0]["line"] == "netlab exec c0 -- ip address"
    assert any("172.17.0.2/16" in row[4] for row in shown["sections"][0]["rows"])
    for section in shown["sections"]:
        assert all(len(row) == len(section["columns"]) for row in section["rows"])


def test_a_cable_shows_both_ends_with_names_and_numbers():
    snapshot = lab().snapshot()
    near = snapshot.place("c0").interface("eth0")
    element = f"link/c0/eth0/host/{near.peer_name}"
    titles = [one["title"] for one in panel_of(element)["sections"]]
    assert f"c0: eth0 (ifindex {near.index})" in titles
    assert f"host: {near.peer_name} (ifindex {near.peer_index})" in titles


def test_a_published_port_shows_its_own_rules_and_who_listens():
    world = published(
        "tcp dport 8080 counter dnat to 172.17.0.2:80",
        "ip daddr 172.17.0.2 tcp dport 80 counter accept",
        "tcp dport 9090 counter dnat to 172.17.0.3:80",
        "ip daddr 172.17.0.3 tcp dport 80 counter accept",
    )
    shown = panel_of("published/host/:8080", world)
    assert shown["title"] == ":8080 → c0:80"
    rules, listening = shown["sections"]
    assert [row[1] for row in rules["rows"]] == [
        "tcp dport 8080 counter dnat to 172.17.0.2:80",
        "ip daddr 172.17.0.2 tcp dport 80 counter accept",
    ]
    assert listening["command"] == "ss -tulnp"


def test_what_has_gone_says_so():
    assert panel_of("place/nobody")["gone"]
    assert panel_of("interface/c0/eth9")["gone"]


@pytest.mark.parametrize(
    "element", ["place/host", "place/c0", "interface/host/docker0", "interface/c0/eth0", "nat/host"]
)
def test_panels_have_no_english_words_in_japanese(element):
    for section in panel_of(element, language="ja")["sections"]:
        words = {section["title"], *section["columns"]} - {"", "MAC", "ifindex", "dev", "via", "src", "pid"}
        assert all(re.search(r"[ぁ-んァ-ヶ一-龠]", word) for word in words), words


# ── packets ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_packet_goes_by_the_names_that_a_student_knows():
    move = Move(["web", "web/eth0", "link/web/eth0/host/veth1", "published/host/:80"])
    assert move.message["steps"] == [
        "place/web",
        "interface/web/eth0",
        "link/web/eth0/host/veth1",
        "published/host/:80",
    ]


def test_packets_that_come_together_go_in_one_message():
    sent = []
    Pace(sent.append).add([Move(["place/c0", "place/c1"], f"ping {number}") for number in range(50)])
    (message,) = sent
    assert [one["label"] for one in message["moves"]] == [f"ping {number}" for number in range(50)]
    assert len({one["packet"] for one in message["moves"]}) == 50
    assert message["moves"][0]["steps"] == ["place/c0", "place/c1"]


@pytest.mark.parametrize("steps", [[], ["place/c0"], "place/c0", ["place/c0", 5]])
def test_a_packet_without_a_way_is_refused(steps):
    with pytest.raises(RequestError):
        Move(steps)


def test_a_packet_that_takes_no_time_is_refused():
    with pytest.raises(RequestError):
        Move(["place/c0", "place/c1"], duration=0)


def test_an_interface_is_described_with_both_ends_and_its_port_state():
    scene = Scene(lab().snapshot(), "en")
    named = elements(scene, draw_parts(to_dot(scene.snapshot)))
    peer = scene.snapshot.place("c0").interface("eth0").peer_name
    assert "other end" in named["interface/c0/eth0"]["label"]
    assert "port of docker0 forwarding" in named[f"interface/host/{peer}"]["label"]
    assert "172.17.0.2/16" in named["place/c0"]["label"]
    assert "172.17.0.1/16" in named["interface/host/docker0"]["label"]
