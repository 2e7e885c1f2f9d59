"""The picture, as graphviz source."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest
from view_samples import (
    SAMPLES,
    World,
    by_hand,
    chapter_one,
    docker_world,
    drivers,
    interface,
    lone_namespace,
    switch_namespace,
    two_hosts,
    two_namespaces,
    two_networks,
)

from netlab.model import Snapshot
from netlab.view.dot import to_dot
from netlab.view.labels import escape
from netlab.view.scene import NETWORK_PAINTS
from netlab.view.words import INTERNET_KINDS

needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="graphviz is not installed")


def graph(dot):
    """Return what graphviz makes of the source: the picture's size and the nodes' places, in inches."""
    done = subprocess.run(["dot", "-Tplain"], input=dot, capture_output=True, text=True, check=True, timeout=60)
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    width, height = map(float, lines[0].split()[2:4])
    found = {}
    for line in lines:
        if match := re.match(r'node "?(.+?)"? (-?[\d.e]+) (-?[\d.e]+) [\d.e]+ [\d.e]+ ', line):
            found[match[1]] = (float(match[2]), float(match[3]))
    return width, height, found


@pytest.mark.parametrize("name", SAMPLES)
def test_shows_every_interface_outside_the_internet(name):
    """Every interface but an everyday lo, and every global address, is in the picture."""
    snapshot = SAMPLES[name]()
    dot = to_dot(snapshot, language="en")
    seen = set()
    for place in snapshot.places:
        if place.kind in INTERNET_KINDS or place.inode in seen:
            continue
        seen.add(place.inode)
        for one in place.interfaces:
            if one.kind == "loopback":
                continue
            assert escape(one.name) in dot
            assert escape(f"interface/{place.name}/{one.name}") in dot
            assert all(str(each) in dot for each in one.addresses if each.scope == "global")
    assert "fe80::" not in dot


@pytest.mark.parametrize("name", SAMPLES)
@needs_dot
def test_graphviz_draws_it_without_a_complaint(name):
    """Whatever is in the lab, dot accepts the source and warns of nothing."""
    graph(to_dot(SAMPLES[name](), language="ja"))


def test_same_snapshot_same_picture():
    """Nothing in the source depends on chance."""
    assert to_dot(two_networks(), language="en") == to_dot(two_networks(), language="en")


def test_down_is_a_word_and_a_shape_too():
    """A reader who sees no colours sees DOWN, a cross and a dashed outline; the other end says that it has no signal."""
    dot = to_dot(two_networks(), language="en")
    assert "DOWN ✕" in dot
    assert "no signal ✕" in dot
    assert "rounded,dashed" in dot
    assert re.search(r'id="link/api/eth0/[^]]*class="link broken"[^]]*style="dashed"', dot)


def test_a_working_lab_has_no_mark_of_trouble():
    """Nothing is crossed out when everything works."""
    dot = to_dot(chapter_one(), language="en")
    assert "✕" not in dot
    assert "broken" not in dot


def test_lo_is_shown_only_where_it_teaches():
    """A namespace that has only lo shows it, DOWN; a container does not bother the reader with it."""
    assert "interface/red/lo" in to_dot(lone_namespace())
    assert "/lo" not in to_dot(chapter_one())


def test_nat_is_read_from_the_rules():
    """Without rules there is no note; with them it says in words what they do."""
    dot = to_dot(chapter_one())
    assert "NAT 172.17.0.0/16 → 203.0.113.10" in dot
    assert ":8080 → web:80" in dot
    assert "nat/host" not in to_dot(lone_namespace())


def test_says_who_listens_where():
    """Open ports stand in the box of the container."""
    assert "listens :80" in to_dot(chapter_one(), language="en")
    assert "待ち受け :80" in to_dot(chapter_one(), language="ja")


def test_each_network_has_a_colour_of_its_own():
    """Two bridges, two colours; neither means trouble or NAT."""
    dot = to_dot(two_networks())
    assert NETWORK_PAINTS[0].line in dot
    assert NETWORK_PAINTS[1].line in dot
    assert NETWORK_PAINTS[2].line not in dot


def test_namespaces_joined_directly_stand_side_by_side():
    """A cable between two bare namespaces is a line between their two interfaces."""
    dot = to_dot(two_namespaces())
    assert re.search(r'"place/red":i\d+:e -> "place/blue":i\d+:w', dot)


def test_a_half_built_lab_is_drawn_as_it_is():
    """A cable inside one place, an unknown other end, a bridge without an address."""
    dot = to_dot(by_hand(), language="en")
    assert "link/host/left/host/right" in dot
    assert "link/blue/a/blue/b" in dot
    assert "other end unknown" in dot
    assert "br0" in dot


def test_a_namespace_with_a_bridge_is_a_room():
    """Its bridge has sockets, and the others hang from them."""
    dot = to_dot(switch_namespace())
    assert 'subgraph "cluster/place/switch"' in dot
    assert "interface/switch/to-red" in dot
    assert "ip_forward = 0" in dot


def test_a_tunnel_joins_two_hosts():
    """VXLAN interfaces that send to each other's host are joined; others are not."""
    assert "tunnel/4097/host2/vxlan1" in to_dot(two_hosts())
    world = World()
    world.put("host", interface("vxlan1", 90, "vxlan", details=(("id", "7"), ("remote", "192.0.2.1"))))
    assert "tunnel/" not in to_dot(world.snapshot())


def test_says_what_a_driver_does_to_a_container():
    """A container on the host's network, one without any, one on a macvlan."""
    dot = to_dot(drivers(), language="en")
    assert "uses host&#x27;s network" in dot
    assert "interface/fast/" not in dot
    assert "network switched off" in dot
    assert "parent/mac/eth0" in dot


def test_an_empty_lab_says_so():
    """Even nothing gives a picture."""
    assert "nothing here yet" in to_dot(Snapshot("lab"), language="en")
    assert "まだ何もありません" in to_dot(Snapshot("lab"), language="ja")


def test_highlight_marks_a_place_or_an_interface():
    """What the caller points at has a thick outline."""
    plain = to_dot(chapter_one())
    assert plain != to_dot(chapter_one(), highlight=["web"]) != to_dot(chapter_one(), highlight=["web/eth0"])
    assert 'BORDER="3"' not in plain
    assert 'BORDER="3"' in to_dot(chapter_one(), highlight=["web/eth0"])


@pytest.mark.parametrize("count", [1, 5, 29])
@needs_dot
def test_adding_a_container_does_not_reorder_the_others(count):
    """The order from left to right and from top to bottom stays when one more container comes."""

    def order(containers):
        _, _, nodes = graph(to_dot(docker_world(containers).snapshot()))
        names = [name for name in nodes if name.startswith("place/c") and name != "place/client"]
        return sorted(names, key=lambda name: (-round(nodes[name][1], 1), nodes[name][0]))

    before = order(count)
    assert before == [f"place/c{number + 1}" for number in range(count)]
    assert order(count + 1) == [*before, f"place/c{count + 1}"]


@pytest.mark.parametrize(("count", "widest"), [(2, 6), (30, 15), (100, 22)])
@needs_dot
def test_keeps_a_sane_shape(count, widest):
    """Two, thirty or a hundred containers: neither a ribbon nor a tower."""
    width, height, _ = graph(to_dot(docker_world(count).snapshot()))
    assert 0.5 < width / height < 2
    assert width < widest  # inches
