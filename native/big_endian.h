// Integers as RTMP and FLV write them.
#ifndef HEADGATE_BIG_ENDIAN_H_
#define HEADGATE_BIG_ENDIAN_H_

#include <cstdint>

namespace headgate {

inline uint32_t read_u16(const uint8_t* p) { return static_cast<uint32_t>(p[0]) << 8 | p[1]; }

inline uint32_t read_u24(const uint8_t* p) { return read_u16(p) << 8 | p[2]; }

inline uint32_t read_u32(const uint8_t* p) { return read_u24(p) << 8 | p[3]; }

/// The one field RTMP writes the other way round: the message stream id of a type 0 header.
inline uint32_t read_u32_little(const uint8_t* p) {
  return static_cast<uint32_t>(p[3]) << 24 | static_cast<uint32_t>(p[2]) << 16 |
         static_cast<uint32_t>(p[1]) << 8 | p[0];
}

}  // namespace headgate

#endif  // HEADGATE_BIG_ENDIAN_H_
