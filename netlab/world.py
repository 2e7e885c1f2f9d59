"""The namespaces of one sandbox by the names that a student knows, and what can be done in them."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
import weakref
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any, Protocol

from netlab.errors import LabClosed, MissingTool, NotFound
from netlab.interrupts import held_back
from netlab.kernel.netlink import RouteSocket
from netlab.language import say
from netlab.model import PlaceKind
from netlab.sandbox import command
from netlab.sandbox.client import AgentRefusal, Answer, Sandbox
from netlab.sandbox.wire import memory_file, read_file

_COMMAND_NOT_FOUND = 127


@dataclass(frozen=True)
class Entry:
    """One place: its node, the name of the namespace if that is not the node's own, and holds on it.

    The holds last as long as somebody uses the entry, so a place may go while another thread looks at it.
    """

    name: str
    kind: PlaceKind
    node: str
    namespace: str | None
    host: str | None
    label: str
    inode: int
    descriptor: int
    route_socket: RouteSocket
    machine_pid: int  # of the node's first process, as the machine counts
    pid: int  # the same, as the lab counts

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hold", weakref.finalize(self, os.close, self.descriptor))

    def close(self) -> None:
        """Let go of the namespace at once."""
        self._hold()  # type: ignore[attr-defined]  # set above, as the class is frozen
        self.route_socket.close()


class Follower(Protocol):
    """Somebody who wants to know what places there are. It is told in whatever thread changes them, and must not ask back."""

    def places_changed(self) -> None:
        """A place came or went, or has another name."""

    def let_go(self) -> None:
        """The world ends: no hold on a namespace may be left."""

    def disown(self) -> None:
        """This process is a fork: no hold may be left, and no lock may be taken."""


class World:
    """All places of one sandbox. Safe to use from several threads."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self._entries: dict[str, Entry] = {}
        self._hosts: list[str] = []  # names of those that are hosts, or were
        self._listeners: list[socket.socket] = []
        self._followers: weakref.WeakSet[Follower] = weakref.WeakSet()
        self._lock = threading.RLock()
        self._closed = False
        _worlds.add(self)

    def follow(self, follower: Follower) -> None:
        """Tell somebody, as long as it lives, when a place came or went, and when the world ends."""
        self._followers.add(follower)

    def _tell(self) -> None:
        for one in list(self._followers):
            one.places_changed()

    def __iter__(self) -> Iterator[Entry]:
        with self._lock:
            return iter(list(self._entries.values()))

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, name: str) -> bool:
        return name in self._entries

    def check(self) -> None:
        """Raise LabClosed when the sandbox has ended, or when its end has begun and places are being let go of."""
        if self._closed:
            raise LabClosed(self.sandbox.epitaph())
        self.sandbox.check()

    def entry(self, place: str) -> Entry:
        """Return a place's entry; raises NotFound, or LabClosed when the sandbox has ended."""
        self.check()
        entry = self._entries.get(place)
        if entry is None:
            known = ", ".join(self._entries) or say(en="nothing", ja="なし")
            raise NotFound(
                say(
                    en=f"There is no place {place!r} in the lab (any more). There are: {known}",
                    ja=f"ラボに {place!r} という場所はありません(なくなったのかもしれません)。あるもの: {known}",
                )
            )
        return entry

    # ── places come and go ─────────────────────────────────────────────────────────────────────────────────────────

    def begin(
        self,
        name: str,
        role: dict[str, object],
        *,
        hostname: str,
        files: dict[str, str],
        title: str,
        on: str | None = None,
        is_host: bool = False,
        ipv6: bool = True,
        own: Sequence[str] = ("net", "mnt", "uts"),
        shares: str | None = None,
    ) -> Future[Answer]:
        """Ask for a node; `finish` makes a place of the answer. Many can be on their way at once.

        `own` are the namespaces that it gets for itself; the others it has together with the place `shares`.
        """
        sysctls = {} if ipv6 else {"net/ipv6/conf/default/disable_ipv6": "1"}
        return self.sandbox.submit(
            "node",
            name=name,
            hostname=hostname,
            files={**files, "hostname": hostname + "\n"},
            role=role,
            title=title,
            on=on,
            host=is_host,
            sysctls=sysctls,
            own=list(own),
            shares=shares,
        )

    def finish(self, name: str, answer: Answer, kind: PlaceKind, *, host: str | None = None, label: str = "") -> Entry:
        """Enter the node that was asked for by `begin`."""
        namespace, route = answer.descriptors
        entry = Entry(
            name=name,
            kind=kind,
            node=name,
            namespace=None,
            host=host,
            label=label,
            inode=answer.fields["inode"],
            descriptor=namespace,
            route_socket=RouteSocket(route),
            machine_pid=answer.sender,
            pid=answer.fields["pid"],
        )
        with self._lock:
            self._entries[name] = entry
            if kind == "host":
                self._hosts.append(name)
        self._tell()
        return entry

    def discard(self, answer: Answer) -> None:
        """Let go of what an answer brought, for a node that is no place."""
        for descriptor in answer.descriptors:
            os.close(descriptor)

    def end(self, name: str) -> None:
        """End all processes of a node and let go of it."""
        entry = self.entry(name)
        self.forget(name)
        self.sandbox.ask("forget", name=entry.node, on=entry.host)

    def rename(self, name: str, new: str) -> None:
        """Give a node's place another name, in `ip netns` too."""
        entry = self.entry(name)
        self.sandbox.ask("rename", name=entry.node, new=new)
        with self._lock:
            del self._entries[name]
            self._entries[new] = replace(entry, name=new, node=new, descriptor=os.dup(entry.descriptor))
        self._tell()

    def forget(self, name: str) -> None:
        """Let go of a place that has ended by itself; harmless when it is not there."""
        with self._lock:
            self._entries.pop(name, None)
        self._tell()

    def refresh(self, names: Sequence[str] | None = None) -> None:
        """Find the named namespaces that were made or deleted since, by whatever means (`ip netns add`).

        With `names` only those of these names are looked for, which takes no longer in a lab of a thousand containers.
        """
        self.check()
        with held_back():
            self._refresh(names)

    def _refresh(self, names: Sequence[str] | None) -> None:
        for host in [self._entries[name] for name in self._hosts if name in self._entries]:
            found = dict(self.sandbox.ask("names", name=host.node, only=names).fields["names"])
            for entry in self._called(names, host.name):
                own = entry.kind == "namespace" and entry.host == host.name
                if own and found.get(entry.namespace or "") != entry.inode:
                    self.forget(entry.name)
            known = {entry.inode for entry in self} if found else set()
            for name, inode in found.items():
                if inode not in known:
                    place = name if name not in self._entries else f"{name}@{host.name}"
                    with contextlib.suppress(AgentRefusal):  # it went between the look and the call
                        self.adopt(host.name, name, place)

    def let_go_of_deleted(self) -> None:
        """Let go of namespaces whose names a command has deleted; a hold would keep them there (network_namespaces(7))."""
        if not self._closed and any(entry.kind == "namespace" for entry in self):
            self.refresh()

    def _called(self, names: Sequence[str] | None, host: str) -> list[Entry]:
        """Return the places that are called so on a host; without names, all places."""
        if names is None:
            return list(self)
        places = [place for name in names for place in (name, f"{name}@{host}")]
        with self._lock:
            return [self._entries[place] for place in places if place in self._entries]

    def adopt(self, on: str, namespace: str, name: str) -> None:
        """Make a place of a host's named namespace; raises AgentRefusal when there is none."""
        host = self.entry(on)
        answer = self.sandbox.ask("namespace", name=host.node, namespace=namespace)
        descriptor, route = answer.descriptors
        entry = replace(
            host,
            name=name,
            kind="namespace",
            namespace=namespace,
            host=host.name,
            label="",
            inode=answer.fields["inode"],
            descriptor=descriptor,
            route_socket=RouteSocket(route),
        )
        with self._lock:
            self._entries[name] = entry
        self._tell()

    def close(self) -> None:
        """Let go of all places, at once."""
        self._closed = True
        for one in list(self._followers):
            one.let_go()
        with self._lock:
            while self._entries:
                self._entries.popitem()[1].close()
            for listener in self._listeners:
                with contextlib.suppress(OSError):
                    listener.shutdown(socket.SHUT_RDWR)  # wakes whoever waits for callers
                listener.close()
            self._listeners.clear()

    def disown(self) -> None:
        """Let go of all places; for a fork, in which another thread may have held the lock."""
        for one in list(self._followers):
            one.disown()
        for entry in self._entries.values():
            entry.close()
        for listener in self._listeners:
            listener.close()
        self._entries, self._listeners = {}, []

    # ── what operations need (kernel.apply.World) ──────────────────────────────────────────────────────────────────

    def route_socket(self, place: str) -> RouteSocket:
        """Return the netlink socket of a place; raises NotFound."""
        return self.entry(place).route_socket

    def namespace(self, place: str) -> int:
        """Return a descriptor of a place's network namespace; raises NotFound."""
        return self.entry(place).descriptor

    def run(self, place: str, argv: Sequence[str], text: str) -> tuple[int, str]:
        """Run a program in a place with a text on its standard input; return its exit status and what it complained of."""
        done = self.run_command(place, argv, text=text, timeout=30)
        return done.returncode, done.stderr or done.stdout

    def nft(self, place: str, script: str) -> tuple[int, str, str]:
        """Run a script in nft's language in a place; return its status, what it printed and what it complained of.

        Raises MissingTool where neither nft nor its library is installed.
        """
        entry = self.entry(place)
        given = memory_file(script.encode())
        try:
            answer = self.sandbox.ask("nft", [given], name=entry.node, namespace=entry.namespace)
        except AgentRefusal:  # no library: the program does the same
            done = self.run_command(
                place, ["nft", "--handle", "--numeric-priority", "-f", "-"], text=script, timeout=30
            )
            if done.returncode == _COMMAND_NOT_FOUND:
                raise MissingTool(
                    say(
                        en="`nft` is not installed. Install it: sudo apt-get install nftables",
                        ja="`nft` がインストールされていません。インストールするには: sudo apt-get install nftables",
                    )
                ) from None
            return done.returncode, done.stdout, done.stderr
        finally:
            os.close(given)
        output, complaint = (read_file(descriptor).decode() for descriptor in answer.descriptors)
        for descriptor in answer.descriptors:
            os.close(descriptor)
        return answer.fields["status"], output, complaint

    def set_parameter(self, place: str, key: str, value: str) -> None:
        """Write a kernel parameter (sysctl) of a place's namespace; raises OSError."""
        entry = self.entry(place)
        path = "/proc/sys/" + key.replace(".", "/")
        self.sandbox.ask("write", name=entry.node, namespace=entry.namespace, path=path, text=value)

    # ── the rest ───────────────────────────────────────────────────────────────────────────────────────────────────

    def run_command(
        self,
        place: str,
        argv: Sequence[str],
        *,
        text: str | None = None,
        timeout: float | None = None,
        hear: command.Hear | None = None,
        folder: str = "/",
    ) -> command.Completed:
        """Run a program in a place to its end."""
        entry = self.entry(place)
        return command.run(
            self.sandbox,
            entry.node,
            argv,
            text=text,
            namespace=entry.namespace,
            timeout=timeout,
            hear=hear,
            folder=folder,
        )

    def processes(self, *, with_sockets: bool) -> list[dict[str, Any]]:
        """Return all processes of the sandbox, as `sandbox.processes.list_all` lists them."""
        [descriptor] = self.sandbox.ask("processes", sockets=with_sockets).descriptors
        try:
            listed: list[dict[str, Any]] = json.loads(read_file(descriptor))
        finally:
            os.close(descriptor)
        return listed

    def read_file(self, place: str, path: str) -> str:
        """Return a file below /proc as a process in the place's namespace sees it; raises OSError."""
        entry = self.entry(place)
        answer = self.sandbox.ask("read", name=entry.node, namespace=entry.namespace, path=path)
        return str(answer.fields["text"])

    def open_socket(self, place: str, family: int, kind: int, protocol: int) -> socket.socket:
        """Return a new socket that lives in a place's namespace; raises OSError."""
        entry = self.entry(place)
        answer = self.sandbox.ask(
            "socket", name=entry.node, namespace=entry.namespace, family=family, type=kind, protocol=protocol
        )
        return socket.socket(fileno=answer.descriptors[0])

    def listen(self, place: str, path: str) -> socket.socket:
        """Return a Unix socket that listens at a path in a place; it is closed with the world. Raises OSError."""
        answer = self.sandbox.ask("listen", name=self.entry(place).node, path=path)
        listener = socket.socket(fileno=answer.descriptors[0])
        self._listeners.append(listener)
        return listener


_worlds: weakref.WeakSet[World] = weakref.WeakSet()


def _disown_all() -> None:
    """Let a fork hold no namespace: it would outlive its sandbox."""
    for world in list(_worlds):
        world.disown()


os.register_at_fork(after_in_child=_disown_all)
