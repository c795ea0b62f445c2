"""Guards of bills and calls get the text of their one source in `guards`. It means the same as before."""

from django.db import migrations

from billing.guards import bills, calls
from core.guards.operations import replace


class Migration(migrations.Migration):
    dependencies = [("billing", "0013_bills_on_hold")]

    operations = [
        replace(bills.TIMEZONE_IS_FIXED),
        replace(bills.INVOICE_IS_THE_SUM_OF_ITS_LINES),
        replace(bills.NOTHING_IS_CHARGED_BEFORE_ACTIVATION),
        replace(bills.ISSUED_INVOICE_TAKES_NO_LINE),
        replace(calls.CALL_RECORD_IS_FINAL),
        replace(calls.CALL_DAY_IS_LOCAL),
        replace(calls.MATCHED_CALL_DAY_IS_LOCAL),
        replace(calls.CALL_RECORD_COMES_STANDING),
        replace(calls.CALL_RECORD_OF_A_FINAL_MONTH),
        replace(calls.VOID_OF_A_FINAL_MONTH),
        replace(calls.VOID_MARKS_ITS_RECORD),
    ]
