"""Explaining: the conditions of a target's reachability, in the order in which the kernel meets them."""

from __future__ import annotations

import contextlib
import re
import shlex
from collections.abc import Callable, Sequence

from netlab.errors import NotFound
from netlab.journey.target import Target, is_address, parse
from netlab.model import Snapshot, Socket
from netlab.reasons import Finding
from netlab.why.explanation import Explanation
from netlab.why.kernel import Kernel
from netlab.why.mending import by_engine
from netlab.why.naming import Naming
from netlab.why.packet import Packet
from netlab.why.records import Records
from netlab.why.trouble import Condition, Failed, Kind, Leg, Repair, Unsure
from netlab.why.walking import Delivered, Walk
from netlab.world import World

_TRIES = 3
_PORT = 49154  # of the sender, in thought
_PING, _HANDSHAKE = 84, 60  # bytes, with IP header
_ASKING = 150  # bytes of a packet that asks for a page
_PAGE = 576  # bytes that every link must carry (RFC 791); a web page of any use has as much
_PROXY = re.compile(r"docker-proxy: (?:tcp|udp) \S+ → \[?([0-9a-fA-F.:]+?)\]?:(\d+)$")


def why_each(
    world: World, look: Callable[[], Snapshot], records: Records, pairs: Sequence[tuple[str, str]]
) -> list[Explanation]:
    """Explain several pairs of a place and a target at one moment: much of what is asked of the kernel is the same."""
    wanted = [(place, parse(target)) for place, target in pairs]
    for _ in range(_TRIES - 1):
        with contextlib.suppress(NotFound):  # a place ended while it was looked at
            return _at_one_moment(world, look, records, wanted)
    return _at_one_moment(world, look, records, wanted)


def _at_one_moment(
    world: World, look: Callable[[], Snapshot], records: Records, wanted: Sequence[tuple[str, Target]]
) -> list[Explanation]:
    world.refresh()
    for place, _ in wanted:
        world.entry(place)
    kernel = Kernel(world, look())
    return [_Explainer(kernel, records, place, target).explanation() for place, target in wanted]


