"""Why one entry is not the decision: the stage that dropped it, or the entry that outranks it."""

from __future__ import annotations

from aldo.router.admit import FLOORS, admissions
from aldo.router.facts import Facts
from aldo.router.rank import Rank, decided_by, rank
from aldo.router.sizes import Changes
from aldo.router.stages import Question, first_failure
from aldo.router.table import RoutingTable
from aldo.schema.decimals import usd_text
from aldo.schema.explanation import Change, ReasonCode, WhyNot, apply_changes
from aldo.schema.request import RouteRequest
from aldo.schema.vocabulary import LOCALITIES, PRIVACY_TIERS


def why_not(table: RoutingTable, request: RouteRequest, model: str) -> WhyNot:
    """Raises `UnknownNameError` for an id that is not in the catalog."""
    table.names.check_model(model)
    facts = table.facts[model]
    in_class = facts.capability_class if facts.capability_class in request.classes else request.capability_class
    asked = table.question(request)
    code = first_failure(facts, in_class, asked)
    if code is not None:
        changes = _changes(table, request, facts)
        return WhyNot(model=model, verdict="dropped", code=code, detail=detail(facts, asked, code), changes=changes)
    class_used, chosen = next(table.failover_chain(request))
    if chosen.id == model:
        return WhyNot(model=model, verdict="chosen")
    ranks = rank(chosen, asked), rank(facts, asked)
    key = "class" if class_used != facts.capability_class else decided_by(*ranks)
    pin = Change(field="pin", before=request.pin, after=model)
    return WhyNot(
        model=model,
        verdict="outranked",
        outranked_by=chosen.id,
        decided_by=key,
        detail=_comparison(key, class_used, facts, ranks),
        changes=(pin,),
    )


def _changes(table: RoutingTable, request: RouteRequest, facts: Facts) -> Changes:
    """The fewest changes after which the entry is the decision; a pin where it would still be outranked."""
    if not facts.enabled:
        return (Change(field="enabled", before=False, after=True, where="catalog"),)
    found = (list(admissions(facts, request, table.sensitive_localities, pin=True, floor=n)) for n in FLOORS)
    ways = next((ways for ways in found if ways), [])
    if not ways:
        return ()
    changes = min(ways, key=len)
    _, chosen = next(table.failover_chain(apply_changes(request, changes)))
    if chosen.id != facts.id:
        changes = (*changes, Change(field="pin", before=request.pin, after=facts.id))
    return changes


def detail(facts: Facts, asked: Question, code: ReasonCode) -> str:
    """The values that the stage compared, in words."""
    match code:
        case "DISABLED":
            return "enabled is false in the catalog"
        case "PRIVACY_TIER":
            return f"{asked.privacy} is not in privacyAllowed [{_list(facts.privacy_allowed)}]"
        case "PRIVACY_LOCALITY":
            return (
                f"a sensitive request may go to [{_list(asked.sensitive_localities)}], this entry is {facts.locality}"
            )
        case "CLASS":
            return f"its class is {facts.capability_class}"
        case "CAPABILITY_MISSING":
            return f"it does not provide {_list(asked.requires - facts.provides)}"
        case "CONTEXT_TOO_SMALL":
            return _size_detail(facts, asked)
        case "LOCALITY":
            return f"it is {facts.locality}, the request takes [{_list(asked.localities or ())}]"
        case "NOT_PINNED":
            return f"the request is pinned to {asked.pin}"
        case "EXCLUDED":
            return "the request excludes it"
        case "BUDGET_EXCEEDED":
            cost = usd_text(facts.cost(asked.tokens_in, asked.tokens_out))
            return f"it costs {cost} USD, the budget is {usd_text(asked.budget_pico or 0)} USD"
        case "DOWN":
            return "the health snapshot says it is down"


def _size_detail(facts: Facts, asked: Question) -> str:
    need = asked.tokens_in + asked.tokens_out
    if need > facts.context_tokens:
        sizes = f"tokensIn {asked.tokens_in} + maxTokensOut {asked.tokens_out} = {need}"
        return f"{sizes}, its context is {facts.context_tokens}"
    return f"maxTokensOut is {asked.tokens_out}, it gives at most {facts.max_output_tokens}"


def _comparison(key: str, class_used: str, facts: Facts, ranks: tuple[Rank, Rank]) -> str:
    (_, best_cost, best_latency, best_id), (_, cost, latency, model) = ranks
    match key:
        case "class":
            return f"class {class_used} comes before {facts.capability_class}"
        case "cost":
            return f"{usd_text(best_cost)} USD against {usd_text(cost)} USD"
        case "latency":
            return f"{best_latency:g} ms against {latency:g} ms".replace("inf ms", "unknown")
        case "id":
            return f"equal but for the id: {best_id!r} sorts before {model!r}"
        case _:
            return f"the chosen entry is nearer than {facts.locality}"


def _list(names: frozenset[str] | tuple[str, ...]) -> str:
    """Tiers and localities in their own order, anything else by name."""
    order = (*PRIVACY_TIERS, *LOCALITIES)
    return ", ".join(sorted(names, key=lambda name: (order.index(name) if name in order else -1, name)))
