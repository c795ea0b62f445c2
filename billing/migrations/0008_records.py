"""Identity of records (policy 17), voids (16), records set aside, rejects that are settled, and a count of each fate.

Asterisk records that are stored get their start as leg, and stored records of 0 seconds no longer claim their identity.
It can be reversed while every call id has one record.
"""

import csv

import django.contrib.postgres.indexes
import django.core.validators
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models


# The rows of older imports that were neither calls nor answered were counted together, and blank lines not at all.
FATES_OF_BEFORE = """
UPDATE billing_callimport SET rows_read = added + not_answered + repeated + rejected;
UPDATE billing_callimport i SET not_toll_free = least(r.count, i.added), unmatched = least(i.unmatched, greatest(i.added - r.count, 0))
    FROM (SELECT received_in_id, count(*) FROM billing_callrecord
        WHERE NOT is_toll_free AND account_id IS NOT NULL GROUP BY 1) r
    WHERE r.received_in_id = i.id;
"""

# Append-only tables refuse an UPDATE, of their own columns too: their triggers rest until the end of the statement.
LEGS_OF_BEFORE = """
ALTER TABLE billing_callrecord DISABLE TRIGGER USER;
UPDATE billing_callrecord r SET leg = to_char(r.started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
    FROM billing_callimport i WHERE i.id = r.received_in_id AND i.layout = 'asterisk';
ALTER TABLE billing_callrecord ENABLE TRIGGER USER;
"""

# Of one row that came night after night, only the latest waits; and none whose call came in by a later file.
REJECTS_OF_BEFORE = """
ALTER TABLE billing_rejectedcall DISABLE TRIGGER USER;
UPDATE billing_rejectedcall r SET state = 'settled', settled_in_id = latest.received_in_id
    FROM (SELECT md5(content) AS digest, max(received_in_id) AS received_in_id FROM billing_rejectedcall GROUP BY 1) latest
    WHERE md5(r.content) = latest.digest AND r.received_in_id < latest.received_in_id;
UPDATE billing_rejectedcall r SET state = 'settled', settled_in_id = c.received_in_id
    FROM (SELECT call_id, max(received_in_id) AS received_in_id FROM billing_callrecord
        WHERE call_id IN (SELECT call_id FROM billing_rejectedcall WHERE call_id <> '') GROUP BY 1) c
    WHERE r.state = 'open' AND r.call_id = c.call_id AND r.received_in_id < c.received_in_id;
SET CONSTRAINTS ALL IMMEDIATE;
SET CONSTRAINTS ALL DEFERRED;
ALTER TABLE billing_rejectedcall ENABLE TRIGGER USER;
"""

RULES = """
INSERT INTO billing_callrules (id, upgraded_at, last_import_before)
SELECT 1, CASE WHEN max(id) IS NOT NULL THEN clock_timestamp() END, max(id) FROM billing_callimport;
"""

PLACES = {"own": 0, "asterisk": 16}
MOST = 2_000


def name_rejects(apps, schema_editor):
    """Write the call id of each rejected row that can be read."""
    rows = apps.get_model("billing", "RejectedCall").objects.using(schema_editor.connection.alias).order_by("pk")
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("ALTER TABLE billing_rejectedcall DISABLE TRIGGER USER")
        after = 0
        while chunk := list(rows.filter(pk__gt=after).values_list("pk", "content", "received_in__layout")[:MOST]):
            after = chunk[-1][0]
            named = [(pk, _call_id(content, PLACES.get(layout, 0))) for pk, content, layout in chunk]
            cursor.execute(
                "UPDATE billing_rejectedcall r SET call_id = n.call_id "
                "FROM unnest(%s::bigint[], %s::text[]) n (id, call_id) WHERE r.id = n.id",
                [[pk for pk, _ in named], [call_id for _, call_id in named]],
            )
        cursor.execute("ALTER TABLE billing_rejectedcall ENABLE TRIGGER USER")


