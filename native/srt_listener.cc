#include "srt_listener.h"

#include <algorithm>
#include <cerrno>
#include <chrono>

namespace headgate {

namespace {

/// Accepted sockets that wait in libsrt at most: more than may be unconfirmed.
constexpr int kBacklog = 2 * static_cast<int>(kUnconfirmedMax);

double monotonic_ms() {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double, std::milli>(since).count();
}

}  // namespace

SrtListener::SrtListener(const SrtTables& tables, const SrtListenerOptions& options, SrtReader& reader)
    : tables_(tables),
      options_(options),
      clock_offset_ms_(options.clock_ms - monotonic_ms()),
      reader_(reader),
      accounting_(tables.nodes, tables.node_rows, tables.streams, tables.stream_rows),
      handshakes_(door_, events_, options.connections_max),
      media_(options.slab, options.slab_bytes, options.records, options.record_doubles) {}

SrtListener::~SrtListener() {
  if (epoll_ >= 0) srt_epoll_release(epoll_);
  if (accepting_ >= 0) srt_epoll_release(accepting_);
}

double SrtListener::now() const { return monotonic_ms() + clock_offset_ms_; }

int SrtListener::open() {
  if (const int problem = open_srt_port(options_.host, options_.port, options_.latency_ms, port_)) return problem;
  epoll_ = srt_epoll_create();
  srt_epoll_set(epoll_, SRT_EPOLL_ENABLE_EMPTY);
  accepting_ = srt_epoll_create();
  const int events = SRT_EPOLL_IN;
  srt_listen_callback(port_.socket, &SrtListener::on_caller, this);
  const bool listens = epoll_ >= 0 && srt_epoll_add_usock(accepting_, port_.socket, &events) == 0 &&
                       srt_listen(port_.socket, kBacklog) == 0;
  has_thread_ = listens && pthread_create(&thread_, nullptr, &SrtListener::start, this) == 0;
  if (!has_thread_) {
    srt_close(port_.socket);
    free_udp_port(port_);
    return EAGAIN;
  }
  add_srt_user(this);
  return 0;
}

void* SrtListener::start(void* self) {
#ifdef __linux__
  // libsrt's threads have names as well: `top -H` tells who works.
  pthread_setname_np(pthread_self(), "headgate-srt");
#endif
  static_cast<SrtListener*>(self)->run();
  return nullptr;
}

int SrtListener::on_caller(void* self, SRTSOCKET socket, int version, const sockaddr* peer,
                           const char* stream_id) {
  SrtListener& own = *static_cast<SrtListener*>(self);
  const int answer = own.handshakes_.judge(socket, version, peer, stream_id, own.now());
  if (own.idle_) own.rouse();
  return answer;
}

// --- JavaScript's thread

// The thread unlocks the mutex and locks it again at once, for the next connection: without this it
// would mostly win, and JavaScript wait for a whole round.
void SrtListener::lock_first(std::unique_lock<std::mutex>& lock) {
  in_a_hurry_++;
  lock.lock();
  in_a_hurry_--;
}

std::unique_lock<std::mutex> SrtListener::lock_last() {
  while (in_a_hurry_ > 0) sched_yield();
  return std::unique_lock<std::mutex>(mutex_);
}

bool SrtListener::attach(double id, uint32_t slot) {
  std::unique_lock<std::mutex> lock(mutex_, std::defer_lock);
  lock_first(lock);
  SrtConnection* connection = connections_.find(id);
  if (connection == nullptr || connection->play || connection->publication != nullptr) return false;
  connection->row = tables_.streams + slot * STREAM_STRIDE;
  connection->publication = std::make_unique<TsPublication>(slot, connection->row, accounting_);
  watch_wanted_.push_back(id);
  return true;
}

void SrtListener::detach(double id) {
  std::unique_lock<std::mutex> lock(mutex_, std::defer_lock);
  lock_first(lock);
  SrtConnection* connection = connections_.find(id);
  if (connection == nullptr || connection->publication == nullptr) return;
  connection->publication.reset();
  connection->row = nullptr;
  watch_wanted_.push_back(id);
}

void SrtListener::close(double id) {
  std::unique_lock<std::mutex> lock(mutex_, std::defer_lock);
  lock_first(lock);
  uint32_t place;
  SrtConnection* connection = connections_.find(id, &place);
  if (connection == nullptr) return;
  connection->closing = true;
  connection->publication.reset();
  close_wanted_.push_back({place, SrtHow::local});
}

bool SrtListener::send(double id, const uint8_t* payload, size_t length) {
  SRTSOCKET socket;
  {
    std::unique_lock<std::mutex> lock(mutex_, std::defer_lock);
    lock_first(lock);
    const SrtConnection* connection = connections_.find(id);
    if (connection == nullptr || !connection->play) return false;
    socket = connection->socket;
  }
  size_t blocks = 0;
  size_t bytes = 0;
  if (srt_getsndbuffer(socket, &blocks, &bytes) < 0) return false;
  const size_t wanted = (length + kSrtSendBytes - 1) / kSrtSendBytes;
  if (blocks + wanted > kSrtSendBufferBytes / kSrtBlockBytes) return false;
  for (size_t at = 0; at < length; at += kSrtSendBytes) {
    const size_t part = std::min<size_t>(length - at, kSrtSendBytes);
    const char* from = reinterpret_cast<const char*>(payload + at);
    if (srt_sendmsg2(socket, from, static_cast<int>(part), nullptr) < 0) return false;
  }
  return true;
}

bool SrtListener::stats(double id, double* out) {
  SRTSOCKET socket;
  TsFigures figures;
  {
    std::unique_lock<std::mutex> lock(mutex_, std::defer_lock);
    lock_first(lock);
    const SrtConnection* connection = connections_.find(id);
    if (connection == nullptr) return false;
    socket = connection->socket;
    if (connection->publication != nullptr) figures = connection->publication->figures();
  }
  SRT_TRACEBSTATS now;
  if (srt_bistats(socket, &now, 0, 1) < 0) return false;
  int key_bytes = 0;
  int length = sizeof(key_bytes);
  srt_getsockflag(socket, SRTO_PBKEYLEN, &key_bytes, &length);
  // Packets that come after they were given up drive libsrt's counts of losses down, below zero even.
  const auto counted = [](double value) { return std::max(0.0, value); };
  const double values[kSrtStats] = {now.msRTT,
                                    counted(static_cast<double>(now.pktRecvUniqueTotal)),
                                    counted(now.pktRcvLossTotal),
                                    counted(static_cast<double>(now.pktRecvTotal - now.pktRecvUniqueTotal)),
                                    counted(now.pktRcvDropTotal),
                                    counted(now.msRcvBuf),
                                    counted(now.byteRcvBuf),
                                    counted(now.msRcvTsbPdDelay),
                                    static_cast<double>(figures.continuity_errors),
                                    static_cast<double>(figures.skipped_bytes),
                                    static_cast<double>(figures.width),
                                    static_cast<double>(figures.height),
                                    static_cast<double>(key_bytes),
                                    counted(now.pktRcvUndecryptTotal),
                                    counted(now.pktRetransTotal)};
  std::copy(values, values + kSrtStats, out);
  return true;
}

size_t SrtListener::tables(double id, uint8_t* out, size_t room) {
  std::unique_lock<std::mutex> lock(mutex_, std::defer_lock);
  lock_first(lock);
  const SrtConnection* connection = connections_.find(id);
  if (connection == nullptr || connection->publication == nullptr) return 0;
  return connection->publication->tables(out, room);
}

void SrtListener::batch_done() {
  uint32_t accepted = 0;
  for (const SrtEvent& event : batch_.events) accepted += event.type == SrtEventType::accepted;
  handshakes_.confirm(accepted);
  batch_.events.clear();
  batch_out_ = false;
}

void SrtListener::log(int level, std::string text) {
  events_.push_log(level, std::move(text));
  rouse();
}

void SrtListener::stop() {
  stopping_ = true;
  rouse();
}

void SrtListener::join() {
  end_with_process();
  remove_srt_user(this);
}

void SrtListener::end_with_process() {
  stop();
  // The process may end while a worker of its own stops the listener.
  const std::lock_guard<std::mutex> lock(join_mutex_);
  if (!has_thread_) return;
  pthread_join(thread_, nullptr);
  has_thread_ = false;
}

void SrtListener::rouse() {
  {
    const std::lock_guard<std::mutex> lock(rest_mutex_);
    roused_ = true;
  }
  rest_.notify_one();
}

}  // namespace headgate
