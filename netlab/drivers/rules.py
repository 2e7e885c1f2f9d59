"""The rules of a host for its bridge networks and published ports, as nft scripts and line by line.

Tables, chains and rules are those of Docker's nftables backend (29.x), and next to each rule stands the line that its
iptables backend (29.x, the default one) has for the same thing. Four things differ from the nftables backend:

- Rules of one container stand in chains of their own, which verdict maps lead to. Docker puts them into the chain that
  all share, and has to find them again by their handles; here they leave with their chain.
- What nobody but the host may reach directly is dropped per network, not per container: one rule instead of hundreds.
- There is a chain DOCKER-USER for the student's own rules. The iptables backend has it; in the nftables backend, one adds
  tables of one's own. It is there twice: in this table for `nft`, and in the table `filter`, which `iptables` reads and
  writes. A drop is final in either; an ACCEPT by `iptables` opens nothing that this table closes.
- Internal networks are looked at first, as in the iptables backend, so that they cannot reach the published ports of other
  networks either.

Published ports (`port_rules`) of 127.0.0.1 and ::1, and those that are asked for from the container's own bridge, are not
rewritten: docker-proxy, a process that listens on the host, serves these. `icc=False` needs
net.bridge.bridge-nf-call-iptables=1 in the host's namespace: without it, packets between two ports of one bridge never
come past these rules.

Source: moby/moby integration/network/bridge/nftablesdoc and iptablesdoc, generated listings.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

TABLE = "docker-bridges"
USER_CHAIN = "DOCKER-USER"
_ESTABLISHED = "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"


@dataclass(frozen=True, slots=True)
class HostRule:
    """One rule: where it stands, how nft writes it, the iptables line with the same meaning, and what it is for.

    `iptables_line` is empty where the iptables backend needs nothing for it, and a few lines where it needs several.
    """

    family: str
    chain: str
    nft_text: str
    iptables_line: str
    comment: str

    def add(self) -> str:
        """Return the nft command that appends the rule to its chain."""
        return f'add rule {self.family} {TABLE} {self.chain} {self.nft_text} comment "{self.comment}"'


@dataclass(frozen=True, slots=True)
class RuleChange:
    """A change to the rules: nft scripts that make it and take it back, and the rules that it is about."""

    script: str
    undo: str
    rules: tuple[HostRule, ...]

    def inverse(self) -> RuleChange:
        """Return the change that takes this one back."""
        return RuleChange(self.undo, self.script, self.rules)


@dataclass(frozen=True, slots=True)
class BridgeRules:
    """What the rules of one bridge network depend on, for one family of addresses: that of `subnet`."""

    bridge: str
    subnet: str
    gateway: str | None = None
    internal: bool = False
    icc: bool = True
    masquerade: bool = True
    host_address: str | None = None

    @property
    def family(self) -> str:
        return family_of(self.subnet)


def family_of(address: str) -> str:
    """Return nft's name of the family of an address or a subnet: ip or ip6."""
    return "ip6" if ":" in address else "ip"


# ── the host ───────────────────────────────────────────────────────────────────────────────────────────────────────

_BRIDGE_MAPS = (
    "filter-forward-internal-jumps",
    "filter-forward-in-jumps",
    "filter-forward-out-jumps",
    "nat-postrouting-in-jumps",
    "nat-postrouting-out-jumps",
)
_BASE_CHAINS = {
    "filter-FORWARD": "filter hook forward priority filter",
    "nat-OUTPUT": "nat hook output priority -100",  # dstnat; nft 1.0.6 does not know the name here
    "nat-POSTROUTING": "nat hook postrouting priority srcnat",
    "nat-PREROUTING": "nat hook prerouting priority dstnat",
    "raw-PREROUTING": "filter hook prerouting priority raw",
}


