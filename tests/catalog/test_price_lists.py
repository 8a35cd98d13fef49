"""Price lists: laws first (exact, never 0 for the unknown, nothing hidden), then examples with their exact prices."""

from __future__ import annotations

import json
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aldo.catalog.price_lists import Listed, litellm, models_dev
from aldo.catalog.price_lists.listed import tags
from aldo.errors import UsageError
from aldo.schema.vocabulary import CAPABILITIES
from aldo.validate.rules.al405_context_tag import _tokens
from tests.support.cases import CASES

FILES = {"litellm": CASES / "price-lists" / "litellm.json", "models.dev": CASES / "price-lists" / "models-dev.json"}
READ = {"litellm": litellm.read, "models.dev": models_dev.read}
LISTS = pytest.mark.parametrize("word", READ)
NEEDED = {"usdPerMtokIn", "usdPerMtokOut"}
FIELDS = {
    "litellm": {
        "usdPerMtokIn": "input_cost_per_token",
        "usdPerMtokOut": "output_cost_per_token",
        "usdPerMtokCacheRead": "cache_read_input_token_cost",
        "usdPerMtokCacheWrite": "cache_creation_input_token_cost",
    },
    "models.dev": {
        "usdPerMtokIn": "input",
        "usdPerMtokOut": "output",
        "usdPerMtokCacheRead": "cache_read",
        "usdPerMtokCacheWrite": "cache_write",
    },
}
FINE = {"litellm": "1e-6", "models.dev": "1"}
"""One USD per million tokens."""


def model_text(word: str, prices: dict[str, str]) -> str:
    """A model with these prices, each as JSON text, since a number's way of writing matters."""
    written = ", ".join(f'"{FIELDS[word][field]}": {text}' for field, text in prices.items())
    if word == "models.dev":
        return f'{{"cost": {{{written}}}}}'
    return f'{{"litellm_provider": "p", "mode": "chat"{written and ", "}{written}}}'


def list_text(word: str, models: dict[str, str]) -> str:
    inner = ", ".join(f"{json.dumps(name)}: {text}" for name, text in models.items())
    return f'{{"p": {{"models": {{{inner}}}}}}}' if word == "models.dev" else f"{{{inner}}}"


def read_models(word: str, models: dict[str, str]) -> list[Listed]:
    return list(READ[word](list_text(word, models), "prices.json").values())


def read_model(word: str, prices: dict[str, str]) -> Listed:
    (only,) = read_models(word, {"m": model_text(word, prices)})
    return only


def places(number: Decimal) -> int:
    return len(f"{number:f}".partition(".")[2].rstrip("0"))


def check(listed: Listed) -> None:
    """What holds of everything that is listed."""
    if listed.problem:
        assert listed.cost == {}
    else:
        assert listed.cost.keys() >= NEEDED
    for price in listed.cost.values():
        assert type(price) is Decimal
        assert price.is_finite()
        assert 0 <= price <= 10**9
        assert places(price) <= 6
        assert "E" not in str(price)
    assert listed.provides == tuple(sorted(set(listed.provides)))
    assert set(listed.provides) <= set(CAPABILITIES)
    for said in (listed.problem, *listed.notes):
        assert said.isprintable()
        assert len(said) < 300
    for tokens in (listed.context_tokens, listed.max_output_tokens):
        assert tokens is None or (type(tokens) is int and tokens > 0)
    assert listed.source is None or listed.source.startswith(("http://", "https://"))


@st.composite
def spellings(draw: st.DrawFn, value: Fraction) -> str:
    """A decimal fraction as JSON may write it: plain or with an exponent, zeros at its end, or in quotes."""
    exponent = draw(st.integers(-20, 4))
    digits = value / Fraction(10) ** exponent
    while digits.denominator != 1:
        exponent -= 1
        digits *= 10
    zeros = "0" * draw(st.integers(0, 3))
    text = draw(
        st.sampled_from(
            [
                f"{digits}.{zeros or '0'}e{exponent}",
                f"{digits}E{exponent:+}",
                f"{Decimal(int(digits)).scaleb(exponent):f}{'' if exponent >= 0 else zeros}",
            ]
        )
    )
    return json.dumps(text) if draw(st.booleans()) else text


