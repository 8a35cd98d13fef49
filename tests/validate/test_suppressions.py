"""`# aldo: ignore[CODE] reason`: for which findings a comment holds, and what is told of the comment itself."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aldo.validate import all_rules, lint
from aldo.validate.example import CLOUD, ENTRY, HEADER, SECOND
from aldo.validate.fix import fix_files

TODAY = datetime.date(2026, 11, 22)
HOLE = ENTRY.replace("[public, internal, sensitive]", "[public, sensitive]")  # AL305
TWICE = HOLE.replace("    effective", "    maxOutputTokens: 65536\n    effective")  # AL305, AL406
JSON = """\
{"apiVersion": "aldo/models.v1", "kind": "ModelCatalog", "models": [
  {"id": "qwen", "provider": "mlx", "providerKind": "mlx",
   "locality": "local", "capabilityClass": "local-reasoning", "provides": ["streaming", "tool-use"],
   "privacyAllowed": ["public", "sensitive"],
   "effectiveContextTokens": 32768, "cost": {"usdPerMtokIn": 0, "usdPerMtokOut": 0}},
  {"id": "gemma", "provider": "ollama", "providerKind": "openai-compat",
   "locality": "local", "capabilityClass": "local-reasoning", "provides": ["streaming"],
   "privacyAllowed": ["public", "internal", "sensitive"],
   "effectiveContextTokens": 32768, "cost": {"usdPerMtokIn": 0, "usdPerMtokOut": 0}}
]}
"""


class Outcome(NamedTuple):
    """Code and line of every finding and of every ignored one, AL503 aside, which is not what the cases are about."""

    found: list[tuple[str, int]]
    ignored: list[tuple[str, int]]

    @property
    def codes(self) -> list[str]:
        return [code for code, _ in self.found]

    @property
    def ignored_codes(self) -> list[str]:
        return [code for code, _ in self.ignored]


Look = Callable[..., Outcome]


@pytest.fixture
def look(tmp_path: Path) -> Look:
    return lambda text, **options: outcome(tmp_path, text, **options)


def outcome(folder: Path, text: str, **options: Any) -> Outcome:
    path = folder / "models.yaml"
    path.write_bytes(text.encode())
    if not options.get("select"):
        options["ignore"] = [*options.get("ignore", ()), "AL503"]
    report = lint(path, today=TODAY, **options)
    places = [
        [(finding.code, finding.span.line if finding.span else 0) for finding in findings]
        for findings in (report.findings, report.ignored)
    ]
    return Outcome(*places)


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


def behind(part: str, comment: str, entry: str = HOLE) -> str:
    """The catalog with a comment behind the line that ends in `part`."""
    assert f"{part}\n" in entry
    return HEADER + entry.replace(f"{part}\n", f"{part}   {comment}\n", 1) + SECOND


def above(part: str, comment: str, entry: str = HOLE) -> str:
    """The catalog with the comment on a line of its own above the line that begins with `part`."""
    assert f"    {part}" in entry
    return HEADER + entry.replace(f"    {part}", f"    {comment}\n    {part}", 1) + SECOND


AT_THE_LINE = "sensitive]"
COMMENT = "# aldo: ignore[AL305] the team is cleared for it"


def test_without_a_comment_it_is_found(look: Look) -> None:
    assert look(HEADER + HOLE + SECOND) == Outcome([("AL305", 10)], [])
    assert sorted(look(HEADER + TWICE + SECOND).codes) == ["AL305", "AL406"]
    assert look(JSON).codes == ["AL305"]


@pytest.mark.parametrize(
    "comment",
    [
        "# aldo: ignore[AL305]",
        "# aldo: ignore[AL305] reason",
        "# aldo: ignore[AL305]: reason # and more",
        "#aldo:ignore[AL305]",
        "#\taldo:\tignore[AL305]",
        "# aldo: ignore[al305] lower case",
        "# aldo: ignore[ AL305 ]",
    ],
)
@pytest.mark.parametrize("place", [behind, above], ids=["behind", "above"])
def test_a_comment_holds_for_its_line(look: Look, place: Callable[[str, str], str], comment: str) -> None:
    part = AT_THE_LINE if place is behind else "privacyAllowed"
    text = place(part, comment)
    assert look(text) == Outcome([], [("AL305", line_of(text, "privacyAllowed"))])


@pytest.mark.parametrize("part", ["provider: mlx", "locality: local", "effectiveContextTokens: 32768"])
@pytest.mark.parametrize("place", [behind, above], ids=["behind", "above"])
def test_it_holds_for_no_other_line(look: Look, place: Callable[[str, str], str], part: str) -> None:
    """It is then unused, and both are told."""
    text = place(part, COMMENT)
    told = {("AL305", line_of(text, "privacyAllowed")), ("AL901", line_of(text, "# aldo"))}
    assert set(look(text).found) == told
    assert look(text).ignored == []


@pytest.mark.parametrize(
    "between",
    [
        "",
        "\n",
        "\n\n",
        "    # why it is so\n",
        "\n  # why it is so\n\n",
        "  # aldo: ignore[AL304] other\n",
    ],
)
def test_on_a_line_of_its_own_it_holds_for_the_next_line_with_content(look: Look, between: str) -> None:
    text = HEADER + HOLE.replace("    privacyAllowed", f"    {COMMENT}\n{between}    privacyAllowed") + SECOND
    assert look(text).ignored_codes == ["AL305"]
    assert set(look(text).codes) <= {"AL901"}


def test_blank_lines_with_spaces_do_not_hold_it_up(look: Look) -> None:
    text = HEADER + HOLE.replace("    privacyAllowed", f"    {COMMENT}\n   \n    privacyAllowed") + SECOND
    assert look(text).ignored_codes == ["AL305"]


FOR_ENTRY = "# aldo: ignore[AL305, AL406] a test bed"


@pytest.mark.parametrize(
    "text",
    [
        HEADER + f"  {FOR_ENTRY}\n" + TWICE + SECOND,
        HEADER + f"{FOR_ENTRY}\n" + TWICE + SECOND,
        HEADER + f"            {FOR_ENTRY}\n\n  # more\n" + TWICE + SECOND,
        HEADER + TWICE.replace("id: qwen", f"id: qwen {FOR_ENTRY}") + SECOND,
        HEADER + SECOND + f"  {FOR_ENTRY}\n" + TWICE,
        HEADER + SECOND + TWICE.replace("id: qwen", f"id: qwen {FOR_ENTRY}"),
        HEADER + SECOND + f"  {FOR_ENTRY}\n" + TWICE.rstrip("\n"),
        HEADER + TWICE.replace("  - id: qwen", f"  -\n    {FOR_ENTRY}\n    id: qwen") + SECOND,
        HEADER + TWICE.replace("  - id: qwen\n", f"  - provider: mlx {FOR_ENTRY}\n    id: qwen\n", 1).replace(
            "    provider: mlx\n", "", 1
        ) + SECOND,
        HEADER + SECOND + f"  {FOR_ENTRY}\n" + TWICE + CLOUD,
    ],
    ids=[
        "above", "above, not indented", "above, blank line between", "behind its first line", "above the last",
        "behind the last one's first line", "no line end at the end", "below a lone dash", "first field is another",
        "between",
    ],
)  # fmt: skip
def test_where_the_line_begins_an_entry_it_holds_for_the_whole_entry(look: Look, text: str) -> None:
    assert sorted(look(text).ignored_codes) == ["AL305", "AL406"]
    assert look(text).found == []


@pytest.mark.parametrize(
    "start",
    [f"  {FOR_ENTRY}\n  -\n    id: qwen\n", f"  - {FOR_ENTRY}\n    id: qwen\n"],
    ids=["above a lone dash", "behind a lone dash"],
)
def test_a_dash_on_a_line_of_its_own_begins_the_entry(look: Look, start: str) -> None:
    text = HEADER + TWICE.replace("  - id: qwen\n", start) + SECOND
    assert sorted(look(text).ignored_codes) == ["AL305", "AL406"]
    assert look(text).found == []


def test_it_holds_for_no_other_entry(look: Look) -> None:
    other = HOLE.replace("qwen", "other").replace("provides: [streaming, tool-use]", "provides: [vision, reasoning]")
    text = HEADER + f"  {COMMENT}\n" + HOLE + other
    assert [code for code, _ in look(text).ignored] == ["AL305"]
    assert ("AL305", line_of(text, "id: other") + 6) in look(text).found


@pytest.mark.parametrize(
    "text",
    [f"{COMMENT}\n" + HEADER + HOLE + SECOND, (HEADER + HOLE + SECOND).replace("models:", f"{COMMENT}\nmodels:"),
     (HEADER + HOLE + SECOND).replace("models:", f"models: {COMMENT}"), HEADER + HOLE + SECOND + f"  {COMMENT}\n",
     HEADER + HOLE + f"  {COMMENT}\n" + SECOND],
    ids=["first line", "above models", "behind models", "after the last entry", "above the next entry"],
)  # fmt: skip
def test_elsewhere_it_holds_for_nothing_and_is_told(look: Look, text: str) -> None:
    assert set(look(text).found) == {
        ("AL305", line_of(text, "privacyAllowed: [public, sensitive]")),
        ("AL901", line_of(text, "# aldo")),
    }


@pytest.mark.parametrize(
    ("comment", "kept"),
    [("AL305,AL406", []), ("AL305 , AL406", []), ("al406,AL305", []), ("AL305 AL406", []), ("AL305,AL305,AL406", []),
     ("AL305,AL406,", []), ("AL305", ["AL406"]), ("AL406", ["AL305"])],
)  # fmt: skip
def test_several_codes_are_ignored_and_no_others(look: Look, comment: str, kept: list[str]) -> None:
    text = HEADER + f"  # aldo: ignore[{comment}] both\n" + TWICE + SECOND
    assert look(text).codes == kept
    assert sorted(look(text).ignored_codes + kept) == ["AL305", "AL406"]


NO_COMMENT = [
    'description: "see # aldo: ignore[AL305]"',
    "description: 'see # aldo: ignore[AL305]'",
    "description: 'it''s # aldo: ignore[AL305]'",
    'description: "a \\" # aldo: ignore[AL305]"',
    "description: see#aldo-ignore[AL305]",
    "description: |\n      text\n      # aldo: ignore[AL305]",
    "description: |\n      # aldo: ignore[AL305]\n      text",
    "description: >-\n      text # aldo: ignore[AL305]\n      more",
    "description: 'text\n      # aldo: ignore[AL305]\n      more'",
    'description: "text\n      more # aldo: ignore[AL305]"',
]


@pytest.mark.parametrize("field", NO_COMMENT)
def test_what_only_looks_like_a_comment_is_none(look: Look, field: str) -> None:
    """It neither ignores what stands on the line or below it, nor is it told."""
    text = HEADER + HOLE.replace("    privacyAllowed", f"    {field}\n    privacyAllowed") + SECOND
    assert look(text) == Outcome([("AL305", line_of(text, "privacyAllowed"))], [])


@pytest.mark.parametrize("field", NO_COMMENT)
def test_a_comment_behind_or_below_such_a_text_is_one(look: Look, field: str) -> None:
    below = HEADER + HOLE.replace("    privacyAllowed", f"    {field}\n    {COMMENT}\n    privacyAllowed") + SECOND
    assert look(below).ignored_codes == ["AL305"]
    assert look(below).found == []


@pytest.mark.parametrize(
    "comment",
    ["## aldo: ignore[AL305]", "# TODO, aldo: ignore[AL305]", '# write "# aldo: ignore[AL305]"', "# a # aldo: x"],
)
def test_a_comment_inside_another_comment_is_none(look: Look, comment: str) -> None:
    for text in (behind(AT_THE_LINE, comment), above("privacyAllowed", comment)):
        assert look(text) == Outcome([("AL305", line_of(text, "privacyAllowed"))], [])


def test_a_comment_that_quotes_itself_is_taken_once(look: Look) -> None:
    text = behind(AT_THE_LINE, "# aldo: ignore[AL305] as in # aldo: ignore[AL999]")
    assert look(text).found == []
    assert look(text).ignored_codes == ["AL305"]


@pytest.mark.parametrize("end", ["\r\n", "\r", "\n"], ids=["crlf", "cr", "lf"])
@pytest.mark.parametrize(
    "text",
    [behind(AT_THE_LINE, COMMENT), above("privacyAllowed", COMMENT), HEADER + f"  {COMMENT}\n\n" + HOLE + SECOND,
     HEADER + HOLE.replace("id: qwen", "id: qwen # aldo: ignore[AL305]") + SECOND],
    ids=["behind", "above", "above the entry", "no reason"],
)  # fmt: skip
def test_every_line_end_ends_a_comment(look: Look, text: str, end: str) -> None:
    assert look(text.replace("\n", end)) == look(text)
    assert look(text.replace("\n", end)).ignored_codes == ["AL305"]


def test_a_byte_order_mark_and_wide_letters_do_not_move_it(look: Look) -> None:
    text = behind(AT_THE_LINE, COMMENT, HOLE.replace("    privacy", "    description: 'héé 😀'\n    privacy"))
    assert look("\ufeff" + text) == look(text) == Outcome([], [("AL305", 11)])


def bare(text: str) -> str:
    return "".join(line.removeprefix("  ") for line in text.splitlines(keepends=True))


def test_in_a_bare_list_it_holds_for_lines_and_entries(look: Look) -> None:
    assert look(bare(f"  {COMMENT}\n" + HOLE + SECOND)).ignored_codes == ["AL305"]
    assert look(bare(HOLE.replace(AT_THE_LINE, f"{AT_THE_LINE} {COMMENT}") + SECOND)).ignored_codes == ["AL305"]
    assert look(bare(SECOND + f"  {COMMENT}\n" + HOLE)).ignored_codes == ["AL305"]


def test_that_the_list_is_bare_can_be_ignored_because_it_loads(look: Look) -> None:
    text = bare("  # aldo: ignore[AL114] as the seed prints it\n" + ENTRY + SECOND)
    assert look(text) == Outcome([], [("AL114", 2)])


FLOW = """\
  - {id: qwen, provider: mlx, providerKind: mlx, locality: local,
     capabilityClass: local-reasoning, provides: [streaming, tool-use],
     privacyAllowed: [public, sensitive],
     effectiveContextTokens: 32768, cost: {usdPerMtokIn: 0, usdPerMtokOut: 0}}
