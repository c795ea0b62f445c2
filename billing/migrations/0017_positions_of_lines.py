"""Lines get positions, and the number of lines of their invoice; 0018 says what holds for them."""

from django.db import migrations, models

# Lines never change, so the guard is off while their new columns are filled.
FILL = """
    ALTER TABLE billing_invoiceline DISABLE TRIGGER billing_invoiceline_is_final;
    UPDATE billing_invoiceline l SET position = p.position, line_count = p.line_count FROM (
        SELECT o.id, row_number() OVER (PARTITION BY o.invoice_id ORDER BY o.id) AS position, i.line_count
        FROM billing_invoiceline o JOIN billing_invoice i ON i.id = o.invoice_id) p
    WHERE p.id = l.id;
    ALTER TABLE billing_invoiceline ENABLE TRIGGER billing_invoiceline_is_final;
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0016_keys")]

    operations = [
        migrations.AddField("invoiceline", "position", models.IntegerField(null=True)),
        migrations.AddField("invoiceline", "line_count", models.IntegerField(null=True)),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
