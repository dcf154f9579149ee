#include "http/tls.h"

#include <openssl/err.h>

namespace auren::http {
namespace {

std::string OpenSslReason() {
  const unsigned long error = ERR_get_error();
  ERR_clear_error();
  const char* reason = error == 0 ? nullptr : ERR_reason_error_string(error);
  return reason == nullptr ? "unknown reason" : reason;
}

}  // namespace

TlsContext MakeTlsContext(const std::string& cert_file, const std::string& key_file,
                          const std::string& min_version, std::string* error) {
  TlsContext context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  SSL_CTX_set_min_proto_version(context.get(),
                                min_version == "1.2" ? TLS1_2_VERSION : TLS1_3_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                         SSL_OP_CIPHER_SERVER_PREFERENCE);
  // The connection sends from a buffer that may move between two tries of one write.
  SSL_CTX_set_mode(context.get(),
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  ERR_clear_error();
  if (SSL_CTX_use_certificate_chain_file(context.get(), cert_file.c_str()) != 1) {
    *error = "cannot read the certificate \"" + cert_file + "\": " + OpenSslReason();
    return nullptr;
  }
  if (SSL_CTX_use_PrivateKey_file(context.get(), key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    *error = "cannot read the key \"" + key_file + "\": " + OpenSslReason();
    return nullptr;
  }
  if (SSL_CTX_check_private_key(context.get()) != 1) {
    *error = "the key \"" + key_file + "\" does not belong to \"" + cert_file + "\"";
    return nullptr;
  }
  return context;
}

}  // namespace auren::http
