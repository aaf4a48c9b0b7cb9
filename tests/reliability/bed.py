"""The outside world in this process, and the bot as a real process beside it that can be killed and started again."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web
from sqlalchemy import select

from bot.local.models import Call, Faults, Script, build_models_app, rehearsal_script
from bot.local.sample import create_sample
from bot.local.slack import Command, Message, SlackServer, World
from bot.store.database import Database
from bot.store.tables import CallRow, CounterRow, EventRow, InboxRow, OutboxRow, TaskRow
from tests.bot_settings import CHANNEL, DEVELOPER, LEAD, settings_of
from tests.local.slack_bed import app_config
from tests.reliability.forked import ROOT, ForkedBot

#: Seconds that any one thing may take before a test gives up on it.
PATIENCE = 120.0


@dataclass
class Bed:
    """The world, the emulated providers' book, and the bot's process."""

    world: World
    script: Script
    faults: Faults
    home: Path
    repository: Path
    environment: dict[str, str]
    db: Database
    #: Called with the Web API method after each call took effect, before its answer is sent.
    on_api: Callable[[str], Awaitable[None]] | None = None
    process: asyncio.subprocess.Process | ForkedBot | None = None
    kills: int = 0
    #: id() of the calls that a kill cut off; the provider may not know it yet.
    cut: list[int] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    acked: list[str] = field(default_factory=list)
    unacked: list[str] = field(default_factory=list)

    # --- the bot's process ---

    async def start(self, *arguments: str, wait: bool = True, from_nothing: bool = False) -> None:
        """Start the bot; returns when its socket is connected. `from_nothing`: by a new Python, as an operator does."""
        log = self.home / "bot.log"
        if from_nothing:
            with log.open("ab") as file:
                self.process = await asyncio.create_subprocess_exec(
                    sys.executable, "-m", "bot", "serve", *arguments,
                    cwd=ROOT, env=self.environment, stdin=asyncio.subprocess.DEVNULL, stdout=file, stderr=file,
                )  # fmt: skip
        else:
            self.process = ForkedBot(["serve", *arguments], self.environment, log)
        if wait:
            await self.connected()

    async def connected(self) -> None:
        assert self.process is not None
        async with asyncio.timeout(PATIENCE):
            while not self.world.delivery.transport().connections:  # type: ignore[attr-defined]
                assert self.process.returncode is None, self.bot_log()[-3000:]
                await asyncio.sleep(0.02)

    async def kill(self) -> None:
        """SIGKILL: nothing of the process gets to run again."""
        assert self.process is not None
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()
        self.kills += 1
        self.cut += [id(call) for call in self._calls_under_way()]

    async def stop(self, sign: signal.Signals = signal.SIGTERM) -> tuple[int, float]:
        """Ask the bot to stop; returns its exit code and the seconds that it took."""
        assert self.process is not None
        began = time.monotonic()
        self.process.send_signal(sign)
        async with asyncio.timeout(PATIENCE):
            code = await self.process.wait()
        return code, time.monotonic() - began

    def bot_log(self) -> str:
        return (self.home / "bot.log").read_text(errors="replace")

    # --- people ---

    async def assign(self, text: str) -> bool:
        """Type the command as the developer; whether Slack got an acknowledgement."""
        delivery = await self.world.run_command(DEVELOPER, CHANNEL, "/orch", f"assign {text}")
        (self.acked if delivery.acked else self.unacked).append(text.partition(" --")[0])
        return delivery.acked

    def cards(self) -> list[Message]:
        return [m for m in self.world.messages(CHANNEL) if key_of(m).startswith("card/")]

    async def act(self, clicked: dict[tuple[str, str], float]) -> None:
        """Click what a card asks for: Approve merge as the lead, Retry as the developer; again after a while."""
        for card in self.cards():
            for action, who in (("task_approve", LEAD), ("task_retry", DEVELOPER)):
                due = clicked.get((card.ts, action), 0.0)
                if action in actions_of(card) and "Merged" not in str(card.blocks) and time.monotonic() >= due:
                    clicked[card.ts, action] = time.monotonic() + 2.0
                    with contextlib.suppress(LookupError):  # the card changed at this moment
                        await self.world.click(who, CHANNEL, card.ts, action)

    async def act_forever(self) -> None:
        clicked: dict[tuple[str, str], float] = {}
        while True:
            await self.act(clicked)
            await asyncio.sleep(0.1)

    async def finish(self) -> None:
        """Let people act until every task is merged."""
        people = asyncio.create_task(self.act_forever())
        try:
            await self.until_all_merged()
        finally:
            people.cancel()
            await asyncio.gather(people, return_exceptions=True)

    # --- what can be waited for ---

    async def rows(self, query: Any) -> Sequence[Any]:
        async with self.db.read() as session:
            return (await session.scalars(query)).all()

    async def states(self) -> list[str]:
        return [str(state) for state in await self.rows(select(TaskRow.state))]

    async def until_state(self, *states: str) -> None:
        """Until some task is in one of these states."""
        async with asyncio.timeout(PATIENCE):
            while not set(states) & set(await self.states()):  # noqa: ASYNC110 - another process brings it about
                await asyncio.sleep(0.01)

    async def until_idle(self) -> None:
        """Until every task is merged."""
        while set(await self.states()) != {"merged"}:  # noqa: ASYNC110
            await asyncio.sleep(0.1)

    async def until_in_call(self) -> None:
        """Until a provider has a call that it has not answered, and whose process lives."""
        async with asyncio.timeout(PATIENCE):
            while not any(id(call) not in self.cut for call in self._calls_under_way()):  # noqa: ASYNC110
                await asyncio.sleep(0.005)

    def _calls_under_way(self) -> list[Call]:
        return [call for call in self.script.book if call.kind == "answer" and call.outcome == "received"]

    async def until_api(self, method: str) -> None:
        """Until Slack has done such a call; its answer is held back for a moment."""
        done = asyncio.Event()

        async def watch(called: str) -> None:
            if called == method:
                done.set()
                await asyncio.sleep(0.3)

        self.on_api = watch
        try:
            await done.wait()
        finally:
            self.on_api = None

    async def until_all_merged(self, seconds: float = PATIENCE) -> None:
        try:
            async with asyncio.timeout(seconds):
                while not await self._all_is_said():  # noqa: ASYNC110
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise AssertionError(await self.picture()) from None

    async def _all_is_said(self) -> bool:
        """Every task is merged, every message was sent, every delivery was worked on."""
        if set(await self.states()) != {"merged"} or len(await self.states()) < len(self.acked):
            return False
        unfinished = await self.rows(select(InboxRow.key).where(InboxRow.done_at.is_(None)))
        return not unfinished and await self.mail_is_sent()

    async def mail_is_sent(self) -> bool:
        return not await self.rows(select(OutboxRow.key).where(OutboxRow.due.is_(True)))

    async def picture(self) -> str:
        """What there is to see when something went wrong."""
        tasks = [f"{t.task_id} {t.state} {t.entry} {t.waits_for}" for t in await self.rows(select(TaskRow))]
        events = [
            f"{e.at:%H:%M:%S.%f} {e.task_pk} {e.kind} {e.state} {e.why[:100]}"
            for e in await self.rows(select(EventRow))
        ]
        mail = [
            f"{o.key} tries={o.tries} leased={o.leased_until} {o.error}"
            for o in await self.rows(select(OutboxRow).where(OutboxRow.due.is_(True)))
        ]
        inbox = [f"{i.key} {i.kind}" for i in await self.rows(select(InboxRow).where(InboxRow.done_at.is_(None)))]
        parts = (tasks, events, mail, inbox, self.log, [self.bot_log()[-6000:]])
        return "\n--\n".join("\n".join(part) for part in parts)


def key_of(message: Message) -> str:
    payload = (message.metadata or {}).get("event_payload") or {}
    return str(payload.get("key") or "")


def actions_of(message: Message) -> set[str]:
    return {str(e.get("action_id")) for block in message.blocks for e in block.get("elements", ())}


@asynccontextmanager
async def bed(
    folder: Path, database_url: str, *, latency: float = 0.3, checks: Sequence[str] = ("sh check.sh",)
) -> AsyncIterator[Bed]:
    """A world with a sample repository; the bot is not started yet. Its process is killed at the end."""
    home = folder / "home"
    home.mkdir()
    repository = folder / "sample"
    await asyncio.to_thread(create_sample, repository)
    app = app_config(commands=[Command("/orch", "Give Orch a task")])
    world = World(app)
    world.delivery.ack_timeout = world.triggers.seconds = PATIENCE
    server = SlackServer(world)
    script = rehearsal_script()
    faults = Faults(latency_seconds=latency)
    server.app.add_subapp("/models", build_models_app(script, faults))
    db = Database(database_url)
    made = Bed(world, script, faults, home, repository, {}, db)

    @web.middleware
    async def tell(request: web.Request, handler: Any) -> web.StreamResponse:
        answer: web.StreamResponse = await handler(request)
        if made.on_api and request.path.startswith("/api/"):
            await made.on_api(request.path.removeprefix("/api/"))
        return answer

    server.app.middlewares.append(tell)
    await server.start()
    made.environment = settings_of(folder, app, server, repository=repository, database_url=database_url, checks=checks)
    try:
        yield made
    finally:
        if made.process is not None and made.process.returncode is None:
            await made.kill()
        await db.close()
        await server.close()


# --- what must be true at the end ---


async def assert_nothing_is_paid_twice(bed: Bed) -> list[str]:
    """The providers' books agree with the ledger to the token; returns the calls whose outcome is unknown."""
    received = [call for call in bed.script.book if call.kind == "answer"]
    counts = Counter(call.call_id for call in received)
    assert "" not in counts
    assert {call_id: n for call_id, n in counts.items() if n > 1} == {}
    billed = {call.call_id: call.billed_tokens for call in received}
    calls = {call.id: call for call in await bed.rows(select(CallRow))}
    assert set(billed) <= set(calls)
    assert {c.id: c.state for c in calls.values() if c.state in ("intent", "sent")} == {}
    settled = {c.id: c.used_tokens for c in calls.values() if c.state == "settled"}
    assert settled == {call_id: billed[call_id] for call_id in settled}
    unknown = [c for c in calls.values() if c.state == "unknown"]
    for call in unknown:
        assert call.used_tokens == call.reserved_tokens >= billed.get(call.id, 0)
    assert sum(billed.get(c.id, 0) for c in calls.values() if c.state == "refused") == 0
    await _assert_counters(bed, list(calls.values()))
    return [call.id for call in unknown]


