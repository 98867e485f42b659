// SPDX-License-Identifier: EUPL-1.2
#include <dlfcn.h>
#include <p11-kit/pkcs11.h>

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "server/base/mutex.h"
#include "server/keys/generation_home.h"
#include "server/keys/sealing.h"

namespace waarborg::keys {
namespace {

constexpr size_t kNonceSize = 12;
constexpr size_t kTagSize = 16;
// What the token makes of a generation key: nonce, ciphertext, tag. The root key seals this again.
constexpr size_t kInnerSize = kNonceSize + kKeySize + kTagSize;
// Objects that are asked for at a time.
constexpr size_t kObjects = 64;
constexpr size_t kMaxLabel = 1024;

std::string Context(const std::string& name, uint64_t generation) {
  return absl::StrCat("generation ", name, " ", generation);
}

// "CKR_PIN_INCORRECT (0xa0)". Codes without a name here are looked up in the standard by their number.
std::string Describe(CK_RV code) {
  static constexpr struct {
    CK_RV code;
    const char* name;
  } kNames[] = {
      {CKR_HOST_MEMORY, "CKR_HOST_MEMORY"},
      {CKR_SLOT_ID_INVALID, "CKR_SLOT_ID_INVALID"},
      {CKR_GENERAL_ERROR, "CKR_GENERAL_ERROR"},
      {CKR_FUNCTION_FAILED, "CKR_FUNCTION_FAILED"},
      {CKR_ARGUMENTS_BAD, "CKR_ARGUMENTS_BAD"},
      {CKR_CANT_LOCK, "CKR_CANT_LOCK"},
      {CKR_ATTRIBUTE_READ_ONLY, "CKR_ATTRIBUTE_READ_ONLY"},
      {CKR_ATTRIBUTE_SENSITIVE, "CKR_ATTRIBUTE_SENSITIVE"},
      {CKR_ATTRIBUTE_TYPE_INVALID, "CKR_ATTRIBUTE_TYPE_INVALID"},
      {CKR_ATTRIBUTE_VALUE_INVALID, "CKR_ATTRIBUTE_VALUE_INVALID"},
      {CKR_ACTION_PROHIBITED, "CKR_ACTION_PROHIBITED"},
      {CKR_DEVICE_ERROR, "CKR_DEVICE_ERROR"},
      {CKR_DEVICE_MEMORY, "CKR_DEVICE_MEMORY"},
      {CKR_DEVICE_REMOVED, "CKR_DEVICE_REMOVED"},
      {CKR_ENCRYPTED_DATA_INVALID, "CKR_ENCRYPTED_DATA_INVALID"},
      {CKR_ENCRYPTED_DATA_LEN_RANGE, "CKR_ENCRYPTED_DATA_LEN_RANGE"},
      {CKR_FUNCTION_NOT_SUPPORTED, "CKR_FUNCTION_NOT_SUPPORTED"},
      {CKR_KEY_HANDLE_INVALID, "CKR_KEY_HANDLE_INVALID"},
      {CKR_KEY_SIZE_RANGE, "CKR_KEY_SIZE_RANGE"},
      {CKR_KEY_FUNCTION_NOT_PERMITTED, "CKR_KEY_FUNCTION_NOT_PERMITTED"},
      {CKR_MECHANISM_INVALID, "CKR_MECHANISM_INVALID"},
      {CKR_MECHANISM_PARAM_INVALID, "CKR_MECHANISM_PARAM_INVALID"},
      {CKR_OBJECT_HANDLE_INVALID, "CKR_OBJECT_HANDLE_INVALID"},
      {CKR_OPERATION_ACTIVE, "CKR_OPERATION_ACTIVE"},
      {CKR_PIN_INCORRECT, "CKR_PIN_INCORRECT"},
      {CKR_PIN_INVALID, "CKR_PIN_INVALID"},
      {CKR_PIN_LEN_RANGE, "CKR_PIN_LEN_RANGE"},
      {CKR_PIN_EXPIRED, "CKR_PIN_EXPIRED"},
      {CKR_PIN_LOCKED, "CKR_PIN_LOCKED"},
      {CKR_SESSION_CLOSED, "CKR_SESSION_CLOSED"},
      {CKR_SESSION_COUNT, "CKR_SESSION_COUNT"},
      {CKR_SESSION_HANDLE_INVALID, "CKR_SESSION_HANDLE_INVALID"},
      {CKR_SESSION_READ_ONLY, "CKR_SESSION_READ_ONLY"},
      {CKR_TEMPLATE_INCOMPLETE, "CKR_TEMPLATE_INCOMPLETE"},
      {CKR_TEMPLATE_INCONSISTENT, "CKR_TEMPLATE_INCONSISTENT"},
      {CKR_TOKEN_NOT_PRESENT, "CKR_TOKEN_NOT_PRESENT"},
      {CKR_TOKEN_NOT_RECOGNIZED, "CKR_TOKEN_NOT_RECOGNIZED"},
      {CKR_TOKEN_WRITE_PROTECTED, "CKR_TOKEN_WRITE_PROTECTED"},
      {CKR_USER_NOT_LOGGED_IN, "CKR_USER_NOT_LOGGED_IN"},
      {CKR_USER_PIN_NOT_INITIALIZED, "CKR_USER_PIN_NOT_INITIALIZED"},
      {CKR_USER_ANOTHER_ALREADY_LOGGED_IN, "CKR_USER_ANOTHER_ALREADY_LOGGED_IN"},
      {CKR_BUFFER_TOO_SMALL, "CKR_BUFFER_TOO_SMALL"},
      {CKR_CRYPTOKI_NOT_INITIALIZED, "CKR_CRYPTOKI_NOT_INITIALIZED"},
  };
  const std::string number = absl::StrCat("0x", absl::Hex(code));
  for (const auto& [known, name] : kNames) {
    if (known == code) return absl::StrCat(name, " (", number, ")");
  }
  return absl::StrCat("error ", number);
}

// Codes after which a new session may do what this one could not. Some are what a network token says when its
// line broke; asking such a token once more harms nothing.
bool IsSessionLost(CK_RV code) {
  switch (code) {
    case CKR_SLOT_ID_INVALID:
    case CKR_GENERAL_ERROR:
    case CKR_FUNCTION_FAILED:
    case CKR_DEVICE_ERROR:
    case CKR_DEVICE_REMOVED:
    case CKR_KEY_HANDLE_INVALID:
    case CKR_OBJECT_HANDLE_INVALID:
    case CKR_OPERATION_ACTIVE:
    case CKR_SESSION_CLOSED:
    case CKR_SESSION_HANDLE_INVALID:
    case CKR_TOKEN_NOT_PRESENT:
    case CKR_TOKEN_NOT_RECOGNIZED:
    case CKR_USER_NOT_LOGGED_IN:
    case CKR_CRYPTOKI_NOT_INITIALIZED:
      return true;
    default:
      return false;
  }
}

// Codes by which a token refuses the PIN. Trying again would bring it nearer to locking itself.
bool IsPinRefused(CK_RV code) {
  switch (code) {
    case CKR_PIN_INCORRECT:
    case CKR_PIN_INVALID:
    case CKR_PIN_LEN_RANGE:
    case CKR_PIN_EXPIRED:
    case CKR_PIN_LOCKED:
    case CKR_USER_PIN_NOT_INITIALIZED:
      return true;
    default:
      return false;
  }
}

// A field of PKCS#11: padded with blanks; some tokens pad with zeros.
template <size_t size>
std::string Unpadded(const unsigned char (&field)[size]) {
  std::string text(reinterpret_cast<const char*>(field), size);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\0')) text.pop_back();
  return text;
}

CK_ATTRIBUTE Attribute(CK_ATTRIBUTE_TYPE type, std::string& bytes) {
  return {type, bytes.data(), bytes.size()};
}
template <typename T>
CK_ATTRIBUTE Attribute(CK_ATTRIBUTE_TYPE type, T& value) {
  return {type, &value, sizeof value};
}

// What CKM_AES_GCM is told. Points into itself, and so stays where it is.
class Gcm {
 public:
  Gcm(std::string nonce, std::string context) : nonce_(std::move(nonce)), context_(std::move(context)) {
    parameters_.pIv = reinterpret_cast<unsigned char*>(nonce_.data());
    parameters_.ulIvLen = nonce_.size();
    parameters_.ulIvBits = nonce_.size() * 8;
    parameters_.pAAD = reinterpret_cast<unsigned char*>(context_.data());
    parameters_.ulAADLen = context_.size();
    parameters_.ulTagBits = kTagSize * 8;
  }
  Gcm(const Gcm&) = delete;
  Gcm& operator=(const Gcm&) = delete;

