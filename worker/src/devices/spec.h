// A device file as C++ sees it: every key of config/devices/<provider>.yaml (docs/devices.md).
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "devices/mapping.h"
#include "devices/signature.h"

namespace auren::devices {

// `handshake`: a request that proves the address is ours and makes no event.
struct Handshake {
  std::string method;        // empty: there is none
  std::string token_query;   // the query parameter that must hold ...
  std::string token_secret;  // ... this secret; empty: nothing is asked
  int status = 200, wrong_token = 401;
  std::map<std::string, std::string> json;  // key of the answer -> query parameter echoed in it
};

// One entry of `shapes`: a form that a body can have.
struct Shape {
  std::string name;
  Pointers when;   // all of them must lead somewhere
  std::string as;  // mapped by that provider's file, under its name
  int people = 0;  // over 0: the body may also be an array of so many
  Pointers user_from;
  bool vendor_user = false;  // the id is the vendor's, not ours
  std::string user_header;   // names the user when neither body nor key does
  std::string event_type;
  Pointers event_type_from;
  Pointers ignore_from;             // where a type stands ...
  std::vector<std::string> ignore;  // ... and those of no use
  bool fetch = false;               // carries no values: they must be fetched
  std::vector<ReadingRule> readings;
};

struct Spec {
  std::string provider;
  std::vector<std::string> secrets;
  std::string secrets_from;
  std::vector<std::unique_ptr<Scheme>> verify;
  Handshake handshake;
  std::size_t body_limit = 256 << 10;
  bool form = false;
  double deadline_seconds = 0;
  int success = 202, bad_signature = 0;
  std::vector<std::string> delivery_key;  // pointers, or header:<name>
  std::vector<std::string> event_types;
  Vocabulary vocabulary;
  std::vector<Shape> shapes;
};

// Reads one file's text. Complaints go to `report`; the result is of use only when there are none.
std::unique_ptr<Spec> LoadSpec(std::string_view text, const std::string& provider,
                               yaml::Report* report);

}  // namespace auren::devices
