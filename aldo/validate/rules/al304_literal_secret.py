"""A key that stands in the file."""

from __future__ import annotations

from collections.abc import Iterator

from aldo.validate.example import WITH_CLOUD, changed
from aldo.validate.rule import Defect, Rule
from aldo.validate.subject import Subject


def check(subject: Subject) -> Iterator[Defect]:
    for secret in subject.secrets:
        yield Defect(
            secret.path,
            f"{secret.what}: {subject.document.shown_text[slice(*secret.place)].splitlines()[0]}",
            "withdraw it and take it out; providerConfig.apiKeyEnv names the variable that holds the key",
            place=secret.place,
        )


RULE = Rule(
    code="AL304",
    name="literal-secret",
    severity="error",
    summary="The file holds a key, a password or a token in plain text.",
    explanation="""\
Everybody who can read the catalog, its history and its reports can use it: withdraw the key, then name an
environment variable under `providerConfig.apiKeyEnv`. Found are values shaped like the keys of known
providers anywhere in the file, comments too; values of headers and knobs named like Authorization or
X-Api-Key; passwords in URLs; and an `apiKeyEnv` that looks like the key itself. No output of aldo shows
more than the first letters.
""",
    bad=changed("OPENAI_API_KEY", "sk-proj-Zq81kXw02mVbT5yHc9", WITH_CLOUD),
    good=WITH_CLOUD,
    check=check,
    scope="text",
)
