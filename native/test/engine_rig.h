// An engine with its shared memory and one stream row without limits, for tests.
#ifndef HEADGATE_TEST_ENGINE_RIG_H_
#define HEADGATE_TEST_ENGINE_RIG_H_

#include <string>

#include "../engine.h"
#include "../slab_layout.h"
#include "bodies.h"
#include "check.h"

namespace headgate::test {

struct Taken {
  uint8_t type;
  uint8_t flags;
  uint32_t timestamp;
  uint32_t message_stream_id;
  uint32_t chunk_stream_id;
  Bytes body;
};

class Rig {
 public:
  explicit Rig(EngineOptions options = {1e6, 1e7}, size_t outbox_bytes = kOutboxBytesMin)
      : nodes(8 * NODE_STRIDE, 0),
        streams(4 * STREAM_STRIDE, 0),
        outbox(outbox_bytes),
        engine(nodes.data(), 8, streams.data(), 4, outbox.data(), outbox_bytes, options) {
    for (uint32_t slot = 0; slot < 4; slot++) {
      for (uint32_t i = 0; i < 7; i++) streams[slot * STREAM_STRIDE + stream::NODE_BITRATE + i] = -1;
      streams[slot * STREAM_STRIDE + stream::LAST_DTS] = -1;
      streams[slot * STREAM_STRIDE + stream::FLAGS] = flag::IN_USE | flag::CONSUMED;
    }
  }

  // A connection that publishes on `slot`.
  uint32_t publisher(uint32_t slot = 0) {
    const uint32_t id = static_cast<uint32_t>(engine.open());
    CHECK(engine.attach(id, slot, 1) == Engine::Attach::kDone);
    return id;
  }

  // Feeds all of it, draining the outbox as JavaScript would. Returns the last delay.
  double feed(uint32_t id, const Bytes& bytes, double now = 1000) {
    size_t offset = 0;
    double delay = 0;
    do {
      const Bytes piece(bytes.begin() + static_cast<long>(offset), bytes.end());
      delay = engine.feed(id, piece.data(), piece.size(), now, result);
      offset += result.consumed;
      feeds++;
      drain();
    } while (delay >= 0 && (offset < bytes.size() || result.more));
    return delay;
  }

  void drain() {
    size_t at = 0;
    for (uint32_t i = 0; i < engine.outbox().records(); i++) {
      const uint8_t* r = outbox.data() + at;
      const auto word = [&](size_t o) {
        return r[o] | r[o + 1] << 8 | r[o + 2] << 16 | static_cast<uint32_t>(r[o + 3]) << 24;
      };
      const uint32_t length = word(4);
      taken.push_back({r[0], r[1], word(8), word(12), word(16), Bytes(r + 24, r + 24 + length)});
      at += 24 + (length + 7) / 8 * 8;
    }
    CHECK_EQ(at, engine.outbox().used());
  }

  // All that a joining player gets.
  std::vector<Taken> replay(uint32_t slot = 0) {
    taken.clear();
    double cursor = 0;
    while (cursor >= 0) {
      cursor = engine.replay(slot, cursor);
      drain();
    }
    return std::move(taken);
  }

  double& field(uint32_t name, uint32_t slot = 0) { return streams[slot * STREAM_STRIDE + name]; }

  // A bitrate limit on `slot` of `bytes_per_second` with a second of burst.
  void limit(double bytes_per_second, uint32_t slot = 0) {
    field(stream::NODE_BITRATE, slot) = 0;
    nodes[node::INTERVAL] = 1000 / bytes_per_second;
    nodes[node::TAU] = 1000;
    nodes[node::DEBT_MAX] = 10000;
  }

  std::vector<double> nodes;
  std::vector<double> streams;
  std::vector<uint8_t> outbox;
  Engine engine;
  FeedResult result{};
  std::vector<Taken> taken;
  int feeds = 0;
};

// A chunk stream of whole messages, each with a type 0 header.
class Stream {
 public:
  explicit Stream(uint32_t chunk_size = 65536) {
    writer_.set_chunk_size(chunk_size);
  }
  Stream& send(uint8_t type, uint32_t timestamp, const Bytes& body, uint32_t message_stream_id = 1) {
    writer_.message(0, {type == 8 ? 4u : 6u, type, timestamp, message_stream_id}, body);
    return *this;
  }
  Stream& video(uint32_t timestamp, const Bytes& body) { return send(9, timestamp, body); }
  Stream& audio(uint32_t timestamp, const Bytes& body) { return send(8, timestamp, body); }
  Stream& command(const Bytes& body) { return send(20, 0, body, 0); }
  operator const Bytes&() const { return writer_.bytes; }

 private:
  ChunkWriter writer_;
};

}  // namespace headgate::test

#endif  // HEADGATE_TEST_ENGINE_RIG_H_
