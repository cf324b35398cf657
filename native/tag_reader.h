// What E-RTMP audio and video bodies share: a bounded reader, the packet types that mean the same
// in both, modifiers and the multitrack header (Enhanced RTMP v2, sections on audio and video).
#ifndef HEADGATE_TAG_READER_H_
#define HEADGATE_TAG_READER_H_

#include <cstdint>

#include "big_endian.h"

namespace headgate {

constexpr uint8_t kSequenceStart = 0;
constexpr uint8_t kCodedFrames = 1;
constexpr uint8_t kSequenceEnd = 2;
constexpr uint8_t kModEx = 7;

// Multitrack types.
constexpr uint8_t kOneTrack = 0;
constexpr uint8_t kManyTracksManyCodecs = 2;

constexpr uint32_t four_cc(const char (&name)[5]) {
  return static_cast<uint32_t>(static_cast<uint8_t>(name[0])) << 24 |
         static_cast<uint32_t>(static_cast<uint8_t>(name[1])) << 16 |
         static_cast<uint32_t>(static_cast<uint8_t>(name[2])) << 8 |
         static_cast<uint8_t>(name[3]);
}

/// A body being read. Reading past the end gives zeros and clears `whole`.
struct TagReader {
  const uint8_t* at;
  const uint8_t* end;
  bool whole = true;

  uint32_t left() const { return static_cast<uint32_t>(end - at); }
  const uint8_t* take(uint32_t count) {
    if (left() < count) {
      whole = false;
      at = end;
      return nullptr;
    }
    const uint8_t* bytes = at;
    at += count;
    return bytes;
  }
  uint32_t u8() {
    const uint8_t* p = take(1);
    return p == nullptr ? 0 : p[0];
  }
  uint32_t u16() {
    const uint8_t* p = take(2);
    return p == nullptr ? 0 : read_u16(p);
  }
  uint32_t u24() {
    const uint8_t* p = take(3);
    return p == nullptr ? 0 : read_u24(p);
  }
  uint32_t u32() {
    const uint8_t* p = take(4);
    return p == nullptr ? 0 : read_u32(p);
  }
};

/// E-RTMP v2 "ModEx": modifiers before the packet type, each with its size. Returns the packet type
/// they modify. Their content (nanosecond offsets) does not matter for metering.
inline uint8_t skip_modifiers(TagReader& body, uint8_t packet_type) {
  while (packet_type == kModEx && body.whole) {
    uint32_t size = body.u8() + 1;
    if (size == 256) size = body.u16() + 1;
    body.take(size);
    packet_type = body.u8() & 0x0f;
  }
  return packet_type;
}

/// Packet type, multitrack and FourCC, after any modifiers.
struct ExHeader {
  uint8_t packet_type;
  bool multitrack = false;
  uint8_t multitrack_type = 0;
  uint32_t codec_name = 0;

  bool codec_per_track() const { return multitrack && multitrack_type == kManyTracksManyCodecs; }
  bool size_per_track() const { return multitrack && multitrack_type != kOneTrack; }
};

inline void read_multitrack(TagReader& body, ExHeader& header, uint8_t multitrack) {
  if (header.packet_type == multitrack) {
    const uint32_t types = body.u8();
    header.multitrack = true;
    header.multitrack_type = static_cast<uint8_t>(types >> 4);
    header.packet_type = types & 0x0f;
  }
  if (!header.codec_per_track()) header.codec_name = body.u32();
}

/// Takes the next track's header and content off the body.
inline bool next_track(TagReader& body, ExHeader& header, uint8_t& track, TagReader& content) {
  if (header.codec_per_track()) header.codec_name = body.u32();
  track = header.multitrack ? static_cast<uint8_t>(body.u8()) : 0;
  const uint32_t size = header.size_per_track() ? body.u24() : body.left();
  content = {body.at, body.at};
  if (!body.whole || body.take(size) == nullptr) return false;
  content.end = body.at;
  return true;
}

}  // namespace headgate

#endif  // HEADGATE_TAG_READER_H_
