"""Text-editor calls, applied: the semantics of Anthropic's `str_replace_based_edit_tool` (DESIGN)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.calls import EditCall
from bot.domain.edits import MAX_LISTED, Applied, apply_edits, edited_paths

FILES = {"src/a.py": "one\ntwo\ntwo\nthree\n", "README.md": "# Title", "empty.txt": "", "win.txt": "a\r\nb\r\nc\r\n"}
EXISTING = (*FILES, "src/logo.png", "src/deep/b.py", ".env")


def call(command: str, path: str, **fields: Any) -> EditCall:
    return EditCall(id="c1", command=command, path=path, **fields)


def run(*calls: EditCall) -> Applied:
    return apply_edits(FILES, EXISTING, calls)


def replace(path: str, old: str, new: str | None) -> EditCall:
    return call("str_replace", path, old_str=old, new_str=new)


def insert(path: str, line: int | None, text: str | None) -> EditCall:
    return call("insert", path, insert_line=line, insert_text=text)


GOOD = [
    # str_replace: exactly one match
    (replace("src/a.py", "one", "1"), "src/a.py", "1\ntwo\ntwo\nthree\n"),
    (replace("src/a.py", "two\ntwo\n", ""), "src/a.py", "one\nthree\n"),
    (replace("src/a.py", "two\nthree", None), "src/a.py", "one\ntwo\n\n"),
    # insert: after line n, 0 = at the start; lines stay whole
    (insert("src/a.py", 0, "zero\n"), "src/a.py", "zero\none\ntwo\ntwo\nthree\n"),
    (insert("src/a.py", 1, "x"), "src/a.py", "one\nx\ntwo\ntwo\nthree\n"),
    (insert("src/a.py", 4, "x\ny"), "src/a.py", "one\ntwo\ntwo\nthree\nx\ny\n"),
    (insert("README.md", 1, "text\n"), "README.md", "# Title\ntext"),
    (insert("README.md", 0, "---\n"), "README.md", "---\n# Title"),
    (insert("empty.txt", 0, "x"), "empty.txt", "x\n"),
    # create: a new file, or a full rewrite
    (call("create", "new/c.py", file_text="c\n"), "new/c.py", "c\n"),
    (call("create", "src/a.py", file_text=""), "src/a.py", ""),
    # CRLF files keep their line ends, whichever the model sends
    (replace("win.txt", "a\nb", "x\ny"), "win.txt", "x\r\ny\r\nc\r\n"),
    (replace("win.txt", "b\r\n", "z\r\n"), "win.txt", "a\r\nz\r\nc\r\n"),
    (insert("win.txt", 1, "n\n"), "win.txt", "a\r\nn\r\nb\r\nc\r\n"),
    (call("create", "win.txt", file_text="q\nr\n"), "win.txt", "q\r\nr\r\n"),
    # prefixes that models add
    (replace("./src/a.py", "one", "1"), "src/a.py", "1\ntwo\ntwo\nthree\n"),
    (replace("/src/a.py", "one", "1"), "src/a.py", "1\ntwo\ntwo\nthree\n"),
    (replace("/repo/src/a.py", "one", "1"), "src/a.py", "1\ntwo\ntwo\nthree\n"),
    (replace("SRC/A.py", "one", "1"), "src/a.py", "1\ntwo\ntwo\nthree\n"),
    (call("create", "/repo/src/c.py", file_text="c"), "src/c.py", "c"),
    (call("create", "/LICENSE", file_text="c"), "LICENSE", "c"),
    (call("create", ".env.example", file_text="A=\n"), ".env.example", "A=\n"),
]


@pytest.mark.parametrize(("one", "path", "text"), GOOD)
def test_an_edit_is_applied(one: EditCall, path: str, text: str) -> None:
    applied = run(one)
    assert applied.errors == ()
    assert applied.changes == {path: text}


BAD = [
    (replace("src/a.py", "two", "2"), "found 2 times (lines 2, 3)"),
    (replace("src/a.py", "four", "4"), "found 0 times; its first line is not in the file"),
    (replace("src/a.py", "  one\n", "1"), "found 0 times; its first line is at 1: compare white space"),
    (replace("src/a.py", "", "4"), "needs old_str"),
    (replace("src/a.py", "one", "one"), "changes nothing"),
    (replace("none.py", "one", "1"), "no such file"),
    (replace("src/logo.png", "one", "1"), "cannot be read as text"),
    (replace("src", "one", "1"), "is a folder"),
    (replace(".env", "A", "B"), "may hold secrets"),
    (call("view", ".env"), "may hold secrets"),
    (call("create", "prod/.env.local", file_text="A=1"), "may hold secrets"),
    (call("create", "src/new.py"), "needs file_text"),
    (call("create", "src/a.py", file_text=FILES["src/a.py"]), "changes nothing"),
    (call("create", "src/a.py/x", file_text="x"), "src/a.py is a file, not a folder"),
    (call("create", "src", file_text="x"), "is a folder"),
    (call("create", "x.txt", file_text="a\0b"), "no text file can hold"),
    (insert("src/a.py", 5, "x"), "insert_line is 5; it must be from 0 to 4"),
    (insert("src/a.py", -1, "x"), "from 0 to 4"),
    (insert("src/a.py", None, "x"), "needs insert_line"),
    (insert("src/a.py", 1, ""), "needs insert_line and insert_text"),
    (call("delete", "src/a.py"), "no such command"),
    (call("view", "none.py"), "no such file"),
    (call("create", "../x", file_text="x"), "`..`"),
    (call("create", ".GIT/hooks/x", file_text="x"), "git's own folder"),
    (call("create", "a\\b", file_text="x"), "backslash"),
    (call("create", "a\nb", file_text="x"), "control"),
    (call("create", "/home/me/project/x.py", file_text="x"), "outside the repository"),
    (call("create", "", file_text="x"), "empty"),
]


@pytest.mark.parametrize(("one", "why"), BAD)
def test_a_wrong_edit_changes_nothing_and_says_why(one: EditCall, why: str) -> None:
    applied = run(one)
    assert applied.changes == {}
    assert [r.call_id for r in applied.errors] == ["c1"]
    assert why in applied.results[0].text
    assert len(applied.results[0].text) < 300


def test_later_calls_see_what_earlier_ones_did() -> None:
    applied = run(
        call("create", "lib/n.py", file_text="x = 1\n"),
        replace("lib/n.py", "1", "2"),
        replace("lib/n.py", "1", "3"),  # gone by now
        insert("LIB/n.py", 1, "y = 1\n"),
    )
    assert [r.is_error for r in applied.results] == [False, False, True, False]
    assert applied.changes == {"lib/n.py": "x = 2\ny = 1\n"}


def test_edits_that_cancel_out_are_no_change() -> None:
    assert run(replace("src/a.py", "one", "1"), replace("src/a.py", "1", "one")).changes == {}


def test_mixed_line_ends_change_only_where_the_edit_is() -> None:
    files = {"m.txt": "a\r\nb\nc\r\nd\r\n"}
    applied = apply_edits(files, files, [replace("m.txt", "c", "C\nD")])
    assert applied.changes == {"m.txt": "a\r\nb\nC\r\nD\r\nd\r\n"}


def test_a_byte_order_mark_stays_first() -> None:
    files = {"b.txt": "\ufeffa\n"}
    assert apply_edits(files, files, [insert("b.txt", 0, "x\n")]).changes == {"b.txt": "\ufeffx\na\n"}


def test_a_repository_with_a_folder_named_repo() -> None:
    files = {"repo/a.py": "1", "a.py": "2", "repo/b.py": "3"}
    both = apply_edits(files, files, [replace("/repo/a.py", "1", "x")])
    assert "unclear" in both.results[0].text
    one = apply_edits(files, files, [replace("/repo/b.py", "3", "x"), replace("repo/a.py", "1", "y")])
    assert one.changes == {"repo/b.py": "x", "repo/a.py": "y"}
    new = apply_edits(files, files, [call("create", "/repo/c.py", file_text="x")])
    assert "unclear" in new.results[0].text


def test_view_numbers_lines_and_lists_folders() -> None:
    assert run(call("view", "src/a.py")).results[0].text.splitlines()[0] == "     1\tone"
    assert run(call("view", "src")).results[0].text.splitlines() == ["src/a.py", "src/deep/b.py", "src/logo.png"]
    assert "README.md" in run(call("view", "/")).results[0].text


def test_view_is_bounded() -> None:
    files = {"long.txt": "line\n" * 5000, "wide.txt": "x" * 100_000, **{f"d/{n}": "" for n in range(500)}}
    long, wide, folder = apply_edits(files, files, [call("view", p) for p in ("long.txt", "wide.txt", "d")]).results
    assert long.text.endswith("... cut; the file has 5000 lines")
    assert len(long.text) < 16_100
    assert len(wide.text) < 16_100
    assert folder.text.endswith(f"... and {500 - MAX_LISTED} more")


def test_the_caller_learns_which_files_to_read() -> None:
    calls = [replace("/repo/src/A.py", "a", "b"), call("view", "README.md"), replace("src/a.py", "c", "d")]
    calls += [call("create", "new.py", file_text=""), call("view", ".env"), call("view", "../x"), call("view", "src")]
    assert edited_paths(EXISTING, calls) == ("src/a.py", "README.md")


some_paths = st.one_of(
    st.sampled_from(["src/a.py", "/repo/win.txt", "src", "", "/", ".git/x", "new"]), st.text(max_size=8)
)
some_text = st.one_of(st.none(), st.sampled_from(["one", "two\n", "b\r\n", "\r", "a\n"]), st.text(max_size=8))
some_calls = st.builds(
    EditCall,
    id=st.just("i"),
    command=st.sampled_from(["view", "create", "str_replace", "insert", "undo_edit"]),
    path=some_paths,
    file_text=some_text,
    old_str=some_text,
    new_str=some_text,
    insert_line=st.one_of(st.none(), st.integers(-2, 9)),
    insert_text=some_text,
)


@settings(max_examples=300, deadline=None)
@given(st.lists(some_calls, max_size=6))
def test_no_call_ever_raises_and_each_gets_an_answer(calls: list[EditCall]) -> None:
    edited_paths(EXISTING, calls)
    applied = apply_edits(FILES, EXISTING, calls)
    assert len(applied.results) == len(calls)
    for path, text in applied.changes.items():
        assert ".." not in path.split("/")
        assert not path.startswith("/")
        text.encode()
    if all(result.is_error for result in applied.results):
        assert applied.changes == {}


line_ends = st.lists(st.sampled_from(["a", "b", "\n", "\r\n"]), max_size=12).map("".join)


@settings(deadline=None)
@given(line_ends, line_ends, line_ends)
def test_what_surrounds_a_replacement_is_untouched(before: str, new: str, after: str) -> None:
    raw = before + "MARK" + after
    applied = apply_edits({"f": raw}, ["f"], [replace("f", "MARK", new)])
    text = applied.changes["f"]
    assert text.startswith(before)
    assert text.endswith(after)
    assert text.replace("\r\n", "\n") == (before + new.replace("\r\n", "\n") + after).replace("\r\n", "\n")
