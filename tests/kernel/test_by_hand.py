"""Building by hand: each Python call leaves the kernel as the command that the manual puts beside it."""

from __future__ import annotations

import pytest
from outside import assert_same, difference, state

from netlab import Lab
from netlab.errors import NameTaken

pytestmark = pytest.mark.kernel

# In order, as a student builds: each Python line, and what is typed for it.
_PEER, _RULES = "ip link add name veth-red type veth peer name eth0 netns red", "nft -f - <<'EOF'\n{rules}\nEOF"
STEPS = [
    (lambda lab: lab.namespace("red"), "ip netns add red"),
    (lambda lab: lab.namespace("blue"), "ip netns add blue"),
    (lambda lab: lab.host.add_veth("veth-red", "eth0", peer_place=lab["red"]), _PEER),
    (lambda lab: lab.host.add_veth("veth-blue", "blue0"), "ip link add name veth-blue type veth peer name blue0"),
    (lambda lab: lab.host.link("blue0").move(lab["blue"]), "ip link set blue0 netns blue"),
    (lambda lab: lab["blue"].link("blue0").rename("eth0"), "ip -n blue link set blue0 name eth0"),
    (lambda lab: lab.host.add_bridge("br0"), "ip link add name br0 type bridge"),
    (lambda lab: lab.host.link("br0").set_mac("02:42:0a:00:00:fe"), "ip link set br0 address 02:42:0a:00:00:fe"),
    (lambda lab: lab.host.link("br0").up(), "ip link set br0 up"),
    (lambda lab: lab.host.link("veth-red").attach("br0").up(), "ip link set veth-red master br0; ip link set veth-red up"),
    (lambda lab: lab.host.link("veth-blue").attach(lab.host.link("br0")), "ip link set veth-blue master br0"),
    (lambda lab: lab.host.link("veth-blue").detach(), "ip link set veth-blue nomaster"),
    (lambda lab: lab.host.link("veth-blue").attach("br0").up(), "ip link set veth-blue master br0; ip link set veth-blue up"),
    (lambda lab: lab.host.link("br0").add_address("10.0.0.254/24"), "ip address add 10.0.0.254/24 broadcast + dev br0"),
    (lambda lab: lab["red"].link("eth0").add_address("10.0.0.1/24"), "ip -n red address add 10.0.0.1/24 broadcast + dev eth0"),
    (lambda lab: lab["red"].link("eth0").add_address("10.0.0.9/24"), "ip -n red address add 10.0.0.9/24 broadcast + dev eth0"),
    (lambda lab: lab["red"].link("eth0").remove_address("10.0.0.9/24"), "ip -n red address delete 10.0.0.9/24 dev eth0"),
    (lambda lab: lab["red"].link("eth0").up(), "ip -n red link set eth0 up"),
    (lambda lab: lab["red"].link("lo").up(), "ip -n red link set lo up"),
    (lambda lab: lab["red"].link("eth0").set_mtu(1400), "ip -n red link set eth0 mtu 1400"),
    (lambda lab: lab["blue"].link("eth0").add_address("10.0.0.2/24"),
     "ip -n blue address add 10.0.0.2/24 broadcast + dev eth0"),
    (lambda lab: lab["blue"].link("eth0").up(), "ip -n blue link set eth0 up"),
    (lambda lab: lab["blue"].link("eth0").down(), "ip -n blue link set eth0 down"),
    (lambda lab: lab["blue"].link("eth0").up(), "ip -n blue link set eth0 up"),
    (lambda lab: lab["red"].add_route("default", via="10.0.0.254"), "ip -n red route add default via 10.0.0.254"),
    (lambda lab: lab["red"].add_route("192.0.2.0/24", dev="eth0"), "ip -n red route add 192.0.2.0/24 dev eth0"),
    (lambda lab: lab["red"].remove_route("192.0.2.0/24"), "ip -n red route delete 192.0.2.0/24"),
    (lambda lab: lab["blue"].add_route("default", via="10.0.0.254", dev="eth0"),
     "ip -n blue route add default via 10.0.0.254 dev eth0"),
    (lambda lab: lab.host.sysctl("net.ipv4.ip_forward", 1), "sysctl -w net.ipv4.ip_forward=1"),
    (lambda lab: lab.host.nft(RULES), _RULES),
    (lambda lab: lab["blue"].nft("add table ip lesson"), "ip netns exec blue nft add table ip lesson"),
]  # fmt: skip

RULES = """
add table ip lesson
add chain ip lesson post { type nat hook postrouting priority srcnat; policy accept; }
add rule ip lesson post ip saddr 10.0.0.0/24 oifname != "br0" counter masquerade
"""
ENDINGS = [
    (lambda lab: lab["red"].remove_route("default"), "ip -n red route delete default"),
    (lambda lab: lab.host.link("veth-red").delete(), "ip link delete veth-red"),
    (lambda lab: lab.remove_namespace("blue"), "ip netns delete blue"),
    (lambda lab: lab.host.link("br0").delete(), "ip link delete br0"),
    (lambda lab: lab.host.nft("delete table ip lesson"), "nft delete table ip lesson"),
]


