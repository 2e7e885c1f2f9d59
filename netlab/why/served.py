"""What the lab's name servers know, by the engines' records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from netlab import dns
from netlab.docker.engine import Engine
from netlab.docker.records import NetworkRecord
from netlab.founding import RESOLVERS
from netlab.places.container import Container
from netlab.why.naming import NameServers, Served


def name_servers(engines: Iterable[Engine], zone: Mapping[str, str]) -> NameServers:
    """Return the records of the engines and of the internet's name server."""
    known = list(engines)

    def served(name: str) -> Served | None:
        return next((_served(one.containers[name], one, known) for one in known if name in one.containers), None)

    return NameServers(served, zone)


def _served(container: Container, engine: Engine, engines: Iterable[Engine]) -> Served:
    records = [engine.networks.records[name] for name in sorted(container.endpoints)]
    isolated = bool(records) and all(record.internal for record in records)
    asked = container.asked
    return Served(
        networks=[_names(record, engines) for record in records if record.resolves],
        upstreams=[] if isolated else asked.dns or RESOLVERS,
        forward_single_labels=not any(option.startswith("ndots:") for option in asked.dns_options),
    )


def _names(record: NetworkRecord, engines: Iterable[Engine]) -> dns.NetworkNames:
    """Return the names of the containers that are on a network, on all hosts that have it."""
    members = []
    for engine in engines:
        for one in engine.containers.values():
            endpoint = one.endpoints.get(record.name)
            known = engine.networks.records.get(record.name)
            if endpoint is None or known is None or known.id != record.id:
                continue
            names = dict.fromkeys([one.name, *endpoint.aliases, one.id[:12], one.hostname])
            members.append(dns.Member(tuple(names), tuple(each.partition("/")[0] for each in endpoint.addresses)))
    return dns.NetworkNames(record.name, tuple(members))
