"""What lies at a carrier is owed to be deleted there, whatever becomes of whoever spoke."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("store", "0027_door_at")]

    operations: ClassVar = [
        migrations.CreateModel(
            "CarrierSound",
            [
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("carrier", models.CharField(max_length=20)),
                ("ref", models.CharField(max_length=80)),
                ("since_at", models.BigIntegerField()),
                ("tries", models.PositiveSmallIntegerField(default=0, db_default=0)),
                ("due_at", models.BigIntegerField(default=0, db_default=0, db_index=True)),
            ],
            {
                "db_table": "carrier_sound",
                "constraints": [
                    models.UniqueConstraint(fields=["carrier", "ref"], name="carrier_sound_once")
                ],
            },
        ),
    ]
