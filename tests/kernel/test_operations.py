"""Every operation leaves the kernel as its command does when it is typed, and its inverse takes it back."""

from __future__ import annotations

import inspect
from dataclasses import dataclass

import pytest
from outside import assert_same, difference, state

from netlab import Lab, ops

pytestmark = pytest.mark.kernel

# What is there before each operation: two namespaces, a bridge, and a veth pair with one end in a namespace.
SETUP = """
ip netns add red
ip netns add blue
ip link add name br0 address 02:42:00:00:00:01 up type bridge
ip link add name veth-red address 02:42:00:00:00:02 type veth peer name eth0 address 02:42:00:00:00:03 netns red
"""
UP = "ip link set veth-red up; ip -n red link set eth0 up"
ADDRESSED = f"{UP}; ip -n red address add 10.0.0.2/24 broadcast + dev eth0"

TUNNEL = "ip link add name vxlan0 netns blue type vxlan id 4097 dstport 4789 proxy l2miss l3miss"
KNOWN = (
    "bridge -n blue fdb add 02:42:0a:00:01:03 dev vxlan0 dst 203.0.113.11 self permanent; "
    "ip -n blue neigh add 10.0.1.3 lladdr 02:42:0a:00:01:03 dev vxlan0 nud permanent"
)


@dataclass(frozen=True)
class Case:
    """An operation, and what must be there before it besides SETUP."""

    operation: ops.Operation
    before: str = ""
    returns: bool = True  # whether the inverse brings back all that was there

    def __str__(self) -> str:
        return self.operation.command().splitlines()[0]


