"""The egress guard: which addresses a request's bytes may reach, decided when connecting, after DNS."""

from aldo.transport.egress.guard import AsyncGuardedTransport, GuardedTransport
from aldo.transport.egress.policy import EgressPolicy

__all__ = ["AsyncGuardedTransport", "EgressPolicy", "GuardedTransport"]
