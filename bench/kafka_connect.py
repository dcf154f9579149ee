"""The worker against Kafka Connect standalone with Debezium's JDBC sink: same broker, same PostgreSQL, same
run, the settings of both printed.

What each does for a record. The worker: reads the delivery, checks every reading, finds duplicates by event
id, appends an event to the person's stream, writes the readings, marks baselines, decides on the mode, and
moves the partition's offset in the same transaction: nothing is lost or done twice, whatever dies. The sink:
one upsert of one row by primary key; its offset is told to Kafka some time after.

What lies on the topic is each one's natural shape. The sink needs a record per row, with its schema.
"""

from connect_peer import JVM, TUNED, Connect, fill_rows
from kafka_parts import PARTITIONS, RECORDS, a_broker, drain, fill, rates, tell_costs
from report import at_least, row, table, take_turns

SINKS = {"record_value": "by the row's own key", "kafka": "by topic/partition/offset"}


def settings(worker_consumers):
    print(f"  worker         kafka.consumers {worker_consumers}, ingest.max_batch_deliveries 512,"
          " ingest.max_batch_bytes 4MiB")
    tuned = [f"{name} {setting}" for name, setting in TUNED.items()]
    print("  Kafka Connect  insert.mode upsert, reWriteBatchedInserts=true, schema.evolution none")
    for begin in range(0, len(tuned), 3):
        print("                 " + ", ".join(tuned[begin:begin + 3]))
    print("                 JVM " + " ".join(JVM), flush=True)


def run():
    table(f"Kafka to PostgreSQL, {RECORDS:,} records in {PARTITIONS} partitions, one reading each",
          "records/s")
    consumers = (1, PARTITIONS)
    settings(" and ".join(map(str, consumers)))
    with a_broker() as broker, Connect(broker) as connect:
        ones, fours, many = fill(broker, 1), fill(broker, 4), fill(broker, 32, max(RECORDS // 8, 5000))
        rows = fill_rows(broker, RECORDS)
        for key in SINKS:
            connect.drain(fill_rows(broker, max(RECORDS // 5, 2000)), key)
        sides = {f"one, {n}": lambda n=n: drain(ones, broker, n) for n in consumers}
        sides |= {key: lambda k=key: connect.drain(rows, k) for key in SINKS}
        sides |= {f"four, {n}": lambda n=n: drain(fours, broker, n) for n in consumers}
        sides |= {f"many, {n}": lambda n=n: drain(many, broker, n) for n in consumers}
        got = take_turns(sides)

        def times(name, by):
            return [rate * by for rate in rates(got[name])]

        def compare(prefix, by, goal):
            for n in consumers:
                for key, what in SINKS.items():
                    row(f"{n} consumer{'s' if n > 1 else ''}", times(f"{prefix}, {n}", by),
                        f"sink {what}", rates(got[key]), goal if key == "record_value" else None)
        compare("one", 1, at_least(3))
        tell_costs({f"worker, {n} consumer{'s' if n > 1 else ''}": got[f"one, {n}"] for n in consumers}
                   | {f"sink {what}": got[key] for key, what in SINKS.items()})
        print(f"  bytes a record: worker {ones.bytes:.0f}, sink {rows.bytes:.0f}")
        for prefix, filled, by in (("four", fours, 4), ("many", many, 32)):
            table(f"Kafka to PostgreSQL, {by} readings to a delivery; the sink has a record for each",
                  "readings/s")
            compare(prefix, by, None)
            print(f"  bytes a reading: worker {filled.bytes / by:.0f}, sink {rows.bytes:.0f}")
