"""What Docker's engine does for one host: makes containers, connects them, and takes them away again."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from errno import EBUSY
from typing import Protocol

from netlab import images, ops
from netlab.addressing import Pool
from netlab.drivers import bridge
from netlab.errors import KernelRefused, LabClosed, NetlabError, NotFound, RequestError
from netlab.founding import RESOLV_CONF, hosts_file, wait
from netlab.kernel.apply import apply
from netlab.names import check_container, container_id, mac_address, made_up_mac, veth_name
from netlab.places.container import Container
from netlab.places.home import Home
from netlab.sandbox.client import AgentRefusal, Answer
from netlab.world import World

SUBNET, GATEWAY = "172.17.0.0/16", "172.17.0.1"
_FIRST_INDEX = 4  # interface numbers below belong to lo, eth0 and docker0
_RETRIES = 50


class EngineHome(Home, Protocol):
    """A lab, as its engine sees it."""

    def check_free(self, names: Sequence[str]) -> None:
        """Raise NameTaken when one of the names is in use already, or is there twice."""

    def note(self, title: str, operations: Sequence[ops.Operation]) -> None:
        """Write a change that was made into the history."""


def docker0(host: str) -> bridge.BridgeNetwork:
    """Return the default network of a host."""
    prefix_length = int(SUBNET.partition("/")[2])
    return bridge.BridgeNetwork(host, "docker0", SUBNET, GATEWAY, prefix_length, made_up_mac("docker0"), index=3)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A container whose namespace is on its way."""

    container: Container
    address: str
    answer: Future[Answer]


class Engine:
    """The containers of one host. Its caller holds the lab's lock."""

    def __init__(self, lab: EngineHome, world: World, network: bridge.BridgeNetwork) -> None:
        self.containers: dict[str, Container] = {}
        self._lab = lab
        self._world = world
        self._network = network
        self._pool = Pool(network.subnet, network.gateway)
        self._serial = 0
        self._next_index = _FIRST_INDEX

    # ── asked for ──────────────────────────────────────────────────────────────────────────────────────────────────

    def run(self, names: Sequence[str], image: str, hostname: str | None) -> list[Container]:
        """Make and start containers: all of them, or none when one fails."""
        found = images.find(image)
        if hostname is not None:
            check_container(hostname)
        self._lab.check_free([check_container(name) for name in names])
        made = []
        for name in names:
            self._serial += 1
            made.append(Container(self._lab, name, container_id("netlab", name, self._serial), found, hostname))
        self._start(made)
        self.containers.update((container.name, container) for container in made)
        return made

    def start(self, name: str) -> Container:
        """Start a container that was stopped; it may get another address, as with Docker."""
        container = self.container(name)
        if container.status != "running":
            self._start([container])
        return container

    def stop(self, name: str) -> Container:
        """Stop a container: its processes end, its address is free again, its veth pair is gone."""
        container = self.container(name)
        operations = self._take_away(container)
        if operations:
            self._lab.note(f"stop {name}", operations)
        return container

    def remove(self, name: str) -> None:
        """Stop a container if it runs, and forget it."""
        container = self.container(name)
        operations = self._take_away(container)
        del self.containers[name]
        self._lab.note(f"rm {name}", operations)

    def container(self, name: str) -> Container:
        """Return the container of that name; raises NotFound, listing what there is."""
        if name in self.containers:
            return self.containers[name]
        known = ", ".join(self.containers) or "none yet: make one with lab.run"
        raise NotFound(f"There is no container {name!r}. There are: {known}")

    # ── starting ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _start(self, containers: Sequence[Container]) -> None:
        """Ask for all namespaces first, then connect each as soon as it is there; undo all if one fails."""
        self._check_bridge()
        asked: list[_Asked] = []
        try:
            taken = {one.address for one in self.containers.values() if one.address}
            for container, address in zip(containers, self._pool.free(len(containers), taken), strict=True):
                asked.append(_Asked(container, address, self._begin(container, address)))
            operations: list[ops.Operation] = []
            for one in asked:
                operations += self._connect(one)
        except BaseException:
            for one in asked:
                self._abandon(one)
            raise
        for one in asked:
            self._watch(one.container)
        self._lab.note("run " + ", ".join(container.name for container in containers), operations)

    def _begin(self, container: Container, address: str) -> Future[Answer]:
        image = images.find(container.image)
        files = {"hosts": hosts_file(container.hostname, address), "resolv.conf": RESOLV_CONF}
        return self._world.begin(
            container.name,
            image.role,
            hostname=container.hostname,
            files=files,
            title=image.title,
            on=self._network.host,
            ipv6=False,
        )

    def _connect(self, asked: _Asked) -> list[ops.Operation]:
        container, host = asked.container, self._network.host
        self._world.finish(container.name, wait(asked.answer), "container", host=host, label=container.image)
        for attempt in range(_RETRIES):
            endpoint = self._endpoint(container, asked.address, attempt)
            wiring = bridge.connect(self._network, endpoint)
            try:
                apply(wiring, self._world)
            except KernelRefused as error:
                if error.errno == EBUSY and attempt + 1 < _RETRIES:
                    continue  # an interface that was made by hand has that number: take the next
                raise
            operations = [ops.AddNamespace(host, container.name), *wiring]
            container.started(endpoint, operations)
            return operations
        raise AssertionError("unreachable")

    def _endpoint(self, container: Container, address: str, attempt: int) -> bridge.Endpoint:
        index = self._next_index
        self._next_index += 2
        veth = veth_name(container.id, attempt)
        return bridge.Endpoint(container.name, "eth0", veth, index, address, mac_address(address))

    def _check_bridge(self) -> None:
        host, name = self._network.host, self._network.bridge
        if self._world.route_socket(host).index_of(name) is None:
            raise RequestError(
                f"{host} has no bridge {name}, so a container has nothing to be connected to. Make it by hand "
                f"(lab.host.add_bridge({name!r})), or start from a lab that has it: Lab(), or lab.reset()"
            )

    def _watch(self, container: Container) -> None:
        """See to it that a container whose process ends by itself is known as exited, and its namespace let go."""
        entry = self._world.entry(container.name)

        def ended(_: int) -> None:
            if container.name in self._world and self._world.entry(container.name) is entry:
                container.ended()
                self._world.forget(container.name)

        self._world.sandbox.when_ended(entry.pid, ended)

    # ── ending ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _abandon(self, asked: _Asked) -> None:
        """Take back a container that could not be started, however far it came."""
        asked.container.ended()
        with contextlib.suppress(NetlabError, AgentRefusal, TimeoutError):
            if asked.container.name not in self._world:
                answer = asked.answer.result(5)
                self._world.finish(asked.container.name, answer, "container", host=self._network.host)
            self._world.end(asked.container.name)

    def _take_away(self, container: Container) -> list[ops.Operation]:
        if container.status != "running":
            return []
        host = self._network.host
        operations: list[ops.Operation] = []
        if container.veth:
            operations.append(ops.DeleteLink(host, container.veth))
            with contextlib.suppress(NotFound, KernelRefused):  # it may have been deleted by hand: gone is gone
                apply(operations, self._world)
        container.ended()
        with contextlib.suppress(NotFound, LabClosed):  # its process may have ended this very moment
            self._world.end(container.name)
        return [*operations, ops.DeleteNamespace(host, container.name)]
