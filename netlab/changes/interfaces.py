"""What became of interfaces: made, deleted, moved, renamed, switched, plugged in, given other addresses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from netlab import ops
from netlab.changes.difference import Difference, made
from netlab.language import Language, say
from netlab.model import Interface, PlaceState
from netlab.view.boxes import interface_id, link_id

Networks = Mapping[tuple[str, str], str]


@dataclass(frozen=True, slots=True)
class _At:
    """An interface and the place that it is in."""

    place: PlaceState
    interface: Interface

    @property
    def name(self) -> str:
        return self.interface.name

    @property
    def where(self) -> str:
        return self.place.name

    @property
    def id(self) -> str:
        return interface_id(self.place, self.interface)

    @property
    def is_new(self) -> bool:
        """Whether it is worth a word when its namespace appears with it: loopback always does."""
        return self.interface.kind != "loopback"


class Interfaces:
    """The interfaces of two looks, matched: by their number in one namespace, and by their MAC from one to another."""

    def __init__(
        self, old: Mapping[str, PlaceState], new: Mapping[str, PlaceState], networks: Networks, language: Language
    ) -> None:
        self._networks = networks
        self._language = language
        self._now = {(name, one.name): _At(place, one) for name, place in new.items() for one in place.interfaces}
        self._was = {(name, one.name): _At(place, one) for name, place in old.items() for one in place.interfaces}
        self._pairs: list[tuple[_At, _At]] = []
        self._gone: list[_At] = []
        self._left = {name for name in old if name not in new}
        same = {name for name, place in new.items() if name in old and old[name].inode == place.inode}
        by_number = {(at.where, at.interface.index): at for at in self._now.values() if at.where in same}
        for (where, _), at in self._was.items():
            match = by_number.pop((where, at.interface.index), None) if where in same else None
            if match is not None and match.interface.kind == at.interface.kind:
                self._pairs.append((at, match))
            else:
                self._gone.append(at)
        known = {(now.where, now.name) for _, now in self._pairs}
        # Bridges first: the commands plug others into them.
        come = (at for key, at in self._now.items() if key not in known)
        self._come = sorted(come, key=lambda at: at.interface.kind != "bridge")
        self._moved = list(self._match_moved())
        self._touched: dict[str, set[str]] = {}
        self._deleted_with_place = {at.where for at in self._gone if at.where not in same}

    def _match_moved(self) -> Iterator[tuple[_At, _At]]:
        for at in list(self._gone):
            for candidate in self._come:
                one, other = at.interface, candidate.interface
                if at.is_new and (one.kind, one.mac) == (other.kind, other.mac) and at.where != candidate.where:
                    self._gone.remove(at)
                    self._come.remove(candidate)
                    yield at, candidate
                    break

    def touched(self, place: str) -> set[str]:
        """Return the names of a place's interfaces whose addresses or state changed: the kernel's own routes follow them."""
        return self._touched.get(place, set())

    def _touch(self, at: _At) -> None:
        self._touched.setdefault(at.where, set()).add(at.name)

    def differences(self) -> Iterator[Difference]:
        """Yield what went, what came, and what is different."""
        yield from self._went()
        yield from self._came()
        for was, now in self._moved:
            yield from self._move(was, now)
        for was, now in self._pairs:
            if was.interface is not now.interface:
                yield from self._change(was, now)

    # ── went and came ──────────────────────────────────────────────────────────────────────────────────────────────

    def _went(self) -> Iterator[Difference]:
        told: set[tuple[str, str]] = set()
        for at in self._gone:
            self._touch(at)
            other = self._was.get((at.interface.peer_place or "", at.interface.peer_name or ""))
            if (at.where, at.name) in told or not at.is_new:
                continue
            told.add((at.where, at.name))
            if other is not None and other in self._gone:
                told.add((other.where, other.name))
                yield self._cable(at, other, "went")
            elif at.where not in self._left:  # what was in a place that went is not told one by one
                sentence = say(
                    en=f"{at.where}: {self._called(at)} went.",
                    ja=f"{at.where}: {self._called(at)} がなくなりました。",
                    language=self._language,
                )
                yield made(at.id, "went", sentence, ops.DeleteLink(at.where, at.name))

    def _came(self) -> Iterator[Difference]:
        told: set[tuple[str, str]] = set()
        for at in self._come:
            self._touch(at)
            if (at.where, at.name) not in told and at.is_new:
                other = self._now.get((at.interface.peer_place or "", at.interface.peer_name or ""))
                if other is not None and other in self._come:
                    told.add((other.where, other.name))
                    yield self._cable(at, other, "appeared")
                else:
                    sentence = say(
                        en=f"{at.where}: {self._called(at)} appeared.",
                        ja=f"{at.where}: {self._called(at)} が現れました。",
                        language=self._language,
                    )
                    yield made(at.id, "appeared", sentence, *_making(at))
        for at in self._come:
            yield from self._addresses(None, at)

    def _cable(self, one: _At, other: _At, kind: str) -> Difference:
        """Tell of a veth pair, both of whose ends came or went."""
        near, far = (other, one) if one.place.kind in ("container", "namespace") else (one, other)
        element = link_id(near.place, near.interface, far.place, far.interface)
        ends = f"{near.where}:{near.name} ⇄ {far.where}:{far.name}"
        if kind == "went":
            sentence = say(
                en=f"The cable {ends} went.", ja=f"ケーブル {ends} がなくなりました。", language=self._language
            )
            at = far if near.where in self._deleted_with_place else near
            return made(element, "went", sentence, ops.DeleteLink(at.where, at.name))
        sentence = say(en=f"A cable appeared: {ends}.", ja=f"ケーブルが現れました: {ends}", language=self._language)
        make = ops.AddVeth(near.where, near.name, far.name, far.where)
        settings = [op for at in (near, far) for op in _settings(at)]
        return made(element, "appeared", sentence, make, *settings)

    def _called(self, at: _At) -> str:
        kind = {"bridge": say(en="bridge", ja="ブリッジ", language=self._language)}.get(
            at.interface.kind, at.interface.kind
        )
        network = self._networks.get((at.where, at.name))
        return f"{kind} {at.name}" + (f" ({network})" if network else "")

    # ── moved and changed ──────────────────────────────────────────────────────────────────────────────────────────

    def _move(self, was: _At, now: _At) -> Iterator[Difference]:
        self._touch(was)
        self._touch(now)
        sentence = say(
            en=f"{was.name} moved from {was.where} into {now.where}.",
            ja=f"{was.name} が {was.where} から {now.where} に移りました。",
            language=self._language,
        )
        yield made(now.id, "changed", sentence, ops.MoveLink(was.where, was.name, now.where))
        # It arrives switched off, out of any bridge and without addresses: what it has now, it was given there.
        yield from self._renamed(was, now)
        if now.interface.up:
            yield self._switched(now)
        yield from self._plugged(None, now)
        yield from self._addresses(None, now)

    def _change(self, was: _At, now: _At) -> Iterator[Difference]:
        before, after = was.interface, now.interface
        yield from self._renamed(was, now)
        if before.up != after.up:
            self._touch(now)
            yield self._switched(now)
        elif before.carrier != after.carrier and after.up and after.kind not in ("bridge", "loopback"):
            self._touch(now)
            yield self._told(
                now,
                en="has a signal now." if after.carrier else "lost its signal: the other end is off.",
                ja="に信号が来ました。" if after.carrier else "の信号がなくなりました。相手側が止まっています。",
            )
        if before.mtu != after.mtu:
            yield self._told(
                now,
                ops.SetMtu(now.where, now.name, after.mtu),
                en=f"takes packets of up to {after.mtu} bytes now (MTU; before: {before.mtu}).",
                ja=f"の MTU が {before.mtu} から {after.mtu} に変わりました。",
            )
        chosen = after.kind != "bridge" or before.mac not in self._port_macs(was)
        if before.mac != after.mac and chosen and after.mac not in self._port_macs(now):
            yield self._told(
                now,
                ops.SetMac(now.where, now.name, after.mac),
                en=f"has the MAC address {after.mac} now (before: {before.mac}).",
                ja=f"の MAC アドレスが {before.mac} から {after.mac} に変わりました。",
            )
        yield from self._plugged(before.master, now)
        yield from self._addresses(before, now)

    def _port_macs(self, at: _At) -> set[str]:
        """Return the MAC addresses of a bridge's ports: unless it was given one, it takes the lowest of them as its own."""
        return {one.mac for one in at.place.interfaces if one.master == at.name}

    def _told(self, at: _At, *operations: ops.Operation, en: str, ja: str) -> Difference:
        sentence = say(en=f"{at.where}: {at.name} {en}", ja=f"{at.where}: {at.name} {ja}", language=self._language)
        return made(at.id, "changed", sentence, *operations)

    def _switched(self, at: _At) -> Difference:
        up = at.interface.up
        operation = ops.SetUp(at.where, at.name) if up else ops.SetDown(at.where, at.name)
        return self._told(
            at,
            operation,
            en="was switched on." if up else "was switched off.",
            ja="のスイッチが入りました。" if up else "のスイッチが切られました。",
        )

    def _renamed(self, was: _At, now: _At) -> Iterator[Difference]:
        if was.name != now.name:
            yield self._told(
                now,
                ops.RenameLink(now.where, was.name, now.name),
                en=f"is the new name of {was.name}.",
                ja=f"は {was.name} の新しい名前です。",
            )

    def _plugged(self, before: str | None, now: _At) -> Iterator[Difference]:
        master = now.interface.master
        if before != master:
            yield self._told(
                now,
                ops.SetMaster(now.where, now.name, master),
                en=f"was plugged into the bridge {master}." if master else f"was pulled out of the bridge {before}.",
                ja=f"がブリッジ {master} に接続されました。" if master else f"がブリッジ {before} から外されました。",
            )

    def _addresses(self, before: Interface | None, now: _At) -> Iterator[Difference]:
        had = [str(one) for one in before.addresses if one.scope == "global"] if before else []
        has = [str(one) for one in now.interface.addresses if one.scope == "global"]
        for address in had:
            if address not in has:
                self._touch(now)
                yield self._told(
                    now,
                    ops.DeleteAddress(now.where, now.name, address),
                    en=f"lost the address {address}.",
                    ja=f"からアドレス {address} がなくなりました。",
                )
        for address in has:
            if address not in had:
                self._touch(now)
                yield self._told(
                    now,
                    ops.AddAddress(now.where, now.name, address),
                    en=f"has the address {address} now.",
                    ja=f"にアドレス {address} が付きました。",
                )


def _making(at: _At) -> list[ops.Operation]:
    """Return what makes an interface that is no cable; nothing for a kind that has no operation."""
    if at.interface.kind == "bridge":
        return [ops.AddBridge(at.where, at.name), *_settings(at)]
    return []


def _settings(at: _At) -> list[ops.Operation]:
    plug: list[ops.Operation] = [ops.SetMaster(at.where, at.name, at.interface.master)] if at.interface.master else []
    return plug + ([ops.SetUp(at.where, at.name)] if at.interface.up else [])
