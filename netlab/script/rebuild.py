"""A lab in groups of commands that build it again, from what is configured in the kernel.

Which interfaces belong to which container and network, and with what words docker was asked for them, the engines know;
what is built is what the kernel reports, by whatever hand it was made.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from netlab import ops
from netlab.docker.engine import Engine
from netlab.language import say
from netlab.model import PlaceKind
from netlab.places.container import Container
from netlab.script import docker_lines, parameters, tables
from netlab.script.configuration import Configuration, Everything
from netlab.script.links import End, Links, kind_of

_OUTSIDE: tuple[PlaceKind, ...] = ("router", "server", "client")


@dataclass(frozen=True, slots=True)
class Group:
    """Commands that belong together: what they are for, the docker line that they stand for, and what is not among them."""

    title: str
    operations: tuple[ops.Operation, ...]
    docker: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    web: str | None = None  # the place where a web server listens, and its page's title
    page: str = ""


class Rebuilding:
    """Works out the groups of one lab, in the order in which they can be run."""

    def __init__(self, everything: Everything, engines: Iterable[Engine]) -> None:
        self._places = everything.places
        self._before = everything.parameters_before
        self._engines = list(engines)
        self._links = Links(everything.places)
        self._begun: set[str] = set()
        self._done: set[str] = set()

    def groups(self) -> list[Group]:
        """Return all groups."""
        found = [self._outside(), *(self._host(engine.host) for engine in self._engines)]
        for engine in self._engines:
            found += self._networks(engine)
        for engine in self._engines:
            found += [self._container(one) for one in engine.containers.values()]
        found.append(self._by_hand())
        found += [self._finish(engine.host) for engine in self._engines]
        found.append(self._left_out())
        return [group for group in found if group.operations or group.left_out or group.docker]

    # ── parts of a place ───────────────────────────────────────────────────────────────────────────────────────────

    def _begin(self, *names: str) -> list[ops.Operation]:
        """Return what makes places: the namespaces, their parameters, and lo."""
        made: list[ops.Operation] = []
        for name in names:
            here = self._places[name]
            self._begun.add(name)
            made.append(ops.AddNamespace(here.host or "", ops.namespace_name(name)))
            made += parameters.of_place(here.parameters, self._before(name), name)
            made += self._links.configure((name, "lo"))
        return made

    def _make(self, *names: str, only: Iterable[str] | None = None) -> list[ops.Operation]:
        """Return what makes the interfaces of places, bridges first, as far as the places of their other ends are there."""
        ends = [(place, one) for place in names for one in self._links.names(place) if only is None or one in only]
        ends.sort(key=lambda end: kind_of(self._places[end[0]].link(end[1])) != "bridge")
        return tables.flat(self._links.make(end) for end in ends if self._is_reachable(end))

    def _is_reachable(self, end: End) -> bool:
        other = self._links.other(end)
        return other is None or other[0] in self._begun

    def _inside(self, *names: str) -> list[ops.Operation]:
        """Return addresses, routes and rules of those places whose interfaces are all there."""
        return tables.flat(self._settled(self._places[name]) for name in names if self._is_complete(name))

    def _is_complete(self, name: str) -> bool:
        made = (self._links.is_made((name, one["ifname"])) for one in self._places[name].links)
        return name not in self._done and all(made)

    def _settled(self, here: Configuration) -> list[ops.Operation]:
        self._done.add(here.place)
        before = self._before(here.place)
        missing = {name for place, name in self._links.left_out if place == here.place}
        here = here.without(missing)
        names = [one["ifname"] for one in here.links]
        return tables.flat(
            [
                *(parameters.of_interface(here.parameters, before, here.place, one) for one in names),
                *(tables.addresses(here, one) for one in names),
                tables.routes(here),
                tables.routing_rules(here),
                tables.neighbours(here),
                tables.forwarding(here),
                tables.packet_rules(here),
            ]
        )

    # ── groups ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _outside(self) -> Group:
        names = [name for name, one in self._places.items() if one.kind in _OUTSIDE]
        operations = [*self._begin(*names), *self._make(*names)]
        operations += self._inside(*(name for name in names if name != "router"))
        title = say(
            en="The internet: a router, a client, a web site and a name server",
            ja="インターネット: ルーター、クライアント、Web サイト、DNS サーバー",
        )
        why = say(en="The name server does not run.", ja="DNS サーバーは動きません。")
        return Group(title, tuple(operations), left_out=(why,), web="www", page="Welcome to www.example.com")

    def _host(self, name: str) -> Group:
        operations = self._begin(name)
        uplinks = [
            one for one in self._links.names(name) if (other := self._links.other((name, one))) and other[0] != name
        ]
        operations += self._make(name, only=uplinks)
        if all(engine.host in self._begun for engine in self._engines):
            operations += self._inside("router")
        return Group(say(en=f"The host {name}", ja=f"ホスト {name}"), tuple(operations))

    def _networks(self, engine: Engine) -> Iterator[Group]:
        for record in engine.networks.records.values():
            operations = self._make(engine.host, only=[record.bridge])
            if record.user_defined or operations:
                title = say(en=f"The network {record.name}", ja=f"ネットワーク {record.name}")
                yield Group(title, tuple(operations), docker_lines.of_network(record))

    def _container(self, container: Container) -> Group:
        title = say(en=f"The container {container.name}", ja=f"コンテナ {container.name}")
        lines = docker_lines.of_container(container)
        if container.name not in self._places:
            why = say(
                en="It is stopped, or uses the network of another.",
                ja="停止しているか、ほかのネットワークを使っています。",
            )
            return Group(title, (), lines, (why,))
        operations = self._begin(container.name)
        operations += self._make(container.name, only=[one.interface for one in container.endpoints.values()])
        operations += self._inside(container.name)
        page = docker_lines.page(container)
        return Group(
            title, tuple(operations), lines, docker_lines.left_out(container), container.name if page else None, page
        )

    def _by_hand(self) -> Group:
        bare = [name for name, one in self._places.items() if name not in self._begun]
        operations = [*self._begin(*bare), *self._make(*self._places)]
        operations += self._inside(*(name for name, one in self._places.items() if one.kind != "host"))
        return Group(say(en="Made by hand", ja="手作業で作ったもの"), tuple(operations))

    def _finish(self, host: str) -> Group:
        title = say(en=f"Addresses, routes and rules of {host}", ja=f"{host} のアドレス、経路、ルール")
        return Group(title, tuple(self._inside(host)))

    def _left_out(self) -> Group:
        lines = tuple(
            say(
                en=f"{name} in {place}, with its routes: an interface of the kind {kind or '?'} is not rebuilt.",
                ja=f"{place} の {name} とその経路: 種類が {kind or '?'} のインターフェースは再現しません。",
            )
            for (place, name), kind in self._links.left_out.items()
        )
        return Group(say(en="Left out", ja="含まれないもの"), (), left_out=lines)