MICROS = st.integers(0, 10**15)
"""Prices in 10⁻⁶ USD per million tokens."""


class TestLaws:
    @LISTS
    @given(micros=st.tuples(MICROS, MICROS, MICROS, MICROS), precision=st.integers(1, 40), data=st.data())
    def test_every_price_of_up_to_six_places_is_exact(
        self, word: str, micros: tuple[int, ...], precision: int, data: st.DataObject
    ) -> None:
        """For LiteLLM: every price per token of up to twelve places, times a million. In any decimal context."""
        scale = 10**12 if word == "litellm" else 10**6
        prices = {
            field: data.draw(spellings(Fraction(n, scale))) for field, n in zip(FIELDS[word], micros, strict=True)
        }
        with localcontext() as context:
            context.prec = precision
            listed = read_model(word, prices)
        assert listed.problem == ""
        found = {field: Fraction(price) for field, price in listed.cost.items()}
        assert found == {field: Fraction(n, 10**6) for field, n in zip(FIELDS[word], micros, strict=True)}
        assert ("listed as free" in listed.notes) is (micros[0] == micros[1] == 0)
        check(listed)

    @LISTS
    @given(whole=st.integers(0, 999), field=st.sampled_from(sorted(FIELDS["litellm"])), data=st.data())
    def test_a_price_of_more_places_is_said_and_never_rounded(
        self, word: str, whole: int, field: str, data: st.DataObject
    ) -> None:
        fraction = data.draw(st.from_regex(r"[0-9]{6,20}[1-9]", fullmatch=True))
        exact = f"{whole}.{fraction}"
        written = f"{exact}e-6" if word == "litellm" else exact
        listed = read_model(word, {**dict.fromkeys(NEEDED, FINE[word]), field: written})
        assert field not in listed.cost
        assert any(exact in said for said in (listed.problem, *listed.notes))
        assert bool(listed.problem) is (field in NEEDED)
        check(listed)

    @LISTS
    @pytest.mark.parametrize(
        "unknown",
        [
            None,
            "null",
            '""',
            '"n/a"',
            '"free"',
            '"NaN"',
            '"-Infinity"',
            '"0x0"',
            "true",
            "false",
            "[]",
            "[0]",
            "{}",
            "-1",
            '"-1e-6"',
            "1e16",
            "1e999999",
            "1e99999999999999999999",
            "1e-999999",
            '"1e-99999999"',
            "1" * 5000,
        ],
    )
    @pytest.mark.parametrize("field", FIELDS["litellm"])
    def test_an_unknown_price_never_becomes_0(self, word: str, unknown: str | None, field: str) -> None:
        prices = {**dict.fromkeys(NEEDED, FINE[word]), field: unknown}
        listed = read_model(word, {name: text for name, text in prices.items() if text is not None})
        assert field not in listed.cost
        assert bool(listed.problem) is (field in NEEDED)
        if field not in NEEDED and unknown not in (None, "null"):
            assert any(note.startswith(f"{field} left out: ") for note in listed.notes)
        check(listed)

    @LISTS
    @pytest.mark.parametrize("zero", ["0", "0.0", "-0", "0e-99", "0e999999", '"0"'])
    def test_an_explicit_0_stays_0(self, word: str, zero: str) -> None:
        assert read_model(word, dict.fromkeys(NEEDED, zero)).cost == dict.fromkeys(NEEDED, Decimal(0))

    @LISTS
    @given(data=st.data())
    def test_one_malformed_model_never_hides_the_others(self, word: str, data: st.DataObject) -> None:
        fine = model_text(word, {**dict.fromkeys(NEEDED, FINE[word])})
        names = data.draw(st.lists(st.text(max_size=3), unique=True, min_size=1, max_size=4))
        junk = {name: data.draw(JUNK).replace("NaN", "0") for name in names if name != "fine"}
        found = {listed.model: listed for listed in read_models(word, {**junk, "fine": fine})}
        assert found["fine"] == read_models(word, {"fine": fine})[0]
        assert list(found) == [*junk, "fine"]
        for listed in found.values():
            check(listed)

    @LISTS
    @given(data=st.data())
    def test_nothing_but_a_usage_error_is_ever_raised(self, word: str, data: st.DataObject) -> None:
        text = data.draw(st.one_of(st.text(), JUNK, mutations(word)))
        try:
            found = READ[word](text, "prices.json")
        except UsageError as error:
            assert str(error).startswith("prices.json: ")
            assert str(error).isprintable()
        else:
            assert found
            for name, listed in found.items():
                assert listed.name == name
                check(listed)

    @LISTS
    def test_the_order_is_that_of_the_list(self, word: str) -> None:
        names = [f"m{n * 7 % 10}" for n in range(10)]
        fine = model_text(word, dict.fromkeys(NEEDED, FINE[word]))
        assert [listed.model for listed in read_models(word, dict.fromkeys(names, fine))] == names

    @pytest.mark.parametrize("bound", [32_000, 128_000, 200_000, 1_000_000])
    @pytest.mark.parametrize("beside", [-1, 0, 1])
    def test_context_tags_promise_what_lint_grants(self, bound: int, beside: int) -> None:
        context = bound + beside
        fitting = {tag for tag in CAPABILITIES if tag.endswith("-context") and _tokens(tag) <= context}
        assert set(tags((), context)) == fitting
        assert len(set(tags((), bound)) - set(tags((), bound - 1))) == 1


