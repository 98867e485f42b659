// SPDX-License-Identifier: EUPL-1.2
#include "audit/note.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include "audit/checkpoint.h"
#include "audit/text.h"

namespace waarborg::audit {
namespace {

const std::string kDash = "\xE2\x80\x94 ";

std::string Bytes(std::string_view hex) {
  std::string out;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
    out += static_cast<char>(digit(hex[i]) << 4 | digit(hex[i + 1]));
  }
  return out;
}

std::string Hex(std::string_view bytes) {
  std::string out;
  for (char c : bytes) {
    out += "0123456789abcdef"[static_cast<uint8_t>(c) >> 4];
    out += "0123456789abcdef"[static_cast<uint8_t>(c) & 15];
  }
  return out;
}

std::string Flip(std::string bytes, size_t bit) {
  bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
  return bytes;
}

SigningKey Key(const std::string& name, KeyType type = KeyType::kEd25519, char seed = 's') {
  return *SigningKey::FromSeed(name, type, std::string(32, seed));
}

VerifierKey Known(std::string_view text) {
  auto key = VerifierKey::Parse(text);
  EXPECT_TRUE(key.ok()) << key.error();
  return *key;
}

// Ed25519 without the code under test.
std::string SignPlainly(const std::string& seed, const std::string& message) {
  EVP_PKEY* key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr,
                                               reinterpret_cast<const uint8_t*>(seed.data()), seed.size());
  EVP_MD_CTX* ctx = EVP_MD_CTX_new();
  std::string out(64, '\0');
  size_t size = out.size();
  EXPECT_EQ(EVP_DigestSignInit(ctx, nullptr, nullptr, nullptr, key), 1);
  EXPECT_EQ(EVP_DigestSign(ctx, reinterpret_cast<uint8_t*>(out.data()), &size,
                           reinterpret_cast<const uint8_t*>(message.data()), message.size()),
            1);
  EVP_MD_CTX_free(ctx);
  EVP_PKEY_free(key);
  return out;
}

// The vectors of Go's golang.org/x/mod/sumdb/note.
constexpr char kPeter[] = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
constexpr char kPeterSeed[] = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";  // behind the type's byte
constexpr char kEnoch[] = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop";
const std::string kText =
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const std::string kPeterLine =
    kDash +
    "PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
const std::string kEnochLine =
    kDash +
    "EnochRoot "
    "rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n";

// A checkpoint as it was published: two signatures of the log, one of them of a kind that is not known here,
// and the cosignatures of four public witnesses.
const std::string kPublished =
    "arche2025h1.staging.ct.transparency.dev\n1432088532\nU7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=\n\n" +
    kDash +
    "arche2025h1.staging.ct.transparency.dev "
    "zTM8sQAAAZ5W0WdjBAMARjBEAiBjW5IQf9pvsYLfQFX6hoGREPMHbdQ3urbllzalApkptQIgIpwtEroeW2BXaHAI4kJXFbon5Ch9MNL5"
    "zRNZ55lvGt0=\n" +
    kDash +
    "arche2025h1.staging.ct.transparency.dev "
    "ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3NygNI75MdhL1bfTW9g8Ei59RA23oHP7Ry1k3ZFWwQ=\n" +
    kDash +
    "transparency.dev/DEV:witness-little-garden "
    "2AQqhwAAAABqEiEgzgFIqqhbUoDwjMWE6UP8nd8/"
    "KYTzwZ2rhIgcqoXHAwVkjZr4AscylP3v7sEodkRAErumC2q44vdgJY096st5BQ==\n" +
    kDash +
    "witness1.smartit.nu/witness1 "
    "pIyCDwAAAABqEiEghIp82KWebrw7/oHQwlTAm3g2RKS4+eebl8eO0WH+/"
    "iEcxZ75W3u5hNI7TOQtmJbqmNWVuE0tgh0XwzdZsDsUAQ==\n" +
    kDash +
    "remora.n621.de "
    "2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXTynk5XeU/"
    "zZ0WBxtqB0DrAWfBw==\n" +
    kDash +
    "witness.stagemole.eu "
    "Z/euoAAAAABqEiEgw0i+7g2ENfDAWHmtRzCfKTHSDwYDJA2NmKeGi9Y8FtEyOUvVr+AJmIY/2TUFucgKi7lI7cUiOvKFYe/"
    "TmN9DAg==\n";
constexpr char kRemora[] = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2";
constexpr char kArche[] =
    "arche2025h1.staging.ct.transparency.dev+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f";

