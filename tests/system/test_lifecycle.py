"""Starting, losing PostgreSQL and finding it again, stopping: no accepted delivery is lost."""

import json
import ssl
import subprocess
import http.client
import signal
import threading

from bodies import sample, samples
from harness import KEY, Worker, await_that


def test_tls_13_and_nothing_older(new_house, tmp_path):
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                    "-nodes", "-keyout", key, "-out", cert, "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
                   check=True, capture_output=True)
    house = new_house(env={"AUREN_HTTP__TLS__CERT_FILE": str(cert), "AUREN_HTTP__TLS__KEY_FILE": str(key)})
    context = ssl.create_default_context(cafile=str(cert))

    def post():
        conn = http.client.HTTPSConnection("127.0.0.1", house.worker.port, context=context, timeout=30)
        conn.request("POST", "/webhooks/healthkit", json.dumps(samples("tls", sample("heartRate", 70))),
                     {"Content-Type": "application/json", "Authorization": f"Bearer {KEY}"})
        version = conn.sock.version()
        status = conn.getresponse().status
        conn.close()
        return version, status

    assert post() == ("TLSv1.3", 202)
    assert house.received("tls") == 1
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    try:
        post()
        raise AssertionError("TLS 1.2 was let in")
    except (ssl.SSLError, ConnectionError):
        pass


def test_starts_without_postgresql_and_becomes_ready(cluster, new_house):
    house = new_house()
    house.worker.terminate()
    cluster.stop()
    worker = Worker(cluster.url(house.database))
    house.worker = worker
    try:
        assert worker.request("GET", "/health", ops=True).status == 200
        ready = worker.ready()
        assert ready.status == 503 and ready.json["status"] == "not_ready"
        assert {c["name"]: c["status"] for c in ready.json["checks"]}["postgres"] == "down"
        answer = worker.post("healthkit", samples("early", sample("heartRate", 70)))
        assert answer.status == 503 and "retry-after" in answer.headers
        assert answer.json["code"] in ("database_unavailable", "deadline")
    finally:
        cluster.restart_where_it_was()
    worker.await_ready()
    answer = worker.post("healthkit", samples("early", sample("heartRate", 70)))
    assert answer.status == 202
    house.db = cluster.connect(house.database)
    assert house.received("early") == 1


def test_503_when_postgresql_is_away_and_recovery(cluster, new_house):
    house = new_house()
    assert house.worker.post("healthkit", samples("away", sample("heartRate", 70))).status == 202
    cluster.stop("immediate")
    try:
        answer = house.worker.post("healthkit", samples("away", sample("heartRate", 71)))
        assert answer.status == 503, answer
        assert answer.headers["content-type"].startswith("application/problem+json")
        assert int(answer.headers["retry-after"]) > 0
        await_that(lambda: house.worker.ready().status == 503, "not ready")
    finally:
        cluster.restart_where_it_was()
    house.worker.await_ready()
    assert house.worker.post("healthkit", samples("away", sample("heartRate", 72))).status == 202
    house.db = cluster.connect(house.database)
    assert [float(r[1]) for r in house.readings("away")][-1] == 72


def test_extension_missing_is_said_with_the_command(cluster):
    with cluster.connect("postgres") as conn:
        conn.execute("CREATE DATABASE bare")
    worker = Worker(cluster.url("bare"))
    await_that(lambda: (r := worker.ready()).status == 503 and "CREATE EXTENSION" in
               {c["name"]: c["detail"] for c in r.json["checks"]}["extension"], "the command is told")
    with cluster.connect("bare") as conn:
        conn.execute("CREATE EXTENSION auren")
    worker.await_ready()
    assert worker.terminate() == 0


def test_sigterm_loses_no_accepted_delivery(new_house):
    """Eight senders at full speed; SIGTERM in the middle; what was answered 2xx is stored, once."""
    house = new_house(env={"AUREN_HTTP__DRAIN": "300ms"})
    accepted, refused, stopped = [], [], threading.Event()

    def send(lane):
        number = 0
        while not stopped.is_set():
            user = f"lane{lane}_{number}"
            number += 1
            try:
                answer = house.worker.post("healthkit", samples(user, sample("heartRate", 70)))
            except (OSError, http.client.HTTPException):
                return
            (accepted if answer.status == 202 else refused).append((user, answer.status))

    threads = [threading.Thread(target=send, args=(lane,)) for lane in range(8)]
    for thread in threads:
        thread.start()
    await_that(lambda: len(accepted) > 200, "200 deliveries are accepted")
    house.worker.process.send_signal(signal.SIGTERM)
    code = house.worker.wait()
    stopped.set()
    for thread in threads:
        thread.join()
    assert code == 0
    assert all(status == 503 for _, status in refused), refused
    stored = dict(house.rows("SELECT substr(stream_id, 6), count(*) FROM events.event_store"
                             " WHERE event_type = 'biometric_received' GROUP BY 1"))
    assert [user for user, _ in accepted if stored.get(user) != 1] == []
    assert max(stored.values()) == 1


def test_second_sigterm_forces(cluster, new_house):
    house = new_house(env={"AUREN_HTTP__DRAIN": "60s"})
    house.worker.process.send_signal(signal.SIGTERM)
    await_that(lambda: house.worker.ready().json["status"] == "not_ready", "not ready at once")
    house.worker.process.send_signal(signal.SIGTERM)
    assert house.worker.wait() == 75


def test_queue_is_bounded(cluster, new_house):
    """One place in the queue and a store that is locked: the others are told to come again."""
    house = new_house(env={"AUREN_INGEST__MAX_CONCURRENT_EVENTS": "4", "AUREN_POSTGRES__WRITERS": "1",
                           "AUREN_HTTP__DEADLINE": "3s"})
    lock = cluster.connect(house.database)
    lock.autocommit = False
    lock.execute("LOCK TABLE biometrics.biometric_events IN ACCESS EXCLUSIVE MODE")
    answers = []

    def post(i):
        answers.append(house.worker.post("healthkit", samples(f"q{i}", sample("heartRate", 70))))

    threads = [threading.Thread(target=post, args=(i,)) for i in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lock.rollback()
    lock.close()
    codes = sorted(answer.json["code"] for answer in answers)
    assert {answer.status for answer in answers} == {503}
    assert "queue_full" in codes and "deadline" in codes, codes
    assert all("retry-after" in answer.headers for answer in answers)
    # Whoever was told "come again" does, and is stored once, whatever became of the first try.
    for i in range(12):
        body = samples(f"q{i}", sample("heartRate", 70))
        await_that(lambda b=body: house.worker.post("healthkit", b).status == 202, "taken again")
    house.worker.await_ready()
