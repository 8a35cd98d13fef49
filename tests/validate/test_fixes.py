"""Fixes: what is mended, what stays byte for byte, and when nothing is written."""

from __future__ import annotations

import datetime
import difflib
import os
import random
import stat
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from aldo.catalog import load_catalog, parse_text, read_catalog, read_document
from aldo.errors import Finding, UsageError
from aldo.router import compile_catalog
from aldo.validate import LintReport, Rule, all_rules, lint
from aldo.validate.example import WITH_CLOUD
from aldo.validate.fix import FixedFile, fix_document, fix_files
from aldo.validate.lint import Checks
from aldo.validate.outcome import FileReport
from aldo.validate.rule import Defect
from aldo.validate.subject import Subject
from tests.support.cli import aldo
from tests.support.mutations import MUTATIONS, SHIPPED, Mutation, shipped

TODAY = datetime.date(2026, 11, 22)
CHECKS = Checks.of(today=TODAY)
DAY = "2026-11-22"


def fixed(text: str, *, unsafe: bool = False) -> FixedFile:
    return fix_document(parse_text("models.yaml", text), CHECKS, unsafe=unsafe)


def codes(report: LintReport | FileReport) -> list[str]:
    return [finding.code for finding in report.findings]


def routing_digest(path: Path) -> str | None:
    """What the catalog in the file routes by; where only its header is missing or a key doubled, what it would."""
    salvaged = read_catalog(str(path)).salvaged
    return None if salvaged is None else compile_catalog(salvaged).routing_digest


def mended(file: Path) -> FixedFile:
    """The file after the safe fixes, written."""
    done = fix_files([file], today=TODAY).files[0]
    done.write()
    return done


def spoilt(rng: random.Random) -> str:
    """The shipped catalog with several defects that have safe fixes, and comments everywhere."""
    lines = [
        f"{line}   # {rng.randrange(10**6)}"
        if rng.random() < 0.2 and line.rstrip()[-1:] not in (">", "|", "")
        else line
        for line in SHIPPED.split("\n")
    ]
    source = shipped()
    for entry in rng.sample(source.entries, 6):
        for name, values in SAFE_DEFECTS.items():
            if name in entry.lines and rng.random() < 0.5:
                at = entry.lines[name] - 1
                lines[at] = rng.choice(values)(lines[at], entry.value[name])
    header = rng.choice(("", "apiVersion: aldo/models.v1", "kind: ModelCatalog"))
    return "\n".join(line for line in lines if not (header and line.startswith(header)))


SAFE_DEFECTS = {
    "provider": (
        lambda line, value: line.replace(f": {value}", f": {'NO'}"),
        lambda line, value: f"{line}\n    provider: {value}",
        lambda line, value: line.replace(": ", ": &p 22:30 #", 1),
    ),
    "effectiveContextTokens": (
        lambda line, value: line.replace(f"{value}", f"0{value}"),
        lambda line, value: line.replace(f": {value}", f": !!int 00{value}"),
        lambda line, value: f"{line}   # aldo: ignore[AL405] no longer",
    ),
    "cost": (
        lambda line, value: line.replace("usdPerMtokOut:", "usdPerMtokOut: &out", 1).replace("&out 0", "&out 00"),
    ),
    "privacyAllowed": (lambda line, value: f"    # aldo: ignore[AL301,AL305] gone\n{line}",),
}


# What a safe fix may not do