TEST(Ed25519, KnownAnswersOfRfc8032) {
  const struct {
    const char *seed, *public_key, *message, *signature;
  } kRows[] = {
      {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
       "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
       "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf"
       "5f05"
       "95bbe24655141438e7a100b"},
      {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
       "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
       "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2"
       "eaeb"
       "4302aeeb00d291612bb0c00"},
      {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
       "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
       "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c1"
       "5e97"
       "16ed28dc027beceea1ec40a"},
  };
  for (const auto& row : kRows) {
    const auto key = SigningKey::FromSeed("rfc8032", KeyType::kEd25519, Bytes(row.seed));
    ASSERT_TRUE(key.ok()) << key.error();
    EXPECT_EQ(Hex(key->verifier().public_key()), row.public_key);
    const Signature s = key->Sign(Bytes(row.message));
    EXPECT_EQ(Hex(s.blob), row.signature);
    EXPECT_TRUE(Verify(key->verifier(), Bytes(row.message), s, nullptr));
    EXPECT_FALSE(Verify(key->verifier(), Bytes(row.message) + "x", s, nullptr));
  }
}

TEST(Ed25519, ASeedOfAnotherLengthAndAnUnfitNameAreRefused) {
  for (size_t size : {0u, 31u, 33u, 64u}) {
    EXPECT_FALSE(SigningKey::FromSeed("name", KeyType::kEd25519, std::string(size, 's')).ok()) << size;
  }
  for (const char* name : {"", "a b", "a+b", "a\nb", "a\tb", "\xC2\xA0", "a\xE3\x80\x80", "\xFF"}) {
    EXPECT_FALSE(SigningKey::FromSeed(name, KeyType::kEd25519, std::string(32, 's')).ok()) << name;
  }
  EXPECT_FALSE(VerifierKey::Make("name", KeyType::kEd25519, std::string(31, 'k')).ok());
  EXPECT_FALSE(VerifierKey::Make("name", KeyType::kEd25519, std::string(33, 'k')).ok());
}

TEST(VerifierKey, KnownAnswersReadAndPrintBack) {
  for (const char* text : {kPeter, kEnoch, kArche, kRemora}) EXPECT_EQ(Known(text).Text(), text);
  EXPECT_EQ(Known(kPeter).name(), "PeterNeumann");
  EXPECT_EQ(Known(kPeter).type(), KeyType::kEd25519);
  EXPECT_EQ(Known(kPeter).id(), (KeyId{0xc7, 0x4f, 0x20, 0xa3}));
  EXPECT_EQ(Known(kRemora).type(), KeyType::kCosignature);
  // One key, two kinds of signature: two ids.
  const VerifierKey log = Key("name").verifier(), witness = Key("name", KeyType::kCosignature).verifier();
  EXPECT_EQ(log.public_key(), witness.public_key());
  EXPECT_NE(log.id(), witness.id());
}

TEST(VerifierKey, EveryPartOfOneAndEveryCharacterChangedIsRefused) {
  for (const std::string key : {kPeter, kRemora}) {
    for (size_t i = 0; i <= key.size(); ++i) {
      for (size_t j = i; j <= key.size(); ++j) {
        if (i == 0 && j == key.size()) continue;
        ASSERT_FALSE(VerifierKey::Parse(key.substr(i, j - i)).ok()) << key.substr(i, j - i);
      }
    }
    for (size_t bit = 0; bit < key.size() * 8; ++bit) {
      ASSERT_FALSE(VerifierKey::Parse(Flip(key, bit)).ok()) << Flip(key, bit);
    }
  }
}

TEST(VerifierKey, OtherSpellingsAreRefused) {
  const std::string key = kPeter;
  for (const std::string& bad : {
           std::string("PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY=="),
           std::string("PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"),
           std::string("PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"),
           key + "\n",
           key + " ",
           " " + key,
           key + "=",
           key + std::string(1, '\0'),
           "+c74f20a3" + key.substr(21),
           std::string("++++++++++++"),
           std::string("rekor.sigstore.dev+12345678+AwEB"),
           std::string("name+00000000+"),
           std::string("name+00000000"),
       }) {
    EXPECT_FALSE(VerifierKey::Parse(bad).ok()) << bad;
  }
}

