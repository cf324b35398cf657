// libsrt as a whole, which is one per process: started with the first listener, ended with the process.
#ifndef HEADGATE_SRT_LIBRARY_H_
#define HEADGATE_SRT_LIBRARY_H_

#include <cstdint>
#include <string>
#include <vector>

namespace headgate {

struct SrtLogLine {
  int level;  ///< of syslog
  std::string text;
};

/// Lines of libsrt's log that are handed on in a second; the rest is counted.
constexpr int kSrtLogLinesPerSecond = 10;

/// Starts libsrt once, its log going to take_srt_log(). False when it does not start.
bool start_srt();

/// Lines since the last call of anybody.
void take_srt_log(std::vector<SrtLogLine>& out);

/// `1.5.1`
std::string srt_version();

/// Whoever uses libsrt from a thread of his own says how to end it: before libsrt goes down with the
/// process, all that are registered are called, once. Process exit runs no hooks of Node's everywhere.
class SrtUser {
 public:
  virtual void end_with_process() = 0;

 protected:
  ~SrtUser() = default;
};
void add_srt_user(SrtUser* user);
void remove_srt_user(SrtUser* user);

}  // namespace headgate

#endif  // HEADGATE_SRT_LIBRARY_H_
