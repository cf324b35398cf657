// Arbitrary transport streams through a whole publication: splitter, tables, meter, filter, outlet.
//
// Every input is run twice, with what passes then read again. Whatever it holds: what goes out is
// whole packets, each byte is counted once, and what passed a filter that let everything pass is
// what came in. The tables are read from there, as a player would.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "../slab_layout.h"
#include "../ts_publication.h"

namespace {

using namespace headgate;

constexpr size_t kInputMax = 8192;
constexpr size_t kNodes = 7;
constexpr size_t kHeadBytes = 4;

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

// One publication, and all that passed it.
class Subject {
 public:
  Subject(uint32_t stream_mode, uint32_t flags, bool limited)
      : nodes_(kNodes * NODE_STRIDE), row_(STREAM_STRIDE),
        accounting_(nodes_.data(), kNodes, row_.data(), 1), publication_(0, row_.data(), accounting_) {
    const double intervals[kNodes] = {0.4, 20, 50, 50, 0.1, 0, 0.1};
    for (size_t i = 0; i < kNodes; i++) {
      nodes_[i * NODE_STRIDE + node::INTERVAL] = limited ? intervals[i] : 0;
      nodes_[i * NODE_STRIDE + node::TAU] = 100;
      nodes_[i * NODE_STRIDE + node::DEBT_MAX] = 1000;
      row_[stream::NODE_BITRATE + i] = static_cast<double>(i);
    }
    row_[stream::MODE] = stream_mode;
    row_[stream::FLAGS] = flag::IN_USE | flags;
    row_[stream::LAST_DTS] = -1;
  }

  void take(const uint8_t* bytes, size_t length, double now) {
    // A copy of its own: AddressSanitizer then sees a read past the datagram.
    const std::vector<uint8_t> datagram(bytes, bytes + length);
    const TsPassed out = publication_.take(datagram.data(), length, now);
    require(out.length % kTsPacketBytes == 0, "half a packet went out");
    require(out.length <= length + kTsPacketBytes, "more went out than came in");
    require(!out.random_access || out.random_access_at < out.length, "a start beyond the end");
    for (size_t at = 0; at < out.length; at += kTsPacketBytes) {
      require(out.bytes[at] == kTsSync, "what went out is no packet");
    }
    passed.insert(passed.end(), out.bytes, out.bytes + out.length);
    taken_ += length;
    datagrams_++;
    publication_.settle(now);
    check();
  }

  // What a player reads who joins now.
  void join() {
    uint8_t tables[kTsTableBytesMax];
    const size_t length = publication_.tables(tables, sizeof tables);
    require(publication_.tables(tables, sizeof tables - 1) == 0, "tables without room");
    TsTables read;
    for (size_t at = 0; at < length; at += kTsPacketBytes) read.take(TsPacket(tables + at));
    require(length == 0 || read.known(), "tables nobody can read");
  }

  double field(uint32_t name) const { return row_[name]; }

  std::vector<uint8_t> passed;

 private:
  void check() const {
    using namespace stream;
    require(row_[BYTES] + row_[DROPPED_BYTES] == row_[OFFERED_BYTES], "a byte is counted twice");
    require(row_[OFFERED_BYTES] == static_cast<double>(taken_), "a byte is not counted");
    require(row_[PACKETS] + row_[DROPPED_PACKETS] == row_[OFFERED_PACKETS], "a packet is counted twice");
    require(row_[OFFERED_PACKETS] == static_cast<double>(datagrams_), "a packet is not counted");
    require(row_[DROPPED_BYTES] >= 0, "less than nothing is dropped");
    require(row_[LAST_DTS] >= -1, "time before the first");
    require(row_[TRACK_FRAMES] <= row_[FRAMES] + row_[DROPPED_FRAMES], "frames nobody counted");
  }

  std::vector<double> nodes_;
  std::vector<double> row_;
  Accounting accounting_;
  TsPublication publication_;
  size_t taken_ = 0;
  size_t datagrams_ = 0;
};

}  // namespace

// The first byte chooses mode and flags, the next two the datagrams and their times.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  if (size < kHeadBytes || size > kInputMax) return 0;
  const uint32_t mode = bytes[0] & 3;
  const uint32_t flags = (bytes[0] & 4 ? flag::EXEMPT : 0) | (bytes[0] & 8 ? flag::LOSSY : 0);
  uint32_t random = bytes[1] | static_cast<uint32_t>(bytes[2]) << 8;
  const size_t packets = 1 + bytes[1] % 7;
  const bool aligned = (bytes[1] & 0x80) == 0;
  const uint8_t* input = bytes + kHeadBytes;
  const size_t length = size - kHeadBytes;

  Subject limited(mode, flags, true);
  Subject watched(mode::OBSERVE, flags, false);
  Subject open(mode::DROP, flags, false);
  double now = 1000;
  for (size_t at = 0; at < length;) {
    random = random * 1664525 + 1013904223;
    const size_t step = aligned ? packets * kTsPacketBytes : 1 + (random >> 8) % kTsDatagramBytesMax;
    const size_t take = std::min(length - at, step);
    for (Subject* subject : {&limited, &watched, &open}) subject->take(input + at, take, now);
    at += take;
    now += bytes[3];
  }
  for (Subject* subject : {&limited, &watched, &open}) subject->join();
  require(watched.passed == open.passed, "something was dropped without a limit");
  require(watched.field(stream::FRAMES) == open.field(stream::FRAMES), "frames depend on the filter");
  require(limited.field(stream::TRACK_FRAMES) == open.field(stream::TRACK_FRAMES),
          "what is dropped is not counted");
  return 0;
}
