#include "srt_handshakes.h"

#include <netinet/in.h>

#include <cstring>

namespace headgate {

namespace {

/// Handshakes of a libsrt without stream ids have version 4.
constexpr int kHandshakeVersion = 5;
/// A caller that was let in and is neither accepted nor dead by then will not be, ms.
constexpr double kHandshakeMs = 10000;
/// Guesses at a passphrase are held against the network that one IPv6 subscriber owns (RFC 6177).
constexpr unsigned kSubscriberBits = 64;

void name_peer(const sockaddr* peer, SrtCaller& out) {
  out.address = {};
  out.ip = address_of(peer, out.address) ? format_address(out.address) : "";
  out.address = limit_key(out.address, kSubscriberBits);
  out.port = ntohs(peer->sa_family == AF_INET6 ? reinterpret_cast<const sockaddr_in6*>(peer)->sin6_port
                                               : reinterpret_cast<const sockaddr_in*>(peer)->sin_port);
}

bool is_dead(SRT_SOCKSTATUS state) { return state >= SRTS_BROKEN; }

}  // namespace

int SrtHandshakes::judge(SRTSOCKET socket, int handshake_version, const sockaddr* peer, const char* stream_id,
                         double now) {
  SrtCaller& caller = scratch_;
  DoorVerdict& verdict = caller.verdict;
  name_peer(peer, caller);
  caller.since = now;
  if (unconfirmed_ >= kUnconfirmedMax || population_ >= connections_max_) {
    verdict = DoorVerdict{};
    verdict.code = srt_code::OVERLOAD;
    verdict.cause = door_cause::BEHIND;
  } else {
    // Up to the first NUL: that is all of it that libsrt keeps.
    const size_t length = handshake_version < kHandshakeVersion ? 0 : strnlen(stream_id, kStreamIdBytesMax);
    door_.judge(peer, stream_id, length, now, verdict);
  }
  if (verdict.code == srt_code::IN && is_guessing(caller, now)) {
    verdict.code = srt_code::UNAUTHORIZED;
    verdict.cause = door_cause::PASSPHRASE;
  }
  if (verdict.code != srt_code::IN) {
    refuse(caller, verdict.code, verdict.cause);
    srt_setrejectreason(socket, verdict.code);
    return -1;
  }
  const std::string& passphrase = verdict.passphrase;
  if (!passphrase.empty() && srt_setsockflag(socket, SRTO_PASSPHRASE, passphrase.data(),
                                             static_cast<int>(passphrase.size())) != 0) {
    refuse(caller, srt_code::DOWN, door_cause::PASSPHRASE);
    srt_setrejectreason(socket, srt_code::DOWN);
    return -1;
  }
  population_++;
  unconfirmed_++;
  waiting_++;
  const std::lock_guard<std::mutex> lock(mutex_);
  callers_[socket] = caller;
  return 0;
}

bool SrtHandshakes::claim(SRTSOCKET socket, SrtCaller& out) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = callers_.find(socket);
  if (found == callers_.end()) return false;
  out = std::move(found->second);
  callers_.erase(found);
  waiting_--;
  return true;
}

void SrtHandshakes::sweep(double now) {
  // libsrt is not called with the mutex held: its thread waits for the mutex with locks of libsrt's own.
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    sweeping_.clear();
    for (const auto& [socket, caller] : callers_) sweeping_.push_back(socket);
  }
  for (const SRTSOCKET socket : sweeping_) {
    const SRT_SOCKSTATUS state = srt_getsockstate(socket);
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto at = callers_.find(socket);
    if (at == callers_.end()) continue;
    SrtCaller& caller = at->second;
    caller.connected = caller.connected || state == SRTS_CONNECTED;
    if (!is_dead(state) && now - caller.since <= kHandshakeMs) continue;
    if (!caller.connected) {
      if (!caller.verdict.passphrase.empty()) guesses_.wrong(caller.address, now);
      refuse(caller, 0, door_cause::PASSPHRASE);
    }
    callers_.erase(at);
    waiting_--;
    population_--;
    unconfirmed_--;
  }
}

bool SrtHandshakes::is_guessing(const SrtCaller& caller, double now) {
  if (caller.verdict.passphrase.empty()) return false;
  const std::lock_guard<std::mutex> lock(mutex_);
  return guesses_.is_spent(caller.address, now);
}

void SrtHandshakes::refuse(const SrtCaller& caller, uint16_t code, int32_t cause) {
  const DoorVerdict& verdict = caller.verdict;
  SrtEvent event(SrtEventType::refused);
  event.ip = caller.ip;
  event.port = caller.port;
  event.code = code;
  event.cause = cause;
  event.version = verdict.version;
  event.play = verdict.play;
  event.path = verdict.path;
  event.client = verdict.client;
  event.stream_id_error = verdict.stream_id_error;
  events_.push_refused(std::move(event));
}

}  // namespace headgate
