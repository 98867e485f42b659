// SPDX-License-Identifier: EUPL-1.2
#include "audit/trust.h"

#include <unistd.h>

#include <filesystem>

#include "audit/verify_terms.h"

namespace waarborg::audit {
namespace {

// The key in a file of one line. The code to end with, after having said why; 0 when it is there.
int ReadKeyFile(const std::string& path, std::optional<VerifierKey>& out) {
  auto text = ReadFile(path);
  if (!text.ok()) {
    Say(text.error());
    return kNotChecked;
  }
  while (!text->empty() && (text->back() == '\n' || text->back() == '\r')) text->pop_back();
  auto key = VerifierKey::Parse(*text);
  if (!key.ok()) {
    Say(path + ": " + key.error());
    return kNotChecked;
  }
  out = *key;
  return 0;
}

// DIR.vkey, beside the folder.
std::string KeyFileBeside(const std::string& folder) {
  std::filesystem::path path(folder);
  while (!path.has_filename() && path.has_relative_path()) path = path.parent_path();
  if (path.filename() == "." || path.filename() == "..") {
    std::error_code error;
    path = std::filesystem::canonical(path, error);
  }
  return path.empty() ? "" : path.string() + ".vkey";
}

}  // namespace

int TakeKey(const std::string& argument, KeyType type, std::optional<VerifierKey>& out) {
  const auto key = VerifierKey::Parse(argument);
  if (key.ok()) {
    out = *key;
  } else if (access(argument.c_str(), F_OK) != 0) {
    Say(Shown(argument) + " is neither a file nor a key: " + key.error());
    return kUsage;
  } else if (const int code = ReadKeyFile(argument, out); code != 0) {
    return code;
  }
  if (out->type() == type) return 0;
  Say(Short(*out) + (type == KeyType::kEd25519 ? " is the key of a witness, where that of a log is needed"
                                               : " is the key of a log, where that of a witness is needed"));
  return kUsage;
}

int Resolve(const TrustOptions& options, const std::string& folder, Trust& out) {
  if (!options.key.empty()) {
    if (const int code = TakeKey(options.key, KeyType::kEd25519, out.log); code != 0) return code;
  } else if (!folder.empty()) {
    const std::string beside = KeyFileBeside(folder);
    if (access(beside.c_str(), F_OK) == 0) {
      if (const int code = TakeKey(beside, KeyType::kEd25519, out.log); code != 0) return code;
    }
  }
  for (const std::string& argument : options.witnesses) {
    std::optional<VerifierKey> witness;
    if (const int code = TakeKey(argument, KeyType::kCosignature, witness); code != 0) return code;
    // One witness under two names would count twice.
    for (const VerifierKey& other : out.witnesses) {
      if (other.public_key() == witness->public_key()) {
        Say("the key of the witness " + Short(*witness) + " is given twice");
        return kUsage;
      }
    }
    out.witnesses.push_back(*witness);
  }
  out.quorum = options.quorum.value_or(out.witnesses.size());
  if (out.quorum > out.witnesses.size()) {
    Say("--quorum " + std::to_string(out.quorum) + " asks for more witnesses than are named with --witness");
    return kUsage;
  }
  return 0;
}

}  // namespace waarborg::audit
