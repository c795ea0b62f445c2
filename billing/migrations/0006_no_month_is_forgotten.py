"""Months that nobody billed are counted, rejected bills keep a digest, and late months are settled and guarded (R42).

Late months that there are stay open: the next bill looks at each once more, and settles it. Bills rejected so far have
no digest.
"""

from django.db import migrations, models

from core.migration_guards import guard, kept, sealed

LATE = """
IF TG_OP = 'DELETE' THEN REFUSE; END IF;
IF TG_OP = 'INSERT' THEN
    IF NEW.settled_at IS NOT NULL THEN REFUSE; END IF;
    RETURN NEW;
END IF;
IF OLD.settled_at IS NOT NULL OR NEW.settled_at IS NULL
    OR (NEW.id, NEW.account_id, NEW.month) IS DISTINCT FROM (OLD.id, OLD.account_id, OLD.month)
    -- The bill of a later month settles it, in its own transaction; without one, its difference would never be invoiced.
    OR NOT EXISTS (SELECT FROM billing_billedmonth
        WHERE account_id = OLD.account_id AND month > OLD.month AND billed_at = NEW.settled_at) THEN REFUSE; END IF;
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0005_days_are_decided_once"), ("accounts", "0002_guards")]

    operations = [
        migrations.CreateModel(
            name="UnbilledMonth",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("month", models.DateField(unique=True)),
                ("accounts", models.PositiveIntegerField()),
                ("counted_at", models.DateTimeField()),
            ],
            options={"ordering": ["month"]},
        ),
        migrations.AddConstraint(
            model_name="unbilledmonth",
            constraint=models.CheckConstraint(
                condition=models.Q(("month__day", 1)),
                name="unbilled_month_is_a_first",
                violation_error_message="A month is named by its first day.",
            ),
        ),
        migrations.AddField(
            model_name="heldbill",
            name="digest",
            field=models.CharField(
                blank=True,
                db_default="",
                help_text="Of a rejected bill; empty where it was rejected before.",
                max_length=64,
            ),
        ),
        migrations.AddConstraint(
            model_name="heldbill",
            constraint=models.CheckConstraint(
                condition=models.Q(("digest", ""), ("state", "rejected"), _connector="OR"),
                name="only_a_rejected_bill_has_a_digest",
                violation_error_message="The digest of a held bill is stored when it is rejected, and never later.",
            ),
        ),
        migrations.RemoveConstraint(model_name="latemonth", name="a_month_is_late_once"),
        migrations.AddField(
            model_name="latemonth", name="settled_at", field=models.DateTimeField(null=True)
        ),
        # Backwards, a month is late once: of those settled nothing is left to do.
        migrations.RunSQL(
            migrations.RunSQL.noop, "DELETE FROM billing_latemonth WHERE settled_at IS NOT NULL"
        ),
        migrations.AddConstraint(
            model_name="latemonth",
            constraint=models.UniqueConstraint(
                condition=models.Q(("settled_at", None)),
                fields=("account", "month"),
                name="a_month_is_late_once_at_a_time",
            ),
        ),
        guard("late_month_is_settled_once", "billing_latemonth", "INSERT OR UPDATE OR DELETE", LATE),
        kept("billing_latemonth"),
        sealed(),
    ]