CASES = [
    Case(ops.AddNamespace("host", "green")),
    Case(ops.DeleteNamespace("host", "blue"), returns=False),
    Case(ops.AddVeth("host", "a", "b", mac="02:42:00:00:00:0a", peer_mac="02:42:00:00:00:0b")),
    Case(ops.AddVeth("host", "a", "eth0", "blue", mac="02:42:00:00:00:0a", peer_mac="02:42:00:00:00:0b")),
    Case(ops.AddVeth("red", "a", "b", "blue", index=70, peer_index=80, mtu=1400)),
    Case(ops.AddVeth("host", "a", "eth9", "blue", index=71, peer_index=72, mtu=9000, master="br0", up=True)),
    Case(ops.AddVeth("red", "a", "b", "host")),
    Case(ops.AddVeth("host", "a", "eth9", "blue", queues=1)),
    Case(ops.AddBridge("host", "br1")),
    Case(ops.AddBridge("red", "br1", index=77, mac="02:42:00:00:00:0c", up=True)),
    Case(ops.AddMacvlan("host", "eth9", "eth0", "blue", index=73, mac="02:42:00:00:00:0e")),
    Case(ops.AddMacvlan("host", "more0", "eth0", "host", mac="02:42:00:00:00:0f", mode="private")),
    Case(ops.AddVxlan("host", "vxlan0", "blue", 4097, 4789, 1450)),
    Case(ops.AddVxlan("red", "vxlan0", "red", 5, 4790, proxy=False)),
    Case(ops.AddForwarding("blue", "vxlan0", "02:42:0a:00:01:02", "203.0.113.11"), TUNNEL),
    Case(ops.DeleteForwarding("blue", "vxlan0", "02:42:0a:00:01:03", "203.0.113.11"), f"{TUNNEL}; {KNOWN}"),
    Case(ops.AddNeighbour("blue", "vxlan0", "10.0.1.2", "02:42:0a:00:01:02"), TUNNEL),
    Case(ops.DeleteNeighbour("blue", "vxlan0", "10.0.1.3", "02:42:0a:00:01:03"), f"{TUNNEL}; {KNOWN}"),
    Case(ops.DeleteLink("host", "veth-red"), returns=False),
    Case(ops.DeleteLink("host", "br0"), returns=False),
    Case(ops.SetUp("red", "lo"), returns=False),
    Case(ops.SetUp("host", "veth-red")),
    Case(ops.SetUp("red", "eth0"), "ip link set veth-red up"),
    Case(ops.SetDown("host", "veth-red"), UP),
    Case(ops.SetMaster("host", "veth-red", "br0")),
    Case(ops.SetMaster("host", "veth-red", None), "ip link set veth-red master br0", returns=False),
    Case(ops.MoveLink("host", "veth-red", "blue")),
    Case(ops.MoveLink("red", "eth0", "blue"), ADDRESSED, returns=False),
    Case(ops.MoveLink("red", "inner", "host"), "ip -n red link set eth0 name inner", returns=False),
    Case(ops.RenameLink("host", "veth-red", "cable")),
    Case(ops.SetMtu("host", "veth-red", 1400), returns=False),
    Case(ops.SetMac("red", "eth0", "02:42:00:00:00:0d"), returns=False),
    Case(ops.AddAddress("red", "eth0", "10.0.0.2/24"), UP),
    Case(ops.AddAddress("red", "eth0", "10.0.0.2/31"), UP),
    Case(ops.AddAddress("red", "eth0", "10.0.0.2/32"), UP),
    Case(ops.AddAddress("red", "eth0", "2001:db8::2/64"), UP),
    Case(ops.AddAddress("red", "lo", "127.0.0.9/8")),
    Case(ops.AddAddress("red", "eth0", "10.0.0.3/24"), ADDRESSED),
    Case(ops.DeleteAddress("red", "eth0", "10.0.0.2/24"), ADDRESSED),
    Case(ops.DeleteAddress("red", "eth0", "2001:db8::2/64"), f"{UP}; ip -n red address add 2001:db8::2/64 dev eth0"),
    Case(ops.AddRoute("red", "default", "10.0.0.254"), ADDRESSED),
    Case(ops.AddRoute("red", "192.0.2.0/24", None, "eth0"), ADDRESSED),
    Case(ops.AddRoute("red", "192.0.2.0/24", "10.0.0.254", "eth0"), ADDRESSED),
    Case(ops.AddRoute("red", "192.0.2.7/32", "10.0.0.254"), ADDRESSED),
    Case(ops.AddRoute("red", "2001:db8:1::/48", "2001:db8::1"), f"{UP}; ip -n red address add 2001:db8::2/64 dev eth0"),
    Case(ops.AddRoute("red", "192.0.2.0/24", kind="blackhole")),
    Case(ops.AddRoute("red", "192.0.2.0/24", kind="unreachable")),
    Case(ops.AddRoute("red", "192.0.2.0/24", kind="prohibit")),
    Case(ops.DeleteRoute("red", "default", "10.0.0.254"), f"{ADDRESSED}; ip -n red route add default via 10.0.0.254"),
    Case(ops.DeleteRoute("red", "192.0.2.0/24", kind="blackhole"), "ip -n red route add blackhole 192.0.2.0/24"),
    Case(ops.Ip("red", "link set eth0 alias 'the other end'"), returns=False),
    Case(ops.Bridge("host", "link set dev veth-red hairpin on"), "ip link set veth-red master br0", returns=False),
    Case(ops.IptablesRules("host", "*filter\n-A INPUT -s 192.0.2.1/32 -j DROP\nCOMMIT"), returns=False),
    Case(ops.SetSysctl("red", "net.ipv4.ip_forward", "1", "0")),
    Case(ops.SetSysctl("host", "net.ipv4.conf.all.route_localnet", "1", "0")),
    Case(ops.NftRules("host", "add table ip lesson", "delete table ip lesson")),
    Case(
        ops.NftRules(
            "red",
            "add table ip lesson\n"
            "add chain ip lesson post { type nat hook postrouting priority srcnat; policy accept; }\n"
            'add rule ip lesson post ip saddr 10.0.0.0/12 oifname != "br0" counter masquerade comment "a b"',
            "delete table ip lesson",
        )
    ),
]


def prepare(case):
    lab = Lab(docker=False)
    lab.host.sh(f"set -e\n{SETUP}\n{case.before}", check=True)
    return lab


@pytest.mark.parametrize("case", CASES, ids=str)
def test_applied_and_typed_leave_the_same_state(case):
    with prepare(case) as lab, prepare(case) as other:
        lab.world.refresh()  # the namespaces were typed
        before = state(lab)
        lab.change("applied", [case.operation])
        other.host.sh(case.operation.command(), check=True)
        assert_same(lambda: state(lab), lambda: state(other))
        assert difference(state(lab), before)
        if case.returns:
            lab.change("and back", [case.operation.inverse()])
            assert_same(lambda: state(lab), lambda: before)


def test_every_operation_of_the_vocabulary_has_a_case():
    vocabulary = {one for one in vars(ops).values() if inspect.isclass(one) and issubclass(one, ops.Operation)}
    assert {type(case.operation) for case in CASES} == vocabulary - {ops.Operation}