async def _assert_counters(bed: Bed, calls: Sequence[CallRow]) -> None:
    tokens: Counter[str] = Counter()
    money: Counter[str] = Counter()
    for call in calls:
        for scope in call.scopes:
            tokens[scope] += call.used_tokens
            money[scope] += call.cost_microusd
    counters = await bed.rows(select(CounterRow))
    assert {c.scope: (c.reserved_tokens, c.reserved_microusd) for c in counters} == {c.scope: (0, 0) for c in counters}
    assert {c.scope: c.used_tokens for c in counters if c.used_tokens} == {k: v for k, v in tokens.items() if v}
    assert {c.scope: c.used_microusd for c in counters if c.used_microusd} == {k: v for k, v in money.items() if v}


async def assert_every_task_is_merged_once(bed: Bed) -> None:
    tasks = await bed.rows(select(TaskRow).order_by(TaskRow.pk))
    typed = Counter(task.text for task in tasks)
    assert {text: typed[text] for text in bed.acked} == dict.fromkeys(bed.acked, 1)
    assert all(typed[text] <= 1 for text in bed.unacked)
    assert set(typed) <= {*bed.acked, *bed.unacked}
    merged = Counter(e.task_pk for e in await bed.rows(select(EventRow).where(EventRow.kind == "merged")))
    assert merged == {task.pk: 1 for task in tasks}
    log = git(bed.repository, "log", "--format=%H %(trailers:key=Task,valueonly,separator=%x2C)", "main")
    lines = [line.split(" ", 1) for line in log.splitlines()]
    trailers = Counter(words[1] for words in lines if len(words) > 1 and words[1])
    assert trailers == {task.task_id: 1 for task in tasks}
    assert {task.merge_commit for task in tasks} == {words[0] for words in lines if words[1]}
    assert git(bed.repository, "status", "--porcelain") == ""
    git(bed.repository, "fsck", "--no-progress")


