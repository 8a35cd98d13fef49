"""Models that are played, for tests without a network: what goes out is kept, what comes back is a script.

They take the place of the network below the client (`resolve(..., http=FakeModels(...))`), so routing, failover,
retries, structured output, usage and errors are the real ones. `aldo.testing` is the face of this room.
"""

from aldo.transport.fake.models import FakeModels
from aldo.transport.fake.script import Answer, Asked, Fails, Failure, Says, Script, Vectors

__all__ = ["Answer", "Asked", "Fails", "Failure", "FakeModels", "Says", "Script", "Vectors"]
