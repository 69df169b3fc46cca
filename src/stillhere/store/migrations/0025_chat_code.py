"""Codes that connect a chat, once."""

from __future__ import annotations

from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("store", "0024_pages")]

    operations: ClassVar = [
        migrations.CreateModel(
            "ChatCode",
            [
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="store.person",
                    ),
                ),
                (
                    "contact",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="store.contact",
                    ),
                ),
                (
                    "browser",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="store.browser",
                    ),
                ),
                ("code_hash", models.BinaryField(max_length=32, unique=True)),
                ("until_at", models.BigIntegerField()),
            ],
            {
                "db_table": "chat_code",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(person__isnull=True) ^ models.Q(contact__isnull=True),
                        name="chat_code_of_one",
                    )
                ],
            },
        ),
    ]
