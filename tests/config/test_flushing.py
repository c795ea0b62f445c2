"""What the tests empty is their own database, never another one."""

import pytest
from django.db import connection

from accounts.models import User
from tests import flushing


def test_only_the_tests_own_database_is_emptied(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection.settings_dict, "NAME", "contact_center")
    with pytest.raises(AssertionError, match="contact_center is not the tests' database"):
        flushing.begin()
    assert User.objects.filter(pk=owner.pk).exists()
