# Every column has a default in the database, because the release before this one goes on writing
# rows that do not name it.

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("store", "0003_looked_after")]

    operations = [
        migrations.AddField(
            "message", "carrier", models.CharField(db_default="", default="", max_length=20)
        ),
        migrations.AddField("message", "cost_micros", models.BigIntegerField(null=True)),
        migrations.AddField(
            "message", "currency", models.CharField(db_default="", default="", max_length=3)
        ),
        migrations.AddField("message", "receipt_by_at", models.BigIntegerField(null=True)),
        migrations.AddField("message", "cleared_at", models.BigIntegerField(null=True)),
        migrations.AddIndex(
            "message",
            models.Index(
                condition=models.Q(receipt_by_at__isnull=False),
                fields=["receipt_by_at"],
                name="message_awaited",
            ),
        ),
        migrations.AddIndex(
            "message",
            models.Index(
                condition=models.Q(cleared_at__isnull=True) & ~models.Q(carrier=""),
                fields=["created_at"],
                name="message_uncleared",
            ),
        ),
    ]
