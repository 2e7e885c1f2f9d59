"""The internet beyond the host: a router, a name server, a web site and a client, as real programs see them."""

from __future__ import annotations

import pytest
from outside import wait_until

pytestmark = pytest.mark.kernel


@pytest.mark.parametrize("name", ["host", "web", "client", "router", "www", "dns"])
def test_everyone_reads_the_web_site_by_its_name(shared, name):
    said = shared[name].sh("curl -sS --max-time 5 http://www.example.com/")
    assert "Welcome to www.example.com" in said.stdout, said.stderr


def test_the_web_server_sees_a_container_as_its_host(shared):
    """Masquerade, from outside's view: the site's answer and its log name 203.0.113.10."""
    body = shared["box"].sh("curl -sS --max-time 5 http://www.example.com/").stdout
    assert "for a visitor from 203.0.113.10" in body
    assert "172.17" not in body
    assert (
        "for a visitor from 203.0.113.50" in shared.internet.sh("curl -sS --max-time 5 http://www.example.com/").stdout
    )


def test_packets_of_a_container_leave_with_the_hosts_address(shared, tmp_path):
    out, said = tmp_path / "seen", tmp_path / "said"
    shared["www"].sh(f"timeout 9 tcpdump -n -i eth0 -c 1 icmp >{out} 2>{said} &", check=True)
    wait_until(lambda: said.exists() and "listening" in said.read_text())
    assert shared["box"].ping("198.51.100.80")
    wait_until(out.read_text)
    assert "IP 203.0.113.10 > 198.51.100.80: ICMP echo request" in out.read_text()


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("www.example.com A", "198.51.100.80"),
        ("example.com A", "198.51.100.80"),
        ("WWW.Example.COM A", "198.51.100.80"),
        ("host.example.net A", "203.0.113.10"),
        ("client.example.net A", "203.0.113.50"),
        ("www.example.com AAAA", ""),
    ],
)
@pytest.mark.parametrize("transport", ["+notcp", "+tcp"])
def test_the_name_server_knows_the_internets_names(shared, question, answer, transport):
    assert shared["box"].sh(f"dig +short +time=2 {transport} {question}").stdout.strip() == answer


@pytest.mark.parametrize(
    ("address", "name"), [("198.51.100.53", "dns.example.net."), ("203.0.113.10", "host.example.net.")]
)
def test_the_name_server_knows_who_an_address_is(shared, address, name):
    assert shared.host.sh(f"dig +short +time=2 -x {address}").stdout.strip() == name


def test_a_name_that_is_not_there_is_denied(shared):
    said = shared["box"].sh("dig +time=2 nosuch.example.com").stdout
    assert "status: NXDOMAIN" in said
    assert "SERVER: 198.51.100.53" in said
    assert "could not be resolved" in shared["box"].http("http://nosuch.example.com").reason


def test_garbage_does_not_end_the_name_server(shared):
    shared["box"].sh("printf 'x' | nc -u -w1 198.51.100.53 53; printf 'no dns at all' | nc -u -w1 198.51.100.53 53")
    shared["box"].sh("printf '\\377\\377junk' | nc -w1 198.51.100.53 53")
    assert shared["box"].sh("dig +short +time=2 www.example.com").stdout.strip() == "198.51.100.80"


def test_a_stranger_who_tries_a_private_address_hears_nothing(shared):
    """As on the real internet: the router drops it in silence, no ICMP comes back."""
    said = shared.internet.sh("ping -n -c 1 -W 1 172.17.0.2")
    assert "100% packet loss" in said.stdout
    assert "nreachable" not in said.stdout
    result = shared.internet.http("http://172.17.0.2", timeout=1)
    assert result.status is None
    assert "silence" in result.reason


def test_the_router_lies_between_the_two_networks(shared):
    hops = shared["box"].sh("traceroute -n -w 2 -q 1 198.51.100.80", check=True).stdout
    assert [line.split()[1] for line in hops.splitlines()[1:]] == ["172.17.0.1", "203.0.113.1", "198.51.100.80"]


def test_nothing_of_the_real_machines_network_is_reachable(shared):
    """The real machine's own addresses mean nothing in the lab."""
    assert not shared.host.sh("curl -sS --noproxy '*' --max-time 1 http://192.0.2.1/").ok
    assert shared.host.sh("cat /proc/net/dev").stdout.count(":") == len(shared.host.interfaces)
