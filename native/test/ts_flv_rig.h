// Transport streams made packet by packet, and the messages that TsFlv makes of them.
#ifndef HEADGATE_TEST_TS_FLV_RIG_H_
#define HEADGATE_TEST_TS_FLV_RIG_H_

#include <string>

#include "../ts_flv.h"
#include "bodies.h"
#include "check.h"
#include "ts_writer.h"

namespace headgate::test {

inline const Bytes kSps = {0x67, 0x42, 0xc0, 0x1f, 0xd9, 0, 0x50, 0x05, 0xbb, 1, 0x10, 0, 0, 3, 0};
inline const Bytes kPps = {0x68, 0xcb, 0x83, 0xcb, 0x20};
inline const Bytes kIdrNal = {0x65, 0x88, 0x84, 1, 2};
inline const Bytes kInterNal = {0x41, 0x9a, 3};
inline const Bytes kDisposableNal = {0x01, 0x9e, 4};

inline Bytes unit(const std::vector<Bytes>& nals) {
  Bytes bytes = {0};
  for (const Bytes& nal : nals) bytes = bytes + Bytes{0, 0, 1} + nal;
  return bytes;
}

inline Bytes slice(const Bytes& bytes, size_t from, size_t to) {
  return Bytes(bytes.begin() + static_cast<long>(from), bytes.begin() + static_cast<long>(to));
}

inline Bytes prefixed(const std::vector<Bytes>& nals) {
  Bytes bytes;
  for (const Bytes& one : nals) bytes = bytes + nal(one);
  return bytes;
}

// One ADTS frame: AAC LC, 48 kHz, two channels.
inline Bytes adts(const Bytes& raw, uint8_t channels = 2, uint8_t rate_index = 3) {
  const size_t length = raw.size() + 7;
  return Bytes{0xff,
               0xf1,
               static_cast<uint8_t>(0x40 | rate_index << 2),
               static_cast<uint8_t>(channels << 6 | length >> 11),
               static_cast<uint8_t>(length >> 3),
               static_cast<uint8_t>(length << 5 | 0x1f),
               0xfc} +
         raw;
}

// What a multiplexer does, without its timing. Times are in ms.
class Multiplexer {
 public:
  Bytes bytes;

  void tables(const std::vector<StreamEntry>& streams) {
    append(bytes, writer_.pat());
    append(bytes, writer_.pmt(streams));
  }
  void avc_and_aac() { append(bytes, writer_.tables()); }

  void video(const Bytes& body, int64_t dts, int64_t pts, bool random_access = false) {
    PesOptions options;
    options.dts = dts * kTsClockPerMs;
    options.pts = pts * kTsClockPerMs;
    options.random_access = random_access;
    append(bytes, writer_.pes(kVideoPid, options, body));
  }
  void video(const Bytes& body, int64_t dts) { video(body, dts, dts); }
  void untimed_video(const Bytes& body) { append(bytes, writer_.pes(kVideoPid, {}, body)); }

  void audio(const Bytes& body, int64_t pts) {
    PesOptions options;
    options.pts = pts * kTsClockPerMs;
    append(bytes, writer_.pes(kAudioPid, options, body, 0xc0));
  }

  // The next packet never arrives.
  void lose(uint16_t pid) { writer_.packet(pid, {0}); }

 private:
  TsWriter writer_;
};

struct Message {
  uint8_t type;
  uint8_t flags;
  uint32_t timestamp;
  Bytes body;
};

class Demuxer {
 public:
  explicit Demuxer(size_t outbox_bytes = kTsFlvRoomBytes)
      : outbox_(outbox_bytes), flv_(outbox_.data(), outbox_bytes) {}

  std::vector<Message> feed(const Bytes& bytes) {
    std::vector<Message> messages;
    for (size_t at = 0; at < bytes.size();) {
      const size_t taken = flv_.feed(bytes.data() + at, bytes.size() - at);
      if (!CHECK(taken > 0)) break;
      at += taken;
      feeds++;
      size_t record = 0;
      for (uint32_t i = 0; i < flv_.outbox().records(); i++) {
        uint32_t length, timestamp;
        std::memcpy(&length, &outbox_[record + 4], 4);
        std::memcpy(&timestamp, &outbox_[record + 8], 4);
        const auto body = outbox_.begin() + static_cast<long>(record + Outbox::kRecordHeaderBytes);
        const Bytes copy(body, body + length);
        messages.push_back({outbox_[record], outbox_[record + 1], timestamp, copy});
        record += Outbox::kRecordHeaderBytes + ((length + 7) & ~7u);
      }
    }
    return messages;
  }

  const TsFlv& flv() const { return flv_; }
  uint32_t feeds = 0;

 private:
  Bytes outbox_;
  TsFlv flv_;
};

inline std::vector<Message> of_type(const std::vector<Message>& messages, uint8_t type) {
  std::vector<Message> found;
  for (const Message& message : messages) {
    if (message.type == type) found.push_back(message);
  }
  return found;
}

inline std::string times(const std::vector<Message>& messages, uint8_t type) {
  std::string text;
  for (const Message& message : of_type(messages, type)) {
    if ((message.flags & record_flag::HEADER) != 0) text += "h";
    if ((message.flags & record_flag::KEYFRAME) != 0) text += "k";
    text += std::to_string(message.timestamp) + " ";
  }
  return text;
}

inline void check_times(const std::vector<Message>& messages, uint8_t type, const std::string& expected) {
  const std::string found = times(messages, type);
  if (!CHECK(found == expected)) std::cerr << "  " << found << "!= " << expected << "\n";
}

inline constexpr uint8_t kVideoType = 9;
inline constexpr uint8_t kAudioType = 8;

inline const Bytes kKeyUnit = unit({{0x09, 0xf0}, kSps, kPps, kIdrNal});

}  // namespace headgate::test

#endif  // HEADGATE_TEST_TS_FLV_RIG_H_