"""


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        (HEADER + FLOW.replace("locality: local,", f"locality: local, {COMMENT}") + SECOND, True),
        (HEADER + FLOW.replace("sensitive],", f"sensitive], {COMMENT}") + SECOND, True),
        (HEADER + FLOW.replace("     privacy", f"     {COMMENT}\n     privacy") + SECOND, True),
        (HEADER + f"  {COMMENT}\n" + FLOW + SECOND, True),
        (HEADER + FLOW.replace("tool-use],", f"tool-use], {COMMENT}") + SECOND, False),
        (HEADER + FLOW.replace("0}}", f"0}}}} {COMMENT}") + SECOND, False),
        (JSON.replace('"mlx",\n', f'"mlx", {COMMENT}\n'), True),
        (JSON.replace('  {"id": "qwen"', f'  {COMMENT}\n  {{"id": "qwen"'), True),
        (JSON.replace('"sensitive"],\n', f'"sensitive"], {COMMENT}\n', 1), True),
        (JSON.replace("[\n", f"[ {COMMENT}\n"), False),
        (JSON.replace('{"id": "qwen",', f'{{ {COMMENT}\n   "id": "qwen",'), True),
    ],
    ids=["flow, first line", "flow, its line", "flow, above its line", "above flow", "flow, other line",
         "behind the closing brace", "JSON, first line", "above JSON entry", "JSON, its line", "behind JSON's models",
         "behind the brace"],
)  # fmt: skip
def test_in_flow_style_it_holds_as_anywhere(look: Look, text: str, holds: bool) -> None:
    found = look(text)
    assert found.ignored_codes == (["AL305"] if holds else [])
    assert sorted(found.codes) == ([] if holds else ["AL305", "AL901"])


def test_a_text_in_json_is_no_comment(look: Look) -> None:
    assert look(JSON.replace('"id": "qwen"', '"id": "qwen", "description": "# aldo: ignore[AL305]"')).codes == ["AL305"]


@pytest.mark.parametrize("code", ["AL999", "AL3", "E501", "tier-hole", "AL305x"])
def test_a_code_that_no_rule_has_is_told_at_its_place(tmp_path: Path, code: str) -> None:
    path = tmp_path / "models.yaml"
    text = behind(AT_THE_LINE, f"# aldo: ignore[AL305, {code}] why")
    path.write_text(text, encoding="utf-8")
    (finding,) = lint(path, today=TODAY, ignore=["AL503"]).findings
    assert (finding.code, finding.severity) == ("AL902", "warning")
    assert finding.span is not None
    line = text.splitlines()[finding.span.line - 1]
    assert line[finding.span.column - 1 : finding.span.end_column - 1] == code


@pytest.mark.parametrize(
    "comment",
    ["# aldo: ignore", "# aldo: ignore[]", "# aldo: ignore AL305", "# aldo: ignore(AL305)", "# aldo: ignore[AL305",
     "# aldo: noqa[AL305]", "# aldo:", "# aldo: ignore[ , ]"],
)  # fmt: skip
def test_a_comment_for_aldo_that_is_not_understood_is_told(look: Look, comment: str) -> None:
    """Silence would look as if it held."""
    text = behind(AT_THE_LINE, comment)
    assert sorted(look(text).found) == [("AL305", 10), ("AL902", 10)]


CANNOT = sorted(code for code, rule in all_rules().items() if code[2] in "167" and rule.severity == "error")


@pytest.mark.parametrize("code", CANNOT)
def test_what_stops_a_load_cannot_be_ignored(look: Look, code: str) -> None:
    text = HEADER + f"  # aldo: ignore[{code}] please\n" + ENTRY + SECOND
    assert look(text).found == [("AL902", 4)]


def test_the_exact_form_counts_behind_another_comment(look: Look) -> None:
    text = behind(AT_THE_LINE, "# note  # aldo: ignore[AL305] meant")
    assert look(text) == Outcome([], [("AL305", line_of(text, "privacyAllowed"))])


def test_nor_is_it_ignored_where_it_is_found(look: Look) -> None:
    text = HEADER + "  # aldo: ignore[AL104] later\n" + ENTRY.replace("    provider: mlx\n", "") + SECOND
    assert look(text) == Outcome([("AL902", 4), ("AL104", 5)], [])


@pytest.mark.parametrize("code", sorted(set(all_rules()) - set(CANNOT) - {"AL305", "AL901", "AL902"}))
def test_every_other_rule_is_told_unused_where_it_finds_nothing(look: Look, code: str) -> None:
    text = HEADER + SECOND + f"  # aldo: ignore[{code}]\n" + ENTRY
    assert look(text).found == ([] if code == "AL503" else [("AL901", line_of(text, "# aldo"))])


EXEMPT = {*CANNOT, "AL901", "AL902"}


@pytest.mark.parametrize("code", sorted(set(all_rules()) - EXEMPT))
def test_every_rule_but_those_can_be_ignored_on_the_line_of_its_finding(tmp_path: Path, code: str) -> None:
    """By the rule's own bad example."""
    rule, path = all_rules()[code], tmp_path / "example.yaml"
    path.write_text(rule.bad, encoding="utf-8")
    layers = [path] if not rule.base else [tmp_path / "base.yaml", path]
    layers += [tmp_path / "above.yaml"] if rule.above else []
    for layer, text in ((tmp_path / "base.yaml", rule.base), (tmp_path / "above.yaml", rule.above)):
        layer.write_text(text, encoding="utf-8")
    lines = rule.bad.split("\n")
    found = lint(layers[0], overlays=layers[1:], today=TODAY).findings
    for line in sorted({f.span.line for f in found if f.span}, reverse=True):
        lines[line - 1] += f"  # aldo: ignore[{code}] known"
    path.write_text("\n".join(lines), encoding="utf-8")
    report = lint(layers[0], overlays=layers[1:], today=TODAY)
    assert report.findings == ()
    assert {finding.code for finding in report.ignored} == {code}


