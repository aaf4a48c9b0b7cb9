"""The command line: `orch`, or `python -m bot`."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from bot.errors import OrchError


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code. An OrchError becomes one plain message, never a traceback."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    if not arguments.command:
        parser.print_help()
        return 2
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("orch").setLevel(logging.INFO)
    try:
        code = int(_COMMANDS[arguments.command](arguments))
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        if arguments.command in ("serve", "local"):  # no reader's, but a defect
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # who reads has seen enough: `| head`
        return 0
    except OrchError as error:
        print(f"orch: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="orch", description="A Slack bot that coordinates AI coding work for a team.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    serve = commands.add_parser("serve", help="run the bot against a real Slack")
    serve.add_argument("--role", choices=("all", "slack", "worker"), default="all")
    local = commands.add_parser("local", help="run everything here: an emulated Slack, rehearsed models, the real bot")
    local.add_argument("--repo", type=Path, help="work on this repository instead of the sample")
    local.add_argument("--port", type=int, default=8765, help="of the page; 0 = any free one")
    local.add_argument("--fresh", action="store_true", help="start over: forget tasks and conversations")
    local.add_argument("--once", action="store_true", help="play the whole main job without a person, then exit")
    local.add_argument("--open", action="store_true", help="open the page in the browser")
    _add_init(commands.add_parser("init", help="write a commented configuration"))
    commands.add_parser("doctor", help="check tokens, scopes, channels, models, repositories, sandbox and database")
    commands.add_parser("migrate", help="bring the database to this version")
    route = commands.add_parser("route", help="route tasks without a model call")
    route.add_argument("--jsonl", default="-", help='file of {"text","files"?} lines, or - for standard input')
    plan = commands.add_parser("plan", help="check a sprint plan, or load it")
    plan.add_argument("action", choices=("check", "load"))
    plan.add_argument("file", help="a plan in YAML, or the name of one of Orch's own: granter-v2")
    plan.add_argument("--project", help="the key of the project to load it into, where there are several")
    _add_ci(commands.add_parser("ci", help="tell a running Orch what CI found, signed with ORCH_CI_SECRET"))
    _add_simulate(commands.add_parser("simulate", help="what a plan is likely to take, without a model call"))
    _add_report(commands.add_parser("report", help="write a report from the database"))
    _add_export(commands.add_parser("export", help="write what happened or what was paid, a line each"))
    return parser


def _add_ci(ci: argparse.ArgumentParser) -> None:
    ci.add_argument("task", metavar="ID", help="the manual task: S1-D1-2")
    ci.add_argument("result", choices=("pass", "fail"))
    ci.add_argument("--project", metavar="KEY", help="its project, where there are several")
    ci.add_argument("--log", metavar="FILE", help="its end is shown with a failure; - for standard input")
    ci.add_argument("--url", help="of the run")
    ci.add_argument("--to", metavar="URL", help="where Orch is; default this machine, at PORT")


def _add_simulate(simulate: argparse.ArgumentParser) -> None:
    simulate.add_argument("plan", help="a plan in YAML, or the name of one of Orch's own: granter-v2")
    simulate.add_argument(
        "--policy", action="append", metavar="FILE", help="what differs from the configuration; twice to compare two"
    )
    simulate.add_argument("--runs", type=int, metavar="N", help="default 20; 5 for more than 1,000 tasks")
    simulate.add_argument("--seed", type=int, default=1, metavar="N", help="of the first run; the same gives the same")
    simulate.add_argument("--chart", metavar="FILE.png", help="draw FILE-budget.png and FILE-progress.png")


def _add_report(report: argparse.ArgumentParser) -> None:
    report.add_argument("what", choices=("daily", "weekly", "metrics"))
    report.add_argument("--date", metavar="D", help="of this day, or the week it is in: 2026-02-03; default today")
    report.add_argument("--sprint", type=int, metavar="N", help="about this sprint; default the open one")
    report.add_argument("--days", metavar="N", help="metrics: of so many days; default 30")
    report.add_argument("--project", help="the key of the project, where there are several")
    report.add_argument("--format", choices=("text", "markdown", "html", "json"), default="text")


def _add_export(export: argparse.ArgumentParser) -> None:
    export.add_argument("what", choices=("events", "ledger"))
    export.add_argument("--project", help="only this project's")
    export.add_argument(
        "--from", dest="first", metavar="D", help="only from this date on, or this time: 2026-02-03T10:30"
    )
    export.add_argument("--to", dest="last", metavar="D", help="only until this date, which is included, or this time")
    form = export.add_mutually_exclusive_group()
    form.add_argument("--jsonl", dest="format", action="store_const", const="jsonl", help="JSON lines: the default")
    form.add_argument(
        "--csv", dest="format", action="store_const", const="csv", help="for a spreadsheet; holds no formula"
    )
    export.set_defaults(format="jsonl")
    export.add_argument("--columns", action="store_true", help="only say what each column means, and in which unit")
    export.add_argument("--messages", action="store_true", help="of events, only the plan's own messages (R-MSG)")


def _add_init(init: argparse.ArgumentParser) -> None:
    init.add_argument("--output", type=Path, default=Path("orch.toml"), help="default orch.toml; .json has no comments")
    init.add_argument("--force", action="store_true", help="overwrite an existing file")
    init.add_argument("--yes", action="store_true", help="ask nothing; take flags and what can be found out")
    for name, meaning in (
        ("repo", "path or address of the repository"),
        ("key", "the project's key, say GRANTER"),
        ("channel", "the Slack id of its channel"),
        ("branch", "what tasks start from and are merged into"),
        ("timezone", "say Europe/Lisbon"),
        ("preset", "of the budgets: lean or standard"),
    ):
        init.add_argument(f"--{name}", help=meaning)
    for name, meaning in (
        ("lead", "Slack id of a lead; may be given again"),
        ("approver", "Slack id of an approver; may be given again"),
        ("setup", "a command that prepares the checks; may be given again"),
        ("check", "a command that must pass; may be given again"),
    ):
        init.add_argument(f"--{name}", action="append", help=meaning)


def _serve(arguments: argparse.Namespace) -> int:
    from bot.cli.serve import serve

    return asyncio.run(serve(arguments.role))


def _local(arguments: argparse.Namespace) -> int:
    from bot.cli.local import local

    return asyncio.run(local(arguments))


def _init(arguments: argparse.Namespace) -> int:
    from bot.cli.init import write_config

    return write_config(arguments)


def _doctor(arguments: argparse.Namespace) -> int:
    from bot.cli.doctor import examine

    return asyncio.run(examine())


def _migrate(arguments: argparse.Namespace) -> int:
    from bot.cli.migrate import bring_up_to_date

    return asyncio.run(bring_up_to_date())


def _route(arguments: argparse.Namespace) -> int:
    from bot.cli.route import route_lines

    return route_lines(arguments.jsonl)


def _plan(arguments: argparse.Namespace) -> int:
    from bot.cli.plan import check, load

    if arguments.action == "check":
        return check(arguments.file)
    return asyncio.run(load(arguments.file, arguments.project))


def _ci(arguments: argparse.Namespace) -> int:
    from bot.cli.ci import tell

    return asyncio.run(tell(arguments))


def _simulate(arguments: argparse.Namespace) -> int:
    from bot.cli.simulate import run

    return run(arguments)


def _report(arguments: argparse.Namespace) -> int:
    from bot.cli.report import report

    return asyncio.run(report(arguments))


def _export(arguments: argparse.Namespace) -> int:
    from bot.cli.export import export

    return asyncio.run(export(arguments))


_COMMANDS = {
    "serve": _serve,
    "local": _local,
    "init": _init,
    "doctor": _doctor,
    "migrate": _migrate,
    "route": _route,
    "plan": _plan,
    "ci": _ci,
    "simulate": _simulate,
    "report": _report,
    "export": _export,
}

if __name__ == "__main__":
    sys.exit(main())
