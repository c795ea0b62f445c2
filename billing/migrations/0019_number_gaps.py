"""Numbers that are left out are recorded, and the guards that make sure that no others are (I9)."""

import django.contrib.postgres.constraints
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

from billing.guards.numbers import GUARDS
from core.guards.operations import install

BEFORE = {"counter_only_counts_on", "billing_counter_is_kept"}
# Numbers without a document, between 1 and the last number given, can only have been left out on purpose.
RECORD = "".join(
    f"""
    INSERT INTO billing_numbergap (of, first, last, why)
    SELECT '{of}', before + 1, number - 1, 'Found when numbers that are left out were first recorded.' FROM (
        SELECT number, lag(number, 1, 0::bigint) OVER (ORDER BY number) AS before FROM (
            SELECT number::bigint FROM {documents}
            UNION ALL SELECT {of}::bigint + 1 FROM billing_counter) numbers) pairs
    WHERE number > before + 1;
    """
    for of, documents in (("invoices", "billing_invoice"), ("credit_notes", "billing_creditnote"))
)


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0018_line_of_its_invoice'),
        ('accounts', '0010_made_now'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='NumberGap',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('of', models.CharField(choices=[('invoices', 'Invoices'), ('credit_notes', 'Credit notes')], max_length=12)),
                ('first', models.PositiveBigIntegerField()),
                ('last', models.PositiveBigIntegerField()),
                ('why', models.TextField()),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['of', 'first'],
                'permissions': [('skip_numbers', 'Can leave out numbers of invoices and credit notes')],
                'default_permissions': (),
                'constraints': [models.CheckConstraint(condition=models.Q(('of__in', ['invoices', 'credit_notes'])), name='number_gap_is_of_something'), models.CheckConstraint(condition=models.Q(('first__gte', 1), ('last__gte', models.F('first'))), name='number_gap_has_numbers'), models.CheckConstraint(condition=models.Q(('why', ''), _negated=True), name='number_gap_says_why'), django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('of', 'invoices')), expressions=[(models.Func('first', 'last', models.Value('[]'), function='int8range'), '&&')], name='number_of_invoices_is_left_out_once'), django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('of', 'credit_notes')), expressions=[(models.Func('first', 'last', models.Value('[]'), function='int8range'), '&&')], name='number_of_credit_notes_is_left_out_once')],
            },
        ),
        install(*[guard for guard in GUARDS if guard.name not in BEFORE]),
        migrations.RunSQL(RECORD, migrations.RunSQL.noop),
    ]
