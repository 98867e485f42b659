// SPDX-License-Identifier: EUPL-1.2
// What a browser and a security key send, when one is made and when one is used. Whatever is accepted is
// whole. Input: which of the two, u16 (little-endian) and as many bytes of client data, then attestation
// object, or authenticator data and signature.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "server/access/security_key.h"

namespace {

using waarborg::access::Ceremony;
using waarborg::access::KeyFault;

void Must(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 3) return 0;
  const waarborg::access::RelyingParty party{
      "waarborg.waterdam.example", {"https://balie.waarborg.waterdam.example"}, false};
  const std::string bytes(reinterpret_cast<const char*>(data + 3), size - 3);
  const size_t split = std::min(bytes.size(), data[1] | size_t{data[2]} << 8);
  const std::string rest = bytes.substr(split);
  const Ceremony ceremony = data[0] % 2 == 0 ? Ceremony::kCreate : Ceremony::kGet;
  waarborg::access::ClientData client_data;
  if (ReadClientData(party, ceremony, bytes.substr(0, split), client_data) == KeyFault::kNone) {
    Must(client_data.challenge().size() == waarborg::access::kChallengeSize);
  } else {
    // The rest deserves a look all the same.
    const std::string type = ceremony == Ceremony::kCreate ? "create" : "get";
    Must(ReadClientData(party, ceremony,
                        "{\"type\":\"webauthn." + type + "\",\"challenge\":\"" + std::string(42, 'Y') +
                            "0\",\"origin\":\"https://balie.waarborg.waterdam.example\"}",
                        client_data) == KeyFault::kNone);
  }
  waarborg::domain::SecurityKey key;
  if (ceremony == Ceremony::kCreate) {
    if (CheckNewKey(party, client_data, rest, key) != KeyFault::kNone) return 0;
    Must(key.algorithm == waarborg::access::kCoseEs256 ? key.public_key.size() == 64
                                                       : key.public_key.size() == 32);
    Must(key.credential_id.size() >= waarborg::access::kMinCredentialId);
    return 0;
  }
  // The generator of P-256: nobody has signed with it here, so nothing is ever accepted.
  key.algorithm = waarborg::access::kCoseEs256;
  for (const char* part : {"\x6B\x17\xD1\xF2\xE1\x2C\x42\x47\xF8\xBC\xE6\xE5\x63\xA4\x40\xF2\x77\x03\x7D\x81"
                           "\x2D\xEB\x33\xA0\xF4\xA1"
                           "\x39\x45\xD8\x98\xC2\x96",
                           "\x4F\xE3\x42\xE2\xFE\x1A\x7F\x9B\x8E\xE7\xEB\x4A\x7C\x0F\x9E\x16\x2B\xCE\x33\x57"
                           "\x6B\x31\x5E\xCE\xCB\xB6"
                           "\x40\x68\x37\xBF\x51\xF5"}) {
    key.public_key += std::string(part, 32);
  }
  const size_t at = std::min<size_t>(rest.size(), 37);
  uint32_t sign_count = 0;
  for (const size_t end : {at, rest.size() - std::min<size_t>(rest.size(), 64), rest.size()}) {
    Must(CheckUse(party, client_data, key, rest.substr(0, end), rest.substr(end), sign_count) !=
         KeyFault::kNone);
  }
  return 0;
}
