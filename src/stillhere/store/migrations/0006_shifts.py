# Every column has a default in the database, because the release before this one goes on writing
# rows that do not name it.

from __future__ import annotations

from typing import Any

import django.db.models.deletion
from django.db import migrations, models


def own_id() -> tuple[str, Any]:
    return (
        "id",
        models.BigAutoField(
            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
        ),
    )


class Migration(migrations.Migration):
    dependencies = [("store", "0005_drills")]

    operations = [
        migrations.CreateModel(
            "Responder",
            [
                own_id(),
                ("nonce", models.BinaryField(max_length=16)),
                ("key_hash", models.BinaryField(max_length=32, unique=True)),
                ("name", models.BinaryField(default=b"")),
                ("phone", models.BinaryField(default=b"")),
                ("lang", models.CharField(default="en", max_length=8)),
                ("created_at", models.BigIntegerField()),
                ("until_at", models.BigIntegerField(db_default=0, default=0)),
            ],
            {"db_table": "responder"},
        ),
        migrations.CreateModel(
            "Recording",
            [
                own_id(),
                ("nonce", models.BinaryField(max_length=16)),
                ("key_hash", models.BinaryField(max_length=32, unique=True)),
                ("carrier", models.CharField(max_length=20)),
                ("ref", models.CharField(max_length=80)),
                ("sound", models.BinaryField(default=b"")),
                ("made_at", models.BigIntegerField()),
                ("tries", models.PositiveSmallIntegerField(db_default=0, default=0)),
                ("left_there", models.BooleanField(db_default=True, default=True)),
                (
                    "person",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="recording",
                        to="store.person",
                    ),
                ),
            ],
            {"db_table": "recording"},
        ),
        migrations.AddField(
            "contact",
            "responder",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="contacts",
                to="store.responder",
            ),
        ),
        migrations.AddField(
            "person", "volunteers", models.BooleanField(db_default=False, default=False)
        ),
    ]
