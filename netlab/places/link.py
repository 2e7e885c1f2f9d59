"""Handles on network interfaces, for building by hand: one call, one command."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from netlab import ops
from netlab.addressing import check_interface_address
from netlab.errors import RequestError
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
            raise RequestError(f"{target!r} is not a place. Give what lab.namespace or lab.run returned.")
        self._lab.world.entry(there)
        if there == self.place:
            raise RequestError(f"{self.name} is in {there} already.")
        self._lab.change(f"{self.name} into {there}", [ops.MoveLink(self.place, self.name, there)])
        self.place = there
        return self

    def rename(self, new: str) -> Link:
        """Give the interface another name; most kernels want it down for that.

        Equivalent to: `ip link set NAME name NEW`.
        """
        self._lab.change(f"{self.name} renamed {new}", [ops.RenameLink(self.place, self.name, check_interface(new))])
        self.name = new
        return self

    def attach(self, bridge: str | Link) -> Link:
        """Plug the interface into a bridge.

        Equivalent to: `ip link set NAME master BRIDGE`.
        """
        name = bridge.name if isinstance(bridge, Link) else check_interface(bridge)
        if name == self.name:
            raise RequestError(f"{name} cannot be plugged into itself.")
        self._lab.change(f"{self.name} into {name}", [ops.SetMaster(self.place, self.name, name)])
        return self

    def detach(self) -> Link:
        """Pull the interface out of its bridge.

        Equivalent to: `ip link set NAME nomaster`.
        """
        self._lab.change(f"{self.name} out of its bridge", [ops.SetMaster(self.place, self.name, None)])
        return self

    def add_address(self, address: str) -> Link:
        """Give the interface an address, written with its subnet's length as in 10.0.0.1/24.

        Equivalent to: `ip address add ADDRESS broadcast + dev NAME` (ip-address(8)).
        """
        checked = check_interface_address(address)
        self._lab.change(f"{self.name} has {checked}", [ops.AddAddress(self.place, self.name, checked)])
        return self

    def remove_address(self, address: str) -> Link:
        """Take an address from the interface.

        Equivalent to: `ip address delete ADDRESS dev NAME`.
        """
        checked = check_interface_address(address)
        self._lab.change(f"{self.name} without {checked}", [ops.DeleteAddress(self.place, self.name, checked)])
        return self

    def set_mtu(self, mtu: int) -> Link:
        """Set the largest packet, in bytes, that the interface takes.

        Equivalent to: `ip link set NAME mtu MTU`.
        """
        if not isinstance(mtu, int) or not 68 <= mtu <= 65535:
            raise RequestError(f"{mtu!r} is no packet size. Give a number of bytes from 68 to 65535, usually 1500.")
        self._lab.change(f"{self.name} mtu {mtu}", [ops.SetMtu(self.place, self.name, mtu)])
        return self

    def set_mac(self, mac: str) -> Link:
        """Set the interface's hardware address.

        Equivalent to: `ip link set NAME address MAC`.
        """
        if not isinstance(mac, str) or not _MAC.fullmatch(mac):
            raise RequestError(f"{mac!r} is not a hardware address. Write it as in 02:42:ac:11:00:02")
        self._lab.change(f"{self.name} has {mac}", [ops.SetMac(self.place, self.name, mac)])
        return self

    def delete(self) -> None:
        """Delete the interface; the other end of a veth pair goes with it.

        Equivalent to: `ip link delete NAME`.
        """
        self._lab.change(f"{self.name} deleted", [ops.DeleteLink(self.place, self.name)])
