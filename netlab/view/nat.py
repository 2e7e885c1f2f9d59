"""What a place's nftables rules do to addresses, in readable words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from netlab.model import PlaceState, Rule, Snapshot

_SOURCE = re.compile(r"\b(?:ip6?) saddr (?P<value>!= \S+|\{[^}]*\}|\S+)")
_DESTINATION = re.compile(r"\b(?:ip6?) daddr (?P<value>!= \S+|\{[^}]*\}|\S+)")
_PORT = re.compile(r"\b(?P<protocol>tcp|udp|th|sctp) dport (?P<value>\{[^}]*\}|\S+)")
_OUT = re.compile(r'\boif(?:name)? "?(?P<value>[^"\s!=]+)"?')
_SNAT = re.compile(r"\bsnat (?:ip6? )?to (?P<value>\S+)")
_DNAT = re.compile(r"\bdnat (?:ip6? )?to (?P<value>.+?)(?= comment | random| persistent| fully-random|$)")
_REDIRECT = re.compile(r"\bredirect to :(?P<value>\S+)")
_ENDPOINT = re.compile(r"^(?:\[(?P<six>[^\]]+)\]|(?P<four>[^:\s]+))(?::(?P<port>[\d-]+))?$")


def translations(place: PlaceState, snapshot: Snapshot) -> list[str]:
    """Say what the place's NAT rules do, one line each: `NAT 172.17.0.0/16 → 203.0.113.10`, `:8080 → web:80`."""
    lines = (_translation(rule, place, snapshot) for rule in place.rules)
    return list(dict.fromkeys(line for line in lines if line))


class Publication(NamedTuple):
    """A port that a place answers for with somebody else's: what is caught (`:8080`), and who gets it."""

    caught: str
    owner: str
    port: str

    @property
    def protocol(self) -> str:
        """Its protocol, as `docker ps` writes it."""
        return "udp" if self.caught.endswith("/udp") else "tcp"

    @property
    def host_port(self) -> str:
        """The port that is caught: its number, or a range."""
        return self.caught.rpartition(":")[2].partition("/")[0]


def publications(place: PlaceState, snapshot: Snapshot) -> list[Publication]:
    """Return the ports that the place's rules pass on to another place; one that IPv4 and IPv6 both have counts once."""
    found: dict[Publication, None] = {}
    for rule in place.rules:
        target = _DNAT.search(rule.text)
        end = _ENDPOINT.match(target["value"].strip()) if target else None
        owner = _owner(end["six"] or end["four"], snapshot) if end else None
        if end and owner and _PORT.search(rule.text):
            found[Publication(_published(rule.text), owner, end["port"] or "")] = None
    return list(found)


def rules_of(publication: Publication, place: PlaceState, snapshot: Snapshot) -> list[Rule]:
    """Return the place's rules that have to do with a published port: those that rewrite it and those that let it through."""
    owner = snapshot.place(publication.owner)
    own = {address.address for one in owner.interfaces for address in one.addresses} if owner else set()
    found = []
    for rule in place.rules:
        port, destination = _PORT.search(rule.text), _value(_DESTINATION, rule.text)
        rewrites = bool(_DNAT.search(rule.text)) and _published(rule.text) == publication.caught
        meant = port is not None and (port["protocol"], port["value"]) == (publication.protocol, publication.port)
        if rewrites or (meant and destination in own):
            found.append(rule)
    return found


def _translation(rule: Rule, place: PlaceState, snapshot: Snapshot) -> str:
    text = rule.text
    if found := _DNAT.search(text):
        return f"{_published(text)} → {_target(found['value'], snapshot)}"
    if found := _REDIRECT.search(text):
        return f"{_published(text)} → :{found['value']}"
    if re.search(r"\bmasquerade\b", text):
        return _masked(text, _leaving_address(rule, place))
    if found := _SNAT.search(text):
        return _masked(text, found["value"])
    return ""


def _masked(text: str, to: str) -> str:
    source, destination = _value(_SOURCE, text), _value(_DESTINATION, text)
    if source and source == destination:
        return ""  # a container that calls its own published port: a detail for the table of rules, not for a picture
    return f"NAT {source or '*'} → {to}"


def _published(text: str) -> str:
    """Say which packets a rule catches: `:8080`, `127.0.0.1:8080`, `:53/udp`."""
    port = _PORT.search(text)
    suffix = "/udp" if port and port["protocol"] == "udp" else ""
    destination = _value(_DESTINATION, text)
    destination = f"[{destination}]" if ":" in destination else destination
    return f"{destination}:{port['value']}{suffix}" if port else destination or "*"


def _target(value: str, snapshot: Snapshot) -> str:
    """Name the container behind an address: `172.17.0.2:80` becomes `web:80`."""
    found = _ENDPOINT.match(value.strip())
    if not found:
        return value.strip()
    owner = _owner(found["six"] or found["four"], snapshot)
    if owner is None:
        return value.strip()
    return f"{owner}:{found['port']}" if found["port"] else owner


def _owner(address: str, snapshot: Snapshot) -> str | None:
    places = (
        place.name
        for place in snapshot.places
        for interface in place.interfaces
        if any(one.address == address and one.scope != "host" for one in interface.addresses)
    )
    return next(places, None)


def _leaving_address(rule: Rule, place: PlaceState) -> str:
    """Return the address that masquerading puts in: that of the interface where the packet leaves."""
    family = 6 if rule.family == "ip6" or " ip6 " in f" {rule.text} " else 4
    out = _OUT.search(rule.text)
    default = next((one for one in place.routes if one.destination == "default" and one.family == family), None)
    name = out["value"] if out else default.interface if default else None
    interface = place.interface(name) if name else None
    for one in interface.addresses if interface else ():
        if one.family == family and one.scope == "global":
            return one.address
    return name or "?"


def _value(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found["value"] if found else ""