def _call_id(content, place):
    try:
        return next(csv.reader([content], strict=True))[place].strip()[:100]
    except (csv.Error, IndexError, StopIteration):
        return ""


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0007_number_moves'),
        ('billing', '0007_call_mappings'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='CallRules',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('final_after', models.PositiveSmallIntegerField(db_default=18, default=18, help_text='A month that ended more than so many months ago is final (billing policy 11).', validators=[django.core.validators.MinValueValidator(1)])),
                ('detached_before', models.DateField(help_text='Calls of months before this day were detached: since then `final_after` is never raised.', null=True)),
                ('upgraded_at', models.DateTimeField(help_text='When the identity of records got a leg, in a database that had calls before.', null=True)),
                ('last_import_before', models.BigIntegerField(help_text='The key of the last import of before that; its records keep what was invoiced.', null=True)),
            ],
            options={
                'verbose_name_plural': 'call rules',
            },
        ),
        migrations.CreateModel(
            name='CallVoid',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('reason', models.CharField(max_length=500)),
            ],
            options={
                'ordering': ['-pk'],
            },
        ),
        migrations.CreateModel(
            name='SetAsideCall',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('call_id', models.CharField(max_length=100)),
                ('leg', models.CharField(blank=True, max_length=100)),
                ('number', models.CharField(max_length=16, verbose_name='called number')),
                ('caller', models.CharField(blank=True, max_length=40)),
                ('started_at', models.DateTimeField()),
                ('seconds', models.PositiveIntegerField()),
                ('line', models.PositiveBigIntegerField()),
                ('reason', models.CharField(choices=[('stored', 'Another record of this identity was stored before.'), ('in_file', 'The file has another record of this identity.')], max_length=16)),
                ('state', models.CharField(choices=[('open', 'Open'), ('taken', 'Taken'), ('dismissed', 'Dismissed'), ('settled', 'Settled by a later file')], db_default='open', default='open', max_length=16)),
                ('decided_at', models.DateTimeField(null=True)),
                ('note', models.CharField(blank=True, db_default='', max_length=500)),
            ],
            options={
                'verbose_name': 'record set aside',
                'verbose_name_plural': 'records set aside',
                'ordering': ['-pk'],
            },
        ),
        migrations.AlterModelOptions(
            name='callrecord',
            options={'ordering': ['-started_at'], 'permissions': [('void_callrecord', 'Can void call records, and decide about records set aside and rejects')]},
        ),
        migrations.RemoveIndex(
            model_name='callrecord',
            name='call_unmatched',
        ),
        migrations.RenameField('callimport', 'skipped', 'not_answered'),
        migrations.AddField(
            model_name='callimport',
            name='not_a_call',
            field=models.PositiveBigIntegerField(db_default=0, default=0, help_text='Lines that are no call: blank, the header, a banner, a total.'),
        ),
        migrations.AlterField(
            model_name='callimport',
            name='not_answered',
            field=models.PositiveBigIntegerField(db_default=0, default=0, help_text='Calls that nobody answered: nothing to bill.'),
        ),
        migrations.AddField(
            model_name='callimport',
            name='not_toll_free',
            field=models.PositiveBigIntegerField(db_default=0, default=0, help_text='Of the new ones, calls of an account to a number that is not toll-free.'),
        ),
        migrations.AddField(
            model_name='callimport',
            name='rows_read',
            field=models.PositiveBigIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name='callimport',
            name='set_aside',
            field=models.PositiveBigIntegerField(db_default=0, default=0, help_text='Records that contradict another one: a person takes or dismisses them.'),
        ),
        migrations.AddField(
            model_name='callimport',
            name='took_voided',
            field=models.BooleanField(db_default=False, default=False, help_text='Whether rows were taken although their content had been voided or dismissed.'),
        ),
        migrations.AddField(
            model_name='callimport',
            name='voided',
            field=models.PositiveBigIntegerField(db_default=0, default=0, help_text='Rows with the content of a voided record, which were not taken.'),
        ),
        migrations.AddField(
            model_name='callimport',
            name='zero',
            field=models.PositiveBigIntegerField(db_default=0, default=0, help_text='Rows of 0 seconds.'),
        ),
        migrations.AddField(
            model_name='callrecord',
            name='is_voided',
            field=models.BooleanField(db_default=False, default=False, help_text='Set by the database for a CallVoid.'),
        ),
        migrations.AddField(
            model_name='callrecord',
            name='leg',
            field=models.CharField(blank=True, db_default='', default='', help_text="Which record of the call: the file's sequence or leg. Asterisk’s has its start instead.", max_length=100),
        ),
        migrations.AddField(
            model_name='rejectedcall',
            name='call_id',
            field=models.CharField(blank=True, db_default='', default='', max_length=100),
        ),
        migrations.AddField(
            model_name='rejectedcall',
            name='decided_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='rejectedcall',
            name='decided_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='rejectedcall',
            name='leg',
            field=models.CharField(blank=True, db_default='', default='', max_length=100),
        ),
        migrations.AddField(
            model_name='rejectedcall',
            name='note',
            field=models.CharField(blank=True, db_default='', default='', max_length=500),
        ),
        migrations.AddField(
            model_name='rejectedcall',
            name='seen_in',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='rejects_seen', to='billing.callimport'),
        ),
        migrations.AddField(
            model_name='rejectedcall',
            name='settled_in',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='billing.callimport'),
        ),
        migrations.AddField(
            model_name='rejectedcall',
            name='state',
            field=models.CharField(choices=[('open', 'Open'), ('settled', 'Settled by a later file'), ('dismissed', 'Dismissed')], db_default='open', default='open', max_length=16),
        ),
        migrations.AlterField(
            model_name='callimport',
            name='rejected',
            field=models.PositiveBigIntegerField(default=0, help_text='Rows that were not taken, each with its reason.'),
        ),
        migrations.AlterField(
            model_name='callimport',
            name='repeated',
            field=models.PositiveBigIntegerField(default=0, help_text='Rows that are known already: stored, set aside or dismissed, with the same content.'),
        ),
        migrations.AlterField(
            model_name='callrecord',
            name='call_id',
            field=models.CharField(max_length=100),
        ),
        migrations.AddIndex(
            model_name='callrecord',
            index=models.Index(condition=models.Q(('account', None), ('is_voided', False)), fields=['number', 'started_at'], name='call_unmatched'),
        ),
        migrations.AddIndex(
            model_name='callrecord',
            index=django.contrib.postgres.indexes.BrinIndex(autosummarize=True, fields=['received_in'], name='call_received_in'),
        ),
        migrations.AddIndex(
            model_name='callrecord',
            index=models.Index(condition=models.Q(('is_voided', True), ('seconds', 0), _connector='OR'), fields=['call_id'], name='call_not_standing'),
        ),
        migrations.AddIndex(
            model_name='rejectedcall',
            index=models.Index(django.db.models.functions.text.MD5('content'), name='rejected_by_content'),
        ),
        migrations.AddIndex(
            model_name='rejectedcall',
            index=models.Index(condition=models.Q(('state', 'open')), fields=['call_id'], name='rejected_open'),
        ),
        migrations.AddConstraint(
            model_name='rejectedcall',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at', None), ('decided_by', None), ('settled_in', None), ('state', 'open')), models.Q(('decided_by', None), ('settled_in__isnull', False), ('state', 'settled')), models.Q(('decided_at__isnull', False), ('decided_by__isnull', False), ('state', 'dismissed'), models.Q(('note', ''), _negated=True)), _connector='OR'), name='rejected_row_is_decided_as_a_whole'),
        ),
        migrations.AddConstraint(
            model_name='callrules',
            constraint=models.CheckConstraint(condition=models.Q(('pk', 1)), name='one_row_of_call_rules'),
        ),
        migrations.AddConstraint(
            model_name='callrules',
            constraint=models.CheckConstraint(condition=models.Q(('final_after__gte', 1)), name='final_after_a_month_or_more'),
        ),
        migrations.AddField(
            model_name='callvoid',
            name='by',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='callvoid',
            name='record',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='void', to='billing.callrecord'),
        ),
        migrations.AddField(
            model_name='setasidecall',
            name='decided_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='setasidecall',
            name='received_in',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='records_set_aside', to='billing.callimport'),
        ),
        migrations.AddField(
            model_name='setasidecall',
            name='record',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='billing.callrecord'),
        ),
        migrations.AddField(
            model_name='setasidecall',
            name='settled_in',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='billing.callimport'),
        ),
        migrations.AddConstraint(
            model_name='callvoid',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='call_void_has_a_reason', violation_error_message='A void needs a reason.'),
        ),
        migrations.AddIndex(
            model_name='setasidecall',
            index=models.Index(fields=['call_id'], name='set_aside_by_call'),
        ),
        migrations.AddIndex(
            model_name='setasidecall',
            index=models.Index(condition=models.Q(('state', 'open')), fields=['-id'], name='set_aside_open'),
        ),
        migrations.AddConstraint(
            model_name='setasidecall',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at', None), ('decided_by', None), ('record', None), ('settled_in', None), ('state', 'open')), models.Q(('decided_at__isnull', False), ('decided_by__isnull', False), ('record__isnull', False), ('state', 'taken')), models.Q(('decided_at__isnull', False), ('decided_by__isnull', False), ('record', None), ('state', 'dismissed')), models.Q(('decided_by', None), ('record', None), ('settled_in__isnull', False), ('state', 'settled')), _connector='OR'), name='set_aside_call_is_decided_as_a_whole'),
        ),
        migrations.AddConstraint(
            model_name='setasidecall',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state__in', ['taken', 'dismissed']), _negated=True), models.Q(('note', ''), _negated=True), _connector='OR'), name='set_aside_call_is_decided_with_a_reason'),
        ),
        migrations.RunSQL(FATES_OF_BEFORE, migrations.RunSQL.noop),
        migrations.RunSQL(LEGS_OF_BEFORE, migrations.RunSQL.noop),
        migrations.RunPython(name_rejects, migrations.RunPython.noop),
        migrations.RunSQL(REJECTS_OF_BEFORE, migrations.RunSQL.noop),
        migrations.RunSQL(RULES, migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name='callimport',
            constraint=models.CheckConstraint(condition=models.Q(('rows_read', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('added'), '+', models.F('zero')), '+', models.F('not_answered')), '+', models.F('repeated')), '+', models.F('rejected')), '+', models.F('set_aside')), '+', models.F('voided')), '+', models.F('not_a_call')))), name='fates_add_up_to_the_rows_read', violation_error_message='Every row that was read has one fate: the counts add up to the rows read.'),
        ),
        migrations.AddConstraint(
            model_name='callimport',
            constraint=models.CheckConstraint(condition=models.Q(('added__gte', django.db.models.expressions.CombinedExpression(models.F('unmatched'), '+', models.F('not_toll_free')))), name='call_import_added_its_parts', violation_error_message='Unmatched calls, and those that are not toll-free, are among those added.'),
        ),
        migrations.AddConstraint(
            model_name='callrecord',
            constraint=models.UniqueConstraint(condition=models.Q(('is_voided', False), ('seconds__gt', 0)), fields=('call_id', 'leg'), name='call_identity_stands_once', violation_error_message='A record of this call and leg is stored already.'),
        ),
    ]
