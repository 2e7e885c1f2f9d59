"""The lab: one rootless sandbox with a host, its containers, and the internet beyond it."""

from __future__ import annotations

import os
import shlex
import threading
import warnings
import weakref
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Self

from netlab import founding, ipam_config, observer, ops, registry, service
from netlab.changes.difference import Changes
from netlab.changes.looking import Looks
from netlab.docker.engine import GRACE_SECONDS, Engine
from netlab.docker.records import Attachment, Query, Specification, Wanted
from netlab.docker.rule_lines import RuleLine
from netlab.docker.swarm import Swarm
from netlab.errors import LabClosed, NameTaken, NotFound, RequestError
from netlab.faults.breaking import break_something
from netlab.faults.trouble import Trouble
from netlab.interrupts import held_back
from netlab.journey import trace
from netlab.journey.journey import Journey
from netlab.kernel.apply import apply
from netlab.language import say
from netlab.model import Snapshot
from netlab.names import check_namespace, check_network
from netlab.places.container import Container
from netlab.places.internet import Internet
from netlab.places.network import Network
from netlab.places.place import Place
from netlab.publish import parse, parse_expose
from netlab.registry import Registration
from netlab.sandbox.client import Sandbox
from netlab.sandbox.ground import DOCKER_SOCKET
from netlab.view.commands import Commands
from netlab.view.picture import Picture
from netlab.view.tables import Table
from netlab.why import engines as engine_records
from netlab.why.explaining import why_each
from netlab.why.explanation import Explanation
from netlab.world import World

if TYPE_CHECKING:
    from netlab.checkpoints.memory import Checkpoint, Restored
    from netlab.live.diagram import Diagram
    from netlab.live.feed import Feed
    from netlab.script.shell import Script

_MOST_HOSTS = 9


@dataclass(frozen=True, slots=True)
class Change:
    """One change that was made by netlab: what it was about, and the operations that it took."""

    title: str
    operations: tuple[ops.Operation, ...]


