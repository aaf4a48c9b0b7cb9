"""One row and more of every table, as revision 0001 knew them: what later migrations must carry over unharmed.

Plain values, no product code: it must go on describing the past when the product has moved on. A later revision that
adds a table gets a module of its own beside this one."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

AT = datetime(2026, 11, 22, 9, 30, 15, 123456, tzinfo=UTC)
LATER = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
HEAD, BASE = "a" * 40, "b" * 40
ROUTE = {
    "rung": "haiku", "type": "docs", "complexity": "low", "security": False, "reason": "Its files are documentation.",
    "rule": "R-RT-1", "confidence": 0.9, "expected_tokens": 1200, "max_cost_microusd": 1000,
}  # fmt: skip


def task(pk: int, **fields: Any) -> dict[str, Any]:
    return {
        "pk": pk, "project": "GRANTER", "task_id": f"S1-D2-{pk}", "sprint": 1, "day": 2, "number": pk,
        "delivery_key": f"command:1.{pk}", "text": "Write “usage” — naïve, 日本語, 🙂", "route": ROUTE,
        "state": "awaiting_approval", "priority": "high", "files": ["docs/usage.md"], "checks": ["sh check.sh"],
        "criteria": ["docker compose up"], "after": [], "requester": "U0DEV", "owner": "U0DEV", "deadline": LATER,
        "token_budget": 2000, "attempt": 1, "entry": 3, "base_commit": BASE, "start_commit": None, "head_commit": HEAD,
        "merge_commit": None, "waits_for": None, "security_reasons": ["auth"], "learned": ["use tabs"],
        "opus_approved_by": None, "channel": "C0DEV", "created_at": AT, "updated_at": LATER,
    } | fields  # fmt: skip


def call(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "id": f"GRANTER/S1-D2-1/1/{number}", "task_pk": 1, "attempt": 1, "number": number, "purpose": "edit",
        "rung": "haiku", "model": "claude-haiku-5-5", "answered_by": "claude-haiku-5-5", "day": date(2026, 11, 22),
        "state": "settled", "scopes": ["GRANTER/day/2026-11-22"], "reserved_tokens": 9_000_000_000,
        "reserved_microusd": 9_000_000_000, "input_tokens": 100, "output_tokens": 50, "thinking_tokens": 0,
        "cache_write_tokens": 0, "cache_read_tokens": 0, "used_tokens": 150, "cost_microusd": 35,
        "request": {"messages": []}, "reply": {"text": "done"}, "applied": {"head": HEAD}, "error": "",
        "retryable": False, "created_at": AT, "settled_at": LATER,
    } | fields  # fmt: skip


#: table -> rows; parents before what hangs on them.
ROWS: dict[str, list[dict[str, Any]]] = {
    "tasks": [
        task(1),
        task(2, state="queued", delivery_key=None, deadline=None, attempt=0, entry=0, base_commit=None,
             head_commit=None, after=["S1-D2-1"], waits_for="waiting for S1-D2-1"),
    ],
    "task_events": [
        {"id": 1, "task_pk": 1, "at": AT, "who": "U0DEV", "kind": "created", "state": "queued", "why": "assigned",
         "detail": {"route": ROUTE}},
        {"id": 2, "task_pk": 1, "at": LATER, "who": "orch", "kind": "attempt", "state": "running", "why": "",
         "detail": {}},
    ],
    "attempts": [
        {"id": 1, "task_pk": 1, "number": 1, "rung": "haiku", "started_at": AT, "ended_at": LATER,
         "outcome": "passed", "why": "reviewed: 9/10"},
        {"id": 2, "task_pk": 2, "number": 1, "rung": "haiku", "started_at": AT, "ended_at": None, "outcome": None,
         "why": ""},
    ],
    "calls": [
        call(1),
        call(2, state="sent", answered_by=None, reply=None, applied=None, settled_at=None, used_tokens=0),
    ],
    "budget_counters": [
        {"scope": "GRANTER/day/2026-11-22", "used_tokens": 150, "reserved_tokens": 9_000_000_000, "used_microusd": 35,
         "reserved_microusd": 9_000_000_000},
    ],
    "check_runs": [
        {"id": 1, "task_pk": 1, "commit": HEAD, "run": {"command": "sh check.sh", "status": "passed"}, "at": AT},
    ],
    "reviews": [
        {"id": 1, "task_pk": 1, "head_commit": HEAD, "rung": "gemini", "model": "gemini-3.8-flash",
         "verdict": {"verdict": "approve", "quality_score": 9.0}, "why_none": "", "at": AT},
        {"id": 2, "task_pk": 1, "head_commit": BASE, "rung": "gemini", "model": "gemini-3.8-flash", "verdict": None,
         "why_none": "truncated", "at": AT},
    ],
    "approvals": [
        {"id": 1, "task_pk": 1, "head_commit": HEAD, "person": "U0LEAD", "at": AT, "voided_at": None},
        {"id": 2, "task_pk": 1, "head_commit": BASE, "person": "U0LEAD", "at": AT, "voided_at": LATER},
    ],
    "inbox": [
        {"key": "command:1.1", "kind": "command", "payload": {"text": "assign x"}, "received_at": AT, "done_at": LATER},
        {"key": "command:1.2", "kind": "command", "payload": {"text": "list"}, "received_at": AT, "done_at": None},
    ],
    "outbox": [
        {"key": "card/GRANTER/S1-D2-1", "kind": "card", "task_pk": 1, "channel": "C0DEV", "payload": {},
         "wanted_revision": 4, "shown_revision": 3, "due": True, "ts": "1795.000100", "leased_until": LATER, "tries": 1,
         "error": "", "created_at": AT},
        {"key": "direct/U0DEV", "kind": "direct", "task_pk": None, "channel": "U0DEV", "payload": {"text": "hello"},
         "wanted_revision": 1, "shown_revision": 1, "due": False, "ts": None, "leased_until": None, "tries": 0,
         "error": "", "created_at": AT},
    ],
}  # fmt: skip