KEYS = st.sampled_from(
    [
        *FIELDS["litellm"].values(),
        *FIELDS["models.dev"].values(),
        "litellm_provider",
        "mode",
        "models",
        "cost",
        "limit",
        "context",
        "modalities",
        "tiers",
        "tier",
        "size",
        "type",
        "tiered_pricing",
        "range",
        "source",
        "doc",
        "deprecation_date",
        "max_tokens",
        "max_input_tokens",
        "reasoning",
        "input_cost_per_image",
        "output_cost_per_\x1b[31m",
        "input_cost_per_token_above_128k_tokens",
        "status",
        "p",
    ]
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=4),
    st.sampled_from(["chat", "embedding", "rerank", "context", "https://a.b", "http://\x1b", "2026-02-30", "1e-6"]),
)
JUNK = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.text(max_size=2), inner, max_size=5)
).map(lambda value: json.dumps(value).replace("-Infinity", "NaN").replace("Infinity", "NaN"))


@st.composite
def mutations(draw: st.DrawFn, word: str) -> str:
    """The fixture with some of its values given way to others, and then perhaps with a cut or a letter more."""
    value = json.loads(FILES[word].read_text("utf-8"))
    for _ in range(draw(st.integers(1, 4))):
        at: Any = value
        while isinstance(at, dict) and at:
            key = draw(st.sampled_from(sorted(at)))
            if not isinstance(at[key], dict) or draw(st.integers(0, 3)) == 0:
                at[key] = json.loads(draw(JUNK))
                break
            at = at[key]
    text = json.dumps(value)
    cut = draw(st.integers(0, 10 * len(text)))
    return text if cut > len(text) else text[:cut] + draw(st.sampled_from(["", '"', "}", "0", "\x00"])) + text[cut:]


@LISTS
@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "cannot be read as JSON"),
        ("models: []", "cannot be read as JSON"),
        ("[]", "which is one JSON object"),
        ("3", "which is one JSON object"),
        ("{}", " is in it; give "),
        ('{"sample_spec": {"litellm_provider": "x"}}', "litellm"),
        ('{"a": NaN}', "NaN is not JSON"),
        ('{"a": [-Infinity]}', "-Infinity is not JSON"),
        ("[" * 200_000, "is nested too deeply"),
        ('{"a": ' * 200_000, "is nested too deeply"),
        ('{"a": {"k\\u001b": 1, "k\\u001b": 2}}', "the key k\\x1b stands twice"),
    ],
    ids=lambda text: text[:20],
)
def test_a_text_that_is_no_such_list_is_refused_with_its_place(word: str, text: str, says: str) -> None:
    with pytest.raises(UsageError) as raised:
        READ[word](text, "lists/prices.json")
    assert str(raised.value).startswith("lists/prices.json: ")
    assert says in str(raised.value)


