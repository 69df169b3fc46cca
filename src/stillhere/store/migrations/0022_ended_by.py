"""A watch remembers whose word ended its alarms."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("store", "0021_gateway_clock")]

    operations: ClassVar = [
        migrations.AddField("watchrow", "ended_by", models.TextField(default="", db_default="")),
    ]
