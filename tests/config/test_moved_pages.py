"""Pages of the back office whose URL has changed redirect to the new one."""

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ("/admin/billing/heldbill/?waits=rejected", "/admin/billing/billonhold/?waits=rejected"),
        ("/admin/billing/heldbill/7/change/", "/admin/billing/billonhold/7/change/"),
        ("/admin/config/job/", "/admin/core/job/"),
    ],
)
def test_the_old_address_leads_to_the_new_one(admin_client: Client, before: str, now: str) -> None:
    answer = admin_client.get(before)
    assert (answer.status_code, answer["Location"]) == (302, now)
    assert admin_client.get(now, follow=True).status_code == 200
