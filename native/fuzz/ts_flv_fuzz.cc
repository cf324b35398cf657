// Arbitrary transport streams through the demuxer for FLV.
//
// Every input is run twice, once in one piece and once in pieces. What comes out must be well formed
// whatever went in; and where packets lie one behind the other, both runs must give the same.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "../big_endian.h"
#include "../sps.h"
#include "../ts_flv.h"

namespace {

using headgate::kTsPacketBytes;
using Bytes = std::vector<uint8_t>;

constexpr size_t kInputMax = 8192;
constexpr uint16_t kPmt = 0x1000;
constexpr uint16_t kPids[] = {0x100, 0x101};
constexpr size_t kRoom = headgate::kTsFlvRoomBytes;
uint8_t outbox[kRoom];

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

uint32_t word_at(const uint8_t* bytes) { return headgate::read_u32_little(bytes); }

void append_packet(Bytes& out, uint16_t pid, uint8_t flags, uint8_t continuity, uint8_t field_flags,
                   const Bytes& payload) {
  const size_t stuffing = kTsPacketBytes - 4 - payload.size();
  out.insert(out.end(), {headgate::kTsSync, static_cast<uint8_t>(flags | pid >> 8), static_cast<uint8_t>(pid),
                         static_cast<uint8_t>((stuffing > 0 ? 0x30 : 0x10) | (continuity & 0x0f))});
  if (stuffing > 0) out.push_back(static_cast<uint8_t>(stuffing - 1));
  if (stuffing > 1) out.push_back(field_flags);
  if (stuffing > 2) out.insert(out.end(), stuffing - 2, 0xff);
  out.insert(out.end(), payload.begin(), payload.end());
}

void append_section(Bytes& out, uint16_t pid, uint8_t continuity, Bytes section) {
  section[2] = static_cast<uint8_t>(section.size() + 1);
  const uint32_t crc = headgate::crc32_mpeg2(section.data(), section.size());
  for (int shift = 24; shift >= 0; shift -= 8) section.push_back(static_cast<uint8_t>(crc >> shift));
  section.insert(section.begin(), 0);
  section.resize(kTsPacketBytes - 4, 0xff);
  append_packet(out, pid, 0x40, continuity, 0, section);
}

// A program that a mutation cannot hit upon, for want of a CRC. The choice makes other programs too.
void append_tables(Bytes& out, uint8_t choice, uint8_t continuity) {
  constexpr uint8_t kTypes[] = {0x1b, 0x0f, 0x24, 0x11};
  const uint8_t version = static_cast<uint8_t>(0xc1 | (choice & 7) << 1);
  append_section(out, 0, continuity,
                 {0, 0xb0, 0, 0, 1, version, 0, 0, 0, 1, 0xe0 | kPmt >> 8, kPmt & 0xff});
  append_section(out, kPmt, continuity,
                 {2, 0xb0, 0, 0, 1, version, 0, 0, 0xe1, 0, 0xf0, 0, kTypes[choice >> 3 & 2], 0xe1, 0, 0xf0, 0,
                  kTypes[(choice >> 5 & 2) + 1], 0xe1, 1, 0xf0, 0});
}

// Packets told in short, so that mutations change what matters: what, how long, payload.
Bytes packets_of(const uint8_t* bytes, size_t size) {
  Bytes out;
  uint8_t continuity[3] = {};
  append_tables(out, 0, continuity[2]++);
  for (size_t at = 0; at + 2 <= size && out.size() < 8 * kInputMax;) {
    const uint8_t what = bytes[at];
    const uint8_t detail = bytes[at + 1];
    at += 2;
    if (what & 0x80) {
      append_tables(out, detail, continuity[2]++);
      continue;
    }
    const size_t track = what & 1;
    Bytes payload;
    if (what & 4 && at + 2 <= size) {
      const uint8_t time[] = {0x21, bytes[at], static_cast<uint8_t>(bytes[at + 1] | 1), 0, 1};
      payload = {0, 0, 1, 0xe0, 0, 0, 0x80, 0x80, 5};
      payload.insert(payload.end(), std::begin(time), std::end(time));
      at += 2;
    }
    const size_t length = std::min({size_t{detail}, size - at, kTsPacketBytes - 4 - payload.size()});
    payload.insert(payload.end(), bytes + at, bytes + at + length);
    at += length;
    if (what & 8) continuity[track]++;
    const uint8_t field_flags = static_cast<uint8_t>((what & 0x10) << 2 | (what & 0x20) << 2);
    append_packet(out, kPids[track], what & 4 ? 0x40 : 0, continuity[track], field_flags, payload);
    if ((what & 0x40) == 0) continuity[track]++;
  }
  return out;
}

// One demuxer, and all that came out of it.
class Subject {
 public:
  void feed(const uint8_t* bytes, size_t length) {
    // A copy of its own: AddressSanitizer then sees a read past the piece.
    const Bytes piece(bytes, bytes + length);
    for (size_t at = 0; at < length;) {
      const size_t taken = flv_.feed(piece.data() + at, length - at);
      require(taken > 0 && taken <= length - at, "took nothing, or more than there was");
      at += taken;
      drain();
    }
    require(flv_.held() <= headgate::kAvcUnitBytesMax, "holds more than a unit may be");
  }

