"""Networks with IPv6 next to IPv4. Rows of the catalogue stand in brackets."""

from __future__ import annotations

import pytest
from outside import ip
from test_ports import code

from netlab.errors import RequestError

pytestmark = pytest.mark.kernel


def globals_of(place, interface):
    (one,) = ip(place, f"-6 address show {interface}")
    return [f"{each['local']}/{each['prefixlen']}" for each in one["addr_info"] if each["scope"] == "global"]


def test_a_network_has_both_families(lab):
    """V6-03, V6-04, V6-05, V6-06, V6-07, V6-09."""
    network = lab.network("six", ipv6=True, subnet="fd00:aaaa::/64")
    assert network.subnet == "172.18.0.0/16"
    first, second = lab.run_many(["c1", "c2"], network=network)
    assert globals_of(lab.host, network.bridge) == ["fd00:aaaa::1/64"]
    assert "inet6 fe80::1/64 " in lab.host.sh(f"ip -6 address show {network.bridge}").stdout
    assert [globals_of(one, "eth0") for one in (first, second)] == [["fd00:aaaa::2/64"], ["fd00:aaaa::3/64"]]
    (default,) = ip(first, "-6 route show default")
    assert default["gateway"] == "fd00:aaaa::1"
    assert f"fd00:aaaa::2\t{first.hostname}\n" in first.sh("cat /etc/hosts").stdout
    assert first.ping("fd00:aaaa::3")
    box = lab.run("box")
    assert "inet6" not in box.sh("ip address show eth0").stdout


def test_without_a_subnet_one_is_chosen(lab):
    """V6-01 as from engine 27 on."""
    assert lab.network("six", ipv6=True).subnet6.startswith("fd")


def test_names_have_both_families(lab):
    """V6-08."""
    lab.network("six", ipv6=True, subnet="fd00:aaaa::/64")
    first, _ = lab.run_many(["c1", "c2"], network="six")
    assert first.sh("dig +short c2 AAAA").stdout == "fd00:aaaa::3\n"
    assert first.sh("dig +short -x fd00:aaaa::3").stdout == "c2.six.\n"


def test_an_address_may_be_chosen(lab):
    """V6-10, V6-15."""
    lab.network("six", ipv6=True, subnet="fd00:a::/64", gateway="fd00:a::ff")
    box = lab.run("box", network="six", ip6="fd00:a::77")
    assert globals_of(box, "eth0") == ["fd00:a::77/64"]
    assert ip(box, "-6 route show default")[0]["gateway"] == "fd00:a::ff"
    for address, words in (
        ("fd00:a::77", "Address already in use"),
        ("fd00:b::7", "no configured subnet contains IP address fd00:b::7"),
        ("172.18.0.9", "invalid IPv6 address: 172.18.0.9"),
    ):
        with pytest.raises(RequestError, match=words):
            lab.run("late", network="six", ip6=address)


def test_ports_and_isolation_hold_for_ipv6(lab):
    """V6-11 as from engine 27 on, V6-12."""
    lab.network("six", ipv6=True, subnet="fd00:a::/64")
    lab.network("other", ipv6=True, subnet="fd00:b::/64")
    lab.run("web", image="nginx", network="six", publish="8080:80")
    box = lab.run("box", network="other")
    assert code(lab.host, "http://[::1]:8080") == 200
    assert code(lab.host, "http://[fd00:a::2]") == 200
    assert code(box, "http://[fd00:a::2]", seconds=1) == -28
    assert code(box, "http://[fd00:b::1]:8080") == 200
    rules = lab.host.sh("nft list table ip6 docker-bridges").stdout
    assert "dnat to [fd00:a::2]:80" in rules
    assert "masquerade" in rules
