"""Asking live servers what they are: no prompt, no generation, only their own lists, within a second.

What answers is told by the shape of its body, never by its status: there are servers that say 200 to anything.
"""

from aldo._lazy import Load, lazy_names

__all__ = ["Availability", "Discovery", "Found", "availability", "availability_async", "discover", "discover_async"]

__getattr__: Load = lazy_names(
    "aldo.transport.probes",
    {
        "Availability": "available",
        "Discovery": "discovery",
        "Found": "discovery",
        "availability": "available",
        "availability_async": "available",
        "discover": "discovery",
        "discover_async": "discovery",
    },
)
