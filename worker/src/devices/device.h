// A device: one provider's file in config/devices/, loaded. It verifies the raw bytes of a request
// and maps them to Deliveries. Pure: no network, no clock, no database; thread safe once loaded.
//
// To add a provider write a file, not code (docs/devices.md).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/delivery.h"

namespace auren::devices {

// One request, as it came. `headers`: names in lower case; a name sent twice keeps its first value.
struct Request {
  std::string_view method;
  std::string_view path_token;  // /webhooks/{provider}/{token}, or empty
  const std::map<std::string, std::string>* headers;
  const std::map<std::string, std::string>* query;
  std::string_view body;      // raw, after any Content-Encoding was undone
  std::int64_t now_unix = 0;  // seconds: the clock's reading, given by the caller
};

// What the configuration holds for one provider: `devices.<provider>` of auren.yaml.
struct Secrets {
  // Key (for example "client_secret", "api_keys") -> values; comma lists are split, all are tried.
  std::map<std::string, std::vector<std::string>> values;
  std::int64_t tolerance_seconds = 300;
};

// The closed list of problem codes; see docs/openapi.yaml.
enum class Problem : std::uint8_t {
  kNone,
  kBadSignature,
  kMissingHeader,
  kBadTimestamp,
  kStale,
  kProviderNotConfigured,
  kUserUnresolved,
  kUserMismatch,
  kMalformed,
  kWrongShape,
  kNoUsableReading,
  kNotBuilt  // genuine, and its data would be lost if it were taken: answered 501, never 2xx
};
const char* Name(Problem problem);  // "bad_signature", ...; "" for kNone

struct Verdict {
  enum class Kind : std::uint8_t {
    kAccept,     // go on to Map
    kHandshake,  // answer `status` with `content_type` and `body`, no event
    kReject      // `problem` says why
  };
  Kind kind = Kind::kReject;
  Problem problem = Problem::kNone;
  std::string detail;  // for people; holds no secret and no payload
  int status = 0;  // kHandshake, or a device file's own answer to a bad signature; 0: the default
  std::string content_type;
  std::string body;
  std::string key_name;    // the API key's name ("key 1"), never the key
  std::string bound_user;  // the user the API key is bound to, or empty
};

struct Mapped {
  Problem problem =
      Problem::kNone;  // kNone: `deliveries` is what to store, or nothing when `ignored`
  std::string detail;
  bool ignored = false;                      // a known type that is not used: 200 `ignored`
  std::string event_type = "other";          // for metrics, from the device file's list
  std::vector<ingest::Delivery> deliveries;  // received_at, trace_id are the caller's to fill in
};

class Device {
 public:
  virtual ~Device() = default;
  virtual const std::string& provider() const = 0;
  virtual std::size_t max_body_bytes() const = 0;   // after inflation
  virtual bool accepts_form() const = 0;            // application/x-www-form-urlencoded
  virtual double ack_deadline_seconds() const = 0;  // 0: none of its own
  virtual int success_status() const = 0;           // 202 unless the file says otherwise
  // Signature, token or handshake, on the raw bytes, in constant time.
  virtual Verdict Verify(const Request& request, const Secrets& secrets) const = 0;
  // REQUIRES: Verify accepted this request.
  virtual Mapped Map(const Request& request, const Verdict& verdict) const = 0;

  // The headers Map reads, in lower case: who keeps a body to map it later keeps these with it.
  virtual std::vector<std::string> mapping_headers() const { return {}; }
  // Methods other than these are 405. POST, and the handshake's when there is one.
  virtual std::vector<std::string> methods() const { return {"POST"}; }
  // What Mapped::event_type can be, besides "other".
  virtual std::vector<std::string> event_types() const { return {}; }
  // The keys of Secrets::values it reads: `devices.<provider>.<name>`, <PROVIDER>_<NAME> in the
  // environment. The first is the one a signature is checked with.
  virtual std::vector<std::string> secret_names() const { return {}; }
  // The provider whose secrets stand in while it has none of its own, or empty.
  virtual std::string secrets_from() const { return {}; }
};

// All devices of a folder. Immutable after Load.
class Catalog {
 public:
  // Loads every *.yaml of `dir` (experimental/ is not entered). On failure returns nullptr and sets
  // `error` to "file:line:column: key: what is allowed".
  static std::shared_ptr<const Catalog> Load(const std::string& dir, std::string* error);

  const Device* Find(std::string_view provider) const;  // nullptr: unknown provider
  std::vector<std::string> providers() const;
  // The SHA-256 of each provider's file, in hex.
  const std::map<std::string, std::string>& digests() const { return digests_; }

  Catalog(const Catalog&) = delete;
  Catalog& operator=(const Catalog&) = delete;
  ~Catalog();

 private:
  Catalog();
  std::map<std::string, std::unique_ptr<Device>, std::less<>> devices_;
  std::map<std::string, std::string> digests_;
};

}  // namespace auren::devices