TEST(Note, KnownAnswerIsSignedReadAndVerified) {
  const auto seed = FromBase64(kPeterSeed);
  ASSERT_TRUE(seed && seed->size() == 33 && (*seed)[0] == 1);
  const auto peter = SigningKey::FromSeed("PeterNeumann", KeyType::kEd25519, seed->substr(1));
  ASSERT_TRUE(peter.ok()) << peter.error();
  EXPECT_EQ(peter->verifier().Text(), kPeter);
  EXPECT_EQ((Note{kText, {peter->Sign(kText)}}.Text()), kText + "\n" + kPeterLine);

  const std::string bytes = kText + "\n" + kPeterLine + kEnochLine;
  const auto note = Note::Parse(bytes);
  ASSERT_TRUE(note.ok()) << note.error();
  EXPECT_EQ(note->text, kText);
  EXPECT_EQ(note->Text(), bytes);
  ASSERT_EQ(note->signatures.size(), 2u);
  EXPECT_TRUE(FindSignature(*note, Known(kPeter)).ok());
  EXPECT_TRUE(FindSignature(*note, Known(kEnoch)).ok());
}

TEST(Note, TheCheckpointOfAPublicLogWithItsWitnessesReads) {
  const auto read = ReadCheckpoint(kPublished);
  ASSERT_TRUE(read.ok()) << read.error();
  EXPECT_EQ(read->note.Text(), kPublished);
  EXPECT_EQ(read->note.signatures.size(), 6u);
  EXPECT_EQ(read->checkpoint.origin, "arche2025h1.staging.ct.transparency.dev");
  EXPECT_EQ(read->checkpoint.size, 1432088532u);

  uint64_t seconds = 0;
  const auto found = FindSignature(read->note, Known(kRemora), &seconds);
  ASSERT_TRUE(found.ok()) << found.error();
  EXPECT_EQ(seconds, 1779573024u);
  const auto count =
      CountCosignatures(read->note, {Known(kRemora), Key("w", KeyType::kCosignature).verifier()});
  ASSERT_TRUE(count.ok()) << count.error();
  EXPECT_EQ(*count, 1u);
  EXPECT_TRUE(OpenCheckpoint(kPublished, Known(kArche)).ok());
  EXPECT_FALSE(OpenCheckpoint(kPublished, Known(kRemora)).ok());
  // What it was cosigned for is this text and no other.
  for (size_t bit = 0; bit < read->note.text.size() * 8; ++bit) {
    const Note other{Flip(read->note.text, bit), read->note.signatures};
    ASSERT_FALSE(FindSignature(other, Known(kRemora)).ok()) << bit;
  }
}

TEST(Note, ACosignatureIsWhatTheSpecificationSays) {
  const std::string text = "example.com/log\n3\n" + Base64(std::string(32, 'r')) + "\n";
  const SigningKey witness = Key("witness.example/w1", KeyType::kCosignature, 'w');
  for (const uint64_t seconds : {uint64_t{0}, uint64_t{1}, uint64_t{1679315147}, uint64_t{0x0102030405060708},
                                 uint64_t{1} << 62, (uint64_t{1} << 63) - 1}) {
    const Signature s = witness.Cosign(text, seconds);
    ASSERT_EQ(s.blob.size(), 72u);
    std::string big_endian;
    for (int i = 7; i >= 0; --i) big_endian += static_cast<char>(seconds >> (8 * i));
    EXPECT_EQ(Hex(s.blob.substr(0, 8)), Hex(big_endian));
    const std::string message = "cosignature/v1\ntime " + std::to_string(seconds) + "\n" + text;
    EXPECT_EQ(Hex(s.blob.substr(8)), Hex(SignPlainly(std::string(32, 'w'), message)));
    uint64_t back = 7;
    EXPECT_TRUE(Verify(witness.verifier(), text, s, &back));
    EXPECT_EQ(back, seconds);
    for (size_t bit = 0; bit < s.blob.size() * 8; ++bit) {
      ASSERT_FALSE(Verify(witness.verifier(), text, {s.name, s.id, Flip(s.blob, bit)}, nullptr)) << bit;
    }
  }
}

// The specification's bound: "It MUST NOT exceed 2^63 - 1".
TEST(Note, ACosignatureOfATimeBeyondTheSpecificationIsWrong) {
  const std::string text = "example.com/log\n3\n" + Base64(std::string(32, 'r')) + "\n";
  const SigningKey witness = Key("witness.example/w1", KeyType::kCosignature, 'w');
  for (const uint64_t seconds : {uint64_t{1} << 63, UINT64_MAX}) {
    EXPECT_FALSE(Verify(witness.verifier(), text, witness.Cosign(text, seconds), nullptr)) << seconds;
  }
}

