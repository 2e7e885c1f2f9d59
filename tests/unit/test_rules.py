"""The rules of a host as text. IS-… are rows of the catalogue; what they do in a kernel is tested in tests/kernel."""

from __future__ import annotations

import pytest

from netlab.drivers.port_rules import PortRules, ports_published
from netlab.drivers.rules import USER_CHAIN, BridgeRules, host_made, network_made

BRIDGE1 = BridgeRules("bridge1", "192.0.2.0/24", "192.0.2.1")
EVERYTHING = [
    host_made("ip"),
    host_made("ip6"),
    network_made(BRIDGE1),
    network_made(BridgeRules("bridge1", "192.0.2.0/24", internal=True)),
    network_made(BridgeRules("bridge1", "fd00::/64", "fd00::1", icc=False)),
    ports_published("bridge1", "192.0.2.2", [PortRules("0.0.0.0", 8080, 80), PortRules("127.0.0.1", 53, 53, "udp")]),
]


def in_chain(change, chain):
    return [rule.nft_text for rule in change.rules if rule.chain == chain]


def lines(change):
    return [line for rule in change.rules for line in rule.iptables_line.splitlines()]


def test_the_host_has_the_chains_of_the_engine():
    """IS-30: one table for each family, five base chains, and verdict maps by bridge."""
    for family in ("ip", "ip6"):
        script = host_made(family).script
        for chain in ("filter-FORWARD", "nat-PREROUTING", "nat-OUTPUT", "nat-POSTROUTING", "raw-PREROUTING"):
            assert f"add chain {family} docker-bridges {chain} {{ type " in script
        for name in ("filter-forward-in", "filter-forward-out", "nat-postrouting-in", "nat-postrouting-out"):
            assert f"add map {family} docker-bridges {name}-jumps {{ type ifname : verdict; }}" in script


def test_forwarding_is_closed_where_the_engine_opened_it():
    """IS-15: policy drop only if the engine itself switched forwarding on."""
    assert "priority filter; policy accept;" in host_made().script
    assert "priority filter; policy drop;" in host_made(forward_policy="drop").script
    assert host_made(forward_policy="drop").script.count("policy drop") == 1


def test_own_rules_come_first():
    """IS-17, IS-25: DOCKER-USER, empty, is looked at before anything else (29 has no RETURN in it)."""
    change = host_made()
    assert in_chain(change, "filter-FORWARD")[0] == f"jump {USER_CHAIN}"
    assert in_chain(change, USER_CHAIN) == []
    assert lines(change)[:4] == [
        "iptables -A FORWARD -j DOCKER-USER",
        "iptables -A FORWARD -j DOCKER-FORWARD",
        "iptables -A DOCKER-FORWARD -j DOCKER-CT",
        "iptables -A DOCKER-FORWARD -j DOCKER-INTERNAL",
    ]


def test_only_local_addresses_are_rewritten():
    """IS-21: PREROUTING and OUTPUT, and not 127.0.0.0/8."""
    assert "iptables -t nat -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER" in lines(host_made())
    assert "iptables -t nat -A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER" in lines(host_made())


def test_a_bridge_has_the_rules_of_the_engine():
    """IS-31: answers, ICC, published ports, and no others; outwards everything."""
    change = network_made(BRIDGE1)
    assert in_chain(change, "filter-forward-in__bridge1") == [
        "ct state established,related counter accept",
        'iifname "bridge1" counter accept',
        "ip daddr vmap @filter-forward-port-jumps",
        "counter drop",
    ]
    assert in_chain(change, "filter-forward-out__bridge1") == [
        "ct state established,related counter accept",
        "counter accept",
    ]
    assert in_chain(change, "nat-postrouting-out__bridge1") == [
        'oifname != "bridge1" ip saddr 192.0.2.0/24 counter masquerade'
    ]


def test_a_bridge_has_the_lines_of_the_iptables_backend():
    """IS-20, IS-21, IS-33: those of 29."""
    assert lines(network_made(BRIDGE1)) == [
        "iptables -A DOCKER-CT -o bridge1 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
        "iptables -A DOCKER-FORWARD -i bridge1 -j ACCEPT",
        "iptables -A DOCKER-BRIDGE -o bridge1 -j DOCKER",
        "iptables -A DOCKER ! -i bridge1 -o bridge1 -j DROP",
        "iptables -A DOCKER-FORWARD -i bridge1 -j ACCEPT",
        "iptables -t nat -A POSTROUTING -s 192.0.2.0/24 ! -o bridge1 -j MASQUERADE",
        "iptables -t raw -A PREROUTING -d 192.0.2.1/32 -j ACCEPT",
        "iptables -t raw -A PREROUTING -d 192.0.2.0/24 ! -i bridge1 -j DROP",
    ]


def test_without_icc_neighbours_are_cut_off():
    """IS-28, BR-35, BR-38: drop within the bridge, except for what IPv6 needs to find a neighbour."""
    change = network_made(BridgeRules("br-1", "10.0.0.0/8", icc=False))
    assert 'iifname "br-1" counter drop' in in_chain(change, "filter-forward-in__br-1")
    assert "iptables -A DOCKER-FORWARD -i br-1 -o br-1 -j DROP" in lines(change)
    assert "iptables -A DOCKER-FORWARD -i br-1 ! -o br-1 -j ACCEPT" in lines(change)
    texts = in_chain(network_made(BridgeRules("br-1", "fd00::/64", icc=False)), "filter-forward-in__br-1")
    assert texts[1] == 'iifname "br-1" icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } counter accept'