@LISTS
def test_the_largest_price_is_that_of_a_catalog(word: str) -> None:
    exponent = "e-6" if word == "litellm" else ""
    for written, taken in (("1000000000", True), ("1000000000.000001", False), ("9999999999", False)):
        listed = read_model(word, dict.fromkeys(NEEDED, written + exponent))
        assert (listed.problem == "") is taken
        check(listed)


@pytest.mark.parametrize(
    ("written", "tokens"),
    [("4096", 4096), ('"4096"', 4096), ("4096.0", 4096), ("4.096e3", 4096), ("1e9", 10**9), ("1", 1)]
    + [(text, None) for text in ("0", "-1", "0.5", "4096.5", '"many"', "null", "true", "[1]", "1e10", "1e999999")],
)
def test_sizes_are_whole_positive_numbers(written: str, tokens: int | None) -> None:
    one = f'{{"m": {{"litellm_provider": "p", "max_input_tokens": {written}, "max_output_tokens": {written}}}}}'
    other = f'{{"p": {{"models": {{"m": {{"limit": {{"context": {written}, "output": {written}}}}}}}}}}}'
    for listed in (litellm.read(one, "p")["m"], models_dev.read(other, "p")["p/m"]):
        assert (listed.context_tokens, listed.max_output_tokens) == (tokens, tokens)


@pytest.mark.parametrize(
    "source",
    ["see the site", "http://", "ftp://a.b", "https://a.b/ c", "https://a.b/\x1b[31m", "\nhttps://a.b", 3, None],
)
def test_what_is_no_address_is_no_source(source: Any) -> None:
    assert litellm.read(json.dumps({"m": {"litellm_provider": "p", "source": source}}), "p")["m"].source is None
    assert models_dev.read(json.dumps({"p": {"doc": source, "models": {"m": {}}}}), "p")["p/m"].source is None


@LISTS
def test_the_other_list_is_recognised(word: str) -> None:
    (other,) = READ.keys() - {word}
    with pytest.raises(UsageError, match=f"say {other} instead"):
        READ[word](FILES[other].read_text("utf-8"), "prices.json")


def decimals(**prices: str) -> dict[str, Decimal]:
    return {f"usdPerMtok{name}": Decimal(price) for name, price in prices.items()}


