"""The examination: all trials in order, first on the machine itself, then in a sandbox."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from netlab.doctor import remedies, trials
from netlab.doctor.bench import Bench, Refused
from netlab.doctor.findings import Finding
from netlab.doctor.tools import TOOLS, Tool
from netlab.doctor.trials import TRIALS, Trial
from netlab.errors import MissingTool, NetlabError
from netlab.language import say
from netlab.sandbox.nodes import PATH

_REFUSALS = (Refused, NetlabError, OSError)


def examine() -> list[Finding]:
    """Try everything. What builds on something that has failed is not tried."""
    findings = list(_namespaces())
    if all(finding.state == "works" for finding in findings):
        try:
            bench = Bench()
        except _REFUSALS as error:
            findings.append(_sandbox("fails", str(error)))
        else:
            with bench:
                findings.append(_sandbox("works"))
                return [
                    *findings,
                    *(_try(trial, bench) for trial in TRIALS),
                    *(_look_for(tool, bench) for tool in TOOLS),
                ]
    else:
        findings.append(_sandbox("untried"))
    dot = next(trial for trial in TRIALS if trial.name == "dot")
    untried = [Finding(one.name, _title(one), "untried", needed_for=_use(one)) for one in TRIALS if one is not dot]
    return [*findings, *untried, _try(dot, None), *(_look_for(tool, None) for tool in TOOLS)]


def _namespaces() -> Iterator[Finding]:
    steps: list[tuple[str, str, Callable[[], None]]] = [
        ("kernel", say(en="Linux 5.8 or later", ja="Linux 5.8 以降"), trials.kernel),
        ("user_namespace", say(en="user namespace", ja="ユーザー名前空間"), trials.user_namespace),
        ("network_namespace", say(en="network namespace", ja="ネットワーク名前空間"), trials.network_namespace),
    ]
    failed = False
    for name, title, perform in steps:
        if failed:
            yield Finding(name, title, "untried")
            continue
        try:
            perform()
            yield Finding(name, title, "works")
        except MissingTool as error:
            failed = True
            yield Finding(name, title, "fails", str(error), remedies.install("util-linux"))
        except Refused as error:
            failed = True
            yield Finding(name, title, "fails", str(error), remedies.for_namespaces())


def _sandbox(state: str, detail: str = "") -> Finding:
    title = say(en="sandbox", ja="サンドボックス")
    if state == "fails":
        return Finding("sandbox", title, "fails", detail, remedies.for_namespaces())
    return Finding("sandbox", title, "works" if state == "works" else "untried")


def _title(trial: Trial) -> str:
    return say(en=trial.en, ja=trial.ja)


def _use(trial: Trial) -> str:
    return say(en=trial.needed_for[0], ja=trial.needed_for[1]) if trial.needed_for else ""


def _try(trial: Trial, bench: Bench | None) -> Finding:
    try:
        trial.perform(bench)  # type: ignore[arg-type]
    except _REFUSALS as error:
        remedy = remedies.for_trial(trial.name, trial.feature)
        return Finding(trial.name, _title(trial), "fails", str(error), remedy, _use(trial))
    return Finding(trial.name, _title(trial), "works", needed_for=_use(trial))


def _look_for(tool: Tool, bench: Bench | None) -> Finding:
    """See whether a program is there and, in a sandbox, whether it does its work."""
    use = "" if tool.required else say(en=f"exercises with {tool.name}", ja=f"{tool.name} を使う演習")
    if not trials.is_installed(tool.name, PATH):
        missing = say(en="not installed", ja="インストールされていません")
        return Finding(tool.name, tool.name, "fails", missing, remedies.install(tool.package), use)
    if bench is not None and tool.trial:
        try:
            bench.run(*tool.trial)
        except _REFUSALS as error:
            again = f"sudo apt-get install --reinstall {tool.package}"
            return Finding(tool.name, tool.name, "fails", str(error), again, use)
    return Finding(tool.name, tool.name, "works", needed_for=use)