def host_made(family: str = "ip", *, forward_policy: str = "accept") -> RuleChange:
    """Return the table with its base chains and empty maps: what the engine makes when it starts.

    `forward_policy` is drop where the engine itself switched forwarding on (`ip_forward` was 0).
    """
    address = "ipv6_addr" if family == "ip6" else "ipv4_addr"
    lines = [f"add table {family} {TABLE}"]
    lines += [f"add map {family} {TABLE} {name} {{ type ifname : verdict; }}" for name in _BRIDGE_MAPS]
    lines += [
        f"add map {family} {TABLE} raw-prerouting-jumps {{ type {address} : verdict; flags interval; }}",
        f"add map {family} {TABLE} filter-forward-port-jumps {{ type {address} : verdict; }}",
        f"add map {family} {TABLE} nat-port-jumps {{ type inet_proto . inet_service : verdict; }}",
        f"add map {family} {TABLE} nat-address-port-jumps {{ type {address} . inet_proto . inet_service : verdict; }}",
    ]
    for name, hook in _BASE_CHAINS.items():
        policy = forward_policy if name == "filter-FORWARD" else "accept"
        lines.append(f"add chain {family} {TABLE} {name} {{ type {hook}; policy {policy}; }}")
    lines += [f"add chain {family} {TABLE} {name}" for name in (USER_CHAIN, "nat-prerouting-and-output")]
    rules = tuple(_host_rules(family))
    return RuleChange(_script(lines, rules), f"delete table {family} {TABLE}", rules)


def user_chain_made(family: str = "ip") -> str:
    """Return the script for DOCKER-USER as `iptables` has it; a table and a policy that are there already stay so."""
    table = f"{family} filter"
    return "\n".join(
        (
            f"add table {table}",
            f"add chain {table} FORWARD {{ type filter hook forward priority 0; }}",
            f"add chain {table} {USER_CHAIN}",
            f"insert rule {table} FORWARD counter jump {USER_CHAIN}",
        )
    )


def _host_rules(family: str) -> Iterable[HostRule]:
    ipt = iptables(family)
    loopback = "::1" if family == "ip6" else "127.0.0.0/8"
    jump = "fib daddr type local counter jump nat-prerouting-and-output"
    chains = ("FORWARD -j DOCKER-FORWARD", "DOCKER-FORWARD -j DOCKER-CT", "DOCKER-FORWARD -j DOCKER-INTERNAL")
    forward = (
        (f"jump {USER_CHAIN}", f"{ipt} -A FORWARD -j {USER_CHAIN}", "YOUR OWN RULES"),
        (
            "iifname vmap @filter-forward-internal-jumps",
            "\n".join(f"{ipt} -A {chain}" for chain in chains),
            "FROM AN INTERNAL BRIDGE",
        ),
        ("oifname vmap @filter-forward-in-jumps", f"{ipt} -A DOCKER-FORWARD -j DOCKER-BRIDGE", "TO A BRIDGE"),
        ("iifname vmap @filter-forward-out-jumps", "", "FROM A BRIDGE"),  # these rules stand in DOCKER-FORWARD itself
    )
    for text, line, comment in forward:
        yield HostRule(family, "filter-FORWARD", text, line, comment)
    to_local = f"{ipt} -t nat -A {{}}-m addrtype --dst-type LOCAL -j DOCKER"
    yield HostRule(family, "nat-PREROUTING", jump, to_local.format("PREROUTING "), "TO THE HOST ITSELF")
    text, line = (
        f"{family} daddr != {loopback} {jump}",
        to_local.format(f"OUTPUT ! -d {'::1/128' if family == 'ip6' else loopback} "),
    )
    yield HostRule(family, "nat-OUTPUT", text, line, "FROM THE HOST TO ITSELF")
    bound = f"{family} daddr . meta l4proto . th dport vmap @nat-address-port-jumps"
    yield HostRule(family, "nat-prerouting-and-output", bound, "", "PUBLISHED ON ONE ADDRESS")
    every = "meta l4proto . th dport vmap @nat-port-jumps"
    yield HostRule(family, "nat-prerouting-and-output", every, "", "PUBLISHED ON EVERY ADDRESS")
    for direction in ("out", "in"):
        text = f"{'iifname' if direction == 'out' else 'oifname'} vmap @nat-postrouting-{direction}-jumps"
        yield HostRule(family, "nat-POSTROUTING", text, "", "FROM A BRIDGE" if direction == "out" else "TO A BRIDGE")
    yield HostRule(
        family, "raw-PREROUTING", f"{family} daddr vmap @raw-prerouting-jumps", "", "TO A CONTAINER'S ADDRESS"
    )
    if family == "ip":  # Docker has one rule for each port that is published on a loopback address
        line = f"{ipt} -t raw -A PREROUTING -d 127.0.0.0/8 ! -i lo -j DROP"
        yield HostRule(
            family, "raw-PREROUTING", 'iifname != "lo" ip daddr 127.0.0.0/8 counter drop', line, "DROP REMOTE LOOPBACK"
        )


