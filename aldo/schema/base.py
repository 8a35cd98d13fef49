"""What all our types share: frozen, strict about keys, camelCase outside and snake_case inside."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError


class Frozen(BaseModel):
    """A value that never changes. Unknown keys are errors.

    Python code may use either spelling of a field. Files must use camelCase: their readers validate
    with `by_name=False`, so a snake_case key in YAML is an unknown key.
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        defer_build=True,  # a validator is built when it is first needed: most commands need few
        hide_input_in_errors=True,
    )


class SnakeCase(Frozen):
    """The same for files that spell their keys in snake_case: agents and suites."""

    model_config: ClassVar[ConfigDict] = ConfigDict(alias_generator=None)


def _whole_number(value: Any) -> Any:
    if isinstance(value, (bool, str)) or (isinstance(value, float) and not value.is_integer()):
        raise PydanticCustomError("whole_number", "must be a whole number")
    return value


Whole: BeforeValidator = BeforeValidator(_whole_number)
"""Annotates an int that must be written as one: no booleans, no texts that look like numbers.

Bounds stand before it, `Annotated[int, Field(ge=1), Whole]`, so that they reach the JSON Schema.
"""

Text = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=10_000)]
"""A text with something in it."""

NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._:/@+-]*$"
Name = Annotated[str, StringConstraints(strict=True, max_length=200, pattern=NAME_PATTERN)]
"""An id, a class or a tag: letters, digits and `. _ : / @ + -`, beginning with a letter or digit."""


def _version(value: Any) -> Any:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and value == value // 1
    if value is not None and not isinstance(value, str) and not is_number:
        raise PydanticCustomError("version_type", "must be a whole number or a text")  # one error, not one of each type
    return value


Version = Annotated[int | str | None, Field(union_mode="left_to_right"), BeforeValidator(_version)]
"""The version that the author of a file gives it."""


def one_or_list(value: Any) -> Any:
    """A text where a list of them may stand is a list of one."""
    return [value] if isinstance(value, str) else value