  uint64_t skipped() const { return flv_.skipped_units(); }

  Bytes records;

 private:
  void drain() {
    const headgate::Outbox& written = flv_.outbox();
    size_t at = 0;
    for (uint32_t i = 0; i < written.records(); i++) {
      require(at + headgate::Outbox::kRecordHeaderBytes <= written.used(), "a record beyond the end");
      const uint8_t* record = outbox + at;
      const size_t length = word_at(record + 4);
      const uint8_t* body = record + headgate::Outbox::kRecordHeaderBytes;
      require(at + headgate::Outbox::kRecordHeaderBytes + length <= written.used(), "a body beyond the end");
      if (record[0] == 9) check_video(record[1], body, length);
      if (record[0] == 8) check_audio(record[1], body, length);
      require(record[0] == 8 || record[0] == 9, "a message that is no media");
      records.insert(records.end(), record, body + length);
      at += headgate::Outbox::kRecordHeaderBytes + (length + 7) / 8 * 8;
    }
    require(at == written.used(), "bytes without a record");
  }

  void check_video(uint8_t flags, const uint8_t* body, size_t length) {
    const bool header = (flags & headgate::record_flag::HEADER) != 0;
    const bool keyframe = (flags & headgate::record_flag::KEYFRAME) != 0;
    require(length > 5 && body[0] == (header || keyframe ? 0x17 : 0x27), "a strange video tag");
    require(body[1] == (header ? 0 : 1), "flags and packet type differ");
    if (header) {
      require(length >= 5 + 7 + 4, "a header without parameter sets");
      announced_ = true;
      return;
    }
    require(announced_ && (keyframe || running_), "video before header and keyframe");
    running_ = true;
    for (size_t at = 5; at < length;) {
      require(at + 4 <= length, "a length that is cut off");
      const size_t nal = headgate::read_u32(body + at);
      require(nal > 0 && nal <= length - at - 4, "a NAL unit beyond the end");
      require((body[at + 4] & 0x1f) != 9, "a delimiter");
      at += 4 + nal;
    }
  }

  void check_audio(uint8_t flags, const uint8_t* body, size_t length) {
    const bool header = (flags & headgate::record_flag::HEADER) != 0;
    require(length > 2 && body[0] == 0xaf && body[1] == (header ? 0 : 1), "a strange audio tag");
    require(header || described_, "audio before its header");
    described_ = described_ || header;
  }

  headgate::TsFlv flv_{outbox, kRoom};
  bool announced_ = false;
  bool running_ = false;
  bool described_ = false;
};

void check_size(bool found, headgate::Dimensions size) {
  require(!found || (size.width > 0 && size.height > 0), "a picture without size");
  require(size.width <= UINT16_MAX && size.height <= UINT16_MAX, "a picture larger than any");
}

// The same bytes as a parameter set of either kind.
void check_sizes(const Bytes& nal) {
  headgate::Dimensions size;
  check_size(headgate::h264_dimensions(nal.data(), nal.size(), size), size);
  check_size(headgate::hevc_dimensions(nal.data(), nal.size(), size), size);
}

bool is_aligned(const Bytes& bytes) {
  for (size_t at = 0; at < bytes.size(); at += kTsPacketBytes) {
    if (bytes[at] != headgate::kTsSync) return false;
  }
  return true;
}

}  // namespace

// The first byte chooses between packets told in short and bytes as they are, the second the pieces.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  if (size < 2 || size > kInputMax) return 0;
  const Bytes input = bytes[0] & 1 ? packets_of(bytes + 2, size - 2) : Bytes(bytes + 2, bytes + size);
  check_sizes(Bytes(bytes, bytes + size));
  uint32_t random = bytes[1];
  const uint32_t piece_max = 1 + bytes[1] * 8;

  Subject whole;
  whole.feed(input.data(), input.size());
  Subject pieces;
  for (size_t at = 0; at < input.size();) {
    random = random * 1664525 + 1013904223;
    const size_t take = std::min<size_t>(input.size() - at, 1 + (random >> 8) % piece_max);
    pieces.feed(input.data() + at, take);
    at += take;
  }
  if (is_aligned(input)) {
    require(whole.records == pieces.records, "the messages depend on how the bytes were split");
    require(whole.skipped() == pieces.skipped(), "what is skipped depends on how the bytes were split");
  }
  return 0;
}
