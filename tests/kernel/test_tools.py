"""The tools that the course uses really work in a container and on the host, whoever started the lab."""

from __future__ import annotations

import shutil

import pytest
from outside import wait_until

pytestmark = pytest.mark.kernel

PLACES = ("host", "box")
# Each tool, doing its work; and what it then says.
COMMANDS = {
    "ip": ("ip address show eth0", "inet "),
    "ip netns": ("ip netns add t1 && ip -n t1 link && ip netns delete t1", "lo:"),
    "nft": (("nft add table ip t && nft add chain ip t c '{ type filter hook input priority 0; }' && "
            "nft add rule ip t c tcp dport 9 counter drop && nft list table ip t && nft delete table ip t"), "dport 9"),
    "iptables": ("iptables -A INPUT -p tcp --dport 9 -j DROP && iptables -S && iptables -D INPUT -p tcp --dport 9 -j DROP",
                 "-A INPUT -p tcp -m tcp --dport 9 -j DROP"),
    "iptables nat": (("iptables -t nat -A POSTROUTING -s 10.9.0.0/16 -j MASQUERADE && iptables -t nat -S && "
                     "iptables -t nat -F"), "MASQUERADE"),
    "ping": ("ping -n -c 1 -W 2 198.51.100.80", "1 received"),
    "ping name": ("ping -c 1 -W 2 www.example.com", "1 received"),
    "curl": ("curl -sS --max-time 5 http://www.example.com", "Welcome to www.example.com"),
    "wget": ("wget -q -T 5 -O - http://172.17.0.2", "Welcome to nginx!"),
    "nslookup": ("nslookup -timeout=2 www.example.com", "198.51.100.80"),
    "dig": ("dig +short +time=2 www.example.com", "198.51.100.80"),
    "traceroute": ("traceroute -n -w 2 -q 1 198.51.100.80", "198.51.100.80"),
    "traceroute icmp": ("traceroute -I -n -w 2 -q 1 198.51.100.80", "198.51.100.80"),
    "ss": ("ss -tuln", "State"),
    "bridge": ("bridge link; bridge fdb", "33:33:00:00:00:01"),
    "sysctl": ("sysctl net.ipv4.ip_forward", "net.ipv4.ip_forward ="),
    "nc": ("nc -z -v -w 2 172.17.0.2 80", "succeeded"),
}  # fmt: skip


def needs(*tools):
    missing = [tool for tool in tools if shutil.which(tool, path="/usr/sbin:/usr/bin:/sbin:/bin") is None]
    if missing:
        pytest.skip(f"{' and '.join(missing)} not installed: scripts/setup --test --system installs what is missing")


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("what", COMMANDS)
def test_the_tool_works(shared, place, what):
    command, expected = COMMANDS[what]
    needs(what.split()[0])
    result = shared[place].sh(command)
    assert result.ok, result
    assert expected in result.stdout + result.stderr


@pytest.mark.parametrize("place", PLACES)
def test_tcpdump_sees_packets(shared, place, tmp_path):
    """Debian's gives up root at its start, which a sandbox with one user must let it believe."""
    needs("tcpdump")
    out, said = tmp_path / "seen", tmp_path / "said"
    shared[place].sh(f"timeout 9 tcpdump -n -l -i eth0 -c 2 icmp >{out} 2>{said} &", check=True)
    wait_until(lambda: said.exists() and "listening" in said.read_text())
    shared[place].ping("198.51.100.80", count=2)
    wait_until(lambda: out.read_text().count("ICMP echo") == 2)


def test_tcpdump_writes_a_file_and_reads_it_again(shared, tmp_path):
    needs("tcpdump")
    file, said = tmp_path / "capture.pcap", tmp_path / "said"
    shared["box"].sh(f"timeout 9 tcpdump -U -i eth0 -w {file} -c 2 tcp port 80 2>{said} &", check=True)
    wait_until(lambda: said.exists() and "listening" in said.read_text())
    shared["box"].sh("curl -sS http://172.17.0.2", check=True)
    wait_until(lambda: "172.17.0.2.80" in shared["box"].sh(f"tcpdump -n -r {file}").stdout)


def test_conntrack_lists_what_the_host_translates(shared):
    needs("conntrack")
    assert shared["box"].sh("curl -sS http://198.51.100.80").ok
    listed = shared.host.sh("conntrack -L -p tcp --dport 80").stdout
    (line,) = [line for line in listed.splitlines() if "src=172.17.0.3 dst=198.51.100.80" in line][:1]
    assert "src=198.51.100.80 dst=203.0.113.10" in line


def test_nc_speaks_with_nc(shared, tmp_path):
    needs("nc")
    heard = tmp_path / "heard"
    shared["web"].sh(f"timeout 9 nc -l 9000 >{heard} &", check=True)
    wait_until(lambda: ":9000" in shared["web"].sh("ss -Htln").stdout)
    shared["box"].sh("echo hello | nc -N -w 2 172.17.0.2 9000", check=True)
    wait_until(lambda: heard.read_text() == "hello\n")


def test_ss_names_the_process(shared):
    needs("ss")
    assert '"nginx"' in shared["web"].sh("ss -Htlnp").stdout


def test_a_macvlan_and_a_vxlan_can_be_made(bare):
    """What later chapters need of the kernel."""
    made = bare.host.sh(
        "ip link add v0 type vxlan id 7 dstport 4789 local 203.0.113.10 && ip link add m0 link eth0 type macvlan mode bridge"
    )
    if not made.ok and "not supported" in made.stderr:
        pytest.skip(f"this kernel has no vxlan or macvlan: {made.stderr}")
    assert made.ok, made
    kinds = {one.name: (one.kind, dict(one.details)) for one in bare.host.interfaces}
    assert kinds["v0"] == ("vxlan", {"id": "7", "port": "4789", "local": "203.0.113.10"})
    assert kinds["m0"] == ("macvlan", {"mode": "bridge"})


def test_the_machines_files_cannot_be_changed(shared, tmp_path):
    """They are read-only for root too; whoever is not root hears of the missing permission first."""
    for path in ("/etc/hosts.new", "/usr/bin/new", "/var/new"):
        assert "Read-only" in shared.host.sh(f"touch {path}").stderr, path
    assert not shared["box"].sh("echo x >> /etc/passwd").ok
    assert shared["box"].sh(f"echo kept > {tmp_path}/note; echo own >> /etc/hosts").ok
    assert (tmp_path / "note").read_text() == "kept\n"
