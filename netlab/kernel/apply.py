"""Applying operations: in order, many to a message, and all taken back when one of them is refused."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Sequence
from itertools import groupby
from typing import Protocol

from netlab import ops
from netlab.errors import KernelRefused, NetlabError, NotFound
from netlab.kernel.encode import encode, is_netlink
from netlab.kernel.netlink import RouteSocket
from netlab.kernel.refusal import explain
from netlab.language import say


class World(Protocol):
    """The namespaces that operations are applied in."""

    def route_socket(self, place: str) -> RouteSocket:
        """Return the netlink socket of a place; raises NotFound."""

    def namespace(self, place: str) -> int:
        """Return a descriptor of a place's network namespace; raises NotFound."""

    def run(self, place: str, argv: Sequence[str], text: str) -> tuple[int, str]:
        """Run a program in a place with a text on its standard input; return its exit status and what it complained of."""

    def nft(self, place: str, script: str) -> tuple[int, str, str]:
        """Run a script in nft's language in a place; return status, output and complaint; raises MissingTool."""

    def set_parameter(self, place: str, key: str, value: str) -> None:
        """Write a kernel parameter (sysctl) of a place's namespace; raises OSError."""


class _Interfaces:
    """Interface numbers: those that this request has given out, and those that the kernel knows."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._known: dict[tuple[str, str], int] = {}

    def learn(self, op: ops.Operation) -> None:
        if isinstance(op, ops.AddVeth | ops.AddBridge) and op.index:
            self._known[op.place, op.name] = op.index
        if isinstance(op, ops.AddVeth) and op.peer_index:
            self._known[op.peer_place or op.place, op.peer] = op.peer_index
        if isinstance(op, ops.AddMacvlan) and op.index:
            self._known[op.target, op.name] = op.index

    def index(self, place: str, name: str) -> int:
        if name == "lo":
            return 1
        known = self._known.get((place, name))
        if known is None:
            known = self._world.route_socket(place).index_of(name)
        if known is None:
            raise NotFound(
                say(
                    en=f"There is no interface {name!r} in {place}. See what there is: ip -n {place} link",
                    ja=f"{place} にインターフェース {name!r} はありません。何があるかを見るには: ip -n {place} link",
                )
            )
        return known

    def namespace(self, place: str) -> int:
        return self._world.namespace(place)


def apply(operations: Sequence[ops.Operation], world: World) -> None:
    """Apply operations in order; when one is refused, undo those before it in reverse and raise KernelRefused.

    What cannot be undone is told in the error's notes; nothing is swallowed.
    """
    done: list[ops.Operation] = []
    try:
        _apply(operations, world, done)
    except NetlabError as error:
        for complaint in undo(done, world):
            error.add_note(complaint)
        raise
    _settle(operations, world)


def undo(done: Sequence[ops.Operation], world: World) -> list[str]:
    """Take operations back, the last first; return what could not be taken back, in words."""
    complaints = []
    for op in reversed(done):
        inverse = op.inverse()
        if inverse is None:
            continue
        try:
            _apply([inverse], world, [])
        except NetlabError as error:
            complaints.append(
                say(
                    en=f"While undoing `{op.command()}`: {error}",
                    ja=f"`{op.command()}` を元に戻せませんでした: {error}",
                )
            )
    return complaints


def clear(made: Sequence[ops.Operation], world: World) -> None:
    """Take away, the last first, what may have been deleted by hand in part: what is gone is gone, and the rest goes too."""
    for op in reversed(made):
        inverse = op.inverse()
        if inverse is None:
            continue
        try:
            _apply([inverse], world, [])
        except NetlabError:
            # nft does all of a script or nothing, so one rule that is missing would keep all the others there.
            lines = inverse.script.splitlines() if isinstance(inverse, ops.NftRules) else []
            for line in lines:
                with contextlib.suppress(NetlabError):
                    _apply([ops.NftRules(inverse.place, line)], world, [])


def _apply(operations: Sequence[ops.Operation], world: World, done: list[ops.Operation]) -> None:
    interfaces = _Interfaces(world)
    for (place, netlink), group in groupby(operations, key=lambda op: (op.place, is_netlink(op))):
        batch = list(group)
        if netlink:
            _send(batch, place, world, interfaces, done)
        else:
            for op in batch:
                _apply_other(op, world)
                done.append(op)


def _send(
    batch: list[ops.Operation], place: str, world: World, interfaces: _Interfaces, done: list[ops.Operation]
) -> None:
    route_socket = world.route_socket(place)
    start = 0
    while start < len(batch):
        messages = []
        for op in batch[start:]:
            try:
                messages.append(encode(op, interfaces))
            except NotFound:
                if not messages:
                    raise
                break  # the interface may be made by a message of this very batch: send that one first
            interfaces.learn(op)
        refusals = route_socket.send(messages)
        refused = {refusal.position for refusal in refusals}
        sent = batch[start : start + len(messages)]
        done.extend(op for position, op in enumerate(sent) if position not in refused)
        if refusals:
            first = refusals[0]
            op = sent[first.position]
            message = explain(op, first.errno, first.words)
            raise KernelRefused(message, errno=first.errno, command=op.command())
        start += len(messages)


def _settle(operations: Sequence[ops.Operation], world: World) -> None:
    """Let the kernel find out now what has a signal: until it has, it drops what is sent there, and reports what was before.

    First the ends of cables, then the bridges, which have a signal when one of their ports has.
    """
    cables = [op for op in operations if isinstance(op, ops.AddVeth)]
    ends = [(op.peer_place or op.place, op.peer) for op in cables] + [(op.place, op.name) for op in cables]
    ends += [(op.place, op.name) for op in operations if isinstance(op, ops.SetUp)]
    bridges = [(op.place, op.name) for op in operations if isinstance(op, ops.AddBridge)]
    bridges += [(op.place, op.master) for op in operations if isinstance(op, ops.AddVeth | ops.SetMaster) and op.master]
    for place, name in dict.fromkeys([*ends, *bridges]):
        with contextlib.suppress(NotFound):  # a container that has ended since
            world.route_socket(place).settle(name)


def _apply_other(op: ops.Operation, world: World) -> None:
    if isinstance(op, ops.NftRules):
        status, _, complaint = world.nft(op.place, op.script)
    elif isinstance(op, ops.AddNamespace | ops.DeleteNamespace | ops.Ip):
        status, complaint = world.run(op.place, [op.tool, *shlex.split(op.words())], "")
    elif isinstance(op, ops.IptablesRules):
        program = "iptables-restore" if op.family == "ip" else "ip6tables-restore"
        status, complaint = world.run(op.place, [program], op.script)
    elif isinstance(op, ops.SetSysctl):
        try:
            world.set_parameter(op.place, op.key, op.value)
        except OSError as error:
            raise KernelRefused(
                explain(op, error.errno or 0, error.strerror or ""), errno=error.errno or 0, command=op.command()
            ) from None
        return
    else:
        raise NotImplementedError(f"there is no way to apply {op!r}")
    if status:
        raise KernelRefused(explain(op, 0, complaint.strip()), command=op.command())
