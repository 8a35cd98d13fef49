"""What a layer sets and a later one sets again: the first of the two has no effect."""

from __future__ import annotations

from aldo.catalog import codes
from aldo.catalog.layers.merged import Merged
from aldo.catalog.layers.steps import ABSENT, Path, Step, value_at
from aldo.errors import Related


def report_shadowed(merged: Merged) -> None:
    """Tell of every value of an overlay that a later overlay takes the effect of."""
    for subject, steps in merged.steps.items():
        if subject[0] == "lock":
            continue
        effective = [step for step in steps if not step.idle]
        for number, step in enumerate(effective):
            holding: dict[Path, Step] = {}
            """By the place that is shadowed, the last step that shadows it."""
            for later in effective[number + 1 :]:
                at = _covered(step, later) if later.layer > step.layer else None
                if at is not None:
                    holding[at] = later
            for at, later in holding.items():
                _report(merged, step, later, at)


def _covered(step: Step, later: Step) -> Path | None:
    """Where what the first step set stands in its document, if the second makes it void."""
    around, inside = later.path == step.path[: len(later.path)], step.path == later.path[: len(step.path)]
    match step.operation, later.operation:
        case ("remove", _) | (_, "add"):
            return None
        case ("$add", "$remove") if around:
            before = step.old if isinstance(step.old, list) else []
            return step.at if any(item not in later.new for item in step.new if item not in before) else None
        case (_, "$add" | "$remove"):
            return None
        case _ if around:
            return step.at
        case ("add" | "override", _) if inside:
            rest = later.path[len(step.path) :]
            return None if value_at(step.new, rest) is ABSENT else (*step.at, *rest)
    return None


def _report(merged: Merged, step: Step, later: Step, at: Path) -> None:
    document, other = merged.documents[step.layer], merged.documents[later.layer]
    name = ".".join(map(str, (*step.subject[1:], *max(step.path, later.path, key=len)))) or step.subject[0]
    what = "removes the entry" if later.operation == "remove" else "sets it again"
    needed = "say it here" if step.operation == "add" and later.operation != "remove" else "take it out"
    document.report_at(
        codes.SHADOWED,
        f"{name} has no effect: a later layer {what}",
        at,
        hint=f"{needed}, or change the order of the layers",
        severity="info",
        related=(Related(other.path, other.locate(later.at), "this one holds"),),
    )
