"""What the engines of a lab's hosts share, as the nodes of one swarm: overlay networks, and who is where on them."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from errno import ENOENT
from typing import Protocol

from netlab import ipam, ipam_config, ops
from netlab.dns import Member
from netlab.docker.records import NetworkRecord, Wanted
from netlab.docker.resolving import NameServer
from netlab.drivers import overlay
from netlab.drivers.bridge import Endpoint
from netlab.errors import KernelRefused, LabClosed, NameTaken, NotFound, RequestError
from netlab.kernel import observe
from netlab.kernel.apply import apply, undo
from netlab.language import say
from netlab.names import container_id, made_up_mac
from netlab.world import World

_NO_SWARM = (
    'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and '
    "try again. (The hosts of a lab that has several are one swarm: Lab(hosts=2))"
)


class Node(Protocol):
    """The networks of one host's engine, as the swarm needs them."""

    records: dict[str, NetworkRecord]

    def gateway_bridge(self) -> tuple[NetworkRecord, list[ops.Operation]]:
        """Return docker_gwbridge and what makes it."""

    def keep(self, record: NetworkRecord) -> None:
        """Know it, now that it is made."""


@dataclass
class Overlay:
    """One overlay network: what each host knows of it, by the host's name, and the containers that are on it."""

    number: int
    records: dict[str, NetworkRecord]
    mouths: dict[str, overlay.Mouth] = field(default_factory=dict)  # of the hosts that have containers on it
    users: dict[str, set[str]] = field(default_factory=dict)  # ids of these containers, by host
    peers: dict[str, overlay.Peer] = field(default_factory=dict)  # by the container's id
    members: dict[str, Member] = field(default_factory=dict)  # their names, by the container's id


