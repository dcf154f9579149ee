// The hmac scheme. What differs between vendors is data:
//
//   signed: [header:x-oura-timestamp, body]   the parts, in order
//   joiner: "."                               between them; none by default
//   hash: sha256 | sha1
//   key: {encoding: text | base64, prefix: whsec_, suffix: "&"}
//   signature: {header: ..., encoding: hex | base64, pair: v1 | list: v1}
//       pair: the header holds t=...,v1=...    list: it holds "v1,<signature> v1,<signature>"
//   timestamp: {from: header:... | pair:t, unit: s | ms | auto}
//   body_has: /data/sleep                     this alternative is for bodies with that pointer only
#include <algorithm>

#include "devices/crypto.h"
#include "devices/json.h"
#include "devices/scalar.h"
#include "devices/signature.h"

namespace auren::devices {
namespace {

// One part of what is signed, or the place of the timestamp.
struct Part {
  enum class Kind { kBody, kHeader, kPair };
  Kind kind = Kind::kBody;
  std::string name;

  std::string Spoken() const {
    return kind == Kind::kHeader ? "header '" + name + "'"
                                 : "'" + name + "=' of the signature header";
  }
};

struct HmacSpec {
  Hash hash = Hash::kSha256;
  bool key_is_base64 = false;
  std::string key_prefix, key_suffix;
  std::vector<Part> parts;
  std::string joiner;
  std::string header, pair, list;
  bool hex = true;
  bool has_timestamp = false;
  Part timestamp;
  std::string unit = "s";
  std::string body_has;
};

bool ParsePart(std::string_view text, Part* part) {
  if (text == "body") {
    *part = {Part::Kind::kBody, ""};
  } else if (text.starts_with("header:") && text.size() > 7) {
    *part = {Part::Kind::kHeader, Lower(text.substr(7))};
  } else if (text.starts_with("pair:") && text.size() > 5) {
    *part = {Part::Kind::kPair, std::string(text.substr(5))};
  } else {
    return false;
  }
  return true;
}

class HmacScheme : public Scheme {
 public:
  HmacScheme(std::string secret, HmacSpec spec)
      : Scheme(std::move(secret)), spec_(std::move(spec)) {}

  Checked Check(const Request& request, const Secrets& secrets) const override {
    const std::string* header = FindHeader(request, spec_.header);
    if (header == nullptr) return Checked::Missing("header '" + spec_.header + "'");
    std::string message;
    for (std::size_t i = 0; i < spec_.parts.size(); ++i) {
      std::string_view part;
      if (!Value(spec_.parts[i], request, *header, &part)) {
        return Checked::Missing(spec_.parts[i].Spoken());
      }
      if (i > 0) message += spec_.joiner;
      message += part;
    }
    std::int64_t sent_at = 0;
    if (spec_.has_timestamp) {
      std::string_view text;
      if (!Value(spec_.timestamp, request, *header, &text)) {
        return Checked::Missing(spec_.timestamp.Spoken());
      }
      if (!Seconds(text, &sent_at)) {
        return Checked::Refuse(
            Problem::kBadTimestamp,
            spec_.timestamp.Spoken() + " is not a time in " + (spec_.unit == "ms" ? "ms" : "s"));
      }
    }
    const bool signed_by_us = Matches(*header, message, secrets);
    // Only now a look into the body, and only to choose the words: both ways it is refused.
    if (!spec_.body_has.empty() && !BodyHas(request.body)) {
      return Checked::Missing("the header that a body without " + spec_.body_has + " needs");
    }
    if (!signed_by_us) {
      return Checked::Refuse(Problem::kBadSignature, "the signature does not fit the body");
    }
    if (spec_.has_timestamp) {
      const std::int64_t age = request.now_unix - sent_at;
      if (age > secrets.tolerance_seconds || age < -secrets.tolerance_seconds) {
        return Checked::Refuse(Problem::kStale,
                               "signed " + std::to_string(age) + " s ago, allowed are " +
                                   std::to_string(secrets.tolerance_seconds) + " s");
      }
    }
    Checked checked;
    checked.kind = Checked::Kind::kAccepted;
    return checked;
  }

 private:
  static bool Value(const Part& part, const Request& request, std::string_view signature,
                    std::string_view* value) {
    if (part.kind == Part::Kind::kBody) {
      *value = request.body;
      return true;
    }
    if (part.kind == Part::Kind::kPair) return Pair(signature, part.name, value);
    const std::string* header = FindHeader(request, part.name);
    if (header == nullptr) return false;
    *value = *header;
    return true;
  }

  // The value of `name` in "t=1,v1=abc".
  static bool Pair(std::string_view header, std::string_view name, std::string_view* value) {
    while (!header.empty()) {
      const std::size_t cut = std::min(header.find(','), header.size());
      std::string_view pair = header.substr(0, cut);
      header.remove_prefix(std::min(cut + 1, header.size()));
      while (pair.starts_with(' ')) pair.remove_prefix(1);
      if (pair.size() > name.size() && pair.starts_with(name) && pair[name.size()] == '=') {
        *value = pair.substr(name.size() + 1);
        return true;
      }
    }
    return false;
  }

