"""What the Docker Engine API says about containers and networks: the dicts that `docker inspect` prints.

The one source for `docker inspect`, `--format` and whoever speaks the API. Pure: from the engine's records to data. Order
and names of the fields are the engine's (API 1.51); fields about files, memory and processors, of which a lab has none,
are left out.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from netlab import images
from netlab.docker.records import Attachment, NetworkRecord
from netlab.docker_text import durations
from netlab.drivers.bridge import Endpoint
from netlab.gotemplate import NilList, NilMap, Struct
from netlab.places.container import Container

NEVER = "0001-01-01T00:00:00Z"


# ── containers ─────────────────────────────────────────────────────────────────────────────────────────────────────


def container(one: Container, networks: Mapping[str, NetworkRecord], pid: int = 0) -> Struct:
    """Return what `docker inspect` prints of a container; `pid` is its first process' as the lab counts."""
    words = command(one)
    return Struct(
        Id=one.id,
        Created=moment(one.created),
        Path=words[0],
        Args=words[1:],
        State=_state(one, pid),
        Image=image_id(one.image),
        Name=f"/{one.name}",
        RestartCount=one.restarts,
        Driver="netlab",
        Platform="linux",
        HostConfig=_host_config(one),
        Mounts=[],
        Config=_config(one, words),
        NetworkSettings=_network_settings(one, networks),
    )


def command(one: Container) -> list[str]:
    """Return the words of a container's command: its own, or the image's."""
    return list(one.asked.command or images.find(one.image).command)


def container_summary(one: Container, networks: Mapping[str, NetworkRecord], now: float) -> dict[str, Any]:
    """Return a container as GET /containers/json lists it."""
    settings = _network_settings(one, networks)
    return {
        "Id": one.id,
        "Names": [f"/{one.name}"],
        "Image": one.image,
        "ImageID": image_id(one.image),
        "Command": " ".join(command(one)),
        "Created": int(one.created),
        "Ports": _port_list(one),
        "Labels": dict(one.asked.labels),
        "State": one.status,
        "Status": durations.status(
            one.status, now=now, started=one.started, finished=one.finished, exit_code=one.exit_code
        ),
        "HostConfig": {"NetworkMode": one.asked.mode},
        "NetworkSettings": {"Networks": settings["Networks"]},
        "Mounts": [],
    }


def _port_list(one: Container) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for key, bindings in ports(one).items():
        number, _, kind = key.partition("/")
        port = {"PrivatePort": int(number), "Type": kind}
        published = [{"IP": at["HostIp"], "PublicPort": int(at["HostPort"]), **port} for at in bindings]
        found += published or [port]
    return found


def exposed_ports(one: Container) -> list[str]:
    """Return the ports that a container exposes, as 80/tcp: by its image, by --expose and by -p."""
    return [f"{port}/{protocol}" for port, protocol in sorted(one.asked.exposed)]


def _state(one: Container, pid: int) -> Struct:
    return Struct(
        Status=one.status,
        Running=one.running,
        Paused=False,
        Restarting=False,
        OOMKilled=False,
        Dead=False,
        Pid=pid if one.running else 0,
        ExitCode=one.exit_code,
        Error=one.error,
        StartedAt=moment(one.started),
        FinishedAt=moment(one.finished),
    )


def _host_config(one: Container) -> Struct:
    asked = one.asked
    bindings: dict[str, list[Struct]] = {}
    for binding in asked.publish:
        ports = binding.host_port
        wanted = "" if ports is None else f"{ports[0]}" if len(ports) == 1 else f"{ports[0]}-{ports[-1]}"
        key = f"{binding.container_port}/{binding.protocol}"
        bindings.setdefault(key, []).append(Struct(HostIp=binding.host_address or "", HostPort=wanted))
    return Struct(
        NetworkMode=asked.mode,
        PortBindings=bindings,
        RestartPolicy=Struct(Name=asked.restart, MaximumRetryCount=asked.most_restarts),
        AutoRemove=asked.auto_remove,
        CapAdd=NilList(),
        CapDrop=NilList(),
        Dns=list(asked.dns),
        DnsOptions=list(asked.dns_options),
        DnsSearch=list(asked.dns_search),
        ExtraHosts=[f"{host}:{address}" for host, address in asked.extra_hosts] or NilList(),
        Links=NilList(),
        Privileged=False,
        PublishAllPorts=asked.publish_all,
        Runtime="netlab",
    )


