"""A name, a place and a way in that were spoken in a call."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models
from django.db.models.deletion import CASCADE


class Migration(migrations.Migration):
    dependencies: ClassVar = [("store", "0028_carrier_sound")]

    operations: ClassVar = [
        migrations.CreateModel(
            "SpokenNote",
            [
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("name", "Name"), ("place", "Place"), ("entry", "Entry")],
                        max_length=5,
                    ),
                ),
                ("kept", models.BooleanField(default=False, db_default=False)),
                ("nonce", models.BinaryField(max_length=16)),
                ("key_hash", models.BinaryField(max_length=32, unique=True)),
                ("carrier", models.CharField(max_length=20)),
                ("ref", models.CharField(max_length=80)),
                ("sound", models.BinaryField(default=b"", db_default=b"")),
                ("made_at", models.BigIntegerField()),
                (
                    "person",
                    models.ForeignKey("store.person", CASCADE, related_name="spoken_notes"),
                ),
            ],
            {
                "db_table": "spoken_note",
                "constraints": [
                    models.UniqueConstraint(
                        fields=["person", "kind", "kept"], name="spoken_note_once"
                    )
                ],
            },
        ),
    ]
