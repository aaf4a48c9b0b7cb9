"""The grammar as data: each command's form, its meaning and two examples."""

from __future__ import annotations

from typing import NamedTuple

SHORT = 120  # characters of a form that an answer to a mistake may repeat


class Entry(NamedTuple):
    """One command as people are shown it."""

    name: str
    form: str
    meaning: str
    examples: tuple[str, str]
    brief: str = ""  # the form in the list of all commands, where the whole one is too long for a line

    @property
    def short(self) -> str:
        """The form, or where it is too long to be read in passing, the command that explains it."""
        return self.form if len(self.form) <= SHORT else f"/orch help {self.name}"


ASSIGN_OPTIONS: tuple[tuple[str, str], ...] = (
    ("--files a,b", "the files it may change, relative to the repository"),
    (
        "--type T",
        "setup, config, docs, schema, auth, logic, integration, tests, debug, review, analysis, search, "
        "validation or ops",
    ),
    ("--model M", "haiku, sonnet, opus, gemini or manual; without it the cheapest that suffices"),
    ("--priority P", "low, normal, high or critical"),
    ("--deadline 2026-02-03T10:30", "in the project's time zone; a date alone means the end of that day"),
    ("--budget TOKENS", "most tokens of one attempt, say 3000 or 3k"),
    ("--sprint N", "the sprint it belongs to"),
    ("--day N", "the day of the sprint"),
    ("--after ID,ID", "the tasks that must be finished first"),
    ('--check "CMD"', "a command that must pass; may be given several times"),
    ("--owner @u", "the person who looks after it"),
    ("--security", "treat it as security-critical"),
    ("--dry-run", "only show what would be done, and what it would cost"),
)

_ASSIGN_FORM = (
    "/orch assign <what> [--files a,b] [--type T] [--model haiku|sonnet|opus|gemini|manual] "
    "[--priority low|normal|high|critical] [--deadline 2026-02-03T10:30] [--budget TOKENS] [--sprint N] "
    '[--day N] [--after ID,ID] [--check "CMD"] [--owner @u] [--security] [--dry-run]'
)

