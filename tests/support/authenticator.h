// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace waarborg::testing {

// A security key and the browser before it, in software: makes what WebAuthn makes, byte for byte, and
// everything that can be wrong with it on purpose. Holds one credential.
class Authenticator {
 public:
  enum class Kind { kEs256, kEdDsa };
  // Flags of authenticator data.
  static constexpr uint8_t kPresent = 0x01, kVerified = 0x04, kBackupEligible = 0x08, kBackedUp = 0x10,
                           kCredential = 0x40, kExtensions = 0x80;

  struct Made {
    std::string attestation_object;
    std::string client_data_json;
  };
  struct Used {
    std::string credential_id;
    std::string authenticator_data;
    std::string client_data_json;
    std::string signature;
    std::string user_handle;
  };

  Authenticator(std::string rp_id, std::string origin, Kind kind = Kind::kEs256);
  ~Authenticator();

  // navigator.credentials.create and get.
  Made Make(const std::string& challenge, const std::string& user_handle);
  Used Use(const std::string& challenge);

  // Parts, for who wants them wrong.
  std::string ClientDataJson(const std::string& type, const std::string& challenge) const;
  // Of a new key when the flag kCredential is set.
  std::string AuthenticatorData(uint8_t with_flags) const;
  std::string AttestationObject(const std::string& format, const std::string& statement,
                                const std::string& authenticator_data) const;
  std::string Sign(const std::string& message) const;
  // "packed", by the key itself; the statement as CBOR.
  std::string SelfStatement(const std::string& authenticator_data, const std::string& client_data_json) const;
  // CBOR: head of an item, byte string, text.
  static std::string Head(int major, uint64_t value);
  static std::string Bytes(const std::string& bytes) { return Head(2, bytes.size()) + bytes; }
  static std::string Text(const std::string& text) { return Head(3, text.size()) + text; }

  // What it says of itself; to be changed at will.
  std::string rp_id;
  std::string origin;
  uint8_t flags = kPresent | kVerified;
  uint32_t count = 0;
  uint32_t step = 1;             // how far the count goes at each use
  std::string more_client_data;  // inserted before the closing brace: ",\"x\":1"
  std::string extensions;        // CBOR behind the data; set kExtensions as well
  std::string public_key;        // raw: x and y, or 32 bytes
  std::string credential_id;
  std::string user_handle;

 private:
  struct Key;
  std::string CosePublicKey() const;

  Kind kind_;
  std::unique_ptr<Key> key_;
};

}  // namespace waarborg::testing