class _Explainer:
    """Puts one explanation together."""

    def __init__(self, kernel: Kernel, records: Records, place: str, target: Target) -> None:
        self._kernel = kernel
        self._records = records
        self._place, self._target = place, target
        self._leg: Leg = "request" if is_address(target.host) else "lookup"
        self._conditions: list[Condition] = []

    def explanation(self) -> Explanation:
        """Return the conditions up to the first that is not fulfilled."""
        naming = Naming(self._kernel, self._records, self._fulfilled, self._walk)
        address = ""
        try:
            self._check_interface()
            address = naming.resolve(self._place, self._target.host)
            self._leg = "request"
            self._reach(address)
        except Failed as failed:
            self._failed(failed, self._repair(failed, address) or self._forgotten(naming))
        except Unsure as unsure:
            self._conditions.append(
                Condition(
                    unsure.kind, unsure.place, None, unsure.english, unsure.japanese, unsure.command, leg=self._leg
                )
            )
        return Explanation(self._place, self._target, tuple(self._conditions))

    def _walk(self) -> Walk:
        return Walk(self._kernel, self._fulfilled)

    def _fulfilled(  # noqa: PLR0917 - see filters.Tell
        self, kind: Kind, place: str, english: str, japanese: str, command: str, evidence: str
    ) -> None:
        one = Condition(kind, place, True, english, japanese, command, evidence, self._leg)
        if one not in self._conditions:
            self._conditions.append(one)

    def _repair(self, failed: Failed, address: str) -> tuple[Repair, ...]:
        """Return the commands that repair it; `address` is the target's, where its name was resolved."""
        if not address:
            return failed.repair
        return by_engine(self._kernel, self._records, failed, source=self._place, target=self._target, address=address)

    def _forgotten(self, naming: Naming) -> tuple[Repair, ...]:
        """Return the command that takes a name out of /etc/hosts, where it has an address that nobody has."""
        if naming.by_file is None or self._kernel.owners(naming.by_file):
            return ()
        others = f'"$(grep -vw {shlex.quote(self._target.host)} /etc/hosts)"'
        return (Repair(self._place, f"echo {others} > /etc/hosts"),)

    def _failed(self, failed: Failed, repair: Sequence[Repair]) -> None:
        found = failed.finding
        self._conditions.append(
            Condition(
                failed.kind,
                found.place,
                False,
                "",
                "",
                found.command,
                leg=self._leg,
                finding=found,
                repair=tuple(repair),
            )
        )

    def _check_interface(self) -> None:
        """Tell of the interfaces of the sender that work, as the first thing that one looks at."""
        state = self._kernel.place(self._place)
        works = [one for one in state.interfaces if one.kind != "loopback" and one.works]
        for one in works:
            shown = ", ".join(str(address) for address in one.addresses if address.scope != "link")
            if not shown:
                continue
            self._fulfilled(
                "interface",
                self._place,
                f"{one.name} of {self._place} is up and has the address {shown}",
                f"{self._place} の {one.name} は UP で、アドレス {shown} を持っています",
                f"ip address show {one.name}",
                f"{one.name}: state {one.state.upper()} mtu {one.mtu} inet {shown}",
            )

    # ── there and back ─────────────────────────────────────────────────────────────────────────────────────────────

    def _reach(self, address: str) -> None:
        target = self._target
        if target.protocol == "icmp":
            there = self._sent(Packet("icmp", "", address, size=_PING))
            self._check_echo(there)
            self._answered(there, address, 0, _PING)
            return
        asked = Packet(target.protocol, "", address, _PORT, target.port, size=_HANDSHAKE)
        there = self._connected(asked, self._place)
        if target.path is not None:
            self._page(asked, there, self._place)

    def _sent(self, packet: Packet) -> Delivered:
        return self._sent_from(self._place, packet)[1]

    def _sent_from(self, place: str, packet: Packet) -> tuple[Walk, Delivered]:
        walk = self._walk()
        self._last = walk
        return walk, walk.send(place, packet)

    def _connected(self, asked: Packet, place: str) -> Delivered:
        """Follow the first packet to its socket, and the answer back."""
        walk, there = self._sent_from(place, asked)
        listener = walk.listener(there.place, there.packet)
        self._told_socket(there, listener)
        if asked.protocol == "tcp":
            self._leg = "answer"
            back = walk.send(there.place, there.packet.reply(_HANDSHAKE))
            self._check_answer(place, asked, back)
        return there

    def _answered(self, there: Delivered, asked: str, port: int, size: int) -> None:
        self._leg = "answer"
        back = self._last.send(there.place, there.packet.reply(size))
        self._check_answer(self._place, Packet("icmp", "", asked, destination_port=port), back)

    def _check_answer(self, place: str, asked: Packet, back: Delivered) -> None:
        came = back.packet
        right = (came.source, came.source_port) == (asked.destination, asked.destination_port)
        if self._kernel.place(back.place).inode != self._kernel.place(place).inode:
            owners = [where for where, _ in self._kernel.owners(came.destination)]
            facts = {"address": came.destination, "count": len(owners), "owners": ", ".join(owners)}
            raise Failed("answer", Finding("duplicate-address", back.place, facts))
        if not right:
            facts = {"asked": asked.destination, "source": came.source}
            raise Failed("answer", Finding("answer-of-another", place, facts))
        self._fulfilled(
            "answer",
            place,
            f"the answer comes back to {place}: {came}",
            f"応答は {place} に戻ってきます: {came}",
            f"ip route get {came.source}",
            "",
        )

    def _told_socket(self, there: Delivered, listener: Socket) -> None:
        where = f"{there.packet.destination_port}/{there.packet.protocol}"
        who = listener.process or ""
        self._fulfilled(
            "socket",
            there.place,
            f"{who or 'a server'} listens on port {where} of {there.place}",
            f"{there.place} の {where} 番ポートで {who or 'サーバー'} が待ち受けています",
            f"ss -{there.packet.protocol[0]}lnp",
            f"{listener.address}:{listener.port} {who}".strip(),
        )

    def _check_echo(self, there: Delivered) -> None:
        key = "net/ipv6/icmp/echo_ignore_all" if there.packet.version == 6 else "net/ipv4/icmp_echo_ignore_all"
        if self._kernel.parameter(there.place, key) == "1":
            repair = Repair(there.place, f"sysctl -w {key.replace('/', '.')}=0")
            raise Failed("socket", Finding("echo-ignored", there.place, {}), repair)
        self._fulfilled(
            "delivery",
            there.place,
            f"{there.packet.destination} is an address of {there.place}, whose kernel answers echo requests",
            f"{there.packet.destination} は {there.place} のアドレスで、カーネルがエコー要求に応答します",
            f"ip address; sysctl {key.replace('/', '.')}",
            f"{key.replace('/', '.')} = 0",
        )

    # ── a page ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _page(self, asked: Packet, there: Delivered, place: str) -> None:
        """Follow what comes after the handshake: bigger packets, and the connection that docker-proxy makes in turn."""
        quiet = Walk(self._kernel, lambda *_: None)
        sized = Packet("tcp", "", asked.destination, _PORT, asked.destination_port, size=_ASKING)
        request = quiet.send(place, sized)
        listener = self._kernel.listener(there.place, "tcp", there.packet.destination, there.packet.destination_port)
        if listener is not None and listener.process == "docker-proxy" and (onward := self._onward(there, listener)):
            self._leg = "request"
            again = Packet("tcp", "", onward[0], _PORT, onward[1], size=_HANDSHAKE)
            self._page(again, self._connected(again, there.place), there.place)
        self._leg = "answer"
        smallest = min(_PAGE, request.sizes[0]) if request.sizes else _PAGE  # the sender tells what it can take (MSS)
        quiet.send(request.place, request.packet.reply(smallest))
        self._fulfilled(
            "size",
            there.place,
            f"packets of {smallest} bytes fit through both ways",
            f"{smallest} バイトのパケットが往復とも通ります",
            "ip link show",
            "",
        )

    def _onward(self, there: Delivered, listener: Socket) -> tuple[str, int] | None:
        """Return where docker-proxy carries a connection, as its command line says."""
        for one in self._kernel.place(there.place).processes:
            if one.pid == listener.pid and (match := _PROXY.search(one.command)):
                return match.group(1), int(match.group(2))
        return None
