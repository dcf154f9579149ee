"""Units other than the metric's own: the known answers hold through ingest, and every alias is known."""

import json
import pathlib

import pytest

KNOWN = json.loads(
    (pathlib.Path(__file__).parents[1] / "data/wearables/unit_conversions.json").read_text(
        encoding="utf-8"
    )
)
# The one conversion that no metric needs.
WITHOUT_METRIC = {"km/h"}
# Remarks in the list, not names of units.
REMARKS = {"calories (Fitbit/Oura integer kcal)"}


@pytest.fixture(scope="module")
def convert(cluster):
    connection = cluster.connect(cluster.database())
    connection.execute(
        "INSERT INTO biometrics.metric_types (metric_type, unit)"
        " SELECT 'unit_' || row_number() OVER (ORDER BY unit), unit"
        " FROM (SELECT DISTINCT unit FROM biometrics.metric_types WHERE states IS NULL) u"
    )
    metric_of = dict(
        connection.execute(
            "SELECT unit, metric_type FROM biometrics.metric_types WHERE metric_type LIKE 'unit\\_%'"
        ).fetchall()
    )
    count = iter(range(1_000_000))

    def run(value, unit, kept_in):
        """The value as stored, or None when it was refused."""
        user = f"units{next(count)}"
        reading = {"metric": metric_of[kept_in], "value": value, "unit": unit,
                   "start": "2025-01-27T10:30:00Z"}
        connection.execute(
            "SELECT status FROM bridge.ingest_batch(ARRAY[%s::jsonb])",
            [json.dumps({"source": "healthkit", "delivery_id": "1", "user_id": user,
                         "readings": [reading]})],
        )
        row = connection.execute(
            "SELECT value FROM biometrics.biometric_events WHERE user_id = %s", [user]
        ).fetchone()
        return row and row[0]

    yield run
    connection.close()


@pytest.mark.parametrize(
    "known",
    [k for k in KNOWN["known_answers"] if k["to"] not in WITHOUT_METRIC],
    ids=lambda k: f"{k['in']} {k['from']} in {k['to']}",
)
def test_known_answers(convert, known):
    stored = convert(known["in"], known["from"], known["to"])
    assert stored == pytest.approx(known["out"], abs=known.get("abs_tol", 1e-6))


@pytest.mark.parametrize(
    ("alias", "unit"),
    [(alias, unit) for unit, aliases in KNOWN["unit_aliases"].items()
     for alias in aliases if alias not in REMARKS],
)
def test_aliases_mean_their_unit(convert, alias, unit):
    kept_in = "Cel" if unit == "degF" else unit
    assert convert(50, alias, kept_in) == convert(50, unit, kept_in) is not None


def test_an_unknown_unit_is_refused(convert):
    assert convert(50, "furlong", "m") is None
    assert convert(50, "kg", "m") is None
