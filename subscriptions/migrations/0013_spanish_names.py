"""Items have a name in Spanish, for customers' pages and documents."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('subscriptions', '0012_dated_when_made'),
    ]

    operations = [
        migrations.AddField(
            model_name='historicalitem',
            name='name_es',
            field=models.CharField(blank=True, db_default='', default='', help_text='As customers read it in Spanish, on invoices too. Empty: the name is the same.', max_length=100, verbose_name='name in Spanish'),
        ),
        migrations.AddField(
            model_name='item',
            name='name_es',
            field=models.CharField(blank=True, db_default='', default='', help_text='As customers read it in Spanish, on invoices too. Empty: the name is the same.', max_length=100, verbose_name='name in Spanish'),
        ),
    ]
