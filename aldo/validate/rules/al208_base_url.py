"""A base URL that is none."""

from __future__ import annotations

from collections.abc import Iterator

from aldo.schema.places import split_base_url
from aldo.validate.example import configured
from aldo.validate.rule import Defect, Rule
from aldo.validate.subject import Subject


def check(subject: Subject) -> Iterator[Defect]:
    for entry in subject.entries:
        url = entry.base_url
        if url is None or subject.base_url(url) is not None:
            continue
        path = entry.at("providerConfig", "baseUrl")
        shown = url.rpartition("@")[2]  # what stands before may be a password
        whole = f"http://{url}"
        if "://" not in url and split_base_url(whole) is not None:
            fix = subject.replaced(path, whole, f"write {whole}")
            yield Defect(path, f"{shown!r} has no scheme", f"write http://{shown} or https://{shown}", fix=fix)
        else:
            hint = "write a URL such as http://localhost:8081"
            yield Defect(path, f"{shown!r} is not an http or https URL without query and fragment", hint)


RULE = Rule(
    code="AL208",
    name="base-url",
    severity="error",
    summary="providerConfig.baseUrl is not an http or https URL.",
    explanation="""\
The entry would be chosen and then fail. A base URL has a scheme and a host, and neither query nor fragment:
`http://localhost:8081`, with or without `/v1`.
""",
    bad=configured("{ baseUrl: localhost:8081 }"),
    good=configured("{ baseUrl: http://localhost:8081 }"),
    check=check,
    scope="value",
)