def test_a_key_in_a_comment_can_be_ignored_in_some_way(look: Look) -> None:
    """AL304 looks into comments too, also outside of entries."""
    key, ignore, rest = "sk-proj-Zq81kXw02mVbT5yHc9", "# aldo: ignore[AL304]", HEADER + ENTRY + SECOND
    ways = [f"{ignore} example\n# {key}\n", f"# {key}  {ignore} example\n", f"{ignore} {key} is an example\n"]
    outcomes = [look(way + rest) for way in ways]
    assert any(outcome.ignored_codes == ["AL304"] and not outcome.found for outcome in outcomes)


@pytest.mark.parametrize(
    ("options", "told"),
    [({}, ["AL901"]), ({"select": ["AL3", "AL9"]}, []), ({"select": ["AL4", "AL9"]}, ["AL901"]), ({"select": ["AL4"]}, []),
     ({"ignore": ["AL406"]}, []), ({"ignore": ["AL4"]}, []), ({"ignore": ["AL901"]}, []), ({"ignore": ["AL9"]}, []),
     ({"select": ["AL406", "AL901"]}, ["AL901"]), ({"select": ["AL901"]}, [])],
)  # fmt: skip
def test_a_code_that_is_not_applied_is_not_told_unused(
    look: Look, options: dict[str, list[str]], told: Sequence[str]
) -> None:
    text = HEADER + SECOND + "  # aldo: ignore[AL406] no longer\n" + ENTRY
    assert look(text, **options).codes == list(told)


