"""Spans of OpenTelemetry, named as its semantic conventions name them
(https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/). Nothing of prompts or answers is in them.

Without the extra `otel`, or without `--traces`, there are none.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from aldo.errors import UsageError

if TYPE_CHECKING:
    from aldo.api.call import Call
    from aldo.schema.usage import UsageRow

_NANOSECONDS = 1_000_000


class Tracing:
    """Makes a span for every request of a client, and one inside it for every request to a server."""

    def __init__(self, provider: Any = None) -> None:
        """`provider` is a `TracerProvider` of OpenTelemetry. Without one, what it would take is told to a collector
        where the variables of OpenTelemetry say: `OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_SERVICE_NAME`, …

        Raises `UsageError` where the extra is missing.
        """
        try:
            from opentelemetry import propagate, trace
        except ImportError:
            raise UsageError("--traces needs the extra `otel`: pip install 'aldo-gateway[otel]'") from None
        self._trace, self._propagate = trace, propagate
        self._provider = provider or _exporting()
        self._tracer = self._provider.get_tracer("aldo")

    @contextmanager
    def request(self, call: Call, path: str) -> Iterator[None]:
        """The span of a client's request, a child of the one that its headers name."""
        carrier = {name.decode("latin-1"): value.decode("latin-1") for name, value in call.headers}
        context = self._propagate.extract(carrier)
        with self._tracer.start_as_current_span(
            f"{call.method} {path}", context=context, kind=self._trace.SpanKind.SERVER, record_exception=False
        ) as span:
            try:
                yield
            finally:
                span.set_attribute("http.request.method", call.method)
                span.set_attribute("http.route", path)
                for name, value in (
                    ("http.response.status_code", call.status),
                    ("error.type", call.code),
                    ("gen_ai.request.model", call.asked),
                    ("gen_ai.response.model", call.model),
                    ("aldo.capability_class", call.capability_class),
                    ("aldo.privacy", call.tier),
                ):
                    if value:
                        span.set_attribute(name, value)

    def attempted(self, row: UsageRow, operation: str) -> None:
        """The span of one request to a server, which has ended."""
        began = int(datetime.fromisoformat(row.at).timestamp() * 1000) * _NANOSECONDS
        span = self._tracer.start_span(
            f"{operation} {row.upstream_model}", kind=self._trace.SpanKind.CLIENT, start_time=began
        )
        found = {
            "gen_ai.operation.name": operation,
            "gen_ai.provider.name": row.provider,
            "gen_ai.request.model": row.upstream_model,
            "gen_ai.response.model": row.returned_model,
            "gen_ai.usage.input_tokens": row.tokens_in,
            "gen_ai.usage.output_tokens": row.tokens_out,
            "gen_ai.usage.cache_read.input_tokens": row.cache_read_tokens,
            "gen_ai.response.finish_reasons": row.finish_reason and [row.finish_reason],
            "aldo.model": row.model,
            "aldo.capability_class": row.capability_class,
            "aldo.privacy": row.privacy,
            "aldo.routing_digest": row.routing_digest,
            "error.type": None if row.outcome == "ok" else row.outcome,
        }
        span.set_attributes({name: value for name, value in found.items() if value is not None})
        if row.outcome not in ("ok", "cancelled"):
            span.set_status(self._trace.StatusCode.ERROR)
        span.end(began + int((row.latency_ms or 0) * _NANOSECONDS))

    def close(self) -> None:
        """Send what is left."""
        self._provider.shutdown()


def _exporting() -> Any:
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        raise UsageError("--traces needs the extra `otel`: pip install 'aldo-gateway[otel]'") from None
    provider = TracerProvider(resource=Resource.create({"service.name": "aldo"}).merge(Resource.create()))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider
