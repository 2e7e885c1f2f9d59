"""What netlab reports is what the kernel has: compared with the answers of the kernel's own tools."""

from __future__ import annotations

import json

import pytest
from outside import ip, wait_until

pytestmark = pytest.mark.kernel


def ends(lab):
    """Return each veth's other end as netlab reports it: (place, name) by (place, name)."""
    return {
        (place.name, one.name): (one.peer_place, one.peer_name)
        for place in lab.snapshot().places
        for one in place.interfaces
        if one.kind == "veth"
    }


def test_interfaces_are_those_of_ip(shared):
    """Asked again until both say the same: addresses of IPv6 come by themselves, between one look and the other."""
    for place in shared.places.values():
        wait_until(lambda place=place: _as_seen(place) == _as_listed(place), what=f"{place.name}: as ip says")


def _as_seen(place):
    return [
        (
            one.name,
            one.index,
            one.kind,
            one.mtu,
            one.mac,
            one.up,
            one.carrier,
            one.master,
            [str(each) for each in one.addresses],
        )
        for one in place.interfaces
    ]


def _as_listed(place):
    return [
        (
            one["ifname"],
            one["ifindex"],
            one.get("linkinfo", {}).get("info_kind", "loopback"),
            one["mtu"],
            one.get("address", ""),
            "UP" in one["flags"],
            "LOWER_UP" in one["flags"],
            one.get("master"),
            [f"{each['local']}/{each['prefixlen']}" for each in one["addr_info"]],
        )
        for one in ip(place, "address")
    ]


def test_routes_are_those_of_ip(shared):
    for place in shared.places.values():
        listed = ip(place, "-4 route") + ip(place, "-6 route")
        seen = [(route.destination, route.gateway, route.interface) for route in place.routes]
        assert seen == [(_destination(one["dst"]), one.get("gateway"), one.get("dev")) for one in listed]


def _destination(said):
    """`ip` leaves out the length of a single address."""
    return said if said == "default" or "/" in said else f"{said}/{128 if ':' in said else 32}"


def test_route_kinds_are_told(shared):
    kinds = {route.destination: route.kind for route in shared["router"].routes}
    assert kinds["10.0.0.0/8"] == kinds["192.168.0.0/16"] == "blackhole"


def test_both_ends_of_every_cable_are_found(shared):
    seen = ends(shared)
    assert seen["web", "eth0"] == ("host", shared["web"].veth)
    assert seen["host", shared["web"].veth] == ("web", "eth0")
    assert seen["host", "eth0"][0] == "router"
    for end, other in seen.items():
        assert seen[other] == end


def test_equal_numbers_in_several_namespaces_do_not_mix_cables_up(bare):
    """Every cable has ends with the numbers 50 and 60, so numbers alone say nothing."""
    names = [f"n{number}" for number in range(4)]
    script = "".join(f"ip netns add {name}\n" for name in names)
    cables = [("n0", "n1"), ("n1", "n2"), ("n2", "n3"), ("n3", "n0")]
    for left, right in cables:
        script += f"ip -n {left} link add to-{right} index 50 type veth peer name to-{left} index 60 netns {right}\n"
    bare.host.sh("set -e\n" + script, check=True)
    seen = ends(bare)
    for left, right in cables:
        assert seen[left, f"to-{right}"] == (right, f"to-{left}")
        assert seen[right, f"to-{left}"] == (left, f"to-{right}")


def test_both_ends_in_one_place_are_found(bare):
    bare.host.add_veth("left", "right")
    assert ends(bare)["host", "left"] == ("host", "right")


def test_an_end_that_nobody_in_the_lab_has_is_told_as_nowhere(bare):
    """The namespace lives on with its process only, without a name."""
    bare.host.sh("ip netns add secret; ip link add left type veth peer name right netns secret", check=True)
    bare.host.sh("ip netns exec secret setsid sleep 100 &", check=True)
    wait_until(lambda: bare.host.sh("ip netns pids secret").stdout)
    bare.host.sh("ip netns delete secret", check=True)
    (left,) = [one for one in bare.host.interfaces if one.name == "left"]
    assert (left.kind, left.peer_place, left.peer_name) == ("veth", None, None)
    assert bare.show().svg


def test_namespaces_typed_by_hand_are_places(bare):
    bare.host.sh("ip netns add typed", check=True)
    state = bare.snapshot().place("typed")
    assert (state.kind, state.host) == ("namespace", "host")
    assert state.inode == int(bare.host.sh("ip netns exec typed stat -Lc %i /proc/self/ns/net").stdout)


def test_a_bridge_learns_and_netlab_tells(lab):
    web, box = lab.run("web"), lab.run("box")
    assert web.ping(box)
    said = json.loads(lab.host.sh("bridge -j fdb show br docker0", check=True).stdout)
    listed = {(one["mac"], one["ifname"]) for one in said if one.get("state") != "permanent" and "master" in one}
    learned = {(one.mac, one.interface) for one in lab.host.forwarding if one.learned}
    assert learned == listed
    assert {web.veth, box.veth} <= {port for _, port in learned}
    assert {one.bridge for one in lab.host.forwarding if one.learned} == {"docker0"}