def _config(one: Container, words: list[str]) -> Struct:
    asked = one.asked
    return Struct(
        Hostname=one.hostname,
        Domainname="",
        User="",
        AttachStdin=False,
        AttachStdout=False,
        AttachStderr=False,
        ExposedPorts={port: Struct() for port in exposed_ports(one)},
        Tty=asked.tty,
        OpenStdin=asked.interactive,
        StdinOnce=False,
        Env=[f"{key}={value}" for key, value in asked.environment.items()] or NilList(),
        Cmd=words,
        Image=one.image,
        Volumes=NilMap(),
        WorkingDir="",
        Entrypoint=NilList(),
        Labels=dict(asked.labels),
    )


def _network_settings(one: Container, networks: Mapping[str, NetworkRecord]) -> Struct:
    return Struct(
        Bridge="",
        SandboxID=_made_up("sandbox", one.id),
        SandboxKey=f"/run/netns/{one.name}" if one.running else "",
        Ports=ports(one),
        # The fields beside Networks, for the default bridge only, left the API with 1.52; students still ask for them.
        **_default_bridge(one, networks),
        Networks={name: _endpoint_settings(one, name, networks.get(name)) for name in one.attachments},
    )


def ports(one: Container) -> dict[str, Any]:
    """Return NetworkSettings.Ports: where each exposed port of a running container is published."""
    if not one.running or not one.endpoints:
        return {}
    found: dict[str, Any] = {port: NilList() for port in exposed_ports(one)}
    for published in one.published:
        key = f"{published.binding.container_port}/{published.binding.protocol}"
        bindings = [Struct(HostIp=at, HostPort=str(published.claim.port)) for at in published.claim.addresses]
        found[key] = [*found.get(key, []), *bindings]
    return dict(sorted(found.items()))


def _default_bridge(one: Container, networks: Mapping[str, NetworkRecord]) -> dict[str, Any]:
    settings = _endpoint_settings(one, "bridge", networks.get("bridge"))
    names = ("EndpointID", "Gateway", "GlobalIPv6Address", "GlobalIPv6PrefixLen", "IPAddress", "IPPrefixLen")
    return {name: settings[name] for name in (*names, "IPv6Gateway", "MacAddress")}


def _endpoint_settings(one: Container, name: str, record: NetworkRecord | None) -> Struct:
    """Return one connection; one of a stopped container, or to host or none, has no endpoint."""
    asked, endpoint = one.attachments.get(name), one.endpoints.get(name)
    address, length = _split(endpoint, 4)
    address6, length6 = _split(endpoint, 6)
    return Struct(
        IPAMConfig=_asked_addresses(asked),
        Links=NilList(),
        Aliases=list(asked.aliases if asked else ()) or NilList(),
        MacAddress=endpoint.mac if endpoint else "",
        DriverOpts=NilMap(),
        GwPriority=0,
        NetworkID=record.id if record else "",
        EndpointID=endpoint_id(one.id, record.id) if endpoint and record else "",
        Gateway=(record.gateway(4) or "") if endpoint and record and record.driver != "overlay" else "",
        IPAddress=address,
        IPPrefixLen=length,
        IPv6Gateway=(record.gateway(6) or "") if endpoint and record else "",
        GlobalIPv6Address=address6,
        GlobalIPv6PrefixLen=length6,
        DNSNames=_dns_names(one, endpoint) if record and record.user_defined else NilList(),
    )


def _asked_addresses(asked: Attachment | None) -> Struct | None:
    if asked is None or not (asked.address or asked.address6):
        return None
    wanted = {"IPv4Address": asked.address, "IPv6Address": asked.address6}
    return Struct({key: value for key, value in wanted.items() if value})


