// Events of an SRT listener on their way to JavaScript. Any thread may push; the listener's own takes
// them in batches.
//
// What must not be lost is never dropped: accepted and closed connections, whose number is bounded by
// the connections themselves. The rest is bounded here: equal refusals become one with a count, and
// refusals and log lines past the bound are only counted.
#ifndef HEADGATE_SRT_EVENT_QUEUE_H_
#define HEADGATE_SRT_EVENT_QUEUE_H_

#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "srt_stream_id.h"

namespace headgate {

enum class SrtEventType : uint8_t { accepted, refused, closed, log, lost };

/// How a connection ended.
enum class SrtHow : uint8_t { peer, timeout, broken, local };

struct SrtEvent {
  explicit SrtEvent(SrtEventType what) : type(what) {}

  SrtEventType type;
  double id = 0;  ///< accepted, closed
  // accepted, refused
  std::string ip;
  uint16_t port = 0;
  bool play = false;
  // accepted
  bool mode_given = false;
  bool encrypted = false;
  std::string app;
  std::string name;
  std::string key;
  // refused
  uint16_t code = 0;
  int32_t cause = 0;
  uint64_t version = 0;
  uint32_t count = 1;
  StreamIdError stream_id_error = StreamIdError::none;
  std::string path;
  std::string client;
  // closed
  SrtHow how = SrtHow::peer;
  // log
  int level = 0;  ///< of syslog, as libsrt gives it
  std::string text;
  // lost
  uint64_t events_lost = 0;
  uint64_t media_bytes_lost = 0;
};

class SrtEventQueue {
 public:
  /// Refusals and log lines that wait at once. A batch goes out every few milliseconds, so that this
  /// many distinct ones are a flood from as many addresses.
  static constexpr size_t kBoundedMax = 1024;

  void push(SrtEvent event) {
    const std::lock_guard<std::mutex> lock(mutex_);
    events_.push_back(std::move(event));
  }

  /// A refusal like one that waits is added to its count. Of another version the same cause is another entry.
  void push_refused(SrtEvent event) {
    const std::lock_guard<std::mutex> lock(mutex_);
    key_.assign(event.ip).push_back('\n');
    key_.append(std::to_string(event.cause)).push_back('\n');
    key_.append(std::to_string(event.version)).push_back('\n');
    key_.append(stream_id_error_name(event.stream_id_error)).push_back('\n');
    key_.append(event.path).push_back('\n');
    key_.append(event.client);
    const auto known = refused_.find(key_);
    if (known != refused_.end()) {
      events_[known->second].count += event.count;
      return;
    }
    if (!has_room()) return;
    refused_.emplace(key_, events_.size());
    events_.push_back(std::move(event));
  }

  void push_log(int level, std::string text) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!has_room()) return;
    SrtEvent event(SrtEventType::log);
    event.level = level;
    event.text = std::move(text);
    events_.push_back(std::move(event));
  }

  bool is_empty() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return events_.empty();
  }

  /// All that wait, in order, into `out`, which must be empty; last an event of what was lost, if any.
  void take(std::vector<SrtEvent>& out, uint64_t media_bytes_lost) {
    const std::lock_guard<std::mutex> lock(mutex_);
    out.swap(events_);
    refused_.clear();
    bounded_ = 0;
    if (lost_ > 0 || media_bytes_lost > 0) {
      SrtEvent event(SrtEventType::lost);
      event.events_lost = lost_;
      event.media_bytes_lost = media_bytes_lost;
      out.push_back(std::move(event));
    }
    lost_ = 0;
  }

 private:
  bool has_room() {
    if (bounded_ == kBoundedMax) {
      lost_++;
      return false;
    }
    bounded_++;
    return true;
  }

  std::mutex mutex_;
  std::vector<SrtEvent> events_;
  std::unordered_map<std::string, size_t> refused_;
  std::string key_;
  size_t bounded_ = 0;
  uint64_t lost_ = 0;
};

}  // namespace headgate

#endif  // HEADGATE_SRT_EVENT_QUEUE_H_
