"""How many files a process may have open (RLIMIT_NOFILE, getrlimit(2)): each container takes some, so it limits a lab."""

from __future__ import annotations

import resource

from netlab.errors import RequestError
from netlab.language import say

_ENOUGH = 1 << 16  # open files, for 20,000 containers
_FOR_EACH = 3  # in the name server, which needs most: the namespace, and a socket each for UDP and TCP
_FOR_THE_REST = 100


def raise_open_files() -> None:
    """Let this process, and all that it starts, have as many files open as the machine lets it; 1,024 is usual at first."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _ENOUGH if hard == resource.RLIM_INFINITY else min(_ENOUGH, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def check_room(places: int) -> None:
    """Refuse so many places in one lab if they would need more open files than are allowed; raises RequestError."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = max(0, (soft - _FOR_THE_REST) // _FOR_EACH)
    if soft != resource.RLIM_INFINITY and places > most:
        raise RequestError(
            say(
                en=f"A lab of {places:,} places (containers, hosts, machines outside) needs more open files than this machine "
                f"allows a process ({soft:,}), which is enough for {most:,}. Remove some, or have an administrator raise the "
                "limit: the line `* hard nofile 65536` in /etc/security/limits.conf, then log in again.",
                ja=f"場所 (コンテナ、ホスト、外のマシン) が {places:,} 個あるラボには、このマシンで 1 つのプロセスが開ける"
                f"ファイル数の上限 ({soft:,}) では足りません。この上限で足りるのは {most:,} 個までです。"
                "不要なコンテナを削除するか、管理者に上限を上げてもらってください: /etc/security/limits.conf に "
                "`* hard nofile 65536` の行を加え、ログインし直します。",
            )
        )
