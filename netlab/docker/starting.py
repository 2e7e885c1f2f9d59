"""Starting containers: the namespace, the connections, the names, the ports, and then the first process's work."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from errno import ENOENT

from netlab import images, ops
from netlab.docker import files
from netlab.docker.connecting import Connections
from netlab.docker.networks import Networks
from netlab.docker.ports import Ports
from netlab.docker.records import Attachment, NetworkRecord
from netlab.errors import NetlabError, NotFound, RequestError
from netlab.founding import wait
from netlab.kernel.apply import apply
from netlab.language import say
from netlab.places.container import Container
from netlab.sandbox.client import AgentRefusal, Answer
from netlab.sandbox.command import environment
from netlab.sandbox.ground import RUN
from netlab.sandbox.limits import check_room
from netlab.sandbox.nodes import PATH
from netlab.world import World

SHARED = "container:"
_SIDE_BY_SIDE = 4


class Starting:
    """Starts the containers of one host. Its caller holds the lab's lock."""

    def __init__(
        self,
        world: World,
        networks: Networks,
        connections: Connections,
        ports: Ports,
        find: Callable[[str], Container],
    ) -> None:
        self._world = world
        self._host = networks.host
        self._find = find
        self._networks = networks
        self._connections = connections
        self._ports = ports

    def start(self, containers: Sequence[Container], watch: Callable[[Container], None]) -> None:
        """Ask for all namespaces first, then connect each as soon as it is there; undo all if one fails."""
        check_room(len(self._world) + len(containers))
        records = [self.networks_of(container) for container in containers]
        asked: list[Future[Answer]] = []
        try:
            for container, wanted in zip(containers, records, strict=True):
                asked.append(self._begin(container, wanted))
            for container, wanted, answer in zip(containers, records, asked, strict=True):
                self._finish(container, wanted, answer)
                watch(container)
            # Rules take a while, but those in a container and those on the host have nothing to do with each other.
            with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
                ruled = [pool.submit(apply, rules, self._world) for rules in self._name_rules(containers)]
                for container in containers:
                    self._publish(container)
            for one in ruled:
                one.result()
            for container in containers:
                self._go(container)
        except BaseException:
            for container in reversed(containers):
                container.teardown.close()
            raise
        for container in containers:
            container.started, container.finished, container.exit_code, container.error = time.time(), None, 0, ""

    def networks_of(self, container: Container) -> list[tuple[NetworkRecord, Attachment]]:
        """Return the networks that a container is to be on, in the order of their interfaces.

        Raises NotFound, RequestError when one of them is gone, or has lost its bridge.
        """
        found = []
        for name in sorted(container.attachments):
            attachment = container.attachments[name]
            with _networking():
                record = self._network(name, attachment.network_id)
            if record.driver == "bridge":
                self._check_bridge(record)
            if record.pools:
                found.append((record, attachment))
        return found

    def _network(self, name: str, identifier: str) -> NetworkRecord:
        """Return the network that a container was made for; without an identifier, there was none of that name then."""
        records = self._networks.records
        if name not in records or identifier not in ("", records[name].id):
            raise NotFound(f"network {identifier or name} not found. There are: {', '.join(records)}")
        return records[name]

    def _check_bridge(self, record: NetworkRecord) -> None:
        if self._world.route_socket(self._host).index_of(record.bridge) is None:
            raise RequestError(
                say(
                    en=f"{self._host} has no bridge {record.bridge}, so a container has nothing to be connected to. Make it "
                    f"by hand (lab.host.add_bridge({record.bridge!r})), or start from a lab that has it: Lab(), or "
                    "lab.reset()",
                    ja=f"{self._host} にブリッジ {record.bridge} がないので、コンテナをつなぐ先がありません。"
                    f"手で作るか (lab.host.add_bridge({record.bridge!r}))、ブリッジのあるラボから始めてください: "
                    "Lab() または lab.reset()",
                )
            )

    # ── one container ──────────────────────────────────────────────────────────────────────────────────────────────

    def _begin(self, container: Container, wanted: Sequence[tuple[NetworkRecord, Attachment]]) -> Future[Answer]:
        """Take addresses and ask for the namespace."""
        container.operations.clear()
        container.teardown.callback(_ended, container)
        container.teardown.callback(self._connections.disconnect_all, container)
        with _networking():
            for record, attachment in wanted:
                self._connections.reserve(container, record, attachment)
                container.attachments[record.name] = replace(attachment, network_id=record.id)
        own, shares = self._namespaces(container.asked.mode)
        image = images.find(container.image)
        role, title = image.role, image.title
        if container.asked.command:
            role = {
                "kind": "command",
                "argv": list(container.asked.command),
                "environment": self._environment(container),
            }
            title = f"{image.name}: waits to begin (netlab)"
        answer = self._world.begin(
            container.name,
            role,
            hostname=container.hostname,
            files=self._files(container, wanted),
            title=title,
            on=self._host,
            ipv6=shares is not None,  # of its own namespace, only interfaces on networks with IPv6 get it
            own=own,
            shares=shares,
        )
        container.teardown.callback(self._end, container, answer)
        return answer

    def _namespaces(self, mode: str) -> tuple[tuple[str, ...], str | None]:
        """Return the namespaces that a container gets for itself, and whom it has the others together with."""
        if mode == "host":
            return ("mnt",), self._host
        if mode.startswith(SHARED):
            other = self._find(mode.removeprefix(SHARED))
            if not other.running:
                raise RequestError(f"cannot join network namespace of a non running container: {other.id}")
            return ("mnt",), other.name
        return ("net", "mnt", "uts"), None

    def _environment(self, container: Container) -> dict[str, str]:
        given = {key: value for key, value in environment().items() if key != "USER"}
        return {"PATH": PATH, "HOSTNAME": container.hostname, **given, **container.asked.environment}

    def _files(self, container: Container, wanted: Sequence[tuple[NetworkRecord, Attachment]]) -> dict[str, str]:
        asked = container.asked
        written = {
            "hosts": files.hosts(
                container.hostname, asked, container.endpoints.values(), self._networks.default.gateway(4)
            ),
            "resolv.conf": files.resolv_conf(asked, embedded=any(record.user_defined for record, _ in wanted)),
        }
        if asked.mode.startswith(SHARED):
            for name in written:
                written[name] = self.read_own(self._find(asked.mode.removeprefix(SHARED)).name, name)
        if container.started is None:
            written["log"] = ""  # a container of the same name may have left one
        return written

    def _finish(
        self, container: Container, wanted: Sequence[tuple[NetworkRecord, Attachment]], answer: Future[Answer]
    ) -> None:
        """Enter a container whose namespace is there, and connect it."""
        world, connections = self._world, self._connections
        world.finish(container.name, wait(answer), "container", host=self._host, label=container.image)
        container.running = True
        if container.asked.mode == "host" or container.asked.mode.startswith(SHARED):
            return
        loopback = [ops.SetUp(container.name, "lo")]
        apply(loopback, world)
        container.note([ops.AddNamespace(self._host, container.name), *loopback])
        for record, _ in wanted:
            container.note(connections.connect(container, record))
        container.note(connections.lead_out(container))
        container.note(connections.route(container))
        for record, _ in wanted:
            connections.introduce(container, record)
        container.teardown.callback(connections.dismiss, container)

    def _name_rules(self, containers: Sequence[Container]) -> list[list[ops.Operation]]:
        """Have containers served by the name server; return the rules by which each asks 127.0.0.11, still to be applied."""
        found = []
        for container in containers:
            rules = self._connections.admit(container)
            container.note(rules)
            if rules:
                found.append(rules)
        return found

    def _publish(self, container: Container) -> None:
        container.teardown.callback(self._ports.withdraw, container)
        with _networking():
            container.note(self._ports.follow(container, self._connections.gateway_network(container)))

    def _go(self, container: Container) -> None:
        if container.asked.command:
            self._world.sandbox.ask("go", name=container.name)

    def _end(self, container: Container, answer: Future[Answer]) -> None:
        """End a container's processes, however far its start came."""
        with contextlib.suppress(NetlabError, AgentRefusal, TimeoutError):
            if container.name not in self._world:
                self._world.finish(container.name, answer.result(5), "container", host=self._host)
            self._world.end(container.name)

    # ── its files ──────────────────────────────────────────────────────────────────────────────────────────────────

    def read_own(self, name: str, file: str) -> str:
        """Return one of the files that the engine keeps for a container: hosts, resolv.conf, log."""
        try:
            return self._world.read_file(self._host, own_path(name, file))
        except AgentRefusal as error:
            if error.errno != ENOENT:
                raise  # what cannot be read must not be written anew
            return ""  # it never ran

    def write_own(self, container: Container, file: str, text: str) -> None:
        """Write one of those files in place; the container sees it at once."""
        self._world.sandbox.ask("write", name=container.name, path=file, text=text)


@contextlib.contextmanager
def _networking() -> Iterator[None]:
    """Say of a refusal that it came at a container's start, as engines since 28.0.4 do."""
    try:
        yield
    except RequestError as error:
        raise type(error)(f"failed to set up container networking: {error}") from None


def own_path(name: str, file: str) -> str:
    """Return the path, on its host, of one of the files that the engine keeps for a container."""
    return f"{RUN}/nodes/{name}/{file}"


def _ended(container: Container) -> None:
    if container.running:
        container.finished = time.time()
    container.running = False
    container.endpoints.clear()