  CK_MECHANISM* mechanism() { return &mechanism_; }
  // After encrypting: a token that insists on a nonce of its own has put it in place of ours.
  const std::string& nonce() const { return nonce_; }

 private:
  std::string nonce_;
  std::string context_;
  CK_GCM_PARAMS parameters_{};
  CK_MECHANISM mechanism_{CKM_AES_GCM, &parameters_, sizeof parameters_};
};

// The library of a token. However many of these there are in the process, it is initialised once; the last to
// go finalises it, unless somebody else had initialised it first.
class Module {
 public:
  static absl::StatusOr<std::unique_ptr<Module>> Load(const std::string& path) {
    void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
      return absl::FailedPreconditionError(
          absl::StrCat("cannot load the PKCS#11 module ", path, ": ", dlerror()));
    }
    const auto get = reinterpret_cast<CK_C_GetFunctionList>(dlsym(library, "C_GetFunctionList"));
    CK_FUNCTION_LIST* functions = nullptr;
    if (get == nullptr || get(&functions) != CKR_OK || functions == nullptr) {
      dlclose(library);
      return absl::FailedPreconditionError(
          absl::StrCat(path, " is not a PKCS#11 module: it has no C_GetFunctionList that works"));
    }
    return std::unique_ptr<Module>(new Module(library, functions));
  }

