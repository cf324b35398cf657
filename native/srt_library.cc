#include "srt_library.h"

#include <srt.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <mutex>

namespace headgate {

namespace {

using Clock = std::chrono::steady_clock;

/// Longer lines are cut: none of libsrt's own is.
constexpr size_t kLineBytesMax = 512;
/// Lines kept for somebody to take; when no listener runs, nobody does.
constexpr size_t kLinesMax = 64;

struct Library {
  std::mutex mutex;
  bool started = false;
  std::vector<SrtUser*> users;

  std::mutex log_mutex;
  std::vector<SrtLogLine> lines;
  Clock::time_point second;
  int lines_in_second = 0;
  uint64_t left_out = 0;
};

// Never destroyed: threads of libsrt may log until the very end.
Library& library() {
  static Library* const one = new Library();
  return *one;
}

void keep_line(void*, int level, const char*, int, const char*, const char* message) {
  Library& own = library();
  const std::lock_guard<std::mutex> lock(own.log_mutex);
  const Clock::time_point now = Clock::now();
  if (now - own.second >= std::chrono::seconds(1)) {
    own.second = now;
    own.lines_in_second = 0;
  }
  if (++own.lines_in_second > kSrtLogLinesPerSecond || own.lines.size() == kLinesMax) {
    own.left_out++;
    return;
  }
  std::string text(message);
  text.resize(std::min(text.size(), kLineBytesMax));
  for (char& byte : text) {
    // A stream id of a stranger may stand in it.
    if (byte < ' ' || byte > '~') byte = ' ';
  }
  text.resize(text.find_last_not_of(' ') + 1);
  text.erase(0, text.find_first_not_of(": "));
  own.lines.push_back({level, std::move(text)});
}

void end_all() {
  Library& own = library();
  std::vector<SrtUser*> users;
  {
    const std::lock_guard<std::mutex> lock(own.mutex);
    users = own.users;
  }
  for (SrtUser* user : users) user->end_with_process();
  srt_cleanup();
}

}  // namespace

bool start_srt() {
  Library& own = library();
  const std::lock_guard<std::mutex> lock(own.mutex);
  if (own.started) return true;
  // Rejections alone are logged as warnings, one per handshake: a flood of them is told by events.
  srt_setloglevel(LOG_ERR);
  srt_setlogflags(SRT_LOGF_DISABLE_TIME | SRT_LOGF_DISABLE_THREADNAME | SRT_LOGF_DISABLE_SEVERITY |
                  SRT_LOGF_DISABLE_EOL);
  srt_setloghandler(nullptr, &keep_line);
  if (srt_startup() < 0) return false;
  // Registered after libsrt's own statics are there, and so called before they go.
  std::atexit(&end_all);
  own.started = true;
  return true;
}

void take_srt_log(std::vector<SrtLogLine>& out) {
  Library& own = library();
  const std::lock_guard<std::mutex> lock(own.log_mutex);
  out.swap(own.lines);
  if (own.left_out > 0 && Clock::now() - own.second >= std::chrono::seconds(1)) {
    out.push_back({LOG_WARNING, std::to_string(own.left_out) + " more lines of libsrt were left out"});
    own.left_out = 0;
  }
}

std::string srt_version() {
  const uint32_t version = srt_getversion();
  return std::to_string(version >> 16) + "." + std::to_string((version >> 8) & 255) + "." +
         std::to_string(version & 255);
}

void add_srt_user(SrtUser* user) {
  Library& own = library();
  const std::lock_guard<std::mutex> lock(own.mutex);
  own.users.push_back(user);
}

void remove_srt_user(SrtUser* user) {
  Library& own = library();
  const std::lock_guard<std::mutex> lock(own.mutex);
  own.users.erase(std::remove(own.users.begin(), own.users.end(), user), own.users.end());
}

}  // namespace headgate
