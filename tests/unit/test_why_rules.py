"""What rules do to a packet, worked out from the JSON that `nft -j list ruleset` prints."""

from __future__ import annotations

import pytest

from netlab.why.expressions import Context
from netlab.why.packet import Packet
from netlab.why.rules import Ruleset

_WEB = Packet("tcp", "172.17.0.2", "172.17.0.3", 40000, 80)


def payload(protocol, field):
    return {"payload": {"protocol": protocol, "field": field}}


def match(left, right, op="=="):
    return {"match": {"op": op, "left": left, "right": right}}


def meta(key):
    return {"meta": {"key": key}}


def ruleset(*rules, policy="accept", others=(), named=()):
    """Return a table with one base chain of these rules, with other chains {name: rules} and sets or maps beside it."""
    listing = [{"table": {"family": "ip", "name": "t"}}]
    listing += [
        {kind: {"family": "ip", "table": "t", "name": name, "elem": elements}} for kind, name, elements in named
    ]
    base = {
        "family": "ip",
        "table": "t",
        "name": "base",
        "type": "filter",
        "hook": "forward",
        "prio": 0,
        "policy": policy,
    }
    listing += [{"chain": base}, *({"chain": {"family": "ip", "table": "t", "name": name}} for name in dict(others))]
    for chain, written in (("base", rules), *dict(others).items()):
        for handle, expressions in enumerate(written, start=1):
            rule = {"family": "ip", "table": "t", "chain": chain, "handle": handle, "expr": list(expressions)}
            listing.append({"rule": rule})
    return Ruleset({"nftables": [{"metainfo": {}}, *listing]})


def run(rules, packet=_WEB, incoming="docker0", outgoing="docker0", state="new", **more):
    (base,) = rules.at("forward", packet.version)
    return rules.run(base, Context(packet, incoming, outgoing, state, **more))


DROP, ACCEPT = {"drop": None}, {"accept": None}

MATCHES = [
    (match(payload("ip", "saddr"), "172.17.0.2"), True),
    (match(payload("ip", "saddr"), "172.17.0.2", "!="), False),
    (match(payload("ip", "daddr"), {"prefix": {"addr": "172.17.0.0", "len": 16}}), True),
    (match(payload("ip", "daddr"), {"prefix": {"addr": "10.0.0.0", "len": 8}}, "!="), True),
    (match(payload("ip", "daddr"), {"range": ["172.17.0.1", "172.17.0.9"]}), True),
    (match(payload("tcp", "dport"), 80), True),
    (match(payload("tcp", "dport"), {"set": [22, {"range": [79, 81]}]}), True),
    (match(payload("tcp", "dport"), 1024, "<"), True),
    (match(payload("th", "dport"), 443), False),
    (match(payload("udp", "dport"), 80, "!="), False),  # it is no UDP packet at all
    (match(payload("ip6", "saddr"), "::1", "!="), False),
    (match(meta("iifname"), "docker0"), True),
    (match(meta("iifname"), "docker*"), True),
    (match(meta("oifname"), "docker0", "!="), False),
    (match(meta("l4proto"), "tcp"), True),
    (match(meta("l4proto"), 6), True),
    (match({"ct": {"key": "state"}}, ["established", "related"], "in"), False),
    (match({"ct": {"key": "state"}}, {"set": ["new", "invalid"]}), True),
    (match({"fib": {"result": "type", "flags": ["daddr"]}}, "local"), False),
    (match({"&": [payload("tcp", "flags"), ["fin", "syn", "rst", "ack"]]}, "syn"), True),
    (match({"concat": [payload("ip", "daddr"), payload("tcp", "dport")]}, {"concat": ["172.17.0.3", 80]}), True),
]


@pytest.mark.parametrize(("expression", "matches"), MATCHES)
def test_a_match_is_what_the_kernel_would_say(expression, matches):
    assert run(ruleset([expression, DROP])).passes != matches


def test_the_policy_counts_where_no_rule_decides():
    assert run(ruleset(policy="drop")).word == "drop"
    assert run(ruleset(policy="drop")).rule.handle is None
    assert run(ruleset([{"counter": {"packets": 0, "bytes": 0}}], policy="accept")).passes