  bool Seconds(std::string_view text, std::int64_t* seconds) const {
    const auto number = ParseWhole(text, 0, 999'999'999'999'999);
    if (!number) return false;
    const bool millis = spec_.unit == "ms" || (spec_.unit == "auto" && *number >= 100'000'000'000);
    *seconds = millis ? *number / 1000 : *number;
    return true;
  }

  bool BodyHas(std::string_view body) const {
    JsonBody json;
    std::string error;
    return json.Parse(body, &error) && Find(json.root(), spec_.body_has).has_value();
  }

  // The signatures that the header holds, decoded; undecodable ones are left out.
  std::vector<std::string> Signatures(std::string_view header) const {
    std::vector<std::string> texts;
    if (!spec_.list.empty()) {
      for (const std::string& item : SplitList(header, ' ')) {
        if (item.starts_with(spec_.list + ",")) texts.push_back(item.substr(spec_.list.size() + 1));
      }
    } else if (!spec_.pair.empty()) {
      std::string_view value;
      if (Pair(header, spec_.pair, &value)) texts.emplace_back(value);
    } else {
      texts.emplace_back(header);
    }
    std::vector<std::string> decoded;
    for (const std::string& text : texts) {
      if (auto bytes = spec_.hex ? DecodeHex(text) : DecodeBase64(text)) {
        decoded.push_back(std::move(*bytes));
      }
    }
    return decoded;
  }

  std::string Key(std::string_view secret) const {
    if (secret.starts_with(spec_.key_prefix)) secret.remove_prefix(spec_.key_prefix.size());
    std::string key(secret);
    // A secret that is not base64 makes a key nobody signs with: the configuration's fault shows as
    // a bad signature, never as an open door.
    if (spec_.key_is_base64) key = DecodeBase64(secret).value_or(Sha256(secret));
    return key + spec_.key_suffix;
  }

  bool Matches(std::string_view header, std::string_view message, const Secrets& secrets) const {
    const std::vector<std::string> given = Signatures(header);
    bool matches = false;
    for (const std::string& secret : *FindSecret(secrets, this->secret())) {
      const std::string wanted = Hmac(spec_.hash, Key(secret), message);
      for (const std::string& signature : given) {
        const bool same = SameBytes(signature, wanted);
        matches = matches || same;
      }
    }
    return matches;
  }

  HmacSpec spec_;
};

void LoadParts(yaml::Section* section, HmacSpec* spec) {
  constexpr std::string_view kAllowed = "body, header:NAME or pair:NAME";
  std::vector<std::string> parts;
  section->Require("signed");
  section->Strings("signed", &parts);
  for (const std::string& text : parts) {
    Part part;
    if (!ParsePart(text, &part)) {
      section->report()->Add(*section->Take("signed"), section->Path("signed"),
                             "expected " + std::string(kAllowed) + ", got '" + text + "'");
    }
    spec->parts.push_back(part);
  }
}

void LoadTimestamp(yaml::Section* section, HmacSpec* spec) {
  const yaml::Node* node = section->Take("timestamp");
  if (node == nullptr) return;
  yaml::Section timestamp(node, section->Path("timestamp"), section->report());
  spec->has_timestamp = true;
  std::string from;
  timestamp.Require("from");
  timestamp.Text("from", &from);
  timestamp.Choice("unit", {"s", "ms", "auto"}, &spec->unit);
  timestamp.Finish();
  if (!ParsePart(from, &spec->timestamp) || spec->timestamp.kind == Part::Kind::kBody) {
    section->report()->Add(*node, section->Path("timestamp.from"),
                           "expected header:NAME or pair:NAME, got '" + from + "'");
  }
}

}  // namespace

std::unique_ptr<Scheme> LoadHmac(yaml::Section* section, const std::string& secret) {
  HmacSpec spec;
  std::string hash = "sha256", encoding = "hex", key_encoding = "text";
  section->Choice("hash", {"sha256", "sha1"}, &hash);
  spec.hash = hash == "sha1" ? Hash::kSha1 : Hash::kSha256;
  section->Text("joiner", &spec.joiner);
  section->Text("body_has", &spec.body_has);
  LoadParts(section, &spec);
  LoadTimestamp(section, &spec);

  yaml::Section key(section->Take("key"), section->Path("key"), section->report());
  key.Choice("encoding", {"text", "base64"}, &key_encoding);
  key.Text("prefix", &spec.key_prefix);
  key.Text("suffix", &spec.key_suffix);
  key.Finish();
  spec.key_is_base64 = key_encoding == "base64";

  section->Require("signature");
  yaml::Section signature(section->Take("signature"), section->Path("signature"),
                          section->report());
  signature.Require("header");
  signature.Text("header", &spec.header);
  signature.Choice("encoding", {"hex", "base64"}, &encoding);
  signature.Text("pair", &spec.pair);
  signature.Text("list", &spec.list);
  signature.Finish();
  spec.header = Lower(spec.header);
  spec.hex = encoding == "hex";
  return std::make_unique<HmacScheme>(secret, std::move(spec));
}

}  // namespace auren::devices
