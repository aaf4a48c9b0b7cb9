"""What set-up made, kept between checks: found, stored under ORCH_HOME/setup, and laid over a later copy.

A layer is a folder of numbered entries and `paths.json`, which tells where in the repository each belongs.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path

from bot.adapters.sandbox import CACHES
from bot.adapters.scratch import remove_tree
from bot.domain.file_kinds import LOCK_FILES

#: What a set-up's result depends on, besides its commands: lock files and manifests, wherever they lie.
_INPUTS = (
    *LOCK_FILES,
    *("package.json", "pnpm-workspace.yaml", ".npmrc", ".yarnrc.yml", ".nvmrc", ".node-version", ".python-version"),
    *("pyproject.toml", "setup.py", "setup.cfg", "Pipfile", "*requirements*.txt", "constraints*.txt", "go.mod"),
    *("Cargo.toml", "Gemfile", "composer.json", "mix.exs", "Makefile"),
)


def fingerprint(words: Sequence[str], source: Path) -> str:
    """Hash of the commands (and whatever else `words` holds) and of every lock file and manifest."""
    digest = hashlib.sha256(json.dumps(words).encode())
    for relative in sorted(paths_in(source)):
        path = source / relative
        wanted = any(fnmatch(path.name, pattern) for pattern in _INPUTS)
        if wanted and stat.S_ISREG(path.lstat().st_mode):
            content = path.read_bytes()
            digest.update(f"\0{relative}\0{len(content)}\0".encode(errors="surrogateescape") + content)
    return digest.hexdigest()[:32]


def paths_in(root: Path) -> Iterator[str]:
    """Every path under `root`, relative to it; `.git` is left out, links are not followed."""
    for folder, directories, files in os.walk(root):
        directories[:] = [name for name in directories if name != ".git"]
        for name in (*directories, *(name for name in files if name != ".git")):
            yield os.path.relpath(os.path.join(folder, name), root)  # noqa: PTH118 - thousands of these


def keep_new(tree: Path, before: frozenset[str], layer: Path) -> None:
    """Move what is in `tree` and not in `before` (topmost paths only) to `layer`; all of it or nothing.
    No command may be running on `tree`."""
    building = layer.with_name(f"{layer.name}.part")
    remove_tree(building)
    building.mkdir(parents=True)
    made = sorted(_new_paths(tree, before))
    for at, relative in enumerate(made):
        entry = building / str(at)
        (tree / relative).rename(entry)
        if stat.S_ISDIR(entry.lstat().st_mode):
            for cache in CACHES.get(Path(relative).name, ()):
                if not os.path.lexists(entry / cache):
                    (entry / cache).mkdir()
    (building / "paths.json").write_text(json.dumps(made))
    building.rename(layer)


def _new_paths(tree: Path, before: frozenset[str]) -> Iterator[str]:
    for folder, directories, files in os.walk(tree):
        here = Path(folder).relative_to(tree)
        new = [name for name in (*directories, *files) if str(here / name) not in before and name != ".git"]
        yield from (str(here / name) for name in new)
        directories[:] = [name for name in directories if name not in new and name != ".git"]


def lay_over(layer: Path, tree: Path) -> dict[str, Path]:
    """Copy the layer's single files into `tree`; returns its directories, to be mounted there read-only.

    What the tree has itself comes first: nothing is laid over an existing path, or through a link."""
    mounts: dict[str, Path] = {}
    for at, relative in enumerate(json.loads((layer / "paths.json").read_text())):
        entry, target = layer / str(at), tree / relative
        parent = target.parent
        if os.path.lexists(target) or not parent.is_dir() or parent.resolve() != tree.resolve() / Path(relative).parent:
            continue
        mode = entry.lstat().st_mode
        if stat.S_ISDIR(mode):
            mounts[relative] = entry
        elif stat.S_ISREG(mode) or stat.S_ISLNK(mode):
            shutil.copy2(entry, target, follow_symlinks=False)
            owner = tree.lstat()
            os.chown(target, owner.st_uid, owner.st_gid, follow_symlinks=False)
    return mounts
