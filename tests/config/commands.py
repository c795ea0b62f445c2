"""Running `manage.py` as a person would: in another process with its own environment."""

import os
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
PRODUCTION = {
    "DEBUG": "false",
    "SECRET_KEY": "k" * 25 + "0123456789!@#$%^&*(-_=+)abcdefghij",
    "ALLOWED_HOSTS": "panel.example.com",
    "SITE_URL": "https://panel.example.com",
}


def manage(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a `manage.py` command to its end; see `python`."""
    return python("manage.py", *words, **environment)


def python(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python to its end with these settings, without those that the tests set, except DATABASE_URL."""
    from_tests = {"DEBUG", "EMAIL_URL", "LOG_LEVEL"}
    inherited = {name: value for name, value in os.environ.items() if name not in from_tests}
    return subprocess.run(
        [sys.executable, *words],
        cwd=PROJECT,
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def sentence(done: subprocess.CompletedProcess[str]) -> str:
    """Return the only line that a refused command printed."""
    assert done.returncode == 1, done
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    return lines[0]
