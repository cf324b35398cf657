#include "engine.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "big_endian.h"
#include "slab_layout.h"

namespace headgate {

namespace {

// An FLV tag header inside an aggregate (section 7.1.6): type, size, timestamp, its upper byte,
// stream id. After the body comes the size of the tag again.
constexpr uint32_t kTagHeaderBytes = 11;
constexpr uint32_t kTagTrailerBytes = 4;

Record record_of(const Message& message, uint8_t flags) {
  return {message.type, flags, message.timestamp, message.message_stream_id,
          message.chunk_stream_id};
}

bool is_small_data(const Message& message) {
  const bool data =
      message.type == message_type::kDataAmf0 || message.type == message_type::kDataAmf3;
  return data && message.length <= kCommandBytesMax;
}

bool is_command(const Message& message) {
  return message.type == message_type::kCommandAmf0 || message.type == message_type::kCommandAmf3;
}

// What JavaScript answers or acts on; the rest of the control messages end here.
bool is_for_javascript(const Message& message) {
  return is_command(message) || message.type == message_type::kUserControl ||
         message.type == message_type::kWindowAckSize ||
         message.type == message_type::kSetPeerBandwidth;
}

}  // namespace

Engine::Engine(double* nodes, size_t node_rows, double* streams, size_t stream_rows,
               uint8_t* outbox, size_t outbox_bytes, const EngineOptions& options)
    : streams_(streams),
      accounting_(nodes, node_rows, streams, stream_rows),
      outbox_(outbox, outbox_bytes),
      by_slot_(stream_rows, nullptr) {
  reconfigure(options);
}

int32_t Engine::open() {
  uint32_t id;
  if (!free_.empty()) {
    id = free_.back();
    free_.pop_back();
  } else {
    if (connections_.size() == kConnectionsMax) return -1;
    id = static_cast<uint32_t>(connections_.size());
    connections_.emplace_back();
  }
  connections_[id] = std::make_unique<Connection>();
  return static_cast<int32_t>(id);
}

void Engine::close(uint32_t id) {
  if (!is_open(id)) return;
  detach(id);
  connections_[id].reset();
  free_.push_back(id);
}

Engine::Attach Engine::attach(uint32_t id, uint32_t slot, uint32_t message_stream_id) {
  if (!is_open(id)) return Attach::kNoConnection;
  if (slot >= by_slot_.size()) return Attach::kNoSlot;
  Connection& connection = *connections_[id];
  if (connection.publication != nullptr) return Attach::kAttached;
  if (by_slot_[slot] != nullptr) return Attach::kSlotTaken;
  double* row = streams_ + slot * STREAM_STRIDE;
  connection.publication = std::make_unique<Publication>(slot, row, budget_);
  connection.demux.store_media(message_stream_id);
  by_slot_[slot] = connection.publication.get();
  return Attach::kDone;
}

void Engine::detach(uint32_t id) {
  if (!is_open(id)) return;
  Connection& connection = *connections_[id];
  connection.demux.skip_media();
  if (connection.publication == nullptr) return;
  connection.publication->gop().clear();
  connection.publication->publish_gop_size();
  by_slot_[connection.publication->slot()] = nullptr;
  connection.publication.reset();
}

double Engine::feed(uint32_t id, const uint8_t* input, size_t length, double now,
                    FeedResult& result) {
  outbox_.empty();
  result = {0, RtmpError::none, false};
  Connection& connection = *connections_[id];
  if (connection.error == RtmpError::none) {
    connection.error = read(connection, input, length, now, result);
  }
  result.error = connection.error;
  const double delay = settle(connection, now);
  return connection.error == RtmpError::none ? delay : -1;
}

RtmpError Engine::read(Connection& connection, const uint8_t* input, size_t length, double now,
                       FeedResult& result) {
  RtmpDemux& demux = connection.demux;
  while (true) {
    if (!connection.message_ready) {
      const RtmpDemux::Step step = demux.advance(input, length, result.consumed);
      if (step == RtmpDemux::Step::kNeedInput) return RtmpError::none;
      if (step == RtmpDemux::Step::kError) return demux.error();
      connection.message_ready = true;
      connection.aggregate_offset = 0;
      connection.aggregate_count = 0;
    }
    const Delivery delivery = deliver(connection, demux.message(), now);
    if (delivery == Delivery::kError) return connection.error;
    if (delivery == Delivery::kOutboxFull) {
      result.more = true;
      return RtmpError::none;
    }
    connection.message_ready = false;
    demux.message().body.clear();
    // What follows a command may depend on it: media sent right behind a publish belongs to it.
    if (is_command(demux.message())) return RtmpError::none;
  }
}

Engine::Delivery Engine::deliver(Connection& connection, Message& message, double now) {
  if (!is_media(message.type)) return deliver_command(connection, message, now);
  if (message.skipped || connection.publication == nullptr) {
    connection.media_messages++;
    connection.skipped_bytes += message.length;
    return Delivery::kDone;
  }
  return message.type == message_type::kAggregate ? deliver_aggregate(connection, message, now)
                                                  : deliver_media(connection, message, now);
}

Engine::Delivery Engine::deliver_command(Connection& connection, const Message& message,
                                         double now) {
  const bool forwarded = is_for_javascript(message);
  if (forwarded && !outbox_.fits(message.length)) return Delivery::kOutboxFull;
  const double units = 1 + message.length / kCommandBytesPerUnit;
  if (connection.commands.charge(units, now) > 0) {
    connection.error = RtmpError::command_flood;
    return Delivery::kError;
  }
  if (forwarded) outbox_.write(record_of(message, 0), message.body.bytes(), message.length);
  return Delivery::kDone;
}

Engine::Delivery Engine::deliver_media(Connection& connection, Message& message, double now) {
  Publication& publication = *connection.publication;
  // An empty message is a packet like any other, but players lose their place over one.
  const bool wanted = message.length > 0 && (publication.consumed() || is_small_data(message));
  if (wanted && !outbox_.fits(message.length)) return Delivery::kOutboxFull;
  connection.media_messages++;
  const MessageMeta meta = publication.describe(message);
  if (!accounting_.admit(publication.slot(), meta, now)) return Delivery::kDone;
  if (wanted) {
    outbox_.write(record_of(message, publication.flags()), message.body.bytes(), message.length);
  }
  publication.keep(message);
  return Delivery::kDone;
}

Engine::Delivery Engine::deliver_aggregate(Connection& connection, const Message& message,
                                           double now) {
  const auto broken = [&](RtmpError error = RtmpError::aggregate) {
    connection.error = error;
    return Delivery::kError;
  };
  // An empty one holds nothing to count, and must not be read for nothing.
  if (message.length == 0) connection.media_messages++;
  while (connection.aggregate_offset < message.length) {
    const uint8_t* tag = message.body.bytes() + connection.aggregate_offset;
    const uint32_t left = message.length - connection.aggregate_offset;
    if (left < kTagHeaderBytes || connection.aggregate_count == kAggregateMessagesMax) {
      return broken();
    }
    const uint32_t length = read_u24(tag + 1);
    const uint32_t timestamp = static_cast<uint32_t>(tag[7]) << 24 | read_u24(tag + 4);
    if (length > left - kTagHeaderBytes) return broken();
    if (!is_media(tag[0]) || tag[0] == message_type::kAggregate) return broken();
    if (connection.aggregate_count == 0) connection.aggregate_base = timestamp;

    Message part;
    part.type = tag[0];
    part.length = length;
    part.timestamp = message.timestamp + (timestamp - connection.aggregate_base);
    part.message_stream_id = message.message_stream_id;
    part.chunk_stream_id = message.chunk_stream_id;
    if (!part.body.reserve(length)) return broken(RtmpError::out_of_memory);
    if (length > 0) part.body.append(tag + kTagHeaderBytes, length);
    const Delivery delivery = deliver_media(connection, part, now);
    if (delivery != Delivery::kDone) return delivery;
    connection.aggregate_count++;
    // The trailer of the last tag may be missing; nothing reads it.
    connection.aggregate_offset += std::min(left, kTagHeaderBytes + length + kTagTrailerBytes);
  }
  return Delivery::kDone;
}

// Charges what this read added up to. The stream's limits and the connection's own pace both say
// how long to wait; the longer wait satisfies both.
double Engine::settle(Connection& connection, double now) {
  double delay = 0;
  if (connection.publication != nullptr) {
    delay = accounting_.settle(connection.publication->slot(), now);
    connection.publication->publish_gop_size();
  }
  // A charge of nothing tells what is still owed: so a feed of no bytes asks for the pace.
  delay = std::max(delay, connection.media.charge(connection.media_messages, now));
  delay = std::max(delay, connection.skipped.charge(connection.skipped_bytes, now));
  connection.media_messages = 0;
  connection.skipped_bytes = 0;
  return delay;
}

double Engine::replay(uint32_t slot, double cursor) {
  outbox_.empty();
  const Publication* publication = slot < by_slot_.size() ? by_slot_[slot] : nullptr;
  if (publication == nullptr) return -1;
  const GopStore& gop = publication->gop();
  uint64_t number = cursor >= 1 ? static_cast<uint64_t>(cursor) : 1;
  const StoredMessage* next = gop.from(number);
  const auto write = [&](const StoredMessage& message, uint32_t timestamp) {
    const uint8_t flags = message.flags | record_flag::REPLAY;
    outbox_.write({message.type, flags, timestamp, message.message_stream_id, message.chunk_stream_id},
                  message.body.bytes(), message.body.size());
  };
  if (cursor < 1) {
    // Headers take the time of what follows them: players wait when a clock jumps.
    const uint32_t start = next != nullptr ? next->timestamp : publication->last_timestamp();
    for (const GopStore::Header& header : gop.headers()) write(header.message, start);
  }
  for (; next != nullptr; next = gop.from(++number)) {
    if (!outbox_.fits(next->body.size())) return static_cast<double>(number);
    write(*next, next->timestamp);
  }
  return -1;
}

void Engine::reconfigure(const EngineOptions& options) {
  budget_.per_stream_max = options.gop_bytes_per_stream;
  budget_.total_max = options.gop_bytes_total;
  for (Publication* publication : by_slot_) {
    if (publication == nullptr) continue;
    publication->gop().enforce_caps();
    publication->publish_gop_size();
  }
}

EngineStats Engine::stats() const {
  EngineStats stats{};
  for (const auto& connection : connections_) {
    if (connection == nullptr) continue;
    stats.connections++;
    stats.pending_bytes += connection->demux.pending_bytes();
  }
  stats.gop_bytes = budget_.held;
  stats.gop_evictions = static_cast<double>(budget_.evictions);
  return stats;
}

}  // namespace headgate
