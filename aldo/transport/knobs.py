"""`providerConfig.extra` against the JSON Schema of its provider kind."""

from __future__ import annotations

from aldo.errors import UsageError
from aldo.schema.entry import ModelEntry
from aldo.schema.frozen import thawed
from aldo.schema.kinds import KindData


def check_knobs(entry: ModelEntry, kind: KindData) -> None:
    """Raises `UsageError`, which names every knob that is unknown to the kind or has a wrong value."""
    given = {name: value for name, value in entry.provider_config.extra.items() if value is not None}
    if not given:
        return
    from jsonschema.validators import validator_for  # slow to import, and most entries have no knobs
    from referencing import Registry

    # A registry of its own: the default one would fetch a $ref that is a URL.
    validator = validator_for(kind.extra_schema)(kind.extra_schema, registry=Registry())
    problems = [
        f"{'.'.join(map(str, error.absolute_path)) or 'extra'}: {error.message}"
        for error in validator.iter_errors(thawed(given))
    ]
    if problems:
        raise UsageError(f"{entry.id}: providerConfig.extra: {'; '.join(sorted(problems))}")
