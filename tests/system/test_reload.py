"""A reload says what it changed; one that is refused changes nothing."""

import os
import re
import shutil
import signal

import pytest

from bodies import sample, samples
from harness import ROOT, await_that


@pytest.fixture(name="config")
def copy_of_the_config(tmp_path):
    shutil.copytree(ROOT / "config", tmp_path / "config")
    write(tmp_path / "config", "log: {level: info}\ndevices: {healthkit: {tolerance: 300s}}\n")
    return tmp_path / "config"


def write(config, text):
    replace(config / "auren.yaml", text + f"devices_dir: {config}/devices\n"
                                          f"thresholds_file: {config}/biometric_thresholds.yaml\n")


def replace(file, text):
    """As editors and deployments do: written beside it, renamed over it."""
    beside = file.with_suffix(".new")
    beside.write_text(text, encoding="utf-8")
    os.rename(beside, file)


class Log:
    """What `config` has said since the last look."""

    def __init__(self, worker):
        self.worker, self.seen = worker, len(worker.logs())

    def until(self, message):
        def found():
            new = [line for line in self.worker.logs()[self.seen:] if line["component"] == "config"]
            return new if any(line["msg"] == message for line in new) else None
        lines = await_that(found, f"the log says '{message}'")
        self.seen = len(self.worker.logs())
        return lines


def of(lines, message):
    kept = [{k: v for k, v in line.items() if k not in ("ts", "level", "component", "msg")}
            for line in lines if line["msg"] == message]
    return kept


def test_what_changed(new_house, config):
    house = new_house(config=config / "auren.yaml")
    log = Log(house.worker)
    house.worker.process.send_signal(signal.SIGHUP)
    assert of(log.until("reloaded"), "reloaded") == [{"changes": 0}]

    write(config, "http: {threads: 64, deadline: 4s}\nlog: {user_hash_key: hush-1}\n"
                  "devices: {health_auto_export: {api_keys: [hush-2]}}\n")
    lines = log.until("reloaded")
    assert of(lines, "key changed") == [
        {"key": "http.threads", "from": "128", "to": "64", "applies": "at restart"},
        {"key": "http.deadline", "from": "5s", "to": "4s", "applies": "now"},
        {"key": "devices.health_auto_export.api_keys", "to": "***", "applies": "now"}]
    assert of(lines, "reloaded") == [{"changes": 3}]
    assert of(lines, "some changed keys are read at start only") == [{"keys": "http.threads"}]
    assert not any("hush" in line for line in house.worker.lines)

    with open(config / "devices/healthkit.yaml", "a", encoding="utf-8") as file:
        file.write("# changed\n")
    assert of(log.until("reloaded"), "device file changed") == [{"provider": "healthkit"}]
    os.rename(config / "devices/oura.yaml", config / "put_aside")
    assert of(log.until("reloaded"), "device file removed") == [{"provider": "oura"}]
    os.rename(config / "put_aside", config / "devices/oura.yaml")
    assert of(log.until("reloaded"), "device file added") == [{"provider": "oura"}]

    thresholds = config / "biometric_thresholds.yaml"
    replace(thresholds, thresholds.read_text(encoding="utf-8") + "# changed\n")
    (change,) = of(log.until("reloaded"), "thresholds file changed")
    assert change["file"] == str(thresholds) and change["from_sha256"] != change["to_sha256"]
    assert house.worker.metrics()["auren_config_restart_required"] == 1


def test_a_refused_reload_changes_nothing(new_house, config):
    house = new_house(config=config / "auren.yaml")
    log = Log(house.worker)
    write(config, "http: {deadline: 4s}\nlog: {levell: info}\n")
    lines = log.until("not reloaded: the old configuration stays")
    assert any(re.search(r"auren\.yaml:2:\d+", line["msg"]) for line in lines)
    assert of(lines, "key changed") == [] == of(lines, "reloaded")
    assert house.worker.metrics()["auren_config_last_reload_successful"] == 0
    assert house.worker.post("healthkit", samples("reloads", sample("heartRate", 70))).status == 202
    # What is told next is told against what is in force.
    write(config, "http: {deadline: 3s}\n")
    assert of(log.until("reloaded"), "key changed") == [
        {"key": "http.deadline", "from": "5s", "to": "3s", "applies": "now"}]
    assert house.worker.metrics()["auren_config_last_reload_successful"] == 1
