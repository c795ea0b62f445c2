"""The version is defined only in pyproject.toml, and the back office shows it."""

import tomllib
from pathlib import Path

from django.conf import settings
from django.test import Client

from accounts.models import User

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"


def test_the_back_office_shows_the_version_of_the_project(client: Client, member: User) -> None:
    version = tomllib.loads(PYPROJECT.read_text())["project"]["version"]
    assert version == settings.VERSION
    client.force_login(member)
    assert f"Version {version}" in client.get("/admin/").content.decode()