class Lab:
    """A world to build networks in. It is a context manager, may be closed twice, and ends with this process.

    `docker=False` leaves out docker0, forwarding and the masquerade rule, for building them by hand. `hosts` is the number
    of hosts: host, host2, … Raises SandboxError where the machine forbids it, and says what to do.
    """

    def __init__(self, name: str | None = None, *, docker: bool = True, hosts: int = 1) -> None:
        if not isinstance(hosts, int) or not 1 <= hosts <= _MOST_HOSTS:
            raise RequestError(
                say(
                    en=f"A lab has 1 to {_MOST_HOSTS} hosts, not {hosts!r}.",
                    ja=f"ラボのホストは 1 台から {_MOST_HOSTS} 台までです。{hosts!r} は指定できません。",
                )
            )
        self.lock = threading.RLock()
        self._docker = docker
        self._host_names = founding.host_names(hosts)
        self.history: list[Change] = []
        self._checkpoints: dict[str, tuple[Checkpoint, list[Change]]] = {}
        self._feed: Feed | None = None  # what keeps the diagrams of `show` alive
        self._registration = Registration(name)
        self.name = self._registration.name
        self._leak = weakref.finalize(self, _warn_of_leak, self.name, self._registration, os.getpid())
        built = False
        try:
            with held_back():
                self._build()
                built = True
                self._looks = Looks(self.snapshot)
        except BaseException:
            self._leak.detach()
            self._registration.close()
            if built:  # and then interrupted
                self.close()
            raise
        self._registration.serve(self, service.answer)

    # ── the life of a lab ──────────────────────────────────────────────────────────────────────────────────────────

    def _build(self) -> None:
        self.world = World(Sandbox())
        try:
            founding.found(self.world, self._host_names)
            apply(founding.operations(self._host_names), self.world)
            swarm = Swarm(self.world)
            self.engines = {host: Engine(self, self.world, host, swarm) for host in self._host_names}
            for engine in self.engines.values() if self._docker else ():
                engine.networks.make_default()
        except BaseException:
            self.world.close()
            self.world.sandbox.close()
            raise
        for host in self._host_names:
            registry.serve(self.world.listen(host, DOCKER_SOCKET), self, service.answer_host(host), self.name)
        self.internet = Internet(self)
        self.hosts = [Place(self, name) for name in self._host_names]
        self.host = self.hosts[0]

    def reset(self) -> None:
        """Throw away all that was built and start again as at the beginning; also brings back a lab that has died."""
        with self.lock, held_back():
            self._check_open()
            self.world.close()
            self.world.sandbox.close()
            self.history.clear()
            self._build()
            self._looks.begin_anew()

    def _check_open(self) -> None:
        """Raise LabClosed when it was closed; one that has died can be built again."""
        if not self._leak.alive:
            raise LabClosed(
                say(
                    en="This lab was closed. Make a new one: lab = Lab()",
                    ja="このラボは閉じられています。新しく作ってください: lab = Lab()",
                )
            )

    def close(self) -> None:
        """End the lab and everything in it; harmless when repeated."""
        with self.lock, held_back():
            self._leak.detach()
            self._registration.close()
            self.world.close()
            self.world.sandbox.close()

    @property
    def closed(self) -> bool:
        """Whether the lab has been closed or has died."""
        return not self.world.sandbox.alive

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # ── what is there ──────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def places(self) -> dict[str, Place]:
        """Every place that is there now, by name."""
        self.world.refresh()
        return {entry.name: self._place(entry.name) for entry in self.world}

    @property
    def containers(self) -> dict[str, Container]:
        """All containers of all hosts by name, stopped ones too."""
        return {name: one for engine in self.engines.values() for name, one in engine.containers.items()}

    def __getitem__(self, name: str) -> Place:
        """Return the place of that name; raises NotFound, listing what there is."""
        if name == "internet":
            return self.internet
        if name not in self.world and name not in self.containers:
            self.world.refresh()
            self.world.entry(name)
        return self._place(name)

    def _place(self, name: str) -> Place:
        for engine in self.engines.values():
            if name in engine.containers:
                return engine.containers[name]
        return next((host for host in self.hosts if host.name == name), None) or Place(self, name)

    def snapshot(self) -> Snapshot:
        """Return all that the kernel reports, at this moment."""
        return observer.snapshot(self.world, self.name, self.bridges())

    def bridges(self) -> dict[tuple[str, str], str]:
        """Return the name of the network behind each bridge: {("host", "docker0"): "bridge"}."""
        bridges = {place: name for engine in self.engines.values() for place, name in engine.bridges().items()}
        return bridges | dict(self.engine.networks.swarm.bridges())

    def show(self) -> Diagram:
        """Return the diagram of the lab, drawn from what the kernel reports; in a notebook it follows every change."""
        from netlab.live.diagram import Diagram  # noqa: PLC0415 - only for those who look
        from netlab.live.feed import Feed  # noqa: PLC0415

        if self._feed is None:
            self._feed = Feed(self)
        return Diagram(self.snapshot(), self._feed)

    def __repr__(self) -> str:
        return f"<lab {self.name}{say(en=', closed', ja=', 終了') if self.closed else ''}>"

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"text/plain": repr(self)} if self.closed else Picture(self.snapshot())._repr_mimebundle_()

    def trace(self, source: str | Place, target: str | Place, *, timeout: float = trace.TIMEOUT) -> Journey:
        """Send a real probe from a place and return every hop that it and its answer really took.

        `target` is a URL, "ping web", "tcp:web:80", "udp:web:53", or a place. `timeout` is how many seconds each answer is
        waited for. Nothing of it is left afterwards. Raises RequestError for a target that cannot be read, NotFound.
        """
        place, wanted = _ends(source, target)
        return trace.trace(self.world, self.snapshot, self._iptables_lines, place=place, target=wanted, timeout=timeout)

    def why(self, source: str | Place, target: str | Place) -> Explanation:
        """Explain whether a place can reach a target, without sending: each condition in order, to the first that fails.

        `target` is as in `trace`. Of one that fails, the explanation has the reason and the commands that repair it. Raises
        RequestError for a target that cannot be read, NotFound.
        """
        place, wanted = _ends(source, target)
        return self._explain([(place, wanted)])[0]

    def _explain(self, pairs: Sequence[tuple[str, str]]) -> list[Explanation]:
        records = engine_records.records(self.engines.values(), founding.known_names(self._host_names))
        return why_each(self.world, self.snapshot, records, pairs)

    def break_something(
        self, *, seed: int | None = None, level: int | None = None, kind: str | None = None, count: int = 1
    ) -> Trouble:
        """Break something in the lab as it is; return the trouble: `.symptom`, `.check()`, `.hint()`, `.reveal()`.

        The same `seed` breaks the same thing in a lab that was built the same way. `level` is 1 to 3, `kind` is link,
        address, route, rules, name, bridge, server or tunnel, `count` the number of faults at once: each interrupts something
        that the others do not, so there may be fewer. Raises RequestError when nothing can be broken.
        """
        return break_something(self, lambda: self.world, self._explain, seed=seed, level=level, kind=kind, count=count)

    def _iptables_lines(self, host: str) -> dict[tuple[str, str], str]:
        lines = {(line.chain, line.text): line.iptables for line in self.iptables(host)}
        return {key: line for key, line in lines.items() if not line.startswith("#")}

    def commands(self, *, all: bool = False) -> Commands:  # noqa: A002 - reads as it is said: commands(all=True)
        """Return the exact `ip`, `nft` and `sysctl` commands that the last change stands for, or those of all changes."""
        changes = self.history if all else self.history[-1:]
        return Commands(((change.title, change.operations) for change in changes), self._host_names)

    def changes(self, *, after_each_cell: bool | None = None, viewer: str = "") -> Changes:
        """Return what the kernel gained, lost or changed since the last look, in words and as commands.

        The first look was when the lab was ready; each `viewer` has looks of its own. With `after_each_cell=True` a notebook
        shows changes after each cell that made some, until it is told False; raises RequestError where there are no cells.
        """
        with self.lock:
            if after_each_cell is not None:
                self._looks.after_each_cell(wanted=after_each_cell)
            return self._looks.changes(viewer)

    @property
    def checkpoints(self) -> list[str]:
        """The names of the checkpoints, in the order in which they were made."""
        return list(self._checkpoints)

    def checkpoint(self, name: str) -> None:
        """Keep the state of the lab under a name; one of the same name is replaced. It goes with the lab's end."""
        from netlab.checkpoints import memory  # noqa: PLC0415 - only for those who keep one

        with self.lock:
            self._checkpoints.pop(name, None)
            self._checkpoints[name] = memory.take(self), list(self.history)

    def restore(self, name: str) -> Restored:
        """Bring the lab back to a checkpoint; return what of it could not be brought back, in words.

        Everything is built anew: containers with their names, ids, networks, addresses and ports, namespaces, interfaces,
        routes, rules and parameters. Processes begin anew, files are as an engine writes them, and a handle such as `web` is
        to be taken anew: lab["web"]. Raises NotFound; NetlabError when it fails, and the lab is then as it was.
        """
        from netlab.checkpoints.memory import Restored  # noqa: PLC0415 - only for those who come back
        from netlab.checkpoints.restoring import rebuild  # noqa: PLC0415

        with self.lock, held_back():
            self._check_open()
            if name not in self._checkpoints:
                known = ", ".join(self._checkpoints)
                raise NotFound(
                    say(
                        en=f"There is no checkpoint {name!r}. There are: "
                        f"{known or 'none yet: make one with lab.checkpoint'}",
                        ja=f"{name!r} というチェックポイントはありません。"
                        + (f"あるもの: {known}" if known else "まだ 1 つもないので、lab.checkpoint で作ってください。"),
                    )
                )
            checkpoint, history = self._checkpoints[name]
            before = self.world, self.engines, self.history
            self.history = []
            try:
                self._build()
                rebuild(self, checkpoint)
            except BaseException:
                failed = self.world
                self.world, self.engines, self.history = before
                if failed is not self.world:
                    failed.close()
                    failed.sandbox.close()
                raise
            self.history = list(history)
            before[0].close()
            before[0].sandbox.close()
            self._looks.begin_anew()
            return Restored(name, checkpoint.lost)

    def script(self) -> Script:
        """Return a POSIX shell script of `ip`, `bridge`, `nft` and `sysctl` lines that rebuilds the lab on any Linux as root.

        It has what the kernel is configured to do at this moment, by whatever hand, with the docker line that each part
        stands for. Processes are not configuration: what is left out, the script says.
        """
        from netlab.script import configuration  # noqa: PLC0415 - only for those who want one
        from netlab.script.rebuild import Rebuilding  # noqa: PLC0415
        from netlab.script.shell import Script  # noqa: PLC0415

        with self.lock:
            everything = configuration.read(self.world, self.host.name).on_one_machine()
            return Script(self.name, Rebuilding(everything, self.engines.values()).groups())

    # ── changing it ────────────────────────────────────────────────────────────────────────────────────────────────

    def change(self, title: str, operations: Sequence[ops.Operation]) -> None:
        """Apply operations, all or none, and note them in the history; raises KernelRefused."""
        with self.lock, held_back():
            apply(operations, self.world)
            self.note(title, operations)

    def note(self, title: str, operations: Sequence[ops.Operation]) -> None:
        """Write a change that was made into the history."""
        self.history.append(Change(title, tuple(operations)))

    def check_free(self, names: Sequence[str]) -> None:
        """Raise NameTaken when one of the names is in use already, or is there twice."""
        self.world.refresh(names)
        seen: set[str] = set()
        for name in names:
            if any(name in engine.containers for engine in self.engines.values()):
                raise NameTaken(
                    say(
                        en=f"Conflict. The container name {name!r} is already in use. Remove that container, "
                        f"lab.rm({name!r}), or choose another name.",
                        ja=f"コンテナの名前 {name!r} は、もう使われています。そのコンテナを削除するか (lab.rm({name!r}))、"
                        "別の名前にしてください。",
                    )
                )
            if name in self.world or name == "internet":
                raise NameTaken(
                    say(
                        en=f"The lab has a place {name!r} already. Choose another name.",
                        ja=f"ラボには、もう {name!r} という場所があります。別の名前にしてください。",
                    )
                )
            if name in seen:
                raise NameTaken(
                    say(
                        en=f"The name {name!r} is given twice. Every container needs its own.",
                        ja=f"名前 {name!r} が 2 回指定されています。コンテナごとに別の名前を付けてください。",
                    )
                )
            seen.add(name)

    def namespace(self, name: str) -> Place:
        """Make a network namespace on the host; it has nothing but lo, which is down.

        Equivalent to: `ip netns add NAME` (ip-netns(8)).
        """
        with self.lock, held_back():
            self.check_free([check_namespace(name)])
            title = say(en=f"namespace {name}", ja=f"名前空間 {name}")
            self.change(title, [ops.AddNamespace(self.host.name, name)])
            self.world.refresh()
            return Place(self, name)

    def remove_namespace(self, name: str) -> None:
        """Delete a network namespace that was made by hand, and what is in it.

        Equivalent to: `ip netns delete NAME`.
        """
        with self.lock, held_back():
            self.world.refresh()
            if self.world.entry(check_namespace(name)).kind != "namespace":
                raise RequestError(
                    say(
                        en=f"{name} is no namespace made by hand. To remove a container: lab.rm({name!r})",
                        ja=f"{name} は手で作った名前空間ではありません。コンテナを削除するには: lab.rm({name!r})",
                    )
                )
            title = say(en=f"no namespace {name}", ja=f"名前空間 {name} を削除")
            self.change(title, [ops.DeleteNamespace(self.host.name, name)])
            self.world.refresh()

    # ── containers ─────────────────────────────────────────────────────────────────────────────────────────────────

    def run(
        self,
        name: str,
        image: str = "alpine",
        *,
        network: str | Network = "bridge",
        publish: str | Sequence[str] = (),
        ip: str | None = None,
        ip6: str | None = None,
        aliases: Sequence[str] = (),
        hostname: str | None = None,
        command: str | Sequence[str] = (),
        mac: str | None = None,
        host: str | Place | None = None,
        expose: str | Sequence[str] = (),
        publish_all: bool = False,
        dns: Sequence[str] = (),
        extra_hosts: Mapping[str, str] | None = None,
        environment: Mapping[str, str] | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> Container:
        """Make a container and connect it to a network, as `docker run -d --name NAME IMAGE COMMAND` does.

        It has a network, mount and host name of its own and one process: the image's, or `command`. `publish` takes what
        follows `-p`, as "8080:80". `host` is the host of the lab that it runs on, by default the first; its name is its own
        in the whole lab. Raises RequestError for what cannot be, NameTaken, NotFound for an unknown image or
        network; nothing has changed then.
        """
        mode = network.name if isinstance(network, Network) else network
        attached = (Attachment(mode, ip, ip6, tuple(aliases), mac),)
        asked = Specification(
            image,
            hostname,
            mode,
            attached,
            tuple(one for spec in _several(publish) for one in parse(spec)),
            publish_all,
            tuple(one for spec in _several(expose) for one in parse_expose(spec)),
            dns=tuple(dns),
            extra_hosts=tuple((extra_hosts or {}).items()),
            labels=dict(labels or {}),
            environment=dict(environment or {}),
            command=tuple(shlex.split(command) if isinstance(command, str) else command),
        )
        if mode == "host" and (asked.publish or publish_all):
            warnings.warn("Published ports are discarded when using host network mode", UserWarning, 2)
        with self.lock, held_back():
            return self.engine_of(host).run([name], asked)[0]

    def run_many(
        self,
        names: Iterable[str],
        image: str = "alpine",
        *,
        network: str | Network = "bridge",
        host: str | Place | None = None,
    ) -> list[Container]:
        """Make several containers of one image at once, in order; all of them, or none when one fails."""
        mode = network.name if isinstance(network, Network) else network
        with self.lock, held_back():
            return self.engine_of(host).run(list(names), Specification(image, None, mode))

    def start(self, name: str) -> Container:
        """Start a stopped container; it may get another address, as with Docker."""
        with self.lock, held_back():
            return self._engine_with(name).start(name)

    def stop(self, name: str, *, seconds: float = GRACE_SECONDS) -> Container:
        """Stop a container: its processes end, and its veth pair and its address are free again.

        A first process that handles SIGTERM has some seconds to end by itself, as with `docker stop -t`.
        """
        return self._engine_with(name).stop(name, seconds)

    def restart(self, name: str, *, seconds: float = GRACE_SECONDS) -> Container:
        """Stop a container and start it again, as `docker restart NAME` does: address and ephemeral ports may change."""
        return self._engine_with(name).restart(name, seconds)

    def rename(self, name: str, new: str) -> Container:
        """Give a container another name, as `docker rename` does; others find it by that one at once."""
        with self.lock, held_back():
            return self._engine_with(name).rename(name, new)

    def logs(self, name: str) -> str:
        """Return what a container's first process has written, as `docker logs NAME` does."""
        with self.lock:
            return self._engine_with(name).logs(name)

    def queries(self) -> Table[Query]:
        """Return the questions that containers asked their internal name server, and what became of them."""
        with self.lock:
            asked = [query for engine in self.engines.values() for query in engine.queries()]
            return Table(sorted(asked, key=lambda query: query.time))

    def iptables(self, host: str | Place | None = None) -> Table[RuleLine]:
        """Return the engine's rules on a host, as the kernel has them now, each with the iptables line that means the same.

        The lines are those of Docker's iptables backend (29), the default one; the rules themselves are nftables'.
        """
        with self.lock:
            return Table(self.engine_of(host).rule_lines())

    def rm(self, name: str) -> None:
        """Remove a container, running or not, as `docker rm -f NAME` does."""
        with self.lock, held_back():
            self._engine_with(name).remove(name)

    # ── networks ───────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def engine(self) -> Engine:
        """The engine of the first host, as the docker command asks it. Whoever changes something holds `lock`."""
        return self.engines[self.host.name]

    def engine_of(self, host: str | Place | None = None) -> Engine:
        """Return the engine of a host, the first by default; raises NotFound, listing the hosts."""
        name = self.host.name if host is None else host.name if isinstance(host, Place) else host
        if name in self.engines:
            return self.engines[name]
        known = ", ".join(self.engines)
        raise NotFound(
            say(
                en=f"There is no host {name!r} in this lab. There are: {known}. More hosts: Lab(hosts=2)",
                ja=f"このラボに {name!r} というホストはありません。あるもの: {known}。ホストを増やすには: Lab(hosts=2)",
            )
        )

    def _engine_with(self, container: str) -> Engine:
        """Return the engine that has a container of that name, or with that beginning of its id; else the first."""
        for engine in self.engines.values():
            if engine.has(container):
                return engine
        return self.engine

    @property
    def networks(self) -> dict[str, Network]:
        """All networks of the first host by name; the others' are `networks_of`."""
        return self.networks_of()

    def networks_of(self, host: str | Place | None = None) -> dict[str, Network]:
        """Return all networks that a host knows, by name."""
        return {name: Network(self, record) for name, record in self.engine_of(host).networks.records.items()}

    def network(
        self,
        name: str,
        *,
        driver: str = "bridge",
        subnet: str | None = None,
        gateway: str | None = None,
        ip_range: str | None = None,
        internal: bool = False,
        ipv6: bool = False,
        host: str | Place | None = None,
        labels: Mapping[str, str] | None = None,
        options: Mapping[str, str] | None = None,
    ) -> Network:
        """Make a network, as `docker network create NAME` does; raises NameTaken, RequestError; nothing has changed then.

        It is on `host`, by default the first; one of the driver overlay is on all hosts of the lab, and attachable.
        """
        subnets, ranges, gateways = ([one] if one is not None else [] for one in (subnet, ip_range, gateway))
        wanted = Wanted(
            check_network(name),
            driver,
            ipam_config.configs(subnets, ranges, gateways),
            internal,
            ipv6,
            dict(labels or {}),
            dict(options or {}),
            attachable=driver == "overlay",
        )
        with self.lock, held_back():
            return Network(self, self.engine_of(host).networks.create(wanted))

    def remove_network(self, name: str, *, host: str | Place | None = None) -> None:
        """Remove a network, as `docker network rm NAME` does; raises RequestError while containers are on it."""
        with self.lock, held_back():
            self.engine_of(host).networks.remove(name)

    def connect(
        self,
        network: str,
        container: str,
        *,
        ip: str | None = None,
        ip6: str | None = None,
        aliases: Sequence[str] = (),
    ) -> None:
        """Connect a container to one more network, as `docker network connect NETWORK CONTAINER` does."""
        with self.lock, held_back():
            self._engine_with(container).connect(container, network, Attachment(network, ip, ip6, tuple(aliases)))

    def disconnect(self, network: str, container: str) -> None:
        """Take a container off a network, as `docker network disconnect NETWORK CONTAINER` does."""
        with self.lock, held_back():
            self._engine_with(container).disconnect(container, network)


def _ends(source: str | Place, target: str | Place) -> tuple[str, str]:
    """Return the name of the place where something begins, and a target as it is written."""
    place = source.name if isinstance(source, Place) else "client" if source == "internet" else source
    return place, f"ping {target.main_address}" if isinstance(target, Place) else target


def _several(given: str | Sequence[str]) -> Sequence[str]:
    return [given] if isinstance(given, str) else given


def _warn_of_leak(name: str, registration: Registration, owner: int) -> None:
    if os.getpid() != owner:
        return  # a fork that ends
    registration.close()
    message = say(
        en=f"lab {name!r} was never closed; call lab.close(), or use `with Lab() as lab:`",
        ja=f"ラボ {name!r} が閉じられていません。lab.close() を呼ぶか、`with Lab() as lab:` を使ってください",
    )
    warnings.warn(message, ResourceWarning, 1)
