"""The engine of one host: runs containers, and takes them away again."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Sequence
from concurrent.futures import Future

from netlab import images, ops
from netlab.docker.connecting import Connections
from netlab.docker.networks import EngineHome, Networks
from netlab.docker.ports import Ports
from netlab.docker.records import Attachment, NetworkRecord, Specification
from netlab.docker.resolving import NameServer
from netlab.errors import KernelRefused, LabClosed, NetlabError, NotFound, RequestError
from netlab.founding import RESOLVERS, hosts_file, wait
from netlab.kernel.apply import apply
from netlab.names import check_container, container_id
from netlab.places.container import Container
from netlab.sandbox.client import AgentRefusal, Answer
from netlab.world import World

_WITHOUT_NETWORK = ("none", "host")


class Engine:
    """The containers and networks of one host. Its caller holds the lab's lock."""

    def __init__(self, lab: EngineHome, world: World, host: str) -> None:
        self.containers: dict[str, Container] = {}
        self.host = host
        self.networks = Networks(lab, world, host)
        self.names = NameServer(world, host)
        self._lab = lab
        self._world = world
        self._connections = Connections(world, self.networks, self.names)
        self._ports = Ports(world, host)
        self._serial = 0

    # ── asked for ──────────────────────────────────────────────────────────────────────────────────────────────────

    def run(self, names: Sequence[str], asked: Specification) -> list[Container]:
        """Make and start containers: all of them, or none when one fails."""
        images.find(asked.image)
        if asked.hostname is not None:
            check_container(asked.hostname)
        self._lab.check_free([check_container(name) for name in names])
        made = []
        for name in names:
            self._serial += 1
            made.append(Container(self._lab, name, container_id("netlab", name, self._serial), asked))
        self._start(made)
        self.containers.update((container.name, container) for container in made)
        return made

    def start(self, name: str) -> Container:
        """Start a container that was stopped; it may get another address, as with Docker."""
        container = self.container(name)
        if not container.running:
            self._start([container])
        return container

    def stop(self, name: str) -> Container:
        """Stop a container: its processes end, its addresses are free again, its veth pairs are gone."""
        container = self.container(name)
        if container.running:
            self._lab.note(f"stop {name}", self._take_away(container))
        return container

    def remove(self, name: str) -> None:
        """Stop a container if it runs, and forget it."""
        container = self.container(name)
        operations = self._take_away(container)
        del self.containers[name]
        self._lab.note(f"rm {name}", operations)

    def bridges(self) -> dict[tuple[str, str], str]:
        """Return the names of the user-defined networks, by host and bridge."""
        records = self.networks.records.values()
        return {(self.host, record.bridge): record.name for record in records if record.user_defined and record.bridge}

    def container(self, name: str) -> Container:
        """Return the container of that name; raises NotFound, listing what there is."""
        if name in self.containers:
            return self.containers[name]
        known = ", ".join(self.containers) or "none yet: make one with lab.run"
        raise NotFound(f"There is no container {name!r}. There are: {known}")

    # ── starting ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _start(self, containers: Sequence[Container]) -> None:
        """Ask for all namespaces first, then connect each as soon as it is there; undo all if one fails."""
        records = [self._network_of(container.asked) for container in containers]
        asked: list[Future[Answer]] = []
        try:
            for container, record in zip(containers, records, strict=True):
                asked.append(self._begin(container, record))
            for container, record, answer in zip(containers, records, asked, strict=True):
                self._finish(container, record, answer)
        except BaseException:
            for container in reversed(containers):
                container.teardown.close()
            raise
        done = [operation for container in containers for operation in container.operations]
        self._lab.note("run " + ", ".join(container.name for container in containers), done)

    def _network_of(self, asked: Specification) -> NetworkRecord | None:
        """Return the network that a new container is to be on, None if it has none; raises NotFound, RequestError."""
        name = "bridge" if asked.mode == "default" else asked.mode
        if name in _WITHOUT_NETWORK:
            return None
        record = self.networks.find(name)
        if self._world.route_socket(self.host).index_of(record.bridge) is None:
            raise RequestError(
                f"{self.host} has no bridge {record.bridge}, so a container has nothing to be connected to. Make it by "
                f"hand (lab.host.add_bridge({record.bridge!r})), or start from a lab that has it: Lab(), or lab.reset()"
            )
        return record

    def _begin(self, container: Container, record: NetworkRecord | None) -> Future[Answer]:
        container.operations.clear()
        container.teardown.callback(self._ended, container)
        if record is not None:
            asked = container.asked.attachment or Attachment(record.name)
            container.teardown.callback(self._connections.disconnect_all, container)
            self._connections.reserve(container, record, asked)
        image = images.find(container.image)
        host_mode = container.asked.mode == "host"
        answer = self._world.begin(
            container.name,
            image.role,
            hostname=container.hostname,
            files={
                "hosts": hosts_file(container.hostname, container.address),
                "resolv.conf": self._resolv_conf(record),
            },
            title=image.title,
            on=self.host,
            ipv6=host_mode or bool(record and record.ipv6),
            own=("mnt",) if host_mode else ("net", "mnt", "uts"),
            shares=self.host if host_mode else None,
        )
        container.teardown.callback(self._end, container, answer)
        return answer

    def _resolv_conf(self, record: NetworkRecord | None) -> str:
        if record is not None and record.user_defined:
            return "nameserver 127.0.0.11\noptions ndots:0\n"
        return "".join(f"nameserver {address}\n" for address in RESOLVERS)

    def _finish(self, container: Container, record: NetworkRecord | None, answer: Future[Answer]) -> None:
        """Enter a container whose namespace is there, and connect it."""
        world, connections = self._world, self._connections
        world.finish(container.name, wait(answer), "container", host=self.host, label=container.image)
        self._watch(container)
        container.note([ops.AddNamespace(self.host, container.name)])
        if container.asked.mode == "host":
            container.running = True
            return
        loopback = [ops.SetUp(container.name, "lo")]
        apply(loopback, world)
        container.note(loopback)
        if record is not None:
            container.note(connections.connect(container, record))
            container.note(connections.route(container))
            container.teardown.callback(connections.dismiss, container)
            container.note(connections.serve_names(container))
            connections.introduce(container, record)
            self._publish(container)
        container.running = True

    def _publish(self, container: Container) -> None:
        record = self._connections.gateway_network(container)
        if record is not None and container.asked.publish:
            operations = self._ports.publish(container, record)
            container.note(operations)
            container.teardown.callback(self._ports.withdraw, container, operations)

    # ── connecting a running container ─────────────────────────────────────────────────────────────────────────────

    def connect(self, name: str, network: str, asked: Attachment) -> None:
        """Connect a container to one more network; raises RequestError, NotFound; nothing has changed then."""
        container, record = self.container(name), self.networks.find(network)
        if record.name in container.endpoints:
            raise RequestError(f"endpoint with name {name} already exists in network {record.name}")
        if container.asked.mode == "host" or record.name == "host":
            raise RequestError(
                "cannot connect container to host network - container must be created in host network mode"
            )
        if container.asked.mode == "none" or record.name == "none":
            raise RequestError(
                "container cannot be connected to multiple networks with one of the networks in private (none) mode"
            )
        if not container.running:
            raise RequestError(f"{name} is not running. Start it first: lab.start({name!r})")
        connections = self._connections
        done: list[ops.Operation] = []
        try:
            connections.reserve(container, record, asked)
            done += connections.connect(container, record)
            done += connections.route(container)
            done += connections.serve_names(container)
            connections.introduce(container, record)
        except BaseException:
            connections.disconnect(container, record.name)
            with contextlib.suppress(NetlabError):
                connections.route(container)
            raise
        self._lab.note(f"connect {name} to {record.name}", done)

    def disconnect(self, name: str, network: str) -> None:
        """Take a container off a network; raises RequestError, NotFound."""
        container, record = self.container(name), self.networks.find(network)
        endpoint = container.endpoints.get(record.name)
        if endpoint is None:
            raise RequestError(f"container {container.id} is not connected to network {record.name}")
        self._connections.disconnect(container, record.name)
        done: list[ops.Operation] = [ops.DeleteLink(self.host, endpoint.veth)]
        done += self._connections.route(container)
        self._connections.serve_names(container)
        self._lab.note(f"disconnect {name} from {record.name}", done)

    # ── ending ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _take_away(self, container: Container) -> list[ops.Operation]:
        """Undo a container's start; return what that stands for."""
        gone: list[ops.Operation] = [ops.DeleteLink(self.host, one.veth) for one in container.endpoints.values()]
        if container.running:
            gone.append(ops.DeleteNamespace(self.host, container.name))
        container.teardown.close()
        return gone

    def _ended(self, container: Container) -> None:
        container.running = False
        container.endpoints.clear()

    def _end(self, container: Container, answer: Future[Answer]) -> None:
        """End a container's processes, however far its start came."""
        with contextlib.suppress(NetlabError, AgentRefusal, TimeoutError):
            if container.name not in self._world:
                self._world.finish(container.name, answer.result(5), "container", host=self.host)
            self._world.end(container.name)

    def _watch(self, container: Container) -> None:
        """See to it that a container whose process ends by itself is taken away."""
        entry = self._world.entry(container.name)

        def ended(_: int) -> None:
            # The thread that hears the sandbox tells this; it must not ask the sandbox anything itself.
            threading.Thread(target=self._bury, args=(container, entry), daemon=True).start()

        self._world.sandbox.when_ended(entry.pid, ended)

    def _bury(self, container: Container, entry: object) -> None:
        with contextlib.suppress(KernelRefused, LabClosed, AgentRefusal), self._lab.lock:
            if container.name in self._world and self._world.entry(container.name) is entry:
                container.teardown.close()
