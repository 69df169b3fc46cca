"""Tries at a PIN, counted where no restart forgets them."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("store", "0011_browser")]

    operations = [
        migrations.CreateModel(
            name="PinTries",
            fields=[
                (
                    "person",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        serialize=False,
                        to="store.person",
                    ),
                ),
                ("minute_at", models.BigIntegerField(default=0)),
                ("minute", models.PositiveSmallIntegerField(default=0)),
                ("hour_at", models.BigIntegerField(default=0)),
                ("hour", models.PositiveSmallIntegerField(default=0)),
                ("day_at", models.BigIntegerField(default=0)),
                ("day", models.PositiveSmallIntegerField(default=0)),
            ],
            options={"db_table": "pin_tries"},
        ),
    ]
