// What the thread of an SrtListener does, round by round.
#include <algorithm>
#include <chrono>
#include <thread>

#include "srt_filter.h"
#include "srt_listener.h"

namespace headgate {

namespace {

/// Between two rounds: what waits in libsrt's buffers costs nothing, while each round costs each of its
/// connections three switches between threads: ours, and libsrt's own, which it wakes and which wakes
/// itself for the next packet. Measured with 40 publishers of 4 Mbit/s: 5 ms cost 1.6 times this, 20 ms
/// 0.75 times.
constexpr auto kRound = std::chrono::milliseconds(10);
/// Sockets closed in a round: each waits for a thread to end, and the others are to be read meanwhile.
constexpr size_t kClosesPerRound = 32;
/// Datagrams of one connection read in a turn, so that none keeps the others waiting.
constexpr int kDatagramsPerTurn = 256;
/// A player that sends so many datagrams is none.
constexpr uint32_t kUnaskedMax = 64;
/// How often connections are looked at for what no event tells, ms.
constexpr double kSurveyMs = 1000;
/// What a silence may seem shorter than it was: libsrt counts it from keepalives and the like, in steps.
constexpr double kHearsayMs = 500;
/// Datagrams are numbered in 31 bits.
constexpr uint32_t kSequenceMask = 0x7fffffff;
/// What players are given at a stop for what waits for them.
constexpr auto kFlush = std::chrono::milliseconds(300);

/// JavaScript writes flags while the thread reads them.
uint32_t flags_of(const double* row) {
  double flags;
  __atomic_load(row + stream::FLAGS, &flags, __ATOMIC_RELAXED);
  return static_cast<uint32_t>(flags);
}

// A read that finds nothing costs libsrt an exception, this question a tenth of it.
bool has_more(SRTSOCKET socket) {
  int events = 0;
  int length = sizeof(events);
  return srt_getsockflag(socket, SRTO_EVENT, &events, &length) == 0 && (events & SRT_EPOLL_IN) != 0;
}

bool is_encrypted(SRTSOCKET socket) {
  int state = SRT_KM_S_UNSECURED;
  int length = sizeof(state);
  return srt_getsockflag(socket, SRTO_KMSTATE, &state, &length) == 0 && state == SRT_KM_S_SECURED;
}

/// Number of the first datagram that is sent on it.
uint32_t first_sequence(SRTSOCKET socket) {
  int32_t number = 0;
  int length = sizeof(number);
  return srt_getsockflag(socket, SRTO_ISN, &number, &length) == 0 ? static_cast<uint32_t>(number) : 0;
}

/// Between what a peer sends and our reading it, ms.
double latency_of(SRTSOCKET socket) {
  int latency_ms = 0;
  int length = sizeof(latency_ms);
  return srt_getsockflag(socket, SRTO_RCVLATENCY, &latency_ms, &length) == 0 ? latency_ms : 0;
}

void set_watch(int epoll, SRTSOCKET socket, bool reading) {
  const int events = reading ? SRT_EPOLL_IN | SRT_EPOLL_ERR : SRT_EPOLL_ERR;
  srt_epoll_update_usock(epoll, socket, &events);
}

}  // namespace

void SrtListener::run() {
  while (!stopping_) {
    look(now());
    deliver();
    rest();
  }
  close_all();
  reader_.ended();
}

// With nobody here and nothing to tell there is nothing to do until somebody comes.
void SrtListener::rest() {
  std::unique_lock<std::mutex> lock(rest_mutex_);
  const auto is_roused = [this] { return roused_ || stopping_; };
  idle_ = true;
  bool nobody;
  {
    const std::lock_guard<std::mutex> connections(mutex_);
    nobody = connections_.count() == 0;
  }
  if (nobody && handshakes_.is_empty() && events_.is_empty() && media_.is_empty()) {
    rest_.wait(lock, is_roused);
  } else {
    idle_ = false;
    rest_.wait_for(lock, kRound, [this] { return stopping_.load(); });
  }
  idle_ = false;
  roused_ = false;
}

void SrtListener::look(double now) {
  accept_all(now);
  watch_wanted();
  close_wanted();
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    ready_.resize(connections_.count());
  }
  int found = 0;
  if (!ready_.empty()) found = srt_epoll_uwait(epoll_, ready_.data(), static_cast<int>(ready_.size()), 0);
  const size_t count = found < 0 ? 0 : std::min(static_cast<size_t>(found), ready_.size());
  for (size_t i = 0; i < count; i++) {
    const SRT_EPOLL_EVENT event = ready_[i];
    if ((event.events & SRT_EPOLL_IN) != 0) read(event.fd);
    if ((event.events & SRT_EPOLL_ERR) != 0) give_up(event.fd, now);
  }
  if (!handshakes_.is_empty()) handshakes_.sweep(now);
  survey(now);
  take_srt_log(log_);
  for (SrtLogLine& line : log_) events_.push_log(line.level, std::move(line.text));
  log_.clear();
}

