"""Why a packet does not arrive: one list of reasons, for journeys that saw it happen and for explanations that send nothing.

Each has a sentence, what to do next, and the command that shows it, with the facts of the case filled in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from netlab.language import say


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason, in both languages (English, Japanese). Words in braces are facts of the case."""

    said: tuple[str, str]
    advice: tuple[str, str]
    command: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A reason that holds in a place: `code` is its key in REASONS, `place` where `command` shows it."""

    code: str
    place: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """What is wrong, in a sentence."""
        return self._fill(*REASONS[self.code].said)

    @property
    def advice(self) -> str:
        """What to do next."""
        return self._fill(*REASONS[self.code].advice)

    @property
    def command(self) -> str:
        """The command that shows it, to be run in `place`."""
        return self._fill(REASONS[self.code].command, REASONS[self.code].command)

    def _fill(self, english: str, japanese: str) -> str:
        facts = {"place": self.place, **{name: "" if one is None else one for name, one in self.facts.items()}}
        return say(en=english.format_map(facts), ja=japanese.format_map(facts))

    def to_dict(self) -> dict[str, Any]:
        """Return it as what JSON can hold."""
        facts = {name: one if isinstance(one, str | int | None) else str(one) for name, one in self.facts.items()}
        return {
            "code": self.code,
            "place": self.place,
            "facts": facts,
            "text": self.text,
            "advice": self.advice,
            "command": self.command,
        }


REASONS: dict[str, Reason] = {
    "rule-dropped": Reason(
        (
            "A rule of {place} dropped the packet: {rule} (chain {chain}{comment}).",
            "{place} のルールがパケットを破棄しました: {rule} (チェーン {chain}{comment})。",
        ),
        (
            "If the packet should pass, change this rule or put one that accepts it before it.",
            "通すべきパケットなら、このルールを変えるか、これより前に許可するルールを置きます。",
        ),
        "nft --handle list chain {family} {table} {chain}",
    ),
    "rule-rejected": Reason(
        (
            "A rule of {place} refused the packet and said so: {rule} (chain {chain}{comment}).",
            "{place} のルールがパケットを拒否し、そのことを通知しました: {rule} (チェーン {chain}{comment})。",
        ),
        (
            "If the packet should pass, change this rule or put one that accepts it before it.",
            "通すべきパケットなら、このルールを変えるか、これより前に許可するルールを置きます。",
        ),
        "nft --handle list chain {family} {table} {chain}",
    ),
    "policy-dropped": Reason(
        (
            "No rule of the chain {chain} in {place} accepted the packet, and the chain's policy is drop.",
            "{place} のチェーン {chain} にはこのパケットを許可するルールがなく、ポリシーが drop なので破棄されました。",
        ),
        ("Add a rule that accepts it.", "許可するルールを追加します。"),
        "nft --handle list chain {family} {table} {chain}",
    ),
    "no-interface": Reason(
        (
            "{place} has no network interface that works, only lo.",
            "{place} には、lo のほかに使えるネットワークインターフェースがありません。",
        ),
        (
            "Connect it to a network. A container with --network none stays alone on purpose.",
            "ネットワークに接続します。--network none のコンテナは、意図的にどこにもつながっていません。",
        ),
        "ip address",
    ),
    "no-route": Reason(
        (
            "{place} has no route to {destination}.",
            "{place} には {destination} への経路がありません。",
        ),
        (
            "Give it one: ip route add default via GATEWAY. An internal network has none on purpose.",
            "経路を追加します: ip route add default via ゲートウェイ。internal のネットワークには意図的に経路がありません。",
        ),
        "ip route get {destination}",
    ),
    "route-refuses": Reason(
        (
            "The route {route} of {place} is of the kind {kind}: such packets are not sent on.",
            "{place} の経路 {route} は種類が {kind} なので、該当するパケットは転送されません。",
        ),
        (
            "Private addresses are not carried by the internet: leave by NAT, or take the route away.",
            "プライベートアドレスはインターネットでは運ばれません。NAT を通すか、この経路を削除します。",
        ),
        "ip route show",
    ),
    "arp-unanswered": Reason(
        (
            "{place} asked on {interface} who has {neighbour}, and nobody answered.",
            "{place} は {interface} で {neighbour} の MAC アドレスを問い合わせましたが (ARP)、応答がありませんでした。",
        ),
        (
            "Is a machine with that address on this network, and is its interface up?",
            "そのアドレスのマシンがこのネットワークにあり、インターフェースが UP かどうかを確かめます。",
        ),
        "ip neigh show dev {interface}",
    ),
    "link-down": Reason(
        (
            "The interface {interface} of {owner} is down.",
            "{owner} のインターフェース {interface} が DOWN です。",
        ),
        ("Switch it on: ip link set {interface} up", "有効にします: ip link set {interface} up"),
        "ip link show {interface}",
    ),
    "address-missing": Reason(
        (
            "The packet came to {place}, which does not have the address {destination} (any more).",
            "パケットは {place} に届きましたが、{place} にアドレス {destination} はありません(なくなったのかもしれません)。",
        ),
        (
            "Give it the address: ip address add {destination}/{length} dev {interface}",
            "アドレスを付けます: ip address add {destination}/{length} dev {interface}",
        ),
        "ip address show dev {interface}",
    ),
    "not-forwarding": Reason(
        (
            "{place} does not pass packets on: net.ipv4.ip_forward is 0, and {destination} is not its own address.",
            "{place} はパケットを転送しません。net.ipv4.ip_forward が 0 で、{destination} は自分のアドレスではないからです。",
        ),
        (
            "Switch forwarding on: sysctl -w net.ipv4.ip_forward=1",
            "転送を有効にします: sysctl -w net.ipv4.ip_forward=1",
        ),
        "sysctl net.ipv4.ip_forward",
    ),
    "reverse-path": Reason(
        (
            (
                "{place} dropped the packet because answers to {source} would not leave by {interface}, where it came in "
                "(rp_filter)."
            ),
            (
                "{place} は、{source} への返信が到着元の {interface} から出ない経路になっているため、パケットを破棄しました "
                "(rp_filter)。"
            ),
        ),
        (
            "Give it a route to {source} by that interface, or loosen it: sysctl -w net.ipv4.conf.{interface}.rp_filter=2",
            (
                "そのインターフェースから {source} への経路を追加するか、検査を緩めます: "
                "sysctl -w net.ipv4.conf.{interface}.rp_filter=2"
            ),
        ),
        "nstat -az TcpExtIPReversePathFilter; sysctl net.ipv4.conf.{interface}.rp_filter; ip route get {source}",
    ),
    "hairpin-off": Reason(
        (
            (
                "After translation the packet should go back to {owner}, where it came from; the bridge of {place} sends no "
                "frame out of the port that it came in by, {interface}."
            ),
            (
                "変換後のパケットは送信元の {owner} に戻るべきですが、{place} のブリッジは、届いたポート {interface} から"
                "フレームを送り返しません。"
            ),
        ),
        (
            "Switch hairpin mode on for that port: bridge link set dev {interface} hairpin on",
            "そのポートのヘアピンモードを有効にします: bridge link set dev {interface} hairpin on",
        ),
        "bridge -d link show dev {interface}",
    ),
    "port-closed": Reason(
        (
            "The packet arrived at {place}, but nothing listens on port {port}/{protocol} there.",
            "パケットは {place} に届きましたが、{port}/{protocol} 番ポートで待ち受けているものがありません。",
        ),
        ("Is the server running, and on this port?", "サーバーが動いているか、ポート番号が合っているかを確かめます。"),
        "ss -{flag}lnp",
    ),
    "bound-elsewhere": Reason(
        (
            "The packet arrived at {place}, but the server there listens on {bound}:{port} only.",
            "パケットは {place} に届きましたが、サーバーは {bound}:{port} だけで待ち受けています。",
        ),
        (
            "Let the server listen on 0.0.0.0; 127.0.0.1 in a container is the container's own.",
            "サーバーを 0.0.0.0 で待ち受けさせます。コンテナの 127.0.0.1 はそのコンテナ自身のものです。",
        ),
        "ss -{flag}lnp",
    ),
    "unreachable": Reason(
        (
            "{place} answered that {destination} cannot be reached ({words}).",
            "{place} から、{destination} には到達できないという応答がありました ({words})。",
        ),
        ("Look at the routes and the neighbours there.", "その場所の経路と隣接テーブルを調べます。"),
        "ip route get {destination}; ip neigh",
    ),
    "packet-too-big": Reason(
        (
            "The packet of {size} bytes does not fit through {place}: {mtu} bytes are the most (MTU).",
            "{size} バイトのパケットは {place} を通れません。通せるのは {mtu} バイトまでです (MTU)。",
        ),
        (
            "Let the sender use a smaller MTU, as VXLAN needs: ip link set eth0 mtu {mtu}",
            "送信側の MTU を小さくします (VXLAN では必要です): ip link set eth0 mtu {mtu}",
        ),
        "ip link show; ip route get {destination}",
    ),
    "mtu-black-hole": Reason(
        (
            "Small packets pass, but one of {size} bytes got lost at {place} in silence: {interface} takes {mtu} bytes (MTU).",
            (
                "小さなパケットは通りますが、{size} バイトのパケットは {place} で通知なく失われました。"
                "{interface} が通せるのは {mtu} バイトまでです (MTU)。"
            ),
        ),
        (
            "Make the MTU the same at both ends: ip link set {interface} mtu …, or allow ICMP back to the sender.",
            "両端の MTU を揃える (ip link set {interface} mtu …) か、送信元への ICMP を許可します。",
        ),
        "ip link show",
    ),
    "time-exceeded": Reason(
        (
            "The packet's time to live (TTL) was used up at {place}, which threw it away and said so.",
            "パケットの TTL が {place} で尽きたため、パケットは破棄され、その旨の応答がありました。",
        ),
        (
            "Look for two routers that send to each other, or a sender that begins low: sysctl net.ipv4.ip_default_ttl",
            "互いに送り合うルーターがないか、送信元の TTL の初期値が小さくないかを調べます: sysctl net.ipv4.ip_default_ttl",
        ),
        "ip route get {destination}",
    ),
    "no-name-server": Reason(
        (
            "{place} knows no name server to ask for {name}.",
            "{place} には、{name} を問い合わせる DNS サーバーが設定されていません。",
        ),
        ("Write one into /etc/resolv.conf: nameserver ADDRESS", "/etc/resolv.conf に nameserver アドレス を書きます。"),
        "cat /etc/resolv.conf",
    ),
    "name-unknown": Reason(
        (
            "The name server {server} knows no {name} (NXDOMAIN).",
            "DNS サーバー {server} は {name} という名前を知りません (NXDOMAIN)。",
        ),
        (
            "Names of containers are known on user-defined networks only, not on docker0. Are both on the same one?",
            (
                "コンテナ名で引けるのはユーザー定義ネットワークの中だけです (docker0 では引けません)。"
                "両方が同じネットワークにあるかを確かめます。"
            ),
        ),
        "dig {name} @{server}",
    ),
    "container-stopped": Reason(
        (
            "{name} is a container that is not running. A stopped container has no address, and so no name either.",
            "{name} は停止中のコンテナです。停止中のコンテナにはアドレスがないので、名前も引けません。",
        ),
        ("Start it.", "コンテナを起動します。"),
        "docker ps -a",
    ),
    "name-without-address": Reason(
        ("{name} exists, but has no address.", "{name} という名前はありますが、アドレスがありません。"),
        ("Look at what the name server has.", "DNS サーバーの登録内容を調べます。"),
        "dig {name} ANY @{server}",
    ),
    "name-server-failed": Reason(
        (
            "The name server {server} could not find out about {name} (SERVFAIL): it has nobody to ask, or heard nothing.",
            "DNS サーバー {server} は {name} を調べられませんでした (SERVFAIL)。問い合わせ先がないか、応答がありません。",
        ),
        (
            "Can this place reach the internet at all? On an internal network, only names of containers are known.",
            "この場所からインターネットに出られるかを確かめます。internal のネットワークでは、コンテナ名だけが引けます。",
        ),
        "dig {name} @{server}",
    ),
    "name-server-silent": Reason(
        (
            "The name server {server} did not answer the question for {name}.",
            "DNS サーバー {server} から、{name} についての応答がありませんでした。",
        ),
        ("Does the question arrive there? See the steps above.", "問い合わせが届いているかを、上の手順で確かめます。"),
        "dig {name} @{server}",
    ),
    "name-server-unreachable": Reason(
        (
            "The question for {name} could not be sent to the name server {server}.",
            "{name} についての問い合わせを DNS サーバー {server} に送れませんでした。",
        ),
        ("Look at the route to it.", "DNS サーバーへの経路を調べます。"),
        "ip route get {server}",
    ),
    "no-answer": Reason(
        (
            "The packet was handed to a socket of {place}, which did not answer.",
            "パケットは {place} のソケットに届きましたが、応答がありませんでした。",
        ),
        ("Look at the server itself.", "サーバー自体を調べます。"),
        "ss -{flag}anp",
    ),
    "cut-off": Reason(
        (
            "The connection was made, and then closed by {place} without an answer.",
            "接続はできましたが、応答のないまま {place} 側から閉じられました。",
        ),
        ("Look at the server itself.", "サーバー自体を調べます。"),
        "ss -{flag}anp",
    ),
    "not-sent": Reason(
        (
            "{place} refused to send the packet: {words}.",
            "{place} はパケットの送信を拒否しました: {words}。",
        ),
        ("Look at its routes and its rules.", "経路とルールを調べます。"),
        "ip route get {destination}; nft list ruleset",
    ),
    "duplicate-address": Reason(
        (
            "{count} machines have the address {address}: {owners}. The packet goes to {place}, which is not the one meant.",
            "{address} を持つマシンが {count} 台あります: {owners}。パケットは、目的のマシンではない {place} に届きます。",
        ),
        (
            "Give each machine an address of its own, and forget what was learned: ip neigh flush all",
            "マシンごとに別のアドレスを割り当て、学習済みの隣接エントリーを消します: ip neigh flush all",
        ),
        "ip address; ip neigh",
    ),
    "not-attached": Reason(
        (
            "The interface {interface} of {place}, the other end of the cable of {owner}, is no port of a bridge.",
            "{owner} につながる veth のもう一方の端、{place} の {interface} が、どのブリッジのポートにもなっていません。",
        ),
        (
            "Attach it to its bridge: ip link set {interface} master BRIDGE",
            "ブリッジに接続します: ip link set {interface} master ブリッジ名",
        ),
        "ip link show {interface}; bridge link show",
    ),
    "port-blocked": Reason(
        (
            "The bridge {bridge} of {place} lets no frames pass at its port {interface} ({state}).",
            "{place} のブリッジ {bridge} は、ポート {interface} でフレームを通しません ({state})。",
        ),
        (
            "Let the port forward again: bridge link set dev {interface} state 3",
            "ポートを転送状態に戻します: bridge link set dev {interface} state 3",
        ),
        "bridge -d link show dev {interface}; bridge vlan show dev {interface}",
    ),
    "neighbour-wrong": Reason(
        (
            "{place} sends what is for {neighbour} to the hardware address {mac}, which is not that machine's.",
            "{place} は {neighbour} 宛てを MAC アドレス {mac} に送りますが、それはそのマシンのものではありません。",
        ),
        (
            "Take the wrong entry away: ip neigh del {neighbour} dev {interface}",
            "誤ったエントリーを削除します: ip neigh del {neighbour} dev {interface}",
        ),
        "ip neigh show {neighbour}",
    ),
    "own-source": Reason(
        (
            "{place} dropped the packet: it came in by {interface}, but has {place}'s own address {source} as its source.",
            "{place} はパケットを破棄します。{interface} から届いたのに、送信元が {place} 自身のアドレス {source} だからです。",
        ),
        (
            "Two machines have this address; give one of them another.",
            "このアドレスが 2 台に割り当てられています。片方を別のアドレスにします。",
        ),
        "ip address; nstat -az TcpExtIPReversePathFilter",
    ),
    "echo-ignored": Reason(
        (
            "{place} gets the echo request and does not answer it: net.ipv4.icmp_echo_ignore_all is 1.",
            "{place} にエコー要求は届きますが、net.ipv4.icmp_echo_ignore_all が 1 なので応答しません。",
        ),
        (
            "Let it answer: sysctl -w net.ipv4.icmp_echo_ignore_all=0",
            "応答させます: sysctl -w net.ipv4.icmp_echo_ignore_all=0",
        ),
        "sysctl net.ipv4.icmp_echo_ignore_all",
    ),
    "answer-of-another": Reason(
        (
            "{place} asked {asked}, but the answer comes from {source}: it does not belong to this connection.",
            "{place} が問い合わせた相手は {asked} ですが、応答は {source} から届くため、この接続の応答とは見なされません。",
        ),
        (
            "The answer must come back by the place that translated the request; masquerade there what goes back (hairpin).",
            "応答は、要求を変換した場所を通って戻る必要があります。そこで送信元も変換します (ヘアピン NAT)。",
        ),
        "conntrack -L; ip route get {source}",
    ),
    "tunnel-ignorant": Reason(
        (
            "The tunnel {interface} of {place} does not know behind which host the hardware address {mac} is.",
            "{place} のトンネル {interface} は、MAC アドレス {mac} がどのホストの先にあるかを知りません。",
        ),
        (
            "Note it: bridge fdb add {mac} dev {interface} dst HOST self permanent",
            "登録します: bridge fdb add {mac} dev {interface} dst ホストのアドレス self permanent",
        ),
        "bridge fdb show dev {interface}",
    ),
    "tunnel-number": Reason(
        (
            "{interface} sends with the VXLAN number {number}; {place} has no tunnel of that number (it has: {numbers}).",
            (
                "{interface} が送る VXLAN の番号は {number} ですが、{place} に同じ番号のトンネルがありません "
                "(あるもの: {numbers})。"
            ),
        ),
        ("Both ends need the same number.", "両端を同じ番号にします。"),
        "ip -d link show type vxlan",
    ),
    "lost": Reason(
        (
            "The packet was last seen at {place} ({interface}); the kernel does not say what became of it.",
            "パケットが最後に確認されたのは {place} ({interface}) です。その後どうなったかは、カーネルからは分かりません。",
        ),
        ("Watch that place while you try again.", "その場所を観察しながら、もう一度試します。"),
        "tcpdump -n -i any",
    ),
}
