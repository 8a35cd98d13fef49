"""A small language of schemas, with a judge of its own, values that fit and values that nearly do."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

leaves = (
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.5, 2.0, -1.5]) | st.text("ab é", max_size=3)
)
anything = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)


def same(one: Any, other: Any) -> bool:
    """As JSON Schema counts: 1 is 1.0, and true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return type(one) in (int, float, str, type(None)) and one == other


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


TYPES: dict[str, Callable[[Any], bool]] = {
    "null": lambda v: v is None,
    "boolean": lambda v: isinstance(v, bool),
    "integer": lambda v: is_number(v) and float(v).is_integer(),
    "number": is_number,
    "string": lambda v: isinstance(v, str),
    "array": lambda v: isinstance(v, list),
    "object": lambda v: isinstance(v, dict),
}


def fits(schema: Any, value: Any, root: Any) -> bool:
    """The judge. Knows this language only, and nothing of jsonschema."""
    if isinstance(schema, bool):
        return schema
    if "$ref" in schema:
        return fits(root["$defs"]["d"], value, root)
    checks = [
        "type" not in schema or TYPES[schema["type"]](value),
        "const" not in schema or same(schema["const"], value),
        "enum" not in schema or any(same(one, value) for one in schema["enum"]),
        "anyOf" not in schema or any(fits(one, value, root) for one in schema["anyOf"]),
        "not" not in schema or not fits(schema["not"], value, root),
    ]
    if is_number(value):
        checks += [value >= schema.get("minimum", -math.inf), value <= schema.get("maximum", math.inf)]
    if isinstance(value, str):
        checks += [schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", math.inf)]
    if isinstance(value, list):
        checks += [schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", math.inf)]
        checks += [fits(schema.get("items", True), item, root) for item in value]
    if isinstance(value, dict):
        known = schema.get("properties", {})
        other = schema.get("additionalProperties", True)
        checks += [name in value for name in schema.get("required", [])]
        checks += [fits(known.get(name, other), item, root) for name, item in value.items()]
    return all(checks)


def _types(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    bounds = st.integers(-2, 2)
    sizes = st.integers(0, 2)
    return st.one_of(
        st.fixed_dictionaries({"type": st.just("array")}, optional={"items": inner, "minItems": sizes, "maxItems": sizes}),
        st.fixed_dictionaries(
            {"type": st.just("object"), "properties": st.dictionaries(st.sampled_from("abc"), inner, max_size=3)},
            optional={
                "required": st.lists(st.sampled_from("abc"), unique=True, max_size=2),
                "additionalProperties": st.just(False) | inner,
            },
        ),
        st.fixed_dictionaries({"type": st.sampled_from(["integer", "number"])}, optional={"minimum": bounds, "maximum": bounds}),
        st.fixed_dictionaries({"anyOf": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"not": inner}),
    )  # fmt: skip


plain = st.one_of(
    st.booleans(),
    st.fixed_dictionaries({"type": st.sampled_from(list(TYPES))}),
    st.fixed_dictionaries({"type": st.just("string")}, optional={"minLength": st.integers(0, 2), "maxLength": st.integers(0, 3)}),
    st.builds(lambda value: {"const": value}, anything),
    st.builds(lambda values: {"enum": values}, st.lists(leaves, min_size=1, max_size=4, unique_by=repr)),
    st.just({"$ref": "#/$defs/d"}),
)  # fmt: skip


@st.composite
def schemas(draw: st.DrawFn) -> Any:
    definition = draw(st.recursive(plain.filter(lambda s: s != {"$ref": "#/$defs/d"}), _types, max_leaves=3))
    root = draw(st.recursive(plain, _types, max_leaves=6).filter(lambda one: isinstance(one, dict)))
    return {"$defs": {"d": definition}, **root}


def instances(schema: Any, root: Any) -> st.SearchStrategy[Any]:
    """Mostly values that fit."""
    if isinstance(schema, bool):
        return anything
    if "$ref" in schema:
        return instances(root["$defs"]["d"], root)
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "anyOf" in schema:
        return st.one_of([instances(one, root) for one in schema["anyOf"]])
    kind = schema.get("type")
    if kind == "array":
        return st.lists(instances(schema.get("items", True), root), min_size=schema.get("minItems", 0), max_size=3)
    if kind == "object":
        fields = {name: instances(one, root) for name, one in schema.get("properties", {}).items()}
        wanted = {name: fields.get(name, anything) for name in schema.get("required", [])}
        return st.fixed_dictionaries(wanted, optional={n: s for n, s in fields.items() if n not in wanted})
    simple = {"null": st.none(), "boolean": st.booleans(), "integer": st.integers(-3, 3),
              "number": st.sampled_from([-2, -0.5, 0, 1.0, 2]), "string": st.text("ab é", max_size=3)}  # fmt: skip
    return simple.get(str(kind), anything)


@st.composite
def near(draw: st.DrawFn, value: Any) -> Any:
    """One thing of it otherwise."""
    if isinstance(value, list) and value and draw(st.booleans()):
        place = draw(st.integers(0, len(value) - 1))
        return [*value[:place], draw(near(value[place])), *value[place + 1 :]]
    if isinstance(value, dict) and value and draw(st.booleans()):
        name = draw(st.sampled_from(sorted(value)))
        return draw(
            st.sampled_from([
                {**value, name: draw(near(value[name]))},
                {other: item for other, item in value.items() if other != name},
                {**value, "z": 1},
            ])
        )  # fmt: skip
    return draw(anything)


@st.composite
def questions(draw: st.DrawFn) -> tuple[Any, Any]:
    """A schema, and an answer that fits or nearly does."""
    schema = draw(schemas())
    value = draw(instances(schema, schema))
    return schema, draw(st.sampled_from([value, value, draw(near(value))]))
