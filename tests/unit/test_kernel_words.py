"""Reading what `nft` lists, and saying the kernel's refusals in words."""

from __future__ import annotations

import errno

import pytest

from netlab import ops
from netlab.kernel import nft
from netlab.kernel.netlink import attributes, number, text
from netlab.kernel.refusal import explain

LISTING = """table ip docker-bridges { # handle 1
\tset quick { # handle 9
\t\ttype ipv4_addr
\t\telements = { 10.0.0.1 }
\t}

\tchain nat-POSTROUTING { # handle 1
\t\ttype nat hook postrouting priority 100; policy accept;
\t\tip saddr 172.17.0.0/16 oifname != "docker0" counter packets 7 bytes 420 masquerade comment "MASQUERADE" # handle 2
\t}

\tchain helper { # handle 3
\t\tmeta mark 0x00000001 return # handle 4
\t\tip saddr { 10.0.0.1, 10.0.0.2 } drop # handle 5
\t}
}
table inet empty { # handle 2
}
table netdev dev { # handle 3
\tchain in { # handle 1
\t\ttype filter hook ingress device "eth0" priority -500; policy drop;
\t}
}
"""


def test_a_listing_is_read_into_chains_and_rules():
    nat, helper, ingress = nft.parse(LISTING)
    assert (nat.family, nat.table, nat.name) == ("ip", "docker-bridges", "nat-POSTROUTING")
    assert (nat.kind, nat.hook, nat.priority, nat.policy) == ("nat", "postrouting", 100, "accept")
    (rule,) = nat.rules
    assert (rule.handle, rule.packets, rule.comment) == (2, 7, "MASQUERADE")
    assert rule.text == 'ip saddr 172.17.0.0/16 oifname != "docker0" counter masquerade'
    assert (helper.hook, [one.handle for one in helper.rules]) == (None, [4, 5])
    assert (ingress.hook, ingress.priority, ingress.policy, ingress.rules) == ("ingress", -500, "drop", ())


@pytest.mark.parametrize("listing", ["", "\n", "no rules at all\n", "table ip x {\n"])
def test_a_listing_without_chains_is_empty(listing):
    assert nft.parse(listing) == []


CODES = (
    errno.EEXIST, errno.ENODEV, errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.ESRCH, errno.EADDRNOTAVAIL,
    errno.EOPNOTSUPP, errno.EPROTONOSUPPORT, errno.ELOOP, errno.EPERM, errno.EBUSY, 0,
)  # fmt: skip


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize(
    "operation",
    [
        ops.AddBridge("host", "br0"),
        ops.AddVeth("host", "a", "b", "red"),
        ops.RenameLink("host", "a", "b"),
        ops.MoveLink("host", "a", "red"),
        ops.AddAddress("red", "eth0", "10.0.0.1/24"),
        ops.AddRoute("red", "default", "10.0.0.254"),
        ops.DeleteRoute("red", "default"),
        ops.SetMaster("host", "a", "br0"),
        ops.NftRules("host", "add table ip x"),
    ],
    ids=lambda one: type(one).__name__,
)
def test_every_refusal_names_the_command_and_a_reason(operation, code):
    said = explain(operation, code, "")
    assert said.startswith(f"`{operation.command()}` was refused: ")
    assert len(said) > len(operation.command()) + 25
    assert "None" not in said


def test_the_kernels_own_words_are_kept():
    said = explain(ops.SetUp("host", "eth0"), errno.EPERM, "Device is busy with something")
    assert "Device is busy with something" in said


def test_attributes_are_padded_and_read_back():
    packed = text(3, "eth0") + number(4, 1500) + text(3, "a")
    assert len(packed) % 4 == 0
    assert list(attributes(packed)) == [(3, b"eth0\0"), (4, (1500).to_bytes(4, "little")), (3, b"a\0")]
    assert list(attributes(b"\0\0\0\0")) == []
