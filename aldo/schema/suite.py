"""A suite file (`schema: aldo-ai/eval.v1`): cases to put to models, evaluators of their answers, a threshold for each.

Its keys are snake_case, as in the seed project's own files. Nothing in it names a model: who answers is chosen
where it is run, and a judge is asked for by its capability class.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Discriminator, Field, JsonValue, Tag, model_validator
from pydantic_core import PydanticCustomError

from aldo.schema.base import Name, SnakeCase, Text, Version, Whole, one_or_list
from aldo.schema.frozen import FrozenMap, frozen

SUITE_SCHEMA: Literal["aldo-ai/eval.v1"] = "aldo-ai/eval.v1"

Score = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False, strict=True)]
_Switch = Annotated[bool, Field(strict=True)]


Texts = Annotated[tuple[Text, ...], BeforeValidator(one_or_list, json_schema_input_type=Text | tuple[Text, ...])]
"""One text or a list of them."""

_SomeTexts = Annotated[tuple[Text, ...], Field(min_length=1)]
References = Annotated[_SomeTexts, BeforeValidator(one_or_list, json_schema_input_type=Text | _SomeTexts)]
"""The same with at least one: whatever is compared with nothing would always pass, or never."""


def _exactly_one(*names: str) -> ConfigDict:
    """Tells the JSON Schema what the validators below say: one of these is given, and not two."""
    given: list[JsonValue] = [{"required": [name], "properties": {name: {"not": {"type": "null"}}}} for name in names]
    return ConfigDict(json_schema_extra={"oneOf": given})


class Case(SnakeCase):
    """What one request asks, and what is known of a right answer."""

    id: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")] = ""
    """Unique in the suite; without one, the number of the case counted from 1."""
    input: Annotated[str, Field(min_length=1, max_length=1_000_000, strict=True)]
    """What the user says. The system prompt is the agent's."""
    ground_truth: Annotated[Any, AfterValidator(frozen)] = None
    """What evaluators compare with: for the built-in ones a text or a list of texts."""
    tags: Texts = ()
    source: Text | None = None
    """Where it comes from. Cases of one source are no independent samples, and are resampled together."""


class _Evaluator(SnakeCase):
    name: Name
    """Unique in the suite; what `threshold` refers to."""
    tags: Texts = ()
    """Only for cases with one of these tags; without any, for all."""

    def is_for(self, case: Case) -> bool:
        """Whether it looks at the answers to a case."""
        return not self.tags or any(tag in case.tags for tag in self.tags)


class Contains(_Evaluator):
    """Whether the answer contains a text, or does not."""

    type: Literal["contains", "not-contains"]
    ref: References | None = None
    """The texts to look for. [default: the ground truth of the case]"""
    match: Literal["any", "all"] = "any"
    ignore_case: _Switch = False


class Exact(_Evaluator):
    """Whether the answer, but for white space around it, is one of some texts."""

    type: Literal["exact"]
    ref: References | None = None
    match: Literal["any", "all"] = "any"
    ignore_case: _Switch = False


class Regex(_Evaluator):
    """Whether a pattern matches somewhere in the answer. The engine is RE2: linear time, no look-around."""

    type: Literal["regex"]
    ref: References | None = None
    """The patterns. [default: the ground truth of the case]"""
    match: Literal["any", "all"] = "any"
    ignore_case: _Switch = False


class JsonSchema(_Evaluator):
    """Whether the answer is JSON that fits a schema; a code fence around it does not count."""

    model_config: ClassVar[ConfigDict] = _exactly_one("schema", "ref")

    type: Literal["json-schema"]
    ref: Text | None = None
    """A file with the schema, relative to the suite."""
    schema_: Annotated[Any, Field(alias="schema"), AfterValidator(frozen)] = None
    """The schema itself."""

    @model_validator(mode="after")
    def _has_one(self) -> JsonSchema:
        if (self.ref is None) == (self.schema_ is None):
            raise PydanticCustomError("one_schema", "needs either `schema`, written out, or `ref`, a file of it")
        return self


def _verdicts(choices: Mapping[str, float]) -> Mapping[str, float]:
    if len(choices) < 2:
        raise PydanticCustomError("two_verdicts", "must have at least two verdicts")
    if not all(choices):
        raise PydanticCustomError("verdict", "must not have an empty verdict")
    return FrozenMap(choices)


