"""An item can be withdrawn from sale; sizes are unique among the items on sale.

The way back is refused while two items have the same size: then there is no telling which of them to drop.
"""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('subscriptions', '0005_no_price_for_the_past'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='item',
            name='one_item_of_a_size',
        ),
        migrations.AddField(
            model_name='historicalitem',
            name='withdrawn_from',
            field=models.DateField(blank=True, help_text="From this day on, in each account's own time zone, only accounts that already have the item can keep it; nobody else can buy it. Empty: it is on sale.", null=True),
        ),
        migrations.AddField(
            model_name='item',
            name='withdrawn_from',
            field=models.DateField(blank=True, help_text="From this day on, in each account's own time zone, only accounts that already have the item can keep it; nobody else can buy it. Empty: it is on sale.", null=True),
        ),
        migrations.AddConstraint(
            model_name='item',
            constraint=models.UniqueConstraint(condition=models.Q(('kind__in', ['storage', 'package']), ('withdrawn_from', None)), fields=('kind', 'size'), name='one_item_of_a_size', violation_error_message='There is already an item of this size on sale.'),
        ),
        migrations.AddConstraint(
            model_name='item',
            constraint=models.CheckConstraint(condition=models.Q(('held_at_install', False), ('withdrawn_from', None), _connector='OR'), name='default_item_stays_on_sale', violation_error_message="An item that is held from the moment of install can't be withdrawn: every new account gets it."),
        ),
    ]
