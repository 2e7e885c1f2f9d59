"""The programs that commands in a lab are made of, and how to see that they work."""

from __future__ import annotations

from dataclasses import dataclass

_SUBNET = "172.17.0.0/16"
_CAPTURE = (
    "ping -q -i 0.05 -w 5 127.0.0.1 >/dev/null & "
    "timeout 5 tcpdump -n -c 1 -i lo icmp >/dev/null; status=$?; kill $!; exit $status"
)


@dataclass(frozen=True, slots=True)
class Tool:
    """A program, the Debian package that has it, and a command that works only if the program does."""

    name: str
    package: str
    trial: tuple[str, ...] = ()
    required: bool = False


TOOLS = (
    Tool("ip", "iproute2", ("ip", "-j", "link"), required=True),
    Tool("nft", "nftables", ("nft", "list", "ruleset"), required=True),
    Tool("ping", "iputils-ping", ("ping", "-n", "-c", "1", "-W", "1", "127.0.0.1"), required=True),
    Tool("curl", "curl", ("curl", "--version"), required=True),
    Tool("ss", "iproute2", ("ss", "-ltn")),
    Tool("iptables", "iptables", ("iptables", "-t", "nat", "-A", "POSTROUTING", "-s", _SUBNET, "-j", "MASQUERADE")),
    Tool("tcpdump", "tcpdump", ("sh", "-c", _CAPTURE)),
    Tool("traceroute", "traceroute", ("traceroute", "-n", "-m", "1", "127.0.0.1")),
    Tool("conntrack", "conntrack", ("conntrack", "-L")),
    Tool("wget", "wget", ("wget", "--version")),
    Tool("dig", "bind9-dnsutils", ("dig", "-v")),
    Tool("nslookup", "bind9-dnsutils", ("nslookup", "-version")),
    Tool("nc", "netcat-openbsd"),
)
