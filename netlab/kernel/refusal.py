"""The kernel's refusals in words that say what to do next."""

from __future__ import annotations

import errno
import os

from netlab import ops
from netlab.language import say


def explain(op: ops.Operation, number: int, words: str) -> str:
    """Return what was asked, what is wrong and what to do next, for a refused operation.

    `number` is the kernel's error number (0 when a program refused), `words` its own explanation, which may be empty.
    """
    reason = _REASONS.get(number)
    text = reason(op) if reason else None
    if text is None:
        text = words or (
            os.strerror(number) if number else say(en="no reason was given", ja="理由は示されませんでした")
        )
    elif words and words not in text:
        text = say(en=f"{text} (the kernel says: {words})", ja=f"{text} (カーネルの言葉: {words})")
    return say(en=f"`{op.command()}` was refused: {text}", ja=f"`{op.command()}` は拒否されました: {text}")


def _exists(op: ops.Operation) -> str | None:
    if isinstance(op, ops.AddVeth | ops.AddBridge):
        return say(
            en=f"{op.place} has an interface {op.name!r} already. Choose another name, or delete it first.",
            ja=f"{op.place} には、もうインターフェース {op.name!r} があります。別の名前にするか、先にそれを削除してください。",
        )
    if isinstance(op, ops.AddVxlan):
        return say(
            en=f"{op.place} has a tunnel with the number {op.number} at UDP port {op.port} already. Delete it first; see "
            "what there is: ip -d link show type vxlan",
            ja=f"{op.place} には、番号 {op.number}、UDP ポート {op.port} のトンネルがもうあります。先に削除してください。"
            "何があるかを見るには: ip -d link show type vxlan",
        )
    if isinstance(op, ops.RenameLink):
        return say(
            en=f"{op.place} has an interface {op.new!r} already. Choose another name.",
            ja=f"{op.place} には、もうインターフェース {op.new!r} があります。別の名前にしてください。",
        )
    if isinstance(op, ops.MoveLink):
        return say(
            en=f"{op.target} has an interface {op.name!r} already. Rename one of them first.",
            ja=f"{op.target} には、もうインターフェース {op.name!r} があります。先にどちらかの名前を変えてください。",
        )
    if isinstance(op, ops.AddAddress):
        return say(
            en=f"{op.name} in {op.place} has the address {op.address} already.",
            ja=f"{op.place} の {op.name} は、もうアドレス {op.address} を持っています。",
        )
    if isinstance(op, ops.AddRoute):
        return say(
            en=f"{op.place} has a route to {op.destination} already. Delete it first: ip route delete {op.destination}",
            ja=f"{op.place} には、もう {op.destination} への経路があります。先に削除してください: "
            f"ip route delete {op.destination}",
        )
    return None


def _no_device(op: ops.Operation) -> str | None:
    name = getattr(op, "name", None)
    return say(
        en=f"there is no such interface in {op.place}{f': {name!r}' if name else ''}. See what there is: ip link",
        ja=f"{op.place} に、そのようなインターフェース{f' {name!r} ' if name else ''}はありません。"
        "何があるかを見るには: ip link",
    )


def _unreachable(op: ops.Operation) -> str | None:
    if isinstance(op, ops.AddRoute) and op.gateway:
        return say(
            en=f"{op.place} does not know how to reach the gateway {op.gateway}: none of its interfaces that are up has an "
            "address in the gateway's subnet. Add such an address first, and switch the interface on.",
            ja=f"{op.place} はゲートウェイ {op.gateway} に到達する方法を知りません。動作中のインターフェースのどれにも、"
            "ゲートウェイと同じサブネットのアドレスがないからです。先にそのアドレスを割り当て、インターフェースのスイッチを"
            "入れてください。",
        )
    return None


def _down(op: ops.Operation) -> str | None:
    command = f"ip link set {getattr(op, 'name', None) or 'NAME'} up"
    return say(
        en=f"the interface is switched off. Switch it on first: {command}",
        ja=f"インターフェースが停止しています。先にスイッチを入れてください: {command}",
    )


def _not_there(op: ops.Operation) -> str | None:
    if isinstance(op, ops.DeleteRoute):
        return say(
            en=f"{op.place} has no such route. See what there is: ip route",
            ja=f"{op.place} に、そのような経路はありません。何があるかを見るには: ip route",
        )
    return None


def _no_address(op: ops.Operation) -> str | None:
    if isinstance(op, ops.DeleteAddress):
        return say(
            en=f"{op.name} in {op.place} does not have the address {op.address}. See what it has: ip address",
            ja=f"{op.place} の {op.name} に、アドレス {op.address} はありません。何があるかを見るには: ip address",
        )
    return None


def _no_support(op: ops.Operation) -> str | None:
    if isinstance(op, ops.AddVxlan):
        return say(
            en="this kernel has no VXLAN (module vxlan), which overlay networks are made of. An administrator may load "
            "it: sudo modprobe vxlan. `netlab doctor` shows what it has.",
            ja="このカーネルには、オーバーレイネットワークの土台である VXLAN (モジュール vxlan) がありません。"
            "管理者は sudo modprobe vxlan で読み込めます。何に対応しているかは `netlab doctor` で分かります。",
        )
    return say(
        en="this kernel has no support for it. `netlab doctor` shows what it has.",
        ja="このカーネルは対応していません。何に対応しているかは `netlab doctor` で分かります。",
    )


def _loop(op: ops.Operation) -> str | None:
    if isinstance(op, ops.SetMaster):
        return say(
            en="a bridge cannot be plugged into itself, nor into another bridge.",
            ja="ブリッジは、自分自身にも、ほかのブリッジにも差し込めません。",
        )
    return None


def _full(op: ops.Operation) -> str | None:
    if isinstance(op, ops.AddVeth | ops.SetMaster) and op.master:
        return say(
            en=f"the bridge {op.master} has no port left: the kernel gives a bridge 1,023. Connect the rest to another "
            "network (lab.network), or remove some first.",
            ja=f"ブリッジ {op.master} に空きポートがありません。カーネルの上限は 1 つのブリッジにつき 1,023 個です。"
            "残りは別のネットワーク (lab.network) につなぐか、先にいくつか削除してください。",
        )
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
    errno.EXFULL: _full,
}
