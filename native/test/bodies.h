// Media bodies for tests, as encoders write them.
#ifndef HEADGATE_TEST_BODIES_H_
#define HEADGATE_TEST_BODIES_H_

#include <cstring>

#include "chunk_writer.h"

namespace headgate::test {

inline Bytes operator+(Bytes a, const Bytes& b) {
  append(a, b);
  return a;
}

inline Bytes four(const char* name) { return Bytes(name, name + 4); }

inline Bytes sized(const Bytes& body) {
  const size_t n = body.size();
  return Bytes{static_cast<uint8_t>(n >> 16), static_cast<uint8_t>(n >> 8), static_cast<uint8_t>(n)} +
         body;
}

// One NAL unit behind a length of four bytes.
inline Bytes nal(const Bytes& unit) {
  return Bytes{0, 0, 0, static_cast<uint8_t>(unit.size())} + unit;
}

constexpr uint8_t kKey = 0x10;
constexpr uint8_t kInter = 0x20;

inline Bytes avc(uint8_t frame_type, const Bytes& units) {
  return Bytes{static_cast<uint8_t>(frame_type | 7), 1, 0, 0, 0} + units;
}

inline Bytes avc_keyframe(size_t size = 16) { return avc(kKey, nal({0x65, 1}) + Bytes(size, 0)); }
inline Bytes avc_inter(size_t size = 16) { return avc(kInter, nal({0x41, 1}) + Bytes(size, 0)); }
inline Bytes avc_disposable() { return avc(kInter, nal({0x01, 1})); }
inline Bytes avc_header(uint8_t last = 0xe1) {
  return {0x17, 0, 0, 0, 0, 1, 0x64, 0, 0x1f, 0xff, last};
}
inline Bytes aac_header(uint8_t last = 0x10) { return {0xaf, 0, 0x12, last}; }
inline Bytes aac_frame() { return {0xaf, 1, 0x21, 0x10, 0x05}; }

inline Bytes ex_video(uint8_t frame_type, uint8_t packet_type, const Bytes& rest) {
  return Bytes{static_cast<uint8_t>(0x80 | frame_type | packet_type)} + rest;
}

inline Bytes ex_audio(uint8_t packet_type, const Bytes& rest) {
  return Bytes{static_cast<uint8_t>(0x90 | packet_type)} + rest;
}

inline Bytes amf_string(const char* text) {
  return Bytes{2, 0, static_cast<uint8_t>(std::strlen(text))} + Bytes(text, text + std::strlen(text));
}

inline Bytes metadata(uint8_t value = 1) { return amf_string("@setDataFrame") + amf_string("onMetaData") + Bytes{8, value}; }

}  // namespace headgate::test

#endif  // HEADGATE_TEST_BODIES_H_