class TestLiteLLM:
    @pytest.fixture
    def listed(self) -> dict[str, Listed]:
        return litellm.read(FILES["litellm"].read_text("utf-8"), "prices.json")

    def test_every_model_is_there_and_what_is_no_model_is_not(self, listed: dict[str, Listed]) -> None:
        names = json.loads(FILES["litellm"].read_text("utf-8"))
        assert list(listed) == [name for name in names if name not in ("sample_spec", "fallback_generalizations")]

    def test_everything_the_list_says_of_a_model(self, listed: dict[str, Listed]) -> None:
        assert listed["house/large"] == Listed(
            name="house/large",
            provider="house",
            model="large",
            cost=decimals(In="3", Out="15", CacheRead="0.3", CacheWrite="3.75"),
            notes=("dearer above 200000 tokens: 6 in, 22.5 out", "input per image: 0.0048 USD"),
            source="https://example.com/pricing",
            context_tokens=1_000_000,
            max_output_tokens=64_000,
            provides=(
                "128k-context",
                "1m-context",
                "200k-context",
                "32k-context",
                "function-calling",
                "json-mode",
                "parallel-tool-calls",
                "reasoning",
                "streaming",
                "structured-output",
                "tool-use",
                "vision",
            ),
            deprecation_date="2027-05-14",
        )

    @pytest.mark.parametrize(
        ("name", "problem"),
        [
            ("noisy", "the input price has more than six decimal places: 0.15000000000000002"),
            ("house/embed", "no output price"),
            ("house/rerank", "priced per query, not by token"),
            ("1024-x-1024/paint", "priced per image, not by token"),
        ],
    )
    def test_a_price_that_cannot_be_taken(self, listed: dict[str, Listed], name: str, problem: str) -> None:
        assert listed[name].problem == problem
        assert listed[name].cost == {}

    @pytest.mark.parametrize(
        ("name", "cost", "notes"),
        [
            (
                "noisy-cache",
                decimals(In="1", Out="2"),
                ("usdPerMtokCacheRead left out: it has more than six decimal places: 0.10000000000000002",),
            ),
            ("vertex_ai/mistral@1", decimals(In="0", Out="0"), ("listed as free",)),
            (
                "house/speech",
                decimals(In="2.5", Out="10"),
                (
                    "input per million audio tokens: 6 USD",
                    "output per million reasoning tokens: 40 USD",
                    "other prices off peak",
                ),
            ),
            ("house/tiered", decimals(In="0.05", Out="0.4"), ("dearer above 256000 tokens: 0.25 in, 2 out",)),
        ],
    )
    def test_a_price_with_notes(
        self, listed: dict[str, Listed], name: str, cost: dict[str, Decimal], notes: tuple[str, ...]
    ) -> None:
        assert listed[name].cost == cost
        assert listed[name].notes == notes
        assert listed[name].problem == ""

    def test_sizes_sources_and_tags(self, listed: dict[str, Listed]) -> None:
        assert listed["noisy"].provides == ("streaming",)
        assert listed["noisy-cache"].provides == ()
        assert listed["noisy-cache"].context_tokens == 8192
        assert listed["house/embed"].provides == ("embeddings",)
        assert listed["house/embed"].context_tokens == 8191
        assert listed["house/embed"].source is None
        assert listed["house/rerank"].provides == ("rerank",)

    @pytest.mark.parametrize(
        ("key", "provider", "model"),
        [
            ("gpt", "openai", "gpt"),
            ("openrouter/anthropic/claude", "openrouter", "anthropic/claude"),
            ("vertex_ai/mistral@1", "vertex_ai-mistral_models", "mistral@1"),
            ("azure/instruct", "azure_text", "instruct"),
            ("amazon-nova/micro", "amazon_nova", "micro"),
            ("low/paint", "openai", "low/paint"),
            ("meta/llama", "meta_llama", "meta/llama"),
            ("p/", "p", "p/"),
        ],
    )
    def test_the_name_on_the_wire_has_no_prefix_of_its_provider(self, key: str, provider: str, model: str) -> None:
        listed = litellm.read(json.dumps({key: {"litellm_provider": provider}}), "prices.json")[key]
        assert (listed.name, listed.provider, listed.model) == (key, provider, model)

    def test_a_price_that_is_no_number_is_not_taken_for_one_per_image(self) -> None:
        fields = {"litellm_provider": "p", "input_cost_per_token": "?", "output_cost_per_image": 1}
        problem = litellm.read(json.dumps({"m": fields}), "prices.json")["m"].problem
        assert problem == "the input price is no number: '?' and no output price"

    @pytest.mark.parametrize("date", ["2026-02-30", "20260201", "soon", "", 2026, None, ["2026-02-01"]])
    def test_what_is_no_date_is_left_out(self, date: Any) -> None:
        fields = {"litellm_provider": "p", "deprecation_date": date}
        assert litellm.read(json.dumps({"m": fields}), "prices.json")["m"].deprecation_date is None

    def test_a_field_of_an_odd_name_is_no_note(self) -> None:
        fields = {"litellm_provider": "p", "output_cost_per_\x1b[31mimage": 1, f"input_cost_per_{'x' * 99}": 1}
        assert litellm.read(json.dumps({"m": fields}), "prices.json")["m"].notes == ()

    def test_prices_above_a_bound_beside_a_price_that_cannot_be_taken(self) -> None:
        fields = {"litellm_provider": "p", "input_cost_per_token_above_1k_tokens": 1e-6, "input_cost_per_token": 1e-6}
        assert litellm.read(json.dumps({"m": fields}), "p")["m"].notes == ("other prices above 1000 tokens: 1 in",)

    def test_equal_prices_above_a_bound_are_not_told(self) -> None:
        more = {"input_cost_per_token_above_128k_tokens": 1e-6, "output_cost_per_token_above_128000_tokens": 5e-7}
        text = model_text("litellm", dict.fromkeys(NEEDED, "1e-6"))
        listed = litellm.read(json.dumps({"m": {**json.loads(text), **more}}), "prices.json")["m"]
        assert listed.notes == ("cheaper above 128000 tokens: 0.5 out",)


