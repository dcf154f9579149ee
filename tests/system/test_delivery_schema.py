"""docs/delivery.schema.json says what bridge.ingest_batch does: its examples are applied in full, and
what breaks it is rejected or refused."""

import copy
import json
import pathlib

import pytest
from jsonschema import Draft202012Validator

SCHEMA = json.loads(
    (pathlib.Path(__file__).parents[2] / "docs" / "delivery.schema.json").read_text()
)
VALIDATOR = Draft202012Validator(SCHEMA)


@pytest.fixture(scope="module")
def ingest(cluster):
    with cluster.connect(cluster.database()) as connection:

        def run(delivery):
            return connection.execute(
                "SELECT status, readings_accepted, readings_rejected, problem"
                " FROM bridge.ingest_batch(ARRAY[%s::jsonb])",
                [json.dumps(delivery)],
            ).fetchone()

        yield run


def reading(**members):
    return {"metric": "heart_rate", "value": 60, "start": "2025-01-27T10:30:00Z"} | members


def delivery(name, *readings, **members):
    return {
        "source": "healthkit",
        "delivery_id": name,
        "user_id": "schema",
        "readings": list(readings) or [reading()],
    } | members


def test_the_schema_is_one():
    Draft202012Validator.check_schema(SCHEMA)
    assert len(SCHEMA["examples"]) >= 3


@pytest.mark.parametrize("example", SCHEMA["examples"], ids=lambda e: e["source"])
def test_examples_are_valid_and_applied_in_full(ingest, example):
    VALIDATOR.validate(example)
    status, accepted, rejected, problem = ingest(example)
    assert (status, accepted, rejected, problem) == ("applied", len(example["readings"]), 0, None)


ENVELOPES = {
    "source": [None, "", "Health Kit", "9th", "x" * 64, 3],
    "delivery_id": [None, "", "a\nb", 3],
    "user_id": [None, "", "a\tb", "u" * 251, ["u"]],
    "readings": [None, [], {}, "none"],
}


@pytest.mark.parametrize(
    ("key", "value"), [(key, value) for key, values in ENVELOPES.items() for value in values], ids=str
)
def test_a_wrong_envelope_is_rejected(ingest, key, value):
    wrong = delivery("envelope")
    if value is None:
        del wrong[key]
    else:
        wrong[key] = value
    assert not VALIDATOR.is_valid(wrong)
    assert ingest(wrong)[0] == "rejected"


BAD_READINGS = [
    reading(value=None),
    reading(value=True),
    reading(start=None),
    reading(start="2025-01-27"),
    reading(end="tomorrow"),
    reading(statistic="median"),
    reading(context="jogging"),
    reading(source=7),
    reading(external_id="x" * 256),
    reading(flags="pending"),
    reading(flags=[""]),
    reading(deleted="yes"),
    {"metric": "heart_rate", "deleted": True},
    {"metric": "heart_rate", "value": 60},
    {"metric": "heart_rate", "start": "2025-01-27T10:30:00Z"},
    {"value": 60, "start": "2025-01-27T10:30:00Z"},
]


@pytest.mark.parametrize("number", range(len(BAD_READINGS)))
def test_a_bad_reading_is_refused_and_its_neighbour_kept(ingest, number):
    bad = copy.deepcopy(BAD_READINGS[number])
    for key in [key for key, value in bad.items() if value is None and key != "value"]:
        del bad[key]
    mixed = delivery(f"bad-{number}", bad, reading(start=f"2025-01-27T11:{number:02}:00Z"))
    assert not VALIDATOR.is_valid(mixed)
    status, accepted, rejected, problem = ingest(mixed)
    assert (status, accepted, rejected) == ("applied", 1, 1)
    assert problem["readings"][0]["index"] == 1


@pytest.mark.parametrize("key", ["statistic", "context"])
def test_every_word_of_the_schema_is_known(ingest, key):
    words = SCHEMA["$defs"]["reading"]["properties"][key]["enum"]
    one_each = [
        reading(**{key: word}, start=f"2025-01-27T12:{minute:02}:00Z")
        for minute, word in enumerate(words)
    ]
    assert ingest(delivery(f"all-{key}", *one_each))[:3] == ("applied", len(words), 0)
