"""What the doctor says."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from netlab.doctor.findings import Finding
from netlab.language import say

_MARKS = {"works": "✓", "fails": "✗", "untried": "·"}


def is_fit(findings: Sequence[Finding]) -> bool:
    """Whether labs can be built here."""
    return all(finding.state == "works" for finding in findings if finding.required)


def as_data(findings: Sequence[Finding]) -> dict[str, Any]:
    """Return the findings as what JSON can hold."""
    return {
        "fit": is_fit(findings),
        "machine": machine(),
        "findings": [{**asdict(finding), "required": finding.required} for finding in findings],
    }


def as_text(findings: Sequence[Finding]) -> str:
    """Return the findings for people: a line each, what to do below it, and what it all means at the end."""
    lines = [f"{machine()}", ""]
    for finding in findings:
        lines += _lines(finding)
    return "\n".join([*lines, "", verdict(findings)])


def _lines(finding: Finding) -> Iterator[str]:
    mark = "!" if finding.state == "fails" and not finding.required else _MARKS[finding.state]
    yield f"  {mark} {finding.title}" + (say(en="  (not tried)", ja="  (未確認)") if finding.state == "untried" else "")
    for line in finding.detail.splitlines():
        yield f"      {line}"
    for number, line in enumerate(finding.remedy.splitlines()):
        yield f"      {'→' if number == 0 else ' '} {line}"


def verdict(findings: Sequence[Finding]) -> str:
    """Return the last sentence: whether the chapters will work here."""
    if not is_fit(findings):
        return say(
            en="✗ The chapters will not work yet. Do what stands after each →, then run `netlab doctor` again.",
            ja="✗ まだ教材は動きません。→ の後の指示を実行してから、もう一度 `netlab doctor` を実行してください。",
        )
    missing = [finding.needed_for for finding in findings if finding.state != "works"]
    if missing:
        return say(
            en=f"✓ The chapters will work here, except: {', '.join(missing)}.",
            ja=f"✓ 教材はここで動きます。ただし次を除きます: {'、'.join(missing)}。",
        )
    return say(en="✓ Everything works: all chapters will work here.", ja="✓ すべて動きます。全章をここで学べます。")


def machine() -> str:
    """Return what machine this is: kernel, distribution, user, and what kind of confinement it shows."""
    release = platform.release()
    parts = [f"Linux {release} {platform.machine()}", _distribution(), say(en="user ", ja="ユーザー ") + _user()]
    if "microsoft" in release.lower():
        parts.append("WSL2" if "microsoft" in release else "WSL1")
    if Path("/.dockerenv").exists() or Path("/run/.containerenv").exists():
        parts.append(say(en="in a container", ja="コンテナの中"))
    return ", ".join(part for part in parts if part)


def _distribution() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        return ""


def _user() -> str:
    return "root" if os.geteuid() == 0 else str(os.geteuid())
