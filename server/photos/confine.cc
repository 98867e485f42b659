// SPDX-License-Identifier: EUPL-1.2
#include "server/photos/confine.h"

#include <fcntl.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace waarborg::photos {
namespace {

bool Limit(__rlimit_resource resource, rlim_t value) {
  const rlimit limit{value, value};
  return setrlimit(resource, &limit) == 0;
}

// What is left: the pipes it holds, memory, and ending.
constexpr int kAllowed[] = {SCMP_SYS(read),    SCMP_SYS(write),      SCMP_SYS(brk),
                            SCMP_SYS(mmap),    SCMP_SYS(munmap),     SCMP_SYS(mremap),
                            SCMP_SYS(madvise), SCMP_SYS(mprotect),   SCMP_SYS(futex),
                            SCMP_SYS(exit),    SCMP_SYS(exit_group), SCMP_SYS(rt_sigreturn),
                            SCMP_SYS(fstat),   SCMP_SYS(newfstatat), SCMP_SYS(clock_gettime)};

bool Filter() {
  scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
  if (filter == nullptr) return false;
  bool ok = true;
  for (int call : kAllowed) ok = ok && seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0) == 0;
  ok = ok && seccomp_load(filter) == 0;
  seccomp_release(filter);
  return ok;
}

}  // namespace

bool Confine(const Confinement& limits) {
  if (!kConfines) return true;
  return close_range(3, ~0U, 0) == 0 && prctl(PR_SET_DUMPABLE, 0) == 0 &&
         prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && Limit(RLIMIT_CORE, 0) && Limit(RLIMIT_FSIZE, 0) &&
         Limit(RLIMIT_AS, limits.memory_bytes) && Limit(RLIMIT_CPU, limits.cpu_seconds) && Filter();
}

}  // namespace waarborg::photos
