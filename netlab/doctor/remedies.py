"""What to run when a trial has failed."""

from __future__ import annotations

import platform

from netlab.language import say
from netlab.sandbox import diagnosis


def install(package: str) -> str:
    """Return how to get a program (Debian's and Ubuntu's package names)."""
    return f"sudo apt-get install {package}"


def for_namespaces() -> str:
    """Return how to have namespaces allowed."""
    return diagnosis.remedy() or say(
        en="Nothing known forbids it, so a security module or the host of a container does: use a virtual machine (README.md).",
        ja="既知の原因は見つかりません。セキュリティモジュールかコンテナのホストによる制限です。仮想マシンを使ってください (README.ja.md)。",  # noqa: E501
    )


def for_feature(module: str) -> str:
    """Return how to get a part of the kernel that comes as a module."""
    line = f"sudo modprobe {module}"
    if "microsoft" in platform.release().lower():
        return line + say(
            en="   (WSL2: if its kernel has no such module, update it in PowerShell: wsl --update)",
            ja="   (WSL2: カーネルにこのモジュールがなければ PowerShell で更新: wsl --update)",
        )
    return line + say(
        en="   (if there is no such module: boot the distribution's standard kernel)",
        ja="   (モジュールがなければ、ディストリビューションの標準カーネルで起動してください)",
    )


def for_trial(name: str, feature: str) -> str:
    """Return what to do about a trial that failed inside a sandbox."""
    if name == "dot":
        return install("graphviz")
    if feature:
        return for_feature(feature)
    if name == "read_only" and diagnosis.kernel() < (5, 12):
        return say(
            en="Use Linux 5.12 or later. Until then, do not run commands in a lab that you would not run outside.",
            ja="Linux 5.12 以降を使ってください。それまでは、外で実行しないコマンドをラボでも実行しないでください。",
        )
    return say(
        en="In a container, start it with: --security-opt systempaths=unconfined --security-opt seccomp=unconfined",
        ja="コンテナの中なら、次のオプションで起動: --security-opt systempaths=unconfined --security-opt seccomp=unconfined",
    )
