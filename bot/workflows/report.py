"""A review, analysis or question asked for as a task of its own: gemini answers in the thread (R-RT-3)."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.calls import ModelReply, ModelRequest
from bot.domain.context import likely_files, pack
from bot.domain.task import Rung, TaskState
from bot.store import tasks
from bot.store.tables import CallRow, TaskRow
from bot.workflows.attempts import attempt_failed, block, tell_thread
from bot.workflows.edit import CANDIDATE_FILES, PROMPT_SHARE, counted
from bot.workflows.office import ORCH, Office, Superseded, Visit, current
from bot.workflows.paid_call import Answered, Failed, Unaffordable, paid_call


async def report(office: Office, visit: Visit) -> None:
    """The stage. No branch and no approval: it ends in `done`, or with a person."""
    request, count = await office.step(prepare_report, visit)
    outcome = await paid_call(office, visit, purpose="report", rung=Rung.GEMINI, request=request, counted=count)
    if isinstance(outcome, Answered):
        await office.tx(finish_report, visit, outcome.call_id)
    else:
        await office.tx(finish_unreported, visit, outcome)


async def prepare_report(office: Office, visit: Visit) -> tuple[ModelRequest, int]:
    async with office.db.read() as session:
        row = await session.get_one(TaskRow, visit.pk)
    if row.entry != visit.entry:
        raise Superseded(visit.id)
    repository = office.repositories[row.project]
    commit = await repository.refresh()
    paths = await repository.list_files(commit)
    contents = await repository.read_files(commit, likely_files(row.text, row.files, paths, CANDIDATE_FILES))
    contents = {path: office.redact(text) for path, text in contents.items()}
    packed = pack(row.text, row.files, paths, contents, (), (), int(row.token_budget * PROMPT_SHARE))
    facts = {"row": row, "packed": packed, "checks": (), "learned": ()}
    request = ModelRequest(
        model=office.projects[row.project].models[Rung.GEMINI],
        system=office.render.text("prompts/report_system", {}),
        messages=({"role": "user", "content": office.redact(office.render.text("prompts/edit", facts))},),
    )
    return request, await counted(office.models[Rung.GEMINI], request)


async def finish_report(office: Office, session: AsyncSession, visit: Visit, call_id: str) -> None:
    row = await current(session, visit)
    reply = ModelReply.model_validate((await session.get_one(CallRow, call_id)).reply)
    answer = office.redact(reply.text).strip()
    if not answer:
        await block(office, session, row, "the model gave no answer")
        return
    await tell_thread(office, session, row, f"report-{row.attempt}", "thread/report", answer=answer, model=reply.model,
                      cut=reply.stop == "max_tokens")  # fmt: skip
    await tasks.end_attempt(session, row, at=office.now(), outcome="passed", why="answered")
    await tasks.step(session, row, TaskState.DONE, at=office.now(), who=ORCH, why="the answer is in the thread")


async def finish_unreported(
    office: Office, session: AsyncSession, visit: Visit, outcome: Unaffordable | Failed
) -> None:
    row = await current(session, visit)
    match outcome:
        case Failed(why=why):
            await attempt_failed(office, session, row, outcome="provider", why=why, lesson="")
        case Unaffordable(why=why):
            await block(office, session, row, why, detail={"budget": True})
