# Every column has a default in the database, because the release before this one goes on writing
# rows that do not name it.

from __future__ import annotations

from typing import Any

from django.db import migrations, models


def instant() -> Any:
    return models.BigIntegerField(db_default=0, default=0)


class Migration(migrations.Migration):
    dependencies = [("store", "0002_the_first_night")]

    operations = [
        migrations.AddField("installation", "backed_up_at", instant()),
        migrations.CreateModel(
            "Peer",
            [
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=80, unique=True)),
                ("nonce", models.BinaryField(max_length=16)),
                ("key_hash", models.BinaryField(max_length=32, unique=True)),
                ("created_at", models.BigIntegerField()),
                ("heard_at", instant()),
                ("told_at", instant()),
            ],
            {"db_table": "peer"},
        ),
    ]
