"""Connecting containers to networks: addresses, the veth pair, the default route, and the names that others know."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from errno import EBUSY, EEXIST

from netlab import dns, ops
from netlab.docker.networks import Networks
from netlab.docker.records import Attachment, NetworkRecord
from netlab.docker.resolving import NameServer
from netlab.drivers.bridge import Endpoint
from netlab.drivers.overlay import GATEWAY_NETWORK
from netlab.errors import KernelRefused, LabClosed, NotFound, RequestError
from netlab.founding import RESOLVERS
from netlab.kernel import observe
from netlab.kernel.apply import apply
from netlab.kernel.netlink import RouteSocket
from netlab.names import mac_address, veth_name
from netlab.places.container import Container
from netlab.world import World

_FIRST_INDEX = 4  # interface numbers below belong to lo, eth0 and docker0
_RETRIES = 5  # a number taken by hand is met once; a name, which is drawn from 28 bits, hardly ever
_NO_REDIRECTION = "delete table ip docker-dns"


class Connections:
    """The endpoints of one host's containers. Its caller holds the lab's lock."""

    def __init__(self, world: World, networks: Networks, names: NameServer) -> None:
        self._world = world
        self._networks = networks
        self._names = names
        self._next_index = _FIRST_INDEX
        self._stacks: dict[tuple[str, str], ExitStack] = {}  # what undoes an endpoint, by container id and network
        self._default: dict[str, tuple[str, ...]] = {}  # gateways of a container's default routes, by its id
        self._served: set[str] = set()  # ids of the containers that ask 127.0.0.11

    # ── one endpoint ───────────────────────────────────────────────────────────────────────────────────────────────

    def check(self, record: NetworkRecord, asked: Attachment) -> None:
        """Refuse what no container may ask of a network; raises RequestError."""
        if not record.user_defined and (asked.address or asked.address6):
            raise RequestError(
                "invalid endpoint settings: user-specified IP address is supported on user-defined networks only"
            )
        if record.driver == "overlay" and not record.attachable:
            raise RequestError(
                f"Could not attach to network {record.name}: rpc error: code = PermissionDenied desc = network "
                f"{record.name} not manually attachable"
            )
        if not record.user_defined and asked.aliases:
            raise RequestError("network-scoped aliases are only supported for user-defined networks")
        for pool, wanted in ((record.pool(4), asked.address), (record.pool(6), asked.address6)):
            if pool is None and wanted is not None:
                raise RequestError(f"invalid endpoint settings:\nno configured subnet contains IP address {wanted}")
            if pool is not None and wanted is not None:
                pool.check_form(wanted)

    def reserve(self, container: Container, record: NetworkRecord, asked: Attachment) -> Endpoint:
        """Take addresses for a container on a network; raises RequestError. `disconnect` gives them back."""
        self.check(record, asked)
        chosen = []
        for pool, wanted in ((record.pool(4), asked.address), (record.pool(6), asked.address6)):
            if pool is not None:
                chosen.append((pool, pool.check(wanted) if wanted is not None else pool.choose()[0]))
        for pool, address in chosen:
            pool.take(address)
        plain = [address for pool, address in chosen if pool.subnet.version == 4]
        endpoint = Endpoint(
            container.name,
            self._interface_name(container, record.prefix),
            veth="",
            index=0,
            addresses=tuple(pool.with_length(address) for pool, address in chosen),
            mac=asked.mac or mac_address(plain[0]),
            aliases=asked.aliases,
        )
        container.endpoints[record.name] = record.endpoints[container.id] = endpoint
        stack = self._stacks[container.id, record.name] = ExitStack()
        stack.callback(self._release, container, record, [(pool, address) for pool, address in chosen])
        return endpoint

    def _interface_name(self, container: Container, prefix: str) -> str:
        """Return the first free name of eth0, eth1, … (engine 28 and later; before, numbers were not used again)."""
        used = {endpoint.interface for endpoint in container.endpoints.values()}
        return next(name for number in range(len(used) + 1) if (name := f"{prefix}{number}") not in used)

    def _release(self, container: Container, record: NetworkRecord, taken: Sequence[tuple[object, str]]) -> None:
        for pool in record.pools:
            for _, address in taken:
                if (":" in address) == (pool.subnet.version == 6):
                    pool.release(address)
        container.endpoints.pop(record.name, None)
        record.endpoints.pop(container.id, None)

    def connect(self, container: Container, record: NetworkRecord) -> list[ops.Operation]:
        """Make a reserved endpoint real in the kernel; return what was done. Raises KernelRefused."""
        stack = self._stacks[container.id, record.name]
        if record.driver != "overlay":
            return self._plug(container, record)
        swarm = self._networks.swarm
        done = swarm.open(record, container.id)
        stack.callback(swarm.shut, record, container.id)
        done += self._plug(container, record)
        stack.callback(swarm.retract, record, container.id)
        return done + swarm.announce(record, container.id, container.endpoints[record.name])

    def _plug(self, container: Container, record: NetworkRecord) -> list[ops.Operation]:
        stack = self._stacks[container.id, record.name]
        for attempt in range(_RETRIES):
            endpoint = self._numbered(container, record, attempt)
            wiring = self._networks.wiring(record, endpoint)
            try:
                apply(wiring, self._world)
            except KernelRefused as error:
                if error.errno not in (EBUSY, EEXIST) or attempt + 1 == _RETRIES:
                    raise
                # An interface that was made by hand has that number, or that name.
                self._pass_over(container.name, endpoint.veth_place)
                continue
            break
        stack.callback(self._unplug, endpoint, self._world.route_socket(container.name))
        container.endpoints[record.name] = record.endpoints[container.id] = endpoint
        return wiring

    def _pass_over(self, *places: str) -> None:
        """Go on with numbers that no interface of these places has."""
        for place in places:
            self._next_index = max(
                self._next_index, *(1 + index for index in observe.names_of(self._world.route_socket(place)))
            )

    def _numbered(self, container: Container, record: NetworkRecord, attempt: int) -> Endpoint:
        known = container.endpoints[record.name]
        index = self._next_index
        self._next_index += 2
        seed = container.id if record.name == "bridge" else f"{container.id}/{record.id}"
        veth = veth_name(seed, attempt) if record.driver in ("bridge", "overlay") else ""
        place = self._networks.swarm.place(record) if record.driver == "overlay" else self._networks.host
        return replace(known, veth=veth, index=index, veth_place=place)

    def _unplug(self, endpoint: Endpoint, inside: RouteSocket) -> None:
        """Delete both ends, also when they or the container have other names by now, or its first process has ended.

        The kernel takes its time over a namespace that nobody needs any more, and others may have joined it: until then
        the host's end would stay on the bridge, and a macvlan interface would keep its hardware address from the next.
        """
        with contextlib.suppress(NotFound, KernelRefused, LabClosed):  # it may have been deleted by hand: gone is gone
            apply([ops.DeleteLink(endpoint.veth_place, endpoint.veth)] if endpoint.veth else [], self._world)
        with contextlib.suppress(OSError):  # the lab has ended
            inside.delete_link(endpoint.index)

    def parting(self, container: Container, network: str) -> list[ops.Operation]:
        """Return what `disconnect` is about to do to the kernel."""
        endpoint, record = container.endpoints[network], self._networks.records.get(network)
        gone: list[ops.Operation] = [ops.DeleteLink(endpoint.veth_place, endpoint.veth)] if endpoint.veth else []
        if record is not None and record.driver == "overlay":
            gone += self._networks.swarm.parting(record, container.id)
        return gone

    def disconnect(self, container: Container, network: str) -> None:
        """Take an endpoint away, real or only reserved; harmless when there is none."""
        stack = self._stacks.pop((container.id, network), None)
        if stack is not None:
            stack.close()

    def disconnect_all(self, container: Container) -> None:
        """Take all endpoints of a container away."""
        self._default.pop(container.id, None)
        with ExitStack() as every:  # each of them, whatever becomes of the others
            for network in reversed(container.endpoints):
                every.callback(self.disconnect, container, network)

    # ── the default route ──────────────────────────────────────────────────────────────────────────────────────────

    def gateway_network(self, container: Container) -> NetworkRecord | None:
        """Return the network that a container reaches the outside by: not internal, and first by name."""
        records = [self._networks.records[name] for name in container.endpoints if name in self._networks.records]
        outward = [record for record in records if record.gives_way]
        return min(outward, key=lambda record: (-len(record.pools), record.name), default=None)

    def lead_out(self, container: Container) -> list[ops.Operation]:
        """Have a container on docker_gwbridge as long as it needs that: its overlay networks lead nowhere else.

        Return what was done; raises RequestError, KernelRefused.
        """
        records = [self._networks.records[name] for name in container.endpoints if name in self._networks.records]
        others = [record for record in records if record.name != GATEWAY_NETWORK]
        needed = any(record.driver == "overlay" and not record.internal for record in others)
        needed = needed and not any(record.gives_way for record in others)
        if needed == (GATEWAY_NETWORK in container.endpoints):
            return []
        if not needed:
            done = self.parting(container, GATEWAY_NETWORK)
            self.disconnect(container, GATEWAY_NETWORK)
            return done
        bridge = self._networks.find(GATEWAY_NETWORK)
        self.reserve(container, bridge, Attachment(GATEWAY_NETWORK))
        return self.connect(container, bridge)

    def route(self, container: Container) -> list[ops.Operation]:
        """Let the default routes lead by the right network; return what was done."""
        record = self.gateway_network(container)
        wanted = tuple(pool.gateway for pool in record.pools if pool.gateway) if record is not None else ()
        present = self._default.get(container.id, ())
        if wanted == present:
            return []
        # A route whose interface has gone went with it.
        usable = {pool.gateway for name in container.endpoints for pool in self._networks.records[name].pools}
        gone = [ops.DeleteRoute(container.name, "default", gateway) for gateway in present if gateway in usable]
        changes: list[ops.Operation] = [*gone, *(ops.AddRoute(container.name, "default", one) for one in wanted)]
        apply(changes, self._world)
        self._default[container.id] = wanted
        return changes

    # ── names ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def introduce(self, container: Container, record: NetworkRecord) -> None:
        """Let the other containers of a user-defined network know a container by its names; again after a rename."""
        if not record.resolves:
            return
        endpoint = container.endpoints[record.name]
        names = dict.fromkeys([container.name, *endpoint.aliases, container.id[:12], container.hostname])
        addresses = tuple(one.partition("/")[0] for one in endpoint.addresses)
        self._stacks[container.id, record.name].callback(self._forget, record, container.id)
        member = dns.Member(tuple(names), addresses)
        if record.driver == "overlay":
            self._networks.swarm.introduce(record, container.id, member)
            return
        self._names.learn(record.id, record.name)
        self._names.learn_member(record.id, container.id, member)

    def _forget(self, record: NetworkRecord, container: str) -> None:
        with contextlib.suppress(LabClosed):
            if record.driver == "overlay":
                self._networks.swarm.forget_names(record, container)
            else:
                self._names.forget_member(record.id, container)

    def serve_names(self, container: Container) -> list[ops.Operation]:
        """Have a container that is on a user-defined network ask 127.0.0.11; return what was done for that.

        It goes on asking there when it leaves its last such network; nothing but what is forwarded is answered then.
        """
        redirection = self.admit(container)
        try:
            apply(redirection, self._world)
        except BaseException:
            self.dismiss(container)
            raise
        return redirection

    def admit(self, container: Container) -> list[ops.Operation]:
        """Tell the name server of a container; return the rules that it needs if it is new there, not applied yet."""
        records = [self._networks.records[name] for name in sorted(container.endpoints)]
        networks = [record.id for record in records if record.resolves]
        served = container.id in self._served
        if not networks and not served:
            return []
        isolated = bool(records) and all(record.internal for record in records)
        upstreams = [] if isolated else container.asked.dns or RESOLVERS
        chosen_ndots = any(option.startswith("ndots:") for option in container.asked.dns_options)
        namespace = None if served else self._world.namespace(container.name)
        ports = self._names.admit(
            container.id, networks, upstreams, namespace=namespace, forward_single_labels=not chosen_ndots
        )
        if served:
            return []
        self._served.add(container.id)
        return [ops.NftRules(container.name, dns.redirection(*ports), _NO_REDIRECTION)]

    def renamed(self, container: Container) -> None:
        """Let a running container be known by its new name instead of its old one."""
        for name in list(container.endpoints):
            record = self._networks.records[name]
            endpoint = replace(container.endpoints[name], container=container.name)
            container.endpoints[name] = record.endpoints[container.id] = endpoint
            self.introduce(container, record)

    def is_served(self, container: Container) -> bool:
        """Whether a container asks 127.0.0.11."""
        return container.id in self._served

    def serve_no_names(self, container: Container) -> None:
        """Take back what `serve_names` did for a container that goes on running; harmless when it did nothing."""
        if self.is_served(container):
            with contextlib.suppress(KernelRefused):  # the rules may have been deleted by hand: gone is gone
                apply([ops.NftRules(container.name, _NO_REDIRECTION)], self._world)
            self.dismiss(container)

    def dismiss(self, container: Container) -> list[ops.Operation]:
        """Let a container ask no more."""
        if container.id in self._served:
            self._served.discard(container.id)
            with contextlib.suppress(LabClosed):
                self._names.dismiss(container.id)
        return []
