"""Guards of the mode get the text of their one source in `guards.py`. It means the same as before."""

from django.db import migrations

from core.guards.operations import replace
from onboarding import guards


class Migration(migrations.Migration):
    dependencies = [("onboarding", "0012_guards_of_the_days")]

    operations = [
        replace(guards.BORN_IN_ONBOARDING),
        replace(guards.ACTIVATION_IS_FINAL),
        replace(guards.ACTIVATED_BY_THE_TEAM),
        replace(guards.ACTIVATION_DAY_IS_LOCAL),
    ]
