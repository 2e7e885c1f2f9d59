"""The words of the page of the live diagram: what its buttons are called, and what it says by itself."""

from __future__ import annotations

from netlab.language import say


def texts() -> dict[str, str]:
    """Return the page's words by key, in the language of the moment; `{lab}` and `{count}` are filled in by the page."""
    return {
        "diagram": say(en="Live diagram of {lab}", ja="{lab} のライブ図"),
        "picture": say(
            en="The network of {lab}. Arrow keys go to neighbours, Enter opens details, plus and minus zoom, slash searches.",
            ja="{lab} のネットワーク。矢印キーで隣へ移動、Enter で詳細を表示、+ と - で拡大・縮小、/ で検索します。",
        ),
        "tools": say(en="Tools of the diagram", ja="図の操作"),
        "search": say(en="Find a name", ja="名前を検索"),
        "notFound": say(en="Nothing of that name", ja="見つかりません"),
        "zoom": say(en="Zoom", ja="表示倍率"),
        "zoomIn": say(en="Zoom in (+)", ja="拡大 (+)"),
        "zoomOut": say(en="Zoom out (-)", ja="縮小 (-)"),
        "fit": say(en="Show all (0)", ja="全体を表示 (0)"),
        "present": say(en="Large view for a projector", ja="プロジェクター用の大画面"),
        "leave": say(en="Leave the large view (Esc)", ja="大画面を終了 (Esc)"),
        "save": say(en="Save the picture", ja="図を保存"),
        "fold": say(en="Fold networks", ja="ネットワークを折りたたむ"),
        "foldHelp": say(en="A folded network is one box.", ja="折りたたんだネットワークは 1 つの箱になります。"),
        "foldAll": say(en="Fold all", ja="すべて折りたたむ"),
        "unfoldAll": say(en="Unfold all", ja="すべて展開"),
        "containers": say(en="{count} containers", ja="コンテナ {count} 個"),
        "history": say(en="What has happened", ja="これまでの変化"),
        "back": say(en="One step back", ja="1 つ前へ"),
        "forth": say(en="One step forward", ja="1 つ先へ"),
        "now": say(en="Back to now", ja="現在に戻る"),
        "nowNewer": say(en="Back to now ({count} newer)", ja="現在に戻る (新しい変化 {count} 件)"),
        "then": say(en="Then", ja="過去"),
        "nothingYet": say(en="Nothing has changed yet.", ja="まだ何も変わっていません。"),
        "missing": say(en="That step is no longer kept.", ja="その時点の図は、もう残っていません。"),
        "panel": say(en="Details", ja="詳細"),
        "panelNow": say(
            en="The picture is of an earlier step; these details are of now.",
            ja="図は過去の時点のものですが、この詳細は現在の状態です。",
        ),
        "close": say(en="Close (Esc)", ja="閉じる (Esc)"),
        "busy": say(
            en="The kernel is busy. The details come as soon as the running cell has ended.",
            ja="カーネルは実行中です。実行中のセルが終わると、詳細が表示されます。",
        ),
        "notAlive": say(
            en="The kernel that knows the details has ended.", ja="詳細を調べられるカーネルは、もう終了しています。"
        ),
        "gone": say(en="This is gone.", ja="これは、もうありません。"),
        "where": say(en="runs in {where}", ja="{where} で実行"),
        "waiting": say(en="running", ja="実行中"),
        "done": say(en="Done", ja="完了"),
        "failed": say(en="Failed", ja="失敗"),
        "copy": say(en="Copy", ja="コピー"),
        "copied": say(en="Copied", ja="コピーしました"),
        "more": say(en="and {count} more", ja="他 {count} 件"),
        "morePackets": say(en="{count} more packets", ja="他にパケット {count} 個"),
        "state_live": say(en="live", ja="ライブ"),
        "state_closed": say(en="closed", ja="終了"),
        "state_failed": say(en="stopped", ja="停止"),
        "state_ended": say(en="last picture", ja="最後の図"),
        "ended": say(
            en="The kernel has ended or was restarted, and the lab with it. "
            "This is the last picture: run the cell again for a new one.",
            ja="カーネルが終了または再起動し、ラボも終了しました。"
            "これは最後の図です。もう一度セルを実行すると、新しい図が表示されます。",
        ),
    }
