"""Wrong commands, and what is answered: the person's word, what is wrong, the nearest right word, the form."""

from __future__ import annotations

import pytest

from bot.domain.commands import parse
from bot.errors import UserMistake

MANY = ",".join(f"f{n}.py" for n in range(51))
CHECKS = " ".join(f"--check c{n}" for n in range(11))

#: What is typed, a distinctive part of the answer.
WRONG: list[tuple[str, str]] = [
    # commands
    ("sttus S1-D1-2", "I do not know the command `sttus`. Did you mean `/orch status`?"),
    ("asign Fix the cart", "Did you mean `/orch assign`?\nTo copy and correct: /orch assign Fix the cart"),
    ("create a page for it", "If it is a task for me: /orch assign create a page for it"),
    ("frobnicate the cart", "I do not know the command `frobnicate`."),
    ("please write some docs", "the command `please`.\nIf it is a task for me: /orch assign please write some docs"),
    ("bugdet raise haiku 5000", "Did you mean `/orch budget`?"),
    ("fix the cart please", "If it is a task for me: /orch assign fix the cart please"),
    ("stop S1-D1-2", "Did you mean `/orch cancel`?"),
    ("tokens", "Did you mean `/orch budget`?"),
    ("approve S1-D1-2", "is a button on the task's card"),
    ("`x` y", "I do not know the command `x`"),
    # task ids
    ("status 12", "`12` is not a task id: they read `S1-D1-2`"),
    ("why S1D1-2", "Did you mean `S1-D1-2`?"),
    ("cancel S1-D1-2 S1-D1-3", "One task id is enough; I do not know what to do with `S1-D1-3`."),
    ("retry all", "`all` is not a task id"),
    ("cancel --force S1-D1-2", "I do not know the option `--force`. This command has none."),
    ("why S1-D1-2 --all", "I do not know the option `--all`. This command has none."),
    ("report weekly --dat 2026-02-03", "I do not know the option `--dat`. Did you mean `--date`?"),
    ("report weekly --quick", "I do not know the option `--quick`."),
    ("standup —now", "I do not know the option `--now`. This command has none."),
    ("done S1000-D1-1", "is not a task id"),
    # other commands
    ("list --mine", "I do not know the option `--mine`."),
    ("list --ownr @ann", "I do not know the option `--ownr`. Did you mean `--owner`?"),
    ("list --owner ann", "`ann` is only a name to me."),
    ("list " + "x" * 81, "A search has at most 80 characters."),
    ("list mine all", "I do not know what to do with `all` there."),
    ("block S1-D1-2", "Why is S1-D1-2 blocked? Add the reason."),
    ("block", "Which task?"),
    ("reassign S1-D1-2", "To whom shall S1-D1-2 go?"),
    ("reassign S1-D1-2 sonet", "`sonet` is not a model or a @person. Did you mean `sonnet`?"),
    ("reassign S1-D1-2 @ann", "`@ann` is only a name to me."),
    ("away until friday", "`friday` is not a date that I understand: write `2026-02-03`."),
    ("away until 2026-02-30", "`2026-02-30` is not a date"),
    ("schedule shw", "Did you mean `show`?"),
    ("schedule set", "Which one? morning, midday, evening or weekly."),
    ("schedule set noon 12:00", "Did you mean `midday`?"),
    ("schedule set morning", "At what time?"),
    ("schedule set morning 25:00", "`25:00` is not a time of day: write `08:30`."),
    ("schedule set weekly 16:00", "`16:00` is not a weekday."),
    ("budget rise sonnet 5", "Did you mean `raise`?"),
    ("budget raise sonnet", "Which limit, and by how many tokens?"),
    ("budget raise sonet 5k", "`sonet` is not a limit. Did you mean `sonnet`?"),
    ("budget raise haiku $5", "Only the day and the sprint have limits in dollars."),
    ("budget raise S1-D1-2 $5", "Only the day and the sprint have limits in dollars."),
    ("budget raise day $0", "`$0` is not an amount: write `$5` or `$2.50`."),
    ("budget raise day $1,00", "`$1,00` is not an amount"),
    ("budget raise day $-5", "`$-5` is not an amount"),
    ("budget raise day $999999999", "is too much: at most $100,000."),
    ("budget task", "Which task?"),
    ("budget task docs", "is not"),
    ("budget raise day -500", "A limit can only be raised here"),
    ("budget raise day 0", "`0` is out of range: 1 to 100,000,000 tokens."),
    ("budget raise day 101m", "`101m` is out of range: 1 to 100,000,000 tokens."),
    ("budget raise day 1e9", "`1e9` is not a number of tokens"),
    ("budget raise day 5k until", "Until when? Give the last day that it holds"),
    ("budget raise day 5k until tomorrow", "`tomorrow` is not a date that I understand"),
    ("budget raise day 5k until 2026-02-30", "is not a date"),
    ("budget raise S1-D1-2 5k until 2026-02-03", "What S1-D1-2 gets, it keeps: leave the date away."),
    ("budget raise day 5k 2026-02-03 more", "I do not know what to do with `more` there."),
    ("budget reset week all", "I do not know what to do with `all` there."),
    ("budget correct", "Which call, and how many tokens did it take?"),
    ("budget correct them 500", "`them` is not a limit"),
    ("budget correct S1-D1-2 500", "`S1-D1-2` is not a call's id"),
    ("budget correct SHOP/S1-D1-2/1/1 -5", "`-5` is not a number of tokens"),
    ("budget lower day 5k", "`lower` is not a thing to do with budgets."),
    ("sprint start", "Which sprint shall I start?"),
    ("sprint start one", "`one` is not a sprint: a whole number from 0 to 99."),
    ("sprint begin 1", "`begin` is not a thing to do with a sprint."),
    ("plan load", "Which plan shall I load?"),
    ("plan load ../x", "`../x` is not a plan's name"),
    ("report", "Which report: daily or weekly?"),
    ("report montly", "`montly` is not a report."),
    ("report daily --date", "--date needs a date behind it."),
    ("report daily --date tomorrow", "`tomorrow` is not a date that I understand"),
    ("report daily --sprint one", "`one` is not a sprint"),
    ("report daily date 2026-02-03", "I do not know what to do with `date` there."),
    ("metrics 0", "`0` is not a number of days: 1 to 366."),
    ("metrics last week", "I do not know what to do with `week` there."),
    ("metrics weekly", "`weekly` is not a number of days"),
    ("standup now", "I do not know what to do with `now` there."),
    ("incident", "What happened?"),
    ("help asign", "Did you mean `assign`?"),
    # assign: options
    ("assign x --fies a.py", "I do not know the option `--fies`. Did you mean `--files a,b`?"),
    ("assign x --frobnicate", "put it in quotes, or write ` -- ` before the text"),
    ("assign x —fies a.py", "I do not know the option `--fies`."),
    ("assign x --due 2026-02-03", "Did you mean `--deadline 2026-02-03T10:30`?"),
    ("assign x --no-security", "nothing lowers the security floor (R-SEC-1)"),
    ("assign x -files a.py", "`-files` has one dash only: write `--files`"),
    ("assign x --files", "`--files` needs a value: `--files a,b`."),
    ("assign x --files --type docs", "`--files` needs a value"),
    ("assign x --type=", "`--type` needs a value: `--type T`."),
    ('assign x --check ""', '`--check` needs a value: `--check "CMD"`.'),
    ("assign x --type docs --type tests", "`--type` is given twice; I take it once."),
    ("assign x --files a.py --files b.py", "Put them together: `--files a,b`."),
    ("assign x --security=no", "`--security` takes no value: leave `=no` away."),
    # assign: values
    ("assign x --type doc", "`doc` is not a type. Did you mean `docs`? It can be: setup, config,"),
    ("assign x --type feature", "Did you mean `logic`?"),
    ("assign x --model claude-haiku-4.5", "Did you mean `haiku`?"),
    ("assign x --model sonet", "`sonet` is not a model. Did you mean `sonnet`?"),
    ("assign x --model human", "Did you mean `manual`?"),
    ("assign x --priority urgent", "`urgent` is not a priority. Did you mean `critical`?"),
    ("assign x --priority hihg", "Did you mean `high`?"),
    ("assign x --deadline tomorrow", "`tomorrow` is not a date and time that I understand"),
    ("assign x --deadline 2026-02-03T10:30Z", "leave the time zone away"),
    ("assign x --deadline 2026-02-03T10:30+01:00", "leave the time zone away"),
    ("assign x --deadline 2026-02-30", "`2026-02-30` does not exist in the calendar"),
    ("assign x --deadline 2026-02-03T25:00", "does not exist in the calendar"),
    ("assign x --budget lots", "`lots` is not a number of tokens: write `3000`, `3,000` or `3k`"),
    ("assign x --budget $5", "dollars are computed from prices"),
    ("assign x --budget 3.000", "`3.000` is not a number of tokens"),
    ("assign x --budget 3,00", "`3,00` is not a number of tokens"),
    ("assign x --budget 0", "`0` is out of range: 1 to 1,000,000 tokens."),
    ("assign x --budget -5", "`-5` is not a number of tokens"),
    ("assign x --budget 2m", "`2m` is out of range"),
    ("assign x --budget 99999999999999", "is too much"),
    ("assign x --sprint S1", "`S1` is not a sprint: a whole number from 0 to 99. Did you mean `1`?"),
    ("assign x --day -1", "`-1` is not a day of the sprint"),
    ("assign x --after S1D1", "`S1D1` is not a task id"),
    ("assign x --owner @ann", "pick the person from the list that Slack offers"),
    ("assign x --owner ann", "`ann` is only a name to me."),
    # assign: files
    ("assign x --files /etc/passwd", "I cannot take the file `/etc/passwd`: the path is absolute"),
    ("assign x --files ~/x.py", "the path is absolute"),
    ("assign x --files C:/x.py", "the path is absolute"),
    ("assign x --files a/../../b", "the path has `..`"),
    (r"assign x --files src\app.py", "the path has a backslash; use /"),
    ("assign x --files src/*.py", "patterns are not supported; name each file"),
    ("assign x --files src/", "that is a folder; name the files in it"),
    ("assign x --files .git/config", "the path is in git's own folder"),
    (f"assign x --files {MANY}", "51 files are too many for one task (at most 50): split it."),
    ("assign x --files a.py src/b.py", "Put commas between the files: `--files a.py,src/b.py`."),
    # assign: quotes, checks, length
    ('assign x --check "npm test', 'The quote in `"npm test` is never closed.'),
    ("assign x --check npm test", 'Put the check in quotes, or I cannot see where it ends: `--check "npm …"`.'),
    ('assign fix the "foo --files a.py --check "npm test"', "A quote near"),
    ('assign x --check "a\nb"', "must be one line of at most 500 characters"),
    (f"assign x {CHECKS}", "too many checks for one task: at most 10"),
    ("assign " + "x" * 4001, "The text has 4,001 characters; at most 4,000 fit."),
    ("assign " + "x" * 12001, "a command has at most 12,000"),
]


