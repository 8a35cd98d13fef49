"""What a layer sets and a later one sets again: the first of the two has no effect."""

from __future__ import annotations

from aldo.catalog import codes
from aldo.catalog.layers.merge import Merge
from aldo.catalog.layers.steps import Path, Step
from aldo.errors import Related


def report_shadowed(merge: Merge) -> None:
    """Tell of every value of an overlay that a later overlay takes the effect of."""
    for subject, steps in merge.steps.items():
        if subject[0] == "lock":
            continue
        effective = [step for step in steps if not step.idle]
        told: set[Path] = set()
        for number, step in enumerate(effective):
            for later in effective[number + 1 :]:
                at = _covered(step, later)
                if at is not None and at not in told and later.layer > step.layer:
                    told.add(at)
                    _report(merge, step, later, at)


def _covered(step: Step, later: Step) -> Path | None:
    """Where what the first step set stands in its document, if the second makes it void."""
    around, inside = later.path == step.path[: len(later.path)], step.path == later.path[: len(step.path)]
    match step.operation, later.operation:
        case ("remove", _) | (_, "add"):
            return None
        case ("$add", "$remove") if around:
            added = (item for item in step.new if item not in step.old)
            return step.at if any(item not in later.new for item in added) else None
        case (_, "$add" | "$remove"):
            return None
        case _ if around:
            return step.at
        case ("add" | "override", _) if inside:
            return (*step.at, *later.path[len(step.path) :])
    return None


def _report(merge: Merge, step: Step, later: Step, at: Path) -> None:
    document, other = merge.documents[step.layer], merge.documents[later.layer]
    name = ".".join(map(str, (*step.subject[1:], *max(step.path, later.path, key=len)))) or step.subject[0]
    what = "removes the entry" if later.operation == "remove" else "sets it again"
    document.report_at(
        codes.SHADOWED,
        f"{name} has no effect: a later layer {what}",
        at,
        hint="take it out, or change the order of the layers",
        severity="info",
        related=(Related(other.path, other.locate(later.at), "this one holds"),),
    )
