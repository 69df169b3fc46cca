"""A phone that is on several open alarms has them by numbers."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("store", "0025_chat_code")]

    operations: ClassVar = [
        migrations.CreateModel(
            "AlarmList",
            [
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("lookup", models.BinaryField(max_length=32, unique=True)),
                ("numbers", models.TextField(default="{}", db_default="{}")),
                ("texted_at", models.BigIntegerField(default=0, db_default=0)),
                ("called_at", models.BigIntegerField(default=0, db_default=0)),
                ("made_at", models.BigIntegerField(default=0, db_default=0)),
            ],
            {"db_table": "alarm_list"},
        ),
    ]
