"""An apiKeyEnv that is no name of a variable."""

from __future__ import annotations

import re
from collections.abc import Iterator

from aldo.schema.secrets import is_key_for_variable, is_variable_name
from aldo.validate.example import WITH_CLOUD, changed
from aldo.validate.rule import Defect, Rule
from aldo.validate.subject import Subject


def check(subject: Subject) -> Iterator[Defect]:
    for entry in subject.entries:
        given = entry.config.get("apiKeyEnv")
        if not isinstance(given, str) or not given or is_variable_name(given) or is_key_for_variable(given):
            continue
        meant = re.sub(r"[^A-Za-z0-9]+", "_", given).strip("_").upper()
        path = entry.at("providerConfig", "apiKeyEnv")
        fix = subject.replaced(path, meant, f"write {meant}") if is_variable_name(meant) else None
        hint = f"did you mean {meant}?" if fix else "write a name such as OPENAI_API_KEY"
        yield Defect(
            path, f"apiKeyEnv takes the bare name of an environment variable, and {given!r} is none", hint, fix=fix
        )


RULE = Rule(
    code="AL211",
    name="key-variable",
    severity="error",
    summary="apiKeyEnv is not the name of an environment variable.",
    explanation="""\
It names the variable that holds the key, without `$` and braces: letters, digits and underscores. Nothing in a
catalog is expanded. What looks like the key itself is told of by AL304.
""",
    bad=changed("OPENAI_API_KEY", "$OPENAI_API_KEY", WITH_CLOUD),
    good=WITH_CLOUD,
    check=check,
)
