"""No line fits into an invoice beside its own, amounts are numbers, and a product is one whatever its line says.

A row-level trigger can't see what another session has not committed yet; a unique key and a foreign key can (I10, I11).
"""

from dataclasses import replace as changed
from decimal import Decimal

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F, Q

from billing.guards.bills import NOTHING_IS_CHARGED_BEFORE_ACTIVATION
from core.guards.operations import replace

MOST = Decimal(10) ** 10
BY_ITEM = "(l.kind = 'recurring' OR l.sku NOT IN (SELECT sku FROM subscriptions_item WHERE kind = 'package'))"
BELONGS = """
    ALTER TABLE billing_invoiceline ADD CONSTRAINT line_belongs_to_its_invoice
        FOREIGN KEY (invoice_id, line_count) REFERENCES billing_invoice (id, line_count) DEFERRABLE INITIALLY DEFERRED;
"""
NO_LINE = "No line is added to an invoice that was issued."


def are_numbers(model: str, name: str, *fields: str) -> migrations.AddConstraint:
    condition = Q(**{f"{field}__lt": MOST for field in fields})
    message = "An amount must be a number."
    constraint = models.CheckConstraint(condition=condition, name=name, violation_error_message=message)
    return migrations.AddConstraint(model, constraint)


class Migration(migrations.Migration):
    dependencies = [("billing", "0017_positions_of_lines")]

    operations = [
        migrations.AlterField("invoiceline", "position", models.IntegerField(
            help_text="From 1 to the invoice's number of lines.")),
        migrations.AlterField("invoiceline", "line_count", models.IntegerField()),
        migrations.AddConstraint("invoice", models.UniqueConstraint(
            fields=["id", "line_count"], name="invoice_and_its_line_count")),
        migrations.AddConstraint("invoiceline", models.UniqueConstraint(
            fields=["invoice", "position"], name="one_line_at_a_position", violation_error_message=NO_LINE)),
        migrations.AddConstraint("invoiceline", models.CheckConstraint(
            condition=Q(position__gte=1, position__lte=F("line_count")), name="line_is_one_of_its_invoice",
            violation_error_message=NO_LINE)),
        migrations.AlterField("invoiceline", "invoice", models.ForeignKey(
            "billing.invoice", db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT,
            related_name="lines")),
        migrations.RunSQL(BELONGS, "ALTER TABLE billing_invoiceline DROP CONSTRAINT line_belongs_to_its_invoice;"),
        are_numbers("invoice", "invoice_total_is_a_number", "total"),
        are_numbers("invoiceline", "invoice_line_amounts_are_numbers", "unit_price", "amount"),
        are_numbers("creditnote", "credit_note_amount_is_a_number", "amount"),
        replace(
            NOTHING_IS_CHARGED_BEFORE_ACTIVATION,
            was=changed(
                NOTHING_IS_CHARGED_BEFORE_ACTIVATION,
                body=NOTHING_IS_CHARGED_BEFORE_ACTIVATION.body.replace(BY_ITEM, "l.kind = 'recurring'"),
            ),
        ),
    ]
