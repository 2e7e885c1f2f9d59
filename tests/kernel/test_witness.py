"""What netlab reads of the kernel is what pyroute2, an independent decoder, reads of the same datagrams."""

from __future__ import annotations

import struct

import pytest
from pyroute2.netlink.rtnl.marshal import MarshalRtnl

from netlab.kernel import observe
from netlab.kernel.netlink import GETADDR, GETLINK, GETROUTE, link_body

pytestmark = pytest.mark.kernel
CONTROL_MESSAGES = 16


@pytest.fixture
def busy(lab):
    """A lab with a bit of everything: bridges, veths, IPv6, a tunnel, routes that lead nowhere."""
    lab.network("my-network", ipv6=True)
    lab.run("web", image="nginx", network="my-network")
    lab.run("app")
    red = lab.namespace("red")
    lab.host.add_veth("veth-red", "eth0", peer_place=red)
    lab.host.sh(
        "ip link add vx type vxlan id 42 local 203.0.113.10 remote 203.0.113.11 dstport 4789 dev eth0", check=True
    )
    lab.host.sh("ip route add unreachable 10.9.0.0/16; ip route add 10.8.0.0/16 via 203.0.113.1 metric 7", check=True)
    return lab


def witness(route_socket, kind, body):
    """Yield what pyroute2 makes of the kernel's answer: the message, and its attributes by name."""
    for datagram in route_socket.dump(kind, body):
        for message in MarshalRtnl().parse(datagram):
            if message["header"]["type"] >= CONTROL_MESSAGES:
                yield message, dict(message["attrs"])


def places(lab):
    return [(name, lab.world.route_socket(name)) for name in lab.places]


def test_interfaces_are_read_as_pyroute2_reads_them(busy):
    for name, route_socket in places(busy):
        ours = {
            one.interface.name: (one.interface.index, one.interface.mtu, one.interface.mac, one.interface.state)
            for one in observe.interfaces(route_socket)
        }
        theirs = {
            attributes["IFLA_IFNAME"]: (
                message["index"],
                attributes["IFLA_MTU"],
                attributes["IFLA_ADDRESS"],
                attributes["IFLA_OPERSTATE"].lower(),
            )
            for message, attributes in witness(route_socket, GETLINK, link_body())
        }
        assert ours == theirs, name


def test_addresses_are_read_as_pyroute2_reads_them(busy):
    for name, route_socket in places(busy):
        seen = observe.interfaces(route_socket)
        ours = {(one.interface.index, str(address)) for one in seen for address in one.interface.addresses}
        theirs = {
            (message["index"], f"{attributes.get('IFA_LOCAL') or attributes['IFA_ADDRESS']}/{message['prefixlen']}")
            for message, attributes in witness(route_socket, GETADDR, struct.pack("=BBBBi", 0, 0, 0, 0, 0))
        }
        assert ours == theirs, name


def test_routes_are_read_as_pyroute2_reads_them(busy):
    for name, route_socket in places(busy):
        ours = {(one.destination, one.gateway, one.metric) for one in observe.routes(route_socket) if one.family == 4}
        theirs = {
            (
                f"{attributes['RTA_DST']}/{message['dst_len']}" if "RTA_DST" in attributes else "default",
                attributes.get("RTA_GATEWAY"),
                attributes.get("RTA_PRIORITY", 0),
            )
            for message, attributes in witness(route_socket, GETROUTE, struct.pack("=BBBBBBBBI", 2, *[0] * 8))
            if attributes["RTA_TABLE"] == 254
        }
        assert ours == theirs, name
