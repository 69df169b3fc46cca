"""Whoever was added by text hears a day later where somebody is who calls for help."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("store", "0026_alarm_lists")]

    operations: ClassVar = [
        migrations.AddField("contact", "door_at", models.BigIntegerField(default=0, db_default=0)),
    ]