TEST(Note, ASignatureOfOneKindIsNotOneOfTheOther) {
  const std::string text = "text\n";
  const SigningKey log = Key("name"), witness = Key("name", KeyType::kCosignature);
  // The right id over the wrong kind, in both directions, and lengths that are not the kind's.
  const Signature signature = log.Sign(text), cosignature = witness.Cosign(text, 7);
  EXPECT_FALSE(Verify(witness.verifier(), text, {"name", witness.verifier().id(), signature.blob}, nullptr));
  EXPECT_FALSE(Verify(log.verifier(), text, {"name", log.verifier().id(), cosignature.blob}, nullptr));
  EXPECT_FALSE(
      Verify(log.verifier(), text, {"name", log.verifier().id(), cosignature.blob.substr(8)}, nullptr));
  for (const size_t size : {0u, 1u, 63u, 65u, 72u}) {
    std::string blob = signature.blob;
    blob.resize(size);
    EXPECT_FALSE(Verify(log.verifier(), text, {"name", log.verifier().id(), blob}, nullptr)) << size;
  }
  for (const size_t size : {0u, 8u, 64u, 71u, 73u}) {
    std::string blob = cosignature.blob;
    blob.resize(size);
    EXPECT_FALSE(Verify(witness.verifier(), text, {"name", witness.verifier().id(), blob}, nullptr)) << size;
  }
}

TEST(Note, WhatTheSpecificationForbidsIsRefused) {
  const std::string line = kPeterLine, text = kText;
  std::string many;
  for (int i = 0; i < 65; ++i) many += line;
  const struct {
    const char* what;
    std::string bytes;
  } kRows[] = {
      {"nothing at all", ""},
      {"only a newline", "\n"},
      {"only an empty line and a signature", "\n" + line},
      {"no signature", text},
      {"no signature behind the empty line", text + "\n"},
      {"no newline at the end", text + "\n" + line.substr(0, line.size() - 1)},
      {"no empty line", text + line},
      {"text without a newline at its end", "text\n" + line},
      {"a control character", "\x01" + text + "\n" + line},
      {"a tab", "a\tb\n\n" + line},
      {"a null", std::string("a\0b\n\n", 5) + line},
      {"a carriage return in the text", "a\r\n\n" + line},
      {"CRLF throughout", "a\r\n\r\n" + line.substr(0, line.size() - 1) + "\r\n"},
      {"CRLF behind the signature", "a\n\n" + line.substr(0, line.size() - 1) + "\r\n"},
      {"delete", "a\x7F\n\n" + line},
      {"a control character of Latin-1", "a\xC2\x85\n\n" + line},
      {"a byte that is not UTF-8", "\xFF" + text + "\n" + line},
      {"a byte of continuation alone", "a\x80\n\n" + line},
      {"a rune cut off by a newline", "a\xC3\n\n" + line},
      {"an overlong slash, two bytes", "a\xC0\xAF\n\n" + line},
      {"an overlong slash, three bytes", "a\xE0\x80\xAF\n\n" + line},
      {"an overlong slash, four bytes", "a\xF0\x80\x80\xAF\n\n" + line},
      {"a surrogate", "a\xED\xA0\x80\n\n" + line},
      {"the last surrogate", "a\xED\xBF\xBF\n\n" + line},
      {"beyond Unicode", "a\xF4\x90\x80\x80\n\n" + line},
      {"a byte that begins no rune", "a\xF8\x88\x80\x80\x80\n\n" + line},
      {"a line that is no signature", text + "\n" + line + "Unexpected line.\n"},
      {"a line that is no signature first", text + "\nUnexpected line.\n" + line},
      {"a hyphen for a dash", text + "\n- " + line.substr(4)},
      {"an en dash", text + "\n\xE2\x80\x93 " + line.substr(4)},
      {"no space behind the dash", text + "\n\xE2\x80\x94" + line.substr(4)},
      {"two spaces behind the dash", text + "\n" + kDash + " " + line.substr(4)},
      {"a space at the end", text + "\n" + line.substr(0, line.size() - 1) + " \n"},
      {"a name with a space", text + "\n" + kDash + "Bad Name " + line.substr(17)},
      {"a name with a plus", text + "\n" + kDash + "Bad+Name " + line.substr(17)},
      {"a name with a no-break space", text + "\n" + kDash + "Bad\xC2\xA0Name " + line.substr(17)},
      {"a name with an en space", text + "\n" + kDash + "Bad\xE2\x80\x82Name " + line.substr(17)},
      {"a name with a line separator", text + "\n" + kDash + "Bad\xE2\x80\xA8Name " + line.substr(17)},
      {"a name with a mathematical space", text + "\n" + kDash + "Bad\xE2\x81\x9FName " + line.substr(17)},
      {"a name with an ideographic space", text + "\n" + kDash + "Bad\xE3\x80\x80Name " + line.substr(17)},
      {"no name", text + "\n" + kDash + " " + line.substr(17)},
      {"no signature behind the name", text + "\n" + kDash + "Name \n"},
      {"only a name", text + "\n" + kDash + "Name\n"},
      {"only a dash", text + "\n" + kDash + "\n"},
      {"a key id and nothing else", text + "\n" + kDash + "Name AAAAAA==\n"},
      {"less than a key id", text + "\n" + kDash + "Name AAAA\n"},
      {"no padding", text + "\n" + kDash + "Name AAAAAAA\n"},
      {"padding too much", text + "\n" + kDash + "Name AAAAAAA==\n"},
      {"a spare bit", text + "\n" + kDash + "Name AAAAAAB=\n"},
      {"base64 for URLs", text + "\n" + kDash + "Name AAAA-_A=\n"},
      {"more than 64 signatures", text + "\n" + many},
      {"more than a mebibyte", std::string(size_t{1} << 20, 'a') + "\n\n" + line},
  };
  ASSERT_TRUE(Note::Parse(text + "\n" + line).ok());
  for (const auto& row : kRows) EXPECT_FALSE(Note::Parse(row.bytes).ok()) << row.what;
  EXPECT_TRUE(Note::Parse(text + "\n" + kDash + "Name AAAAAAA=\n").ok());
}