def test_neighbours_are_those_of_ip(lab):
    web, box = lab.run("web"), lab.run("box")
    assert web.ping(box)
    (said,) = [one for one in json.loads(web.sh("ip -j neigh").stdout) if one["dst"] == box.address]
    (seen,) = [one for one in web.neighbours if one.address == box.address]
    assert (seen.mac, seen.interface) == (said["lladdr"], "eth0")
    assert seen.state in ("reachable", "stale", "delay", "probe")
    assert web.ping("172.17.0.99").ok is False
    wait_until(lambda: {one.address: one.state for one in web.neighbours}["172.17.0.99"] in ("failed", "incomplete"))


def test_listening_sockets_are_those_of_ss_with_their_processes(shared):
    (four,) = [one for one in shared["web"].sockets if one.address == "0.0.0.0"]
    assert (four.protocol, four.port, four.process) == ("tcp", 80, "nginx")
    assert four.pid == next(one.pid for one in shared["web"].processes if one.name == "nginx")
    assert {(one.protocol, one.port) for one in shared["dns"].sockets} == {("udp", 53), ("tcp", 53)}
    assert list(shared["box"].sockets) == []


def test_a_server_started_by_hand_shows_up(lab):
    box = lab.run("box")
    box.sh("setsid nc -l 9000 >/dev/null 2>&1 &")
    wait_until(lambda: [one for one in box.sockets if one.port == 9000 and one.process == "nc"])
    assert "nc" in [one.name for one in box.processes]


def test_rules_are_those_of_nft_with_handles_and_counters(lab):
    lab.host.nft('add table ip t\nadd chain ip t c\nadd rule ip t c ip saddr 10.0.0.1 counter drop comment "why"')
    said = json.loads(lab.host.sh("nft -j list table ip t").stdout)["nftables"]
    (handle,) = [one["rule"]["handle"] for one in said if "rule" in one]
    (rule,) = [one for one in lab.host.rules if one.table == "t"]
    assert (rule.chain, rule.handle, rule.packets, rule.comment) == ("c", handle, 0, "why")
    assert rule.text == "ip saddr 10.0.0.1 counter drop"


def test_a_switch_that_is_off_a_cable_that_is_dead_and_a_port_are_told_apart(bare):
    left, right = bare.host.add_veth("left", "right")
    bare.host.add_bridge("br0").up()
    left.attach("br0").up()

    def seen(name):
        return next(one for one in bare.host.interfaces if one.name == name)

    assert (seen("left").up, seen("left").carrier, seen("left").works) == (True, False, False)
    assert seen("right").up is False
    right.up()
    wait_until(lambda: seen("left").works and seen("left").port_state == "forwarding")
    assert seen("left").state == "up"
    assert seen("left").master == "br0"


def test_forwarding_is_read_in_each_place(lab):
    box = lab.run("box")
    assert (lab.host.ip_forward, lab["router"].ip_forward, lab["client"].ip_forward) == (True, True, False)
    assert box.ip_forward == (box.sh("sysctl -n net.ipv4.ip_forward").stdout.strip() == "1")
    assert lab.host.sysctl("net.ipv4.ip_forward") == "1"
    lab.host.sysctl("net.ipv4.ip_forward", 0)
    assert lab.host.ip_forward is False


def test_processes_are_those_of_the_namespace(lab):
    box = lab.run("box")
    box.sh("setsid sleep 100 & true")
    wait_until(lambda: "sleep 100" in [one.command for one in box.processes])
    pids = {int(pid) for pid in lab.host.sh("ip netns pids box").stdout.split()}
    assert {one.pid for one in box.processes} == pids


def test_processes_are_listed_however_long_the_list(lab):
    """The list of a thousand containers is longer than any message between netlab and its sandbox."""
    for number in range(4):
        lab.run(f"box{number}", command=["sh", "-c", "sleep 1000000; true", "x" * 60_000])
    for number in range(4):
        box = lab[f"box{number}"]
        wait_until(lambda box=box: any(len(one.command) > 60_000 for one in box.processes))


def test_a_namespace_whose_name_was_deleted_is_gone_at_once_with_its_cables(lab):
    """The kernel keeps a namespace as long as somebody holds it: the lab must not, once its name is deleted."""
    lab.host.sh("ip netns add room; ip link add here type veth peer name there netns room", check=True)
    assert "room" in lab.places  # and from now on the lab holds it
    lab.host.sh("ip netns delete room", check=True)
    wait_until(lambda: "here" not in lab.host.sh("ip -br link").stdout, what="the cable went with its other end")
    assert "room" not in lab.places
