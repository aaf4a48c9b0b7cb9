"""The wheel carries all that Orch needs outside a checkout: templates, migrations and the manifest."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


def in_the_checkout() -> set[str]:
    """Where each file of the checkout should be in the wheel."""
    inside = {"bot": "bot", "templates": "bot/_data/templates", "migrations": "bot/_data/migrations"}
    found = {"bot/_data/manifest.yaml"}
    for folder, place in inside.items():
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and path.suffix != ".pyc":
                found.add(f"{place}/{path.relative_to(ROOT / folder).as_posix()}")
    return found


def test_the_wheel_holds_exactly_what_the_checkout_does(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        licences = [name for name in archive.namelist() if name.endswith("licenses/LICENSE")]
    assert names == in_the_checkout()
    assert len(licences) == 1


def test_an_installed_wheel_migrates_from_an_empty_folder(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
    (tmp_path / "empty").mkdir()
    home = tmp_path / "home"
    where = "import bot.wiring as w; print(w.data_folder('templates'), w.data_folder('manifest.yaml').is_file())"
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path / "installed"), "ORCH_HOME": str(home)}
    script = f"{where}; from bot.__main__ import main; raise SystemExit(main(['migrate']))"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path / "empty", env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    first, migrated = done.stdout.splitlines()
    assert first == f"{tmp_path / 'installed' / 'bot' / '_data' / 'templates'} True"
    assert migrated.startswith("The database went from ")
    assert (home / "orch.db").is_file()
