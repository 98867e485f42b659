// SPDX-License-Identifier: EUPL-1.2
#include "server/access/wire.h"

#include <openssl/bio.h>
#include <openssl/conf.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>

#include "absl/strings/escaping.h"

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
  OPENSSL_load_builtin_modules();
  if (NCONF_load_bio(conf.get(), bio.get(), &line) != 1 || CONF_modules_load(conf.get(), nullptr, 0) != 1)
    return false;

  // A configuration that did not take is silent: look at what a fresh context does, as gRPC sets one up.
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_method()), SSL_CTX_free);
  if (!context || SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) != 1) return false;
  constexpr uint64_t kOld = SSL_OP_NO_TLSv1 | SSL_OP_NO_TLSv1_1 | SSL_OP_NO_TLSv1_2;
  if ((SSL_CTX_get_options(context.get()) & kOld) != kOld) return false;
  STACK_OF(SSL_CIPHER)* ciphers = SSL_CTX_get_ciphers(context.get());
  int of_tls13 = 0;
  for (int i = 0; i < sk_SSL_CIPHER_num(ciphers); ++i) {
    const std::string_view name = SSL_CIPHER_get_name(sk_SSL_CIPHER_value(ciphers, i));
    if (name.substr(0, 4) != "TLS_") continue;
    if (name != "TLS_AES_256_GCM_SHA384" && name != "TLS_CHACHA20_POLY1305_SHA256") return false;
    ++of_tls13;
  }
  return of_tls13 == 2;
}

namespace {

using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;

Certificate ReadCertificate(std::string_view pem) {
  std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())),
                                                BIO_free);
  return {bio ? PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr) : nullptr, X509_free};
}

}  // namespace

std::string FingerprintOfPem(std::string_view pem) {
  const Certificate certificate = ReadCertificate(pem);
  unsigned char* der = nullptr;
  const int size = certificate ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate.get()), &der) : 0;
  if (size <= 0) return "";
  std::string digest(32, '\0');
  const bool ok = EVP_Digest(der, static_cast<size_t>(size), reinterpret_cast<unsigned char*>(digest.data()),
                             nullptr, EVP_sha256(), nullptr) == 1;
  OPENSSL_free(der);
  return ok ? absl::BytesToHexString(digest) : "";
}

absl::Time EndOfCertificate(std::string_view pem) {
  const Certificate certificate = ReadCertificate(pem);
  std::tm end{};
  if (!certificate || ASN1_TIME_to_tm(X509_get0_notAfter(certificate.get()), &end) != 1)
    return absl::InfinitePast();
  return absl::FromTM(end, absl::UTCTimeZone());
}

}  // namespace waarborg::access