def _dns_names(one: Container, endpoint: Endpoint | None) -> list[str]:
    aliases = endpoint.aliases if endpoint else ()
    return list(dict.fromkeys([one.name, *aliases, one.id[:12], *([one.asked.hostname] if one.asked.hostname else [])]))


# ── networks ───────────────────────────────────────────────────────────────────────────────────────────────────────


def network(record: NetworkRecord, nodes: Mapping[str, str] | None = None) -> Struct:
    """Return what `docker network inspect` prints of a network; `nodes` are the hosts of an overlay network in use there."""
    peers = [Struct(Name=host, IP=address) for host, address in (nodes or {}).items()]
    return Struct(
        Name=record.name,
        Id=record.id,
        Created=moment(record.created),
        Scope="swarm" if record.driver == "overlay" else "local",
        Driver=record.driver,
        EnableIPv4=True,
        EnableIPv6=record.ipv6,
        IPAM=Struct(
            Driver="default",
            Options=dict[str, str]() if record.user_defined else NilMap(),
            Config=[_ipam_config(record, number) for number in range(len(record.configs))],
        ),
        Internal=record.internal,
        Attachable=record.attachable,
        Ingress=False,
        ConfigFrom=Struct(Network=""),
        ConfigOnly=False,
        Containers={
            identifier: Struct(
                Name=endpoint.container,
                EndpointID=endpoint_id(identifier, record.id),
                MacAddress=endpoint.mac,
                IPv4Address=_with_length(endpoint, 4),
                IPv6Address=_with_length(endpoint, 6),
            )
            for identifier, endpoint in record.endpoints.items()
        },
        Options=_options(record),
        Labels=dict(record.labels),
        **({"Peers": peers} if peers else {}),
    )


def _ipam_config(record: NetworkRecord, number: int) -> Struct:
    config = record.configs[number]
    pool = next((pool for pool in record.pools if str(pool.subnet) == str(config.network)), None)
    gateway = config.gateway or (pool.gateway if pool else None)
    fields: dict[str, Any] = {"Subnet": config.subnet, "IPRange": config.ip_range, "Gateway": gateway}
    fields["AuxiliaryAddresses"] = dict(config.aux_addresses)
    return Struct({key: value for key, value in fields.items() if value})


def _options(record: NetworkRecord) -> dict[str, str]:
    if record.name != "bridge":
        return dict(record.options)
    prefix = "com.docker.network."
    return {
        f"{prefix}bridge.default_bridge": "true",
        f"{prefix}bridge.enable_icc": "true",
        f"{prefix}bridge.enable_ip_masquerade": "true",
        f"{prefix}bridge.host_binding_ipv4": "0.0.0.0",
        f"{prefix}bridge.name": record.bridge,
        f"{prefix}driver.mtu": "1500",
        **record.options,
    }


# ── small things ───────────────────────────────────────────────────────────────────────────────────────────────────


def moment(seconds: float | None) -> str:
    """Return a time as the engine writes it, in UTC with nanoseconds; None is never."""
    if not seconds:
        return NEVER
    when = dt.datetime.fromtimestamp(seconds, dt.UTC)
    return when.strftime("%Y-%m-%dT%H:%M:%S.%f000Z")


def endpoint_id(container_id: str, network_id: str) -> str:
    """Return the id of a connection: 64 hexadecimal digits."""
    return _made_up("endpoint", container_id, network_id)


def image_id(image: str) -> str:
    """Return an image's id, made up from its name."""
    return "sha256:" + _made_up("image", images.find(image).name)


def _made_up(*words: str) -> str:
    return hashlib.sha256("/".join(words).encode()).hexdigest()


def _with_length(endpoint: Endpoint, version: int) -> str:
    return next(_of_version(endpoint.addresses, version), "")


def _split(endpoint: Endpoint | None, version: int) -> tuple[str, int]:
    text = _with_length(endpoint, version) if endpoint else ""
    address, _, length = text.partition("/")
    return address, int(length or 0)


def _of_version(addresses: Iterable[str], version: int) -> Iterator[str]:
    return (one for one in addresses if (":" in one) == (version == 6))