def test_select_and_comment_agree_on_what_is_left(look: Look) -> None:
    text = HEADER + f"  {COMMENT}\n" + TWICE + SECOND
    assert look(text, select=["AL3"]) == Outcome([], [("AL305", line_of(text, "privacyAllowed"))])
    assert look(text, select=["AL4", "AL9"]).codes == ["AL406"]
    assert look(text, ignore=["AL305"]) == Outcome([("AL406", line_of(text, "maxOutput"))], [])


def test_what_is_ignored_neither_fails_a_run_nor_counts(tmp_path: Path) -> None:
    path = tmp_path / "models.yaml"
    cloud = CLOUD.replace(
        "[public, internal]", "[public, internal, sensitive]   # aldo: ignore[AL301] the router holds it"
    )
    path.write_text(HEADER + ENTRY + SECOND + cloud, encoding="utf-8")
    report = lint(path, today=TODAY, strict=True)
    assert report.exit_code == 0
    assert [finding.code for finding in report.ignored] == ["AL301"]
    assert report.to_dict()["findings"] == []
    path.write_text(HEADER + ENTRY + SECOND + cloud.replace("# aldo: ", "# "), encoding="utf-8")
    assert lint(path, today=TODAY).exit_code == 1


BROKEN = SECOND.replace("[streaming]", "[streaming")


