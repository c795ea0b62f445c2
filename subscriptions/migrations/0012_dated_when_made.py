"""Guards: changes and what they write in the ledger are dated when they are made (I26), and no planted history row
hides a change of what is held (I14)."""

from dataclasses import replace as changed

from django.db import migrations

from core.guards.forms import leaves_history_if_none_fits
from core.guards.operations import replace
from subscriptions import guards

LEDGER = guards.LEDGER_KEEPS_THE_PAST
OWN = guards.SUPERSEDED_BY_ITS_OWN
DAY = guards.CHANGE_DAY_IS_DECIDED
LATER = guards.PRICE_STARTS_LATER
FINAL = guards.PRICE_IS_FINAL
OF_THE_CLOCK, OF_THE_TRANSACTION = "(clock_timestamp() AT", "(now() AT"


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0011_ledger_keeps_the_past"), ("accounts", "0010_made_now")]

    operations = [
        replace(LEDGER, was=changed(LEDGER, body=LEDGER.body.replace(guards.WRITTEN_BY_THE_LAST, ""))),
        replace(OWN, was=changed(OWN, body=OWN.body.replace(guards.SUPERSEDED_NOW, ""))),
        replace(DAY, was=changed(DAY, body=DAY.body.replace("        OR NOT made_now(NEW.at)\n", ""))),
        replace(LATER, was=changed(LATER, body=LATER.body.replace(OF_THE_CLOCK, OF_THE_TRANSACTION))),
        replace(FINAL, was=changed(FINAL, declare=FINAL.declare.replace(OF_THE_CLOCK, OF_THE_TRANSACTION))),
        replace(guards.CENTER_LEAVES_HISTORY, was=leaves_history_if_none_fits(guards.CENTER_LEAVES_HISTORY)),
    ]
