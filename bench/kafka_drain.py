"""Kafka to PostgreSQL: the worker with one consumer takes in a topic that is full before it starts, against
batch_load, a libpq client that sends the same records in ready-made batches of the same size: no Kafka, no
decoding, no offsets, nothing between two batches. Fresh database each round.
"""

from kafka_parts import PARTITIONS, PEOPLE, RECORDS, a_broker, drain, fill, rates, send_batches, tell_costs
from report import at_least, row, table, take_turns

BATCH = 512


def run():
    table(f"Kafka to PostgreSQL, {RECORDS:,} records of {PEOPLE:,} people in {PARTITIONS} partitions,"
          f" batches of {BATCH}", "records/s")
    with a_broker() as broker:
        for readings in (1, 4):
            filled = fill(broker, readings)
            got = take_turns({"worker": lambda f=filled: drain(f, broker),
                              "libpq": lambda f=filled: send_batches(f, BATCH)})
            row(f"{readings} reading{'s' if readings > 1 else ''} each, {filled.bytes:.0f} bytes",
                rates(got["worker"]), "libpq, ready-made batches", rates(got["libpq"]), at_least(0.8))
            tell_costs(got)