void SrtListener::accept_all(double now) {
  // Asked one by one whether there is another: libsrt logs an error when there is none to accept.
  SRT_EPOLL_EVENT event;
  while (srt_epoll_uwait(accepting_, &event, 1, 0) > 0) {
    const SRTSOCKET socket = srt_accept(port_.socket, nullptr, nullptr);
    if (socket == SRT_INVALID_SOCK) return;
    SrtCaller caller;
    if (handshakes_.claim(socket, caller)) {
      welcome(socket, caller, now);
    } else {
      srt_close(socket);
    }
  }
}

void SrtListener::welcome(SRTSOCKET socket, const SrtCaller& caller, double now) {
  const bool play = caller.verdict.play;
  const int events = play ? SRT_EPOLL_IN | SRT_EPOLL_ERR : SRT_EPOLL_ERR;
  srt_epoll_add_usock(epoll_, socket, &events);
  SrtEvent event(SrtEventType::accepted);
  event.ip = caller.ip;
  event.port = caller.port;
  event.play = play;
  event.mode_given = caller.verdict.id.mode_given;
  event.encrypted = is_encrypted(socket);
  event.app = caller.verdict.id.app;
  event.name = caller.verdict.id.name;
  event.key = caller.verdict.id.key;
  const double latency_ms = latency_of(socket);
  const uint32_t sequence = play ? first_sequence(socket) : 0;
  const std::unique_lock<std::mutex> lock = lock_last();
  const uint32_t place = connections_.open(socket);
  SrtConnection& connection = connections_.at(place);
  connection.play = play;
  connection.heard_at = now;
  connection.latency_ms = latency_ms;
  connection.first_sequence = sequence;
  event.id = connections_.id_of(place);
  events_.push(std::move(event));
  if (play) guard();
}

// Tells the filter who may acknowledge, and about which numbers. With the mutex held.
void SrtListener::guard() {
  if (!port_.guarded) return;
  std::vector<FilterPlayer> players;
  for (const auto& [socket, place] : connections_.places()) {
    const SrtConnection& connection = connections_.at(place);
    if (!connection.play || connection.closing) continue;
    const uint32_t next = connection.first_sequence + connection.sent;
    players.push_back({static_cast<uint32_t>(socket), (next - kFilterAckSpan / 2) & kSequenceMask});
  }
  attach_srt_filter(port_.fd, players);
}

void SrtListener::watch_wanted() {
  std::vector<double> wanted;
  const std::unique_lock<std::mutex> lock = lock_last();
  wanted.swap(watch_wanted_);
  for (const double id : wanted) {
    const SrtConnection* connection = connections_.find(id);
    if (connection != nullptr) set_watch(epoll_, connection->socket, connection->publication != nullptr);
  }
}

void SrtListener::read(SRTSOCKET socket) {
  const std::unique_lock<std::mutex> lock = lock_last();
  uint32_t place;
  SrtConnection* connection = connections_.of(socket, &place);
  if (connection == nullptr || connection->closing) return;
  const double now = this->now();
  for (int i = 0; i < kDatagramsPerTurn; i++) {
    const int length = srt_recvmsg(socket, reinterpret_cast<char*>(datagram_), sizeof(datagram_));
    if (length <= 0) break;
    connection->heard_at = now;
    if (!take(*connection, place, static_cast<size_t>(length), now)) break;
    if (!has_more(socket)) break;
  }
  if (connection->publication != nullptr) connection->publication->settle(now);
}

// False when the connection is to be read no further.
bool SrtListener::take(SrtConnection& connection, uint32_t place, size_t length, double now) {
  if (connection.publication == nullptr) {
    if (!connection.play || ++connection.unasked < kUnaskedMax) return true;
    connection.closing = true;
    close_wanted_.push_back({place, SrtHow::broken});
    return false;
  }
  const TsPassed passed = connection.publication->take(datagram_, length, now);
  if (passed.length == 0) return true;
  if ((flags_of(connection.row) & flag::CONSUMED) == 0) {
    connection.gap = false;
    return true;
  }
  const double id = connections_.id_of(place);
  const size_t before = passed.random_access ? passed.random_access_at : passed.length;
  if (before > 0) hand_on(connection, id, passed.bytes, before, 0);
  if (passed.random_access) {
    hand_on(connection, id, passed.bytes + before, passed.length - before, srt_media::RANDOM_ACCESS);
  }
  return true;
}

