"""`prove`: the statements of a policy, or the built-in ones, decided for every request and every health snapshot."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from aldo.errors import NameKind, UndecidedError, UnknownNameError
from aldo.router.compiled import compile_catalog
from aldo.router.facts import Facts
from aldo.router.names import nearest
from aldo.router.proof.always import refuted
from aldo.router.proof.never import Reached, matching, reached
from aldo.router.proof.ranges import is_empty
from aldo.router.proof.redundancy import redundancy
from aldo.router.regions.effort import MOST, Effort, OutOfEffortError
from aldo.router.table import RoutingTable
from aldo.schema.catalog import Catalog
from aldo.schema.policy import Always, Chooses, Never, RoutingPolicy, When
from aldo.schema.proof import Proof, Redundancy, Statement
from aldo.schema.request import RouteRequest
from aldo.schema.vocabulary import LOCALITIES, PRIVACY_TIERS


def prove(catalog: Catalog, policy: RoutingPolicy | None = None, *, outages: int = 0, effort: int = MOST) -> Proof:
    """Decide statements about all requests: each is proven, refuted with a request, or vacuous.

    Without a policy the built-in statements: that sensitive requests stay where `routing` lets them go, and that no
    tier reaches an entry that does not allow it. With `outages` also that each class and tier that is served stays
    so with that many models down.

    Raises `UnknownNameError` for a class or a tag that nobody knows, and `UndecidedError` where a statement takes more
    than `effort` steps; none is ever called proven that was not.
    """
    table = compile_catalog(catalog).table
    rows = tuple(redundancy(table))
    found = _built_in(table) if policy is None else _of_policy(table, policy, effort)
    statements = (*found, *_outages(table, rows, outages)) if outages else tuple(found)
    return Proof(statements, rows, built_in=policy is None)


def _of_policy(table: RoutingTable, policy: RoutingPolicy, effort: int) -> Iterator[Statement]:
    for never in policy.never:
        _check_names(table, never.name, never.when)
        _check_chosen(table, never.name, never.chooses)
        yield _never(table, never)
    for always in policy.always:
        _check_names(table, always.name, always.when)
        if always.chooses is not None:
            _check_chosen(table, always.name, always.chooses)
        try:
            yield _always(table, always, Effort(effort))
        except OutOfEffortError:
            raise UndecidedError(always.name) from None


def _never(table: RoutingTable, statement: Never) -> Statement:
    matches = matching(statement.chooses)
    entries = [facts for facts in table.facts.values() if matches(facts)]
    if not entries:
        unknown = [model for model in statement.chooses.id or () if model not in table.facts]
        near = [near for model in unknown for near in nearest(model, table.facts)]
        hint = f"; did you mean {' or '.join(map(repr, near))}?" if near else ""
        detail = f"no entry of the catalog is one that it speaks of{hint}"
        return Statement(statement.name, "vacuous", None, detail, may_be_vacuous=statement.allow_vacuous)
    return _forbidden(table, statement.name, statement.when, entries)


def _forbidden(table: RoutingTable, name: str, when: When, entries: Iterable[Facts]) -> Statement:
    if (empty := _empty(name, when)) is not None:
        return empty
    found = reached(table, when, entries)
    return Statement(name, "proven") if found is None else Statement(name, "refuted", found.request, _told(found))


def _told(found: Reached) -> str:
    role = "is chosen" if found.is_chosen else "is an alternate"
    return f"{found.facts.id} ({found.facts.locality}) {role}"


def _always(table: RoutingTable, statement: Always, effort: Effort) -> Statement:
    if (empty := _empty(statement.name, statement.when)) is not None:
        return empty
    found = refuted(table, statement, effort)
    return Statement(statement.name, "proven") if found is None else Statement(statement.name, "refuted", *found)


def _empty(name: str, when: When) -> Statement | None:
    for field, sizes in (("tokensIn", when.tokens_in), ("maxTokensOut", when.max_tokens_out)):
        if is_empty(sizes):
            return Statement(
                name, "vacuous", detail=f"no request is one that it speaks of: {field} ends below its start"
            )
    return None


def _built_in(table: RoutingTable) -> Iterator[Statement]:
    places = [place for place in LOCALITIES if place in table.sensitive_localities]
    elsewhere = [facts for facts in table.facts.values() if facts.locality not in places]
    name = f"sensitive requests stay in {' and '.join(places)}"
    if elsewhere:
        yield _forbidden(table, name, When(privacy=("sensitive",)), elsewhere)
    else:
        yield Statement(name, "vacuous", detail="every entry is there", may_be_vacuous=True)
    yield _allowed(table, "a tier reaches only the models that allow it")


def _allowed(table: RoutingTable, name: str) -> Statement:
    spoken_of = False
    for privacy in PRIVACY_TIERS:
        entries = [facts for facts in table.facts.values() if privacy not in facts.privacy_allowed]
        spoken_of = spoken_of or bool(entries)
        statement = _forbidden(table, name, When(privacy=(privacy,)), entries)
        if statement.verdict == "refuted":
            return statement
    if spoken_of:
        return Statement(name, "proven")
    return Statement(name, "vacuous", detail="every model allows every tier", may_be_vacuous=True)


def _served(table: RoutingTable, row: Redundancy) -> RouteRequest:
    """A request that the cell serves while all its models are up."""
    request = RouteRequest(capability_class=row.capability_class, privacy=row.privacy)
    if table.first_or_none(request) is None:
        request = request.model_copy(update={"tokens_in": 0, "max_tokens_out": 0})
    return request


def _outages(table: RoutingTable, rows: Iterable[Redundancy], outages: int) -> Iterator[Statement]:
    """That nothing which is served is lost: the cells with the fewest models first."""
    name = f"every class and tier that has a model has one left with any {outages} down"
    served = [row for row in rows if row.models]
    if not served:
        yield Statement(name, "vacuous", detail="no class and tier has a model", may_be_vacuous=True)
        return
    short = sorted((row for row in served if row.survives < outages), key=lambda row: row.survives)
    if not short:
        yield Statement(name, "proven")
        return
    row = short[0]
    witness = _served(table, row).model_copy(update={"down": row.models})
    rest = [f"{other.capability_class}, {other.privacy}" for other in short[1:]]
    more = f" (nor can {'; '.join(rest)} lose as many)" if rest else ""
    yield Statement(name, "refuted", witness, f"nothing is left for {row.capability_class}, {row.privacy}{more}")


def _check_names(table: RoutingTable, statement: str, when: When) -> None:
    for name in (*(when.capability_class or ()), *(when.fallback_classes or ())):
        _check(table, statement, "class", name)
    for tag in when.requires or ():
        _check(table, statement, "capability", tag)
    for model in when.pin or ():
        _check(table, statement, "model", model)


def _check_chosen(table: RoutingTable, statement: str, chooses: Chooses) -> None:
    for name in chooses.capability_class or ():
        _check(table, statement, "class", name)
    for tag in (*(chooses.provides or ()), *(chooses.lacks or ())):
        _check(table, statement, "capability", tag)


def _check(table: RoutingTable, statement: str, what: NameKind, name: str) -> None:
    try:
        table.names.check_one(what, name)
    except UnknownNameError as error:
        raise UnknownNameError(
            error.what, error.name, error.suggestions, where=f"the statement {statement!r}"
        ) from None