@pytest.mark.parametrize(("typed", "answer"), WRONG, ids=[typed[:50] for typed, _ in WRONG])
def test_a_mistake_is_answered(typed: str, answer: str) -> None:
    with pytest.raises(UserMistake) as caught:
        parse(typed)
    assert answer in str(caught.value)
    assert caught.value.form and caught.value.form.startswith("/orch ")
    assert len(str(caught.value)) < 3_000  # fits one section of a message


@pytest.mark.parametrize(
    ("typed", "form"),
    [
        ("sttus", "/orch status [ID]"),
        ("frobnicate", "/orch help"),
        ("assign Fix it --flies a.py", "/orch help assign"),
        ("budget raise x", "/orch budget raise <day|sprint|haiku|sonnet|gemini|opus|ID> TOKENS|$DOLLARS [until DATE]"),
        ("report", "/orch report daily|weekly [--date D] [--sprint N]"),
    ],
)
def test_the_right_form_is_shown(typed: str, form: str) -> None:
    with pytest.raises(UserMistake) as caught:
        parse(typed)
    assert caught.value.form == form


def test_nothing_typed_is_lost() -> None:
    typed = 'assign Fix “the cart” --fies <http://a.py|a.py> --check "npm test"'
    with pytest.raises(UserMistake) as caught:
        parse(typed)
    again = str(caught.value).split("To copy and correct: ")[1]
    assert again == '/orch assign Fix “the cart” --fies a.py --check "npm test"'
    assert parse(again.replace("--fies", "--files")).command == "assign"
