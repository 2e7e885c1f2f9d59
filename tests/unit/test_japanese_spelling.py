"""Japanese texts write each word in one way, whoever wrote them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXTS = [
    *(ROOT / "netlab").rglob("*.py"),
    *(ROOT / "netlab").rglob("*.toml"),
    *(ROOT / "notebooks" / "source").glob("*.md"),
    ROOT / "README.ja.md",
]
# The word as we write it, and what else one meets for it.
SPELLINGS = {
    "チェーン": "チェイン",
    "キャプチャ": "キャプチャー",
    "ドライバ": "ドライバー",
    "コンテナ": "コンテナー",
    "インターフェース": "インターフェイス|インタフェース",
    "サーバー": "サーバ(?!ー)",
    "ルーター": "ルータ(?!ー)",
    "ユーザー": "ユーザ(?!ー)",
    "ブラウザー": "ブラウザ(?!ー)",
    "カウンター": "カウンタ(?!ー)",
    "ヘッダー": "ヘッダ(?!ー)",
    "フォルダー": "フォルダ(?!ー)",
    "コンピューター": "コンピュータ(?!ー)",
    "パラメーター": "パラメータ(?!ー)",
    "メモリー": "メモリ(?!ー)",
    "経路表": "ルーティングテーブル",
    "転送テーブル": "転送表",
    "隣接テーブル": "近隣テーブル|近隣キャッシュ",
    "ヘアピン": "[hH]airpin モード",
}


@pytest.mark.parametrize("word", SPELLINGS)
def test_a_word_is_written_in_one_way(word: str) -> None:
    assert re.fullmatch(SPELLINGS[word], word) is None
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in TEXTS
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if re.search(SPELLINGS[word], line)
    ]
    assert not found, f"we write {word}"


def test_there_are_texts_to_look_at() -> None:
    assert sum(bool(re.search("[ぁ-ん]", path.read_text("utf-8"))) for path in TEXTS) > 100