void SrtListener::hand_on(SrtConnection& connection, double id, const uint8_t* bytes, size_t length,
                          uint32_t flags) {
  if (media_.write(id, bytes, length, flags | (connection.gap ? srt_media::GAP : 0))) {
    connection.gap = false;
    return;
  }
  connection.gap = true;
  media_lost_ += length;
}

// libsrt does not say why a connection broke: whoever was heard lately has said goodbye.
void SrtListener::give_up(SRTSOCKET socket, double now) {
  const std::unique_lock<std::mutex> lock = lock_last();
  uint32_t place;
  SrtConnection* connection = connections_.of(socket, &place);
  if (connection == nullptr || connection->closing) return;
  connection->closing = true;
  connection->publication.reset();
  const bool silent = now - connection->heard_at >= kSrtSilenceMs - kHearsayMs - connection->latency_ms;
  close_wanted_.push_back({place, silent ? SrtHow::timeout : SrtHow::peer});
}

void SrtListener::close_wanted() {
  std::vector<Closing> wanted;
  {
    const std::unique_lock<std::mutex> lock = lock_last();
    const size_t count = std::min(close_wanted_.size(), kClosesPerRound);
    wanted.assign(close_wanted_.begin(), close_wanted_.begin() + static_cast<ptrdiff_t>(count));
    close_wanted_.erase(close_wanted_.begin(), close_wanted_.begin() + static_cast<ptrdiff_t>(count));
  }
  for (const Closing& closing : wanted) {
    SRTSOCKET socket;
    {
      const std::unique_lock<std::mutex> lock = lock_last();
      socket = connections_.at(closing.place).socket;
    }
    srt_close(socket);
    const std::unique_lock<std::mutex> lock = lock_last();
    SrtEvent event(SrtEventType::closed);
    event.id = connections_.id_of(closing.place);
    event.how = closing.how;
    connections_.free(closing.place);
    handshakes_.leave();
    events_.push(std::move(event));
  }
}

// No event tells of a connection that libsrt drops because its peer reports losses of what was never sent.
// And a player sends nothing but acknowledgements, which only libsrt sees.
void SrtListener::survey(double now) {
  if (now - surveyed_at_ < kSurveyMs) return;
  surveyed_at_ = now;
  bool any_player = false;
  const std::unique_lock<std::mutex> lock = lock_last();
  for (const auto& [socket, place] : connections_.places()) {
    SrtConnection& connection = connections_.at(place);
    if (connection.closing) continue;
    const bool was_doubtful = connection.doubtful;
    connection.doubtful = srt_getsockstate(socket) != SRTS_CONNECTED;
    // Once more, for an event that is on its way says why.
    if (was_doubtful && connection.doubtful) {
      connection.closing = true;
      connection.publication.reset();
      close_wanted_.push_back({place, SrtHow::broken});
      continue;
    }
    SRT_TRACEBSTATS figures;
    if (!connection.play || srt_bistats(socket, &figures, 0, 1) < 0) continue;
    const int64_t signs = figures.pktRecvACKTotal;
    if (signs != connection.signs) connection.heard_at = now;
    connection.signs = signs;
    connection.sent = static_cast<uint32_t>(figures.pktSentUniqueTotal);
    any_player = true;
  }
  if (any_player) guard();
}

void SrtListener::deliver() {
  if (batch_out_ || (events_.is_empty() && media_.is_empty() && media_lost_ == 0)) return;
  events_.take(batch_.events, media_lost_);
  media_lost_ = 0;
  batch_.media = media_.seal();
  batch_out_ = true;
  if (!reader_.batch_ready()) batch_done();
}

void SrtListener::close_all() {
  std::vector<SRTSOCKET> sockets;
  std::vector<SRTSOCKET> players;
  {
    const std::unique_lock<std::mutex> lock = lock_last();
    for (const auto& [socket, place] : connections_.places()) {
      SrtConnection& connection = connections_.at(place);
      connection.closing = true;
      connection.publication.reset();
      (connection.play ? players : sockets).push_back(socket);
    }
  }
  for (const SRTSOCKET socket : sockets) srt_close(socket);
  const auto end = std::chrono::steady_clock::now() + kFlush;
  for (const SRTSOCKET socket : players) {
    size_t blocks = 0;
    size_t bytes = 0;
    while (srt_getsndbuffer(socket, &blocks, &bytes) >= 0 && blocks > 0 && std::chrono::steady_clock::now() < end) {
      std::this_thread::sleep_for(kRound);
    }
    srt_close(socket);
  }
  srt_close(port_.socket);
  free_udp_port(port_);
}

}  // namespace headgate
