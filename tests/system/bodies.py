"""Bodies as devices send them, with times relative to now."""

import datetime


def now():
    return datetime.datetime.now(datetime.timezone.utc)


def stamp(ago=0.0):
    """RFC 3339, `ago` hours before now."""
    return (now() - datetime.timedelta(hours=ago)).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def sample(kind, value, ago=0.0, **more):
    return {"type": kind, "value": value, "timestamp": stamp(ago), "source": "Apple Watch", **more}


def samples(user, *rows):
    return {"user_id": user, "samples": list(rows)}


def oura_night(user, variability, heart_rate, days_ago=0):
    day = (now() - datetime.timedelta(days=days_ago)).strftime("%Y-%m-%d")
    return {"event_type": "daily_sleep", "user_id": user,
            "data": {"sleep": {"summary_date": day, "hrv": {"average": variability},
                               "heart_rate": {"average": heart_rate}}}}


def exported(*metrics, ago=0.0):
    """Health Auto Export's shape: (name, units, point) each, a number standing for {"qty": number}."""
    date = (now() - datetime.timedelta(hours=ago)).strftime("%Y-%m-%d %H:%M:%S +0000")
    return {"data": {"metrics": [
        {"name": name, "units": units,
         "data": [{"date": date, "source": "Apple Watch",
                   **(point if isinstance(point, dict) else {"qty": point})}]}
        for name, units, point in metrics]}}


def night_exported(resting=56.0, breathing=14.0, wrist=35.4, oxygen=97.0, variability=52.0, ago=0.0):
    return exported(("heart_rate", "count/min", {"Min": resting, "Avg": resting + 6,
                                                 "Max": resting + 12, "context": "Sedentary"}),
                    ("resting_heart_rate", "count/min", resting),
                    ("respiratory_rate", "count/min", breathing),
                    ("apple_sleeping_wrist_temperature", "degC", wrist),
                    ("blood_oxygen_saturation", "%", oxygen),
                    ("heart_rate_variability", "ms", variability), ago=ago)