TEST(Note, WhatTheSpecificationAllowsIsRead) {
  std::string sixteen, sixty_four;
  for (int i = 0; i < 64; ++i) {
    const std::string line = kDash + "key" + std::to_string(i) + " AAAAAAA=\n";
    sixty_four += line;
    if (i < 16) sixteen += line;
  }
  const struct {
    const char* what;
    std::string bytes, text;
    size_t signatures;
  } kRows[] = {
      {"empty lines inside the text", "a\n\nb\n\n\n\nc\n\n" + kPeterLine, "a\n\nb\n\n\n\nc\n", 1},
      {"an empty line at the text's end", "a\n\n\n" + kPeterLine, "a\n\n", 1},
      {"an empty line alone", "\n\n" + kPeterLine, "\n", 1},
      {"a signature line inside the text", "a\n\n" + kEnochLine + "\n" + kPeterLine, "a\n\n" + kEnochLine, 1},
      {"every length of a rune",
       "a\xC2\xA0\xDF\xBF\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF"
       "\xF0\x90\x80\x80\xF4\x8F\xBF\xBF\n\n" +
           kPeterLine,
       "a\xC2\xA0\xDF\xBF\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF\xF0\x90\x80\x80\xF4\x8F\xBF\xBF\n",
       1},
      {"sixteen signatures", "a\n\n" + sixteen, "a\n", 16},
      {"sixty-four signatures", "a\n\n" + sixty_four, "a\n", 64},
      {"one signature twice", "a\n\n" + kPeterLine + kPeterLine, "a\n", 2},
      {"a signature of a quantum computer's age",
       "a\n\n" + kDash + "pq " + Base64(std::string(4 + 4627, 'q')) + "\n", "a\n", 1},
      {"names in other scripts", "a\n\n" + kDash + "\xE6\x97\xA5\xE6\x9C\xAC AAAAAAA=\n", "a\n", 1},
      // U+2019 stands in the same block as the spaces from U+2000 to U+200A, and is none.
      {"a name with an apostrophe", "a\n\n" + kDash + "Peter\xE2\x80\x99s AAAAAAA=\n", "a\n", 1},
      {"a name with a dash",
       "a\n\n" + kDash +
           "a\xE2\x80\x94"
           "b AAAAAAA=\n",
       "a\n", 1},
  };
  for (const auto& row : kRows) {
    const auto note = Note::Parse(row.bytes);
    ASSERT_TRUE(note.ok()) << row.what << ": " << note.error();
    EXPECT_EQ(note->text, row.text) << row.what;
    EXPECT_EQ(note->signatures.size(), row.signatures) << row.what;
    EXPECT_EQ(note->Text(), row.bytes) << row.what;
  }
}