def test_jump_goto_and_return():
    away = match(payload("tcp", "dport"), 22)
    others = {"side": [[away, DROP], [match(payload("tcp", "dport"), 80), {"return": None}], [DROP]]}
    assert run(ruleset([{"jump": {"target": "side"}}], [ACCEPT], policy="drop", others=others)).word == "accept"
    assert run(ruleset([{"goto": {"target": "side"}}], [ACCEPT], policy="drop", others=others)).word == "drop"
    assert run(ruleset([{"jump": {"target": "gone"}}], [ACCEPT])).passes


def test_verdict_maps_and_named_sets():
    lead = [{"vmap": {"key": meta("oifname"), "data": "@ways"}}]
    others = {"in": [[match(payload("ip", "saddr"), "@friends"), ACCEPT], [DROP]]}
    named = [("map", "ways", [["docker0", {"jump": {"target": "in"}}]])]
    friend = ("set", "friends", [{"prefix": {"addr": "172.17.0.0", "len": 16}}])
    assert run(ruleset(lead, others=others, named=[*named, friend])).word == "accept"
    assert run(ruleset(lead, others=others, named=[*named, ("set", "friends", ["9.9.9.9"])])).word == "drop"
    assert run(ruleset(lead, others=others, named=[*named, friend]), outgoing="eth0").word == "accept"


def test_translations_are_told():
    found = run(ruleset([{"dnat": {"addr": "172.17.0.9", "port": 8080}}])).translation
    assert (found.kind, found.address, found.port) == ("dnat", "172.17.0.9", 8080)
    assert run(ruleset([{"masquerade": None}])).translation.kind == "masquerade"
    assert run(ruleset([{"redirect": {"port": 3128}}])).translation.port == 3128


def test_a_mark_is_seen_by_the_rules_after_it():
    set_mark = [{"mangle": {"key": meta("mark"), "value": 7}}]
    assert run(ruleset(set_mark, [match(meta("mark"), 7), DROP])).word == "drop"


def test_a_reject_is_no_silent_drop():
    assert run(ruleset([{"reject": {"type": "icmp", "expr": "port-unreachable"}}])).word == "reject"


STRANGE = match(meta("skuid"), 1000)


def test_what_is_not_understood_is_unsure_only_where_it_matters():
    assert run(ruleset([STRANGE, DROP])).unsure[0].handle == 1
    assert run(ruleset([STRANGE, DROP], policy="drop")).unsure == ()
    assert run(ruleset([STRANGE, ACCEPT])).unsure == ()
    assert run(ruleset([STRANGE, ACCEPT], [DROP])).unsure
    assert run(ruleset([match(payload("tcp", "dport"), 22), STRANGE, DROP])).unsure == ()  # it never gets that far
    assert run(ruleset([{"queue": {"num": 1}}])).unsure


def test_extensions_of_iptables_are_understood_as_far_as_their_name_tells():
    comment = {"xt": {"type": "match", "name": "comment"}}
    assert run(ruleset([match(payload("ip", "saddr"), "172.17.0.2"), comment, DROP])).word == "drop"
    assert run(ruleset([{"xt": {"type": "match", "name": "conntrack"}}, DROP])).unsure
    assert run(ruleset([{"xt": {"type": "target", "name": "MASQUERADE"}}])).translation.kind == "masquerade"


def test_a_table_that_sleeps_does_nothing_and_frames_are_strangers():
    asleep = {"nftables": [
        {"table": {"family": "ip", "name": "t", "flags": ["dormant"]}},
        {"chain": {"family": "ip", "table": "t", "name": "b", "type": "filter", "hook": "forward", "prio": 0}},
    ]}  # fmt: skip
    assert Ruleset(asleep).at("forward", 4) == []
    bridge = {"nftables": [
        {"chain": {"family": "bridge", "table": "t", "name": "b", "type": "filter", "hook": "forward", "prio": 0}},
        {"rule": {"family": "bridge", "table": "t", "chain": "b", "handle": 1, "expr": [DROP]}},
    ]}  # fmt: skip
    assert Ruleset(bridge).strangers
    assert Ruleset(bridge).at("forward", 4) == []