@settings(max_examples=30)
@given(st.integers(0, 10**6))
def test_a_safe_fix_never_changes_routing_and_a_second_run_finds_nothing_to_fix(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    file = tmp_path_factory.mktemp("fix") / "models.yaml"
    file.write_text(spoilt(random.Random(seed)), "utf-8", newline="")
    before = routing_digest(file)
    assert before is not None
    mended(file)
    assert routing_digest(file) == before
    again = fix_files([file], today=TODAY).files[0]
    assert (again.made, again.undone, again.changed) == ((), (), False)


@settings(max_examples=30)
@given(st.integers(0, 10**6))
def test_every_line_that_is_not_mended_stays_byte_for_byte(seed: int) -> None:
    """Comments too: a safe fix removes none but a suppression, and a line that goes is a double or a suppression."""
    text = spoilt(random.Random(seed))
    done = fixed(text)
    assert done.made
    told = {finding.span.line for finding in done.made if finding.span}
    before, after = text.split("\n"), done.text.split("\n")
    gone = {before[line - 1] for line in told if line <= len(before)}
    gone |= {line for line in before if "# aldo: ignore" in line}  # found in a later round, under another number
    for tag, start, end, _, _ in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag in ("replace", "delete"):
            assert set(before[start:end]) <= gone


@settings(max_examples=25)
@given(st.sampled_from(MUTATIONS), st.integers(0, 50))
def test_a_mutation_is_mended_without_new_errors(mutation: Mutation, seed: int) -> None:
    text = mutation.apply(random.Random(seed)).text
    for unsafe in (False, True):
        done = fixed(text, unsafe=unsafe)
        worse = errors(done.report.findings) - errors(done.before.findings)
        assert worse <= 0
        assert not ({f.code for f in done.report.findings if f.unreadable} - {f.code for f in done.before.findings})
        assert not fixed(done.text, unsafe=unsafe).made
        if not unsafe:
            assert all(finding.fix_kind == "safe" for finding in done.made)


def errors(findings: Iterable[Finding]) -> int:
    return sum(finding.severity == "error" for finding in findings)


UNSAFE = (
    ("tool-use]", "tool_use]", "AL201"),
    ("providerKind: mlx", "providerKind: mlxx", "AL203"),
    ("privacyAllowed: [public, internal, sensitive]", "privacyAllowed: [public, sensitive]", "AL305"),
    ("https://api", "http://api", "AL303"),
    ("locality: local", "localty: local", "AL103"),
    ("locality: local", "locality: Local", "AL106"),
    ("    locality: local\n", "    locality: local\n    locality: cloud\n", "AL102"),
    ("effectiveContextTokens: 32768", 'effectiveContextTokens: 32768\n    enabled: "no"', "AL105"),
    ("[streaming, tool-use]", "[streaming, tool-use, 1m-context]", "AL405"),
    ("[streaming, tool-use]", "[streaming, tool-use, json-mode]", "AL207"),
    ("baseUrl: https://api.openai.com/v1", "baseUrl: api.openai.com/v1", "AL208"),
    ("    provider: mlx\n", "    provider: mlx\n    providerConfig: { extra: { samplerSed: 7 } }\n", "AL204"),
    (
        "    provider: mlx\n",
        "    provider: mlx\n    deprecation: { date: 2027-01-01, replacement: gema }\n",
        "AL210",
    ),
)


@pytest.mark.parametrize(("old", "new", "code"), UNSAFE, ids=[code for _, _, code in UNSAFE])
def test_what_may_change_routing_is_mended_only_with_unsafe(old: str, new: str, code: str) -> None:
    assert old in WITH_CLOUD
    text = WITH_CLOUD.replace(old, new, 1)
    assert code in codes(fixed(text).before)
    assert fixed(text).text == text
    done = fixed(text, unsafe=True)
    assert code in {finding.code for finding in done.made}
    assert code not in codes(done.report)


def test_a_safe_fix_never_removes_a_comment_that_a_typo_has_made_idle() -> None:
    """With the typo mended the finding is back, and the comment was the author's word on it."""
    text = SHIPPED.replace("providerKind: mlx", "providerKind: mlxx", 1)
    assert "# aldo: ignore[AL206]" in fixed(text).text
    assert fixed(text, unsafe=True).text == SHIPPED


# What is mended

SCALARS = (
    ("description: NO", 'description: "NO"'),
    ("description: 22:30", 'description: "22:30"'),
    ("description: &a off", 'description: &a "off"'),
    ("description: !!str NO", None),
    ("description: 'NO'", None),
    ('description: "22:30"', None),
    ("{ description: Yes, enabled: true }", '{ description: "Yes", enabled: true }'),
    ("maxOutputTokens: 017", "maxOutputTokens: 17"),
    ("maxOutputTokens: &most 0x10", None),
    ("maxOutputTokens: &most 0o17", "maxOutputTokens: &most 15"),
    ("maxOutputTokens: +017", "maxOutputTokens: 17"),
    ("latencyP95Ms: !!int 010", None),
    ("providerConfig: { extra: { minP: 1e-1 } }", "providerConfig: { extra: { minP: 0.1 } }"),
    ("providerConfig: { extra: { chatTemplateKwargs: { NO: 1 } } }", 'chatTemplateKwargs: { "NO": 1 }'),
    ("providerConfig: { extra: { chatTemplateKwargs: [NO, 22:30] } }", '["NO", "22:30"]'),
    ("providerConfig: { extra: { chatTemplateKwargs: { a: NO,b: off} } }", '{ a: "NO",b: "off"}'),
    ("providerConfig: { extra: { chatTemplateKwargs: {? on : 017} } }", '{? "on" : 17}'),
    ("description: NO# x", None),
    ("description: on # on", 'description: "on" # on'),
)


@pytest.mark.parametrize(("line", "wanted"), SCALARS, ids=[line for line, _ in SCALARS])
def test_an_ambiguous_scalar_is_written_as_every_reader_takes_it(line: str, wanted: str | None) -> None:
    entry = line.strip("{} ").replace(", ", "\n    ") if line.startswith("{") else line
    text = WITH_CLOUD.replace("    provider: mlx\n", f"    provider: mlx\n    {entry}\n", 1)
    done = fixed(text)
    if wanted is None:
        assert done.text == text
        return
    expected = wanted.strip("{} ").replace(", ", "\n    ") if line.startswith("{") else wanted
    assert expected in done.text
    assert "AL113" not in codes(done.report)
    assert yaml.safe_load(done.text)["models"] == parse_text("x", done.text).value["models"]


@pytest.mark.parametrize("word", ["NO", "yes", "On", "017", "1e3", "22:30", "0o17", "1_000", "+1", "007.50", "1:2:3"])
@pytest.mark.parametrize(
    "frame", ["{}", "&a {}", "[{}]", "[a, {},b]", "{{ k: {} }}", "{{ {}: 1 }}", "{{k: {}, l: {}}}"]
)
def test_what_is_mended_reads_alike_in_yaml_1_1_and_1_2(word: str, frame: str) -> None:
    """PyYAML reads YAML 1.1; what is left to differ is told, and nothing that we read changes."""
    value = frame.format(word, word)
    text = WITH_CLOUD + f"    providerConfig2: {value}\n"
    done = fixed(text)
    ours, after = parse_text("x", text).value, parse_text("x", done.text).value
    assert after == ours
    if not {"AL113", "AL105"} & set(codes(done.report)):  # what is wrong anyway is not told to be ambiguous too
        theirs = yaml.safe_load(done.text)["models"][-1]["providerConfig2"]
        assert theirs == after["models"][-1]["providerConfig2"]


BARE = WITH_CLOUD.partition("models:\n")[2].replace("\n  ", "\n")[2:]
BARE_LISTS = {
    "block": BARE,
    "indented block": WITH_CLOUD.partition("models:\n")[2],
    "comment first": "# ours\n\n" + BARE,
    "flow": "[" + ",\n ".join(str(entry) for entry in yaml.safe_load(WITH_CLOUD)["models"]) + "]\n",
    "flow on one line": "[" + ", ".join(str(entry) for entry in yaml.safe_load(WITH_CLOUD)["models"]) + "]",
    "after a document mark": "---\n" + BARE,
    "crlf": BARE.replace("\n", "\r\n"),
    "no last line end": BARE.rstrip("\n"),
    "ends with dots": BARE + "...\n",
    "flow with a comment": "# ours\n[ # all\n"
    + ", ".join(str(e) for e in yaml.safe_load(WITH_CLOUD)["models"])
    + "]\n",
}


@pytest.mark.parametrize("name", BARE_LISTS)
def test_a_bare_list_gets_the_header_and_keeps_its_routing(name: str, tmp_path: Path) -> None:
    file = tmp_path / "models.yaml"
    file.write_text(BARE_LISTS[name], "utf-8", newline="")
    before = load_catalog(file)
    assert "AL114" in codes(lint([file], today=TODAY))
    done = mended(file)
    assert codes(lint([file], today=TODAY, select=["AL1"])) == []
    assert compile_catalog(load_catalog(file)).routing_digest == compile_catalog(before).routing_digest
    kept = [line.strip() for line in BARE_LISTS[name].splitlines()]
    after = [line.strip() for line in done.text.splitlines()]
    assert after[len(after) - len(kept[2:]) :] == kept[2:]


@pytest.mark.parametrize("missing", ["apiVersion: aldo/models.v1\n", "kind: ModelCatalog\n", "both"])
@pytest.mark.parametrize("lead", ["", "# ours\n\n", "---\n", "%YAML 1.2\n---\n"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_missing_header_is_written_and_routing_stays(missing: str, lead: str, line_end: str) -> None:
    text = WITH_CLOUD
    for line in ("apiVersion: aldo/models.v1\n", "kind: ModelCatalog\n"):
        text = text.replace(line, "") if missing in (line, "both") else text
    text = (lead + text).replace("\n", line_end)
    done = fixed(text)
    assert codes(done.report) == []
    assert done.text.startswith(lead.replace("\n", line_end))
    assert done.text.endswith(text.partition("models:")[2])
    assert done.text.count("\n") == done.text.count(line_end)


def test_a_missing_header_is_written_in_flow_style_too() -> None:
    text = "{ models: " + str(yaml.safe_load(WITH_CLOUD)["models"]) + " }\n"
    done = fixed(text)
    assert codes(done.report) == []
    assert done.text.endswith(text[2:])


DOUBLES = (
    ("    provider: mlx\n    provider: mlx\n", "    provider: mlx\n", "safe"),
    ("    provider: mlx\n    provider: mlx   # why\n", None, "a comment would go with it"),
    ("    provider: mlx   # first\n    provider: mlx\n", "    provider: mlx   # first\n", "safe"),
    ("    provider: mlx\n    cost: { usdPerMtokIn: 0, usdPerMtokOut: 0 }\n", "    provider: mlx\n", "behind"),
    (
        "    provider: mlx\n    latencyP95Ms: 5\n    latencyP95Ms: 5\n",
        "    provider: mlx\n    latencyP95Ms: 5\n",
        "number",
    ),
)


@pytest.mark.parametrize(("lines", "wanted", "_why"), DOUBLES, ids=[why for *_, why in DOUBLES])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_key_given_twice_with_the_same_value_is_given_once(
    lines: str, wanted: str | None, _why: str, line_end: str
) -> None:
    text = WITH_CLOUD.replace("    provider: mlx\n", lines, 1).replace("\n", line_end)
    assert "AL102" in codes(fixed(text).before)
    done = fixed(text)
    if wanted is None:
        assert done.text == text or "# why" in done.text
    else:
        assert "AL102" not in codes(done.report)
        if "cost" not in lines:
            assert done.text == WITH_CLOUD.replace("    provider: mlx\n", wanted, 1).replace("\n", line_end)


@pytest.mark.parametrize(
    ("twice", "once"),
    [
        ("{ usdPerMtokIn: 0, usdPerMtokOut: 0, usdPerMtokIn: 0 }", "{ usdPerMtokIn: 0, usdPerMtokOut: 0 }"),
        ("{ usdPerMtokIn: 0, usdPerMtokIn: 0, usdPerMtokOut: 0 }", "{ usdPerMtokIn: 0, usdPerMtokOut: 0 }"),
        ("{usdPerMtokIn: 0,usdPerMtokIn: 0,usdPerMtokOut: 0}", "{usdPerMtokIn: 0,usdPerMtokOut: 0}"),
        (
            "{ usdPerMtokIn: 0, usdPerMtokIn: 0, usdPerMtokIn: 0, usdPerMtokOut: 0 }",
            "{ usdPerMtokIn: 0, usdPerMtokOut: 0 }",
        ),
    ],
)
def test_a_key_given_twice_in_flow_style_is_given_once(twice: str, once: str) -> None:
    text = WITH_CLOUD.replace("{ usdPerMtokIn: 0, usdPerMtokOut: 0 }", twice, 1)
    assert fixed(text).text == WITH_CLOUD.replace("{ usdPerMtokIn: 0, usdPerMtokOut: 0 }", once, 1)


def test_a_key_given_twice_with_two_values_is_left_to_the_author_unless_unsafe() -> None:
    text = WITH_CLOUD.replace("    provider: mlx\n", "    provider: mlx\n    provider: ollama\n", 1)
    assert fixed(text).text == text
    assert fixed(text, unsafe=True).text == WITH_CLOUD


COMMENTS = (
    ("  - id: qwen   # aldo: ignore[AL301] gone\n", "  - id: qwen\n"),
    ("  # aldo: ignore[AL301] gone\n  - id: qwen\n", "  - id: qwen\n"),
    ("  # aldo: ignore[AL301, AL504]\n  - id: qwen\n", "  - id: qwen\n"),
    ("  # aldo: ignore[AL504]\n  # why this one\n  - id: qwen\n", "  # why this one\n  - id: qwen\n"),
)


@pytest.mark.parametrize(("lines", "wanted"), COMMENTS)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_an_idle_suppression_goes_and_its_neighbours_stay(lines: str, wanted: str | None, line_end: str) -> None:
    text = WITH_CLOUD.replace("  - id: qwen\n", lines, 1).replace("\n", line_end)
    expected = text if wanted is None else WITH_CLOUD.replace("  - id: qwen\n", wanted, 1).replace("\n", line_end)
    assert fixed(text).text == expected


@pytest.mark.parametrize("order", ["AL301, AL206", "AL206,AL301", "AL301,  AL206,AL305", "AL206 , AL301"])
def test_of_a_suppression_only_the_idle_codes_go(order: str) -> None:
    text = SHIPPED.replace("ignore[AL206]", f"ignore[{order}]")
    assert fixed(text).text == SHIPPED


# What a file keeps


def odd(text: str, *, line_end: str, mark: bool, last: bool) -> bytes:
    text = text if last else text.rstrip("\n")
    return (b"\xef\xbb\xbf" if mark else b"") + text.replace("\n", line_end).encode()


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


AMBIGUOUS = WITH_CLOUD.replace("provider: mlx", "provider: NO")
MENDED = WITH_CLOUD.replace("provider: mlx", 'provider: "NO"')


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


# When nothing is written


def test_a_file_with_nothing_to_mend_is_not_touched(tmp_path: Path) -> None:
    file = tmp_path / "models.yaml"
    file.write_text(WITH_CLOUD, "utf-8")
    before = file.stat()
    assert aldo("lint", "--fix", str(file), ALDO_TODAY=DAY).returncode == 0
    assert (file.stat().st_mtime_ns, file.stat().st_ino) == (before.st_mtime_ns, before.st_ino)


def test_a_file_that_others_changed_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "models.yaml"
    file.write_text(AMBIGUOUS, "utf-8")
    done = fix_files([file], today=TODAY).files[0]
    theirs = AMBIGUOUS + "# theirs\n"
    file.write_text(theirs, "utf-8")
    with pytest.raises(UsageError, match="changed meanwhile") as raised:
        done.write()
    assert raised.value.exit_code == 2
    assert file.read_text("utf-8") == theirs
    assert [path.name for path in tmp_path.iterdir()] == ["models.yaml"]


def test_a_file_that_is_gone_meanwhile_is_not_made_anew(tmp_path: Path) -> None:
    file = tmp_path / "models.yaml"
    file.write_text(AMBIGUOUS, "utf-8")
    done = fix_files([file], today=TODAY).files[0]
    file.unlink()
    with pytest.raises(UsageError):
        done.write()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("step", ["fsync", "replace", "chmod"])
def test_a_write_that_fails_leaves_the_file_and_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    file = tmp_path / "models.yaml"
    file.write_text(AMBIGUOUS, "utf-8")
    done = fix_files([file], today=TODAY).files[0]

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, step, full)
    with pytest.raises(UsageError, match="No space left on device"):
        done.write()
    monkeypatch.undo()
    assert file.read_text("utf-8") == AMBIGUOUS
    assert [path.name for path in tmp_path.iterdir()] == ["models.yaml"]


def test_a_directory_that_takes_no_file_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a stand-in for the system's refusal, because root may write anywhere."""
    file = tmp_path / "models.yaml"
    file.write_text(AMBIGUOUS, "utf-8")
    done = fix_files([file], today=TODAY).files[0]

    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refused)
    with pytest.raises(UsageError, match="Permission denied; it is as it was"):
        done.write()
    assert file.read_text("utf-8") == AMBIGUOUS


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_an_unwritable_directory_ends_with_2_and_a_message(tmp_path: Path) -> None:
    file = tmp_path / "models.yaml"
    file.write_text(AMBIGUOUS, "utf-8")
    tmp_path.chmod(0o555)
    try:
        done = aldo("lint", "--fix", str(file), ALDO_TODAY=DAY)
    finally:
        tmp_path.chmod(0o755)
    assert (done.returncode, "cannot be written" in done.stderr) == (2, True)
    assert file.read_text("utf-8") == AMBIGUOUS


def test_a_file_that_cannot_be_written_does_not_keep_the_others_from_being_mended(tmp_path: Path) -> None:
    """A name of 255 letters leaves no room for a file beside it."""
    long, other = tmp_path / ("a" * 250 + ".yaml"), tmp_path / "b.yaml"
    for file in (long, other):
        file.write_text(AMBIGUOUS, "utf-8")
    done = aldo("lint", "--fix", str(long), str(other), ALDO_TODAY=DAY)
    assert "Traceback" not in done.stderr
    if long.read_text("utf-8") == AMBIGUOUS:
        assert done.returncode == 2
        assert "cannot be written" in done.stderr
    assert other.read_text("utf-8") == MENDED


# --diff and the command line


@pytest.mark.parametrize("unsafe", [False, True])
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("line_end", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_the_diff_writes_nothing_and_is_exactly_what_fix_does(
    tmp_path: Path, seed: int, unsafe: bool, line_end: str
) -> None:
    text = spoilt(random.Random(seed)).replace("tool-use", "tool_use", 1).replace("\n", line_end)
    file = tmp_path / "models.yaml"
    file.write_text(text, "utf-8", newline="")
    done = fix_files([file], unsafe=unsafe, today=TODAY).files[0]
    shown = done.diff()
    assert file.read_bytes() == text.encode()
    assert patched(text, shown) == done.text
    done.write()
    assert file.read_bytes() == done.text.encode()


def patched(text: str, diff: str) -> str:
    """The text with a unified diff applied to it."""
    before, after, at = text.splitlines(keepends=True), [], 0
    for line in diff.splitlines(keepends=True)[2:]:
        if line.startswith("@@"):
            start = int(line.split()[1].split(",")[0].lstrip("-"))
            after += before[at : max(start - 1, 0)]
            at = max(start - 1, 0)
        elif line[0] == "\\":
            after[-1] = after[-1].rstrip("\n")
        elif line[0] == "+":
            after.append(line[1:])
        else:
            assert before[at].rstrip("\r\n") == line[1:].rstrip("\r\n")
            if line[0] == " ":
                after.append(before[at])
            at += 1
    return "".join(after + before[at:])


def test_diff_on_the_command_line_writes_nothing_and_says_so(tmp_path: Path) -> None:
    file = tmp_path / "models.yaml"
    file.write_text(AMBIGUOUS, "utf-8")
    done = aldo("lint", "--diff", str(file), ALDO_TODAY=DAY)
    assert done.returncode == 1
    assert '-    provider: NO\n+    provider: "NO"\n' in done.stdout
    assert "nothing was written" in done.stderr
    assert file.read_text("utf-8") == AMBIGUOUS
    assert aldo("lint", "--fix", str(file), ALDO_TODAY=DAY).returncode == 0
    assert file.read_text("utf-8") == MENDED
    assert aldo("lint", "--diff", str(file), ALDO_TODAY=DAY).returncode == 0


def test_fix_on_standard_input_prints_the_mended_text_alone() -> None:
    done = aldo("lint", "--fix", "-", stdin=AMBIGUOUS, ALDO_TODAY=DAY)
    assert (done.returncode, done.stdout) == (0, MENDED)


def test_fix_of_standard_input_keeps_line_ends_and_mark() -> None:
    """`-` is a filter: what it does not mend it passes on byte for byte."""
    data = odd(AMBIGUOUS, line_end="\r\n", mark=True, last=False)
    done = subprocess.run(
        [sys.executable, "-m", "aldo.cli.main", "lint", "--fix", "--today", "2026-11-22", "-"],
        input=data,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.stdout == odd(MENDED, line_end="\r\n", mark=True, last=False)


def test_an_unreadable_file_among_others_is_told_and_the_others_are_mended(tmp_path: Path) -> None:
    broken, file = tmp_path / "a.yaml", tmp_path / "b.yaml"
    broken.write_bytes(b"\xff\xfe")
    file.write_text(AMBIGUOUS, "utf-8")
    done = aldo("lint", "--fix", str(broken), str(file), ALDO_TODAY=DAY)
    assert done.returncode == 2
    assert file.read_text("utf-8") == MENDED
    assert broken.read_bytes() == b"\xff\xfe"


@pytest.mark.parametrize("rule", all_rules().values(), ids=lambda rule: rule.code)
def test_the_examples_of_the_rules_are_mended_or_left_as_they_are(rule: Rule) -> None:
    """Whatever is mended of a bad example, no worse finding comes of it: at most an info that the defect had hidden."""
    text = rule.bad
    for unsafe in (False, True):
        done = fixed(text, unsafe=unsafe)
        assert (done.text == text) == (done.made == ())
        left = {finding.code for finding in done.report.findings if finding.severity != "info"}
        assert left <= (set() if done.made else {rule.code})


def test_keys_do_not_show_in_a_diff(tmp_path: Path) -> None:
    key = "sk-proj-Zq81kXw02mVbT5yHc9"
    file = tmp_path / "models.yaml"
    file.write_text(AMBIGUOUS.replace("provider: NO", f"provider: NO   # {key}", 1), "utf-8")
    document = read_document(str(file))
    assert key not in fix_document(document, CHECKS).diff()
    assert key in fix_document(document, CHECKS).text
    done = aldo("lint", "--diff", str(file), ALDO_TODAY=DAY)
    assert key not in done.stdout + done.stderr
    assert "provider" in done.stdout


def test_a_comment_above_the_first_entry_of_a_bare_list_stays_with_it() -> None:
    text = "# aldo: ignore[AL403] really so\n" + BARE.replace(
        "usdPerMtokIn: 0, usdPerMtokOut: 0", "usdPerMtokIn: 2, usdPerMtokOut: 1", 1
    )
    done = fixed(text)
    assert [finding.code for finding in done.made] == ["AL114"]
    assert done.text.endswith(f"models:\n{text}")
    assert [finding.code for finding in done.report.ignored] == ["AL403"]


def test_of_two_fields_meant_for_one_neither_is_renamed() -> None:
    text = WITH_CLOUD.replace("capabilityClass: local-reasoning", "capabilityclass: a\n    capability_class: b", 1)
    done = fixed(text, unsafe=True)
    assert "capabilityclass: a\n    capability_class: b" in done.text
    assert {finding.code for finding in done.undone} == {"AL103"}


def test_a_fix_that_is_called_safe_and_changes_routing_is_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """That a fix is safe is checked each time, and not taken from the rule's word."""

    def lying(subject: Subject) -> Iterator[Defect]:
        path = subject.entries[0].at("effectiveContextTokens")
        if "32768" in subject.text:
            yield Defect(path, "too small", fix=subject.replaced(path, "65536", "double it")._replace(safe=True))

    rules = all_rules()
    monkeypatch.setitem(rules, "AL405", rules["AL405"]._replace(check=lying))
    done = fixed(WITH_CLOUD)
    assert ([finding.code for finding in done.undone], done.made, done.changed) == (["AL405"], (), False)
    assert "AL405" in {finding.code for finding in done.report.findings if finding.fix is None}
