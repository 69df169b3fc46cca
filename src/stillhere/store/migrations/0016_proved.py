"""Whether an address is its owner's, and budgets of what may be sent until it is.

Whoever is reached today stays so: contacts who said yes, phones that began by writing to us or
ringing us, own numbers from which something came that we still know of, and the own numbers of
everybody with an open watch, because no update may silence an ask that is on its way.
"""

from django.db import migrations, models

CARRY_OVER = """
UPDATE address SET proved_at = 1 WHERE channel IN ('page', 'push')
OR contact_id IN (SELECT id FROM contact WHERE status = 'confirmed')
OR person_id IN (SELECT id FROM person WHERE caller)
OR person_id IN (
    SELECT person_id FROM message WHERE contact_id IS NULL AND word LIKE 'reply-%'
)
OR person_id IN (SELECT person_id FROM watch WHERE closed_at IS NULL)
"""


class Migration(migrations.Migration):
    dependencies = [("store", "0015_suppression")]

    operations = [
        migrations.AddField(
            model_name="address",
            name="proved_at",
            field=models.BigIntegerField(db_default=0, default=0),
        ),
        migrations.CreateModel(
            name="Budget",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("scope", models.BinaryField(max_length=32)),
                ("day", models.IntegerField(default=0)),
                ("used", models.IntegerField(default=0)),
            ],
            options={
                "db_table": "budget",
                "indexes": [models.Index(fields=["day"], name="budget_day")],
                "constraints": [
                    models.UniqueConstraint(fields=("scope", "day"), name="budget_once")
                ],
            },
        ),
        migrations.RunSQL(CARRY_OVER, migrations.RunSQL.noop),
    ]
