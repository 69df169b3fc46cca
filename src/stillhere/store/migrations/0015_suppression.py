"""Numbers and addresses that asked not to be reached."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("store", "0014_secret")]

    operations = [
        migrations.CreateModel(
            name="Suppression",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("lookup", models.BinaryField(max_length=32)),
                ("person", models.BigIntegerField(db_default=0, default=0)),
                ("proved", models.BooleanField(db_default=False, default=False)),
                (
                    "why",
                    models.CharField(
                        choices=[
                            ("stop", "Stop"),
                            ("key", "Key"),
                            ("page", "Page"),
                            ("declined", "Declined"),
                            ("before", "Before"),
                        ],
                        max_length=10,
                    ),
                ),
                ("at", models.BigIntegerField()),
            ],
            options={
                "db_table": "suppression",
                "constraints": [
                    models.UniqueConstraint(fields=("lookup", "person"), name="suppression_once")
                ],
            },
        ),
    ]
