"""`aldo chat --file`: texts and images beside a prompt, or instead of one."""

from __future__ import annotations

import base64
import json

import pytest

from tests.cli.chat_options.chatting import Aldo, body, refused
from tests.support.fake_server import FakeServer


def test_texts_come_after_the_prompt_each_under_its_name(aldo: Aldo, server: FakeServer) -> None:
    files = [aldo.file("a.txt", "first"), aldo.file("b.py", "second"), aldo.file("c", "третий")]
    arguments = [part for file in files for part in ("--file", file)]
    assert aldo.chat("Compare.", *arguments, servers=[server]).exit_code == 0
    content = body(server)["messages"][0]["content"]
    assert content == "Compare.\n\na.txt:\nfirst\n\nb.py:\nsecond\n\nc:\nтретий"


def test_a_file_alone_is_the_prompt_and_nothing_is_read_from_standard_input(aldo: Aldo, server: FakeServer) -> None:
    aldo.chat("--file", aldo.file("prompt.txt", "Who pays?"), servers=[server], stdin="piped")
    assert body(server)["messages"] == [{"role": "user", "content": "Who pays?"}]


def test_a_piped_prompt_and_a_file_go_together(aldo: Aldo, server: FakeServer) -> None:
    aldo.chat("-", "--file", aldo.file("a.txt", "the text"), servers=[server], stdin="Sum up.")
    assert body(server)["messages"][0]["content"] == "Sum up.\n\na.txt:\nthe text"


PICTURE = b"\x89PNG\r\n\x1a\n\x00\x00\xff"


@pytest.mark.parametrize(
    ("name", "kind"),
    [("a.png", "image/png"), ("b.JPG", "image/jpeg"), ("c.webp", "image/webp"), ("d.gif", "image/gif")],
)
def test_an_image_is_sent_as_a_part_with_its_bytes_in_it(name: str, kind: str, aldo: Aldo, server: FakeServer) -> None:
    aldo.chat("What is it?", "--file", aldo.file(name, PICTURE), servers=[server])
    text, image = body(server)["messages"][0]["content"]
    assert text == {"type": "text", "text": "What is it?"}
    head, data = image["image_url"]["url"].split(",")
    assert (image["type"], head, base64.b64decode(data)) == ("image_url", f"data:{kind};base64", PICTURE)


def test_images_and_texts_mix_and_the_images_keep_their_order(aldo: Aldo, server: FakeServer) -> None:
    files = [aldo.file("1.png", b"one"), aldo.file("notes.txt", "notes"), aldo.file("2.png", b"two")]
    aldo.chat("Look.", *[part for file in files for part in ("--file", file)], servers=[server])
    text, *images = body(server)["messages"][0]["content"]
    assert text["text"] == "Look.\n\nnotes.txt:\nnotes"
    assert [base64.b64decode(image["image_url"]["url"].split(",")[1]) for image in images] == [b"one", b"two"]


def test_an_image_needs_no_prompt_beside_it(aldo: Aldo, server: FakeServer) -> None:
    assert aldo.chat("--file", aldo.file("a.png", PICTURE), servers=[server]).exit_code == 0
    (image,) = body(server)["messages"][0]["content"]
    assert image["type"] == "image_url"


@pytest.mark.parametrize("name", ["a.bin", "a.txt", "noname", "a.pdf"])
def test_what_is_neither_text_nor_image_is_refused_by_name(name: str, aldo: Aldo, server: FakeServer) -> None:
    file = aldo.file(name, b"\x7fELF\x00\x01")
    refused(
        aldo.chat("x", "--file", file, servers=[server]), server, file.replace("\n", " "), "neither a text nor an image"
    )


@pytest.mark.parametrize("missing", ["nowhere.txt", ".", "a/b"])
def test_a_file_that_cannot_be_read_is_named(missing: str, aldo: Aldo, server: FakeServer) -> None:
    result = aldo.chat("x", "--file", str(aldo.folder / missing), servers=[server])
    refused(result, server, "cannot be read")


def test_a_file_counts_for_routing_as_the_prompt_does(aldo: Aldo, server: FakeServer) -> None:
    """The entry has 32768 tokens; a text of 200 000 characters does not fit, and nobody is asked."""
    file = aldo.file("long.txt", "word " * 40_000)
    result = aldo.chat("Sum up.", "--file", file, "--json", servers=[server])
    assert result.exit_code == 1
    assert json.loads(result.stdout)["error"]["code"] == "no_eligible_model"
    assert server.connections == 0
