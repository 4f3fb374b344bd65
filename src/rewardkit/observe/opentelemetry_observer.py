"""Spans by OpenTelemetry, in the host's own traces."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from rewardkit.errors import ExtraNotInstalled
from rewardkit.ports import Facts

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

_FINE: Final = frozenset({"answered", "refused", "done", "delivered"})


class OpenTelemetryObserver:
    """Makes a span of whatever a kit does, within the span that is current where the kit is called.

    Exceptions are told by their kind alone: their texts and tracebacks can hold what somebody typed.

    Args:
        tracer: makes the spans; default is that of the host's global provider for `rewardkit`.

    Raises:
        ExtraNotInstalled: the package `opentelemetry-api` is missing.
    """

    def __init__(self, tracer: Tracer | None = None) -> None:
        try:
            from opentelemetry import context, trace
        except ImportError:
            raise ExtraNotInstalled("OpenTelemetry", "otel") from None
        self._context, self._trace = context, trace
        self._tracer = trace.get_tracer("rewardkit") if tracer is None else tracer

    def __call__(self, operation: str, facts: Facts) -> Callable[[Facts], None]:
        """Begin a span, and make it the current one until it ends."""
        subject = facts.get("command", facts.get("query"))
        name = f"rewardkit.{operation}" if subject is None else f"rewardkit.{operation} {subject}"
        span = self._tracer.start_span(name, attributes=_attributes(facts))
        token = self._context.attach(self._trace.set_span_in_context(span))

        def end(facts: Facts) -> None:
            self._context.detach(token)
            span.set_attributes(_attributes(facts))
            if facts["outcome"] not in _FINE:
                span.set_status(self._trace.StatusCode.ERROR, str(facts.get("error", facts["outcome"])))
            span.end()

        return end


def _attributes(facts: Facts) -> dict[str, str | int]:
    return {f"rewardkit.{name}": value for name, value in facts.items()}
