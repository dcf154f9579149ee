#include <algorithm>
#include <filesystem>

#include "devices/crypto.h"
#include "devices/device.h"
#include "devices/file_device.h"
#include "devices/scalar.h"

namespace auren::devices {
namespace {

bool IsProviderName(std::string_view name) {
  return !name.empty() && name[0] >= 'a' && name[0] <= 'z' &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string_view::npos;
}

// The folder's *.yaml, in order of name, so that errors come in the same order everywhere.
std::vector<std::filesystem::path> Files(const std::string& dir, std::string* error) {
  std::vector<std::filesystem::path> files;
  std::error_code code;
  for (std::filesystem::directory_iterator it(dir, code), end; !code && it != end;
       it.increment(code)) {
    if (it->path().extension() == ".yaml" && it->is_regular_file(code)) files.push_back(it->path());
  }
  if (code) *error = dir + ": cannot be read: " + code.message();
  std::sort(files.begin(), files.end());
  return files;
}

std::unique_ptr<FileDevice> LoadFile(const std::filesystem::path& path, std::string* digest,
                                     std::string* error) {
  std::string text;
  if (!yaml::ReadFile(path.string(), &text, error)) return nullptr;
  *digest = Sha256Hex(text);
  yaml::Report report(path.string());
  const std::string provider = path.stem().string();
  if (!IsProviderName(provider)) {
    report.Add(1, 1, "provider",
               "expected a file name of a-z, 0-9 and _ that begins with a letter");
  }
  std::unique_ptr<Spec> spec = LoadSpec(text, provider, &report);
  if (!report.ok()) {
    *error = report.Joined();
    return nullptr;
  }
  return std::make_unique<FileDevice>(std::move(spec));
}

void AddLine(const std::string& line, std::string* text) {
  if (!text->empty() && !line.empty()) *text += '\n';
  *text += line;
}

}  // namespace

const char* Name(Problem problem) {
  switch (problem) {
    case Problem::kNone:
      return "";
    case Problem::kBadSignature:
      return "bad_signature";
    case Problem::kMissingHeader:
      return "missing_header";
    case Problem::kBadTimestamp:
      return "bad_timestamp";
    case Problem::kStale:
      return "stale";
    case Problem::kProviderNotConfigured:
      return "provider_not_configured";
    case Problem::kUserUnresolved:
      return "user_unresolved";
    case Problem::kUserMismatch:
      return "user_mismatch";
    case Problem::kMalformed:
      return "malformed";
    case Problem::kWrongShape:
      return "wrong_shape";
    case Problem::kNoUsableReading:
      return "no_usable_reading";
    case Problem::kNotBuilt:
      return "not_built";
  }
  return "";
}

Catalog::Catalog() = default;
Catalog::~Catalog() = default;

std::shared_ptr<const Catalog> Catalog::Load(const std::string& dir, std::string* error) try {
  error->clear();
  const std::vector<std::filesystem::path> files = Files(dir, error);
  std::shared_ptr<Catalog> catalog(new Catalog());
  std::map<std::string, FileDevice*, std::less<>> loaded;
  for (const std::filesystem::path& path : files) {
    std::string digest, fault;
    std::unique_ptr<FileDevice> device = LoadFile(path, &digest, &fault);
    AddLine(fault, error);
    if (device == nullptr) continue;
    loaded[device->provider()] = device.get();
    catalog->digests_[device->provider()] = std::move(digest);
    catalog->devices_[device->provider()] = std::move(device);
  }
  // Only now is every name known: who is meant by `as` and `secrets_from`.
  for (const auto& entry : loaded) {
    const std::string& provider = entry.first;
    FileDevice* const device = entry.second;
    const std::string file = (std::filesystem::path(dir) / (provider + ".yaml")).string();
    const auto meant = [&](const std::string& key, const std::string& name) {
      const auto found = loaded.find(name);
      if (found != loaded.end() && name != provider) return found->second;
      yaml::Report report(file);
      report.Add(1, 1, key,
                 "expected another provider of this folder (" + OneOf(catalog->providers()) +
                     "), got '" + name + "'");
      AddLine(report.Joined(), error);
      return static_cast<FileDevice*>(nullptr);
    };
    if (!device->secrets_from().empty()) meant("secrets_from", device->secrets_from());
    for (const Shape& shape : device->spec().shapes) {
      if (shape.as.empty()) continue;
      FileDevice* other = meant("shapes.as", shape.as);
      if (other == nullptr) continue;
      const auto chained = [](const Shape& next) { return !next.as.empty(); };
      if (std::any_of(other->spec().shapes.begin(), other->spec().shapes.end(), chained)) {
        AddLine(file + ":1:1: shapes.as: '" + shape.as + "' itself maps as another", error);
      }
      device->Know(other);
    }
  }
  if (!error->empty()) return nullptr;
  return catalog;
} catch (const std::exception& e) {
  *error = dir + ": cannot be loaded: " + e.what();
  return nullptr;
}

const Device* Catalog::Find(std::string_view provider) const {
  const auto found = devices_.find(provider);
  return found == devices_.end() ? nullptr : found->second.get();
}

std::vector<std::string> Catalog::providers() const {
  std::vector<std::string> names;
  for (const auto& [name, device] : devices_) names.push_back(name);
  return names;
}

}  // namespace auren::devices