class Swarm:
    """The overlay networks of a lab. Its caller holds the lab's lock."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._nodes: dict[str, Node] = {}  # by the host's name
        self._names: dict[str, NameServer] = {}
        self._overlays: dict[str, Overlay] = {}  # by the network's id
        self._made = 0  # how many networks there have been

    def join(self, host: str, node: Node, names: NameServer) -> None:
        """Have one more host: what its engine knows of networks, and its name server."""
        self._nodes[host], self._names[host] = node, names

    @property
    def has_networks(self) -> bool:
        """Whether there are overlay networks now."""
        return bool(self._overlays)

    # ── networks ───────────────────────────────────────────────────────────────────────────────────────────────────

    def create(self, wanted: Wanted) -> tuple[NetworkRecord, list[ops.Operation]]:
        """Let all hosts know a new network; return it with what was done. Raises NameTaken, RequestError, KernelRefused.

        Nothing of the network itself is in the kernel before the first container; only docker_gwbridge comes with the
        first network of all, on every host.
        """
        self._check(wanted)
        asked = ipam_config.validate(wanted.configs, ipv6=False)
        ipam_config.one_per_family(asked)
        taken = [overlay.INGRESS, *(str(pool.subnet) for one in self._overlays.values() for pool in _any(one).pools)]
        chosen = asked or [ipam_config.Config(str(ipam.choose_subnet(taken, [overlay.POOL])))]
        configs = [replace(one, subnet=str(ipam.claim_subnet(one.network, taken, [overlay.POOL]))) for one in chosen]
        self._made += 1
        identifier = container_id("network", f"swarm/{wanted.name}", self._made)
        number = next(
            number
            for number in range(overlay.FIRST_NUMBER, overlay.FIRST_NUMBER + len(self._overlays) + 1)
            if all(one.number != number for one in self._overlays.values())
        )
        pools = [ipam.AddressPool(one, f"{wanted.name} ({identifier})", serial=True) for one in configs]
        record = NetworkRecord(
            identifier,
            wanted.name,
            wanted.driver,
            configs,
            pools,
            internal=wanted.internal,
            chosen_by_user=bool(asked),
            labels=dict(wanted.labels),
            options={overlay.NUMBER_OPTION: str(number), **wanted.options},
            created=time.time(),
            attachable=wanted.attachable,
        )
        done = self._make_gateways()
        records = {host: replace(record, host=host, endpoints={}) for host in self._nodes}
        for host, node in self._nodes.items():
            node.records[wanted.name] = records[host]
            records[host].everywhere = list(records.values())
        self._overlays[identifier] = Overlay(number, records)
        return record, done

    def _make_gateways(self) -> list[ops.Operation]:
        missing = [node for node in self._nodes.values() if overlay.GATEWAY_NETWORK not in node.records]
        made = [node.gateway_bridge() for node in missing]
        done = [operation for _, operations in made for operation in operations]
        apply(done, self._world)
        for node, (record, _) in zip(missing, made, strict=True):
            node.keep(record)
        return done

    def _check(self, wanted: Wanted) -> None:
        if len(self._nodes) == 1:
            raise RequestError(_NO_SWARM)
        if any(wanted.name in node.records for node in self._nodes.values()):
            raise NameTaken(f"network with name {wanted.name} already exists")
        if wanted.ipv6:
            raise RequestError("netlab's overlay networks have IPv4 only: leave out ipv6=True (--ipv6)")
        if unknown := [option for option in wanted.options if option != "com.docker.network.driver.mtu"]:
            raise RequestError(f"netlab's overlay driver does not support the option {unknown[0]}")

    def remove(self, record: NetworkRecord) -> None:
        """Let all hosts forget a network; raises RequestError while a container of any of them is on it."""
        known = self._overlays[record.id]
        for host, one in known.records.items():
            for identifier, endpoint in one.endpoints.items():
                task = container_id("task", identifier, 1)[:25]
                raise RequestError(
                    f"rpc error: code = FailedPrecondition desc = network {record.id} is in use by task {task} "
                    f"(container {endpoint.container} on {host})"
                )
        del self._overlays[record.id]
        for node in self._nodes.values():
            del node.records[record.name]

    def is_used(self, record: NetworkRecord) -> bool:
        """Whether a container of any host is on a network."""
        return any(one.endpoints for one in record.everywhere)

    def nodes(self, record: NetworkRecord) -> dict[str, str]:
        """Return the hosts that have containers on a network, with their addresses."""
        return {host: self._host_address(host) for host in self._overlays[record.id].mouths}

    def bridges(self) -> Iterator[tuple[tuple[str, str], str]]:
        """Yield place and name of each overlay network's bridges, and the network's name."""
        for one in self._overlays.values():
            for mouth in one.mouths.values():
                yield (mouth.place, "br0"), _any(one).name

    # ── containers ─────────────────────────────────────────────────────────────────────────────────────────────────

    def open(self, record: NetworkRecord, container: str) -> list[ops.Operation]:
        """Have a network's namespace on the record's host for a container; return what was done. Raises KernelRefused.

        The first container finds none there: the namespace is made, and the host learns of all containers of the others.
        """
        known, host = self._overlays[record.id], record.host
        users = known.users.setdefault(host, set())
        done: list[ops.Operation] = []
        if not users:
            name = overlay.sandbox_name(record.id)
            place = f"{name}@{host}"
            gateways = tuple(pool.with_length(pool.gateway) for pool in record.pools if pool.gateway)
            mac = made_up_mac(f"{host}/{record.id}")
            mtu, ipv6 = record.mtu or overlay.MTU, self._has_ipv6(host)
            mouth = overlay.Mouth(host, place, known.number, mac, gateways, mtu, ipv6)
            born: list[ops.Operation] = [ops.AddNamespace(host, name)]
            apply(born, self._world)
            try:
                self._world.adopt(host, name, place)
                furnished = [*overlay.make(mouth), *overlay.learn(place, _elsewhere(known, host))]
                apply(furnished, self._world)
            except BaseException:
                self._world.forget(place)
                undo(born, self._world)
                raise
            known.mouths[host] = mouth
            done = [*born, *furnished]
        users.add(container)
        return done

    def _has_ipv6(self, host: str) -> bool:
        try:
            self._world.read_file(host, "/proc/sys/net/ipv6/conf/all/disable_ipv6")
        except OSError as error:
            if error.errno != ENOENT:
                raise
            return False
        return True

    def wiring(self, record: NetworkRecord, endpoint: Endpoint) -> list[ops.Operation]:
        """Return the operations that connect a container's namespace to that of the network on its host."""
        return overlay.connect(self._overlays[record.id].mouths[record.host], endpoint)

    def place(self, record: NetworkRecord) -> str:
        """Return the place of a network's namespace on the record's host."""
        return self._overlays[record.id].mouths[record.host].place

    def announce(self, record: NetworkRecord, container: str, endpoint: Endpoint) -> list[ops.Operation]:
        """Let the other hosts know where a container is; return what was done. Raises KernelRefused."""
        addresses = tuple(one.partition("/")[0] for one in endpoint.addresses)
        peer = overlay.Peer(record.host, self._host_address(record.host), endpoint.mac, addresses)
        known = self._overlays[record.id]
        done = _told(known, peer)
        apply(done, self._world)
        known.peers[container] = peer
        return done

    def retract(self, record: NetworkRecord, container: str) -> None:
        """Let the other hosts forget a container; what was deleted by hand already is gone, as it should be."""
        known = self._overlays[record.id]
        peer = known.peers.pop(container, None)
        if peer is not None:
            undo(_told(known, peer), self._world)

    def shut(self, record: NetworkRecord, container: str) -> None:
        """Need a network's namespace for a container no more; it goes with the last of the host's."""
        known, host = self._overlays[record.id], record.host
        users = known.users.get(host, set())
        users.discard(container)
        if users or host not in known.mouths:
            return
        mouth = known.mouths.pop(host)
        for operation in overlay.unmake(mouth):  # it may have been deleted by hand: gone is gone
            with contextlib.suppress(NotFound, KernelRefused, LabClosed):
                apply([operation], self._world)
        self._world.forget(mouth.place)

    def parting(self, record: NetworkRecord, container: str) -> list[ops.Operation]:
        """Return what `retract` and `shut` are about to do for a container."""
        known, host = self._overlays[record.id], record.host
        peer, mouth = known.peers.get(container), known.mouths.get(host)
        done = _told(known, peer) if peer is not None else []
        gone = [inverse for op in reversed(done) if (inverse := op.inverse()) is not None]
        if mouth is not None and known.users.get(host) == {container}:
            gone += overlay.unmake(mouth)
        return gone

    def _host_address(self, host: str) -> str:
        """Return the address that other hosts send a host's packets to: that of the interface its default route leads by."""
        route_socket = self._world.route_socket(host)
        ways = [route.interface for route in observe.routes(route_socket) if route.destination == "default"]
        for seen in observe.interfaces(route_socket):
            if seen.interface.name in ways:
                for address in seen.interface.addresses:
                    if address.family == 4:
                        return address.address
        raise RequestError(
            say(
                en=f"{host} has no address that other hosts could send to: its default route is missing (ip route)",
                ja=f"{host} には、ほかのホストから送れるアドレスがありません。デフォルトルートがないためです (ip route)。",
            )
        )

    # ── names ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def introduce(self, record: NetworkRecord, container: str, member: Member) -> None:
        """Let the name servers of all hosts that have the network know a container by its names; again after a rename."""
        known = self._overlays[record.id]
        known.members[container] = member
        news: Mapping[str, Member] = {container: member}
        for host, server in self._names.items():
            knows = server.knows(record.id)
            if knows or host == record.host:
                server.learn(record.id, record.name)
                for identifier, one in (news if knows else known.members).items():
                    server.learn_member(record.id, identifier, one)

    def forget_names(self, record: NetworkRecord, container: str) -> None:
        """Let all name servers forget a container; raises LabClosed."""
        self._overlays[record.id].members.pop(container, None)
        for server in self._names.values():
            if server.knows(record.id):
                server.forget_member(record.id, container)


def _any(one: Overlay) -> NetworkRecord:
    return next(iter(one.records.values()))


def _elsewhere(known: Overlay, host: str) -> Sequence[overlay.Peer]:
    return [peer for peer in known.peers.values() if peer.host != host]


def _told(known: Overlay, peer: overlay.Peer) -> list[ops.Operation]:
    """Return what lets the other hosts know a container."""
    others = [mouth for host, mouth in known.mouths.items() if host != peer.host]
    return [operation for mouth in others for operation in overlay.learn(mouth.place, [peer])]
