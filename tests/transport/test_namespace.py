"""Sensitive chats in a network of their own, where the kernel and not the interpreter says what can be reached.

Linux only: a namespace of the network (and of the mounts, for a hosts file that lies) that goes away with its last
process. Where the machine does not allow that, the tests are skipped.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.bound import entry
from tests.support.cases import ROOT

SECRET = "Zebra-7 launch code is 0042-delta"
PREPARE = """
import ctypes, fcntl, json, os, socket, struct, subprocess, sys
from tests.support.bound_async import good
from tests.support.fake_server import FakeServer

SECRET = os.environ.pop("SECRET")
OUTSIDE = set(os.environ.pop("OUTSIDE").split())
CHAT = ["chat", "--class", "local-reasoning", "--privacy", "sensitive", "--timeout", "5", "--retries", "0"]
CHAT += ["--catalog", sys.argv[1]]
SIOCGIFFLAGS, SIOCSIFFLAGS, SIOCSIFADDR, IFF_UP, MS_BIND = 0x8913, 0x8914, 0x8916, 1, 4096

def chat(*more, **variables):
    env = {name: value for name, value in os.environ.items() if not name.endswith("_BASE_URL")} | variables
    command = [sys.executable, "-m", "aldo.cli.main", *CHAT, *more, SECRET]
    done = subprocess.run(command, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    return {"code": done.returncode, "out": done.stdout, "err": done.stderr}

def raise_loopback(control):
    flags = struct.unpack("16sH", fcntl.ioctl(control, SIOCGIFFLAGS, struct.pack("16sH14x", b"lo", 0))[:18])[1]
    fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", flags | IFF_UP))

def add_address(control, address):
    place = struct.pack("HH4s8x", socket.AF_INET, 0, socket.inet_aton(address))
    fcntl.ioctl(control, SIOCSIFADDR, struct.pack("16s16s", b"lo:1", place))

def bind_over(source, target):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(source.encode(), target.encode(), None, MS_BIND, None):
        number = ctypes.get_errno()
        raise OSError(number, f"mounting over {target}: {os.strerror(number)}")

def skip(reason):
    print(json.dumps({"skip": reason}))
    sys.exit()

def own(kind):
    return os.readlink("/proc/self/ns/" + kind)

if {own("net"), own("mnt")} & OUTSIDE:
    skip("the namespaces are those outside")
try:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        raise_loopback(control)
        add_address(control, "10.9.9.9")
except OSError as error:
    skip(f"the loopback cannot be set up: {error}")
"""
ALONE = """
with socket.socket() as probe:
    outside = os.strerror(probe.connect_ex(("93.184.216.34", 80)))
with FakeServer([good]) as server:
    done = chat("--json", MLX_BASE_URL=server.url)
    print(json.dumps({"outside": outside, "seen": len(server.seen), **done}))
"""
LYING = """
try:
    bind_over(sys.argv[2], "/etc/hosts")
    if socket.gethostbyname("localhost") != "10.9.9.9":
        skip("the resolver does not ask the hosts file for localhost")
except OSError as error:
    skip(str(error))
with socket.create_server(("10.9.9.9", 8081), backlog=50) as listener:
    def received():
        # The kernel takes connections and bytes without anybody accepting them.
        listener.setblocking(False)
        pieces = []
        try:
            while True:
                connection, _ = listener.accept()
                connection.setblocking(True)
                connection.settimeout(5)
                with connection:
                    pieces.append(b"".join(iter(lambda: connection.recv(4096), b"")).decode())
        except BlockingIOError:
            return pieces
    with socket.create_connection(("localhost", 8081)) as control:
        control.sendall(b"control")
    before = received()
    runs = [chat("--json"), chat("--json", MLX_BASE_URL="http://LOCALHOST.:8081"), chat("--json", "--failover")]
    print(json.dumps({"before": before, "runs": runs, "after": received()}))
"""


def inside(script: str, folder: Path, *arguments: str) -> dict[str, Any]:
    """What a script prints that runs in namespaces of its own, as their root."""
    unshare = shutil.which("unshare")
    if unshare is None or not sys.platform.startswith("linux"):
        pytest.skip("there is no unshare here")
    ways = [["-rnm"], ["-nm"]] if os.geteuid() == 0 else [["-rnm"]]
    refusals = []
    for way in ways:
        tried = subprocess.run([unshare, *way, "true"], capture_output=True, text=True, timeout=60, check=False)
        if tried.returncode == 0:
            break
        refusals.append(tried.stderr.strip())
    else:
        pytest.skip(f"namespaces are not allowed here: {'; '.join(refusals)}")
    catalog = folder / "models.json"
    head = {"apiVersion": "aldo/models.v1", "kind": "ModelCatalog"}
    models = [entry("mlx", {"baseUrl": "http://localhost:8081"})]
    catalog.write_text(json.dumps({**head, "models": models}), encoding="utf-8")
    # Proxies outside do not exist inside: who asked one would fail.
    outside = " ".join(str(Path("/proc/self/ns", kind).readlink()) for kind in ("net", "mnt"))
    env = {
        **os.environ,
        "OUTSIDE": outside,
        "SECRET": SECRET,
        "PYTHONPATH": str(ROOT),
        "HTTP_PROXY": "http://10.9.9.9:8081",
        "ALL_PROXY": "http://10.9.9.9:8081",
    }
    done = subprocess.run(
        [unshare, *way, sys.executable, "-c", PREPARE + script, str(catalog), *arguments],
        cwd=ROOT,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    if "skip" in told:
        pytest.skip(told["skip"])
    return told


def test_a_sensitive_chat_needs_no_network_but_the_loopback(tmp_path: Path) -> None:
    told = inside(ALONE, tmp_path)
    assert told["outside"] == "Network is unreachable"
    assert (told["code"], told["err"], told["seen"]) == (0, "", 1)
    assert json.loads(told["out"])["text"] == "Hello"


def test_a_hosts_file_that_says_localhost_is_elsewhere_gets_nothing(tmp_path: Path) -> None:
    hosts = tmp_path / "hosts"
    hosts.write_text("10.9.9.9 localhost localhost.\n", encoding="utf-8")
    outside = _outside()
    told = inside(LYING, tmp_path, str(hosts))
    assert told["before"] == ["control"]  # who is not kept from it does reach the listener
    for run in told["runs"]:
        error = json.loads(run["out"])["error"]
        assert (run["code"], error["code"]) == (3, "egress_refused")
        assert "10.9.9.9" in error["message"]
        assert SECRET[:12] not in run["out"] + run["err"]
    assert told["after"] == []
    assert outside == _outside()  # nothing is left behind


def _outside() -> tuple[bytes, list[str]]:
    hosts = Path("/etc/hosts")
    return hosts.read_bytes() if hosts.exists() else b"", [name for _, name in socket.if_nameindex()]
