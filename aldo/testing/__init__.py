"""For tests of your own: models that are played, and assertions about routes.

`FakeModels` takes the place of the network, `Routes` asserts what becomes of requests, and pytest finds the fixtures
`aldo_routes` and `aldo_models` by itself (`aldo.testing.plugin`). Nothing here is imported by the rest of aldo.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aldo._lazy import Load, lazy_names

if TYPE_CHECKING:
    from aldo.testing.play import PlayModels
    from aldo.testing.routes import Routed, Routes
    from aldo.transport.fake import Answer, Asked, Fails, Failure, FakeModels, Says, Script, Vectors

__all__ = [
    "Answer",
    "Asked",
    "Fails",
    "Failure",
    "FakeModels",
    "PlayModels",
    "Routed",
    "Routes",
    "Says",
    "Script",
    "Vectors",
]

_HERE = {"PlayModels": "testing.play", "Routed": "testing.routes", "Routes": "testing.routes"}
_HOMES = {name: _HERE.get(name, "transport.fake") for name in __all__}

__getattr__: Load = lazy_names("aldo", _HOMES, into="aldo.testing")
