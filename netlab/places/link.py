"""Handles on network interfaces, for building by hand: one call, one command."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from netlab import observer, ops
from netlab.addressing import check_interface_address
from netlab.errors import NotFound, RequestError
from netlab.language import say
from netlab.model import Interface
from netlab.names import check_interface
from netlab.places.home import Home

if TYPE_CHECKING:
    from netlab.places.place import Place  # a place hands out links, and a link moves to a place

_MAC = re.compile(r"([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}")


class Link:
    """A network interface in a place. The handle follows the interface when it is moved or renamed by this handle."""

    def __init__(self, lab: Home, place: str, name: str) -> None:
        self._lab = lab
        self.place = place
        self.name = name

    def __repr__(self) -> str:
        return f"<link {self.name} in {self.place}>"

    @property
    def state(self) -> Interface:
        """What the kernel reports of the interface now (`ip -d address show NAME`); raises NotFound when it is gone."""
        for one in observer.interfaces_of_all(self._lab.world).get(self.place, ()):
            if one.name == self.name:
                return one
        raise NotFound(
            say(
                en=f"The interface {self.name} is no longer in {self.place}.",
                ja=f"インターフェース {self.name} は、もう {self.place} にありません。",
            )
        )

    def up(self) -> Link:
        """Switch the interface on.

        Equivalent to: `ip link set NAME up` (ip-link(8)).
        """
        self._lab.change(f"{self.name} up", [ops.SetUp(self.place, self.name)])
        return self

    def down(self) -> Link:
        """Switch the interface off.

        Equivalent to: `ip link set NAME down`.
        """
        self._lab.change(f"{self.name} down", [ops.SetDown(self.place, self.name)])
        return self

    def move(self, target: Place) -> Link:
        """Move the interface into another namespace; it arrives down and without addresses.

        Equivalent to: `ip link set NAME netns TARGET`.
        """
        there = getattr(target, "name", None)
        if not isinstance(there, str):
            raise RequestError(
                say(
                    en=f"{target!r} is not a place. Give what lab.namespace or lab.run returned.",
                    ja=f"{target!r} は移動先にできません。lab.namespace か lab.run が返したものを渡してください。",
                )
            )
        self._lab.world.entry(there)
        if there == self.place:
            raise RequestError(
                say(en=f"{self.name} is in {there} already.", ja=f"{self.name} は、もう {there} にあります。")
            )
        self._lab.change(
            say(en=f"{self.name} into {there}", ja=f"{self.name} を {there} へ"),
            [ops.MoveLink(self.place, self.name, there)],
        )
        self.place = there
        return self

    def rename(self, new: str) -> Link:
        """Give the interface another name; most kernels want it down for that.

        Equivalent to: `ip link set NAME name NEW`.
        """
        operation = ops.RenameLink(self.place, self.name, check_interface(new))
        self._lab.change(say(en=f"{self.name} renamed {new}", ja=f"{self.name} を {new} に改名"), [operation])
        self.name = new
        return self

    def attach(self, bridge: str | Link) -> Link:
        """Plug the interface into a bridge.

        Equivalent to: `ip link set NAME master BRIDGE`.
        """
        name = bridge.name if isinstance(bridge, Link) else check_interface(bridge)
        if name == self.name:
            raise RequestError(
                say(en=f"{name} cannot be plugged into itself.", ja=f"{name} を自分自身には差し込めません。")
            )
        title = say(en=f"{self.name} into {name}", ja=f"{self.name} を {name} に接続")
        self._lab.change(title, [ops.SetMaster(self.place, self.name, name)])
        return self

    def detach(self) -> Link:
        """Pull the interface out of its bridge.

        Equivalent to: `ip link set NAME nomaster`.
        """
        title = say(en=f"{self.name} out of its bridge", ja=f"{self.name} をブリッジから外す")
        self._lab.change(title, [ops.SetMaster(self.place, self.name, None)])
        return self

    def add_address(self, address: str) -> Link:
        """Give the interface an address, written with its subnet's length as in 10.0.0.1/24.

        Equivalent to: `ip address add ADDRESS broadcast + dev NAME` (ip-address(8)).
        """
        checked = check_interface_address(address)
        title = say(en=f"{self.name} has {checked}", ja=f"{self.name} に {checked}")
        self._lab.change(title, [ops.AddAddress(self.place, self.name, checked)])
        return self

    def remove_address(self, address: str) -> Link:
        """Take an address from the interface.

        Equivalent to: `ip address delete ADDRESS dev NAME`.
        """
        checked = check_interface_address(address)
        title = say(en=f"{self.name} without {checked}", ja=f"{self.name} から {checked} を削除")
        self._lab.change(title, [ops.DeleteAddress(self.place, self.name, checked)])
        return self

    def set_mtu(self, mtu: int) -> Link:
        """Set the largest packet, in bytes, that the interface takes.

        Equivalent to: `ip link set NAME mtu MTU`.
        """
        if not isinstance(mtu, int) or not 68 <= mtu <= 65535:
            raise RequestError(
                say(
                    en=f"{mtu!r} is no packet size. Give a number of bytes from 68 to 65535, usually 1500.",
                    ja=f"{mtu!r} はパケットの大きさになりません。68 から 65535 までのバイト数(普通は 1500)を指定してください。",
                )
            )
        self._lab.change(f"{self.name} mtu {mtu}", [ops.SetMtu(self.place, self.name, mtu)])
        return self

    def set_mac(self, mac: str) -> Link:
        """Set the interface's hardware address.

        Equivalent to: `ip link set NAME address MAC`.
        """
        if not isinstance(mac, str) or not _MAC.fullmatch(mac):
            raise RequestError(
                say(
                    en=f"{mac!r} is not a hardware address. Write it as in 02:42:ac:11:00:02",
                    ja=f"{mac!r} は MAC アドレスではありません。02:42:ac:11:00:02 のように書いてください。",
                )
            )
        title = say(en=f"{self.name} has {mac}", ja=f"{self.name} に {mac}")
        self._lab.change(title, [ops.SetMac(self.place, self.name, mac)])
        return self

    def delete(self) -> None:
        """Delete the interface; the other end of a veth pair goes with it.

        Equivalent to: `ip link delete NAME`.
        """
        title = say(en=f"{self.name} deleted", ja=f"{self.name} を削除")
        self._lab.change(title, [ops.DeleteLink(self.place, self.name)])
