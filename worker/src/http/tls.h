// The server's side of TLS.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

namespace auren::http {

using TlsContext = std::shared_ptr<SSL_CTX>;

// Reads certificate chain and key (PEM). `min_version` is "1.3" or "1.2". nullptr: `error` says
// why.
TlsContext MakeTlsContext(const std::string& cert_file, const std::string& key_file,
                          const std::string& min_version, std::string* error);

}  // namespace auren::http