TEST(Signatures, OfUnknownKeysAreIgnoredWhereverTheyStand) {
  const SigningKey log = Key("example.com/log"), other = Key("example.com/log", KeyType::kEd25519, 'o');
  const Signature own = log.Sign(kText);
  // The name with another id, the id with another name, and noise.
  std::vector<Signature> noise = {other.Sign(kText),
                                  {"example.com/other", own.id, own.blob},
                                  {own.name, {1, 2, 3, 4}, own.blob},
                                  {"x", {0, 0, 0, 0}, "short"},
                                  Key("w", KeyType::kCosignature).Cosign(kText, 1)};
  for (size_t at = 0; at <= noise.size(); ++at) {
    std::vector<Signature> all = noise;
    all.insert(all.begin() + static_cast<ptrdiff_t>(at), own);
    const auto note = Note::Parse(Note{kText, all}.Text());
    ASSERT_TRUE(note.ok()) << note.error();
    const auto found = FindSignature(*note, log.verifier());
    ASSERT_TRUE(found.ok()) << found.error();
    EXPECT_EQ(found->blob, own.blob);
  }
  EXPECT_FALSE(FindSignature({kText, noise}, log.verifier()).ok());
  for (const Signature& other_name : noise) EXPECT_FALSE(Verify(log.verifier(), kText, other_name, nullptr));
  EXPECT_FALSE(FindSignature({kText, {}}, log.verifier()).ok());
}

TEST(Signatures, AWrongOneOfAKnownKeyRejectsEvenBesideAGoodOne) {
  const SigningKey log = Key("example.com/log");
  const Signature good = log.Sign(kText);
  Signature bad = good;
  bad.blob = Flip(bad.blob, 77);
  EXPECT_TRUE(FindSignature({kText, {good}}, log.verifier()).ok());
  EXPECT_FALSE(FindSignature({kText, {bad}}, log.verifier()).ok());
  EXPECT_FALSE(FindSignature({kText, {good, bad}}, log.verifier()).ok());
  EXPECT_FALSE(FindSignature({kText, {bad, good}}, log.verifier()).ok());
  EXPECT_FALSE(FindSignature({kText, {good, good}}, log.verifier()).ok());
  EXPECT_FALSE(FindSignature({kText + "more\n", {good}}, log.verifier()).ok());
}

TEST(Checkpoint, HasThreeLinesAndOneSpelling) {
  const std::string root = Base64(View(LeafHash("entry"))), empty = Base64(View(EmptyRoot()));
  const auto good = Checkpoint::Parse("example.com/log\n1\n" + root + "\n");
  ASSERT_TRUE(good.ok()) << good.error();
  EXPECT_EQ(good->origin, "example.com/log");
  EXPECT_EQ(good->size, 1u);
  EXPECT_EQ(good->root, LeafHash("entry"));
  EXPECT_EQ(good->Body(), "example.com/log\n1\n" + root + "\n");
  EXPECT_TRUE(Checkpoint::Parse("o\n0\n" + empty + "\n").ok());
  EXPECT_TRUE(Checkpoint::Parse("an origin with spaces +\n9223372036854775807\n" + root + "\n").ok());
  for (const std::string& bad : {
           std::string(),
           std::string("\n\n\n"),
           "o\n1\n" + root,                            // no newline at the end
           "o\n1\n" + root + "\n\n",                   // an empty line more
           "o\n1\n" + root + "\nan extension\n",       // extension lines are not ours
           "\n1\n" + root + "\n",                      // no origin
           "o\n" + root + "\n",                        // no size
           std::string("o\n1\n"),                      // no root
           "o\n\n" + root + "\n",                      // an empty size
           "o\n01\n" + root + "\n",                    // a leading zero
           "o\n+1\n" + root + "\n",                    // a sign
           "o\n-1\n" + root + "\n",                    //
           "o\n 1\n" + root + "\n",                    // spaces
           "o\n1 \n" + root + "\n",                    //
           "o\n0x1\n" + root + "\n",                   // another base
           "o\n9223372036854775808\n" + root + "\n",   // 2^63
           "o\n18446744073709551617\n" + root + "\n",  // 2^64 + 1
           "o\n1\n" + root.substr(0, 43) + "\n",       // no padding
           "o\n1\n" + root + "=\n",                    // padding too much
           "o\n1\n " + root + "\n",                    //
           "o\n1\n" + Base64(std::string(31, 'r')) + "\n",
           "o\n1\n" + Base64(std::string(33, 'r')) + "\n",
           "o\n0\n" + root + "\n",  // an empty log has the empty tree's root
           "o\n1\r\n" + root + "\r\n",
       }) {
    EXPECT_FALSE(Checkpoint::Parse(bad).ok()) << bad;
  }
}

