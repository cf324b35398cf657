// The connections of a listener by id. An id is a place in the table and its generation, so that the id
// of a connection that is gone never means the next one in its place.
#ifndef HEADGATE_SRT_CONNECTIONS_H_
#define HEADGATE_SRT_CONNECTIONS_H_

#include <srt.h>

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "ts_publication.h"

namespace headgate {

struct SrtConnection {
  SRTSOCKET socket = SRT_INVALID_SOCK;  ///< SRT_INVALID_SOCK: the place is free
  uint32_t generation = 0;
  bool play = false;
  bool closing = false;  ///< decided, by whomever; the thread will do it
  bool gap = false;      ///< payload was dropped since the last record
  bool doubtful = false;  ///< libsrt no longer called it connected when it was last looked at
  double heard_at = 0;   ///< monotonic ms, of its last sign of life
  double latency_ms = 0;  ///< between its arrival and our reading it
  uint32_t first_sequence = 0;  ///< player: number of the first datagram it is sent
  uint32_t sent = 0;     ///< player: datagrams sent when it was last looked at
  int64_t signs = 0;     ///< player: acknowledgements counted when it was last looked at
  uint32_t unasked = 0;  ///< player: datagrams it sent
  double* row = nullptr;
  std::unique_ptr<TsPublication> publication;  ///< attached
};

/// Guarded by whoever owns it. Places number 65,536 at most.
class SrtConnections {
 public:
  static constexpr uint32_t kPlaces = 65536;

  uint32_t open(SRTSOCKET socket) {
    uint32_t place = static_cast<uint32_t>(table_.size());
    if (free_.empty()) {
      table_.emplace_back();
    } else {
      place = free_.back();
      free_.pop_back();
    }
    SrtConnection& connection = table_[place];
    const uint32_t generation = connection.generation + 1;
    connection = SrtConnection{};
    connection.generation = generation;
    connection.socket = socket;
    places_[socket] = place;
    return place;
  }

  void free(uint32_t place) {
    places_.erase(table_[place].socket);
    table_[place].socket = SRT_INVALID_SOCK;
    table_[place].publication.reset();
    free_.push_back(place);
  }

  double id_of(uint32_t place) const {
    return static_cast<double>(table_[place].generation) * kPlaces + place;
  }

  /// Null for an id that is gone, going, or never was.
  SrtConnection* find(double id, uint32_t* place = nullptr) {
    const uint64_t whole = id >= 0 && id < 9007199254740992.0 ? static_cast<uint64_t>(id) : 0;
    const uint32_t at = static_cast<uint32_t>(whole % kPlaces);
    if (at >= table_.size() || table_[at].generation != whole / kPlaces) return nullptr;
    SrtConnection& connection = table_[at];
    if (connection.socket == SRT_INVALID_SOCK || connection.closing) return nullptr;
    if (place != nullptr) *place = at;
    return &connection;
  }

  /// Null for a socket that is none of ours.
  SrtConnection* of(SRTSOCKET socket, uint32_t* place) {
    const auto found = places_.find(socket);
    if (found == places_.end()) return nullptr;
    *place = found->second;
    return &table_[found->second];
  }

  SrtConnection& at(uint32_t place) { return table_[place]; }
  size_t count() const { return places_.size(); }
  const std::unordered_map<SRTSOCKET, uint32_t>& places() const { return places_; }

 private:
  std::vector<SrtConnection> table_;
  std::vector<uint32_t> free_;
  std::unordered_map<SRTSOCKET, uint32_t> places_;
};

}  // namespace headgate

#endif  // HEADGATE_SRT_CONNECTIONS_H_