# ── networks ───────────────────────────────────────────────────────────────────────────────────────────────────────


def network_made(network: BridgeRules) -> RuleChange:
    """Return the chains and rules of a bridge network; its inverse is what removing the network takes."""
    family, bridge = network.family, network.bridge
    chains = {
        f"filter-forward-in__{bridge}": ("filter-forward-in-jumps", f'"{bridge}"'),
        f"filter-forward-out__{bridge}": (
            f"filter-forward-{'internal' if network.internal else 'out'}-jumps",
            f'"{bridge}"',
        ),
        f"nat-postrouting-in__{bridge}": ("nat-postrouting-in-jumps", f'"{bridge}"'),
        f"nat-postrouting-out__{bridge}": ("nat-postrouting-out-jumps", f'"{bridge}"'),
    }
    if not network.internal:
        chains[f"raw-prerouting__{bridge}"] = ("raw-prerouting-jumps", network.subnet)
    jumps = [(place, key, chain) for chain, (place, key) in chains.items()]
    rules = tuple(_internal_rules(network) if network.internal else _bridge_rules(network))
    return chains_and_jumps(family, list(chains), jumps, rules)


def _bridge_rules(network: BridgeRules) -> Iterable[HostRule]:
    family, bridge, subnet = network.family, network.bridge, network.subnet
    ipt = iptables(family)
    into, out = f"filter-forward-in__{bridge}", f"filter-forward-out__{bridge}"
    established = "ct state established,related counter accept"
    within = f"{ipt} -A DOCKER-FORWARD -i {bridge} -o {bridge} -j {'ACCEPT' if network.icc else 'DROP'}"
    outgoing = f"{ipt} -A DOCKER-FORWARD -i {bridge} {'' if network.icc else f'! -o {bridge} '}-j ACCEPT"
    yield HostRule(family, into, established, f"{ipt} -A DOCKER-CT -o {bridge} {_ESTABLISHED}", "ANSWERS")
    verdict = "accept" if network.icc else "drop"
    yield from _neighbour_discovery(network, into)
    # The iptables backend says it with the line for outgoing packets, which come from this bridge too.
    yield HostRule(family, into, f'iifname "{bridge}" counter {verdict}', outgoing if network.icc else within, "ICC")
    ports = f"{ipt} -A DOCKER-BRIDGE -o {bridge} -j DOCKER"
    yield HostRule(family, into, f"{family} daddr vmap @filter-forward-port-jumps", ports, "PUBLISHED PORTS")
    line = f"{ipt} -A DOCKER ! -i {bridge} -o {bridge} -j DROP"
    yield HostRule(family, into, "counter drop", line, "UNPUBLISHED PORT DROP")
    yield HostRule(family, out, established, "", "ANSWERS")
    yield HostRule(family, out, "counter accept", outgoing, "OUTGOING")
    if network.masquerade:
        yield _source_nat(network)
    # Docker 29 has one such rule for each container's address, and needs no exception for the gateway's.
    line = f"{ipt} -t raw -A PREROUTING -d {subnet} ! -i {bridge} -j DROP"
    text = f'iifname != "{bridge}" counter drop'
    if network.gateway:
        text = f"{family} daddr != {network.gateway} {text}"
        line = f"{ipt} -t raw -A PREROUTING -d {host_route(network.gateway)} -j ACCEPT\n{line}"
    yield HostRule(family, f"raw-prerouting__{bridge}", text, line, "DROP DIRECT ACCESS")


