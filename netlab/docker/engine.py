"""The engine of one host: what can be asked about its containers, in the verbs of `docker`."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Sequence
from dataclasses import replace

from netlab import images, observer, ops
from netlab.docker.connecting import Connections
from netlab.docker.membership import Membership
from netlab.docker.networks import EngineHome, Networks
from netlab.docker.ports import Ports
from netlab.docker.records import Attachment, Query, Specification
from netlab.docker.resolving import NameServer
from netlab.docker.rule_lines import RuleLine, beside
from netlab.docker.starting import SHARED, Starting
from netlab.docker.swarm import Swarm
from netlab.errors import NetlabError, NotFound, RequestError, in_docker_words
from netlab.interrupts import held_back
from netlab.language import say
from netlab.names import check_container, check_mac, container_id
from netlab.places.container import Container
from netlab.sandbox.client import AgentRefusal
from netlab.world import World

LONGEST_LOG = 16_000  # characters that one message to the sandbox can hold for sure
GRACE_SECONDS = 10.0  # that `docker stop` waits
_NEVER_BEGAN = 128  # the status of a container whose start was refused
_SIGNALLED = 128  # and the signal's number: the status of what a signal has ended
_LONG_RUN, _FIRST_PAUSE, _LONGEST_PAUSE = 10.0, 0.1, 60.0  # seconds


class Engine:
    """The containers and networks of one host. Its caller holds the lab's lock.

    What is refused raises NotFound, NameTaken or RequestError in the engine's words, and nothing has changed then.
    """

    def __init__(self, lab: EngineHome, world: World, host: str, swarm: Swarm) -> None:
        self.containers: dict[str, Container] = {}
        self.host = host
        self.networks = Networks(lab, world, host, swarm)
        self.names = NameServer(world, host)
        swarm.join(host, self.networks, self.names)
        self._lab = lab
        self._world = world
        self._connections = Connections(world, self.networks, self.names)
        self._ports = Ports(world, host)
        self._starting = Starting(world, self.networks, self._connections, self._ports, self.container)
        self._membership = Membership(self.host, self._connections, self._ports, self._starting)
        self._serial = 0
        self._seed = "netlab" if host == ops.HOST else host

    # ── containers ─────────────────────────────────────────────────────────────────────────────────────────────────

    def create(self, names: Sequence[str], asked: Specification, *, identifiers: Sequence[str] = ()) -> list[Container]:
        """Make containers without starting them, as `docker create` does; with ids of their own unless some are given."""
        images.find(asked.image)
        if asked.hostname is not None:
            check_container(asked.hostname)
        asked = self._with_shared_id(asked)
        attachments = self._attachments(asked)
        self._lab.check_free([check_container(name) for name in names])
        made = []
        for number, name in enumerate(names):
            self._serial += 1
            own = identifiers[number] if identifiers else container_id(self._seed, name, self._serial)
            container = Container(self._lab, name, own, asked)
            container.attachments = dict(attachments)
            made.append(container)
        self.containers.update((container.name, container) for container in made)
        return made

    def run(self, names: Sequence[str], asked: Specification) -> list[Container]:
        """Make and start containers: all of them, or none when one fails."""
        made = self.create(names, asked)
        try:
            self._start(made)
        except BaseException:
            for container in made:
                self.containers.pop(container.name, None)
            raise
        return made

    def start(self, name: str) -> Container:
        """Start a container that was created or stopped; it may get another address, as with Docker."""
        container = self.container(name)
        if not container.running:
            container.restarts = 0
            try:
                self._start([container])
            except BaseException as error:
                container.exit_code = container.exit_code or _NEVER_BEGAN
                container.error = in_docker_words(error)
                raise
        return container

    def _start(self, containers: Sequence[Container]) -> None:
        self._starting.start(containers, self._watch)
        done = [operation for container in containers for operation in container.operations]
        self._lab.note("run " + ", ".join(container.name for container in containers), done)

    def stop(self, name: str, seconds: float = GRACE_SECONDS) -> Container:
        """Stop a container: its processes end, its addresses are free again, its veth pairs are gone.

        Its first process is told to end (SIGTERM), and killed when it has not after some seconds. One that does not listen
        is killed at once: on an engine, where nothing but a handler of its own can end the first process, that would come
        after those seconds all the same. The caller does not hold the lab's lock, so that the lab is free meanwhile.
        """
        with self._lab.lock, held_back():
            container = self.container(name)
            told = container.running and seconds > 0 and self._tell_to_end(container)
        if told:
            container.over.wait(seconds)
        with self._lab.lock, held_back():
            container.told_to_end = False
            if container.running:
                self._lab.note(f"stop {container.name}", self._take_away(container))
                container.exit_code = 0 if seconds and self._ends_when_told(container) else _SIGNALLED + signal.SIGKILL
                if container.asked.auto_remove:
                    del self.containers[container.name]
        return container

    def restart(self, name: str, seconds: float = GRACE_SECONDS) -> Container:
        """Stop a container, as `stop` does, and start it again; addresses and ephemeral ports may change."""
        container = self.stop(name, seconds)
        with self._lab.lock, held_back():
            self.containers.setdefault(container.name, container)  # also one that is removed when it ends
            self._start([container])
        return container

    def remove(self, name: str) -> None:
        """Stop a container if it runs, and forget it, as `docker rm -f` does."""
        container = self.container(name)
        operations = self._take_away(container)
        del self.containers[container.name]
        self._lab.note(f"rm {container.name}", operations)

    def rename(self, name: str, new: str) -> Container:
        """Give a container another name; others find it by that one at once."""
        container = self.container(name)
        self._lab.check_free([check_container(new)])
        old = container.name
        try:
            self._call(container, new)
        except BaseException:
            self._call(container, old)
            raise
        self._lab.note(f"rename {old} to {new}", [])
        return container

    def _call(self, container: Container, name: str) -> None:
        if container.name != name:
            if container.running:
                self._world.rename(container.name, name)
            container.name = name
            self.containers = {one.name: one for one in self.containers.values()}
        if container.running:
            self._connections.renamed(container)

    def prune(self) -> list[str]:
        """Remove all containers that do not run; return their names."""
        gone = [name for name, container in self.containers.items() if not container.running]
        for name in gone:
            del self.containers[name]
        return gone

    def logs(self, name: str) -> str:
        """Return what a container's first process has written, its errors too."""
        container = self.container(name)
        return self._starting.read_own(container.name, "log") if container.started is not None else ""

    def has(self, name: str) -> bool:
        """Whether `container` finds one of that name or beginning of an id."""
        return name in self.containers or any(name and one.id.startswith(name) for one in self.containers.values())

    def write_log(self, name: str, text: str) -> None:
        """Add to a container's log what its command in the foreground has written; of very much, the end is kept."""
        container = self.container(name)
        kept = (self.logs(name) + text)[-LONGEST_LOG:]
        self._starting.write_own(container, "log", kept)

    def container(self, name: str) -> Container:
        """Return the container of that name or, if there is none, with that beginning of its id; raises NotFound."""
        if name in self.containers:
            return self.containers[name]
        found = [one for one in self.containers.values() if name and one.id.startswith(name)]
        if len(found) == 1:
            return found[0]
        known = ", ".join(self.containers)
        raise NotFound(
            say(
                en=f"There is no container {name!r}. There are: {known or 'none yet: make one with lab.run'}",
                ja=f"{name!r} というコンテナはありません。"
                + (f"あるもの: {known}" if known else "まだ 1 つもないので、lab.run で作ってください。"),
            )
        )

    def bridges(self) -> dict[tuple[str, str], str]:
        """Return the names of the user-defined networks, by host and bridge."""
        records = self.networks.records.values()
        named = [record for record in records if record.user_defined and record.bridge not in ("", record.name)]
        return {(self.host, record.bridge): record.name for record in named}

    def rule_lines(self) -> list[RuleLine]:
        """Return the engine's rules as the kernel has them, each with the iptables line that means the same."""
        rules = [rule for chain in observer.chains(self._world, self.host) for rule in chain.rules]
        return beside(rules, [*self.networks.host_rules(), *self._ports.host_rules()])

    def queries(self, since: int = 0) -> list[Query]:
        """Return the questions that containers asked 127.0.0.11, the newest last."""
        _, entries = self.names.queries(since)
        names = {container.id: container.name for container in self.containers.values()}
        return [
            Query(
                one["time"],
                names.get(one["container"], one["container"][:12]),
                one["name"],
                one["kind"],
                one["protocol"],
                one["outcome"],
                tuple(one["records"]),
            )
            for one in entries
        ]

    # ── what a container is connected to ───────────────────────────────────────────────────────────────────────────

    def _with_shared_id(self, asked: Specification) -> Specification:
        if (asked.mode == "host" or asked.mode.startswith(SHARED)) and any(one.mac for one in asked.attachments):
            raise RequestError("conflicting options: mac-address and the network mode")
        if not asked.mode.startswith(SHARED):
            return asked
        other = asked.mode.removeprefix(SHARED)
        if not other:
            raise RequestError("Invalid network mode: invalid container format container:<name|id>")
        if asked.publish or asked.publish_all:
            raise RequestError("conflicting options: port publishing and the container type network mode")
        if asked.hostname is not None:
            raise RequestError("conflicting options: hostname and the network mode")
        if asked.dns:
            raise RequestError("conflicting options: dns and the network mode")
        if asked.extra_hosts:
            raise RequestError("conflicting options: custom host-to-IP mapping and the network mode")
        if asked.expose:
            raise RequestError("conflicting options: port exposing and the container type network mode")
        return replace(asked, mode=SHARED + self.container(other).id)

    def _attachments(self, asked: Specification) -> dict[str, Attachment]:
        """Return what a new container is to be connected to, by the network's name; raises RequestError.

        A network that is not there is missed at the container's start only, as with Docker.
        """
        if asked.mode.startswith(SHARED):
            return {}
        found: dict[str, Attachment] = {}
        for one in asked.attachments or (Attachment(asked.mode),):
            if one.mac is not None:
                check_mac(one.mac)
            try:
                found |= self._attachment(one)
            except NotFound:
                found[one.network] = one
        return found

    def _attachment(self, asked: Attachment) -> dict[str, Attachment]:
        record = self.networks.find("bridge" if asked.network == "default" else asked.network)
        self._connections.check(record, asked)
        return {record.name: replace(asked, network=record.name, network_id=record.id)}

    def connect(self, name: str, network: str, asked: Attachment) -> None:
        """Connect a container to one more network; a stopped one is connected when it starts."""
        container, record = self.container(name), self.networks.find(network)
        attachment = self._attachment(replace(asked, network=record.name))
        self._membership.check(container, record)
        done = self._membership.join(container, record, attachment[record.name]) if container.running else []
        container.attachments |= attachment
        self._lab.note(f"connect {container.name} to {record.name}", done)

    def disconnect(self, name: str, network: str, *, force: bool = False) -> None:
        """Take a container off a network, for good; with `force`, of one that was removed as well."""
        container = self.container(name)
        try:
            record = self.networks.find(network)
        except NotFound:
            if not force:
                raise
            record = None
        known = network if record is None else record.name
        if known == "host":
            raise RequestError("container cannot be disconnected from host network or connected to host network")
        if known not in container.attachments:
            the = "" if record is not None and container.running else "the "  # the engine has two places that say so
            raise RequestError(f"container {container.id} is not connected to {the}network {known}")
        done = self._membership.leave(container, record) if record is not None and container.running else []
        del container.attachments[known]
        self._lab.note(f"disconnect {container.name} from {known}", done)

    # ── ending ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _take_away(self, container: Container) -> list[ops.Operation]:
        """Undo a container's start; return what that stands for."""
        gone = [op for name in container.endpoints for op in self._connections.parting(container, name)]
        if container.running:
            gone.append(ops.DeleteNamespace(self.host, container.name))
        container.teardown.close()
        return gone

    def _tell_to_end(self, container: Container) -> bool:
        """Send SIGTERM to a container's first process if it has a handler for it; return whether it has."""
        pid = self._world.entry(container.name).pid
        try:
            status = self._world.read_file(container.name, f"/proc/{pid}/status")
        except AgentRefusal:
            return False  # it has just ended by itself
        caught = int(status.partition("SigCgt:")[2].split()[0], 16)
        container.told_to_end = bool(caught >> (signal.SIGTERM - 1) & 1)
        if container.told_to_end:
            container.over.clear()
            self._world.sandbox.ask("signal", pid=pid, signal=int(signal.SIGTERM))
        return container.told_to_end

    def _ends_when_told(self, container: Container) -> bool:
        """Whether its first process ends properly when it is told to, as a server does and an idle one does not."""
        return not container.asked.command and images.find(container.image).role["kind"] == "web"

    def _watch(self, container: Container) -> None:
        """See to it that a container whose process ends by itself is taken away."""
        pid = self._world.entry(container.name).pid

        def ended(status: int) -> None:
            if not self._world.sandbox.alive:
                return  # the whole lab ends, and every container with it
            # The thread that hears the sandbox tells this; it must not ask the sandbox anything itself.
            threading.Thread(target=self._bury, args=(container, pid, status), daemon=True).start()

        self._world.sandbox.when_ended(pid, ended)

    def _bury(self, container: Container, pid: int, status: int) -> None:
        with contextlib.suppress(NetlabError, AgentRefusal), self._lab.lock:
            if container.name not in self._world or self._world.entry(container.name).pid != pid:
                return
            done = self._take_away(container)
            if container.told_to_end:
                self._lab.note(f"stop {container.name}", done)
            container.exit_code = status if status >= 0 else _SIGNALLED - status
            container.over.set()
            if container.asked.auto_remove:
                self.containers.pop(container.name, None)
            elif not container.told_to_end and self._comes_back(container):
                threading.Thread(target=self._start_again, args=(container,), daemon=True).start()

    def _comes_back(self, container: Container) -> bool:
        """Whether a container that has ended by itself is to be started again, by its restart policy."""
        asked = container.asked
        if asked.restart == "on-failure":
            tired = 0 < asked.most_restarts <= container.restarts
            return container.exit_code != 0 and not tired
        return asked.restart in ("always", "unless-stopped")

    def _start_again(self, container: Container) -> None:
        """Start a container that ended by itself, after a while that doubles each time until one run was long."""
        ended = container.finished or 0.0
        lasted = ended - (container.started or ended)
        container.restarts = 0 if lasted > _LONG_RUN else container.restarts + 1
        time.sleep(min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**container.restarts))
        with contextlib.suppress(NetlabError, AgentRefusal), self._lab.lock:
            if (
                self.containers.get(container.name) is container
                and not container.running
                and container.finished == ended
            ):
                self._start([container])
