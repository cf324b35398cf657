// Writes transport streams for tests: packets, tables and PES packets, with counters of its own.
#ifndef HEADGATE_TEST_TS_WRITER_H_
#define HEADGATE_TEST_TS_WRITER_H_

#include <cstdint>
#include <map>
#include <vector>

#include "../ts_psi.h"

namespace headgate::test {

using TsBytes = std::vector<uint8_t>;

inline TsBytes& operator+=(TsBytes& to, const TsBytes& more) {
  to.insert(to.end(), more.begin(), more.end());
  return to;
}

constexpr uint16_t kPmtPid = 0x1000;
constexpr uint16_t kVideoPid = 0x100;
constexpr uint16_t kAudioPid = 0x101;
constexpr uint16_t kSecondVideoPid = 0x102;

struct TsPacketOptions {
  bool unit_start = false;
  bool random_access = false;
  bool discontinuity = false;
  bool scrambled = false;
  int64_t pcr = -1;  // 90 kHz
};

struct PesOptions {
  int64_t pts = -1;  // 90 kHz; below 0 there is none
  int64_t dts = -1;
  bool random_access = false;
  bool scrambled = false;
  int64_t pcr = -1;
};

struct StreamEntry {
  uint8_t type;
  uint16_t pid;
  TsBytes descriptors = {};
};

inline TsBytes registration(const char (&name)[5]) {
  return {0x05, 4, static_cast<uint8_t>(name[0]), static_cast<uint8_t>(name[1]),
          static_cast<uint8_t>(name[2]), static_cast<uint8_t>(name[3])};
}

class TsWriter {
 public:
  // One packet; what the payload does not fill is stuffed through the adaptation field. An empty
  // payload makes a packet without one.
  TsBytes packet(uint16_t pid, const TsBytes& payload, const TsPacketOptions& options = {}) {
    uint8_t& counter = counters_[pid];
    TsBytes field;
    if (options.random_access || options.discontinuity || options.pcr >= 0) {
      field.push_back(static_cast<uint8_t>((options.discontinuity ? 0x80 : 0) |
                                           (options.random_access ? 0x40 : 0) | (options.pcr >= 0 ? 0x10 : 0)));
      if (options.pcr >= 0) {
        const uint64_t base = static_cast<uint64_t>(options.pcr);
        field += {static_cast<uint8_t>(base >> 25), static_cast<uint8_t>(base >> 17),
                  static_cast<uint8_t>(base >> 9), static_cast<uint8_t>(base >> 1),
                  static_cast<uint8_t>((base & 1) << 7 | 0x7e), 0};
      }
    }
    const bool has_payload = !payload.empty();
    const bool adaptation = !field.empty() || payload.size() < 184;
    if (has_payload) counter = (counter + 1) & 15;
    TsBytes out = {kTsSync, static_cast<uint8_t>((options.unit_start ? 0x40 : 0) | pid >> 8),
                   static_cast<uint8_t>(pid),
                   static_cast<uint8_t>((options.scrambled ? 0x80 : 0) | (adaptation ? 0x20 : 0) |
                                        (has_payload ? 0x10 : 0) | counter)};
    if (adaptation) {
      const size_t room = 183 - payload.size();
      if (room > 0 && field.empty()) field.push_back(0);
      field.resize(room, 0xff);
      out.push_back(static_cast<uint8_t>(room));
      out += field;
    }
    out += payload;
    return out;
  }

  // A PES packet in as many packets as it takes.
  TsBytes pes(uint16_t pid, const PesOptions& options, const TsBytes& body, uint8_t stream_id = 0xe0) {
    const bool both = options.dts >= 0;
    TsBytes unit = {0, 0, 1, stream_id, 0, 0, 0x80,
                    static_cast<uint8_t>(options.pts < 0 ? 0 : both ? 0xc0 : 0x80),
                    static_cast<uint8_t>(options.pts < 0 ? 0 : both ? 10 : 5)};
    if (options.pts >= 0) unit += stamp(both ? 3 : 2, static_cast<uint64_t>(options.pts));
    if (both) unit += stamp(1, static_cast<uint64_t>(options.dts));
    unit += body;
    TsBytes out;
    for (size_t at = 0; at < unit.size();) {
      TsPacketOptions packet_options;
      packet_options.scrambled = options.scrambled;
      size_t room = 184;
      if (at == 0) {
        packet_options.unit_start = true;
        packet_options.random_access = options.random_access;
        packet_options.pcr = options.pcr;
        room -= options.pcr >= 0 ? 8 : options.random_access ? 2 : 0;
      }
      const size_t count = unit.size() - at < room ? unit.size() - at : room;
      out += packet(pid, TsBytes(unit.begin() + at, unit.begin() + at + count), packet_options);
      at += count;
    }
    return out;
  }

