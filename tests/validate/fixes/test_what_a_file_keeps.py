"""What a mended file keeps: line ends, marks, quoting, its mode, links."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from aldo.errors import UsageError
from aldo.validate.example import WITH_CLOUD
from aldo.validate.fix import fix_files
from tests.validate.fixes.mending import AMBIGUOUS, BARE, COMMENTS, MENDED, TODAY, fixed, mended, odd


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"], ids=["lf", "crlf", "cr"])
@pytest.mark.parametrize("mark", [False, True], ids=["plain", "mark"])
@pytest.mark.parametrize("last", [False, True], ids=["no-last-end", "last-end"])
def test_line_ends_byte_order_mark_and_missing_last_line_end_are_kept(
    tmp_path: Path, line_end: str, mark: bool, last: bool
) -> None:
    file = tmp_path / "models.yaml"
    bad = WITH_CLOUD.replace("provider: openai\n", "provider: NO   # sic\n").replace("  - id: qwen\n", COMMENTS[0][0])
    good = WITH_CLOUD.replace("provider: openai\n", 'provider: "NO"   # sic\n')
    file.write_bytes(odd(bad, line_end=line_end, mark=mark, last=last))
    mended(file)
    assert file.read_bytes() == odd(good, line_end=line_end, mark=mark, last=last)


@pytest.mark.parametrize("line_end", ["\r\n", "\r"], ids=["crlf", "cr"])
def test_a_header_is_written_with_the_line_ends_of_the_file(tmp_path: Path, line_end: str) -> None:
    file = tmp_path / "models.yaml"
    file.write_bytes(odd(BARE, line_end=line_end, mark=True, last=True))
    mended(file)
    assert file.read_bytes().startswith(
        f"\ufeffapiVersion: aldo/models.v1{line_end}kind: ModelCatalog{line_end}".encode()
    )


@pytest.mark.parametrize(
    ("old", "new"), [("'tool_use'", "'tool-use'"), ('"tool_use"', '"tool-use"'), ("&t tool_use", "&t tool-use")]
)
def test_quoting_and_anchors_are_kept(old: str, new: str) -> None:
    text = WITH_CLOUD.replace("tool-use", old, 1)
    assert fixed(text, unsafe=True).text == WITH_CLOUD.replace("tool-use", new, 1)


def test_a_read_only_file_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "models.yaml"
    file.write_text(AMBIGUOUS, "utf-8")
    file.chmod(0o444)
    with pytest.raises(UsageError, match="read-only"):
        mended(file)
    assert file.read_text("utf-8") == AMBIGUOUS


@pytest.mark.parametrize("mode", [0o640, 0o755, 0o600])
def test_the_mode_is_kept(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "models.yaml"
    file.write_text(AMBIGUOUS, "utf-8")
    file.chmod(mode)
    mended(file)
    assert file.read_text("utf-8") == MENDED
    assert stat.S_IMODE(file.stat().st_mode) == mode


def test_a_link_stays_a_link_and_what_it_leads_to_is_mended(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    file, link = tmp_path / "real" / "models.yaml", tmp_path / "link.yaml"
    file.write_text(AMBIGUOUS, "utf-8")
    link.symlink_to(file)
    fix_files([link], today=TODAY).files[0].write()
    assert link.is_symlink()
    assert file.read_text("utf-8") == MENDED
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["link.yaml", "models.yaml", "real"]
