// SPDX-License-Identifier: EUPL-1.2
#include "server/access/tls.h"

#include <openssl/bio.h>
#include <openssl/conf.h>
#include <openssl/ssl.h>

#include <memory>

namespace waarborg::access {
namespace {

// gRPC resets the minimum version to 1.2 afterwards; switching 1.2 off as a protocol stays.
constexpr char kConfiguration[] =
    "openssl_conf = waarborg\n"
    "[waarborg]\n"
    "ssl_conf = ssl\n"
    "[ssl]\n"
    "system_default = tls\n"
    "[tls]\n"
    "Protocol = -TLSv1,-TLSv1.1,-TLSv1.2,TLSv1.3\n"
    "Ciphersuites = TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256\n"
    "Groups = X25519:P-256:X448:P-521:P-384\n"
    "Options = -SessionTicket\n";

}  // namespace

bool RestrictTls() {
  // The system's own openssl.cnf must not come over ours.
  if (OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr) != 1) return false;
  std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new_mem_buf(kConfiguration, -1), BIO_free);
  std::unique_ptr<CONF, decltype(&NCONF_free)> conf(NCONF_new(nullptr), NCONF_free);
  if (!bio || !conf) return false;
  long line = 0;  // NOLINT: OpenSSL's type
  return NCONF_load_bio(conf.get(), bio.get(), &line) == 1 && CONF_modules_load(conf.get(), "waarborg", 0) == 1;
}

}  // namespace waarborg::access
