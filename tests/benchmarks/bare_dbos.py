"""The floor of a durable task: DBOS with Orch's own configuration, and steps that do next to nothing.

Run as a process: `python -m tests.benchmarks.bare_dbos SHAPE`, where SHAPE is JSON: a list of workflows, each a list
of "step" and "tx". A line on standard input runs all of them, one after the other; the answer is the seconds it took.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
import uuid
from pathlib import Path
from typing import Any

from dbos import DBOS, AsyncSQLAlchemyDatasource, DBOSConfig, SetWorkflowID
from sqlalchemy import text

from bot.store.database import Database, keep_log_ahead


async def configure(home: Path) -> tuple[Database, AsyncSQLAlchemyDatasource]:
    """DBOS as wiring has it on SQLite; launching is left to the caller, who registers workflows first."""
    keep_log_ahead(home / "stages.db")
    config: DBOSConfig = {
        "name": "orch",
        "system_database_url": f"sqlite:///{home / 'stages.db'}",
        "application_version": "1",
        "executor_id": "bench-1",
        "log_level": "WARNING",
        "notification_listener_polling_interval_sec": 1.0,
    }
    DBOS(config=config)
    database = Database(f"sqlite+aiosqlite:///{home / 'orch.db'}")
    ds = await AsyncSQLAlchemyDatasource.create(database.url, engine=database.engine)
    return database, ds


async def run(shape: list[list[str]]) -> None:
    database, ds = await configure(Path(os.environ["ORCH_HOME"]))
    async with database.begin() as session:
        await session.execute(text("CREATE TABLE IF NOT EXISTS counter (id INTEGER PRIMARY KEY, n INTEGER)"))
        await session.execute(text("INSERT INTO counter VALUES (1, 0)"))

    async def step() -> None:
        return None

    async def write() -> None:
        await ds.sql_session().execute(text("UPDATE counter SET n = n + 1 WHERE id = 1"))

    @DBOS.workflow(name="bare")
    async def bare(kinds: list[str]) -> None:
        for kind in kinds:
            if kind == "tx":
                options: Any = {"name": "write", "isolation_level": database.isolation_level}
                await ds.run_tx_step_async(options, write)
            else:
                await DBOS.run_step_async({"name": "step"}, step)

    DBOS.launch()
    print("ready", flush=True)
    while await asyncio.to_thread(sys.stdin.readline):
        began = time.perf_counter()
        for kinds in shape:
            with SetWorkflowID(uuid.uuid4().hex):
                handle = await DBOS.start_workflow_async(bare, kinds)
            await handle.get_result()
        print(time.perf_counter() - began, flush=True)
    os._exit(0)  # what a clean stop costs is not measured


if __name__ == "__main__":
    asyncio.run(run(json.loads(sys.argv[1])))
