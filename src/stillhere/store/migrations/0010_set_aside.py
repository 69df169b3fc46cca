"""Watches whose row can be read or written no more."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("store", "0009_clock")]

    operations = [
        migrations.CreateModel(
            name="SetAside",
            fields=[
                ("watch", models.BigIntegerField(primary_key=True, serialize=False)),
                ("person", models.BigIntegerField(null=True)),
                ("at", models.BigIntegerField()),
                ("looked_at", models.BigIntegerField(null=True)),
            ],
            options={"db_table": "set_aside"},
        ),
    ]
