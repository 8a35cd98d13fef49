"""Where the whole process of a sensitive request connects to, in an environment that wants it elsewhere.

`aldo` runs as a user runs it, with an audit hook of the interpreter that writes down every address that a socket is
pointed at, every name that is looked up and every process that is started. `pytest -s` shows the lists.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.support.bound import entry
from tests.support.bound_async import VECTORS, good
from tests.support.cases import MODELS, ROOT
from tests.support.fake_server import FakeServer, http
from tests.support.mlx_server import MlxServer, free_port

SECRET = "Zebra-7 launch code is 0042-delta"
CHAT = ("chat", "--class", "local-reasoning", "--privacy", "sensitive", "--max-tokens", "4")
PUBLIC = "93.184.216.34"
LAUNCHER = """
import contextlib, json, os, sys
with contextlib.suppress(ImportError):
    import trio  # httpcore imports it where it is installed, and that looks for a C library with ldconfig
record = os.open(sys.argv.pop(1), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
reaching = ("socket.connect", "socket.sendto", "socket.sendmsg", "socket.bind")
asking = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo")
starting = ("subprocess.Popen", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.system")
def hook(event, arguments):
    if event in reaching:
        told = arguments[1]
    elif event in asking:
        told = arguments[0]
    elif event in starting:
        told = None
    else:
        return
    os.write(record, (json.dumps([event, told], default=repr) + "\\n").encode())
sys.addaudithook(hook)
sys.argv[0] = "aldo"
from aldo.cli.main import script
script()
"""


@dataclass
class Ran:
    """A finished process, and what it reached for."""

    code: int
    out: str
    err: str
    events: list[tuple[str, Any]] = field(default_factory=list)

    def told(self, *kinds: str) -> list[Any]:
        return [tuple(told) if isinstance(told, list) else told for event, told in self.events if event in kinds]

    @property
    def addresses(self) -> list[Any]:
        """All that a socket was pointed at, in order, whatever its family."""
        return self.told("socket.connect", "socket.sendto", "socket.sendmsg", "socket.bind")

    @property
    def rest(self) -> list[Any]:
        """Other ways out: processes started, and look-ups in the other direction."""
        sockets = ("socket.connect", "socket.sendto", "socket.sendmsg", "socket.bind", "socket.getaddrinfo")
        return [pair for pair in self.events if pair[0] not in sockets]


@dataclass
class Hostile:
    """An environment that wants the request elsewhere, and the traps that would notice."""

    proxy: FakeServer
    home: Path
    variables: dict[str, str]

    def run(self, *arguments: str, **more: str) -> Ran:
        """`aldo` with these arguments in this environment."""
        record = self.home / "record"
        record.unlink(missing_ok=True)
        ours = ("ALDO_", "GITHUB_", "PYTHON")
        env = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        env |= {"PYTHONPATH": str(ROOT), "ALDO_TODAY": "2026-11-22", **self.variables, **more}
        done = subprocess.run(
            [sys.executable, "-c", LAUNCHER, str(record), *arguments],
            cwd=ROOT,
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
            check=False,
        )
        lines = record.read_text(encoding="utf-8").splitlines() if record.exists() else []
        events = [tuple(json.loads(line)) for line in lines]
        ran = Ran(done.returncode, done.stdout.decode(), done.stderr.decode(), events)
        print(f"\naldo {' '.join(arguments)}\n  ends with {ran.code} and reaches {ran.addresses}")
        return ran

    def chat(self, *arguments: str, **more: str) -> Ran:
        """A sensitive chat with the one entry of a small catalog, whose server is moved by MLX_BASE_URL."""
        path = catalog(self.home / "mlx.json", entry("mlx", {"baseUrl": "http://localhost:1"}))
        return self.run(*CHAT, "--catalog", path, *arguments, SECRET, **more)

    def untouched(self) -> bool:
        return self.proxy.connections == 0 and not (self.home / "tls-keys").exists()


@pytest.fixture
def hostile(tmp_path: Path) -> Iterator[Hostile]:
    """Proxies, a netrc, certificates, aliases of names and the addresses that other tools look at."""
    with FakeServer([good]) as proxy:
        netrc = tmp_path / ".netrc"
        netrc.write_text("default login user password hunter2\n", encoding="utf-8")
        netrc.chmod(0o600)
        aliases = tmp_path / "aliases"
        aliases.write_text("localhost evil.test\nmodel evil.test\n", encoding="utf-8")
        pem = tmp_path / "evil.pem"
        pem.write_text("no certificate\n", encoding="utf-8")
        proxies = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "SOCKS_PROXY", "WS_PROXY", "FTP_PROXY")
        variables = dict.fromkeys(proxies, proxy.url) | {name.lower(): proxy.url for name in proxies}
        variables |= {"NO_PROXY": "example.test", "no_proxy": "example.test"}
        files = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
        variables |= dict.fromkeys(files, str(pem)) | {"SSL_CERT_DIR": str(tmp_path)}
        variables |= {
            "HOME": str(tmp_path),
            "NETRC": str(netrc),
            "HOSTALIASES": str(aliases),
            "LOCALDOMAIN": "evil.test",
        }
        variables |= {
            "SSLKEYLOGFILE": str(tmp_path / "tls-keys"),
            "PYTHONHTTPSVERIFY": "0",
            "XDG_CONFIG_HOME": str(tmp_path),
        }
        elsewhere = ("OPENAI_BASE_URL", "OPENAI_API_BASE", "ANTHROPIC_BASE_URL", "OLLAMA_HOST", "HF_ENDPOINT")
        variables |= dict.fromkeys(elsewhere, f"http://{PUBLIC}") | {"OPENAI_API_KEY": "sk-hostile-0123456789"}
        yield Hostile(proxy, tmp_path, variables)


def catalog(path: Path, *models: dict[str, Any]) -> str:
    path.write_text(
        json.dumps({"apiVersion": "aldo/models.v1", "kind": "ModelCatalog", "models": list(models)}), encoding="utf-8"
    )
    return str(path)


def only(ran: Ran, *ports: int) -> None:
    """It ended well, and these ports of the loopback are all that it reached for."""
    assert (ran.code, ran.err) == (0, "")
    assert ran.addresses == [("127.0.0.1", port) for port in ports]
    assert set(ran.told("socket.getaddrinfo")) <= {"127.0.0.1", "localhost"}
    assert ran.rest == []


@pytest.mark.parametrize(
    "more", [(), ("--json", "--failover"), ("--usage", "USAGE", "--system", "Be brief.")], ids=" ".join
)
def test_a_sensitive_chat_with_a_real_server_reaches_that_server_alone(
    more: Sequence[str], mlx: MlxServer, hostile: Hostile
) -> None:
    usage = hostile.home / "usage.jsonl"
    more = [str(usage) if word == "USAGE" else word for word in more]
    ran = hostile.chat(*more, MLX_BASE_URL=mlx.base_url)
    only(ran, mlx.port)
    assert len(ran.out.strip()) >= 4
    assert hostile.untouched()
    if usage.exists():
        (row,) = usage.read_text(encoding="utf-8").splitlines()
        assert json.loads(row)["outcome"] == "ok"
        assert "Zebra" not in row


def test_so_does_one_with_the_catalog_that_ships(mlx: MlxServer, hostile: Hostile) -> None:
    ran = hostile.run(*CHAT, "--catalog", str(MODELS), SECRET, MLX_BASE_URL=mlx.base_url)
    only(ran, mlx.port)
    assert hostile.untouched()


def test_the_name_localhost_leads_to_this_machine_alone(mlx: MlxServer, hostile: Hostile) -> None:
    """With resolver settings that would have it elsewhere."""
    ran = hostile.chat(MLX_BASE_URL=f"http://LocalHost:{mlx.port}")
    assert (ran.code, ran.err) == (0, "")
    assert {address[0] for address in ran.addresses} <= {"127.0.0.1", "::1"}
    assert ran.told("socket.getaddrinfo")[0] == "localhost"
    assert ran.rest == []
    assert hostile.untouched()


def test_failover_reaches_both_servers_and_no_other(mlx: MlxServer, hostile: Hostile) -> None:
    closed = free_port()
    ports = {"a": closed, "b": mlx.port}
    models = [entry("mlx", {"baseUrl": f"http://127.0.0.1:{port}"}, id=name) for name, port in ports.items()]
    path = catalog(hostile.home / "models.json", *models)
    ran = hostile.run(*CHAT, "--failover", "--json", "--catalog", path, SECRET)
    only(ran, closed, mlx.port)
    assert json.loads(ran.out)["model"] == "b"
    assert hostile.untouched()


def test_failover_to_another_machine_ends_in_a_refusal(hostile: Hostile) -> None:
    with FakeServer([http('{"error": "down"}', status="500 No")]) as broken:
        models = [entry(id="a", config={"baseUrl": broken.url}), entry(id="b", config={"baseUrl": f"http://{PUBLIC}"})]
        path = catalog(hostile.home / "models.json", *models)
        ran = hostile.run(*CHAT, "--failover", "--retries", "0", "--json", "--catalog", path, SECRET)
        assert (ran.code, json.loads(ran.out)["error"]["code"]) == (3, "egress_refused")
        assert ran.addresses == [("127.0.0.1", broken.port)]
    assert "Zebra" not in ran.out + ran.err
    assert ran.rest == []
    assert hostile.untouched()


@pytest.mark.parametrize("packed", [(), ("--base64", "--json", "--usage", "USAGE")], ids=["plain", "json"])
def test_a_sensitive_embedding_reaches_its_server_alone(packed: Sequence[str], hostile: Hostile) -> None:
    usage = hostile.home / "usage.jsonl"
    arguments = [str(usage) if word == "USAGE" else word for word in packed]
    with FakeServer([good]) as server:
        ran = hostile.run(
            "embed", "--privacy", "sensitive", *arguments, SECRET, "another", LM_STUDIO_BASE_URL=server.url
        )
        only(ran, server.port)
        (seen,) = server.seen
    assert seen.json["input"] == [SECRET, "another"]
    assert not {"authorization", "proxy-authorization", "cookie"} & set(seen.headers)
    assert f"{VECTORS['data'][0]['embedding'][0]}" in ran.out
    assert usage.exists() == bool(packed)
    assert hostile.untouched()


@pytest.mark.parametrize(
    "url",
    [f"http://{PUBLIC}", "https://134744072", "http://[64:ff9b::7f00:1]"],
)
def test_a_server_moved_elsewhere_is_refused_before_a_socket_exists(url: str, hostile: Hostile) -> None:
    ran = hostile.chat("--json", MLX_BASE_URL=url)
    assert (ran.code, json.loads(ran.out)["error"]["code"]) == (3, "egress_refused")
    assert (ran.addresses, ran.rest) == ([], [])
    assert "Zebra" not in ran.out + ran.err
    assert hostile.untouched()


def test_a_redirect_is_not_followed(hostile: Hostile) -> None:
    with FakeServer([http("", status="307 T", location=f"http://{PUBLIC}/v1/chat/completions")]) as server:
        ran = hostile.chat("--json", MLX_BASE_URL=server.url)
        assert ran.code == 3
        assert ran.addresses == [("127.0.0.1", server.port)]
    assert hostile.untouched()


def test_the_record_would_show_a_proxy(hostile: Hostile) -> None:
    """A control: the same hook sees a public request take the proxy that a sensitive one does not."""
    model = entry(id="a", locality="cloud", config={"baseUrl": "http://api.test"})
    path = catalog(hostile.home / "models.json", model)
    arguments = ("chat", "--class", "local-reasoning", "--privacy", "public", "--catalog", path, "hello")
    ran = hostile.run(*arguments, SSL_CERT_FILE="", SSL_CERT_DIR="")
    assert ran.code == 0, ran.err
    assert ran.addresses == [("127.0.0.1", hostile.proxy.port)]
    assert hostile.proxy.seen[0].target == "http://api.test/v1/chat/completions"


def test_the_kernel_saw_the_same(hostile: Hostile) -> None:
    """Without trust in the interpreter's hook: the system calls of the process and all its threads."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("there is no strace here")
    trace = hostile.home / "trace"
    calls = "trace=connect,sendto,sendmsg,sendmmsg,bind"
    watch = [strace, "-f", "-qq", "-s", "16", "-e", calls, "-o", str(trace)]
    tried = subprocess.run([*watch, sys.executable, "-c", ""], capture_output=True, timeout=60, check=False)
    if tried.returncode != 0:
        pytest.skip(f"strace may not trace here: {tried.stderr.decode().strip()[:200]}")
    path = catalog(hostile.home / "mlx.json", entry("mlx"))
    with FakeServer([good]) as server:
        env = dict(os.environ) | hostile.variables | {"MLX_BASE_URL": server.url, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [*watch, sys.executable, "-m", "aldo.cli.main", *CHAT, "--catalog", path, SECRET],
            cwd=hostile.home,
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode, done.stdout) == (0, b"Hello\n")
    lines = trace.read_text(encoding="utf-8", errors="replace").splitlines()
    pointed = [line for line in lines if re.search(r"sa_family=(?!AF_UNIX)", line)]
    print("\nsystem calls:", *pointed, sep="\n  ")
    assert len(pointed) == 1
    assert f'sin_port=htons({server.port}), sin_addr=inet_addr("127.0.0.1")' in pointed[0]
    assert hostile.untouched()