def test_in_a_broken_file_the_comments_of_whole_entries_hold(look: Look) -> None:
    text = HEADER + f"  {COMMENT}\n" + HOLE + BROKEN
    assert look(text).codes == ["AL101"]
    assert look(text).ignored_codes == ["AL305"]


def test_in_a_broken_file_nothing_is_told_unused(look: Look) -> None:
    """What it ignores may stand where the file could not be read."""
    for entry in (HEADER + ENTRY + f"  {COMMENT}\n" + BROKEN, HEADER + f"  {COMMENT}\n" + ENTRY + BROKEN):
        assert look(entry).codes == ["AL101"]


@pytest.mark.parametrize("field", NO_COMMENT[::5])
def test_a_text_in_a_broken_entry_is_no_comment_either(look: Look, field: str) -> None:
    text = HEADER + ENTRY + BROKEN.replace("    provider:", f"    {field.replace('AL305', 'AL999')}\n    provider:")
    assert look(text).codes == ["AL101"]


@pytest.mark.parametrize(
    "text", ["", COMMENT, f"{COMMENT}\n", f"{COMMENT}\n---\n...\n", f"a: [{COMMENT}", f"\x00{COMMENT}"]
)
def test_a_file_that_is_hardly_one_does_not_raise(look: Look, text: str) -> None:
    assert look(text).ignored == []
    assert any(code.startswith("AL1") for code in look(text).codes)


