"""What comes back from asking something in a place: the data first, and a text to read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from netlab.errors import CommandFailed
from netlab.language import say


@dataclass(frozen=True, repr=False)
class Result:
    """How a command ended. Shown as what it said; a status other than zero is shown, not raised."""

    command: str
    place: str
    returncode: int
    stdout: str
    stderr: str
    timed_out: bool = False

    @property
    def ok(self) -> bool:
        """Whether the command ended with status 0."""
        return self.returncode == 0

    def check(self) -> Result:
        """Return the result itself; raises CommandFailed when the status is not 0."""
        if self.ok:
            return self
        said = (self.stderr or self.stdout).strip() or say(en="it said nothing", ja="何も言いませんでした")
        raise CommandFailed(
            say(
                en=f"`{self.command}` on {self.place} ended with {self._ending()}: {said}",
                ja=f"{self.place} で実行した `{self.command}` は失敗しました ({self._ending()}): {said}",
            )
        )

    def _ending(self) -> str:
        if self.timed_out:
            return say(en="a timeout", ja="時間切れ")
        if self.returncode < 0:
            return say(en=f"signal {-self.returncode}", ja=f"シグナル {-self.returncode}")
        return f"status {self.returncode}"

    def __repr__(self) -> str:
        parts = [part.rstrip("\n") for part in (self.stdout, self.stderr) if part.strip()]
        if not self.ok:
            parts.append(f"[{self._ending()}]")
        return "\n".join(parts)

    def __bool__(self) -> bool:
        return self.ok


@dataclass(frozen=True, repr=False)
class PingResult:
    """How many of the echo requests were answered; `milliseconds` is the mean round trip."""

    target: str
    place: str
    sent: int
    received: int
    milliseconds: float | None
    output: str

    @property
    def ok(self) -> bool:
        """Whether at least one answer came."""
        return self.received > 0

    def __bool__(self) -> bool:
        return self.ok

    def __repr__(self) -> str:
        if self.ok:
            said = say(
                en=f"{self.received} of {self.sent} answered", ja=f"{self.sent} 個中 {self.received} 個に応答あり"
            )
        else:
            said = say(en=f"no answer ({self.reason})", ja=f"応答なし ({self.reason})")
        return f"{self.place} → {self.target}: {said}"

    @property
    def outcome(self) -> Literal["answer", "unreachable", "no name", "silence"]:
        """What became of it, in one word that is the same in every language."""
        if self.ok:
            return "answer"
        if "nreachable" in self.output:
            return "unreachable"
        return "no name" if re.search(r"not known|failure in name resolution", self.output) else "silence"

    @property
    def reason(self) -> str:
        """Why there was no answer, in the words of ping."""
        for line in self.output.splitlines():
            if match := re.search(r"(Network is unreachable|Destination .* Unreachable|not known|failure in .*)", line):
                return match.group(1)
        lost = self.sent - self.received
        return say(en=f"{lost} of {self.sent} packets lost in silence", ja=f"{self.sent} 個中 {lost} 個が無応答")


Outcome = Literal["page", "refused", "silence", "unreachable", "no name", "cut off", "error"]


@dataclass(frozen=True, repr=False)
class HttpResult:
    """What a web request brought; `status` is None and `reason` tells why when nothing came.

    `outcome` is the same in every language: "page" when anything came over HTTP.
    """

    url: str
    place: str
    status: int | None
    body: str
    reason: str
    outcome: Outcome = "page"

    @property
    def ok(self) -> bool:
        """Whether a page came with a status below 400."""
        return self.status is not None and self.status < 400

    def __bool__(self) -> bool:
        return self.ok

    @property
    def text(self) -> str:
        """What the page says, without its HTML."""
        return _plain(self.body)

    def __repr__(self) -> str:
        if self.status is None:
            return f"{self.place} → {self.url}: {self.reason}"
        return f"{self.place} → {self.url}: {self.status} {self.reason}\n{self.text}".rstrip()


def _plain(body: str) -> str:
    text = re.sub(r"<head>.*?</head>", "", body, flags=re.DOTALL)
    text = re.sub(r"<[^>]+>", "", text)
    return "\n".join(line.strip() for line in text.splitlines() if line.strip())


# Exit statuses of curl(1): in one word, and in a student's words, English and Japanese.
_CURL: dict[int, tuple[Outcome, str, str]] = {
    6: ("no name", "the name could not be resolved", "名前を解決できませんでした"),
    28: ("silence", "silence: nobody answered in time", "無応答: 時間内に誰も応答しませんでした"),
    52: ("cut off", "the connection was closed without an answer", "応答のないまま接続が閉じられました"),
    56: ("cut off", "the connection was cut off", "接続が途中で切れました"),
}
_REFUSED = (
    "refused: the machine is there, but nothing listens on that port",
    "拒否: マシンまでは届きましたが、そのポートでは誰も待ち受けていません",
)


def read_curl(url: str, place: str, returncode: int, stdout: str, stderr: str) -> HttpResult:
    """Make an HttpResult of what `curl --verbose --include` said."""
    if returncode != 0 and not stdout:
        outcome, reason = _curl_reason(returncode, stderr)
        return HttpResult(url, place, None, "", reason, outcome)
    head, _, body = stdout.partition("\r\n\r\n")
    words = head.splitlines()[0].split(" ", 2) if head else []
    status = int(words[1]) if len(words) > 1 and words[1].isdecimal() else None
    return HttpResult(url, place, status, body, words[2] if len(words) > 2 else "")


def _curl_reason(returncode: int, stderr: str) -> tuple[Outcome, str]:
    failures = re.findall(r"(?:failed|Failed to connect[^:]*|Immediate connect fail for \S+): (.+)", stderr)
    if any("refused" in failure.lower() for failure in failures):
        return "refused", say(en=_REFUSED[0], ja=_REFUSED[1])
    if any("reset" in failure.lower() for failure in failures):
        returncode = 56  # it was accepted, and cut off before curl had looked
    if returncode == 7 and failures:
        said = failures[0].lower()
        return "unreachable", say(en=f"no way there: {said}", ja=f"そこへ行く道がありません: {said}")
    if returncode in _CURL:
        outcome, english, japanese = _CURL[returncode]
        return outcome, say(en=english, ja=japanese)
    last = re.findall(r"^curl: \(\d+\) (.+)", stderr, re.MULTILINE)
    ended = say(en=f"curl ended with status {returncode}", ja=f"curl は失敗しました (status {returncode})")
    return "error", last[-1] if last else ended


def read_ping(target: str, place: str, count: int, output: str) -> PingResult:
    """Make a PingResult of what `ping` said."""
    counts = re.search(r"(\d+) packets transmitted, (\d+) received", output)
    sent, received = (int(number) for number in counts.groups()) if counts else (count, 0)
    trip = re.search(r"= [\d.]+/([\d.]+)/", output)
    return PingResult(target, place, sent, received, float(trip.group(1)) if trip else None, output)
