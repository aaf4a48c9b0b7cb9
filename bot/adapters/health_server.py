"""`/healthz`, `/readyz` and `/metrics` on PORT, beside Slack's deliveries where they come by HTTP."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, SummaryMetricFamily
from prometheus_client.metrics_core import Metric

from bot.domain.metrics import percentile
from bot.ports import Numbers


def add_health(
    server: web.Application,
    ready: Callable[[], Awaitable[Mapping[str, bool]]],
    numbers: Callable[[], Awaitable[Numbers]],
    troubles: Callable[[], Sequence[str]],
) -> None:
    """Add the three pages. Healthy = the process answers, and says where something fails (`troubles`; the log says
    why); ready = every probe says yes, else 503."""

    async def healthz(_request: web.Request) -> web.Response:
        return web.json_response({"status": "ok", "troubles": list(troubles())})

    async def readyz(_request: web.Request) -> web.Response:
        answers = await ready()
        good = all(answers.values())
        told = {"status": "ready" if good else "not ready", "checks": dict(answers)}
        return web.json_response(told, status=200 if good else 503)

    async def metrics(_request: web.Request) -> web.Response:
        return web.Response(body=exposition(await numbers()), content_type="text/plain", charset="utf-8")

    server.router.add_get("/healthz", healthz)
    server.router.add_get("/readyz", readyz)
    server.router.add_get("/metrics", metrics)


def exposition(numbers: Numbers) -> bytes:
    """The numbers as Prometheus reads them, from a registry of its own."""
    registry = CollectorRegistry()
    registry.register(_Families(list(_families(numbers))))
    return generate_latest(registry)


class _Families:
    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def _families(numbers: Numbers) -> Iterable[Metric]:
    tasks = GaugeMetricFamily("orch_tasks", "Tasks by project and state", labels=["project", "state"])
    for (project, state), count in sorted(numbers.tasks.items()):
        tasks.add_metric([project, state], count)
    tokens = GaugeMetricFamily("orch_tokens_today", "Tokens used today, by rung", labels=["project", "rung"])
    for (project, rung), used in sorted(numbers.tokens.items()):
        tokens.add_metric([project, rung], used)
    recent = GaugeMetricFamily("orch_ack_seconds_recent", "Seconds to acknowledge, of the last 2,000 deliveries",
                               labels=["quantile"])  # fmt: skip
    for share in (0.5, 0.99):
        if (value := percentile(numbers.recent_acks, share)) is not None:
            recent.add_metric([str(share)], value)
    yield from (
        tasks,
        tokens,
        GaugeMetricFamily("orch_messages_due", "Slack messages that wait to be sent", numbers.to_send),
        GaugeMetricFamily("orch_messages_given_up", "Slack messages that Slack refused for good", numbers.given_up),
        GaugeMetricFamily("orch_troubles", "Places where something fails now (/healthz names them)", numbers.troubles),
        GaugeMetricFamily("orch_deliveries_open", "Deliveries that are not worked off", numbers.to_work_on),
        SummaryMetricFamily("orch_ack_seconds", "Seconds to acknowledge a delivery", numbers.acks, numbers.ack_seconds),
        recent,
    )