def _neighbour_discovery(network: BridgeRules, chain: str) -> Iterable[HostRule]:
    """Let IPv6's neighbour discovery pass where all else within the bridge is dropped; ARP never comes past here."""
    if network.icc or network.family == "ip":
        return
    bridge = network.bridge
    line = "\n".join(
        f"ip6tables -A DOCKER -i {bridge} -o {bridge} -p ipv6-icmp -m icmp6 --icmpv6-type {kind} -j ACCEPT"
        for kind in (135, 136)
    )
    text = f'iifname "{bridge}" icmpv6 type {{ nd-neighbor-solicit, nd-neighbor-advert }} counter accept'
    yield HostRule("ip6", chain, text, line, "NEIGHBOUR DISCOVERY")


def _source_nat(network: BridgeRules) -> HostRule:
    family, bridge, subnet = network.family, network.bridge, network.subnet
    target, line, comment = "masquerade", "MASQUERADE", "MASQUERADE"
    if network.host_address:
        target, line, comment = f"snat to {network.host_address}", f"SNAT --to-source {network.host_address}", "SNAT"
    line = f"{iptables(family)} -t nat -A POSTROUTING -s {subnet} ! -o {bridge} -j {line}"
    text = f'oifname != "{bridge}" {family} saddr {subnet} counter {target}'
    return HostRule(family, f"nat-postrouting-out__{bridge}", text, line, comment)


def _internal_rules(network: BridgeRules) -> Iterable[HostRule]:
    family, bridge, subnet = network.family, network.bridge, network.subnet
    ipt = iptables(family)
    into, out = f"filter-forward-in__{bridge}", f"filter-forward-out__{bridge}"
    established = "ct state established,related counter accept"
    yield HostRule(family, into, established, "", "ANSWERS")
    line = f"{ipt} -A DOCKER-INTERNAL ! -s {subnet} -o {bridge} -j DROP"
    yield HostRule(family, into, f'iifname != "{bridge}" counter drop', line, "INTERNAL NETWORK INGRESS")
    verdict = "accept" if network.icc else "drop"
    yield from _neighbour_discovery(network, into)
    line = f"{ipt} -A DOCKER-FORWARD -i {bridge} -o {bridge} -j {verdict.upper()}"
    yield HostRule(family, into, f"counter {verdict}", line, "ICC")
    yield HostRule(family, out, established, "", "ANSWERS")
    line = f"{ipt} -A DOCKER-INTERNAL ! -d {subnet} -i {bridge} -j DROP"
    yield HostRule(family, out, f'oifname != "{bridge}" counter drop', line, "INTERNAL NETWORK EGRESS")


# ── writing ────────────────────────────────────────────────────────────────────────────────────────────────────────


def chains_and_jumps(
    family: str, chains: Sequence[str], jumps: Sequence[tuple[str, str, str]], rules: tuple[HostRule, ...]
) -> RuleChange:
    """Return chains with their rules and the map elements that lead there; `jumps` are (map, key, chain)."""
    lines = [f"add chain {family} {TABLE} {chain}" for chain in chains]
    lead = [f"add element {family} {TABLE} {place} {{ {key} : jump {chain} }}" for place, key, chain in jumps]
    undo = [f"delete element {family} {TABLE} {place} {{ {key} }}" for place, key, _ in jumps]
    undo += [f"flush chain {family} {TABLE} {chain}" for chain in chains]
    undo += [f"delete chain {family} {TABLE} {chain}" for chain in chains]
    # The way into the chains comes last: the script is one transaction, but it is read from top to bottom.
    return RuleChange("\n".join([_script(lines, rules), *lead]), "\n".join(undo), rules)


def _script(lines: Sequence[str], rules: Iterable[HostRule]) -> str:
    return "\n".join([*lines, *(rule.add() for rule in rules)])


def iptables(family: str) -> str:
    """Return the command for a family of addresses."""
    return "ip6tables" if family == "ip6" else "iptables"


def host_route(address: str) -> str:
    """Return an address as a subnet of its own: 172.18.0.2/32."""
    return f"{address}/{ipaddress.ip_address(address).max_prefixlen}"
