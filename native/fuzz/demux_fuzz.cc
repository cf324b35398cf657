// Arbitrary chunk streams through the whole engine: demuxer, tags, accounting, GOP and outbox.
//
// Every input is run twice, once in one piece and once in pieces with an outbox so small that it
// fills up. Both must give the same messages, counters and error, and keep every bound.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "../engine.h"
#include "../slab_layout.h"

namespace {

using headgate::Engine;

// The longest input. The small outbox holds one message of it, or all its headers.
constexpr size_t kInputMax = 8192;
constexpr size_t kSmallOutbox = kInputMax + headgate::kStoredHeadersMax * 32;
constexpr size_t kLargeOutbox = 1 << 20;
uint8_t small_outbox[kSmallOutbox];
uint8_t large_outbox[kLargeOutbox];
constexpr double kGopPerStream = 4096;
constexpr double kNow = 1000;
constexpr size_t kNodes = 7;

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

uint32_t word_at(const uint8_t* bytes) {
  return bytes[0] | bytes[1] << 8 | bytes[2] << 16 | static_cast<uint32_t>(bytes[3]) << 24;
}

bool is_command(uint8_t type) { return type == 20 || type == 17; }

// One engine with one connection, and all that came out of it.
class Subject {
 public:
  template <size_t N>
  Subject(uint8_t options, uint8_t (&outbox)[N])
      : nodes_(kNodes * headgate::NODE_STRIDE),
        streams_(headgate::STREAM_STRIDE),
        outbox_(outbox),
        engine_(nodes_.data(), kNodes, streams_.data(), 1, outbox, N,
                {kGopPerStream, kGopPerStream * 2}),
        connection_(static_cast<uint32_t>(engine_.open())) {
    const double intervals[kNodes] = {0.05, 2, 20, 20, 0.01, 0, 0.01};
    for (size_t i = 0; i < kNodes; i++) {
      double* node = nodes_.data() + i * headgate::NODE_STRIDE;
      node[headgate::node::INTERVAL] = intervals[i];
      node[headgate::node::TAU] = 100;
      node[headgate::node::DEBT_MAX] = 1000;
      streams_[headgate::stream::NODE_BITRATE + i] = static_cast<double>(i);
    }
    streams_[headgate::stream::MODE] = options & 3;
    streams_[headgate::stream::FLAGS] = headgate::flag::IN_USE | (options & 4 ? headgate::flag::CONSUMED : 0) |
                                        (options & 8 ? headgate::flag::EXEMPT : 0);
    streams_[headgate::stream::LAST_DTS] = -1;
    if (options & 16) toggle();
  }

  // False once the protocol is broken.
  bool feed(const uint8_t* bytes, size_t length) {
    // A copy of its own: AddressSanitizer then sees a read past the piece.
    std::vector<uint8_t> piece(bytes, bytes + length);
    size_t offset = 0;
    headgate::FeedResult result{};
    do {
      const double delay = engine_.feed(connection_, piece.data() + offset, length - offset, kNow, result);
      require(result.consumed <= length - offset, "consumed more than there was");
      require(delay >= 0 || result.error != headgate::RtmpError::none, "a delay below zero");
      offset += result.consumed;
      fed_ += result.consumed;
      drain();
      check_bounds();
      error = result.error;
      if (error != headgate::RtmpError::none) return false;
    } while (offset < length || result.more);
    return true;
  }

  void replay() {
    double cursor = 0;
    do {
      cursor = engine_.replay(0, cursor);
      drain();
    } while (cursor >= 0);
  }

  std::vector<double> counters() const {
    using namespace headgate::stream;
    std::vector<double> found;
    for (const uint32_t field : {BYTES, PACKETS, FRAMES, KEYFRAMES, DROPPED_BYTES, DROPPED_PACKETS,
                                 DROPPED_FRAMES, LAST_DTS, TRACK_FRAMES, DROPPING, VIDEO_CODEC,
                                 AUDIO_CODEC, VIDEO_PACKETS, AUDIO_PACKETS, DATA_PACKETS, GOP_BYTES,
                                 GOP_PACKETS, OFFERED_BYTES, OFFERED_PACKETS}) {
      found.push_back(streams_[field]);
    }
    return found;
  }

  void close() {
    engine_.close(connection_);
    const headgate::EngineStats stats = engine_.stats();
    require(stats.connections == 0 && stats.gop_bytes == 0 && stats.pending_bytes == 0,
            "something is left after close");
  }

  headgate::RtmpError error = headgate::RtmpError::none;
  std::vector<uint8_t> records;

 private:
  void drain() {
    const headgate::Outbox& outbox = engine_.outbox();
    size_t at = 0;
    for (uint32_t i = 0; i < outbox.records(); i++) {
      require(at + 24 <= outbox.used(), "a record beyond the end");
      const uint8_t* record = outbox_ + at;
      const size_t length = word_at(record + 4);
      require(length <= outbox.used() - at - 24, "a body beyond the end");
      records.insert(records.end(), record, record + 24 + length);
      at += 24 + (length + 7) / 8 * 8;
      if (is_command(record[0])) toggle();
    }
    require(at == outbox.used(), "bytes without a record");
  }

  // Publishing begins and ends with commands, as in the server.
  void toggle() {
    attached_ = !attached_;
    if (attached_) {
      require(engine_.attach(connection_, 0, 1) == Engine::Attach::kDone, "attach refused");
    } else {
      engine_.detach(connection_);
    }
  }

  void check_bounds() const {
    const headgate::EngineStats stats = engine_.stats();
    require(stats.pending_bytes <= headgate::kPendingBytesMax, "pending bytes over the limit");
    require(stats.pending_bytes <= 3.0 * static_cast<double>(fed_), "more memory than was sent");
    require(stats.gop_bytes <= kGopPerStream, "a GOP over its cap");
    require(stats.gop_bytes == streams_[headgate::stream::GOP_BYTES], "the GOP size is not published");
  }

  std::vector<double> nodes_;
  std::vector<double> streams_;
  const uint8_t* const outbox_;
  Engine engine_;
  const uint32_t connection_;
  bool attached_ = false;
  size_t fed_ = 0;
};

}  // namespace

// The first byte chooses mode and flags, the next two the pieces; the rest is the chunk stream.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  if (size < 3 || size > kInputMax) return 0;
  uint32_t random = bytes[1] | bytes[2] << 8;
  const uint8_t options = bytes[0];
  const uint8_t* input = bytes + 3;
  const size_t length = size - 3;

  Subject whole(options, large_outbox);
  whole.feed(input, length);
  Subject pieces(options, small_outbox);
  const uint32_t piece_max = 1 + bytes[1] * bytes[1];
  for (size_t at = 0; at < length;) {
    random = random * 1664525 + 1013904223;
    const size_t take = std::min<size_t>(length - at, 1 + (random >> 8) % piece_max);
    if (!pieces.feed(input + at, take)) break;
    at += take;
  }
  whole.replay();
  pieces.replay();
  require(whole.error == pieces.error, "the error depends on how the bytes were split");
  require(whole.records == pieces.records, "the messages depend on how the bytes were split");
  require(whole.counters() == pieces.counters(), "the counters depend on how the bytes were split");
  whole.close();
  pieces.close();
  return 0;
}
