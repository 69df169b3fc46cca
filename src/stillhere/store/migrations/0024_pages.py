"""A page is remembered until somebody on call says that they look."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("store", "0023_reached_at")]

    operations: ClassVar = [
        migrations.CreateModel(
            "Page",
            [
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("nonce", models.BinaryField(max_length=16)),
                ("key_hash", models.BinaryField(max_length=32, unique=True)),
                ("opened_at", models.BigIntegerField()),
                ("count", models.IntegerField(default=0, db_default=0)),
                ("about", models.TextField(default="[]", db_default="[]")),
                ("turn", models.IntegerField(default=0, db_default=0)),
                ("next_at", models.BigIntegerField(null=True)),
                ("told", models.TextField(default="[]", db_default="[]")),
                ("looked_by", models.CharField(max_length=16, default="", db_default="")),
                ("looked_at", models.BigIntegerField(default=0, db_default=0)),
            ],
            {
                "db_table": "page",
                "indexes": [
                    models.Index(
                        fields=["next_at"],
                        name="page_open",
                        condition=models.Q(next_at__isnull=False),
                    )
                ],
            },
        ),
    ]
