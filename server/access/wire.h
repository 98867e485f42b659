// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <string>
#include <string_view>

#include "absl/time/time.h"

// What both ends of the wire agree on. A target of its own, which the clients link too.
namespace waarborg::access {

// A certificate that ends sooner than this is spoken of.
inline constexpr absl::Duration kCertificateWarning = absl::Hours(24 * 30);

// Restricts every TLS context of this process, server and client, to the "good" set of the NCSC guidelines
// (2025): TLS 1.3 with AES_256_GCM_SHA384 or CHACHA20_POLY1305_SHA256. gRPC offers no setting for it, so it
// goes through OpenSSL's process-wide configuration. Call first thing in main, before anything else touches
// OpenSSL. False when it failed: then do not go on.
bool RestrictTls();

// How a station is known: SHA-256 of the SubjectPublicKeyInfo of a PEM certificate, lower-case hexadecimal;
// empty when it is none.
std::string FingerprintOfPem(std::string_view pem);

// The last moment of a PEM certificate; InfinitePast when it is none.
absl::Time EndOfCertificate(std::string_view pem);

}  // namespace waarborg::access
