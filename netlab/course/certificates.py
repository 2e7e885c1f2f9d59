"""The certificate: one page that says what a student has done, to print or to hand in."""

from __future__ import annotations

import time
from html import escape
from pathlib import Path

from netlab.course import records
from netlab.course.board import Standing, standings
from netlab.course.challenges import challenges
from netlab.course.words import to_html
from netlab.errors import RequestError
from netlab.language import current, say

_PAGE = """<!doctype html>
<html lang="{language}">
<meta charset="utf-8">
<title>{title}</title>
<style>
  body {{ font: 15px/1.5 system-ui, sans-serif; max-width: 54rem; margin: 2.5rem auto; padding: 0 1.5rem; color: #1f2937; }}
  header {{ border-top: 6px solid #2563eb; padding-top: 1.2rem; }}
  h1 {{ font-size: 1.7rem; line-height: 1.3; margin: 0 0 .3rem; }}
  header p {{ margin: 0; color: #4b5563; }}
  .name {{ font-size: 1.3rem; border-bottom: 1px solid #9ca3af; padding: .3rem 0; margin: 1rem 0 1.2rem; }}
  table {{ border-collapse: collapse; width: 100%; }}
  th, td {{ text-align: left; padding: .3rem .5rem; border-bottom: 1px solid #e5e7eb; vertical-align: top; }}
  th {{ color: #4b5563; font-size: .85rem; }}
  td:nth-child(n + 2):not(:last-child) {{ white-space: nowrap; font-variant-numeric: tabular-nums; }}
  tr {{ break-inside: avoid; }}
  ul {{ margin: 0; padding: 0; list-style: none; }}
  small {{ color: #6b7280; }}
  footer {{ margin-top: 1.2rem; color: #6b7280; font-size: .85rem; }}
  @page {{ size: A4; margin: 14mm; }}
  @media print {{ body {{ font-size: 11px; margin: 0; padding: 0; max-width: none; }} }}
</style>
<header><h1>{title}</h1>
<p>{summary}</p></header>
<p class="name">{name}</p>
<table><tr><th>{chapter}</th><th>{predictions}</th><th>{challenges}</th><th>{solved}</th></tr>
{rows}
</table>
<footer>{footer}</footer>
</html>
"""


def certificate(file: str | Path, *, name: str = "") -> Path:
    """Write what has been done in the course as a page of HTML, and return where it is.

    `name` is the student's. The page counts what is in the progress and hides nothing: hints and revealed solutions are
    said. Raises RequestError when the file cannot be written.
    """
    path = Path(file)
    try:
        path.write_text(page(name), "utf-8")
    except OSError as error:
        raise RequestError(
            say(
                en=f"The certificate cannot be written to {path}: {error.strerror}. Choose another place.",
                ja=f"修了証を {path} に書き込めません: {error.strerror}。別の場所を指定してください。",
            )
        ) from None
    return path


def page(name: str = "") -> str:
    """Return the certificate as HTML."""
    all_ = standings()
    complete = sum(one.complete for one in all_)
    done = complete == len(all_)
    return _PAGE.format(
        language=current(),
        title=say(en="Container networking: certificate", ja="コンテナネットワーク 修了証")
        if done
        else say(en="Container networking: progress so far", ja="コンテナネットワーク ここまでの記録"),
        summary=say(
            en=f"{complete} of {len(all_)} chapters complete.", ja=f"{len(all_)} 章のうち {complete} 章を完了しました。"
        ),
        name=escape(name) or "&nbsp;",
        chapter=say(en="Chapter", ja="章"),
        predictions=say(en="Predictions", ja="予想"),
        challenges=say(en="Challenges", ja="チャレンジ"),
        solved=say(en="Solved", ja="解いたもの"),
        rows="\n".join(map(_row, all_)),
        footer=time.strftime("%Y-%m-%d")
        + " · "
        + say(
            en="Every challenge was checked on the state of a real Linux kernel.",
            ja="チャレンジはすべて、本物の Linux カーネルの状態で確かめたものです。",
        ),
    )


def _row(one: Standing) -> str:
    record = records.read()["challenges"]
    items = ""
    for key, task in challenges().items():
        how = record.get(key, {})
        if task.chapter == one.chapter.number and how.get("solved"):
            items += f"<li>{to_html(task.title)}<small>{_help(how)}</small></li>"
    title = f"{one.chapter.number} {to_html(one.chapter.title)}"
    counts = (str(count) if count.total else "—" for count in (one.predictions, one.challenges))
    return f"<tr><td>{title}</td><td>{'</td><td>'.join(counts)}</td><td><ul>{items}</ul></td></tr>"


def _help(how: records.Record) -> str:
    if how.get("revealed"):
        return say(en=" (after reading a solution)", ja="(解答例を見てから)")
    if hints := how.get("hints"):
        return (
            say(en=f" (with {hints} hints)", ja=f"(ヒント {hints} つ)")
            if hints > 1
            else say(en=" (with a hint)", ja="(ヒント 1 つ)")
        )
    return ""
