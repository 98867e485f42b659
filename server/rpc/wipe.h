// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "server/base/secret.h"

namespace waarborg::rpc {

// Overwrites what is secret in a message, by the names such fields have in the API.
template <class Message>
void WipeSecrets(Message& m) {
  if constexpr (requires { m.mutable_password(); }) base::Wipe(*m.mutable_password());
  if constexpr (requires { m.mutable_code(); }) base::Wipe(*m.mutable_code());
  if constexpr (requires { m.mutable_first_half(); }) base::Wipe(*m.mutable_first_half());
  if constexpr (requires { m.mutable_second_half(); }) base::Wipe(*m.mutable_second_half());
  if constexpr (requires { m.mutable_enrolment_half(); }) base::Wipe(*m.mutable_enrolment_half());
  if constexpr (requires { m.mutable_token(); }) base::Wipe(*m.mutable_token());
  if constexpr (requires { m.mutable_replaces(); }) base::Wipe(*m.mutable_replaces());
  if constexpr (requires { m.mutable_otpauth_uri(); }) base::Wipe(*m.mutable_otpauth_uri());
}

}  // namespace waarborg::rpc
