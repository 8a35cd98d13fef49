"""Counters in Prometheus' form. Labels are names of the catalog and codes of ours: their number is bounded.

Times and tokens carry the names that OpenTelemetry's semantic conventions give them
(https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics/), as Prometheus writes them.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from aldo.schema.usage import UsageRow

CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
_TOKENS = (1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576)


class Metrics:
    """Of one process."""

    def __init__(self) -> None:
        self._all = CollectorRegistry()
        model = ("gen_ai_provider_name", "gen_ai_request_model")
        self._requests = Counter(
            "aldo_requests", "Requests of clients, by answer.", ("path", "status", "code"), registry=self._all
        )
        self._seconds = Histogram(
            "aldo_request_duration_seconds",
            "From the request of a client to the end of its answer.",
            ("path",),
            buckets=_SECONDS,
            registry=self._all,
        )
        self._routed = Counter("aldo_routed", "Decisions.", ("class", "privacy", "model"), registry=self._all)
        self._attempts = Counter(
            "aldo_attempts", "Requests to servers, by outcome.", (*model, "outcome"), registry=self._all
        )
        self._latency = Histogram(
            "gen_ai_client_operation_duration_seconds",
            "Of requests to servers.",
            model,
            buckets=_SECONDS,
            registry=self._all,
        )
        self._first = Histogram(
            "gen_ai_client_operation_time_to_first_chunk_seconds",
            "Of streamed requests to servers.",
            model,
            buckets=_SECONDS,
            registry=self._all,
        )
        self._tokens = Histogram(
            "gen_ai_client_token_usage",
            "Tokens as servers counted them.",
            (*model, "gen_ai_token_type"),
            buckets=_TOKENS,
            registry=self._all,
        )
        self._usd = Counter("aldo_usd", "List price of what was used, in USD.", model, registry=self._all)
        self._up = Gauge("aldo_model_up", "Whether the last probe found it up.", model[1:], registry=self._all)
        self._reloads = Counter("aldo_reloads", "Files read anew, by what came of it.", ("result",), registry=self._all)
        self.in_flight: Gauge = Gauge("aldo_requests_in_flight", "Chats and embeddings under way.", registry=self._all)
        self._children: dict[tuple[Any, tuple[str, ...]], Any] = {}
        for result in ("changed", "same", "failed"):
            self._reloads.labels(result)

    def answered(self, path: str, status: int, code: str, seconds: float) -> None:
        """A client has its answer."""
        self._child(self._requests, path, str(status), code).inc()
        self._child(self._seconds, path).observe(seconds)

    def routed(self, capability_class: str, privacy: str, model: str) -> None:
        """A decision."""
        self._child(self._routed, capability_class, privacy, model).inc()

    def attempted(self, row: UsageRow) -> None:
        """A request to a server has ended."""
        model = row.provider, row.model
        self._child(self._attempts, *model, row.outcome).inc()
        if row.latency_ms is not None:
            self._child(self._latency, *model).observe(row.latency_ms / 1000)
        if row.ttft_ms is not None:
            self._child(self._first, *model).observe(row.ttft_ms / 1000)
        if row.tokens_in is not None:
            self._child(self._tokens, *model, "input").observe(row.tokens_in)
        if row.tokens_out is not None:
            self._child(self._tokens, *model, "output").observe(row.tokens_out)
        if row.usd is not None:
            self._child(self._usd, *model).inc(float(row.usd))

    def probed(self, model: str, *, up: bool) -> None:
        """A probe has ended."""
        self._child(self._up, model).set(up)

    def forget(self, model: str) -> None:
        """It is no longer in the catalog."""
        self._children.pop((self._up, (model,)), None)
        with suppress(KeyError):
            self._up.remove(model)

    def reloaded(self, result: str) -> None:
        """A file was read anew: `changed`, `same` or `failed`."""
        self._reloads.labels(result).inc()

    def _child(self, metric: Any, *labels: str) -> Any:
        """The library looks its labels up under a lock and checks each: that takes longer than to count."""
        key = metric, labels
        found = self._children.get(key)
        if found is None:
            found = self._children[key] = metric.labels(*labels)
        return found

    def text(self) -> bytes:
        """All of it, as a scrape wants it."""
        return generate_latest(self._all)
