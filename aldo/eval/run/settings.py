"""How a suite is run."""

from __future__ import annotations

from dataclasses import dataclass

from aldo.errors import UsageError


@dataclass(frozen=True, slots=True)
class Settings:
    """What does not belong to a suite. Times are seconds."""

    repeat: int = 1
    """How often each case is put to each model."""
    seed: int = 1
    """Of the sampler for the first repeat, one more for each further one, and of the statistics."""
    concurrency: int = 1
    """Requests that one server is given at once. More than one blurs the times."""
    parallel: bool = False
    """Ask models on different servers at the same time, instead of model after model."""
    warm_up: bool = True
    """Send each model a request first whose answer does not count: the first one loads it."""
    retries: int = 2
    """How often a request that failed in passing is sent again."""
    timeout: float = 300.0
    """How long a server may send nothing."""

    def __post_init__(self) -> None:
        if self.repeat < 1 or self.concurrency < 1 or self.retries < 0 or not self.timeout > 0:
            raise UsageError("repeat and concurrency are at least 1, retries at least 0, and a timeout is positive")
