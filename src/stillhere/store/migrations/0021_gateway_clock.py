"""What the stamps of a gateway's texts are worth."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("store", "0020_put_out")]

    operations: ClassVar = [
        migrations.CreateModel(
            "GatewayClock",
            [
                ("gateway", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("stamps", models.TextField(default="", db_default="")),
            ],
            {"db_table": "gateway_clock"},
        ),
    ]
