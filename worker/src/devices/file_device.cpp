#include "devices/file_device.h"

#include <algorithm>

#include "devices/crypto.h"
#include "devices/scalar.h"

namespace auren::devices {
namespace {

constexpr std::size_t kMaxUserId = 250;  // "user:" and the id make a stream id of at most 255 bytes

Verdict Reject(Problem problem, std::string detail, int status = 0) {
  Verdict verdict;
  verdict.problem = problem;
  verdict.detail = std::move(detail);
  verdict.status = status;
  return verdict;
}

Mapped Refuse(Problem problem, std::string detail) {
  Mapped mapped;
  mapped.problem = problem;
  mapped.detail = std::move(detail);
  return mapped;
}

bool UsableUserId(std::string_view id) {
  return !id.empty() && id.size() <= kMaxUserId && std::none_of(id.begin(), id.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
}

bool Contains(const std::vector<std::string>& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

}  // namespace

std::vector<std::string> FileDevice::methods() const {
  std::vector<std::string> methods{"POST"};
  if (!spec_->handshake.method.empty()) methods.push_back(spec_->handshake.method);
  return methods;
}

Verdict FileDevice::Verify(const Request& request, const Secrets& secrets) const {
  if (request.method != "POST") {
    if (!spec_->handshake.method.empty() && request.method == spec_->handshake.method) {
      return AnswerHandshake(request, secrets);
    }
    return Reject(Problem::kWrongShape, "expected " + OneOf(methods()), 405);
  }
  Checked checked;
  std::string missing;
  for (const auto& scheme : spec_->verify) {
    if (FindSecret(secrets, scheme->secret()) == nullptr) {
      return Reject(Problem::kProviderNotConfigured,
                    "no " + scheme->secret() + " is configured for " + provider());
    }
    checked = scheme->Check(request, secrets);
    if (checked.kind != Checked::Kind::kNotMine) break;
    if (missing.empty()) missing = checked.detail;  // the first alternative is the usual one
  }
  if (checked.kind != Checked::Kind::kAccepted) {
    const bool not_mine = checked.kind == Checked::Kind::kNotMine;
    return Reject(checked.problem, not_mine ? missing : checked.detail, spec_->bad_signature);
  }
  Verdict verdict;
  verdict.kind = Verdict::Kind::kAccept;
  verdict.key_name = checked.key_name;
  verdict.bound_user = checked.bound_user;
  return verdict;
}

Verdict FileDevice::AnswerHandshake(const Request& request, const Secrets& secrets) const {
  const Handshake& handshake = spec_->handshake;
  const auto query = [&](const std::string& name) -> const std::string* {
    if (request.query == nullptr) return nullptr;
    const auto found = request.query->find(name);
    return found == request.query->end() ? nullptr : &found->second;
  };
  if (!handshake.token_secret.empty()) {
    const std::vector<std::string>* tokens = FindSecret(secrets, handshake.token_secret);
    if (tokens == nullptr) {
      return Reject(Problem::kProviderNotConfigured,
                    "no " + handshake.token_secret + " is configured for " + provider());
    }
    const std::string* given = query(handshake.token_query);
    if (given == nullptr) {
      return Reject(Problem::kMissingHeader,
                    "query parameter '" + handshake.token_query + "' is missing",
                    handshake.wrong_token);
    }
    bool right = false;
    for (const std::string& token : *tokens) {
      const bool same = SameSecret(*given, token);
      right = right || same;
    }
    if (!right) {
      return Reject(Problem::kBadSignature,
                    "query parameter '" + handshake.token_query + "' is not the one agreed",
                    handshake.wrong_token);
    }
  }
  Verdict verdict;
  verdict.kind = Verdict::Kind::kHandshake;
  verdict.status = handshake.status;
  for (const auto& [key, name] : handshake.json) {
    const std::string* value = query(name);
    if (value == nullptr) {
      return Reject(Problem::kMissingHeader, "query parameter '" + name + "' is missing",
                    handshake.wrong_token);
    }
    verdict.body +=
        (verdict.body.empty() ? "{" : ",") + QuotedToken(key) + ":" + QuotedToken(*value);
  }
  if (!verdict.body.empty()) {
    verdict.body += "}";
    verdict.content_type = "application/json";
  }
  return verdict;
}

std::vector<std::string> FileDevice::mapping_headers() const {
  std::vector<std::string> names;
  for (const std::string& part : spec_->delivery_key) {
    if (part.starts_with("header:")) names.push_back(Lower(part.substr(7)));
  }
  for (const Shape& shape : spec_->shapes) {
    if (!shape.user_header.empty()) names.push_back(shape.user_header);
    if (shape.as.empty()) continue;
    const std::vector<std::string> more = others_.find(shape.as)->second->mapping_headers();
    names.insert(names.end(), more.begin(), more.end());
  }
  return names;
}

Mapped FileDevice::Map(const Request& request, const Verdict& verdict) const {
  JsonBody body;
  std::string error;
  if (!body.Parse(request.body, &error)) return Refuse(Problem::kMalformed, error);
  return MapBody(body.root(), request, verdict);
}

const Shape* FileDevice::FindShape(Json root) const {
  const auto fits = [&](const Shape& shape) {
    if (root.is_array()) return shape.people > 0;
    return std::all_of(shape.when.begin(), shape.when.end(),
                       [&](const std::string& pointer) { return Find(root, pointer).has_value(); });
  };
  const auto found = std::find_if(spec_->shapes.begin(), spec_->shapes.end(), fits);
  return found == spec_->shapes.end() ? nullptr : &*found;
}

Mapped FileDevice::MapBody(Json root, const Request& request, const Verdict& verdict) const {
  const Shape* shape = FindShape(root);
  if (shape == nullptr) {
    std::vector<std::string> wanted;
    for (const Shape& known : spec_->shapes) wanted.push_back(known.when.front());
    return Refuse(Problem::kWrongShape, "expected a JSON object with " + OneOf(wanted));
  }
  if (!shape->as.empty()) return others_.find(shape->as)->second->MapBody(root, request, verdict);

  std::vector<Person> people;
  Mapped mapped;
  simdjson::dom::array array;
  if (root.get(array) == simdjson::SUCCESS) {
    std::size_t count = 0;
    for (const Json item : array) {
      if (++count > static_cast<std::size_t>(shape->people)) {
        return Refuse(Problem::kWrongShape,
                      "expected at most " + std::to_string(shape->people) + " people in one body");
      }
      Mapped one = AddPerson(*shape, item, request, verdict, &people);
      if (one.problem != Problem::kNone) {
        one.detail = "/" + std::to_string(count - 1) + ": " + one.detail;
        return one;
      }
      mapped.event_type = one.event_type;
    }
  } else {
    mapped = AddPerson(*shape, root, request, verdict, &people);
  }
  if (mapped.problem != Problem::kNone || mapped.ignored) return mapped;
  const bool usable = std::any_of(people.begin(), people.end(), [](const Person& person) {
    return std::any_of(person.readings.begin(), person.readings.end(),
                       [](const ingest::Reading& reading) { return !reading.metric.empty(); });
  });
  if (!usable) {
    mapped.problem = Problem::kNoUsableReading;
    mapped.detail = "there is no reading in it";
    return mapped;
  }
  mapped.deliveries =
      ToDeliveries(provider(), DeliveryKey(root, request), verdict.key_name, std::move(people));
  return mapped;
}

Mapped FileDevice::AddPerson(const Shape& shape, Json item, const Request& request,
                             const Verdict& verdict, std::vector<Person>* people) const {
  Mapped mapped;
  for (const std::string& pointer : shape.when) {
    if (!Find(item, pointer)) {
      return Refuse(Problem::kWrongShape, "expected a JSON object with " + pointer);
    }
  }
  Person person;
  person.event_type = shape.event_type.empty() ? FindText(item, shape.event_type_from).value_or("")
                                               : shape.event_type;
  if (Contains(spec_->event_types, person.event_type)) mapped.event_type = person.event_type;
  if (const auto type = FindText(item, shape.ignore_from); type && Contains(shape.ignore, *type)) {
    mapped.ignored = true;
    return mapped;
  }
  if (shape.fetch) {
    mapped.problem = Problem::kNotBuilt;
    mapped.detail =
        "a notification without values: fetching them is not built yet, send it again later";
    return mapped;
  }
  Mapped user = ResolveUser(shape, item, request, verdict, &person);
  if (user.problem == Problem::kNone &&
      !MapReadings(spec_->vocabulary, shape.readings, item, &person.readings, &user.detail)) {
    user.problem = Problem::kWrongShape;
  }
  user.event_type = mapped.event_type;
  if (user.problem == Problem::kNone) people->push_back(std::move(person));
  return user;
}

Mapped FileDevice::ResolveUser(const Shape& shape, Json item, const Request& request,
                               const Verdict& verdict, Person* person) const {
  const std::string& bound = verdict.bound_user;
  std::string named = FindText(item, shape.user_from).value_or("");
  person->provider_user = named;
  if (shape.vendor_user) {
    person->user_id = !bound.empty() || named.empty() ? bound : provider() + ":" + named;
  } else {
    if (named.empty() && !shape.user_header.empty()) {
      if (const std::string* header = FindHeader(request, shape.user_header)) named = *header;
    }
    if (!bound.empty() && !named.empty() && bound != named) {
      return Refuse(Problem::kUserMismatch, "the API key is bound to another user");
    }
    person->user_id = named.empty() ? bound : named;
  }
  if (UsableUserId(person->user_id)) return Mapped{};
  if (!person->user_id.empty()) {
    return Refuse(Problem::kUserUnresolved,
                  "a user id has 1 to 250 bytes and no control characters");
  }
  std::string detail = "whose data is it? bind the API key to a user";
  if (!shape.user_from.empty()) detail += ", or name the user at " + OneOf(shape.user_from);
  if (!shape.user_header.empty()) detail += ", or send header " + shape.user_header;
  return Refuse(Problem::kUserUnresolved, detail);
}

std::string FileDevice::DeliveryKey(Json root, const Request& request) const {
  std::string key;
  for (const std::string& part : spec_->delivery_key) {
    std::string value;
    if (part.starts_with("header:")) {
      if (const std::string* header = FindHeader(request, part.substr(7))) value = *header;
    } else {
      value = FindText(root, {part}).value_or("");
    }
    if (value.empty()) {  // a key with a hole in it tells nothing apart
      key.clear();
      break;
    }
    if (!key.empty()) key += "/";
    key += value;
  }
  return key.empty() ? "sha256:" + Sha256Hex(request.body) : key;
}

}  // namespace auren::devices
