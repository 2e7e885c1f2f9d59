"""What the engines have on record of names, containers and ports, as an explanation asks for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from netlab import dns
from netlab.docker.engine import Engine
from netlab.docker.records import NetworkRecord
from netlab.founding import RESOLVERS
from netlab.places.container import Container
from netlab.publish import PortBinding
from netlab.script.docker_lines import of_container
from netlab.why.records import Promised, Records, Served


def records(engines: Iterable[Engine], zone: Mapping[str, str]) -> Records:
    """Return the records of the engines and of the internet's name server."""
    known = list(engines)

    def served(name: str) -> Served | None:
        return next((_served(one.containers[name], one, known) for one in known if name in one.containers), None)

    def stopped(name: str) -> str | None:
        return next((one.host for one in known if name in one.containers and not one.containers[name].running), None)

    def promised(host: str, port: int, protocol: str) -> Promised | None:
        containers = [each for one in known if one.host == host for each in one.containers.values()]
        for container in sorted(containers, key=lambda each: not each.running):
            if (binding := _binding(container, port, protocol)) is not None:
                return _promised(container, binding)
        return None

    return Records(served, zone, stopped, promised)


def _binding(container: Container, port: int, protocol: str) -> PortBinding | None:
    """Return what leads a port of the host to a container, or led there before it was stopped."""
    given = [(one.claim.port, one.binding) for one in container.published]
    asked = [] if container.running else [(one.host_port[0], one) for one in container.asked.publish if one.host_port]
    return next((one for number, one in [*given, *asked] if (number, one.protocol) == (port, protocol)), None)


def _promised(container: Container, binding: PortBinding) -> Promised:
    def anew(port: int) -> tuple[str, ...]:
        right = replace(binding, container_port=port)
        return of_container(container, [right if one == binding else one for one in container.asked.publish])

    return Promised(container.name, binding.container_port, container.running, anew)


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
