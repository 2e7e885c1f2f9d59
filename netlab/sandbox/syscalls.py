"""The few system calls that Python 3.11 lacks, and the filter that makes one-user sandboxes usable.

Runs inside the sandbox: standard library only.
"""

from __future__ import annotations

import ctypes
import os
import struct
from functools import cache

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_NODEV, MS_NOSUID, MS_NOEXEC = 4, 2, 8
MS_BIND, MS_REC, MS_PRIVATE, MS_SHARED = 0x1000, 0x4000, 1 << 18, 1 << 20

_AT_RECURSIVE, _AT_FDCWD, _MOUNT_ATTR_RDONLY, _SYS_MOUNT_SETATTR = 0x8000, -100, 1, 442
_PR_SET_PDEATHSIG, _PR_SET_NAME, _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 1, 15, 22, 2

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)


def unshare(flags: int) -> None:
    """Give this process namespaces of its own (unshare(2))."""
    _check(_libc.unshare(flags), "unshare")


def setns(descriptor: int, flags: int) -> None:
    """Enter the namespaces that a descriptor stands for; a pidfd stands for several (setns(2))."""
    _check(_libc.setns(descriptor, flags), "setns")


def mount(source: str, target: str, kind: str | None = None, flags: int = 0, options: str | None = None) -> None:
    """Mount a file system (mount(2))."""
    encoded_kind = kind.encode() if kind else None
    encoded_options = options.encode() if options else None
    _check(_libc.mount(source.encode(), target.encode(), encoded_kind, flags, encoded_options), f"mount {target}")


def set_read_only(target: str, *, read_only: bool, recursive: bool = False) -> None:
    """Make a mount, and those below it, read-only or writable (mount_setattr(2), Linux 5.12)."""
    on, off = (_MOUNT_ATTR_RDONLY, 0) if read_only else (0, _MOUNT_ATTR_RDONLY)
    attributes = struct.pack("=QQQQ", on, off, 0, 0)
    flags = _AT_RECURSIVE if recursive else 0
    result = _libc.syscall(
        _SYS_MOUNT_SETATTR, _AT_FDCWD, target.encode(), flags, attributes, ctypes.c_size_t(len(attributes))
    )
    _check(result, f"mount_setattr {target}")


def end_with_parent(number: int) -> None:
    """Have the kernel send a signal to this process when the thread that forked it ends (PR_SET_PDEATHSIG(2const))."""
    _check(_libc.prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0), "prctl")


@cache
def _arguments() -> tuple[int, int]:
    """Return where the arguments of this program's start lie in memory, and how many bytes they have."""
    with open("/proc/self/stat", "rb") as file:
        fields = file.read().rpartition(b")")[2].split()
    start, end = int(fields[45]), int(fields[46])  # arg_start and arg_end, fields 48 and 49 of proc_pid_stat(5)
    return start, end - start


def set_title(title: str) -> None:
    """Change what `ps` shows of this process, name and command line.

    The kernel shows the memory that held the arguments at start (proc_pid_cmdline(5)); it is written over in place.
    """
    _libc.prctl(_PR_SET_NAME, title.partition(":")[0].encode()[:15], 0, 0, 0)
    start, room = _arguments()
    if room > 0:
        ctypes.memmove(start, title.encode()[: room - 1].ljust(room, b"\0"), room)


# What programs call to give up root, and which cannot succeed where only one user is mapped: tcpdump and others refuse to
# run without them. The filter answers "done" without doing anything: there is no other user to become.
_IDENTITY_CALLS = {
    "x86_64": (0xC000003E, (92, 93, 94, 105, 106, 113, 114, 116, 117, 119, 122, 123, 260)),
    "aarch64": (0xC00000B7, (54, 55, 143, 144, 145, 146, 147, 149, 151, 152, 159)),
}
_LOAD, _JUMP_EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _ANSWER_ZERO = 0x7FFF0000, 0x00050000


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def ignore_identity_changes() -> bool:
    """Make set*id, setgroups and chown answer success without effect, here and in all children (seccomp(2)).

    Returns False on a processor whose call numbers are not known here; nothing is filtered then.
    """
    if os.uname().machine not in _IDENTITY_CALLS:
        return False
    architecture, calls = _IDENTITY_CALLS[os.uname().machine]
    count = len(calls)
    program = [(_LOAD, 0, 0, 4), (_JUMP_EQUAL, 0, count + 1, architecture), (_LOAD, 0, 0, 0)]
    program += [(_JUMP_EQUAL, count - position, 0, number) for position, number in enumerate(calls)]
    program += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _ANSWER_ZERO)]
    code = b"".join(struct.pack("=HBBI", *instruction) for instruction in program)
    buffer = ctypes.create_string_buffer(code, len(code))
    described = _Program(len(program), ctypes.cast(buffer, ctypes.c_void_p))
    _check(_libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(described), 0, 0), "seccomp")
    return True
