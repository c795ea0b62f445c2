"""Names in the code only: a row's import is its `call_import`, and a run counts bills `on_hold`. Columns stay."""

import django.db.models.deletion
from django.contrib.postgres.indexes import BrinIndex
from django.db import migrations, models


def renamed(model: str, related_name: str, **options: object) -> list[migrations.operations.base.Operation]:
    """Return the operations that give a row's import its new name, and keep the column."""
    field = models.ForeignKey(
        "billing.callimport",
        on_delete=django.db.models.deletion.PROTECT,
        related_name=related_name,
        db_column="received_in_id",
        **options,
    )
    return [
        migrations.AlterField(model, "received_in", field),
        migrations.RenameField(model, "received_in", "call_import"),
    ]


class Migration(migrations.Migration):
    dependencies = [("billing", "0014_guards_from_one_source")]

    operations = [
        *renamed("callrecord", "calls", db_index=False),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveIndex("callrecord", "call_received_in"),
                migrations.AddIndex(
                    "callrecord", BrinIndex(fields=["call_import"], name="call_received_in", autosummarize=True)
                ),
            ]
        ),
        *renamed("setasidecall", "records_set_aside"),
        *renamed("rejectedcall", "rejects"),
        migrations.AlterModelOptions("rejectedcall", {"ordering": ["call_import", "line"]}),
        migrations.AlterField("billrun", "held", models.PositiveIntegerField(default=0, db_column="held")),
        migrations.RenameField("billrun", "held", "on_hold"),
    ]