TEST(Checkpoint, ASpareBitInTheRootIsRefused) {
  const std::string root = Base64(std::string(32, '\0'));
  ASSERT_TRUE(Checkpoint::Parse("o\n1\n" + root + "\n").ok());
  std::string spare = root;
  spare[42] = 'B';  // the last two bits of the last character but one belong to no byte
  EXPECT_FALSE(Checkpoint::Parse("o\n1\n" + spare + "\n").ok());
}

TEST(Checkpoint, OpensWithItsOwnLogsKeyOnly) {
  const SigningKey log = Key("example.com/log");
  const Checkpoint c{"example.com/log", 1, LeafHash("entry")};
  const std::string bytes = Note{c.Body(), {log.Sign(c.Body())}}.Text();
  ASSERT_TRUE(OpenCheckpoint(bytes, log.verifier()).ok());
  EXPECT_FALSE(OpenCheckpoint(bytes, Key("example.com/log", KeyType::kEd25519, 'x').verifier()).ok());
  EXPECT_FALSE(OpenCheckpoint(bytes, Key("example.com/other").verifier()).ok());
  EXPECT_FALSE(OpenCheckpoint(bytes, Key("example.com/log", KeyType::kCosignature).verifier()).ok());
  // Another log's checkpoint that this log has signed all the same.
  const Checkpoint other{"example.com/other", 1, LeafHash("entry")};
  EXPECT_FALSE(OpenCheckpoint(Note{other.Body(), {log.Sign(other.Body())}}.Text(), log.verifier()).ok());
  // A witness's key of the log's own name cannot stand in for the log's.
  const SigningKey witness = Key("example.com/log", KeyType::kCosignature);
  EXPECT_FALSE(OpenCheckpoint(Note{c.Body(), {witness.Cosign(c.Body(), 1)}}.Text(), witness.verifier()).ok());
}

TEST(Checkpoint, NoBitOfASignedOneCanChange) {
  const SigningKey log = Key("example.com/log"), witness = Key("w.example", KeyType::kCosignature, 'w');
  const Checkpoint c{"example.com/log", 257, LeafHash("entry")};
  const std::string bytes = Note{c.Body(), {log.Sign(c.Body()), witness.Cosign(c.Body(), 1700000000)}}.Text();
  const std::vector<VerifierKey> witnesses = {witness.verifier()};
  const size_t mine = bytes.find("\n" + kDash + "w.example");
  size_t unread = 0, unsigned_by_log = 0, unsigned_by_witness = 0;
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    const std::string changed = Flip(bytes, bit);
    const auto opened = OpenCheckpoint(changed, log.verifier());
    if (!opened.ok()) {
      ++(ReadCheckpoint(changed).ok() ? unsigned_by_log : unread);
      continue;
    }
    // The witness's line is its own matter: the log's signature does not cover it.
    ASSERT_GE(bit / 8, mine) << bit;
    const auto count = CountCosignatures(opened->note, witnesses);
    ASSERT_TRUE(!count.ok() || *count == 0) << bit;
    ++unsigned_by_witness;
  }
  EXPECT_GT(unread, 0u);
  EXPECT_GT(unsigned_by_log, 0u);
  EXPECT_GT(unsigned_by_witness, 0u);
}

TEST(Checkpoint, CosignaturesAreCountedOncePerWitness) {
  const SigningKey log = Key("example.com/log"), a = Key("a", KeyType::kCosignature, 'a'),
                   b = Key("b", KeyType::kCosignature, 'b'), c = Key("c", KeyType::kCosignature, 'c');
  const std::string text = "example.com/log\n1\n" + Base64(View(LeafHash("entry"))) + "\n";
  const Note note{text, {log.Sign(text), a.Cosign(text, 1), b.Cosign(text, 2)}};
  const auto count = [](const Note& n, const std::vector<VerifierKey>& keys) -> std::string {
    const auto number = CountCosignatures(n, keys);
    return number.ok() ? std::to_string(*number) : "error";
  };
  EXPECT_EQ(count(note, {}), "0");
  EXPECT_EQ(count(note, {a.verifier()}), "1");
  EXPECT_EQ(count(note, {a.verifier(), b.verifier(), c.verifier()}), "2");
  // One witness named twice is one witness.
  EXPECT_EQ(count(note, {a.verifier(), a.verifier()}), "1");
  // The log is no witness of its own.
  EXPECT_NE(count(note, {log.verifier()}), "1");
  Note wrong = note;
  wrong.signatures[2].blob = Flip(wrong.signatures[2].blob, 0);
  EXPECT_EQ(count(wrong, {a.verifier()}), "1");
  EXPECT_EQ(count(wrong, {a.verifier(), b.verifier()}), "error");
  Note twice = note;
  twice.signatures.push_back(a.Cosign(text, 3));
  EXPECT_EQ(count(twice, {a.verifier()}), "error");
}

