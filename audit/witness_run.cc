// SPDX-License-Identifier: EUPL-1.2
#include "audit/witness_run.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <optional>

#include "audit/text.h"
#include "audit/trust.h"
#include "audit/verify_terms.h"
#include "audit/witness_http.h"

namespace waarborg::audit {
namespace {

uint64_t NowSeconds() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<uint64_t>(now.tv_sec);
}

// The private key of a witness, as one line that Go's note package would write:
//   PRIVATE+KEY+NAME+8 hexadecimal digits+BASE64(0x04 || seed)
// with the digits of the verifier key. It is handled in buffers that are wiped.
constexpr std::string_view kPrivate = "PRIVATE+KEY+";
constexpr size_t kSeed = 32;
constexpr size_t kEncoded = 44;  // base64 of 33 bytes, without padding
constexpr size_t kMaxKeyLine = 512;

template <size_t N>
class Wiped {
 public:
  Wiped() = default;
  ~Wiped() { OPENSSL_cleanse(bytes_.data(), N); }
  Wiped(const Wiped&) = delete;
  Wiped& operator=(const Wiped&) = delete;
  char* data() { return bytes_.data(); }
  uint8_t* bytes() { return reinterpret_cast<uint8_t*>(bytes_.data()); }
  std::string_view view(size_t from, size_t size) const { return {bytes_.data() + from, size}; }

 private:
  std::array<char, N> bytes_{};
};

Result<SigningKey> ParsePrivateKey(std::string_view line) {
  using R = Result<SigningKey>;
  if (line.ends_with('\n')) line.remove_suffix(1);
  if (!line.starts_with(kPrivate)) return R::Error("a private key begins with " + std::string(kPrivate));
  line.remove_prefix(kPrivate.size());
  const size_t plus = line.find('+');
  if (plus == std::string_view::npos || line.size() != plus + 10 + kEncoded || line[plus + 9] != '+') {
    return R::Error("a private key reads PRIVATE+KEY+NAME+8 hexadecimal digits+BASE64 of 33 bytes");
  }
  const std::string_view encoded = line.substr(plus + 10);
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  Wiped<kEncoded> bytes;
  if (encoded.find_first_not_of(kAlphabet) != std::string_view::npos ||
      EVP_DecodeBlock(bytes.bytes(), reinterpret_cast<const uint8_t*>(encoded.data()), kEncoded) !=
          1 + kSeed) {
    return R::Error("the last part of the private key is not base64");
  }
  if (bytes.data()[0] != static_cast<char>(KeyType::kCosignature)) {
    return R::Error("this is the private key of something else than a witness");
  }
  auto key =
      SigningKey::FromSeed(std::string(line.substr(0, plus)), KeyType::kCosignature, bytes.view(1, kSeed));
  if (key.ok() && Short(key->verifier()) != line.substr(0, plus + 9)) {
    return R::Error("the private key's digits do not fit its name and key: is a character wrong?");
  }
  return key;
}

Result<SigningKey> ReadPrivateKey(const std::string& path) {
  using R = Result<SigningKey>;
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return R::Error(Reason("open", path));
  struct stat info {};
  if (fstat(fd, &info) == 0 && (info.st_mode & 077) != 0) {
    Say("WARNING: others than its owner may read " + path + "; see chmod 600");
  }
  Wiped<kMaxKeyLine> buffer;
  const ssize_t n = ReadUpTo(fd, buffer.data(), kMaxKeyLine);
  const std::string why = n < 0 ? Reason("read", path) : "";
  close(fd);
  if (n < 0) return R::Error(why);
  auto key = ParsePrivateKey(buffer.view(0, static_cast<size_t>(n)));
  if (!key.ok()) return R::Error(path + ": " + key.error());
  return key;
}

// The origin and the sizes of a request, as far as it has them.
std::string Asked(std::string_view body) {
  constexpr size_t kMaxOrigin = 100;
  const auto request = AddCheckpoint::Parse(body);
  if (!request.ok()) return "-";
  const auto opened = ReadCheckpoint(request->checkpoint);
  if (!opened.ok()) return "-";
  return Shown(opened->checkpoint.origin.substr(0, kMaxOrigin)) + " from " +
         std::to_string(request->old_size) + " to " + std::to_string(opened->checkpoint.size);
}

void SayAnswer(std::string_view body, const WitnessAnswer& answer) {
  std::string_view rest = answer.body;
  const std::string why = answer.status == 200               ? "cosigned"
                          : answer.content_type == kSizeType ? "cosigned before up to " + answer.body
                                                             : std::string(TakeLine(rest).value_or(""));
  Say(Asked(body) + ": " + std::to_string(answer.status) + " " + Shown(why.substr(0, why.find('\n'))));
}

// The port, for who started this; there is never half of it to be read.
bool WritePortFile(const std::string& path, int port) {
  const std::string temporary = path + ".new", text = std::to_string(port) + "\n";
  unlink(temporary.c_str());
  std::string why = WriteNewFile(temporary, text.data(), text.size());
  if (why.empty() && std::rename(temporary.c_str(), path.c_str()) != 0) why = Reason("rename", temporary);
  if (!why.empty()) Say(why);
  return why.empty();
}

}  // namespace

