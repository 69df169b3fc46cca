"""Whose pages must show something else: an append-only list, read by what keeps pages current."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("store", "0031_decoy")]

    operations: ClassVar = [
        migrations.CreateModel(
            "PageChange",
            [
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("person", models.BigIntegerField()),
                ("at", models.BigIntegerField()),
            ],
            options={"db_table": "page_change"},
        ),
    ]
