// The worker's configuration: one immutable value, checked as a whole before anyone sees it.
//
// Order of origin, strongest first: command line, environment, file, default. Every key of
// config/auren.yaml is a field here; ../../../config/auren.yaml is the manual of their meaning.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "devices/device.h"

namespace auren::config {

struct HostPort {
  std::string host;
  std::uint16_t port = 0;  // 0: any free one
};

struct Rate {  // "100/60s"; count 0: off
  int count = 0;
  double per_seconds = 0;
};

struct Config {
  struct {
    HostPort listen{"127.0.0.1", 8000};
    int threads = 128;
    struct {
      std::string cert_file, key_file;  // both empty: plain HTTP
      std::string min_version = "1.3";
    } tls;
    std::vector<std::string> trusted_proxies;  // CIDRs
    double deadline_seconds = 5, drain_seconds = 5;
  } http;
  struct {
    HostPort listen{"127.0.0.1", 9000};
  } ops;
  struct {
    std::string url = "postgresql:///auren";
    int writers = 2;
  } postgres;
  struct {
    std::string mode = "direct";
    int max_concurrent_events = 512;
    std::int64_t max_queue_bytes = 64 << 20;
    int max_batch_deliveries = 512;
    std::int64_t max_batch_bytes = 4 << 20;
  } ingest;
  struct {
    std::string bootstrap_servers;  // empty: no Kafka
    std::string topic = "biometric-events", dlq_topic = "biometric-events.dlq";
    std::string group_id = "auren-worker";
    std::string instance_id;  // empty: host name and port
    int consumers = 1;
    std::string format = "json";                    // of what is produced: json or protobuf
    std::map<std::string, std::string> properties;  // librdkafka's own
  } kafka;
  struct {
    bool enabled = false;
    std::string topic = "auren.events";
    std::vector<std::string> categories{"user"};
  } outbox;
  std::vector<std::string> roles{"http", "ingest", "outbox", "fetch"};
  std::string thresholds_file = "config/biometric_thresholds.yaml";
  std::string devices_dir = "config/devices";
  std::map<std::string, devices::Secrets> devices;  // by provider
  struct {
    Rate api_per_key{100, 60}, webhook_per_key{0, 0}, failed_auth_per_address{1000, 60};
  } limits;
  struct {
    double refresh_interval_seconds = 3600;
  } analytics;
  struct {
    std::string level = "info";
    std::string user_hash_key;
  } log;

  // What devices_dir held, loaded with it and as immutable.
  std::shared_ptr<const devices::Catalog> catalog;
  // The thresholds file as the JSON text neuros.configure takes, and the SHA-256 of its bytes in
  // hex.
  std::string thresholds_json, thresholds_sha256;
};

struct Source {
  std::string file;  // empty: config/auren.yaml if there, else defaults
  std::map<std::string, std::string> environment;  // all of it
  std::map<std::string, std::string> overrides;    // command line: "http.listen" -> text
};

struct Loaded {
  std::shared_ptr<const Config> config;  // nullptr: see errors
  std::vector<std::string>
      errors;  // "auren.yaml:14:7: ingest.mode: expected direct or kafka, got x"
  std::vector<std::string> warnings;
  // key -> (value as text, secrets as ***; origin), for --print-config, in documented order.
  struct Shown {
    std::string key, value, origin;
    std::size_t print = 0;  // of the value itself: tells two secrets apart and shows neither
  };
  std::vector<Shown> shown;
};

// Reads, checks, loads devices and thresholds. Never throws.
Loaded Load(const Source& source);

}  // namespace auren::config