class TestModelsDev:
    @pytest.fixture
    def listed(self) -> dict[str, Listed]:
        return models_dev.read(FILES["models.dev"].read_text("utf-8"), "api.json")

    def test_every_model_is_there(self, listed: dict[str, Listed]) -> None:
        names = ["house/large", "house/older", "house/no-cost", "house/text-embed", "plan/house/large", "plan/paint"]
        assert list(listed) == names

    def test_everything_the_list_says_of_a_model(self, listed: dict[str, Listed]) -> None:
        assert listed["house/large"] == Listed(
            name="house/large",
            provider="house",
            model="large",
            cost=decimals(In="2.5", Out="15", CacheRead="0.25"),
            notes=(
                "dearer above 272000 tokens: 5 in, 22.5 out",
                "input per million audio tokens: 32 USD",
                "output per million reasoning tokens: 20 USD",
                "usdPerMtokCacheWrite left out: it has more than six decimal places: 0.30000000000000004",
            ),
            source="https://example.com/models",
            context_tokens=1_050_000,
            max_output_tokens=128_000,
            provides=(
                "128k-context",
                "1m-context",
                "200k-context",
                "32k-context",
                "audio-in",
                "audio-out",
                "function-calling",
                "json-mode",
                "reasoning",
                "streaming",
                "structured-output",
                "tool-use",
                "vision",
            ),
        )

    def test_an_older_way_of_saying_tiers(self, listed: dict[str, Listed]) -> None:
        older = listed["house/older"]
        assert older.cost == decimals(In="0.15", Out="0.6")
        assert older.notes == ("listed as deprecated", "dearer above 200000 tokens: 0.3 in, 1.2 out")
        assert older.max_output_tokens is None
        assert older.provides == ("128k-context", "32k-context", "function-calling", "streaming", "tool-use")

    def test_what_has_no_price_and_what_is_free(self, listed: dict[str, Listed]) -> None:
        assert listed["house/no-cost"].problem == "no input price and no output price"
        assert listed["house/no-cost"].provides == ("32k-context", "streaming")
        free = listed["plan/house/large"]
        assert (free.provider, free.model, free.source) == ("plan", "house/large", None)
        assert (free.cost, free.notes) == (decimals(In="0", Out="0"), ("listed as free",))

    def test_what_answers_no_text(self, listed: dict[str, Listed]) -> None:
        assert listed["house/text-embed"].provides == ("embeddings",)
        assert listed["house/text-embed"].cost == decimals(In="0.02", Out="0")
        assert listed["plan/paint"].provides == ()
        assert listed["plan/paint"].notes == ("its answers are no text",)
        assert listed["plan/paint"].problem == "the input price has more than six decimal places: 0.09999999999999999"

    def test_a_tier_of_something_else_than_context_is_none_of_long_prompts(self) -> None:
        tier = {"input": 9, "output": 9, "tier": {"type": "requests", "size": 1000}}
        text = json.dumps({"p": {"models": {"m": {"cost": {"input": 1, "output": 1, "tiers": [tier, 3]}}}}})
        assert models_dev.read(text, "api.json")["p/m"].notes == ()

    def test_two_models_of_one_name_are_neither_of_them(self) -> None:
        fine = {"cost": {"input": 1, "output": 1}}
        text = json.dumps(
            {"a": {"models": {"b/c": fine}}, "a/b": {"models": {"c": fine, "d": fine}}, "e": 3, "f": {"models": [3]}}
        )
        listed = models_dev.read(text, "api.json")
        assert {name: one.problem for name, one in listed.items()} == {
            "a/b/c": "two models of the list have this name",
            "a/b/d": "",
            "e": "the provider has no models",
            "f": "the provider has no models",
        }
        assert listed["a/b/c"].cost == {}