async def assert_everything_is_said_once(bed: Bed) -> None:
    """One card per task, no message twice, none given up, no delivery left."""
    tasks = await bed.rows(select(TaskRow))
    assert Counter(key_of(card) for card in bed.cards()) == {f"card/{t.project}/{t.task_id}": 1 for t in tasks}
    assert all("Merged" in str(card.blocks) for card in bed.cards())
    posted = Counter(key_of(m) for m in bed.world.log if m.ephemeral_to is None and key_of(m))
    assert {key: n for key, n in posted.items() if n > 1} == {}
    uploads = Counter((f.title, *f.shared) for f in bed.world.files.values() if f.completed)
    assert {upload: n for upload, n in uploads.items() if n > 1} == {}
    wanted = {o.key: o for o in await bed.rows(select(OutboxRow))}
    assert len(uploads) == len([o for o in wanted.values() if o.kind == "upload"])
    assert {key for key, o in wanted.items() if o.kind != "upload"} == set(posted)
    assert {key: o.error for key, o in wanted.items() if o.due or o.error} == {}


def assert_nothing_is_left_behind(bed: Bed) -> None:
    """No process of the bot, no sandbox, no lock of a killed git."""
    left = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            with contextlib.suppress(OSError):
                words = (folder / "cmdline").read_bytes() + b" " + (folder / "environ").read_bytes()
                if str(bed.home).encode() in words:
                    left.append(words[:200])
    assert left == []
    children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    zombies = [c for c in children if "(zombie)" in Path(f"/proc/{c}/status").read_text()]
    assert zombies == []
    for clone in (bed.home / "repos").glob("*.git"):
        assert [str(p) for p in clone.rglob("*.lock")] == []
        assert [str(p) for p in (clone / "worktrees").glob("*/locked")] == []
        git(clone, "fsck", "--no-progress")


def git(folder: Path, *words: str) -> str:
    return subprocess.run(["git", "-C", str(folder), *words], capture_output=True, text=True, check=True).stdout