def test_an_internal_network_is_closed_both_ways():
    """IS-32, UD-47: by interface in nft, by subnet in iptables; no masquerade."""
    change = network_made(BridgeRules("br-1", "10.0.0.0/8", "10.0.0.1", internal=True))
    assert 'iifname != "br-1" counter drop' in in_chain(change, "filter-forward-in__br-1")
    assert 'oifname != "br-1" counter drop' in in_chain(change, "filter-forward-out__br-1")
    assert in_chain(change, "nat-postrouting-out__br-1") == []
    assert "iptables -A DOCKER-INTERNAL ! -s 10.0.0.0/8 -o br-1 -j DROP" in lines(change)
    assert "iptables -A DOCKER-INTERNAL ! -d 10.0.0.0/8 -i br-1 -j DROP" in lines(change)


def test_masquerade_can_be_left_out_or_be_one_address():
    """UD-50, UD-51: enable_ip_masquerade=false, host_ipv4=A."""
    assert "masquerade" not in network_made(BridgeRules("br-1", "10.0.0.0/8", masquerade=False)).script
    change = network_made(BridgeRules("br-1", "10.0.0.0/8", host_address="192.0.2.10"))
    assert in_chain(change, "nat-postrouting-out__br-1") == [
        'oifname != "br-1" ip saddr 10.0.0.0/8 counter snat to 192.0.2.10'
    ]
    assert "iptables -t nat -A POSTROUTING -s 10.0.0.0/8 ! -o br-1 -j SNAT --to-source 192.0.2.10" in lines(change)


def test_a_published_port_has_the_rules_of_the_engine():
    """IS-31, PM-02: opened in the filter, rewritten unless it comes from its own bridge."""
    change = ports_published("bridge1", "192.0.2.2", [PortRules("0.0.0.0", 8080, 80)])
    assert [rule.nft_text for rule in change.rules] == [
        'iifname != "bridge1" tcp dport 8080 counter dnat to 192.0.2.2:80',
        "ip daddr 192.0.2.2 tcp dport 80 counter accept",
    ]
    assert lines(change) == [
        "iptables -t nat -A DOCKER ! -i bridge1 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 192.0.2.2:80",
        "iptables -A DOCKER -d 192.0.2.2/32 ! -i bridge1 -o bridge1 -p tcp -m tcp --dport 80 -j ACCEPT",
    ]


def test_a_port_can_be_published_on_one_address():
    """IS-33, PM-06, PM-09: the rule names it."""
    (nat, _) = ports_published("bridge1", "192.0.2.2", [PortRules("127.0.0.1", 8080, 80)]).rules
    assert nat.nft_text == 'iifname != "bridge1" ip daddr 127.0.0.1 tcp dport 8080 counter dnat to 192.0.2.2:80'
    assert "-d 127.0.0.1/32 ! -i bridge1" in nat.iptables_line


def test_two_host_ports_open_one_container_port_once():
    """PM-26: -p 8080:80 -p 8081:80."""
    change = ports_published("bridge1", "192.0.2.2", [PortRules("0.0.0.0", 8080, 80), PortRules("0.0.0.0", 8081, 80)])
    assert [rule.comment for rule in change.rules] == ["DNAT", "DNAT", "PUBLISHED PORT"]


def test_the_other_family_is_left_to_the_proxy():
    """PM-02, PM-42: [::]:8080 to an IPv4 address is no business of these rules."""
    change = ports_published("bridge1", "192.0.2.2", [PortRules("::", 8080, 80)])
    assert (change.script, change.undo, change.rules) == ("", "", ())


def test_ipv6_ports():
    """V6-13: DNAT to [fd00::2]:80, and not for link-local clients."""
    (nat, _) = ports_published("bridge1", "fd00::2", [PortRules("::", 8080, 80)]).rules
    assert nat.nft_text == 'iifname != "bridge1" ip6 saddr != fe80::/10 tcp dport 8080 counter dnat to [fd00::2]:80'
    assert nat.iptables_line.startswith("ip6tables -t nat -A DOCKER ! -s fe80::/10 ! -i bridge1 ")


def test_withdrawing_needs_no_handles():
    """LC-01: what takes a rule away is known when it is made."""
    ports = [PortRules("0.0.0.0", 8080, 80)]
    made, withdrawn = (
        ports_published("bridge1", "192.0.2.2", ports),
        ports_published("bridge1", "192.0.2.2", ports).inverse(),
    )
    assert (withdrawn.script, withdrawn.undo) == (made.undo, made.script)
    network = network_made(BRIDGE1)
    assert (network.inverse().script, network.inverse().undo) == (network.undo, network.script)
    for change in EVERYTHING:
        assert "handle" not in change.undo
        assert change.undo


@pytest.mark.parametrize("change", EVERYTHING)
def test_every_rule_says_what_it_is_for(change):
    """Each rule has a comment, and stands in the script with it."""
    assert change.rules
    for rule in change.rules:
        assert rule.comment
        assert rule.add() in change.script
        assert rule.add().endswith(f'comment "{rule.comment}"')
