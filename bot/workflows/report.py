"""A review, analysis or question asked for as a task of its own: a model answers in the thread, as a rule gemini
(R-RT-3). What a security review finds critical, opus looks at again where a person lets it (R-ESC-6)."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.calls import ModelReply, ModelRequest, Verdict
from bot.domain.context import likely_files, pack
from bot.domain.review import parse_verdict
from bot.domain.task import Rung, TaskState
from bot.store import attempts, replies, tasks
from bot.store.tables import CallRow, TaskRow
from bot.workflows.attempts import attempt_failed, block, take_next_step, tell_thread
from bot.workflows.budget_waits import wait_for_budget
from bot.workflows.counting import counted, prepared
from bot.workflows.edit import CANDIDATE_FILES, PROMPT_SHARE
from bot.workflows.kept import kept_answer
from bot.workflows.office import ORCH, Office, Superseded, Visit, current
from bot.workflows.paid_call import Answered, paid_call
from bot.workflows.prompt import first_request
from bot.workflows.reserving import Failed, Unaffordable
from bot.workflows.steering import tell_heard

#: How the line of a critical finding begins, so that nothing has to be guessed from an answer's words.
CRITICAL = "CRITICAL:"


async def report(office: Office, visit: Visit) -> None:
    """The stage. No branch and no approval: it ends in `done`, or with a person."""
    ready = await prepared(office, visit, "report", prepare_report)
    if isinstance(ready, Failed):
        await office.tx(finish_unreported, visit, ready)
        return
    rung, request, count, heard = ready
    outcome = await paid_call(office, visit, purpose="report", rung=rung, request=request, counted=count)
    if isinstance(outcome, Answered):
        await office.tx(finish_report, visit, outcome.call_id, heard)
    else:
        await office.tx(finish_unreported, visit, outcome)


async def tell_kept(office: Office, visit: Visit) -> None:
    """Go on with an answer that was paid for and could not be told."""
    _, call_id = await office.step(kept_answer, visit)
    await office.tx(finish_report, visit, call_id, ())


async def prepare_report(office: Office, visit: Visit) -> tuple[Rung, ModelRequest, int, tuple[int, ...]]:
    async with office.db.read() as session:
        row = await session.get_one(TaskRow, visit.pk)
        found = await replies.for_call(session, row)
        said, heard = tuple(reply.text for reply in found), tuple(reply.id for reply in found)
    if row.entry != visit.entry:
        raise Superseded(visit.id)
    repository = office.repositories[row.project]
    commit = await repository.refresh()
    paths = await repository.list_files(commit)
    contents = await repository.read_files(commit, likely_files(row.text, row.files, paths, CANDIDATE_FILES))
    contents = {path: office.redact(text) for path, text in contents.items()}
    packed = pack(row.text, row.files, paths, contents, (), said, int(row.token_budget * PROMPT_SHARE))
    rung = Rung(row.route["rung"])
    system = office.render.text("prompts/report_system", {"critical": CRITICAL, "deep": rung is Rung.OPUS})
    request = first_request(office, row, rung, system, packed, said=said)
    return rung, request, await counted(office, visit, office.models[rung], request), heard


async def finish_report(
    office: Office, session: AsyncSession, visit: Visit, call_id: str, heard: tuple[int, ...]
) -> None:
    row = await current(session, visit)
    await tell_heard(office, session, row, heard)
    reply = ModelReply.model_validate((await session.get_one(CallRow, call_id)).reply)
    answer = office.redact(reply.text).strip()
    if not answer:
        await block(office, session, row, "the model gave no answer")
        return
    critical = await _tell(office, session, row, answer, reply)
    if critical and row.route["security"] and row.route["rung"] != Rung.OPUS:  # R-ESC-6
        await attempts.end(session, row, at=office.now(), outcome="audit", why="it found something critical")
        await take_next_step(office, session, row, lesson=answer, who=ORCH)
        return
    await attempts.end(session, row, at=office.now(), outcome="passed", why="answered")
    await tasks.step(session, row, TaskState.DONE, at=office.now(), who=ORCH, why="the answer is in the thread")


async def _tell(office: Office, session: AsyncSession, row: TaskRow, answer: str, reply: ModelReply) -> bool:
    """Tell the answer in the thread; whether it has a critical finding. One in the form of a review's verdict, which a
    reviewer may fall into, is told as that."""
    cut = reply.stop == "max_tokens"
    key, verdict = f"report-{row.attempt}", parse_verdict(answer, finished=not cut)
    if isinstance(verdict, Verdict):
        await tell_thread(office, session, row, key, "thread/review", verdict=verdict, model=reply.model)
        return any(finding.severity == "critical" for finding in verdict.findings)
    await tell_thread(office, session, row, key, "thread/report", answer=answer, model=reply.model, cut=cut)
    return _is_critical(answer)


def _is_critical(answer: str) -> bool:
    return any(line.lstrip(" *-#").startswith(CRITICAL) for line in answer.splitlines())


async def finish_unreported(
    office: Office, session: AsyncSession, visit: Visit, outcome: Unaffordable | Failed
) -> None:
    row = await current(session, visit)
    match outcome:
        case Failed(why=why, outcome=lost):
            await attempt_failed(office, session, row, outcome=lost, why=why, lesson="")
        case Unaffordable(why=why, own=True):
            await block(office, session, row, why, detail={"budget": True})
        case Unaffordable(why=why):
            await wait_for_budget(office, session, row, why)
