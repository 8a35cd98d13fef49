"""The answer, the settings of a request, and the prompt: given, piped or empty."""

from __future__ import annotations

import pytest

from tests.cli.chat_options.chatting import Aldo, body, refused
from tests.support.fake_server import FakeServer


def test_standard_output_holds_the_answer_and_nothing_else(aldo: Aldo, server: FakeServer) -> None:
    result = aldo.chat("hello", servers=[server])
    assert (result.exit_code, result.stdout, result.stderr) == (0, "Hello\n", "")


def test_the_settings_of_a_request_are_sent_as_they_were_given(aldo: Aldo, server: FakeServer) -> None:
    aldo.chat("hello", "--seed", "7", "--max-tokens", "33", "--temperature", "0.25", "--top-p", "0.5", "--system", "Be brief.", servers=[server])  # fmt: skip
    sent = body(server)
    assert (sent["seed"], sent["max_tokens"], sent["temperature"], sent["top_p"]) == (7, 33, 0.25, 0.5)
    assert sent["messages"] == [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hello"}]
    assert sent["stream"] is True


@pytest.mark.parametrize("seed", ["0", "-1", "123456789012345678901234567890"])
def test_a_seed_is_any_whole_number(seed: str, aldo: Aldo, server: FakeServer) -> None:
    assert aldo.chat("x", "--seed", seed, servers=[server]).exit_code == 0
    assert body(server)["seed"] == int(seed)


@pytest.mark.parametrize(
    "wrong",
    [("--seed", "x"), ("--seed", "1.5"), ("--max-tokens", "-1"), ("--max-tokens", "0"), ("--max-tokens", "x"), ("--retries", "-1"),
     ("--retries", "101"), ("--repair", "-1"), ("--repair", "11"), ("--temperature", "nan"), ("--usage", ""), ("--timeout", "0")],
)  # fmt: skip
def test_values_out_of_range_are_bad_usage(wrong: tuple[str, str], aldo: Aldo, server: FakeServer) -> None:
    refused(aldo.chat("x", *wrong, servers=[server]), server, "--" if wrong[0] != "--usage" else "--usage is empty")


@pytest.mark.parametrize("arguments", [(), ("-",)])
@pytest.mark.parametrize("stdin", ["a prompt\n", "крокодил", "two\n\nparagraphs"])
def test_a_piped_prompt_is_sent_as_it_is(
    arguments: tuple[str, ...], stdin: str, aldo: Aldo, server: FakeServer
) -> None:
    assert aldo.chat(*arguments, servers=[server], stdin=stdin).exit_code == 0
    assert body(server)["messages"] == [{"role": "user", "content": stdin}]


def test_a_piped_prompt_that_is_no_utf_8_is_sent_with_marks_for_what_is_not(aldo: Aldo, server: FakeServer) -> None:
    aldo.chat(servers=[server], stdin=b"a\xff\xfeb")
    assert body(server)["messages"][0]["content"] == "a\ufffd\ufffdb"


def test_a_given_prompt_leaves_standard_input_alone(aldo: Aldo, server: FakeServer) -> None:
    aldo.chat("given", servers=[server], stdin="piped")
    assert body(server)["messages"][0]["content"] == "given"


@pytest.mark.parametrize(("arguments", "stdin"), [((), ""), ((), " \n"), (("-",), ""), (("",), "x"), (("  ",), "x")])
def test_an_empty_prompt_is_bad_usage(arguments: tuple[str, ...], stdin: str, aldo: Aldo, server: FakeServer) -> None:
    refused(aldo.chat(*arguments, servers=[server], stdin=stdin), server, "empty")
