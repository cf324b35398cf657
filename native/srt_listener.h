// SrtListener: one UDP port and the thread that accepts, reads, meters and closes its connections.
//
// Three threads meet here. libsrt's receive thread judges callers (srt_handshakes.h) and waits for
// nobody. The listener's own works in rounds of some milliseconds: a packet that waits that long in
// libsrt's buffer costs nothing, a wake-up per packet would cost more than all the rest. JavaScript's
// thread calls the public functions; one mutex lies over the connections, held while one of them is
// worked on, and JavaScript is let in first.
//
// Who closes whom: close() and a dead peer only mark a connection; the thread closes the socket and frees
// the place, and the id is gone from then on. stop() has the thread close all and end; ended() is told as
// its last act, and the object may be destroyed after join().
#ifndef HEADGATE_SRT_LISTENER_H_
#define HEADGATE_SRT_LISTENER_H_

#include <pthread.h>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "accounting.h"
#include "srt_connections.h"
#include "srt_door.h"
#include "srt_event_queue.h"
#include "srt_handshakes.h"
#include "srt_library.h"
#include "srt_media_slab.h"
#include "srt_socket.h"

namespace headgate {

struct SrtListenerOptions {
  std::string host;
  uint16_t port = 0;
  int latency_ms = 120;
  uint32_t connections_max = 0;
  double clock_ms = 0;  ///< what the caller's monotonic clock shows now
  uint8_t* slab = nullptr;
  size_t slab_bytes = 0;
  double* records = nullptr;
  size_t record_doubles = 0;
};

/// The slab of accounting, shared with JavaScript.
struct SrtTables {
  double* nodes = nullptr;
  size_t node_rows = 0;
  double* streams = nullptr;
  size_t stream_rows = 0;
};

/// Places in what stats() fills: SRT_STATS in src/native/srt.ts.
constexpr size_t kSrtStats = 15;

/// What goes to JavaScript at once. The media is older than the events.
struct SrtBatch {
  std::vector<SrtEvent> events;
  SealedMedia media;
};

/// Whom the listener's thread tells. Neither may wait for JavaScript.
class SrtReader {
 public:
  /// A batch is ready: take it with batch(), say batch_done(). False when nobody will.
  virtual bool batch_ready() = 0;
  /// The thread is about to end.
  virtual void ended() = 0;

 protected:
  ~SrtReader() = default;
};

class SrtListener final : public SrtUser {
 public:
  SrtListener(const SrtTables& tables, const SrtListenerOptions& options, SrtReader& reader);
  /// After join(), or when open() failed.
  ~SrtListener();

  /// Binds and starts the thread. Returns 0 or an errno.
  int open();

  const SrtPort& port() const { return port_; }
  size_t stream_rows() const { return tables_.stream_rows; }
  SrtDoor& door() { return door_; }

  bool attach(double id, uint32_t slot);
  void detach(double id);
  void close(double id);
  bool send(double id, const uint8_t* payload, size_t length);
  bool stats(double id, double* out);
  size_t tables(double id, uint8_t* out, size_t room);

  SrtBatch& batch() { return batch_; }
  void batch_done();

  /// Something for the listener's log, from JavaScript's thread.
  void log(int level, std::string text);

  /// The thread closes all and ends, in its own time.
  void stop();
  /// Stops, and waits for it.
  void join();
  void end_with_process() override;

 private:
  static void* start(void* self);
  static int on_caller(void* self, SRTSOCKET socket, int version, const sockaddr* peer, const char* stream_id);
  double now() const;
  void lock_first(std::unique_lock<std::mutex>& lock);
  std::unique_lock<std::mutex> lock_last();

  void run();
  void rest();
  void rouse();
  void look(double now);
  void accept_all(double now);
  void welcome(SRTSOCKET socket, const SrtCaller& caller, double now);
  void watch_wanted();
  void read(SRTSOCKET socket);
  bool take(SrtConnection& connection, uint32_t place, size_t length, double now);
  void hand_on(SrtConnection& connection, double id, const uint8_t* bytes, size_t length, uint32_t flags);
  void give_up(SRTSOCKET socket, double now);
  void close_wanted();
  void survey(double now);
  void guard();
  void deliver();
  void close_all();

  const SrtTables tables_;
  const SrtListenerOptions options_;
  const double clock_offset_ms_;
  SrtReader& reader_;
  Accounting accounting_;
  SrtDoor door_;
  SrtEventQueue events_;
  SrtHandshakes handshakes_;
  SrtPort port_;
  int epoll_ = -1;      // the connections
  int accepting_ = -1;  // the port
  pthread_t thread_{};
  std::mutex join_mutex_;
  bool has_thread_ = false;

  // Under mutex_.
  std::mutex mutex_;
  std::atomic<int> in_a_hurry_{0};  // calls of JavaScript that want mutex_
  SrtConnections connections_;
  std::vector<double> watch_wanted_;
  struct Closing {
    uint32_t place;
    SrtHow how;
  };
  std::vector<Closing> close_wanted_;

  // How the thread is woken from a rest without end.
  std::mutex rest_mutex_;
  std::condition_variable rest_;
  bool roused_ = false;
  std::atomic<bool> idle_{false};
  std::atomic<bool> stopping_{false};

  // The thread's own.
  SrtMediaSlab media_;
  uint64_t media_lost_ = 0;
  std::vector<SRT_EPOLL_EVENT> ready_;
  std::vector<SrtLogLine> log_;
  double surveyed_at_ = 0;
  uint8_t datagram_[kTsDatagramBytesMax];

  // The thread's, then, while batch_out_, of JavaScript's thread.
  SrtBatch batch_;
  std::atomic<bool> batch_out_{false};
};

}  // namespace headgate

#endif  // HEADGATE_SRT_LISTENER_H_
