// Who may send: every signature vector of the shipped providers, and the refusals around them.
#include <gtest/gtest.h>

#include "devices/crypto.h"
#include "devices/scalar.h"
#include "wearables.h"

namespace auren::devices {
namespace {

std::string Spoken(const Verdict& verdict) {
  if (verdict.kind == Verdict::Kind::kAccept) return "accept";
  if (verdict.kind == Verdict::Kind::kHandshake) return "accept:handshake";
  return std::string("reject:") + Name(verdict.problem);
}

Secrets Holding(const std::string& name, std::vector<std::string> values) {
  Secrets secrets;
  secrets.values[name] = std::move(values);
  return secrets;
}

std::string Hex(std::string_view bytes) {
  std::string text;
  char digits[3];
  for (const char c : bytes) {
    std::snprintf(digits, sizeof digits, "%02x", static_cast<unsigned char>(c));
    text += digits;
  }
  return text;
}

// Runs the vectors of the providers that `catalog` has; returns how many there were.
int RunVectors(const Catalog& catalog) {
  int count = 0;
  const auto file = Vectors("signature_vectors.json");
  for (const auto& v : file.at("vectors")) {
    const Device* device = catalog.Find(v.at("provider").get<std::string>());
    if (device == nullptr) continue;
    ++count;
    Sent sent;
    sent.body =
        v.at("body_file").is_null()
            ? v.at("body_utf8").get<std::string>()
            : ReadBytes(AUREN_TEST_DATA "/wearables/" + v.at("body_file").get<std::string>());
    sent.now = v.at("now_unix").get<std::int64_t>();
    for (const auto& [name, value] : v.at("headers").items()) {
      sent.headers[Lower(name)] = value.get<std::string>();
    }
    const Secrets secrets =
        Holding(device->secret_names().front(), {v.at("secret").get<std::string>()});
    EXPECT_EQ(Spoken(device->Verify(sent.request(), secrets)), v.at("expect").get<std::string>())
        << v.at("id");
  }
  return count;
}

TEST(Signature, ShippedProvidersEqualTheKnownAnswers) { EXPECT_EQ(RunVectors(*Shipped()), 7); }

// Providers that are not shipped, each a file and no code: the schemes are general.
TEST(Signature, OtherSchemesEqualTheKnownAnswers) {
  std::string error;
  const auto catalog = Catalog::Load(AUREN_TEST_DATA "/devices", &error);
  ASSERT_NE(catalog, nullptr) << error;
  EXPECT_EQ(RunVectors(*catalog), 9);
}

class OuraSignature : public ::testing::Test {
 protected:
  OuraSignature() { sent_.body = Payload("seed_oura_legacy.json"); }
  std::string Verify(const Secrets& secrets = Holding("client_secret",
                                                      {"oura-client-secret-TEST"})) {
    return Spoken(catalog_->Find("oura")->Verify(sent_.request(), secrets));
  }
  void Sign(const std::string& prefix) {
    sent_.headers["x-oura-signature"] =
        Hex(Hmac(Hash::kSha256, "oura-client-secret-TEST", prefix + sent_.body));
  }
  std::shared_ptr<const Catalog> catalog_ = Shipped();
  Sent sent_;
};

TEST_F(OuraSignature, SimpleShapeEqualsTheKnownAnswer) {
  sent_.headers["x-oura-signature"] =
      "cc3c20cc9ba5cef04bdc41bb62ef7fc851a2d61efde75a60111856abd37595fb";
  EXPECT_EQ(Verify(), "accept");
  sent_.headers["x-oura-signature"][0] = 'd';
  EXPECT_EQ(Verify(), "reject:bad_signature");
  sent_.headers["x-oura-signature"] = "not hex at all";
  EXPECT_EQ(Verify(), "reject:bad_signature");
  sent_.headers.clear();
  EXPECT_EQ(Verify(), "reject:missing_header");
}

TEST_F(OuraSignature, WithATimestampItIsPartOfWhatIsSigned) {
  sent_.headers["x-oura-timestamp"] = "1737960072";
  Sign("");
  EXPECT_EQ(Verify(), "reject:bad_signature");
  Sign("1737960072");
  EXPECT_EQ(Verify(), "accept");
  sent_.headers["x-oura-timestamp"] = "1737960072417";  // milliseconds, by magnitude
  Sign("1737960072417");
  EXPECT_EQ(Verify(), "accept");
  for (const char* bad : {"", "yesterday", "-5", "17379600720000000000000"}) {
    sent_.headers["x-oura-timestamp"] = bad;
    Sign(bad);
    EXPECT_EQ(Verify(), "reject:bad_timestamp") << bad;
  }
}

TEST_F(OuraSignature, TheWindowIsOpenToItsEdges) {
  sent_.headers["x-oura-timestamp"] = "1737960072";
  Sign("1737960072");
  for (const auto& [now, answer] :
       std::map<std::int64_t, std::string>{{1737960072 + 300, "accept"},
                                           {1737960072 + 301, "reject:stale"},
                                           {1737960072 - 300, "accept"},
                                           {1737960072 - 301, "reject:stale"}}) {
    sent_.now = now;
    EXPECT_EQ(Verify(), answer) << now;
  }
  Secrets wide = Holding("client_secret", {"oura-client-secret-TEST"});
  wide.tolerance_seconds = 301;
  EXPECT_EQ(Verify(wide), "accept");
}

TEST_F(OuraSignature, WithoutATimestampOnlyTheSimpleShapeIsTaken) {
  sent_.body = Payload("oura_webhook_sleep_create.json");
  Sign("");
  EXPECT_EQ(Verify(), "reject:missing_header");
  sent_.body = "not json";
  Sign("");
  EXPECT_EQ(Verify(), "reject:missing_header");
}

TEST_F(OuraSignature, AnyOfTheRotatedSecretsFits) {
  Sign("");
  EXPECT_EQ(Verify(Holding("client_secret", {"new", "oura-client-secret-TEST"})), "accept");
  EXPECT_EQ(Verify(Holding("client_secret", {"oura-client-secret-TEST", "new"})), "accept");
  EXPECT_EQ(Verify(Holding("client_secret", {"new"})), "reject:bad_signature");
}

TEST_F(OuraSignature, WithoutASecretTheDoorIsShut) {
  Sign("");
  EXPECT_EQ(Verify(Secrets{}), "reject:provider_not_configured");
  EXPECT_EQ(Verify(Holding("client_secret", {})), "reject:provider_not_configured");
  EXPECT_EQ(Verify(Holding("verification_token", {"x"})), "reject:provider_not_configured");
}

TEST_F(OuraSignature, TheHandshakeEchoesTheChallenge) {
  const Secrets secrets = Holding("verification_token", {"old", "tok\"en"});
  sent_.method = "GET";
  sent_.query = {{"verification_token", "tok\"en"}, {"challenge", "a\"b"}};
  const Verdict verdict = catalog_->Find("oura")->Verify(sent_.request(), secrets);
  EXPECT_EQ(Spoken(verdict), "accept:handshake");
  EXPECT_EQ(verdict.status, 200);
  EXPECT_EQ(verdict.content_type, "application/json");
  EXPECT_EQ(nlohmann::json::parse(verdict.body), (nlohmann::json{{"challenge", "a\"b"}}));

  sent_.query["verification_token"] = "wrong";
  const Verdict wrong = catalog_->Find("oura")->Verify(sent_.request(), secrets);
  EXPECT_EQ(Spoken(wrong), "reject:bad_signature");
  EXPECT_EQ(wrong.status, 401);
  sent_.query.erase("verification_token");
  EXPECT_EQ(Verify(secrets), "reject:missing_header");
  EXPECT_EQ(Verify(Secrets{}), "reject:provider_not_configured");
  sent_.query = {{"verification_token", "old"}};
  EXPECT_EQ(Verify(secrets), "reject:missing_header");
}

TEST_F(OuraSignature, OtherMethodsAreNotItsOwn) {
  sent_.method = "HEAD";
  EXPECT_EQ(catalog_->Find("oura")->Verify(sent_.request(), Secrets{}).status, 405);
  EXPECT_EQ(catalog_->Find("oura")->methods(), (std::vector<std::string>{"POST", "GET"}));
  EXPECT_EQ(catalog_->Find("healthkit")->methods(), (std::vector<std::string>{"POST"}));
}

class BearerKey : public ::testing::Test {
 protected:
  Verdict Verify(std::map<std::string, std::string> headers) {
    Sent sent;
    sent.headers = std::move(headers);
    const Secrets secrets = Holding("api_keys", {"first", "second:user:with:colons", "third:"});
    return catalog_->Find("healthkit")->Verify(sent.request(), secrets);
  }
  std::shared_ptr<const Catalog> catalog_ = Shipped();
};

TEST_F(BearerKey, NamesTheKeyAndItsUser) {
  const Verdict first = Verify({{"authorization", "Bearer first"}});
  EXPECT_EQ(Spoken(first), "accept");
  EXPECT_EQ(first.key_name, "key 1");
  EXPECT_EQ(first.bound_user, "");
  const Verdict second = Verify({{"x-api-key", "second"}});
  EXPECT_EQ(Spoken(second), "accept");
  EXPECT_EQ(second.key_name, "key 2");
  EXPECT_EQ(second.bound_user, "user:with:colons");
  EXPECT_EQ(Spoken(Verify({{"authorization", "bearer  first"}})), "accept");
}

TEST_F(BearerKey, RefusesWhatItDoesNotKnow) {
  for (const char* header :
       {"Bearer firs", "Bearer firstx", "Bearer first,second", "Bearer second:user"}) {
    EXPECT_EQ(Spoken(Verify({{"authorization", header}})), "reject:bad_signature") << header;
  }
  for (const char* header : {"", "Bearer", "Bearer ", "Basic first", "first"}) {
    EXPECT_EQ(Spoken(Verify({{"authorization", header}})), "reject:missing_header") << header;
  }
}

TEST_F(BearerKey, NeverSpeaksTheKeyItself) {
  const Verdict verdict = Verify({{"authorization", "Bearer guessed"}});
  EXPECT_EQ(verdict.detail.find("guessed"), std::string::npos);
  EXPECT_EQ(verdict.detail.find("first"), std::string::npos);
}

TEST(Crypto, DecodesStrictly) {
  EXPECT_EQ(DecodeHex("00fFA5"), std::string("\x00\xff\xa5", 3));
  EXPECT_FALSE(DecodeHex("0"));
  EXPECT_FALSE(DecodeHex("zz"));
  EXPECT_EQ(DecodeBase64("AAEC/w=="), std::string("\x00\x01\x02\xff", 4));
  EXPECT_FALSE(DecodeBase64("AAE"));
  EXPECT_FALSE(DecodeBase64("AA=A"));
  EXPECT_EQ(Sha256Hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

}  // namespace
}  // namespace auren::devices