TEST(Text, Base64HasOneSpelling) {
  for (const auto& [text, bytes] : std::vector<std::pair<std::string, std::string>>{
           {"", ""},
           {"Zg==", "f"},
           {"Zm8=", "fo"},
           {"Zm9v", "foo"},
           {"Zm9vYg==", "foob"},
           {"Zm9vYmE=", "fooba"},
           {"Zm9vYmFy", "foobar"},
           {"+/+/", "\xFB\xFF\xBF"},
           {"AAAA", std::string(3, '\0')},
           {"AA==", std::string(1, '\0')},
       }) {
    EXPECT_EQ(Base64(bytes), text);
    EXPECT_EQ(FromBase64(text), bytes) << text;
  }
  for (const char* bad :
       {"Z",        "Zg",     "Zg=",      "Zg===",   "Zh==",     "Zm9=",      "Zm9v=",        "=",
        "==",       "====",   "=Zg=",     "Z=g=",    "Zg==Zg==", "Zm8=Zm9v",  "-_-_",         " Zm9v",
        "Zm9v ",    "Zm9v\n", "Zm9v\r\n", "Zm 9v",   "Zm\n9",    "Zm9vYmF\n", "Zm9v\t\t\t\t", "Zm9v    ",
        "    Zm9v", "\nm9v",  "Zm9!",     "Zm9\xC3", "Zm9v-Zm9", "A===",      "....",         "AA=A"}) {
    EXPECT_FALSE(FromBase64(bad)) << bad;
  }
  EXPECT_FALSE(FromBase64(std::string("Zm9\0", 4)));
  EXPECT_FALSE(FromBase64(std::string((size_t{1} << 20) + 4, 'A')));
  // Every byte in every place, and every two last characters: what reads prints back the same.
  for (int a = 0; a < 256; ++a) {
    for (int b = 0; b < 256; ++b) {
      for (const char* end : {"", "="}) {
        std::string text = *end == '\0' ? "AA" : "A";
        text += static_cast<char>(a);
        text += static_cast<char>(b);
        text += end;
        const auto bytes = FromBase64(text);
        ASSERT_TRUE(!bytes || Base64(*bytes) == text) << text;
      }
    }
  }
}

TEST(Text, ANumberHasOneSpelling) {
  for (const uint64_t n : {uint64_t{0}, uint64_t{1}, uint64_t{9}, uint64_t{10}, uint64_t{256},
                           uint64_t{1000000000000000000}, (uint64_t{1} << 63) - 1}) {
    EXPECT_EQ(Decimal(std::to_string(n)), n);
  }
  for (const char* bad : {"",
                          "00",
                          "01",
                          "000000000000000000001",
                          "+1",
                          "-1",
                          "-0",
                          " 1",
                          "1 ",
                          "1\n",
                          "1.0",
                          "1e3",
                          "0x10",
                          "1_0",
                          "\xD9\xA1",
                          "a",
                          "9223372036854775808",
                          "9999999999999999999",
                          "18446744073709551615",
                          "18446744073709551616",
                          "18446744073709551617",
                          "100000000000000000000"}) {
    EXPECT_FALSE(Decimal(bad)) << bad;
  }
  EXPECT_FALSE(Decimal(std::string("1\0", 2)));
}

TEST(Text, ALineEndsWithANewlineAndNothingElse) {
  std::string_view text = "a\n\nb\r\nc";
  EXPECT_EQ(TakeLine(text), "a");
  EXPECT_EQ(TakeLine(text), "");
  EXPECT_EQ(TakeLine(text), "b\r");
  EXPECT_FALSE(TakeLine(text));
  EXPECT_EQ(text, "c");
}

}  // namespace
}  // namespace waarborg::audit