#: Every command, in the order help shows them.
ENTRIES: tuple[Entry, ...] = (
    Entry(
        "assign",
        _ASSIGN_FORM,
        "Give Orch a task; without text it opens a form.",
        (
            "/orch assign Write a README for the billing service --files README.md",
            '/orch assign Retry failed payments --files src/pay.ts --check "npm test" --priority high',
        ),
        "/orch assign <what> [options]",
    ),
    Entry(
        "list",
        "/orch list [mine|running|blocked|review|all] [words] [@owner]",
        "Show the tasks, or those that hold a word or that somebody owns; by default the open ones.",
        ("/orch list blocked", "/orch list billing @ann"),
        "/orch list [which] [words] [@owner]",
    ),
    Entry(
        "status",
        "/orch status [ID]",
        "Show where one task stands; without an id, how everything is.",
        ("/orch status S1-D1-2", "/orch status"),
    ),
    Entry(
        "why",
        "/orch why ID",
        "Show every decision about a task, and its reason.",
        ("/orch why S1-D1-2", "/orch why s1-d1-2"),
    ),
    Entry(
        "cancel",
        "/orch cancel ID",
        "Stop a task for good and keep its work.",
        ("/orch cancel S1-D1-2", "/orch cancel SHOP:S1-D1-2"),
    ),
    Entry(
        "retry",
        "/orch retry ID",
        "Start a failed, blocked or cancelled task again.",
        ("/orch retry S1-D1-2", "/orch retry SHOP:S1-D1-2"),
    ),
    Entry(
        "unblock",
        "/orch unblock ID",
        "Say that what blocked a task is solved.",
        ("/orch unblock S1-D1-2", "/orch unblock SHOP:S1-D1-2"),
    ),
    Entry(
        "done",
        "/orch done ID [what you saw]",
        "Say that a manual task is finished.",
        ("/orch done S1-D1-2 all 40 tests pass on staging", "/orch done SHOP:S1-D1-2"),
    ),
    Entry(
        "block",
        "/orch block ID <reason>",
        "Say that a task cannot go on, and why.",
        ("/orch block S1-D1-2 waiting for the staging keys", "/orch block S1-D1-2 the API is down"),
    ),
    Entry(
        "reassign",
        "/orch reassign ID <haiku|sonnet|opus|gemini|manual|@user>",
        "Give a task to another model or person.",
        ("/orch reassign S1-D1-2 sonnet", "/orch reassign S1-D1-2 @ann"),
        "/orch reassign ID <model|@user>",
    ),
    Entry(
        "takeover",
        "/orch takeover ID",
        "Finish a task yourself.",
        ("/orch takeover S1-D1-2", "/orch takeover SHOP:S1-D1-2"),
    ),
    Entry(
        "away",
        "/orch away [until DATE|back]",
        "Say when you are back; until then your backup is asked. Alone it shows how it stands.",
        ("/orch away until 2026-02-10", "/orch away back"),
    ),
    Entry(
        "schedule",
        "/orch schedule show|set <morning|midday|evening|weekly> <[DAY] HH:MM>|skip <which> [DATE]",
        "Show or change when stand-ups and reports are posted.",
        ("/orch schedule set morning 08:30", "/orch schedule skip evening 2026-02-03"),
        "/orch schedule show|set|skip",
    ),
    Entry(
        "budget",
        "/orch budget [sprint|chart]",
        "Show what was spent and what is left, today or in the sprint; as a picture too.",
        ("/orch budget sprint", "/orch budget chart"),
    ),
    Entry(
        "budget task",
        "/orch budget task ID",
        "Show what a task spent, call by call, and what its attempt has left.",
        ("/orch budget task S1-D1-2", "/orch budget task SHOP:S1-D1-2"),
    ),
    Entry(
        "budget raise",
        "/orch budget raise <day|sprint|haiku|sonnet|gemini|opus|ID> TOKENS|$DOLLARS [until DATE]",
        "Add tokens to a limit, or dollars to the day or the sprint: for today, the sprint or until a date. For leads.",
        ("/orch budget raise sonnet 5000", "/orch budget raise day $5 until 2026-02-06"),
        "/orch budget raise <limit> TOKENS|$DOLLARS [until DATE]",
    ),
    Entry(
        "budget reset",
        "/orch budget reset [day|sprint|haiku|sonnet|gemini|opus|ID]",
        "Put a limit back to what is configured, and start what was deferred; without a word, all. For leads.",
        ("/orch budget reset", "/orch budget reset sonnet"),
    ),
    Entry(
        "budget correct",
        "/orch budget correct <CALL|day|sprint|haiku|sonnet|gemini|opus> TOKENS",
        "Say what a call took whose outcome is unknown and that was charged in full, or each of a limit's. For leads.",
        ("/orch budget correct SHOP/S1-D1-2/1/1 1850", "/orch budget correct gemini 2500"),
    ),
    Entry(
        "sprint",
        "/orch sprint start|close|show N",
        "Start, close or show a sprint.",
        ("/orch sprint start 1", "/orch sprint show"),
    ),
    Entry(
        "plan",
        "/orch plan load NAME|show",
        "Load a plan's tasks, or show the plan.",
        ("/orch plan load granter-v2", "/orch plan show"),
    ),
    Entry("standup", "/orch standup", "Post the stand-up now.", ("/orch standup", "@orch standup")),
    Entry(
        "report",
        "/orch report daily|weekly [--date D] [--sprint N]",
        "Post the daily or weekly report in the channel: of today, or of another date or sprint.",
        ("/orch report daily --date 2026-02-03", "/orch report weekly"),
    ),
    Entry(
        "metrics",
        "/orch metrics [DAYS]",
        "Show the success metrics as measured: of the last 30 days, or so many.",
        ("/orch metrics", "/orch metrics 7"),
    ),
    Entry(
        "incident",
        "/orch incident <what>",
        "Report a production incident: people and the strongest model at once.",
        ("/orch incident Checkout answers 500", "/orch incident Log-in is down since 10:05"),
    ),
    Entry(
        "help",
        "/orch help [command]",
        "Show this help, or that of one command.",
        ("/orch help assign", "/orch help budget raise"),
    ),
)

BY_NAME: dict[str, Entry] = {entry.name: entry for entry in ENTRIES}
#: The first words of all commands.
NAMES: tuple[str, ...] = tuple(dict.fromkeys(entry.name.split()[0] for entry in ENTRIES))
#: Words that people try, with the command they mean. Used in the answers to mistakes.
SYNONYMS: dict[str, str] = {
    **dict.fromkeys(("add", "create", "new", "task", "do", "todo", "make", "give"), "assign"),
    **dict.fromkeys(("ls", "tasks", "queue", "show"), "list"),
    **dict.fromkeys(("stop", "kill", "delete", "remove", "rm", "abort"), "cancel"),
    **dict.fromkeys(("info", "state", "details", "progress"), "status"),
    **dict.fromkeys(("explain", "reason", "log", "history"), "why"),
    **dict.fromkeys(("restart", "rerun", "again", "redo"), "retry"),
    **dict.fromkeys(("cost", "costs", "tokens", "usage", "spend", "money", "quota"), "budget"),
    **dict.fromkeys(("finish", "finished", "complete", "close"), "done"),
    **dict.fromkeys(("escalate", "delegate", "handover"), "reassign"),
    **dict.fromkeys(("vacation", "holiday", "ooo"), "away"),
    **dict.fromkeys(("daily", "weekly", "summary"), "report"),
    **dict.fromkeys(("stats", "kpi", "statistics"), "metrics"),
    **dict.fromkeys(("outage", "emergency"), "incident"),
    **dict.fromkeys(("take", "grab", "mine"), "takeover"),
}
