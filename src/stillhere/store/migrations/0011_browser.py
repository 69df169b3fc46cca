"""Browsers that open a person's pages. Whoever is there already, or is made by the release before,
has the key itself in a cookie; it is exchanged at the next visit."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("store", "0010_set_aside")]

    operations = [
        migrations.CreateModel(
            name="Browser",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("token_hash", models.BinaryField(max_length=32, unique=True)),
                ("kind", models.CharField(db_default="", default="", max_length=40)),
                ("since", models.DateField()),
                ("borrowed", models.BooleanField(db_default=False, default=False)),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="browsers",
                        to="store.person",
                    ),
                ),
            ],
            options={"db_table": "browser"},
        ),
        migrations.AddField(
            model_name="address",
            name="browser",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="addresses",
                to="store.browser",
            ),
        ),
        migrations.AddField(
            model_name="person",
            name="pin_off_at",
            field=models.BigIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="person",
            name="key_in_cookie",
            field=models.BooleanField(db_default=True, default=False),
        ),
    ]
