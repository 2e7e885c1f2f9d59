"""Why a sandbox cannot be started on this machine, and what to do about it."""

from __future__ import annotations

import os
import platform
from pathlib import Path


def _read(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""


def _seccomp_filtered() -> bool:
    return any(line.split() == ["Seccomp:", "2"] for line in _read("/proc/self/status").splitlines())


def explain(said: str) -> str:
    """Return the reason and the remedy for a refused sandbox; `said` is what the refused program wrote."""
    reason = f"This machine does not let netlab make its sandbox ({said.strip() or 'no reason given'}).\n"
    return reason + _remedy()


def _remedy() -> str:
    if platform.system() != "Linux":
        return "netlab needs a Linux kernel. On macOS and Windows use the Vagrant machine or WSL2: see README.md."
    if _read("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1" and os.geteuid() != 0:
        return (
            "Ubuntu's AppArmor restricts user namespaces. Allow them until the next start of the machine:\n"
            "  sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0\n"
            "or for good:\n"
            "  echo kernel.apparmor_restrict_unprivileged_userns=0 | sudo tee /etc/sysctl.d/60-netlab.conf"
        )
    if _read("/proc/sys/kernel/unprivileged_userns_clone") == "0" and os.geteuid() != 0:
        return "User namespaces are switched off. Allow them:\n  sudo sysctl -w kernel.unprivileged_userns_clone=1"
    if _read("/proc/sys/user/max_user_namespaces") == "0":
        return "The limit of user namespaces is 0. Raise it:\n  sudo sysctl -w user.max_user_namespaces=15000"
    if "microsoft" in platform.release().lower() and "WSL2" not in platform.release():
        return "This looks like WSL 1, which has no Linux kernel. Change to WSL 2:\n  wsl --set-version DISTRIBUTION 2"
    if _seccomp_filtered():
        return (
            "A seccomp filter is active here, as in a container. Start the container with\n"
            "  --security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined\n"
            "or use a virtual machine."
        )
    return "Run `netlab doctor` to see which part is refused."
