"""The ground that a sandbox stands on: its view of the file system. Runs inside: standard library only.

The machine's files are there, read-only except the working directory, /tmp and /dev/shm: the lab uses the machine's own
programs and cannot spoil anything. /proc shows the sandbox's processes, /run is empty and private, and a container's own
/etc/hosts, /etc/resolv.conf and /etc/hostname are laid over the machine's (see `nodes`).
"""

from __future__ import annotations

import os

from netlab.sandbox.syscalls import (
    MS_BIND,
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    MS_PRIVATE,
    MS_REC,
    mount,
    set_read_only,
)

RUN = "/run/netlab"
DOCKER_SOCKET = f"{RUN}/bin/.docker.sock"  # in hosts only
_SHARED = ("/tmp", "/dev/shm")  # noqa: S108 - nothing is put there; they only stay writable
OWN_FILES = ("hosts", "resolv.conf", "hostname")
_NAME_SERVICES = "passwd: files\ngroup: files\nhosts: files dns\nservices: files\nprotocols: files\n"


def prepare(working_directory: str) -> dict[str, bool]:
    """Build the sandbox's file system view; return which optional parts this machine allows.

    Raises OSError when a part that a lab cannot do without is refused.
    """
    mount("none", "/", flags=MS_REC | MS_PRIVATE)
    features = {"read_only": _protect(working_directory), "own_proc": _mount_proc()}
    mount("netlab", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755")
    for folder in (RUN, f"{RUN}/nodes", f"{RUN}/bin", "/run/netns", "/run/lock"):
        os.mkdir(folder)
    _make_mount_points()
    return features


def _protect(working_directory: str) -> bool:
    """Make all files read-only but those of the working directory, /tmp and /dev/shm."""
    writable = [folder for folder in {working_directory, *_SHARED} if folder != "/" and os.path.isdir(folder)]
    try:
        for folder in writable:
            mount(folder, folder, flags=MS_BIND | MS_REC)
        set_read_only("/", read_only=True, recursive=True)
        for folder in writable:
            set_read_only(folder, read_only=False)
    except OSError:  # Linux before 5.12, or mounts that the machine has locked: the lab works, unprotected
        return False
    return True


def _mount_proc() -> bool:
    """Show the sandbox's own processes in /proc. A container with a masked /proc forbids that; its /proc then stays."""
    try:
        mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    except OSError:
        return False
    return True


def _make_mount_points() -> None:
    """See to it that the files which a node lays its own over exist, also where the machine has none."""
    for name in OWN_FILES:
        path = f"/etc/{name}"
        target = os.path.realpath(path)  # systemd-resolved makes resolv.conf a link into /run
        if target.startswith("/run/") and not os.path.exists(target):
            os.makedirs(os.path.dirname(target), exist_ok=True)
            open(target, "w").close()
    missing = [name for name in (*OWN_FILES, "nsswitch.conf") if not os.path.exists(f"/etc/{name}")]
    if missing:
        layer = f"{RUN}/etc"
        os.mkdir(layer)
        for name in missing:
            open(f"{layer}/{name}", "w").close()
        mount("overlay", "/etc", "overlay", options=f"lowerdir={layer}:/etc")
    services = f"{RUN}/nsswitch.conf"
    with open(services, "w") as file:
        file.write(_NAME_SERVICES)
    mount(services, "/etc/nsswitch.conf", flags=MS_BIND)
