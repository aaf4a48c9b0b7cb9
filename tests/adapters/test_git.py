"""GitRepository against real git: commits without a checkout, merges by compare-and-swap, nothing run on the host."""

from __future__ import annotations

import asyncio
import os
import subprocess
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.adapters.git import GitRepository
from bot.adapters.git_command import Git
from bot.adapters.git_origin import local_path
from bot.adapters.git_paths import is_task_id, path_problem
from bot.domain.change import Change
from bot.errors import BaseMoved, ConfigError, MergeConflict, RepositoryError, TreeDirty

ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    **{f"GIT_{who}_{what}": "ann@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    **{f"GIT_{who}_DATE": "@1700000000 +0000" for who in ("AUTHOR", "COMMITTER")},
}

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def git(at: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=at, env=ENVIRONMENT, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def shell(*words: str) -> str:
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def save(at: Path, files: dict[str, str], message: str = "work") -> str:
    for name, text in files.items():
        (at / name).parent.mkdir(parents=True, exist_ok=True)
        (at / name).write_text(text)
    git(at, "add", "-A", "-f")
    git(at, "commit", "-qm", message)
    return git(at, "rev-parse", "HEAD")


@pytest.fixture
def person(tmp_path: Path) -> Path:
    """A person's own repository, with main checked out."""
    at = tmp_path / "person"
    at.mkdir()
    git(at, "init", "-q", "-b", "main")
    save(at, {"README.md": "hello\n", "src/app.py": "one\ntwo\nthree\n", "run.sh": "#!/bin/sh\n"}, "first")
    (at / "link").symlink_to("/etc")
    (at / "run.sh").chmod(0o755)
    save(at, {}, "second")
    return at


@pytest.fixture
def bare(tmp_path: Path, person: Path) -> Path:
    git(tmp_path, "clone", "-q", "--bare", str(person), "bare.git")
    return tmp_path / "bare.git"


def orch(origin: Path | str, tmp_path: Path, **more: str) -> GitRepository:
    return GitRepository(str(origin), more.get("branch", "main"), tmp_path / "home", "DEMO", lambda text: text)


async def edited(repo: GitRepository, files: dict[str, str | None], task: str = "S0-D1-1") -> tuple[str, str]:
    base = await repo.refresh()
    return base, await repo.commit_files(task, base, files, "Edit\n", when=NOON)


# reading


async def test_reads_files_of_a_commit(person: Path, tmp_path: Path) -> None:
    (person / "pic.bin").write_bytes(b"\xff\xfe\x00")
    (person / "nul.txt").write_bytes(b"a\0b")
    save(person, {"naïve name.txt": "ü\r\n", "big.txt": "x" * (1024 * 1024 + 1)})
    repo = orch(person, tmp_path)
    base = await repo.refresh()
    listed = await repo.list_files(base)
    assert set(listed) >= {"README.md", "src/app.py", "naïve name.txt", "link", "pic.bin"}
    asked = ["README.md", "naïve name.txt", "link", "pic.bin", "nul.txt", "big.txt", "src", "none", "../x"]
    assert await repo.read_files(base, asked) == {"README.md": "hello\n", "naïve name.txt": "ü\r\n"}
    assert await repo.read_files(base, []) == {}


async def test_change_shows_modes_binaries_and_deletions(person: Path, tmp_path: Path) -> None:
    repo = orch(person, tmp_path)
    base = await repo.refresh()
    (person / "src/app.py").unlink()
    (person / "run.sh").chmod(0o644)
    (person / "pic.bin").write_bytes(b"\x00\x01")
    (person / "away").symlink_to("/nowhere")
    git(person, "update-index", "--add", "--cacheinfo", f"160000,{base},module")
    save(person, {"README.md": "hello\nworld\n", ".gitattributes": "*.md -diff binary\n"})
    change = await repo.change(base, await repo.refresh())
    seen = {file.path: file for file in change.files}
    assert seen["away"].new_mode == "120000"
    assert "module" not in seen or seen["module"].new_mode == "160000"
    assert (seen["run.sh"].old_mode, seen["run.sh"].new_mode) == ("100755", "100644")
    assert seen["src/app.py"].status == "deleted"
    assert seen["src/app.py"].removed == 3
    assert seen["pic.bin"].binary
    # attributes of the repository cannot hide a text from the gate and the reviewer
    assert (seen["README.md"].added, seen["README.md"].binary) == (1, False)
    assert "+world" in change.patch


async def test_change_shows_a_submodule(person: Path, tmp_path: Path) -> None:
    repo = orch(person, tmp_path)
    base = await repo.refresh()
    git(person, "update-index", "--add", "--cacheinfo", f"160000,{base},module")
    git(person, "commit", "-qm", "module")
    head = await repo.refresh()
    assert [(file.path, file.new_mode) for file in (await repo.change(base, head)).files] == [("module", "160000")]
    assert "module" not in await repo.list_files(head)


# writing


async def test_commit_files_writes_deletes_and_keeps_modes(person: Path, tmp_path: Path) -> None:
    repo = orch(person, tmp_path)
    base, head = await edited(repo, {"run.sh": "#!/bin/sh\nls\n", "new/file.py": "x\n", "README.md": None})
    files = {file.path: file for file in (await repo.change(base, head)).files}
    assert files["run.sh"].new_mode == "100755"
    assert files["new/file.py"].new_mode == "100644"
    assert files["README.md"].status == "deleted"
    assert len(files) == 3
    clone = tmp_path / "home/repos/DEMO.git"
    assert git(clone, "log", "-1", "--format=%an|%ae|%s|%P", head) == f"Orch|orch@localhost|Edit|{base}"
    assert git(clone, "rev-parse", "orch/S0-D1-1") == head
    assert not list(clone.glob("index-*"))


async def test_the_same_call_gives_the_same_commit(person: Path, tmp_path: Path) -> None:
    repo = orch(person, tmp_path)
    base, head = await edited(repo, {"a.txt": "a"})
    again = await orch(person, tmp_path).commit_files("S0-D1-1", base, {"a.txt": "a"}, "Edit\n", when=NOON)
    dated = await repo.commit_files("S0-D1-1", base, {"a.txt": "a"}, "Edit\n", when=datetime(2026, 1, 2, tzinfo=UTC))
    assert again == head != dated
    assert git(tmp_path / "home/repos/DEMO.git", "log", "-1", "--format=%cI", dated) == "2026-01-02T00:00:00+00:00"


BAD_PATHS = [
    *("", "/etc/passwd", "../out", "a/../../out", "a/./b", "a//b", "a/", "a\\b", "a\nb", "a\0b", "a\x7f", "x" * 300),
    *(".git/config", ".GIT/config", "sub/.Git/hooks/x", ".git", ".git /config", ".git./x", "git~1/config"),
    *("GIT~1/x", ".g\u200cit/config", ".git:x/y", ".git::$INDEX_ALLOCATION/config", "a\udc80b"),
]
GOOD_PATHS = [
    ".gitignore",
    ".github/workflows/ci.yml",
    "git/x",
    "a b/ü.txt",
    "..a/b..",
    "digit~1/x",
    "-rf",
    ":(top)x",
    "*",
]


@pytest.mark.parametrize("path", BAD_PATHS)
def test_bad_paths_are_refused(path: str) -> None:
    assert path_problem(path)


async def test_refused_paths_write_nothing(person: Path, tmp_path: Path) -> None:
    repo = orch(person, tmp_path)
    base = await repo.refresh()
    bad = [*BAD_PATHS, "link", "link/passwd", "LINK/passwd", "README.md/x", "src"]
    for path in bad:
        with pytest.raises(RepositoryError, match="Nothing was written"):
            await repo.commit_files("S0-D1-1", base, {path: "x", "fine.txt": "y"}, "m", when=NOON)
    with pytest.raises(RepositoryError, match="symlink"):
        await repo.commit_files("S0-D1-1", base, {"link": None}, "m", when=NOON)
    with pytest.raises(RepositoryError, match="which is a file"):
        await repo.commit_files("S0-D1-1", base, {"n": "x", "n/m": "y"}, "m", when=NOON)
    assert "orch" not in git(tmp_path / "home/repos/DEMO.git", "for-each-ref")


async def test_odd_but_good_paths_are_written(person: Path, tmp_path: Path) -> None:
    repo = orch(person, tmp_path)
    _, head = await edited(repo, {path: path for path in GOOD_PATHS})
    assert await repo.read_files(head, GOOD_PATHS) == {path: path for path in GOOD_PATHS}


async def test_a_file_may_become_a_folder(person: Path, tmp_path: Path) -> None:
    repo = orch(person, tmp_path)
    _, head = await edited(repo, {"README.md": None, "README.md/part.md": "x"})
    assert "README.md/part.md" in await repo.list_files(head)


@pytest.mark.parametrize("name", ["", "..", "a/b", "-x", "a..b", "x.lock", "a b", "a" * 100, "a.", "é"])
async def test_bad_task_ids(name: str, person: Path, tmp_path: Path) -> None:
    assert not is_task_id(name)
    with pytest.raises(RepositoryError):
        await orch(person, tmp_path).drop(name)


@pytest.mark.parametrize("commit", ["HEAD", "--output=x", "abc", "main"])
async def test_only_full_hashes_name_commits(commit: str, person: Path, tmp_path: Path) -> None:
    with pytest.raises(RepositoryError, match="full hash"):
        await orch(person, tmp_path).change(commit, commit)


@pytest.mark.parametrize("branch", ["-x", "a..b", "x.lock", "a b", "@{u}", "a/", "", "a:b", "+x"])
def test_bad_branches(branch: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        orch("/nowhere", tmp_path, branch=branch)


# worktrees


async def test_worktree_is_clean_and_at_the_commit(person: Path, tmp_path: Path) -> None:
    repo = orch(person, tmp_path)
    base, head = await edited(repo, {"src/app.py": "new\n"})
    path = await repo.worktree("S0-D1-1", head)
    assert path == tmp_path / "home/worktrees/DEMO/S0-D1-1"
    (path / "src/app.py").write_text("dirty")
    (path / "junk").mkdir()
    (path / "junk/.git").mkdir()
    (path / "README.md").unlink()
    assert await repo.worktree("S0-D1-1", head) == path
    assert (path / "src/app.py").read_text() == "new\n"
    assert git(path, "status", "--porcelain", "--ignored") == ""
    assert git(path, "symbolic-ref", "HEAD") == "refs/heads/orch/S0-D1-1"
    await repo.worktree("S0-D1-1", base)
    assert (path / "src/app.py").read_text() == "one\ntwo\nthree\n"
    assert git(path, "rev-parse", "HEAD") == base


async def test_worktree_heals_what_a_kill_left(person: Path, tmp_path: Path) -> None:
    repo = orch(person, tmp_path)
    base = await repo.refresh()
    clone, tree = tmp_path / "home/repos/DEMO.git", tmp_path / "home/worktrees/DEMO/T1"
    for damage in ("half", "lock", "gone", "cut", "locked", "foreign"):
        path = await repo.worktree("T1", base)
        admin = next(at for at in (clone / "worktrees").iterdir() if (at / "gitdir").is_file())
        if damage == "half":
            (path / ".git").unlink()
        elif damage == "lock":
            for lock in (admin / "index.lock", clone / "refs/heads/orch/T1.lock", clone / "packed-refs.lock"):
                lock.write_text("")
        elif damage == "gone":
            shell("rm", "-rf", str(path))
        elif damage == "cut":
            (path / ".git").write_text("gitdir: /nowhere\n")
        elif damage == "locked":
            (admin / "locked").write_text("initializing")
            shell("rm", "-rf", str(path))
        else:
            (path / ".git").write_text(f"gitdir: {person}/.git\n")
        assert await orch(person, tmp_path).worktree("T1", base) == tree
        assert git(tree, "status", "--porcelain") == ""
    assert git(person, "status", "--porcelain") == ""


async def test_drop_removes_tree_and_branch_and_may_be_repeated(person: Path, tmp_path: Path) -> None:
    repo = orch(person, tmp_path)
    _, head = await edited(repo, {"a": "b"}, task="T1")
    path = await repo.worktree("T1", head)
    for _ in range(2):
        await repo.drop("T1")
        assert not path.exists()
    assert "orch/T1" not in git(tmp_path / "home/repos/DEMO.git", "for-each-ref")


async def test_loose_objects_are_packed(person: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = orch(person, tmp_path)
    _, head = await edited(repo, {f"f{n}": f"{n}" for n in range(600)})  # git counts one of its 256 folders
    packs = tmp_path / "home/repos/DEMO.git/objects/pack"
    await repo.pack()
    assert not list(packs.glob("*.pack"))
    monkeypatch.setattr("bot.adapters.git.LOOSE_OBJECTS", 1)
    await repo.pack()
    await repo.refresh()  # waits for the lock, which git holds while it packs
    assert list(packs.glob("*.pack"))
    assert len(await repo.list_files(head)) == 604


async def test_many_at_once(person: Path, tmp_path: Path) -> None:
    """Two processes' worth of objects on one clone: every call succeeds."""
    repos = [orch(person, tmp_path), orch(person, tmp_path)]
    bases = await asyncio.gather(*(repo.refresh() for repo in repos))

    async def one(n: int) -> str:
        head = await repos[n % 2].commit_files(f"T{n}", bases[0], {f"f{n}": "x"}, "m", when=NOON)
        return (await repos[(n + 1) % 2].worktree(f"T{n}", head)).name

    assert await asyncio.gather(*(one(n) for n in range(4))) == [f"T{n}" for n in range(4)]


async def test_change_is_what_git_shows_of_odd_names_and_late_nuls(person: Path, tmp_path: Path) -> None:
    repo = orch(person, tmp_path)
    base = await repo.refresh()
    save(person, {':odd ä\n"name"': "x\n", "late.txt": "y\n" * 5000 + "a\0b\n", "empty": ""})
    change = await repo.change(base, head := await repo.refresh())
    clone = tmp_path / "home/repos/DEMO.git"
    words = ("-c", "core.quotePath=false", "diff-tree", "-r", "-p", "--full-index", "--no-renames", base, head)
    assert change.patch == shell("git", "-C", str(clone), *words)
    assert "\0" in change.patch
    assert {file.path: file.added for file in change.files} == {':odd ä\n"name"': 1, "late.txt": 5001, "empty": 0}
    assert await repo.change(head, head) == Change(base=head, head=head, files=(), patch="")


# candidates


async def test_candidates_squashed_and_merged(person: Path, tmp_path: Path) -> None:
    repo = orch(person, tmp_path)
    base, head = await edited(repo, {"src/app.py": "one\ntwo\nTHREE\n"})
    onto = save(person, {"other.txt": "x"})
    await repo.refresh()
    squashed = await repo.build_candidate(base, head, onto, "Task\n\nTask: 1\n", squash=True, when=NOON)
    merged = await repo.build_candidate(base, head, onto, "Task", squash=False, when=NOON)
    assert squashed == await repo.build_candidate(base, head, onto, "Task\n\nTask: 1\n", squash=True, when=NOON)
    clone = tmp_path / "home/repos/DEMO.git"
    assert git(clone, "log", "-1", "--format=%P|%an|%(trailers:key=Task,valueonly)", squashed) == f"{onto}|Orch|1"
    assert git(clone, "log", "-1", "--format=%P", merged) == f"{onto} {head}"
    texts = await repo.read_files(squashed, ["src/app.py", "other.txt"])
    assert texts == {"src/app.py": "one\ntwo\nTHREE\n", "other.txt": "x"}
    assert [file.path for file in (await repo.change(onto, squashed)).files] == ["src/app.py"]


async def test_conflicts_name_their_paths(person: Path, tmp_path: Path) -> None:
    repo = orch(person, tmp_path)
    base, head = await edited(repo, {"src/app.py": "mine\n", "fine.txt": "x"})
    onto = save(person, {"src/app.py": "theirs\n"})
    await repo.refresh()
    with pytest.raises(MergeConflict, match=r"src/app\.py") as caught:
        await repo.build_candidate(base, head, onto, "m", squash=True, when=NOON)
    assert caught.value.paths == ("src/app.py",)


# moving the branch


async def ready(repo: GitRepository, files: dict[str, str | None] | None = None) -> tuple[str, str]:
    base, head = await edited(repo, files or {"src/app.py": "new\n", "added.txt": "a\n", "README.md": None})
    return base, await repo.build_candidate(base, head, base, "Task", squash=True, when=NOON)


@pytest.mark.parametrize("kind", ["bare", "file url", "checked out", "linked worktree", "not checked out"])
async def test_advance(kind: str, person: Path, bare: Path, tmp_path: Path) -> None:
    origin, tree = (bare, None) if kind in ("bare", "file url") else (person, person)
    if kind in ("linked worktree", "not checked out"):
        git(person, "checkout", "-q", "-b", "else")
        tree = tmp_path / "linked" if kind == "linked worktree" else None
        if tree:
            git(person, "worktree", "add", "-q", str(tree), "main")
    repo = orch(origin.as_uri() if kind == "file url" else origin, tmp_path)
    base, new = await ready(repo)
    assert not await repo.contains(new)
    for _ in range(2):  # the second time nothing happens
        await repo.advance(new, base)
        assert git(origin, "rev-parse", "main") == new
    assert await repo.contains(new)
    assert await repo.contains(base)
    if tree:
        assert git(tree, "status", "--porcelain") == ""
        assert (tree / "added.txt").read_text() == "a\n"
        assert not (tree / "README.md").exists()
    assert git(origin, "fsck", "--strict") == ""


@pytest.mark.parametrize(
    "dirt", ["unstaged", "staged", "untracked in the way", "ignored in the way", "folder in the way"]
)
async def test_a_dirty_tree_is_refused_and_left_alone(dirt: str, person: Path, tmp_path: Path) -> None:
    save(person, {".gitignore": "*.log\n"})
    repo = orch(person, tmp_path)
    base, new = await ready(repo, {"added.txt": "a\n", "out.log": "b\n"})
    match dirt:
        case "unstaged":
            (person / "README.md").write_text("mine")
        case "staged":
            (person / "README.md").write_text("mine")
            git(person, "add", "README.md")
        case "untracked in the way":
            (person / "added.txt").write_text("mine")
        case "ignored in the way":
            (person / "out.log").write_text("mine")
        case _:
            (person / "added.txt").mkdir()
    before = git(person, "status", "--porcelain", "--ignored")
    with pytest.raises(TreeDirty, match="Commit or stash"):
        await repo.advance(new, base)
    assert git(person, "rev-parse", "main") == base
    assert git(person, "status", "--porcelain", "--ignored") == before


async def test_untracked_files_elsewhere_do_not_matter(person: Path, tmp_path: Path) -> None:
    repo = orch(person, tmp_path)
    base, new = await ready(repo)
    (person / "notes.txt").write_text("mine")
    await repo.advance(new, base)
    assert git(person, "status", "--porcelain") == "?? notes.txt"


@pytest.mark.parametrize("local", [True, False])
async def test_a_moved_base_is_refused(local: bool, person: Path, bare: Path, tmp_path: Path) -> None:
    repo = orch(person if local else bare, tmp_path)
    base, new = await ready(repo)
    moved = save(person, {"more.txt": "x"})
    if not local:
        git(person, "push", "-q", str(bare), "main")
    with pytest.raises(BaseMoved, match="Build it again"):
        await repo.advance(new, base)
    assert git(person if local else bare, "rev-parse", "main") == moved
    assert git(person, "status", "--porcelain") == ""


async def test_advance_is_done_if_the_branch_went_on(person: Path, tmp_path: Path) -> None:
    """Killed after the move, then someone committed on top: the replay must not merge twice."""
    repo = orch(person, tmp_path)
    base, new = await ready(repo)
    await repo.advance(new, base)
    later = save(person, {"later.txt": "x"})
    await repo.advance(new, base)
    assert git(person, "rev-parse", "main") == later


async def test_advance_recovers_from_a_kill_between_tree_and_branch(person: Path, tmp_path: Path) -> None:
    repo = orch(person, tmp_path)
    base, new = await ready(repo)
    await repo.advance(new, base)
    git(person, "update-ref", "refs/heads/main", base)
    assert git(person, "status", "--porcelain") != ""
    await repo.advance(new, base)
    assert git(person, "rev-parse", "main") == new
    assert git(person, "status", "--porcelain") == ""


def just_before(monkeypatch: pytest.MonkeyPatch, command: str, *named: str, do: Callable[[], object]) -> None:
    """Have something done whenever Orch is about to call that git command with such words."""
    call = Git.__call__

    async def racing(self: Git, *words: str, **more: object) -> object:
        if words[0] == command and set(named) <= set(words):
            do()
        return await call(self, *words, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Git, "__call__", racing)


async def test_a_race_lost_at_the_last_moment_puts_the_tree_back(
    person: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The branch moves after every check has passed, right before the swap."""
    repo = orch(person, tmp_path)
    base, new = await ready(repo)
    other = git(person, "commit-tree", "-p", base, "-m", "other", f"{base}^{{tree}}")
    just_before(monkeypatch, "update-ref", new, do=lambda: git(person, "update-ref", "refs/heads/main", other))
    with pytest.raises(BaseMoved):
        await repo.advance(new, base)
    assert git(person, "rev-parse", "main") == other
    assert git(person, "status", "--porcelain") == ""


async def test_only_forward(person: Path, tmp_path: Path) -> None:
    repo = orch(person, tmp_path)
    base, _ = await ready(repo)
    with pytest.raises(RepositoryError, match="does not follow"):
        await repo.advance(git(person, "rev-parse", "main~1"), base)


# a remote, spoken to through git's own ssh transport


@pytest.fixture
def remote(bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An ssh address whose ssh is a script that runs git's server side here."""
    ssh = tmp_path / "fake-ssh"
    ssh.write_text(f'#!/bin/sh\nfor last; do :; done\nenv > "{tmp_path}/ssh-env"\ncd / && eval "exec $last"\n')
    ssh.chmod(0o755)
    monkeypatch.setenv("GIT_SSH_COMMAND", str(ssh))
    monkeypatch.setenv("GIT_SSH_VARIANT", "ssh")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-secret")
    return f"ssh://git@example.com{bare}"


async def test_remote_push(remote: str, bare: Path, tmp_path: Path) -> None:
    repo = orch(remote, tmp_path)
    base, new = await ready(repo)
    for _ in range(2):
        await repo.advance(new, base)
        assert git(bare, "rev-parse", "main") == new
    assert "sk-secret" not in (tmp_path / "ssh-env").read_text()


async def test_remote_race_is_refused_by_the_remote(
    remote: str, person: Path, bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = orch(remote, tmp_path)
    base, new = await ready(repo)
    moved = save(person, {"more.txt": "x"})
    just_before(monkeypatch, "push", do=lambda: git(person, "push", "-q", "--force", str(bare), "main"))
    with pytest.raises(BaseMoved):
        await repo.advance(new, base)
    assert git(bare, "rev-parse", "main") == moved


async def test_a_remote_that_declines_says_why(remote: str, bare: Path, tmp_path: Path) -> None:
    hook = bare / "hooks/pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'main is protected' >&2\nexit 1\n")
    hook.chmod(0o755)
    repo = orch(remote, tmp_path)
    base, new = await ready(repo)
    with pytest.raises(RepositoryError, match="protected") as caught:
        await repo.advance(new, base)
    assert not isinstance(caught.value, BaseMoved)


# nothing of a repository runs on the host


async def test_no_hook_or_filter_runs(person: Path, tmp_path: Path) -> None:
    """Hooks by every road, and a filter of the origin's configuration that points at the repository's files."""
    ran = tmp_path / "ran"
    evil = f"#!/bin/sh\necho $0 >> {ran}\ncat\n"
    names = (
        "pre-commit post-commit commit-msg pre-merge-commit post-merge post-checkout reference-transaction "
        "pre-push pre-receive update post-receive post-update post-index-change pre-auto-gc fsmonitor"
    )
    files = {f".husky/{name}": evil for name in [*names.split(), "filter.sh"]}
    save(person, {**files, ".gitattributes": "*.py filter=evil diff=evil merge=evil\n"})
    for folder in (person / ".husky", person / ".git/hooks"):
        folder.mkdir(exist_ok=True)
        for name in names.split():
            (folder / name).write_text(evil)
            (folder / name).chmod(0o755)
    script = person / ".husky/filter.sh"
    script.chmod(0o755)
    save(person, {})
    for setting, value in {
        "core.hooksPath": ".husky",
        "core.fsmonitor": ".husky/fsmonitor",
        "filter.evil.clean": str(script),
        "filter.evil.smudge": str(script),
        "filter.evil.required": "true",
        "diff.evil.textconv": str(script),
        "diff.evil.command": str(script),
        "merge.evil.driver": str(script),
        "uploadpack.packObjectsHook": str(script),
    }.items():
        git(person, "config", setting, value)
    ran.unlink(missing_ok=True)
    repo = orch(person, tmp_path)
    base, head = await edited(repo, {"src/app.py": "one\ntwo\nnew\n", ".husky/post-merge": evil + "x"})
    await repo.worktree("S0-D1-1", head)
    new = await repo.build_candidate(base, head, base, "m", squash=False, when=NOON)
    await repo.change(base, new)
    await repo.advance(new, base)
    await repo.drop("S0-D1-1")
    assert not ran.exists(), ran.read_text()
    assert (person / "src/app.py").read_text() == "one\ntwo\nnew\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act for another user")
async def test_root_writes_as_the_owner_of_the_origin(person: Path, tmp_path: Path) -> None:
    for folder in [tmp_path, *tmp_path.parents]:
        if Path(tempfile.gettempdir()) in folder.parents:
            folder.chmod(folder.stat().st_mode | 0o055)
    shell("chown", "-R", "-h", "12345:12345", str(person))
    repo = orch(person, tmp_path)
    base, new = await ready(repo)
    await repo.advance(new, base)
    assert shell("find", str(person), "!", "-user", "12345") == ""


# errors


@pytest.mark.parametrize(
    ("origin", "says"),
    [
        ("https://ann:hunter2@127.0.0.1:1/x.git", "Check the network"),
        ("/nowhere/at/all", "Check the project's `repo`"),
        ("ext::sh -c 'touch {ran}'", "not allowed"),
    ],
)
async def test_errors_are_clear_and_hold_no_secret(origin: str, says: str, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    with pytest.raises(RepositoryError, match=says) as caught:
        await orch(origin.format(ran=ran), tmp_path).refresh()
    assert "DEMO" in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert not ran.exists()


def test_passwords_in_addresses_are_removed(tmp_path: Path) -> None:
    text = Git("K", lambda text: text, tmp_path).text("fetching", "no https://ann:hunter2@host/x here")
    assert "https://***@host/x" in text


async def test_known_secrets_are_removed_from_errors(tmp_path: Path) -> None:
    repo = GitRepository("/no/tok_123", "main", tmp_path / "h", "K", lambda text: text.replace("tok_123", "[secret]"))
    with pytest.raises(RepositoryError) as caught:
        await repo.refresh()
    assert "tok_123" not in str(caught.value)


async def test_a_branch_that_is_not_there(person: Path, tmp_path: Path) -> None:
    with pytest.raises(RepositoryError, match="Check the project's `branch`"):
        await orch(person, tmp_path, branch="nope").refresh()


async def test_a_folder_inside_a_repository_is_not_a_repository(person: Path, tmp_path: Path) -> None:
    with pytest.raises(RepositoryError, match="Check the project's `repo`"):
        await orch(person / "src", tmp_path).refresh()


async def test_a_silent_git_is_stopped(remote: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ssh = tmp_path / "fake-ssh"
    ssh.write_text("#!/bin/sh\nexec sleep 987654\n")
    monkeypatch.setattr("bot.adapters.git_command.REMOTE_SECONDS", 0.3)
    with pytest.raises(RepositoryError, match="no answer within"):
        await orch(remote, tmp_path).refresh()
    await asyncio.sleep(0.05)
    assert "987654" not in shell("ps", "axo", "args")


async def test_a_moved_origin_setting_is_followed(person: Path, bare: Path, tmp_path: Path) -> None:
    await orch(bare, tmp_path).refresh()
    git(person, "commit", "-q", "--amend", "-m", "rewritten")
    assert await orch(person, tmp_path).refresh() == git(person, "rev-parse", "main")


@pytest.mark.parametrize(
    ("place", "path"),
    [
        ("/a/b", "/a/b"),
        ("file:///a/b%20c", "/a/b c"),
        ("git@example.com:team/x.git", None),
        ("ssh://h/x", None),
        ("https://h/x", None),
    ],
)
def test_which_origins_are_local(place: str, path: str | None) -> None:
    assert local_path(place) == (Path(path) if path else None)
