// The few cryptographic pieces that signature schemes are made of. Every comparison of something
// secret takes the same time whatever the bytes are.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace auren::devices {

enum class Hash { kSha1, kSha256 };

// The raw bytes of the HMAC.
std::string Hmac(Hash hash, std::string_view key, std::string_view message);

// The raw 32 bytes, and the same as 64 lower-case hexadecimal digits.
std::string Sha256(std::string_view bytes);
std::string Sha256Hex(std::string_view bytes);

// Two lower-case hexadecimal digits for each byte.
std::string EncodeHex(std::string_view bytes);
// Hexadecimal digits in any case.
std::optional<std::string> DecodeHex(std::string_view text);
// Standard alphabet, with padding.
std::optional<std::string> DecodeBase64(std::string_view text);

// Are the bytes the same? Lengths are not secret.
bool SameBytes(std::string_view a, std::string_view b);
// For secrets of unknown length: compares the SHA-256 digests of both sides.
bool SameSecret(std::string_view a, std::string_view b);

}  // namespace auren::devices
