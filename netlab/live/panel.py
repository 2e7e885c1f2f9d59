"""What a reader sees who selects something: tables of what the kernel says of it, each with the command that shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from netlab.language import say
from netlab.model import Interface, PlaceState, Rule, Snapshot, Socket
from netlab.view import words
from netlab.view.elements import interface_label
from netlab.view.nat import publications, rules_of
from netlab.view.published import published_id
from netlab.view.scene import Scene

Message = dict[str, Any]
Rules = Callable[[str], Iterable[Rule]]  # of a place, asked now: a snapshot has only those of hosts
Line = Callable[[str, str], str]  # the line for a terminal of the machine: of a place, of a command in it


def panel(scene: Scene, element: str, line: Line, rules: Rules) -> Message:
    """Return the panel of an element; `gone` when it is not there any more."""
    kind, _, rest = element.partition("/")
    snapshot = scene.snapshot
    found: Message | None = None
    writer = _Writer(scene, line, rules)
    if kind in ("place", "nat"):
        place = snapshot.place(rest)
        found = writer.place(place, only_rules=kind == "nat") if place else None
    elif kind == "interface":
        at = _at(snapshot, *rest.split("/")[:2])
        found = writer.interface(*at) if at else None
    elif kind == "link":
        names = rest.split("/")
        ends = [_at(snapshot, *names[:2]), _at(snapshot, *names[2:4])]
        found = writer.link([one for one in ends if one]) if all(ends) else None
    elif kind == "fold":
        found = writer.fold(element)
    elif kind in ("tunnel", "published"):
        found = writer.tunnel(rest.split("/")[0]) if kind == "tunnel" else writer.published(rest)
    return found or {"title": rest, "subtitle": "", "sections": [], "gone": True}


def _at(snapshot: Snapshot, place_name: str = "", name: str = "") -> tuple[PlaceState, Interface] | None:
    place = snapshot.place(place_name)
    one = place.interface(name) if place else None
    return (place, one) if place and one else None


class _Writer:
    """Writes the panels of one scene in its language."""

    def __init__(self, scene: Scene, line: Line, rules: Rules) -> None:
        self._scene = scene
        self._line = line
        self._rules_of = rules

    def _say(self, en: str, ja: str) -> str:
        return say(en=en, ja=ja, language=self._scene.language)

    def _section(
        self, title: str, place: str, command: str, columns: Iterable[str], rows: Iterable[Iterable[object]]
    ) -> Message:
        return {
            "title": title,
            "command": command,
            "line": self._line(place, command),
            "columns": list(columns),
            "rows": [["" if cell is None else str(cell) for cell in row] for row in rows],
            "empty": self._say("nothing", "なし"),
        }

    # ── places ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def place(self, place: PlaceState, *, only_rules: bool) -> Message:
        kind = words.kind(place.kind, self._scene.language)
        subtitle = " ".join(one for one in (kind, place.label) if one)
        if place.host:
            subtitle = self._say(f"{subtitle} on {place.host}", f"{place.host} の{subtitle}")
        if only_rules:
            return {"title": f"NAT ({place.name})", "subtitle": subtitle, "sections": [self._rules(place)]}
        sections = [self._addresses(place, place.interfaces), *self._routes(place, None), self._neighbours(place, None)]
        if place.forwarding:
            sections.append(self._forwarding(place, None))
        sections.append(self._rules(place))
        return {
            "title": place.name,
            "subtitle": subtitle,
            "sections": [*sections, self._listening(place), self._processes(place)],
        }

    def _addresses(self, place: PlaceState, interfaces: Iterable[Interface]) -> Message:
        ones = list(interfaces)
        bridged = any(one.master for one in ones)
        command = "ip address" if len(ones) != 1 else f"ip address show dev {ones[0].name}"
        rows = (
            (
                one.index,
                one.name,
                one.kind,
                words.trouble(one, self._scene.language) or one.state,
                "\n".join(str(address) for address in one.addresses),
                one.mac,
                *([one.master] if bridged else []),
            )
            for one in ones
        )
        title = self._say("Interfaces", "インターフェース")
        columns = (
            "ifindex",
            self._say("name", "名前"),
            self._say("kind", "種類"),
            self._say("state", "状態"),
            self._say("addresses", "アドレス"),
            "MAC",
            *([self._say("bridge", "ブリッジ")] if bridged else []),
        )
        return self._section(title, place.name, command, columns, rows)

    def _routes(self, place: PlaceState, name: str | None) -> Iterator[Message]:
        columns = (self._say("to", "宛先"), "via", "dev", "src")
        for family, program in ((4, "ip route"), (6, "ip -6 route")):
            chosen = [one for one in place.routes if one.family == family and name in (None, one.interface)]
            if chosen or family == 4:
                rows = ((one.destination, one.gateway, one.interface, one.source) for one in chosen)
                command = program + (f" show dev {name}" if name else "")
                title = self._say("Routes", "経路") + (" (IPv6)" if family == 6 else "")
                yield self._section(title, place.name, command, columns, rows)

    def _neighbours(self, place: PlaceState, name: str | None) -> Message:
        chosen = [one for one in place.neighbours if name in (None, one.interface)]
        rows = ((one.address, one.mac, one.interface, one.state) for one in chosen)
        command = "ip neigh" + (f" show dev {name}" if name else "")
        columns = (self._say("address", "アドレス"), "MAC", "dev", self._say("state", "状態"))
        return self._section(self._say("Neighbours", "隣接テーブル (ARP/NDP)"), place.name, command, columns, rows)

    def _forwarding(self, place: PlaceState, name: str | None) -> Message:
        chosen = [one for one in place.forwarding if name in (None, one.interface, one.bridge)]
        rows = (
            (one.mac, one.interface, one.bridge, self._say("learned", "学習") if one.learned else "", one.destination)
            for one in chosen
        )
        bridge = any(one.bridge == name for one in chosen)
        command = "bridge fdb" + (f" show {'br' if bridge else 'dev'} {name}" if name else "")
        columns = ("MAC", "dev", self._say("bridge", "ブリッジ"), "", self._say("at", "行き先"))
        return self._section(
            self._say("Forwarding table (FDB)", "転送テーブル (FDB)"), place.name, command, columns, rows
        )

    def _rules(self, place: PlaceState, only: Iterable[Rule] | None = None) -> Message:
        rules = only
        if rules is None:
            rules = place.rules if place.kind == "host" else self._rules_of(place.name)
        rows = ((f"{one.family} {one.table} {one.chain}", one.text, one.packets) for one in rules)
        columns = (self._say("chain", "チェーン"), self._say("rule", "ルール"), self._say("packets", "パケット数"))
        return self._section(self._say("Rules", "ルール"), place.name, "nft list ruleset", columns, rows)

    def _listening(self, place: PlaceState, only: Iterable[Socket] | None = None) -> Message:
        sockets = place.sockets if only is None else only
        return self._section(
            self._say("Listening sockets", "待ち受けソケット"),
            place.name,
            "ss -tulnp",
            (
                "",
                self._say("address", "アドレス"),
                self._say("port", "ポート"),
                self._say("process", "プロセス"),
                "pid",
            ),
            ((one.protocol, one.address, one.port, one.process, one.pid) for one in sockets),
        )

    def _processes(self, place: PlaceState) -> Message:
        return self._section(
            self._say("Processes", "プロセス"),
            place.host or place.name,
            f"ip netns pids {place.name}" if place.host else "ps -eo pid,netns,comm,args",
            ("pid", self._say("name", "名前"), self._say("command", "コマンド")),
            ((one.pid, one.name, one.command) for one in place.processes),
        )

    # ── interfaces and what they are joined to ─────────────────────────────────────────────────────────────────────

    def interface(self, place: PlaceState, one: Interface) -> Message:
        sections = [self._addresses(place, [one]), self._link_details(place, one), *self._routes(place, one.name)]
        sections.append(self._neighbours(place, one.name))
        if one.kind in ("bridge", "vxlan") or one.master:
            sections.append(self._forwarding(place, one.name))
        if one.kind == "bridge":
            sections.append(self._ports(place, one))
        subtitle = interface_label(self._scene, place, one)
        return {"title": f"{one.name} ({place.name})", "subtitle": subtitle, "sections": sections}

    def _link_details(self, place: PlaceState, one: Interface) -> Message:
        other = self._scene.peer(one)
        far = f"{other[0].name}: {other[1].name} (ifindex {other[1].index})" if other else ""
        facts = [("mtu", one.mtu), ("operstate", one.state), *one.details]
        facts += [(self._say("port state", "ポートの状態"), one.port_state)] if one.port_state else []
        facts += [(self._say("other end", "相手側"), far)] if far else []
        title = self._say("Link", "リンク")
        return self._section(title, place.name, f"ip -d link show dev {one.name}", ("", ""), facts)

    def _ports(self, place: PlaceState, bridge: Interface) -> Message:
        ports = [one for one in place.interfaces if one.master == bridge.name]
        rows = []
        for one in ports:
            other = self._scene.peer(one)
            rows.append((one.index, one.name, one.port_state, f"{other[0].name}: {other[1].name}" if other else ""))
        columns = ("ifindex", self._say("name", "名前"), self._say("state", "状態"), self._say("other end", "相手側"))
        title = self._say("Ports", "ポート")
        return self._section(title, place.name, f"bridge link show master {bridge.name}", columns, rows)

    def link(self, ends: list[tuple[PlaceState, Interface]]) -> Message:
        sections = []
        for place, one in ends:
            section = self._addresses(place, [one])
            section["title"] = f"{place.name}: {one.name} (ifindex {one.index})"
            sections += [section, self._link_details(place, one)]
        return {
            "title": " ⇄ ".join(f"{place.name}: {one.name}" for place, one in ends),
            "subtitle": self._say("veth pair", "veth ペア"),
            "sections": sections,
        }

    def fold(self, element: str) -> Message | None:
        names = self._scene.folds.get(element)
        if names is None:
            return None
        host, _, bridge = element.removeprefix("fold/").partition("/")
        rows = []
        for name in names:
            place = self._scene.snapshot.places[self._scene.position[name]]
            addresses = [
                str(a) for one in place.interfaces if one.kind != "loopback" for a in words.shown_addresses(one)
            ]
            off = [one.name for one in place.interfaces if one.kind != "loopback" and words.is_off(one)]
            rows.append((name, ", ".join(addresses), " ".join(f"{one} ✕" for one in off)))
        columns = (self._say("name", "名前"), self._say("addresses", "アドレス"), self._say("state", "状態"))
        command = f"bridge link show master {bridge}"
        section = self._section(self._say("Containers", "コンテナ"), host, command, columns, rows)
        return {"title": bridge, "subtitle": words.folded(len(names), self._scene.language), "sections": [section]}

    def tunnel(self, number: str) -> Message | None:
        sections = []
        for place in self._scene.snapshot.places:
            for one in place.interfaces if self._scene.owns(place) else ():
                if one.kind == "vxlan" and dict(one.details).get("id") == number:
                    sections += [self._link_details(place, one), self._forwarding(place, one.name)]
        return {"title": f"VXLAN {number}", "subtitle": "", "sections": sections} if sections else None

    def published(self, rest: str) -> Message | None:
        """Write the panel of a published port: its rules, and who listens on it; of the rest, the rules of the host."""
        snapshot = self._scene.snapshot
        place = snapshot.place(rest.partition("/")[0])
        if place is None:
            return None
        doors = (one for one in publications(place, snapshot) if published_id(place, one) == f"published/{rest}")
        door = next(doors, None)
        if door is None:
            return self.place(place, only_rules=True) | {"title": rest.partition("/")[2]}
        sockets = [one for one in place.sockets if (one.protocol, str(one.port)) == (door.protocol, door.host_port)]
        return {
            "title": f"{door.caught} → {door.owner}:{door.port}",
            "subtitle": self._say(f"published port of {place.name}", f"{place.name} の公開ポート"),
            "sections": [self._rules(place, rules_of(door, place, snapshot)), self._listening(place, sockets)],
        }
