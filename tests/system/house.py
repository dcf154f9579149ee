"""A house: a database of its own in the cluster, the worker on it, and a listener."""

from harness import Listener, Worker


class House:
    def __init__(self, cluster, **worker_options):
        self.cluster = cluster
        self.database = cluster.database()
        self.db = cluster.connect(self.database)
        self.listener = Listener(cluster, self.database)
        self.options = worker_options
        self.worker = None
        self.start()

    def start(self):
        self.worker = Worker(self.cluster.url(self.database), **self.options).await_ready()
        return self.worker

    def rows(self, sql, *values):
        return self.db.execute(sql, values).fetchall()

    def value(self, sql, *values):
        return self.db.execute(sql, values).fetchone()[0]

    def received(self, user):
        """How many deliveries of this person are stored."""
        return self.value("SELECT count(*) FROM events.event_store WHERE stream_id = %s"
                          " AND event_type = 'biometric_received'", f"user:{user}")

    def readings(self, user):
        return self.rows("SELECT metric_type, coalesce(value::text, state), recorded_at, context"
                         " FROM biometrics.biometric_events WHERE user_id = %s"
                         " ORDER BY metric_type, recorded_at", user)

    def mode(self, user):
        return self.value("SELECT neuros.current_mode(%s)", user)

    def broken(self):
        """What is wrong with the store: streams with a gap or a repeat, positions given twice."""
        return self.rows("SELECT stream_id FROM events.event_store GROUP BY 1"
                         " HAVING min(version) <> 1 OR max(version) <> count(*)"
                         " OR count(DISTINCT version) <> count(*)"
                         " UNION ALL SELECT position::text FROM events.event_store GROUP BY position"
                         " HAVING count(*) > 1")

    def close(self):
        code = self.worker.terminate()
        self.listener.close()
        self.db.close()
        assert code == 0, "\n".join(self.worker.lines[-20:])
