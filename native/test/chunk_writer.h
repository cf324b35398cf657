// Writes chunk streams for tests: any header form, any order, right or wrong.
#ifndef HEADGATE_TEST_CHUNK_WRITER_H_
#define HEADGATE_TEST_CHUNK_WRITER_H_

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

namespace headgate::test {

using Bytes = std::vector<uint8_t>;

inline Bytes filled(size_t length, uint8_t first) {
  Bytes bytes(length);
  for (size_t i = 0; i < length; i++) bytes[i] = static_cast<uint8_t>(first + i);
  return bytes;
}

inline void append(Bytes& to, const Bytes& from) { to.insert(to.end(), from.begin(), from.end()); }

struct ChunkHeader {
  uint32_t id = 4;
  uint8_t type = 9;
  uint32_t timestamp = 0;  // or delta
  uint32_t message_stream_id = 1;
};

class ChunkWriter {
 public:
  Bytes bytes;
  uint32_t chunk_size = 128;
  bool repeat_extended = true;
  bool wide_ids = false;  // three-byte ids where two would do

  void basic(uint8_t format, uint32_t id) {
    if (id < 64) {
      byte(format << 6 | id);
    } else if (id < 320 && !wide_ids) {
      byte(format << 6);
      byte(id - 64);
    } else {
      byte(format << 6 | 1);
      byte((id - 64) & 0xff);
      byte((id - 64) >> 8);
    }
  }

  // Message header of `format`, with the extended timestamp if it takes one.
  void header(uint8_t format, const ChunkHeader& h, uint32_t length) {
    basic(format, h.id);
    if (format < 3) u24(std::min<uint32_t>(h.timestamp, 0xffffff));
    if (format < 2) {
      u24(length);
      byte(h.type);
    }
    if (format == 0) {
      for (int shift = 0; shift < 32; shift += 8) byte(h.message_stream_id >> shift);
    }
    if (h.timestamp >= 0xffffff && (format < 3 || repeat_extended)) u32(h.timestamp);
  }

  void payload(const Bytes& body, size_t from, size_t to) {
    bytes.insert(bytes.end(), body.begin() + static_cast<long>(from),
                 body.begin() + static_cast<long>(to));
  }

  // A whole message: a header of `format`, then type 3 chunks.
  void message(uint8_t format, const ChunkHeader& h, const Bytes& body) {
    header(format, h, static_cast<uint32_t>(body.size()));
    for (size_t at = 0; at < body.size(); at += chunk_size) {
      if (at > 0) header(3, h, 0);
      payload(body, at, std::min<size_t>(body.size(), at + chunk_size));
    }
  }

  void control(uint8_t type, std::initializer_list<uint8_t> body) {
    message(0, {2, type, 0, 0}, Bytes(body));
  }

  void set_chunk_size(uint32_t size) {
    control(1, {static_cast<uint8_t>(size >> 24), static_cast<uint8_t>(size >> 16),
                static_cast<uint8_t>(size >> 8), static_cast<uint8_t>(size)});
    chunk_size = size;
  }

  void byte(uint32_t value) { bytes.push_back(static_cast<uint8_t>(value)); }
  void u24(uint32_t value) {
    byte(value >> 16);
    byte(value >> 8);
    byte(value);
  }
  void u32(uint32_t value) {
    byte(value >> 24);
    u24(value);
  }
};

}  // namespace headgate::test

#endif  // HEADGATE_TEST_CHUNK_WRITER_H_
