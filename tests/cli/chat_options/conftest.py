"""A server that answers, and `aldo chat` in the process of the test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.chat_options.chatting import Aldo, good
from tests.support.fake_server import FakeServer


@pytest.fixture
def aldo(tmp_path: Path) -> Aldo:
    return Aldo(tmp_path)


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer([good]) as server:
        yield server
