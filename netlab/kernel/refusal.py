"""The kernel's refusals in words that say what to do next."""

from __future__ import annotations

import errno
import os

from netlab import ops


def explain(op: ops.Operation, number: int, words: str) -> str:
    """Return what was asked, what is wrong and what to do next, for a refused operation.

    `number` is the kernel's error number (0 when a program refused), `words` its own explanation, which may be empty.
    """
    reason = _REASONS.get(number)
    text = reason(op) if reason else None
    if text is None:
        text = words or (os.strerror(number) if number else "no reason was given")
    elif words and words not in text:
        text = f"{text} (the kernel says: {words})"
    return f"`{op.command()}` was refused: {text}"


def _exists(op: ops.Operation) -> str | None:
    if isinstance(op, ops.AddVeth | ops.AddBridge):
        return f"{op.place} has an interface {op.name!r} already. Choose another name, or delete it first."
    if isinstance(op, ops.RenameLink):
        return f"{op.place} has an interface {op.new!r} already. Choose another name."
    if isinstance(op, ops.MoveLink):
        return f"{op.target} has an interface {op.name!r} already. Rename one of them first."
    if isinstance(op, ops.AddAddress):
        return f"{op.name} in {op.place} has the address {op.address} already."
    if isinstance(op, ops.AddRoute):
        return f"{op.place} has a route to {op.destination} already. Delete it first: ip route delete {op.destination}"
    return None


def _no_device(op: ops.Operation) -> str | None:
    name = getattr(op, "name", None)
    return f"there is no such interface in {op.place}{f': {name!r}' if name else ''}. See what there is: ip link"


def _unreachable(op: ops.Operation) -> str | None:
    if isinstance(op, ops.AddRoute) and op.gateway:
        return (
            f"{op.place} does not know how to reach the gateway {op.gateway}: none of its interfaces that are up has an "
            "address in the gateway's subnet. Add such an address first, and switch the interface on."
        )
    return None


def _down(op: ops.Operation) -> str | None:
    return f"the interface is switched off. Switch it on first: ip link set {getattr(op, 'name', None) or 'NAME'} up"


def _not_there(op: ops.Operation) -> str | None:
    if isinstance(op, ops.DeleteRoute):
        return f"{op.place} has no such route. See what there is: ip route"
    return None


def _no_address(op: ops.Operation) -> str | None:
    if isinstance(op, ops.DeleteAddress):
        return f"{op.name} in {op.place} does not have the address {op.address}. See what it has: ip address"
    return None


def _no_support(_: ops.Operation) -> str | None:
    return "this kernel has no support for it. `netlab doctor` shows what it has."


def _loop(op: ops.Operation) -> str | None:
    if isinstance(op, ops.SetMaster):
        return "a bridge cannot be plugged into itself, nor into another bridge."
    return None


_REASONS = {
    errno.EEXIST: _exists,
    errno.ENODEV: _no_device,
    errno.ENETUNREACH: _unreachable,
    errno.EHOSTUNREACH: _unreachable,
    errno.ENETDOWN: _down,
    errno.ESRCH: _not_there,
    errno.EADDRNOTAVAIL: _no_address,
    errno.EOPNOTSUPP: _no_support,
    errno.EPROTONOSUPPORT: _no_support,
    errno.ELOOP: _loop,
}