int MakeWitnessKey(const std::string& name, const std::string& path) {
  Wiped<1 + kSeed> bytes;
  bytes.data()[0] = static_cast<char>(KeyType::kCosignature);
  if (RAND_priv_bytes(bytes.bytes() + 1, kSeed) != 1) {
    Say("there is no randomness to make a key of");
    return kNotChecked;
  }
  const auto key = SigningKey::FromSeed(name, KeyType::kCosignature, bytes.view(1, kSeed));
  if (!key.ok()) {
    Say("--name: " + key.error());
    return kUsage;
  }
  const std::string head = std::string(kPrivate) + Short(key->verifier()) + "+";
  Wiped<kMaxKeyLine> line;
  static_assert(kPrivate.size() + 255 + 10 + kEncoded + 2 <= kMaxKeyLine);
  head.copy(line.data(), head.size());
  EVP_EncodeBlock(line.bytes() + head.size(), bytes.bytes(), 1 + kSeed);
  line.data()[head.size() + kEncoded] = '\n';
  if (const std::string why = WriteNewFile(path, line.data(), head.size() + kEncoded + 1); !why.empty()) {
    Say(why);
    return kNotChecked;
  }
  std::printf("%s\n", key->verifier().Text().c_str());
  return kGood;
}

int RunWitness(const WitnessOptions& options) {
  // The key never reaches a disk by itself.
  prctl(PR_SET_DUMPABLE, 0);
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  // Blocked in every thread; taken by sigwait below, so that no handler ever runs.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  std::vector<VerifierKey> logs;
  for (const std::string& argument : options.logs) {
    std::optional<VerifierKey> log;
    if (const int code = TakeKey(argument, KeyType::kEd25519, log); code != 0) return code;
    logs.push_back(*log);
  }
  auto key = ReadPrivateKey(options.key);
  if (!key.ok()) {
    Say(key.error());
    return kNotChecked;
  }
  auto memory = FolderMemory::Open(options.data);
  if (!memory.ok()) {
    Say(memory.error());
    return kNotChecked;
  }
  const std::string verifier = key->verifier().Text();
  Witness witness(std::move(*key), std::move(logs), **memory);
  WitnessServerOptions server_options;
  server_options.on_answer = &SayAnswer;
  const auto server = WitnessServer::Start(options.listen, witness, &NowSeconds, server_options);
  if (!server.ok()) {
    Say(server.error());
    return kNotChecked;
  }
  Say("witness " + verifier + " serves on port " + std::to_string((*server)->port()));
  if (!options.port_file.empty() && !WritePortFile(options.port_file, (*server)->port())) return kNotChecked;
  int signal = 0;
  sigwait(&signals, &signal);
  Say("stopped");
  return kGood;
}

}  // namespace waarborg::audit