IDLE = ("AL304", "AL401", "AL404", "AL408")


@settings(max_examples=120)
@given(
    st.lists(st.sampled_from(("AL305", "AL406", *IDLE, "al404")), min_size=1, max_size=5),
    st.sampled_from((", ", ",", " , ", "  ,")),
    st.sampled_from(("behind", "above")),
)
def test_mending_unused_codes_leaves_those_that_are_used(
    tmp_path_factory: pytest.TempPathFactory, codes: list[str], comma: str, place: str
) -> None:
    """The comment goes where nothing of it is used; what it ignored stays ignored; a second run finds nothing to mend."""
    comment = f"# aldo: ignore[{comma.join(codes)}] why"
    text = HEADER + (
        f"  {comment}\n{TWICE}" if place == "above" else TWICE.replace("id: qwen", f"id: qwen   {comment}")
    ) + SECOND  # fmt: skip
    path = tmp_path_factory.mktemp("mend") / "models.yaml"
    path.write_text(text, encoding="utf-8")
    (file,) = fix_files([path], today=TODAY, ignore=["AL503"]).files
    used = {"AL305", "AL406"} & set(codes)
    assert {finding.code for finding in file.report.ignored} == used
    assert [finding.code for finding in file.report.findings] == sorted({"AL305", "AL406"} - used)
    assert ("# aldo" in file.text) == bool(used)
    assert not any(code in file.text for code in (*IDLE, "al404"))
    if not used:
        assert file.text == HEADER + TWICE + SECOND
    else:
        assert file.text.count("] why\n") == 1


