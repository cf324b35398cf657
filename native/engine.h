// Engine: every connection's chunk stream, metered and remembered, behind one call per socket read.
//
//   feed -> RtmpDemux -> Publication (what is it?) -> Accounting (may it pass?) -> Outbox, GopStore
//
// It reads no clock and does no I/O. All memory JavaScript sees (slab, outbox) belongs to
// JavaScript; all the rest is freed by close(), detach() or the destructor. One thread only.
#ifndef HEADGATE_ENGINE_H_
#define HEADGATE_ENGINE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "accounting.h"
#include "gop.h"
#include "outbox.h"
#include "pace.h"
#include "publication.h"
#include "rtmp_demux.h"

namespace headgate {

/// Connections at once. Descriptors run out long before.
inline constexpr uint32_t kConnectionsMax = 65536;

/// The outbox must hold the longest message alone, and all headers of a stream together.
inline constexpr size_t kOutboxBytesMin = kMediaBytesMax + 64 * 1024;

struct EngineOptions {
  double gop_bytes_per_stream;
  double gop_bytes_total;
};

struct EngineStats {
  double connections;
  double gop_bytes;
  double pending_bytes;
  double gop_evictions;
};

/// What a feed did, beside its delay.
struct FeedResult {
  size_t consumed;
  RtmpError error;
  bool more;  ///< messages wait for the outbox to be drained: feed again, if with no input
};

class Engine {
 public:
  enum class Attach { kDone, kNoConnection, kNoSlot, kAttached, kSlotTaken };

  /// `outbox_bytes` is at least kOutboxBytesMin: a message that never fits would wait for ever.
  Engine(double* nodes, size_t node_rows, double* streams, size_t stream_rows, uint8_t* outbox,
         size_t outbox_bytes, const EngineOptions& options);

  /// A new connection's number; -1 when there are too many.
  int32_t open();
  void close(uint32_t id);
  bool is_open(uint32_t id) const { return id < connections_.size() && connections_[id] != nullptr; }

  /// Media of this message stream is metered on `slot` from now on.
  Attach attach(uint32_t id, uint32_t slot, uint32_t message_stream_id);
  void detach(uint32_t id);

  /// Reads from an open connection into an emptied outbox. Stops after a command, for JavaScript to
  /// act on it before the rest is read, and before a message that the outbox has no room for.
  /// Returns the delay before the next read in ms, infinity for never, or -1 when the protocol was
  /// broken, now or before.
  double feed(uint32_t id, const uint8_t* input, size_t length, double now, FeedResult& result);

  double account(uint32_t slot, uint32_t bytes, uint32_t packets, uint32_t frames, double now) {
    return accounting_.account(slot, bytes, packets, frames, now);
  }

  double owed(uint32_t slot, double now) { return accounting_.owed(slot, now); }

  /// Writes headers (cursor 0), then the GOP from `cursor` on, into an emptied outbox. Returns the
  /// cursor to go on from, or -1 when all is written.
  double replay(uint32_t slot, double cursor);

  void reconfigure(const EngineOptions& options);
  EngineStats stats() const;
  const Outbox& outbox() const { return outbox_; }
  size_t stream_rows() const { return by_slot_.size(); }

 private:
  struct Connection {
    RtmpDemux demux;
    std::unique_ptr<Publication> publication;
    bool message_ready = false;    // demux.message() waits for room in the outbox
    uint32_t aggregate_offset = 0;  // where its next message begins, if it is an aggregate
    uint32_t aggregate_count = 0;
    uint32_t aggregate_base = 0;  // timestamp of its first message
    RtmpError error = RtmpError::none;
    Pace commands{kCommandUnitsPerSecond, kCommandUnitsBurst};
    Pace media{kMediaMessagesPerSecond, kMediaMessagesBurst};
    Pace skipped{kSkippedBytesPerSecond, kSkippedBytesBurst};
    uint32_t media_messages = 0;  // since the last charge to `media`
    double skipped_bytes = 0;
  };

  enum class Delivery { kDone, kOutboxFull, kError };

  RtmpError read(Connection& connection, const uint8_t* input, size_t length, double now,
                 FeedResult& result);
  Delivery deliver(Connection& connection, Message& message, double now);
  Delivery deliver_command(Connection& connection, const Message& message, double now);
  Delivery deliver_media(Connection& connection, Message& message, double now);
  Delivery deliver_aggregate(Connection& connection, const Message& message, double now);
  double settle(Connection& connection, double now);

  double* const streams_;
  Accounting accounting_;
  Outbox outbox_;
  GopBudget budget_;
  std::vector<Publication*> by_slot_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<uint32_t> free_;
};

}  // namespace headgate

#endif  // HEADGATE_ENGINE_H_