@pytest.fixture
def built(bare):
    for step, _ in STEPS:
        step(bare)
    return bare


def type_all(lab, steps):
    for _, command in steps:
        lab.host.sh(command.replace("{rules}", RULES.strip()), check=True)


def test_python_and_typed_commands_build_the_same(built):
    with Lab(docker=False) as typed:
        type_all(typed, STEPS)
        assert_same(lambda: state(built), lambda: state(typed))
        for step, _ in ENDINGS:
            step(built)
        type_all(typed, ENDINGS)
        assert_same(lambda: state(built), lambda: state(typed))


def test_what_was_built_works_as_a_network(built):
    assert built["red"].ping("10.0.0.2")
    assert built["red"].http("http://198.51.100.80").body.count("203.0.113.10"), "masquerade hides the namespace"


def test_the_commands_of_the_history_are_those_that_the_manual_shows(built):
    shown = [line for change in built.history for line in (op.command() for op in change.operations)]
    expected = [part for _, command in STEPS for part in command.replace("{rules}", RULES.strip()).split("; ip")]
    assert [line.replace("'", "") for line in shown] == [
        line.replace("'", "") if line.startswith(("ip", "nft", "sysctl")) else "ip" + line for line in expected
    ]


def test_replaying_the_commands_of_a_whole_lab_leaves_the_same_state(built):
    with Lab(docker=False) as fresh:
        fresh.host.sh("set -e\n" + repr(built.commands(all=True)), check=True)
        assert_same(lambda: state(built), lambda: state(fresh))


def test_replaying_the_commands_of_containers_leaves_the_same_network(lab, make_lab):
    """A replayed container is a namespace with a name. Docker's leave IPv6 off, for which no command is shown."""
    lab.run("web", image="nginx")
    lab.run_many(["c1", "c2", "c3"])
    lab.stop("c1")
    lab.start("c1")
    lab.rm("c2")
    other = make_lab()
    other.host.sh("set -e\n" + repr(lab.commands(all=True)), check=True)
    other.host.sh(
        "for name in $(ls /run/netns); do ip netns exec $name sysctl -w net.ipv6.conf.eth0.disable_ipv6=1; done"
    )
    assert_same(lambda: state(lab), lambda: state(other))


def test_commands_tells_the_last_change_and_on_request_all(bare):
    bare.namespace("red")
    bare.host.add_bridge("br0")
    assert list(bare.commands()) == ["ip link add name br0 type bridge"]
    assert list(bare.commands(all=True)) == ["ip netns add red", "ip link add name br0 type bridge"]
    assert [change.title for change in bare.history] == ["namespace red", "bridge br0"]


def test_a_refused_change_is_not_in_the_history(bare):
    before = state(bare)
    with pytest.raises(Exception, match="already"):
        bare.host.add_bridge("eth0")
    assert bare.history == []
    assert not difference(state(bare), before)


def test_a_namespace_typed_by_hand_is_a_place_like_others(bare):
    bare.host.sh("ip netns add typed; ip -n typed link set lo up", check=True)
    assert bare["typed"].ping("127.0.0.1")
    assert bare.host.sh("ip netns identify $$").stdout.strip() == ""
    bare.host.sh("ip netns delete typed", check=True)
    assert "typed" not in bare.places


def test_a_name_given_again_is_another_namespace(bare):
    red = bare.namespace("red")
    first = red.inode
    bare.host.sh("ip netns delete red; ip netns add other; ip netns add red; ip -n red link set lo up", check=True)
    bare.world.refresh()
    assert red.inode != first
    assert red.inode == int(bare.host.sh("ip netns exec red stat -Lc %i /proc/self/ns/net").stdout)
    assert "UP" in red.sh("ip link show lo").stdout


@pytest.mark.parametrize("number", [0, 1])
def test_a_name_typed_on_any_host_is_taken_until_it_is_deleted_there(make_lab, number):
    """Nobody has looked at the lab meanwhile; and what another name is for is no matter."""
    lab = make_lab(hosts=2)
    lab.hosts[number].sh("ip netns add web; ip netns add other", check=True)
    with pytest.raises(NameTaken, match="'web'"):
        lab.run("web")
    with pytest.raises(NameTaken, match="'web'"):
        lab.namespace("web")
    lab.hosts[number].sh("ip netns delete web", check=True)
    assert lab.run("web").running
    assert "other" in lab.places


def test_a_link_handle_follows_what_it_does_itself(bare):
    red = bare.namespace("red")
    left, right = bare.host.add_veth("left", "right")
    assert right.move(red).rename("eth0").place == "red"
    assert right.add_address("10.0.0.1/24").up().name == "eth0"
    left.delete()
    assert [link.name for link in red.interfaces] == ["lo"]