@settings(max_examples=150)
@given(st.data())
def test_a_comment_hides_what_it_names_where_it_holds_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Wherever comments stand: findings without them are those found with them, and those ignored."""
    lines = (HEADER + TWICE + SECOND.replace("32768", "4096\n    maxOutputTokens: 8192")).splitlines()
    folder = tmp_path_factory.mktemp("law")
    plain = outcome(folder, "\n".join(lines) + "\n")
    moved = {}
    written: list[str] = []
    for number, line in enumerate(lines, start=1):
        codes = data.draw(st.sampled_from((None, None, None, "AL305", "AL406", "AL305, AL406", "AL401")))
        own = data.draw(st.booleans())
        if codes and own:
            written.append(f"  # aldo: ignore[{codes}] drawn")
        written.append(f"{line}   # aldo: ignore[{codes}] drawn" if codes and not own else line)
        moved[number] = len(written)
    seen = outcome(folder, "\n".join(written) + "\n")
    found = [place for place in seen.found if place[0] != "AL901"]
    assert sorted(found + seen.ignored) == sorted((code, moved[line]) for code, line in plain.found)
    entries = {number: line for number, line in enumerate(written, start=1) if line.startswith("  - ")}
    for code, at in found:
        first = max(number for number in entries if number <= at)
        spoken = [written[at - 1], written[first - 1]]
        spoken += [written[line - 2] for line in (at, first) if written[line - 2].startswith("  # aldo")]
        assert not any(code in line for line in spoken)
    for code, at in seen.ignored:
        first = max(number for number in entries if number <= at)
        assert any(code in line for line in (written[at - 1], written[at - 2], written[first - 1], written[first - 2]))
