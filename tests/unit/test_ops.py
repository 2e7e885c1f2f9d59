"""The vocabulary: each operation knows its command, as typed anywhere, and its inverse."""

from __future__ import annotations

import dataclasses
import inspect

import pytest

from netlab import ops
from netlab.kernel.encode import is_netlink

VOCABULARY = [
    one
    for one in vars(ops).values()
    if inspect.isclass(one) and issubclass(one, ops.Operation) and one is not ops.Operation
]
SAMPLES = [
    ops.AddNamespace("host", "red"),
    ops.AddVeth(
        "host", "a", "b", "red", index=5, peer_index=4, mac="02:42:00:00:00:01", mtu=1400, master="br0", up=True
    ),
    ops.AddBridge("host", "br0", index=3, mac="02:42:00:00:00:02", up=True),
    ops.SetUp("red", "eth0"),
    ops.SetDown("red", "eth0"),
    ops.SetMaster("host", "a", "br0"),
    ops.MoveLink("host", "a", "red"),
    ops.RenameLink("host", "a", "b"),
    ops.AddAddress("red", "eth0", "10.0.0.1/24"),
    ops.DeleteAddress("red", "eth0", "10.0.0.1/24"),
    ops.AddRoute("red", "default", "10.0.0.254"),
    ops.DeleteRoute("red", "default", "10.0.0.254"),
    ops.SetSysctl("red", "net.ipv4.ip_forward", "1", "0"),
    ops.NftRules("host", "add table ip t", "delete table ip t"),
]


@pytest.mark.parametrize("operation", VOCABULARY)
def test_its_docstring_names_the_command_that_it_stands_for(operation):
    assert "Equivalent to: `" in inspect.getdoc(operation)


@pytest.mark.parametrize("operation", VOCABULARY)
def test_it_is_a_frozen_value(operation):
    assert dataclasses.is_dataclass(operation)
    assert operation.__dataclass_params__.frozen
    assert operation.__dataclass_params__.eq


@pytest.mark.parametrize("operation", SAMPLES, ids=lambda one: type(one).__name__)
def test_the_inverse_of_the_inverse_says_the_same(operation):
    inverse = operation.inverse()
    assert inverse is not None
    assert type(inverse) is not type(operation) or inverse != operation
    again = inverse.inverse()
    if again is not None:
        assert again.command() == operation.command()


@pytest.mark.parametrize(
    ("operation", "command"),
    [
        (ops.SetUp("host", "eth0"), "ip link set eth0 up"),
        (ops.SetUp("red", "eth0"), "ip -n red link set eth0 up"),
        (ops.SetUp("host", "my if"), "ip link set 'my if' up"),
        (ops.AddVeth("red", "a", "b", "host"), "ip -n red link add name a type veth peer name b netns $$"),
        (ops.MoveLink("red", "a", "host"), "ip -n red link set a netns $$"),
        (ops.MoveLink("host", "a", "red"), "ip link set a netns red"),
        (ops.AddVeth("host", "a", "b", "host"), "ip link add name a type veth peer name b"),
        (ops.AddAddress("red", "eth0", "2001:db8::1/64"), "ip -n red address add 2001:db8::1/64 dev eth0"),
        (ops.SetSysctl("red", "net.ipv4.ip_forward", "1"), "ip netns exec red sysctl -w net.ipv4.ip_forward=1"),
        (ops.NftRules("host", "add table ip t"), "nft 'add table ip t'"),
        (ops.NftRules("red", "a\nb"), "ip netns exec red nft -f - <<'EOF'\na\nb\nEOF"),
        (ops.AddRoute("red", "10.0.0.0/8", kind="blackhole"), "ip -n red route add blackhole 10.0.0.0/8"),
    ],
)
def test_the_command_is_as_typed_on_the_host(operation, command):
    assert operation.command() == command


def test_the_command_can_be_told_for_another_place():
    assert ops.SetUp("red", "eth0").command(where="red") == "ip link set eth0 up"
    assert ops.MoveLink("host", "a", "red").command(where="red") == "ip -n host link set a netns $$"


def test_whatever_is_not_done_by_netlink_is_known():
    assert {one.__name__ for one in VOCABULARY if not is_netlink(one.__new__(one))} >= {
        "AddNamespace",
        "DeleteNamespace",
        "NftRules",
        "SetSysctl",
    }