  // A section with its CRC, as packets.
  TsBytes section(uint16_t pid, uint8_t table, uint16_t extension, const TsBytes& body, uint8_t version = 0,
                  bool current = true) {
    const size_t length = 5 + body.size() + 4;
    TsBytes bytes = {table, static_cast<uint8_t>(0xb0 | length >> 8), static_cast<uint8_t>(length),
                     static_cast<uint8_t>(extension >> 8), static_cast<uint8_t>(extension),
                     static_cast<uint8_t>(0xc0 | version << 1 | (current ? 1 : 0)), 0, 0};
    bytes += body;
    const uint32_t crc = crc32_mpeg2(bytes.data(), bytes.size());
    bytes += {static_cast<uint8_t>(crc >> 24), static_cast<uint8_t>(crc >> 16),
              static_cast<uint8_t>(crc >> 8), static_cast<uint8_t>(crc)};
    return sections(pid, bytes);
  }

  TsBytes sections(uint16_t pid, TsBytes bytes) {
    bytes.insert(bytes.begin(), 0);
    TsBytes out;
    for (size_t at = 0; at < bytes.size(); at += 184) {
      TsBytes part(bytes.begin() + at, bytes.begin() + std::min(at + 184, bytes.size()));
      part.resize(184, 0xff);
      TsPacketOptions options;
      options.unit_start = at == 0;
      out += packet(pid, part, options);
    }
    return out;
  }

  TsBytes pat(const std::vector<std::pair<uint16_t, uint16_t>>& programs = {{1, kPmtPid}}) {
    TsBytes body;
    for (const auto& [number, pid] : programs) {
      body += {static_cast<uint8_t>(number >> 8), static_cast<uint8_t>(number),
               static_cast<uint8_t>(0xe0 | pid >> 8), static_cast<uint8_t>(pid)};
    }
    return section(0, 0, 1, body);
  }

  TsBytes pmt(const std::vector<StreamEntry>& streams, uint16_t number = 1, uint16_t pid = kPmtPid,
              bool current = true) {
    const uint16_t pcr = streams.empty() ? 0x1fff : streams[0].pid;
    TsBytes body = {static_cast<uint8_t>(0xe0 | pcr >> 8), static_cast<uint8_t>(pcr), 0xf0, 0};
    for (const StreamEntry& stream : streams) {
      const size_t length = stream.descriptors.size();
      body += {stream.type, static_cast<uint8_t>(0xe0 | stream.pid >> 8), static_cast<uint8_t>(stream.pid),
               static_cast<uint8_t>(0xf0 | length >> 8), static_cast<uint8_t>(length)};
      body += stream.descriptors;
    }
    return section(pid, 2, number, body, 0, current);
  }

  // PAT and PMT of one H.264 and one AAC stream.
  TsBytes tables() {
    TsBytes out = pat();
    out += pmt({{0x1b, kVideoPid}, {0x0f, kAudioPid}});
    return out;
  }

 private:
  static TsBytes stamp(uint8_t mark, uint64_t time) {
    return {static_cast<uint8_t>(mark << 4 | (time >> 29 & 0x0e) | 1), static_cast<uint8_t>(time >> 22),
            static_cast<uint8_t>((time >> 14 & 0xfe) | 1), static_cast<uint8_t>(time >> 7),
            static_cast<uint8_t>((time << 1 & 0xfe) | 1)};
  }

  std::map<uint16_t, uint8_t> counters_;
};

/// An H.264 unit of about `size` bytes: a delimiter and one slice of that NAL header.
inline TsBytes avc_unit(uint8_t slice_head, size_t size = 100) {
  TsBytes unit = {0, 0, 0, 1, 0x09, 0xf0, 0, 0, 0, 1, slice_head, 0x9a};
  unit.resize(std::max(size, unit.size()), 0x55);
  return unit;
}

constexpr uint8_t kIdrSlice = 0x65;
constexpr uint8_t kReferenceSlice = 0x41;
constexpr uint8_t kDisposableSlice = 0x01;

}  // namespace headgate::test

#endif  // HEADGATE_TEST_TS_WRITER_H_
