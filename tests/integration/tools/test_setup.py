"""`tools/setup.sh` in a project of its own: a folder that moves, and a pip that installs for the user by default."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PROJECT = """[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "tiny"
version = "1"
"""
# The smallest build backend: a wheel with one program, so that nothing has to be installed to build it.
BACKEND = """import zipfile

def build_editable(folder, config_settings=None, metadata_directory=None):
    files = {
        "METADATA": "Metadata-Version: 2.1\\nName: tiny\\nVersion: 1\\n",
        "WHEEL": "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
        "entry_points.txt": "[console_scripts]\\ntiny = this:main\\n",
        "RECORD": "",
    }
    with zipfile.ZipFile(f"{folder}/tiny-1-py3-none-any.whl", "w") as wheel:
        for name, text in files.items():
            wheel.writestr(f"tiny-1.dist-info/{name}", text)
    return "tiny-1-py3-none-any.whl"
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "here"
    (folder / "tools").mkdir(parents=True)
    (folder / "requirements").mkdir()
    (folder / "requirements" / "demo.txt").write_text("")
    (folder / "pyproject.toml").write_text(PROJECT)
    (folder / "backend.py").write_text(BACKEND)
    shutil.copy(ROOT / "tools" / "setup.sh", folder / "tools")
    (tmp_path / "pip.conf").write_text("[install]\nuser = true\n")
    return folder


def setup(folder: Path, python: str = sys.executable) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "PYTHON": python,
        "VENV": ".venv",
        "LIST": "demo",
        "PIP_CONFIG_FILE": str(folder.parent / "pip.conf"),
        "PIP_NO_INDEX": "1",
    }
    command = ["sh", "tools/setup.sh"]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_the_environment_of_a_folder_that_was_moved_to_an_odd_name_is_made_again(project: Path) -> None:
    done = setup(project)
    assert done.returncode == 0, done.stderr
    assert (project / ".venv" / ".ready-demo").exists()
    marker = project / ".venv" / "marker"
    marker.touch()
    assert setup(project).returncode == 0
    assert marker.exists()  # it is not made again without a reason
    moved = project.rename(project.with_name("it's 50% ;today #1"))
    done = setup(moved)
    assert done.returncode == 0, done.stderr
    (moved / "this.py").write_text("def main(): print('started')")
    environment = {**os.environ, "PYTHONPATH": "."}
    program = [str(moved / ".venv" / "bin" / "tiny")]
    started = subprocess.run(program, cwd=moved, env=environment, capture_output=True, text=True, check=False)
    assert started.stdout == "started\n"


def test_an_environment_whose_python_is_gone_is_made_again(project: Path) -> None:
    (project / ".venv" / "bin").mkdir(parents=True)
    (project / ".venv" / "bin" / "python").symlink_to(project / "none")
    done = setup(project)
    assert done.returncode == 0, done.stderr
    assert (project / ".venv" / "bin" / "python").exists()


def test_a_missing_python_is_named(project: Path) -> None:
    done = setup(project, "python9")
    assert done.returncode == 1
    assert done.stderr.startswith("setup: there is no python9: install Python 3.11")


def test_a_folder_in_which_no_program_can_start_is_named(project: Path) -> None:
    done = setup(project.rename(project.with_name('my "shop"')))
    assert done.returncode == 1
    assert done.stderr.startswith("setup: programs in ")
    assert 'my "shop"/.venv do not start: move the project' in done.stderr
