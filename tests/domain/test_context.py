"""What a one-shot edit is shown (DESIGN, "Context and edits"; R-SEC-3)."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.context import FilePart, Packed, estimate_tokens, likely_files, list_paths, pack

FILLER = [f"packages/p{n}/src/thing{n}.ts" for n in range(40)]
TREE = [
    *FILLER,
    *("README.md", "package.json", "pnpm-lock.yaml", ".env", "certs/site.pem", "logo.png", "node_modules/x/health.js"),
    *("src/health/health.controller.ts", "src/health/health.controller.spec.ts", "src/users/user.service.ts"),
    *("src/users/user.service.spec.ts", "src/users/user.entity.ts", "docs/health.md", "src/app.module.ts"),
    *("lib/parser.py", "tests/test_parser.py", "cmd/serve.go", "cmd/serve_test.go"),
]
#: task, declared, the first files named
LIKELY = [
    ("Return the version from the health controller", (), ["src/health/health.controller.ts"]),
    ("Fix src/users/user.entity.ts please", (), ["src/users/user.entity.ts"]),
    ("app.module.ts lacks the user service", (), ["src/app.module.ts"]),
    ("Speed up parsing", (), ["lib/parser.py", "tests/test_parser.py"]),
    ("Serving fails", (), ["cmd/serve.go", "cmd/serve_test.go"]),
    ("Do it", ("lib/parser.py",), ["lib/parser.py", "tests/test_parser.py"]),
    ("Do it", ("README.md", "cmd/serve.go"), ["README.md", "cmd/serve.go", "cmd/serve_test.go"]),
    ("Touch the entity", ("src/users/",), ["src/users/user.entity.ts", "src/users/user.service.ts"]),
    ("Zzz qqq", (), []),
]


def _shown(packed: Packed) -> list[str]:
    return list(dict.fromkeys(part.path for part in packed.file_parts))


@pytest.mark.parametrize(("task", "declared", "first"), LIKELY)
def test_the_likely_files(task: str, declared: tuple[str, ...], first: list[str]) -> None:
    found = likely_files(task, declared, TREE, 8)
    assert list(found[: len(first)]) == first
    assert found == likely_files(task, declared, list(reversed(TREE)), 8)
    assert bool(found) is bool(first)


def test_a_test_follows_what_it_tests() -> None:
    found = likely_files("Return the version from the health controller", (), TREE, 8)
    assert "src/health/health.controller.spec.ts" in found[:2]


def test_secret_lock_and_binary_files_are_never_candidates() -> None:
    declared = (".env", "certs/site.pem", "pnpm-lock.yaml", "logo.png", "node_modules/x/health.js")
    assert likely_files("Read .env and certs/site.pem, logo.png, pnpm-lock.yaml", declared, TREE, 50) == ()
    packed = packing(contents={".env": "A=1", "logo.png": "x", "a.py": "a"})
    assert _shown(packed) == ["a.py"]


def test_of_a_small_repository_all_files_are_candidates() -> None:
    assert likely_files("Zzz", (), ["a.py", "b.py", "yarn.lock"], 8) == ("a.py", "b.py")


def test_the_limit_is_kept() -> None:
    assert len(likely_files("Rename every thing", (), TREE, 3)) == 3


def packing(
    task: str = "Change the parser",
    declared: tuple[str, ...] = (),
    contents: dict[str, str] | None = None,
    tokens: int = 2000,
) -> Packed:
    contents = contents or {}
    return pack(task, declared, [*TREE, *contents], contents, ["make test"], ["Use tabs."], tokens)


def test_what_fits_is_shown_whole_and_declared_files_come_first() -> None:
    packed = packing(declared=("b.py",), contents={"lib/parser.py": "p\n", "b.py": "b\n"})
    assert packed.file_parts == (
        FilePart(path="b.py", text="b\n", first_line=1, whole=True),
        FilePart(path="lib/parser.py", text="p\n", first_line=1, whole=True),
    )
    assert _shown(packed) == ["b.py", "lib/parser.py"]


LONG = "".join(f"import m{n}\n" for n in range(10)) + "".join(
    "def parse_date(text):\n" if n == 500 else f"value{n} = compute({n})\n" for n in range(1000)
)


def test_a_long_file_is_cut_to_its_head_and_what_speaks_of_the_task() -> None:
    packed = packing("Make parse date accept times", ("lib/parser.py",), {"lib/parser.py": LONG}, 700)
    head, around = packed.file_parts
    assert (head.first_line, around.first_line) == (1, 505)
    assert head.text.startswith("import m0\n")
    assert "def parse_date(text):\n" in around.text
    assert not head.whole
    assert not around.whole
    lines = LONG.splitlines(keepends=True)
    for part in packed.file_parts:
        count = part.text.count("\n")
        assert part.text == "".join(lines[part.first_line - 1 : part.first_line - 1 + count])
    assert packed.estimated_tokens <= 700


def test_declared_files_share_the_room() -> None:
    packed = packing("Change value500", ("a.py", "b.py"), {"a.py": LONG, "b.py": LONG}, 1200)
    assert _shown(packed) == ["a.py", "b.py"]


def test_secrets_in_a_file_are_hidden() -> None:
    key = "gh" + "p_" + "a1B2c3D4e5F6" * 3
    packed = packing(contents={"a.py": f"k = '{key}'\n"})
    assert packed.file_parts[0].text == "k = '[secret: GitHub token]'\n"


def test_a_task_larger_than_the_allowance_is_shown_nothing_else() -> None:
    packed = packing("word " * 500, contents={"a.py": "a"}, tokens=100)
    assert packed.file_parts == ()
    assert packed.path_list == ""
    assert packed.estimated_tokens > 100


def test_the_list_of_paths_is_whole_where_it_fits() -> None:
    listed = list_paths(["b.py", "a/b.py", ".env"], (), 1000)
    assert listed == "a/b.py\nb.py"


def test_the_list_of_paths_is_abbreviated_by_folder() -> None:
    many = [f"packages/p{n % 7}/src/f{n}.ts" for n in range(2000)] + ["README.md", "src/app/a.ts", "src/app/b.ts"]
    listed = list_paths(many, ["src/app/a.ts"], 100).split("\n")
    assert "src/app/b.ts" in listed
    assert "packages/p0/src/ (286 files)" in listed
    assert list_paths(many, [], 20).split("\n") == ["README.md", "packages/ (2000 files)", "src/ (2 files)"]
    assert list_paths(many, [], 2) == ""


def test_the_list_of_paths_is_the_same_for_every_task_and_what_is_near_comes_beside_it() -> None:  # R-BUD-5
    many = [f"packages/p{n % 7}/src/f{n}.ts" for n in range(2000)]
    contents = {"packages/p3/near/a.ts": "a\n"}
    near = ["packages/p3/near/a.ts", "packages/p3/near/b.ts"]
    first = pack("Change a in near", ["packages/p3/near/a.ts"], [*many, *near], contents, [], [], 2000)
    second = pack("Do something else entirely", [], [*many, *near], {}, [], [], 2000)
    assert first.path_list == second.path_list
    assert first.near_paths.split("\n") == near
    assert second.near_paths == ""


def test_a_large_repository_takes_little_time() -> None:
    many = [f"packages/p{n % 97}/src/modules/m{n % 13}/file{n}.service.ts" for n in range(5_000)]
    contents = dict.fromkeys(many[:10], LONG)
    started = time.process_time()
    found = likely_files("Change the file42 service of modules", (), many, 10)
    pack("Change value500 in file42", found[:2], many, contents, [], [], 4_000)
    assert time.process_time() - started < 4


words = st.sampled_from(["parser", "value", "Größe", "src/a.py", "a.py", "\n", "测试", "x" * 300, " "])
texts = st.lists(words, max_size=30).map(" ".join)
names = st.sampled_from(["a.py", "src/a.py", "tests/test_a.py", "big.txt", ".env", "docs/x.md", "[id].tsx"])


@settings(max_examples=60, deadline=None)
@given(texts, st.lists(names, max_size=3), st.dictionaries(names, texts), st.integers(-5, 800))
def test_the_allowance_is_kept_and_the_parts_are_true(
    task: str, declared: list[str], contents: dict[str, str], tokens: int
) -> None:
    packed = pack(task, declared, TREE, contents, [], [], tokens)
    fixed = estimate_tokens(task) + 2
    assert packed.estimated_tokens <= max(tokens, fixed)
    assert packed == pack(task, declared, list(reversed(TREE)), dict(reversed(contents.items())), [], [], tokens)
    for part in packed.file_parts:
        assert part.text in contents[part.path]
        assert part.path != ".env"