class LlmJudge(_Evaluator):
    """What another model makes of the answer, by a rubric. It is routed by class under the agent's privacy tier."""

    type: Literal["llm-judge"]
    capability_class: Name
    rubric: Text
    choices: Annotated[
        Mapping[str, Score],
        AfterValidator(_verdicts),
        Field(json_schema_extra={"minProperties": 2, "propertyNames": {"minLength": 1}}),
    ]
    """The verdicts that the judge chooses from, and the score of each."""
    max_tokens: Annotated[int, Field(ge=1, le=1_000_000), Whole] = 512


class Script(_Evaluator):
    """A command that gets the case and the answer as JSON on standard input and prints its score as JSON."""

    type: Literal["script"]
    command: Annotated[tuple[Text, ...], Field(min_length=1)]
    """The program and its arguments; no shell. It runs in the folder of the suite."""
    timeout: Annotated[float, Field(gt=0, le=3600, allow_inf_nan=False, strict=True)] = 10.0
    """Seconds; then it is killed with what it started."""
    max_output: Annotated[int, Field(ge=1, le=16 * 1024 * 1024), Whole] = 65_536
    """Bytes that it may print."""


BUILT_IN: tuple[str, ...] = ("contains", "not-contains", "regex", "exact", "json-schema", "llm-judge", "script")
"""The types of evaluators that need no other package."""


class Custom(_Evaluator):
    """An evaluator that another package brings through the entry points `aldo.evaluators`."""

    type: Annotated[Name, Field(json_schema_extra={"not": {"enum": list(BUILT_IN)}})]
    ref: Annotated[Any, AfterValidator(frozen)] = None
    options: Annotated[Mapping[str, Any], AfterValidator(frozen), Field(default_factory=FrozenMap)]


_TAGS = {name: f"<{name}>" for name in BUILT_IN} | {"not-contains": "<contains>"}


def _variant(value: Any) -> str:
    kind = value.get("type") if isinstance(value, Mapping) else getattr(value, "type", None)
    return _TAGS.get(kind, "<custom>") if isinstance(kind, str) else "<custom>"


Evaluator = Annotated[
    Annotated[Contains, Tag("<contains>")]
    | Annotated[Exact, Tag("<exact>")]
    | Annotated[Regex, Tag("<regex>")]
    | Annotated[JsonSchema, Tag("<json-schema>")]
    | Annotated[LlmJudge, Tag("<llm-judge>")]
    | Annotated[Script, Tag("<script>")]
    | Annotated[Custom, Tag("<custom>")],
    Discriminator(_variant),
]


class SuiteBody(SnakeCase):
    """What is asked, how, and how the answers are looked at."""

    model_config: ClassVar[ConfigDict] = _exactly_one("cases", "cases_dataset")

    name: Name
    description: Text | None = None
    cases: Annotated[tuple[Case, ...], Field(min_length=1)] | None = None
    """The cases, written out."""
    cases_dataset: Text | None = None
    """A file of the cases, JSONL or CSV, relative to the suite."""
    max_tokens: Annotated[int, Field(ge=1, le=10_000_000), Whole] = 512
    """The longest answer. One that is cut is `truncated`, and has no score."""
    stop: Annotated[Texts, Field(max_length=16)] = ()
    """Texts that end an answer where they come up; they are not part of it."""
    temperature: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False, strict=True)] = 0.0
    top_p: Score = 1.0
    evaluators: Annotated[tuple[Evaluator, ...], Field(min_length=1)]
    threshold: Annotated[
        Mapping[Name, Score],
        AfterValidator(FrozenMap),
        Field(
            default_factory=FrozenMap,
            json_schema_extra={"additionalProperties": False, "propertyNames": {"maxLength": 200}},
        ),
    ]
    """By evaluator the mean score that passes, each a gate of its own."""

    @model_validator(mode="after")
    def _has_cases(self) -> SuiteBody:
        if (self.cases is None) == (self.cases_dataset is None):
            raise PydanticCustomError("one_source", "needs either `cases`, written out, or `cases_dataset`, a file")
        return self


class Suite(SnakeCase):
    """A suite file."""

    version: Version = None
    schema_: Annotated[Literal["aldo-ai/eval.v1"], Field(alias="schema")] = SUITE_SCHEMA
    suite: SuiteBody
