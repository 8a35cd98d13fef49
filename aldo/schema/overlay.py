"""An overlay (`kind: ModelCatalogOverlay`): what a layer changes of the catalog below it.

The parts of an entry that an overlay may say are derived from the entry itself, so that no field is written
down twice: everything is optional, maps stay maps of parts, lists may be edited, and `cost` is whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, TypeAlias, Union, get_args, get_origin

from pydantic import (
    BaseModel,
    Discriminator,
    Field,
    Tag,
    create_model,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from aldo.schema.base import Frozen, Name, Text
from aldo.schema.catalog import Routing, Vocabulary
from aldo.schema.entry import Cost, Deprecation, ModelEntry, ProviderConfig
from aldo.schema.frozen import FrozenMap
from aldo.schema.lock import Lockable
from aldo.schema.vocabulary import API_VERSION, OVERLAY_KIND

ADD, REMOVE, UNSET = "$add", "$remove", "$unset"

_MAPS: tuple[type[BaseModel], ...] = (ProviderConfig, Deprecation)
"""What merges by key. `Cost` is no such thing: a price must never be paired with one that somebody else wrote."""


class _ListEdit(Frozen):
    @model_validator(mode="after")
    def _says_something(self) -> Any:
        if not any(getattr(self, name) for name in type(self).model_fields):
            raise PydanticCustomError("no_edit", "must say what to $add or to $remove, or be a list")
        return self


def _list_or_edit(name: str, item: Any, whole: Any) -> Any:
    """A plain list, which replaces; or `{ $add: […], $remove: […] }`."""
    items = Annotated[tuple[item, ...], Field(min_length=1)]
    fields: dict[str, Any] = {
        "add": (items, Field(default=(), alias=ADD)),
        "remove": (items, Field(default=(), alias=REMOVE)),
    }
    edit = create_model(
        f"{name}Edit", __base__=_ListEdit, __doc__="Items to add to a list, and to take out of it.", **fields
    )
    return Annotated[
        Union[Annotated[whole, Tag("<list>")], Annotated[edit, Tag("<edit>")]],  # noqa: UP007 - built at run time
        Discriminator(lambda value: "<edit>" if isinstance(value, Mapping) else "<list>"),
    ]


def _required(annotation: Any) -> Any:
    """The type without None: a null in an overlay would be taken for deletion."""
    if get_origin(annotation) in (UnionType, Union):
        (annotation,) = (part for part in get_args(annotation) if part is not NoneType)
    return annotation


def _part(annotation: Any, field: FieldInfo, suffix: str, editable: bool) -> Any:
    annotation = _required(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if annotation in _MAPS:
            return _partial(annotation, suffix, editable)
        return _partial(annotation, suffix, editable, whole=suffix != "Expected") if annotation is Cost else annotation
    whole = Annotated[(annotation, *field.metadata)] if field.metadata else annotation
    if get_origin(annotation) is not tuple or not editable:
        return whole
    name = field.alias or ""
    return _list_or_edit(name[:1].upper() + name[1:], get_args(annotation)[0], whole)


class _Partial(Frozen):
    documented_by: ClassVar[type[BaseModel] | None] = None
    """The type whose fields these are; see `published.describe`."""


def _partial(
    model: type[BaseModel], suffix: str, editable: bool, more: Mapping[str, Any] | None = None, *, whole: bool = False
) -> Any:
    """A type with the fields of a model, none of them required; with `whole`, those that the model requires."""
    fields: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        if name == "id":
            continue
        part = _part(field.annotation, field, suffix, editable)
        if suffix == "Expected":
            part = part | None if not get_args(part) else Union[part, None]  # noqa: UP007 - null: it is not there
        extra: Any = field.json_schema_extra
        default: Any = ... if whole and field.is_required() else None
        fields[name] = (part, Field(default=default, alias=field.alias, json_schema_extra=extra))
    partial = create_model(
        f"{model.__name__}{suffix}",
        __base__=_Partial,
        __doc__=f"Some of the fields of {model.__name__}.",
        **fields,
        **(more or {}),
    )
    partial.documented_by = model
    return partial


UnsetPath = Annotated[Text, Field(description="A field to take away: latencyP95Ms, providerConfig.apiKeyEnv.")]

if TYPE_CHECKING:  # made of the fields of an entry below, which no checker can follow
    EntryOverride: TypeAlias = Any
    EntryExpected: TypeAlias = Any
    RoutingOverride: TypeAlias = Any
    VocabularyOverride: TypeAlias = Any
else:
    EntryOverride = _partial(
        ModelEntry, "Override", True, {"unset": (tuple[UnsetPath, ...], Field(default=(), alias=UNSET))}
    )
    """What an overlay says of an entry that is there: any of its fields but the id."""

    EntryExpected = _partial(ModelEntry, "Expected", False)
    """What an overlay takes for granted of an entry. A null says that the field is not there."""

    RoutingOverride = _partial(Routing, "Override", True)
    VocabularyOverride = _partial(Vocabulary, "Override", True)


class CatalogOverlay(Frozen):
    """A layer over a catalog. In the order given, each changes what those before it made."""

    api_version: Literal["aldo/models.v1"] = API_VERSION
    kind: Literal["ModelCatalogOverlay"] = OVERLAY_KIND
    override: Mapping[Name, EntryOverride] = Field(default_factory=FrozenMap)
    """Entries that are there, by id, with the fields that change."""
    add: tuple[ModelEntry, ...] = ()
    """Whole entries that are not there yet."""
    remove: tuple[Name, ...] = ()
    """The ids of entries to take away."""
    expect: Mapping[Name, EntryExpected] = Field(default_factory=FrozenMap)
    """What the layers below say while this overlay is right; when they no longer do, that is an error."""
    lock: tuple[Lockable, ...] = ()
    """Fields that later layers must not widen without acknowledging it."""
    acknowledge: Mapping[Name, Text] = Field(default_factory=FrozenMap)
    """Why a locked field of an entry is widened, by id; `routing` for the settings of places."""
    routing: RoutingOverride = None
    vocabulary: VocabularyOverride = None
