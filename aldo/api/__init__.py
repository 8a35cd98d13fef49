"""The API: an OpenAI-compatible gateway that routes by class, tier and cost. An ASGI app (extra `serve`).

What may enter: HTTP. `door` decides who may come in and how much they may bring, `asked` reads what they want,
`endpoints` route it and have it answered by the transport, `answered` says it in OpenAI's shapes. `health` is what is
known of the servers, and the only thing that changes between two decisions of one catalog.
"""

from aldo._lazy import Load, lazy_names

__all__ = ["Settings", "create_app"]

__getattr__: Load = lazy_names("aldo.api", {"Settings": "settings", "create_app": "app"})