  ~Module() {
    Registry& registry = TheRegistry();
    base::Lock lock(registry.mutex);
    const auto it = registry.loaded.find(library_);
    if (--it->second.users == 0) {
      if (it->second.initialised_here) (void)functions_->C_Finalize(nullptr);
      registry.loaded.erase(it);
    }
    dlclose(library_);
  }
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  // May be repeated, for somebody in the process may have finalised the library meanwhile.
  CK_RV Initialise() {
    Registry& registry = TheRegistry();
    base::Lock lock(registry.mutex);
    CK_C_INITIALIZE_ARGS arguments{};
    arguments.flags = CKF_OS_LOCKING_OK;
    const CK_RV code = functions_->C_Initialize(&arguments);
    if (code == CKR_CRYPTOKI_ALREADY_INITIALIZED) return CKR_OK;
    if (code == CKR_OK) registry.loaded[library_].initialised_here = true;
    return code;
  }

  const CK_FUNCTION_LIST& call() const { return *functions_; }

 private:
  // By the handle of dlopen, which is the same for every path to the same library.
  struct Loaded {
    int users = 0;
    bool initialised_here = false;
  };
  struct Registry {
    base::Mutex mutex;
    std::map<void*, Loaded> loaded WB_GUARDED_BY(mutex);
  };
  static Registry& TheRegistry() {
    static Registry& registry = *new Registry;
    return registry;
  }

  Module(void* library, CK_FUNCTION_LIST* functions) : library_(library), functions_(functions) {
    Registry& registry = TheRegistry();
    base::Lock lock(registry.mutex);
    ++registry.loaded[library_].users;
  }

  void* const library_;
  CK_FUNCTION_LIST* const functions_;
};

// The token, through one session in which its user is logged in; a lost session is opened again once in a
// call. For one thread at a time.
class Token {
 public:
  Token(const TokenConfig& config, base::Secret pin, base::Random& random, std::unique_ptr<Module> module)
      : path_(config.module),
        token_(config.token),
        pin_(std::move(pin)),
        random_(random),
        module_(std::move(module)) {}
  // Does not log out: that would log out everybody in this process. The last session to close does it.
  ~Token() { CloseSession(); }
  Token(const Token&) = delete;
  Token& operator=(const Token&) = delete;

  // Finds the token and logs in, unless that is done.
  absl::Status Connect();

  // Encrypts by a fresh key with this label; keys that had this label are destroyed.
  absl::StatusOr<std::string> Encrypt(const std::string& label, const std::string& context,
                                      const base::Secret& key);
  absl::StatusOr<base::Secret> Decrypt(const std::string& label, const std::string& context,
                                       const std::string& inner);
  absl::Status Destroy(const std::string& label);
  absl::StatusOr<std::vector<std::string>> Labels();

 private:
  // Unavailable, naming the function; remembers whether the session is of use no longer.
  absl::Status Failed(const char* function, CK_RV code);
  absl::Status Error(absl::StatusCode code, const std::string& text) const;
  absl::StatusOr<CK_SLOT_ID> FindSlot(CK_TOKEN_INFO& info);
  absl::Status CheckToken(CK_SLOT_ID slot, const CK_TOKEN_INFO& info);
  absl::Status Login();
  // A user who is not logged in finds nothing and hears no error, so that nothing found says nothing by
  // itself.
  absl::Status CheckLoggedIn();
  void CloseSession();
  // Calls `work` in a session; again in a new one when the session was lost on the way.
  template <typename Work>
  auto InSession(const Work& work) -> decltype(work());

  absl::StatusOr<std::vector<CK_OBJECT_HANDLE>> Find(std::vector<CK_ATTRIBUTE> like);
  absl::StatusOr<std::vector<CK_OBJECT_HANDLE>> FindLabel(std::string label);
  absl::Status DestroyLabel(const std::string& label);
  absl::StatusOr<CK_OBJECT_HANDLE> MakeKey(std::string label);
  absl::Status CheckKey(CK_OBJECT_HANDLE key);
  absl::StatusOr<std::string> EncryptBy(CK_OBJECT_HANDLE key, const std::string& context,
                                        const base::Secret& plaintext);
  absl::StatusOr<base::Secret> DecryptBy(CK_OBJECT_HANDLE key, const std::string& context,
                                         const std::string& inner);

