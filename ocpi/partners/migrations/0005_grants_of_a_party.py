from django.conf import settings
from django.db import migrations, models


def name_the_party(apps, schema_editor):
    """Until now there was one party of ours: each grant on one location was on one of its."""
    grants = apps.get_model("partners", "Grant").objects.filter(party_id="").exclude(location_id="")
    grants.update(country_code=settings.COUNTRY_CODE, party_id=settings.PARTY_ID)


class Migration(migrations.Migration):

    dependencies = [
        ("partners", "0004_static_partners"),
    ]

    operations = [
        migrations.AddField(
            model_name="grant",
            name="country_code",
            field=models.CharField(
                blank=True,
                help_text="Of the party of ours whose locations they are; empty means all.",
                max_length=2,
            ),
        ),
        migrations.AddField(
            model_name="grant",
            name="party_id",
            field=models.CharField(blank=True, help_text="The same party's id.", max_length=3),
        ),
        migrations.AlterField(
            model_name="grant",
            name="location_id",
            field=models.CharField(
                blank=True,
                help_text="OCPI id of one location of that party; empty means all.",
                max_length=36,
            ),
        ),
        migrations.RunPython(name_the_party, migrations.RunPython.noop),
        migrations.RemoveConstraint(model_name="grant", name="one_grant_per_location"),
        migrations.AddConstraint(
            model_name="grant",
            constraint=models.UniqueConstraint(
                fields=("partner", "country_code", "party_id", "location_id"), name="one_grant_per_location"
            ),
        ),
        migrations.AddConstraint(
            model_name="grant",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("location_id", ""),
                    models.Q(("country_code", ""), ("party_id", ""), _negated=True),
                    _connector="OR",
                ),
                name="location_grant_has_a_party",
            ),
        ),
    ]
