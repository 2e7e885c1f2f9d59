"""Headers read by hand say what scapy says; a file of packets is read back as it was written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP, TCP, UDP, Ether
from scapy.layers.inet6 import ICMPv6EchoRequest, IPv6
from scapy.layers.l2 import ARP, Dot1Q
from scapy.layers.vxlan import VXLAN
from scapy.utils import PcapNgReader

from netlab.capture import headers, pcapng
from netlab.capture.packet import OUTGOING, Packet
from netlab.capture.summary import info, table

ENDS = {"src": "172.17.0.2", "dst": "198.51.100.80"}
FRAME = Ether(src="02:42:ac:11:00:02", dst="02:42:ac:11:00:01")


def read(packet):
    return headers.ethernet(bytes(packet))


ports = st.integers(0, 65535)


@given(ports, ports, st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.sampled_from(["S", "SA", "A", "PA", "FA", "R"]),
       st.integers(0, 65535), st.integers(1, 255), st.binary(max_size=40))  # fmt: skip
def test_tcp_is_read_as_scapy_reads_it(  # noqa: PLR0917 - the fields of two headers
    source, destination, sequence, acknowledgement, flags, number, ttl, payload
):
    tcp = TCP(sport=source, dport=destination, seq=sequence, ack=acknowledgement, flags=flags)
    wire = bytes(FRAME / IP(id=number, ttl=ttl, **ENDS) / tcp / payload)
    known, found = Ether(wire), headers.ethernet(wire)
    assert (found.source, found.destination, found.ttl) == (known[IP].src, known[IP].dst, known[IP].ttl)
    assert (found.identification, found.size) == (known[IP].id, known[IP].len)
    assert (found.source_port, found.destination_port) == (known[TCP].sport, known[TCP].dport)
    assert (found.sequence, found.acknowledgement) == (known[TCP].seq, known[TCP].ack)
    assert set(found.flags) == set(str(known[TCP].flags))
    assert found.payload == bytes(known[TCP].payload)


@given(st.binary(max_size=120))
def test_junk_hurts_nobody(data):
    found = headers.ethernet(data)
    assert isinstance(info(found), str)
    headers.network(data)


@given(st.integers(0, 60))
def test_a_packet_that_was_cut_off_is_read_as_far_as_it_goes(length):
    wire = bytes(FRAME / IP(**ENDS) / TCP(sport=1, dport=2) / "x")
    found = headers.ethernet(wire[:length])
    assert found.source in ("", ENDS["src"])


def test_what_a_tunnel_carries():
    inner = (
        Ether(src="02:42:0a:00:01:02") / IP(src="10.0.1.2", dst="10.0.1.3", id=7) / TCP(sport=5, dport=80, flags="S")
    )
    found = read(FRAME / IP(src="203.0.113.10", dst="203.0.113.11") / UDP(dport=4789) / VXLAN(vni=4097) / inner)
    assert (found.network, found.source) == (4097, "203.0.113.10")
    assert (found.innermost.source, found.innermost.destination_port, found.innermost.identification) == (
        "10.0.1.2",
        80,
        7,
    )


def test_an_icmp_error_quotes_what_it_is_about():
    about = IP(**ENDS, id=9) / TCP(sport=5, dport=80, seq=11)
    found = read(
        FRAME / IP(src="203.0.113.1", dst="172.17.0.2") / ICMP(type=3, code=4, nexthopmtu=1000) / bytes(about)[:28]
    )
    assert (found.is_error, found.mtu) == (True, 1000)
    assert (found.inner.destination, found.inner.destination_port, found.inner.sequence) == ("198.51.100.80", 80, 11)
    assert found.innermost is found  # an error is not what it is about


def test_the_others():
    assert info(read(FRAME / ARP(op=1, psrc="10.0.0.1", pdst="10.0.0.2"))) == "who has 10.0.0.2? tell 10.0.0.1"
    tagged = read(FRAME / Dot1Q(vlan=5) / IP(**ENDS) / ICMP(id=3, seq=1))
    assert (tagged.protocol, tagged.echo, tagged.sequence) == ("icmp", 3, 1)
    six = read(FRAME / IPv6(src="fd00::2", dst="fd00::3") / ICMPv6EchoRequest(id=3, seq=1))
    assert (six.protocol, six.source, six.kind, six.echo) == ("icmp6", "fd00::2", 128, 3)


@pytest.mark.parametrize("comment", ["", "1. app: leaves by eth0", "出ます"])
def test_a_file_is_read_back(tmp_path, comment):
    wires = [bytes(FRAME / IP(id=number, **ENDS) / UDP() / bytes(number)) for number in range(4)]
    packets = [
        Packet("app", f"eth{number % 2}", number % 2, OUTGOING, 1_795_473_111_407_120_702 + number, len(wire), wire)
        for number, wire in enumerate(wires)
    ]
    path = pcapng.write(tmp_path / "some.pcapng", packets, {1: comment}, {"app": 3})
    with PcapNgReader(str(path)) as reader:
        back = list(reader)
    assert [bytes(one) for one in back] == wires
    assert [round(one.time * 10**9) for one in back] == [packet.nanoseconds for packet in packets]
    assert [one.sniffed_on for one in back] == ["app/eth0", "app/eth1"] * 2
    assert len(table(packets)) == 4
