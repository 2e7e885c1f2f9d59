"""Why a sandbox cannot be started on this machine, and what to do about it."""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path

from netlab.language import say

OLDEST_KERNEL = (5, 8)  # setns with a pidfd; read-only protection and overlays in user namespaces came a little later


def _read(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""


def _seccomp_filtered() -> bool:
    return any(line.split() == ["Seccomp:", "2"] for line in _read("/proc/self/status").splitlines())


def _in_chroot() -> bool:
    try:
        return not Path("/proc/1/root").samefile("/")
    except OSError:  # only root may look
        return False


def kernel() -> tuple[int, int]:
    """Return the kernel's version; (0, 0) where it cannot be read."""
    match = re.match(r"(\d+)\.(\d+)", platform.release())
    return (int(match[1]), int(match[2])) if match else (0, 0)


def explain(said: str) -> str:
    """Return the reason and the remedy for a refused sandbox; `said` is what the refused program wrote."""
    reason = f"This machine does not let netlab make its sandbox ({said.strip() or 'no reason given'}).\n"
    return reason + (
        remedy()
        or say(
            en="Run `netlab doctor` to see which part is refused.",
            ja="どこで拒否されたかは `netlab doctor` で分かります。",
        )
    )


def remedy() -> str | None:
    """Return what to do on this machine so that namespaces can be made; None when nothing known stands in the way."""
    return _about_kernel() or _about_settings() or _about_confinement()


def _about_kernel() -> str | None:
    release = platform.release()
    if platform.system() != "Linux":
        return say(
            en="netlab needs a Linux kernel. On macOS and Windows use the Vagrant machine or WSL2: see README.md.",
            ja="netlab には Linux カーネルが必要です。macOS や Windows では Vagrant の仮想マシンか WSL2 を使ってください (README.ja.md)。",  # noqa: E501
        )
    if "Microsoft" in release:  # WSL 2 writes it small
        return say(
            en="This is WSL 1, which has no Linux kernel. Change to WSL 2:\n",
            ja="これは WSL 1 で、Linux カーネルがありません。WSL 2 に変更してください:\n",
        ) + ("  wsl --set-version DISTRIBUTION 2")
    if kernel() < OLDEST_KERNEL:
        return say(
            en=f"This kernel ({release}) is too old: netlab needs Linux 5.8 or later. Upgrade the system, or use a virtual "
            "machine: see README.md.",
            ja=f"このカーネル ({release}) は古すぎます。Linux 5.8 以降が必要です。システムを更新するか、仮想マシンを使ってください (README.ja.md)。",  # noqa: E501
        )
    return None


def _about_settings() -> str | None:
    root = os.geteuid() == 0
    if _read("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1" and not root:
        return say(
            en="Ubuntu's AppArmor restricts user namespaces. Allow them until the next start of the machine:\n",
            ja="Ubuntu の AppArmor がユーザー名前空間を制限しています。次の再起動まで許可するには:\n",
        ) + (
            "  sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0\n"
            + say(en="or for good:\n", ja="ずっと許可するには:\n")
            + "  echo kernel.apparmor_restrict_unprivileged_userns=0 | sudo tee /etc/sysctl.d/60-netlab.conf"
        )
    if _read("/proc/sys/kernel/unprivileged_userns_clone") == "0" and not root:
        return say(
            en="User namespaces are switched off. Allow them:\n", ja="ユーザー名前空間が無効です。有効にするには:\n"
        ) + ("  sudo sysctl -w kernel.unprivileged_userns_clone=1")
    for kind in ("user", "net", "mnt", "pid", "uts", "ipc"):
        if _read(f"/proc/sys/user/max_{kind}_namespaces") == "0":
            return say(
                en=f"The limit of {kind} namespaces is 0. Raise it:\n",
                ja=f"{kind} 名前空間の上限が 0 です。上げるには:\n",
            ) + (f"  sudo sysctl -w user.max_{kind}_namespaces=15000")
    return None


def _about_confinement() -> str | None:
    if _seccomp_filtered():
        return (
            say(
                en="A seccomp filter is active here, as in a container. Start the container with\n",
                ja="コンテナの中のように seccomp フィルターが有効です。コンテナを次のオプションで起動してください:\n",
            )
            + "  --security-opt seccomp=unconfined --security-opt apparmor=unconfined "
            "--security-opt systempaths=unconfined\n"
            + say(en="or use a virtual machine.", ja="または仮想マシンを使ってください。")
        )
    if _in_chroot():
        return say(
            en="This is a chroot, in which the kernel forbids user namespaces. Enter it by pivot_root (systemd-nspawn does).",
            ja="chroot の中ではカーネルがユーザー名前空間を禁止します。pivot_root (systemd-nspawn など) で入ってください。",
        )
    return None
