"""Keys: what is taken for one, what is not, and that masking leaves none."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aldo.schema.secrets import find_secrets, is_literal, is_secret_name, mask, masked
from aldo.schema.vocabulary import CAPABILITIES, CAPABILITY_CLASSES

BODY = "Zq81kXw02mVbT5yHc9LrN4dPfGj7sAe3UoIx6QzWBtYv"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NSJ9.SflKxwRJSMeKKF2QT4fwpM"
PEM = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQ\nEFAASCBKcwggSjAgEAAoIBAQ\n-----END PRIVATE KEY-----"
ENCRYPTED_PEM = (
    "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,3F17F5316E2BAC89\n\n"
    "MIIEvQIBADANBgkqhkiG9w0BAQ\n-----END RSA PRIVATE KEY-----"
)
KEYS = [
    *(prefix + BODY for prefix in (
        "sk-", "sk-proj-", "sk-ant-api03-", "sk-or-v1-", "gsk_", "hf_", "xai-", "r8_", "pplx-", "nvapi-", "csk-", "fw_",
        "tgp_v1_", "jina_", "AIzaSy", "ghp_", "gho_", "github_pat_", "glpat-", "xoxb-", "xoxp-", "voyage-",
    )),
    "AKIAIOSFODNN7EXAMPLE", "ASIAIOSFODNN7EXAMPLE", JWT,
]  # fmt: skip


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize(
    "around",
    ["{}", "key: {}", 'key: "{}"', "# {}", "[a, {}]", "{{k: {}}}", "Bearer {}", "?key={}&x=1", "{}\r\n", "x='{}'"],
)
def test_a_key_is_found_as_a_whole_wherever_it_stands(key: str, around: str) -> None:
    text = around.format(key)
    assert [text[start:end] for start, end in find_secrets(text)] == [key]


@pytest.mark.parametrize("value", ["https://user:hunter22@host", "http://u:p@host:80/x", "wss://me:s3cret@h"])
def test_a_password_in_a_url_is_found(value: str) -> None:
    (place,) = find_secrets(value)
    assert value[slice(*place)] == value.partition("://")[2].partition("@")[0]


@pytest.mark.parametrize("password", ["pa$$word123", "hunter*22x", "p<w>d12345"])
def test_a_password_may_hold_any_letter(password: str) -> None:
    """Only what is a reference as a whole, such as ${PASSWORD}, is none."""
    assert list(find_secrets(f"https://user:{password}@host"))


@pytest.mark.parametrize("pem", [PEM, PEM.replace("PRIVATE", "EC PRIVATE"), PEM.replace("\n", "\n    "), ENCRYPTED_PEM],
                         ids=["plain", "ec", "indented", "encrypted"])  # fmt: skip
def test_no_line_of_a_private_key_stays(pem: str) -> None:
    assert "MII" not in masked(f"key: |\n  {pem}\n")
    assert masked(pem).count("\n") == pem.count("\n")


ORDINARY = [
    "mlx-community/Qwen2.5-7B-Instruct-4bit", "mlx-qwen2.5-7b-instruct-4bit", "meta-llama/Llama-3.3-70B-Instruct",
    "claude-sonnet-4-5-20250929", "gpt-4o-mini-2024-07-18", "sk-learn", "scikit-learn-embeddings", "task-oriented-model-v2",
    "sk-learn-style-words", "disk-cache-of-the-large-model-2025", "risk-assessment-model-for-2025-v2", "default_model",
    "voyage-code-3", "voyage-multilingual-2", "voyage-large-2-instruct", "jina-embeddings-v2-base-en", "pplx-7b-online",
    "pplx-70b-chat", "xai-grok-4", "hf_token", "HF_TOKEN", "OPENAI_API_KEY", "fw_llama", "https://api.openai.com/v1",
    "http://localhost:8081", "https://user@host/x", "http://[::1]:8081/v1", "me@example.com: hello", "usdPerMtokIn: 0.15",
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "q4_0", "Bearer $KEY", "Bearer ${API_KEY}",
    "Bearer <your key>", "sk-your-key-goes-here", "sk-xxxxxxxxxxxxxxxxxxxxxxxx", "sk-...", "https://user:${PASSWORD}@host",
    "https://user:<password>@host", "AKIA", "eyJ", "Basic", "Bearer", "-----BEGIN CERTIFICATE-----",
    *CAPABILITIES, *CAPABILITY_CLASSES,
]  # fmt: skip


@pytest.mark.parametrize("word", ORDINARY)
def test_ordinary_words_of_a_catalog_are_no_keys(word: str) -> None:
    assert list(find_secrets(f"  - id: {word}  # {word}")) == []
    assert masked(word) == word


LOOK_ALIKES = [
    "xai-grok-4-fast-reasoning",
    "xai-grok-4-1-fast-non-reasoning",
    "pplx-llama-3-sonar-large-32k-online",
    "sk-learn-embeddings-v2-large",
    "hf_internal_testing_tiny_random",
    "Basic reasoning model for drafts",
    "Basic multilingual support",
    "Bearer authentication, see the manual",
]


@pytest.mark.parametrize("words", LOOK_ALIKES)
def test_model_names_and_prose_are_no_keys(words: str) -> None:
    """AL304 is an error: an id made of a provider and its model, or a sentence, must not fail a build."""
    assert list(find_secrets(f"description: {words}")) == []


@pytest.mark.parametrize(
    "name",
    ["Authorization", "authorization", "Proxy-Authorization", "X-Api-Key", "api_key", "apiKey", "api-key", "X-Auth-Token",
     "access_token", "hf_token", "token", "password", "client_secret", "Cookie", "db-password", "aws_access_key"],
)  # fmt: skip
def test_names_of_secrets(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    ["tokens", "max_tokens", "tokenizer", "maxTokens", "keys", "seed", "author", "model", "Content-Type", "keyboard",
     "tokens_in", "passwordless", "draftModel", "User-Agent", "samplerSeed", ""],
)  # fmt: skip
def test_names_of_other_things(name: str) -> None:
    assert not is_secret_name(name)


@pytest.mark.parametrize("value", [BODY, "hunter22", "Bearer abcdefgh", "correct horse battery"])
def test_a_literal_is_what_could_be_used_as_it_is(value: str) -> None:
    assert is_literal(value)


@pytest.mark.parametrize(
    "value",
    ["", "none", "${API_KEY}", "$API_KEY", "Bearer ${KEY}", "<your key>", "{{ key }}", "xxxxxxxx", "********", "..."],
)
def test_a_reference_or_a_placeholder_is_no_literal(value: str) -> None:
    assert not is_literal(value)


# Pieces whose neighbours decide: prefixes, separators that end one shape and not another, and plain letters.
PIECES = [
    *KEYS, PEM, "sk-", "hf_", "eyJ", ".eyJ", "Bearer ", "Basic ", "://", "@", ":", "/", ".", "-", "_", "=", "~", " ", "\n",
    "\r\n", "\r", "*", "$", "é", "😀", "user", "pw12345678", BODY, BODY[:9], "-----BEGIN PRIVATE KEY-----",
    "-----END PRIVATE KEY-----", "AKIA", "https://user:hunter22@host", "\u2028",
]  # fmt: skip
texts = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)


@settings(max_examples=600)
@given(texts)
def test_masking_keeps_length_and_line_ends(text: str) -> None:
    shown = masked(text)
    assert len(shown) == len(text)
    assert [(at, letter) for at, letter in enumerate(shown) if letter in "\r\n"] == [
        (at, letter) for at, letter in enumerate(text) if letter in "\r\n"
    ]
    assert all(new in (old, "*") for old, new in zip(text, shown, strict=True))


@settings(max_examples=1500)
@given(texts)
def test_masking_leaves_nothing_to_find_and_a_second_time_changes_nothing(text: str) -> None:
    shown = masked(text)
    assert list(find_secrets(shown)) == []
    assert masked(shown) == shown


@settings(max_examples=600)
@given(texts)
def test_places_are_in_order_and_do_not_overlap(text: str) -> None:
    ends = 0
    for start, end in find_secrets(text):
        assert ends <= start < end <= len(text)
        ends = end


def test_of_two_shapes_that_overlap_nothing_stays() -> None:
    """`Basic` ends at a hyphen and a Google key does not; `Bearer` goes on behind a dot and an OpenAI key does not."""
    assert "defghij" not in masked("Authorization: Basic AIzaSyA1234567-abcdefghijklmnopqrstuvwxyz12")
    assert "SECRET" not in masked(f"Authorization: Bearer sk-proj-{BODY}.SECRETTAIL")


@given(st.sampled_from(KEYS), st.sampled_from(KEYS), st.sampled_from([" ", "\n", ", ", "\r\n", "' '", "|"]))
def test_every_key_of_a_text_is_masked(first: str, second: str, between: str) -> None:
    shown = masked(f"a: {first}{between}{second}\n")
    for key in (first, second):
        assert key not in shown
        assert not any(key[at : at + 8] in shown for at in range(4, len(key) - 8))


@given(st.text(max_size=60))
def test_a_mask_shows_four_letters_at_most_and_only_of_what_is_long(secret: str) -> None:
    shown = mask(secret)
    letters = re.sub(r"[\r\n]", "", shown)
    visible = [letter for letter in letters if letter != "*"]
    assert len(visible) <= 4
    assert len(secret) >= 16 or not visible
    assert len(shown) == len(secret)


HOSTILE = [
    "sk-" * 100_000,
    "sk-a " * 60_000,
    "://" * 100_000,
    "://a:" * 60_000 + "@",
    "https://" + "a:" * 150_000,
    "://" + "a" * 199 + ":" + "b" * 300_000,
    "eyJ" * 100_000,
    "eyJ" + "a" * 300_000,
    ("eyJ" + "a" * 400 + ".") * 700,
    "-----BEGIN " * 30_000,
    "-----BEGIN " + "A" * 300_000,
    "-----BEGIN PRIVATE KEY-----" + "a" * 300_000,
    "Bearer " * 40_000,
    "Basic " * 50_000,
    "AKIA" * 75_000,
    "hf_" + "-" * 300_000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: f"{text[:12]!r}")
def test_a_hostile_text_is_gone_through_once(text: str) -> None:
    """Each would take minutes where a shape were tried from every place of a long run again."""
    assert len(masked(text)) == len(text)


class Counted(str):
    """A text that counts the letters that are copied out of it and of what is made of it."""

    copied = 0

    def __getitem__(self, key: object) -> str:
        piece = str.__getitem__(self, key)  # type: ignore[index]
        Counted.copied += len(piece)
        return Counted(piece)

    def __add__(self, other: str) -> str:
        Counted.copied += len(self) + len(other)
        return Counted(str.__add__(self, other))


def test_masking_many_keys_copies_the_text_a_few_times_and_not_once_for_each() -> None:
    """A file of a hundred thousand keys would otherwise take minutes."""
    text = Counted("".join(f"k: sk-proj-{number:06}{BODY}\n" for number in range(300)))
    Counted.copied = 0
    assert BODY[:9] not in masked(text)
    assert Counted.copied <= 20 * len(text)
