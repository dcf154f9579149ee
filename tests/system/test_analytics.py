"""The worker brings the daily metrics up to date by itself, every analytics.refresh_interval."""

import json

from bodies import sample, samples
from harness import await_that


def send(house, *values):
    rows = [sample("heartRate", value, source=f"watch {value}") for value in values]
    answer = house.worker.post("healthkit", json.dumps(samples("daily", *rows)))
    assert answer.json["status"] == "applied", answer.body


def summary(house, relation):
    return house.rows("SELECT sum(sample_count)::int, min(min_value), max(max_value)"
                      f" FROM analytics.{relation} WHERE user_id = 'daily'")[0]


def test_the_worker_refreshes_again_and_again(new_house):
    house = new_house(env={"AUREN_ANALYTICS__REFRESH_INTERVAL": "1s"})
    send(house, 60, 70)
    assert summary(house, "user_metrics_live") == (2, 60, 70)
    await_that(lambda: summary(house, "user_metrics_daily") == (2, 60, 70), "the first refresh")
    send(house, 80)
    assert summary(house, "user_metrics_live") == (3, 60, 80)
    await_that(lambda: summary(house, "user_metrics_daily") == (3, 60, 80), "the next refresh")
    await_that(lambda: house.value("SELECT count(*) FROM analytics.touched_days") == 0, "nothing left to do")