  const std::string path_;
  const std::string token_;
  const base::Secret pin_;
  base::Random& random_;
  const std::unique_ptr<Module> module_;
  std::optional<CK_SESSION_HANDLE> session_;
  bool lost_ = false;
  std::optional<std::string> serial_;  // of the token that was found first
  absl::Status pin_refused_;           // as the token said; it is not asked again
};

absl::Status Token::Error(absl::StatusCode code, const std::string& text) const {
  return {code, absl::StrCat("token \"", token_, "\": ", text)};
}

absl::Status Token::Failed(const char* function, CK_RV code) {
  if (IsSessionLost(code)) lost_ = true;
  return Error(absl::StatusCode::kUnavailable, absl::StrCat(function, ": ", Describe(code)));
}

absl::StatusOr<CK_SLOT_ID> Token::FindSlot(CK_TOKEN_INFO& info) {
  const CK_FUNCTION_LIST& call = module_->call();
  // Asking for the number is what makes a module look again for tokens.
  CK_ULONG number = 0;
  if (const CK_RV code = call.C_GetSlotList(CK_TRUE, nullptr, &number); code != CKR_OK) {
    return Failed("C_GetSlotList", code);
  }
  std::vector<CK_SLOT_ID> slots(number);
  if (number > 0) {
    if (const CK_RV code = call.C_GetSlotList(CK_TRUE, slots.data(), &number); code != CKR_OK) {
      return Failed("C_GetSlotList", code);
    }
    slots.resize(std::min<size_t>(slots.size(), number));
  }
  std::vector<std::string> seen;
  std::vector<CK_SLOT_ID> found;
  for (const CK_SLOT_ID slot : slots) {
    CK_TOKEN_INFO of_slot{};
    if (const CK_RV code = call.C_GetTokenInfo(slot, &of_slot); code != CKR_OK) {
      seen.push_back(absl::StrCat("one that does not answer, C_GetTokenInfo: ", Describe(code)));
      continue;
    }
    if ((of_slot.flags & CKF_TOKEN_INITIALIZED) == 0) continue;
    const std::string label = Unpadded(of_slot.label);
    seen.push_back(absl::StrCat("\"", absl::Utf8SafeCEscape(label), "\""));
    if (label != token_) continue;
    found.push_back(slot);
    info = of_slot;
  }
  const std::string all =
      absl::StrCat("the tokens of ", path_, " are: ", seen.empty() ? "none" : absl::StrJoin(seen, ", "));
  if (found.empty()) {
    return Error(absl::StatusCode::kUnavailable, absl::StrCat("there is no token with this label; ", all));
  }
  if (found.size() > 1) {
    return Error(absl::StatusCode::kFailedPrecondition,
                 absl::StrCat("more than one token has this label; ", all));
  }
  return found.front();
}

absl::Status Token::CheckToken(CK_SLOT_ID slot, const CK_TOKEN_INFO& info) {
  // What this home said is gone would be there still in a token that was exchanged under it.
  const std::string serial = Unpadded(info.serialNumber);
  if (serial_ && *serial_ != serial) {
    return Error(absl::StatusCode::kUnavailable,
                 "another token with this label took its place; put the first one back, or restart");
  }
  if ((info.flags & CKF_WRITE_PROTECTED) != 0) {
    return Error(absl::StatusCode::kFailedPrecondition, "it is write-protected");
  }
  if ((info.flags & CKF_USER_PIN_LOCKED) != 0) {
    return Error(absl::StatusCode::kFailedPrecondition,
                 "its PIN is locked; its security officer can set the PIN again");
  }
  // Locking it would take every key out of reach.
  if ((info.flags & CKF_USER_PIN_FINAL_TRY) != 0) {
    return Error(absl::StatusCode::kFailedPrecondition,
                 "one more wrong PIN locks it, so none is tried; log in once by hand, with the right PIN and "
                 "the token's own tool, and start again");
  }
  static constexpr struct {
    CK_MECHANISM_TYPE type;
    CK_FLAGS flags;
    const char* name;
  } kNeeded[] = {{CKM_AES_KEY_GEN, CKF_GENERATE, "CKM_AES_KEY_GEN"},
                 {CKM_AES_GCM, CKF_ENCRYPT | CKF_DECRYPT, "CKM_AES_GCM"}};
  for (const auto& [type, flags, name] : kNeeded) {
    CK_MECHANISM_INFO mechanism{};
    const CK_RV code = module_->call().C_GetMechanismInfo(slot, type, &mechanism);
    if (code != CKR_OK && code != CKR_MECHANISM_INVALID) return Failed("C_GetMechanismInfo", code);
    if (code == CKR_MECHANISM_INVALID || (mechanism.flags & flags) != flags) {
      return Error(absl::StatusCode::kFailedPrecondition,
                   absl::StrCat("it cannot do ", name, ", which is needed; choose another token"));
    }
  }
  serial_ = serial;
  return absl::OkStatus();
}

absl::Status Token::Login() {
  const CK_RV code =
      module_->call().C_Login(*session_, CKU_USER, const_cast<uint8_t*>(pin_.RevealBytes()), pin_.size());
  // Logging in counts for the whole process: another home on this token has done it.
  if (code == CKR_OK || code == CKR_USER_ALREADY_LOGGED_IN) return absl::OkStatus();
  if (!IsPinRefused(code)) return Failed("C_Login", code);
  pin_refused_ = Error(absl::StatusCode::kFailedPrecondition,
                       absl::StrCat("C_Login: ", Describe(code),
                                    ": it does not take this PIN. Do not keep trying: a token locks itself "
                                    "after a few wrong ones. Correct the PIN, then start again"));
  return pin_refused_;
}

absl::Status Token::CheckLoggedIn() {
  CK_SESSION_INFO info{};
  if (const CK_RV code = module_->call().C_GetSessionInfo(*session_, &info); code != CKR_OK) {
    return Failed("C_GetSessionInfo", code);
  }
  if (info.state != CKS_RW_USER_FUNCTIONS) return Failed("C_GetSessionInfo", CKR_USER_NOT_LOGGED_IN);
  return absl::OkStatus();
}

void Token::CloseSession() {
  if (session_) (void)module_->call().C_CloseSession(*session_);
  session_.reset();
}

absl::Status Token::Connect() {
  if (!pin_refused_.ok()) return pin_refused_;
  if (session_) return absl::OkStatus();
  if (const CK_RV code = module_->Initialise(); code != CKR_OK) return Failed("C_Initialize", code);
  CK_TOKEN_INFO info{};
  const auto slot = FindSlot(info);
  if (!slot.ok()) return slot.status();
  if (auto s = CheckToken(*slot, info); !s.ok()) return s;
  CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
  if (const CK_RV code = module_->call().C_OpenSession(*slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr,
                                                       nullptr, &session);
      code != CKR_OK) {
    return Failed("C_OpenSession", code);
  }
  session_ = session;
  auto s = Login();
  if (!s.ok()) CloseSession();
  return s;
}

template <typename Work>
auto Token::InSession(const Work& work) -> decltype(work()) {
  for (bool again = false;; again = true) {
    if (auto s = Connect(); !s.ok()) return s;
    lost_ = false;
    auto result = work();
    if (!lost_) return result;
    CloseSession();
    if (again) return result;
  }
}

absl::StatusOr<std::vector<CK_OBJECT_HANDLE>> Token::Find(std::vector<CK_ATTRIBUTE> like) {
  const CK_FUNCTION_LIST& call = module_->call();
  if (const CK_RV code = call.C_FindObjectsInit(*session_, like.data(), like.size()); code != CKR_OK) {
    return Failed("C_FindObjectsInit", code);
  }
  std::vector<CK_OBJECT_HANDLE> found;
  CK_RV code = CKR_OK;
  CK_ULONG number = 0;
  do {
    CK_OBJECT_HANDLE objects[kObjects];
    number = 0;
    code = call.C_FindObjects(*session_, objects, kObjects, &number);
    if (code == CKR_OK) found.insert(found.end(), objects, objects + std::min<size_t>(number, kObjects));
  } while (code == CKR_OK && number > 0);
  const CK_RV end = call.C_FindObjectsFinal(*session_);
  if (code != CKR_OK) return Failed("C_FindObjects", code);
  if (end != CKR_OK) return Failed("C_FindObjectsFinal", end);
  if (auto s = CheckLoggedIn(); !s.ok()) return s;
  return found;
}

absl::StatusOr<std::vector<CK_OBJECT_HANDLE>> Token::FindLabel(std::string label) {
  CK_OBJECT_CLASS secret_key = CKO_SECRET_KEY;
  CK_BBOOL yes = CK_TRUE;
  return Find({Attribute(CKA_CLASS, secret_key), Attribute(CKA_TOKEN, yes), Attribute(CKA_LABEL, label)});
}

absl::Status Token::DestroyLabel(const std::string& label) {
  const auto objects = FindLabel(label);
  if (!objects.ok()) return objects.status();
  if (objects->empty()) return absl::OkStatus();
  for (const CK_OBJECT_HANDLE object : *objects) {
    const CK_RV code = module_->call().C_DestroyObject(*session_, object);
    // Gone already is as good; the search below says whether it is.
    if (code != CKR_OK && code != CKR_OBJECT_HANDLE_INVALID) return Failed("C_DestroyObject", code);
  }
  const auto left = FindLabel(label);
  if (!left.ok()) return left.status();
  if (!left->empty()) {
    return Error(absl::StatusCode::kUnavailable,
                 absl::StrCat("C_DestroyObject: the key \"", label, "\" is still there afterwards"));
  }
  return absl::OkStatus();
}

absl::StatusOr<CK_OBJECT_HANDLE> Token::MakeKey(std::string label) {
  CK_OBJECT_CLASS secret_key = CKO_SECRET_KEY;
  CK_KEY_TYPE aes = CKK_AES;
  CK_ULONG size = kKeySize;
  CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
  std::vector<CK_ATTRIBUTE> like = {
      Attribute(CKA_CLASS, secret_key), Attribute(CKA_KEY_TYPE, aes),  Attribute(CKA_VALUE_LEN, size),
      Attribute(CKA_LABEL, label),      Attribute(CKA_ID, label),      Attribute(CKA_TOKEN, yes),
      Attribute(CKA_PRIVATE, yes),      Attribute(CKA_SENSITIVE, yes), Attribute(CKA_EXTRACTABLE, no),
      Attribute(CKA_ENCRYPT, yes),      Attribute(CKA_DECRYPT, yes),   Attribute(CKA_WRAP, no),
      Attribute(CKA_UNWRAP, no),        Attribute(CKA_SIGN, no),       Attribute(CKA_VERIFY, no),
      Attribute(CKA_DERIVE, no),
  };
  // Not every token knows these. A key under another label would survive its destruction.
  const size_t needed = like.size();
  like.push_back(Attribute(CKA_MODIFIABLE, no));
  like.push_back(Attribute(CKA_COPYABLE, no));
  CK_MECHANISM mechanism{CKM_AES_KEY_GEN, nullptr, 0};
  for (;;) {
    CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
    const CK_RV code = module_->call().C_GenerateKey(*session_, &mechanism, like.data(), like.size(), &key);
    if (code == CKR_OK) return key;
    const bool refused = code == CKR_ATTRIBUTE_TYPE_INVALID || code == CKR_ATTRIBUTE_VALUE_INVALID ||
                         code == CKR_ATTRIBUTE_READ_ONLY || code == CKR_TEMPLATE_INCONSISTENT;
    if (!refused || like.size() == needed) return Failed("C_GenerateKey", code);
    like.pop_back();
  }
}

absl::Status Token::CheckKey(CK_OBJECT_HANDLE key) {
  // Values that must not be believed when the token leaves them as they are.
  CK_BBOOL stays = CK_FALSE, is_private = CK_FALSE, sensitive = CK_FALSE, extractable = CK_TRUE;
  CK_ATTRIBUTE attributes[] = {Attribute(CKA_TOKEN, stays), Attribute(CKA_PRIVATE, is_private),
                               Attribute(CKA_SENSITIVE, sensitive), Attribute(CKA_EXTRACTABLE, extractable)};
  if (const CK_RV code =
          module_->call().C_GetAttributeValue(*session_, key, attributes, std::size(attributes));
      code != CKR_OK) {
    return Failed("C_GetAttributeValue", code);
  }
  if (stays != CK_TRUE || is_private != CK_TRUE || sensitive != CK_TRUE || extractable != CK_FALSE) {
    return Error(absl::StatusCode::kFailedPrecondition,
                 "it made a key that could be taken out of it, or that does not stay in it, against what it "
                 "was asked; choose another token");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> Token::EncryptBy(CK_OBJECT_HANDLE key, const std::string& context,
                                             const base::Secret& plaintext) {
  Gcm gcm(random_.Bytes(kNonceSize), context);
  if (const CK_RV code = module_->call().C_EncryptInit(*session_, gcm.mechanism(), key); code != CKR_OK) {
    return Failed("C_EncryptInit", code);
  }
  // Room to spare: a token that adds something of its own is found out by the length.
  std::string out(plaintext.size() + kTagSize + 64, '\0');
  CK_ULONG size = out.size();
  if (const CK_RV code =
          module_->call().C_Encrypt(*session_, const_cast<uint8_t*>(plaintext.RevealBytes()),
                                    plaintext.size(), reinterpret_cast<unsigned char*>(out.data()), &size);
      code != CKR_OK) {
    return Failed("C_Encrypt", code);
  }
  out.resize(std::min<size_t>(out.size(), size));
  std::string inner = gcm.nonce() + out;
  // What the token cannot give back would be missed at the next start, when it is too late.
  const auto back = DecryptBy(key, context, inner);
  if (!back.ok()) return back.status();
  if (inner.size() != kNonceSize + plaintext.size() + kTagSize || !back->Equals(plaintext.Reveal())) {
    return Error(absl::StatusCode::kFailedPrecondition,
                 "its CKM_AES_GCM does not give back what it took; choose another token");
  }
  return inner;
}

absl::StatusOr<base::Secret> Token::DecryptBy(CK_OBJECT_HANDLE key, const std::string& context,
                                              const std::string& inner) {
  Gcm gcm(inner.substr(0, kNonceSize), context);
  std::string sealed = inner.substr(kNonceSize);
  if (const CK_RV code = module_->call().C_DecryptInit(*session_, gcm.mechanism(), key); code != CKR_OK) {
    return Failed("C_DecryptInit", code);
  }
  // Some tokens ask for the room of the ciphertext.
  base::Secret out = base::Secret::OfSize(sealed.size());
  CK_ULONG size = out.size();
  if (const CK_RV code = module_->call().C_Decrypt(*session_, reinterpret_cast<unsigned char*>(sealed.data()),
                                                   sealed.size(), out.MutableData(), &size);
      code != CKR_OK) {
    return Failed("C_Decrypt", code);
  }
  return base::Secret(out.Reveal().substr(0, std::min<size_t>(out.size(), size)));
}

absl::StatusOr<std::string> Token::Encrypt(const std::string& label, const std::string& context,
                                           const base::Secret& key) {
  return InSession([&]() -> absl::StatusOr<std::string> {
    // A generation is sealed again only when the attempt before came to nothing; so what a crash left of that
    // guards nothing that counts.
    if (auto s = DestroyLabel(label); !s.ok()) return s;
    const auto made = MakeKey(label);
    if (!made.ok()) return made.status();
    auto check = CheckKey(*made);
    auto inner = check.ok() ? EncryptBy(*made, context, key) : check;
    // As far as it goes; the next attempt begins with this.
    if (!inner.ok()) (void)DestroyLabel(label);
    return inner;
  });
}

absl::StatusOr<base::Secret> Token::Decrypt(const std::string& label, const std::string& context,
                                            const std::string& inner) {
  return InSession([&]() -> absl::StatusOr<base::Secret> {
    const auto found = FindLabel(label);
    if (!found.ok()) return found.status();
    if (found->empty()) {
      return Error(
          absl::StatusCode::kFailedPrecondition,
          absl::StrCat("it does not guard this generation, for it has no key \"", label,
                       "\". Either the key was destroyed, and then nothing opens this any more, or this "
                       "is another token or another instance: put back the one that sealed it"));
    }
    if (found->size() > 1) {
      return Error(absl::StatusCode::kFailedPrecondition,
                   absl::StrCat("it has ", found->size(), " keys \"", label,
                                "\", where there must be one: somebody else made keys in it"));
    }
    auto opened = DecryptBy(found->front(), context, inner);
    if (opened.ok() && opened->size() == kKeySize) return opened;
    // Tokens say in many ways that a tag is wrong, some of which also mean that the token is out of order.
    // One that takes and gives back a trial by this same key is not: then the bytes are another key's.
    const auto trial = EncryptBy(found->front(), context, base::Secret(random_.Bytes(kKeySize)));
    if (!trial.ok()) return trial.status();
    lost_ = false;
    return Error(absl::StatusCode::kFailedPrecondition,
                 absl::StrCat("its key \"", label,
                              "\" does not open this: it was sealed by an earlier key of that name, which is "
                              "destroyed, or on another token"));
  });
}

absl::Status Token::Destroy(const std::string& label) {
  return InSession([&] { return DestroyLabel(label); });
}

absl::StatusOr<std::vector<std::string>> Token::Labels() {
  return InSession([&]() -> absl::StatusOr<std::vector<std::string>> {
    CK_OBJECT_CLASS secret_key = CKO_SECRET_KEY;
    CK_BBOOL yes = CK_TRUE;
    const auto found = Find({Attribute(CKA_CLASS, secret_key), Attribute(CKA_TOKEN, yes)});
    if (!found.ok()) return found.status();
    std::vector<std::string> labels;
    for (const CK_OBJECT_HANDLE object : *found) {
      std::string label(kMaxLabel, '\0');
      CK_ATTRIBUTE attribute = Attribute(CKA_LABEL, label);
      const CK_RV code = module_->call().C_GetAttributeValue(*session_, object, &attribute, 1);
      // Without a label, or with one longer than ours are: not ours.
      if (code == CKR_ATTRIBUTE_TYPE_INVALID || code == CKR_BUFFER_TOO_SMALL) continue;
      if (code != CKR_OK) return Failed("C_GetAttributeValue", code);
      label.resize(std::min<size_t>(label.size(), attribute.ulValueLen));
      labels.push_back(std::move(label));
    }
    return labels;
  });
}

class TokenHome : public GenerationHome {
 public:
  TokenHome(const TokenConfig& config, base::Secret pin, base::Secret root, base::Random& random,
            std::unique_ptr<Module> module)
      : prefix_(absl::StrCat("waarborg ", config.instance, " ")),
        root_(std::move(root)),
        random_(random),
        token_(config, std::move(pin), random, std::move(module)) {}

  absl::Status Connect() {
    base::Lock lock(mutex_);
    return token_.Connect();
  }

  absl::StatusOr<std::string> Seal(const std::string& name, uint64_t generation,
                                   const base::Secret& key) override {
    if (key.size() != kKeySize) return absl::InvalidArgumentError("a generation key has 32 bytes");
    const std::string context = Context(name, generation);
    base::Lock lock(mutex_);
    const auto inner = token_.Encrypt(Label(name, generation), context, key);
    if (!inner.ok()) return inner.status();
    return keys::Seal(root_, *inner, context, random_);
  }

  absl::StatusOr<base::Secret> Open(const std::string& name, uint64_t generation,
                                    std::string_view sealed) override {
    const std::string context = Context(name, generation);
    std::optional<std::string> inner = Unseal(root_, sealed, context);
    if (!inner) {
      return absl::FailedPreconditionError(absl::StrCat("generation key ", generation, " of \"", name,
                                                        "\" does not open: is this the right root key?"));
    }
    if (inner->size() != kInnerSize) {
      base::Wipe(*inner);  // without a token it is the key itself
      return absl::FailedPreconditionError(absl::StrCat("generation key ", generation, " of \"", name,
                                                        "\" was not sealed by a token: is its home a file?"));
    }
    base::Lock lock(mutex_);
    return token_.Decrypt(Label(name, generation), context, *inner);
  }

  absl::Status Destroy(const std::string& name, uint64_t generation) override {
    base::Lock lock(mutex_);
    return token_.Destroy(Label(name, generation));
  }

  absl::StatusOr<std::set<uint64_t>> Guarded(const std::string& name) override {
    base::Lock lock(mutex_);
    const auto labels = token_.Labels();
    if (!labels.ok()) return labels.status();
    std::set<uint64_t> generations;
    for (const std::string& label : *labels) {
      absl::string_view rest = label;
      uint64_t n = 0;
      // Only what is written as we write it: a number has several spellings.
      if (absl::ConsumePrefix(&rest, absl::StrCat(prefix_, name, " ")) && absl::SimpleAtoi(rest, &n) &&
          Label(name, n) == label) {
        generations.insert(n);
      }
    }
    return generations;
  }

  bool OutlivesImages() const override { return true; }

 private:
  std::string Label(const std::string& name, uint64_t generation) const {
    return absl::StrCat(prefix_, name, " ", generation);
  }

  const std::string prefix_;
  const base::Secret root_;
  base::Random& random_;
  base::Mutex mutex_;
  Token token_ WB_GUARDED_BY(mutex_);
};

absl::Status Validate(const TokenConfig& config, const base::Secret& pin) {
  // Without a path the system's own search would decide which library gets the PIN.
  if (config.module.empty() || config.module.front() != '/') {
    return absl::InvalidArgumentError("the PKCS#11 module must be given with its full path");
  }
  if (config.token.empty() || config.token.size() > sizeof(CK_TOKEN_INFO::label)) {
    return absl::InvalidArgumentError("the label of the token must have 1 to 32 bytes");
  }
  if (config.instance.empty() || config.instance.size() > 40 ||
      config.instance.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") != std::string::npos) {
    return absl::InvalidArgumentError(
        "the instance on the token must have 1 to 40 characters out of a-z, 0-9 and -");
  }
  if (pin.empty()) return absl::InvalidArgumentError("the PIN of the token is empty");
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<GenerationHome>> OpenTokenHome(const TokenConfig& config,
                                                              const base::Secret& pin,
                                                              const base::Secret& root,
                                                              base::Random& random) {
  if (auto s = Validate(config, pin); !s.ok()) return s;
  auto module = Module::Load(config.module);
  if (!module.ok()) return module.status();
  auto home = std::make_unique<TokenHome>(config, pin.Clone(), root.Clone(), random, std::move(*module));
  if (auto s = home->Connect(); !s.ok()) return s;
  return home;
}

}  // namespace waarborg::keys
