#include "kafka/batch.h"

#include <openssl/evp.h>

#include <array>
#include <memory>

namespace auren::kafka {
namespace {

constexpr std::size_t kDigestBytes = 16;

}  // namespace

std::map<std::int32_t, Reach> ReachOf(const Batch& batch) {
  std::map<std::int32_t, Reach> reaches;
  std::map<std::int32_t, const Record*> last;
  for (const Item& item : batch) {
    reaches[item.record.partition].next = item.record.offset + 1;
    last[item.record.partition] = &item.record;
  }
  for (auto& [partition, reach] : reaches) reach.digest = DigestOf(*last.at(partition));
  return reaches;
}

std::string DigestOf(const Record& record) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        EVP_MD_CTX_free);
  std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
  const auto add = [&](const std::optional<std::string>& bytes) {
    const std::int64_t size = bytes ? static_cast<std::int64_t>(bytes->size()) : -1;
    EVP_DigestUpdate(context.get(), &size, sizeof size);
    if (bytes) EVP_DigestUpdate(context.get(), bytes->data(), bytes->size());
  };
  EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr);
  EVP_DigestUpdate(context.get(), &record.timestamp_ms, sizeof record.timestamp_ms);
  add(record.key);
  add(record.value);
  EVP_DigestFinal_ex(context.get(), hash.data(), nullptr);
  constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (std::size_t i = 0; i < kDigestBytes; ++i) {
    hex.push_back(kDigits[hash[i] >> 4]);
    hex.push_back(kDigits[hash[i] & 0xf]);
  }
  return hex;
}

}  // namespace auren::kafka
