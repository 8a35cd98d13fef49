"""`aldo usage`: DuckDB and plain Python give the same sums of any log, exact to the last digit, and name what is no row."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aldo.errors import UsageError
from aldo.replay import usage
from aldo.replay.usage import KEYS, By, UsageSums, sum_usage, total
from aldo.schema.usage import UsageRow

ROW: dict[str, Any] = {
    "at": "2026-01-02T03:04:05.678Z", "provider": "p", "model": "m", "upstreamModel": "u", "returnedModel": None,
    "capabilityClass": "c", "privacy": "public", "tokensIn": 1, "tokensOut": 2, "cacheReadTokens": None, "usd": "0.5",
    "latencyMs": 1.5, "ttftMs": None, "finishReason": "stop", "outcome": "ok", "routingDigest": "d",
}  # fmt: skip
LINE = json.dumps(ROW).encode()
COLUMN = {
    "model": "model",
    "class": "capabilityClass",
    "provider": "provider",
    "privacy": "privacy",
    "outcome": "outcome",
}


def line(**fields: Any) -> bytes:
    return json.dumps(ROW | fields).encode()


def without(*names: str) -> bytes:
    return json.dumps({name: value for name, value in ROW.items() if name not in names}).encode()


def both(files: Sequence[Path], by: Sequence[By] = ("model", "day")) -> UsageSums:
    """The sums, which both engines give alike."""
    names = [str(file) for file in files]
    python = sum_usage(names, by, engine="python")
    assert sum_usage(names, by, engine="duckdb") == python
    return python


def fast(files: Sequence[Path], by: Sequence[By] = ("model", "day")) -> UsageSums:
    """The sums of DuckDB alone: where it cannot tell, this fails instead of asking Python."""
    return usage._by_duckdb([str(file) for file in files], tuple(by))


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "usage.jsonl"


# The laws

names = st.sampled_from(
    ["m", "M", "n", "", " m", "null", '"', "\\", "a/b", "é", "e\u0301", "𝔪", "\x00", "\u2028", "[1]", "😀", "m\n"]
)
counts = st.none() | st.sampled_from([0, 1, 10**15]) | st.integers(0, 10**15)
amounts = st.none() | st.sampled_from(["0", "0.000000000001", "999999999999.999999999999", "00.10", "0.5"]) | st.from_regex(r"\A[0-9]{1,12}(\.[0-9]{1,12})?\Z")  # fmt: skip
days = st.builds("2026-{:02}-{:02}T{:02}:00:00{}Z".format, st.integers(1, 3), st.integers(1, 3), st.integers(0, 23), st.sampled_from(["", ".5", ".123456"]))  # fmt: skip
extras = st.dictionaries(
    st.sampled_from(["x", "Model", "MODEL", "tokensin", "", "model ", "year", "filename", "usd\u0000"]),
    st.recursive(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(st.characters(exclude_categories=["Cs"]), max_size=3),
                 lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2), max_leaves=3),
    max_size=3,
)  # fmt: skip


@st.composite
def good_rows(draw: st.DrawFn) -> dict[str, Any]:
    row = {
        **draw(extras), "at": draw(days), "provider": draw(names), "model": draw(names), "capabilityClass": draw(names),
        "privacy": draw(st.sampled_from(["public", "internal", "sensitive"])),
        "outcome": draw(st.sampled_from(["ok", "ok", "cancelled", "timeout", "OK", ""])),
    }  # fmt: skip
    for name, values in (("tokensIn", counts), ("tokensOut", counts), ("cacheReadTokens", counts), ("usd", amounts)):
        if draw(st.integers(0, 5)):
            row[name] = draw(values)
    order = draw(st.permutations(sorted(row)))
    return {name: row[name] for name in order}


@st.composite
def written(draw: st.DrawFn, row: dict[str, Any]) -> bytes:
    """A row as one of many writers may have put it."""
    text = json.dumps(
        row, ensure_ascii=draw(st.booleans()), separators=draw(st.sampled_from([None, (",", ":"), (" , ", " : ")]))
    )
    edges = [draw(st.sampled_from([b"", b" ", b"\t"])) for _ in range(2)]
    return edges[0] + text.encode() + edges[1] + draw(st.sampled_from([b"\n", b"\r\n"]))


ODD = [
    b"{}", b"[]", b"null", b"5", b'"x"', b"x", b"{", b"\xff", LINE[:-1], LINE + b"x", LINE + LINE, LINE + b" " + LINE, b"[" + LINE + b"]",
    b"\xef\xbb\xbf" + LINE, LINE + b"\r" + LINE, LINE + b"//", b"\xc2\xa0" + LINE, LINE.replace(b'"', b"'"), LINE.replace(b'"m"', b'"a\tb"'),
    LINE.replace(b'"m"', b'"\xff"'), LINE.replace(b'"m"', b'"\\x"'),
    *(without(name) for name in ("at", "model", "capabilityClass", "provider", "privacy", "outcome")),
    *(line(**{name: value}) for name in ("model", "outcome", "provider") for value in (None, 5, True, [], {})),
    *(line(**{name: value}) for name in ("tokensIn", "tokensOut", "cacheReadTokens") for value in (-1, 1.0, 1.5, "1", True, [], 10**15 + 1, 10**30)),
    LINE.replace(b'"tokensIn": 1', b'"tokensIn": 1e3'), LINE.replace(b'"tokensIn": 1', b'"tokensIn": 01'),
    *(line(usd=value) for value in (5, 0.5, "", "-1", "1e3", ".5", "1.", "1.0000000000001", "1234567890123", "١", "1\n", " 1", True, [])),
    *(line(at=value) for value in ("", "2026", "2026-01-02", "2026-01-02T03:04:05", "2026-01-02 03:04:05Z", "٢026-01-02T03:04:05Z", 5, "2026-01-02T03:04:05Z\n")),
]  # fmt: skip
HARMLESS = [b"", b" ", b"\t", b"\r", b" \r"]


def reference(rows: Sequence[dict[str, Any]], by: Sequence[By]) -> dict[tuple[str, ...], dict[str, Any]]:
    """The sums once more, as anybody would write them down."""
    groups: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[tuple(row["at"][:10] if one == "day" else row[COLUMN[one]] for one in by)].append(row)
    return {
        key: {
            "requests": len(some),
            "failed": sum(row["outcome"] != "ok" for row in some),
            **{name: sum(row.get(name) or 0 for row in some) for name in ("tokensIn", "tokensOut", "cacheReadTokens")},
            "usd": sum((Fraction(row.get("usd") or 0) for row in some), Fraction(0)),
            "unpriced": sum(row["outcome"] == "ok" and row.get("usd") is None for row in some),
        }
        for key, some in groups.items()
    }


keys = st.lists(st.sampled_from(KEYS), unique=True, max_size=6)
slow = settings(max_examples=35, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])


def exact(sums: UsageSums, rows: Sequence[dict[str, Any]], by: Sequence[By]) -> None:
    """The sums are those of the reference, in order, and nothing else."""
    assert (sums.bad, sums.bad_count, sums.by) == ((), 0, tuple(by))
    found = {one.key: one.to_dict(by) for one in sums.sums}
    assert len(found) == len(sums.sums)
    assert [one.key for one in sums.sums] == sorted(found)
    wanted = reference(rows, by)
    assert found.keys() == wanted.keys()
    for key, group in wanted.items():
        told = found[key]
        assert {name: told[name] for name in group if name != "usd"} == {n: v for n, v in group.items() if n != "usd"}
        assert Fraction(told["usd"]) == group["usd"]
        assert "e" not in told["usd"].lower()
        assert [told[one] for one in by] == list(key)


@given(data=st.data(), rows=st.lists(good_rows(), max_size=8), by=keys)
@slow
def test_law_sums_of_good_rows_are_exact_however_they_were_written(
    data: st.DataObject, rows: list[dict[str, Any]], by: list[By], log: Path
) -> None:
    log.write_bytes(b"".join(data.draw(written(row)) for row in rows))
    exact(both([log], by), rows, by)


plain_names = st.sampled_from(["m", "M", "n", " m", "null", "a/b", "é", "e\u0301", "𝔪", "[1]", "😀", "{", ",", "'"])
plain_counts = st.none() | st.sampled_from([0, 1, 10**15 - 1]) | st.integers(0, 10**15 - 1)
aldo_rows = st.builds(
    lambda **fields: ROW | fields, at=days, provider=plain_names, model=plain_names, capabilityClass=plain_names,
    upstreamModel=plain_names, returnedModel=st.none() | plain_names, privacy=st.sampled_from(["public", "sensitive"]),
    tokensIn=plain_counts, tokensOut=plain_counts, cacheReadTokens=plain_counts, usd=amounts,
    latencyMs=st.none() | st.sampled_from([0.0, 1.5, 123456.789]), finishReason=st.sampled_from([None, "stop", "other"]),
    outcome=st.sampled_from(["ok", "ok", "cancelled", "timeout"]),
)  # fmt: skip


@given(rows=st.lists(aldo_rows, min_size=1, max_size=8), by=keys)
@slow
def test_law_sums_of_rows_as_aldo_writes_them_are_exact_and_duckdbs_own(
    rows: list[dict[str, Any]], by: list[By], log: Path
) -> None:
    """DuckDB does not leave them to Python, which would take long for a large log."""
    log.write_text("".join(UsageRow.model_validate(row).to_json() + "\n" for row in rows), "utf-8")
    exact(fast([log], by), rows, by)
    exact(both([log], by), rows, by)


@given(data=st.data(), by=keys)
@slow
def test_law_both_engines_agree_on_any_log_and_name_every_bad_line(
    data: st.DataObject, by: list[By], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("logs")
    files, bad, rows = [], [], []
    for number in range(data.draw(st.integers(1, 3))):
        files.append(folder / f"{number}.jsonl")
        kinds = data.draw(st.lists(st.sampled_from(["good", "good", "good", "odd", "blank"]), max_size=6))
        content = b""
        for place, kind in enumerate(kinds, start=1):
            if kind == "good":
                rows.append(data.draw(good_rows()))
                content += data.draw(written(rows[-1]))
            elif kind == "odd":
                content += data.draw(st.sampled_from(ODD)) + b"\n"
                bad.append((str(files[-1]), place))
            else:
                content += data.draw(st.sampled_from(HARMLESS)) + b"\n"
        content += data.draw(st.sampled_from([b"", b"", LINE, LINE[:20], b"\xff", b"{"]))  # still being written
        files[-1].write_bytes(content)
    sums = both(files, by)
    assert (list(sums.bad), sums.bad_count) == (bad, len(bad))
    assert total(sums.sums).requests == len(rows)
    assert {one.key for one in sums.sums} == reference(rows, by).keys()


@given(rows=st.lists(good_rows(), min_size=1, max_size=8), by=keys, order=st.randoms(use_true_random=False))
@slow
def test_law_neither_the_order_of_rows_nor_the_files_they_are_in_change_a_sum(
    rows: list[dict[str, Any]], by: list[By], order: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("logs")
    one, files = folder / "one.jsonl", [folder / f"{number}.jsonl" for number in range(3)]
    encoded = [json.dumps(row).encode() + b"\n" for row in rows]
    one.write_bytes(b"".join(encoded))
    order.shuffle(encoded)
    for number, file in enumerate(files):
        file.write_bytes(b"".join(encoded[number::3]))
    assert both(files, by) == both([one], by)


@given(rows=st.lists(good_rows(), max_size=8), by=keys)
@slow
def test_law_every_grouping_adds_up_to_the_same(rows: list[dict[str, Any]], by: list[By], log: Path) -> None:
    log.write_bytes(b"".join(json.dumps(row).encode() + b"\n" for row in rows))
    whole = total(sum_usage([str(log)], by).sums)
    assert whole == total(sum_usage([str(log)], ()).sums)
    assert whole.requests == len(rows)
    assert Decimal(whole.usd) == sum((Decimal(row.get("usd") or 0) for row in rows), Decimal(0))


# One by one


def test_twelve_places_and_huge_counts_are_kept_to_the_last_digit(log: Path) -> None:
    most = 10**15 - 1
    rows = [line(usd="999999999999.999999999999", tokensIn=most, tokensOut=most)] * 1000
    log.write_bytes(b"\n".join([*rows, line(usd="0.000000000001", tokensIn=1, tokensOut=0), b""]))
    (one,) = fast([log], ("model",)).sums
    assert one.to_dict(("model",)) == {
        "model": "m", "requests": 1001, "failed": 0, "tokensIn": 1000 * most + 1, "tokensOut": 1000 * most, "cacheReadTokens": 0,
        "usd": "999999999999999.999999999001", "unpriced": 0,
    }  # fmt: skip
    both([log])


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
def test_what_is_no_row_is_named_with_its_file_and_line(odd: bytes, tmp_path: Path) -> None:
    first, second = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    first.write_bytes(LINE + b"\n\n")
    second.write_bytes(LINE + b"\r\n\n" + odd + b"\n" + LINE + b"\n")
    sums = both([first, second])
    assert (sums.bad, sums.bad_count) == (((str(second), 3),), 1)
    assert total(sums.sums).requests == 3


def test_of_many_bad_lines_the_first_are_named_and_all_are_counted(log: Path) -> None:
    log.write_bytes(b"x\n" * 55 + LINE + b"\n")
    sums = both([log])
    assert (len(sums.bad), sums.bad_count, sums.bad[0], sums.bad[-1]) == (20, 55, (str(log), 1), (str(log), 20))


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param(LINE[:-1] + b', "x": NaN}', id="NaN"),
        pytest.param(LINE[:-1] + b', "x": -Infinity}', id="Infinity"),
        pytest.param(LINE[:-1] + b",}", id="a comma at the end"),
        pytest.param(b"\x0c" + LINE, id="a form feed"),
        pytest.param(LINE[:-1] + b', "x": ' + b"1" * 5000 + b"}", id="5000 digits"),
        pytest.param(LINE[:-1] + b', "x": ' + b"[" * 200_000 + b"]" * 200_000 + b"}", id="200000 lists"),
        pytest.param(LINE[:-1] + b', "model": "n"}', id="a name twice"),
        pytest.param(LINE[:-1] + b', "tokensIn": 7}', id="a count twice"),
        pytest.param(LINE.replace(b'"model"', b'"\\u006dodel"'), id="an escaped name"),
        pytest.param(LINE.replace(b'"tokensIn": 1', b'"tokensIn": -0'), id="minus nothing"),
        pytest.param(LINE.replace(b'"m"', b'"\\ud800"'), id="half a character"),
        pytest.param(b"\x0b" + LINE, id="a vertical tab"),
        pytest.param(b"#", id="a comment"),
    ],
)
def test_both_engines_agree_on_what_is_json(odd: bytes, log: Path) -> None:
    log.write_bytes(LINE + b"\n" + odd + b"\n")
    both([log])


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + LINE + b"\n", LINE.decode().encode("utf-16") + b"\n", LINE + b"\r" + LINE + b"\n", b"\n\r" + LINE + b"\n",
        LINE + b"\r\n" + LINE + b"\n", b"\x00\n" + LINE + b"\n", LINE.replace(b'"m"', b'"a\x01b"') + b"\n", b"\n" * 5000 + LINE + b"\n",
        LINE.replace(b"1.5", b"1" * 400) + b"\n", line(at="2026-99-99T::Z") + b"\n", b"\xc2\xa0\n" + LINE + b"\n",
    ],
    ids=["a BOM", "UTF-16", "a bare CR", "CR after LF", "mixed ends", "NUL", "byte 1", "blank lines", "a long number", "no date", "a no-break space"],
)  # fmt: skip
def test_both_engines_agree_on_what_a_file_is(content: bytes, log: Path) -> None:
    log.write_bytes(content)
    both([log])


def test_nothing_at_all_is_nothing(tmp_path: Path) -> None:
    empty, blank, half = tmp_path / "empty", tmp_path / "blank", tmp_path / "half"
    empty.write_bytes(b"")
    blank.write_bytes(b"\n \n\r\n")
    half.write_bytes(LINE)
    for files in ([empty], [blank], [half], [empty, blank, half]):
        for by in ((), ("model",), KEYS):
            assert both(files, by) == UsageSums(tuple(by), ())


def test_a_file_given_twice_counts_twice(log: Path) -> None:
    log.write_bytes(LINE + b"\n")
    assert total(both([log, log]).sums).requests == 2
    assert fast([log, log]) == both([log, log])


@pytest.mark.parametrize("name", ["it's.jsonl", "u[1].jsonl", "u?.jsonl", "u.csv", "u", "u.jsonl.gz", "u.parquet", "ü ñ.jsonl", "year=2020.jsonl", '"u".jsonl', "a;b.jsonl"])  # fmt: skip
def test_a_file_is_its_bytes_whatever_its_name_says(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(LINE + b"\n")
    assert total(both([tmp_path / name]).sums).requests == 1


@pytest.mark.parametrize("name", ["u*.jsonl", "*"])
def test_a_star_in_a_name_is_a_star(name: str, tmp_path: Path) -> None:
    (tmp_path / "u1.jsonl").write_bytes((LINE + b"\n") * 5)
    (tmp_path / name).write_bytes(LINE + b"\n")
    assert total(both([tmp_path / name]).sums).requests == 1


@pytest.mark.parametrize("folder", ["tokensIn=5", 'model="other"'])
def test_a_folder_called_as_a_field_is_no_field(folder: str, tmp_path: Path) -> None:
    (tmp_path / folder).mkdir()
    (tmp_path / folder / "usage.jsonl").write_bytes(LINE + b"\n")
    both([tmp_path / folder / "usage.jsonl"])


@pytest.mark.parametrize("engine", ["python", "duckdb", None])
@pytest.mark.parametrize("missing", ["nowhere.jsonl", ".", "u\0.jsonl"])
def test_a_file_that_cannot_be_read_is_bad_usage_and_named(missing: str, engine: str | None, tmp_path: Path) -> None:
    (tmp_path / "usage.jsonl").write_bytes(LINE + b"\n")
    with pytest.raises(UsageError) as caught:
        sum_usage([str(tmp_path / "usage.jsonl"), f"{tmp_path}/{missing}"], engine=engine)
    assert missing in str(caught.value)


@pytest.mark.parametrize("by", [("nothing",), ("model", "Day"), ("capabilityClass",)])
def test_a_key_that_is_none_is_bad_usage_and_the_others_are_named(by: Any, log: Path) -> None:
    log.write_bytes(b"")
    with pytest.raises(UsageError, match="provider"):
        sum_usage([str(log)], by)


def test_large_logs_go_to_duckdb_and_small_ones_do_not(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    went: list[str] = []
    for name in ("_by_python", "_by_duckdb"):
        real = getattr(usage, name)
        monkeypatch.setattr(usage, name, lambda *a, name=name, real=real: went.append(name) or real(*a))
    monkeypatch.setattr(usage, "_LARGE", 3 * len(LINE))
    for content, requests in ((LINE + b"\n", 1), ((LINE + b"\n") * 5, 5), ((LINE + b"\n") * 5 + b"x\n", 5)):
        log.write_bytes(content)
        assert total(sum_usage([str(log)]).sums).requests == requests
    assert went == ["_by_python", "_by_duckdb", "_by_duckdb", "_by_python"]


def test_without_duckdb_python_does_it_all(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr("aldo.replay.engine.import_module", missing)
    log.write_bytes(LINE + b"\n")
    assert total(sum_usage([str(log)], engine="duckdb").sums).requests == 1
