// Transport streams made packet by packet, and the messages they become.
#include "../ts_flv.h"

#include <string>

#include "../slab_layout.h"
#include "bodies.h"
#include "check.h"

namespace headgate::test {
namespace {

constexpr uint16_t kPmt = 0x1000;
constexpr uint16_t kVideo = 0x100;
constexpr uint16_t kAudio = 0x101;
constexpr uint64_t kMs = 90;

const Bytes kSps = {0x67, 0x42, 0xc0, 0x1f, 0xd9, 0, 0x50, 0x05, 0xbb, 1, 0x10, 0, 0, 3, 0};
const Bytes kPps = {0x68, 0xcb, 0x83, 0xcb, 0x20};
const Bytes kIdr = {0x65, 0x88, 0x84, 1, 2};
const Bytes kInterSlice = {0x41, 0x9a, 3};
const Bytes kDisposableSlice = {0x01, 0x9e, 4};

Bytes unit(const std::vector<Bytes>& nals) {
  Bytes bytes = {0};
  for (const Bytes& nal : nals) bytes = bytes + Bytes{0, 0, 1} + nal;
  return bytes;
}

Bytes slice(const Bytes& bytes, size_t from, size_t to) {
  return Bytes(bytes.begin() + static_cast<long>(from), bytes.begin() + static_cast<long>(to));
}

Bytes prefixed(const std::vector<Bytes>& nals) {
  Bytes bytes;
  for (const Bytes& one : nals) bytes = bytes + nal(one);
  return bytes;
}

// One ADTS frame: AAC LC, 48 kHz, two channels.
Bytes adts(const Bytes& raw, uint8_t channels = 2, uint8_t rate_index = 3) {
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

// What a multiplexer does, without its timing.
class Multiplexer {
 public:
  Bytes bytes;

  void tables(const std::vector<std::pair<uint8_t, uint16_t>>& streams, uint8_t version = 0) {
    section(ts_pid::PAT, table(0, 1, version, {0, 1, 0xe0 | kPmt >> 8, kPmt & 0xff}));
    Bytes listed = {0xe1, 0, 0xf0, 0};
    for (const auto& [type, pid] : streams) {
      listed = listed + Bytes{type, static_cast<uint8_t>(0xe0 | pid >> 8), static_cast<uint8_t>(pid)} +
               Bytes{0xf0, 0};
    }
    section(kPmt, table(2, 1, version, listed));
  }

  void avc_and_aac() { tables({{0x1b, kVideo}, {0x0f, kAudio}}); }

  void video(const Bytes& body, uint64_t dts, uint64_t pts, bool random_access = false) {
    const Bytes head = {0, 0, 1, 0xe0, 0, 0, 0x80, 0xc0, 10};
    pes(kVideo, head + stamp(3, pts) + stamp(1, dts) + body, random_access);
  }
  void video(const Bytes& body, uint64_t dts) { video(body, dts, dts); }
  void untimed_video(const Bytes& body) { pes(kVideo, Bytes{0, 0, 1, 0xe0, 0, 0, 0x80, 0, 0} + body, false); }

  void audio(const Bytes& body, uint64_t pts) {
    pes(kAudio, Bytes{0, 0, 1, 0xc0, 0, 0, 0x80, 0x80, 5} + stamp(2, pts) + body, false);
  }

  void lose(uint16_t pid) { continuity_[pid]++; }

  // Cuts a PES packet into packets, the last one stuffed.
  void pes(uint16_t pid, const Bytes& body, bool random_access) {
    for (size_t at = 0; at < body.size();) {
      const bool first = at == 0;
      const size_t field = first && random_access ? 2 : 0;
      const size_t part = std::min<size_t>(body.size() - at, kTsPacketBytes - 4 - field);
      packet(pid, first, random_access && first, slice(body, at, at + part));
      at += part;
    }
  }

  void packet(uint16_t pid, bool start, bool random_access, const Bytes& payload) {
    const size_t stuffing = kTsPacketBytes - 4 - payload.size();
    Bytes head = {kTsSync, static_cast<uint8_t>((start ? 0x40 : 0) | pid >> 8), static_cast<uint8_t>(pid),
                  static_cast<uint8_t>((stuffing > 0 ? 0x30 : 0x10) | (continuity_[pid]++ & 0x0f))};
    if (stuffing > 0) head.push_back(static_cast<uint8_t>(stuffing - 1));
    if (stuffing > 1) head.push_back(random_access ? 0x40 : 0);
    if (stuffing > 2) head = head + Bytes(stuffing - 2, 0xff);
    append(bytes, head + payload);
  }

 private:
  static Bytes stamp(uint8_t mark, uint64_t ticks) {
    return {static_cast<uint8_t>(mark << 4 | (ticks >> 29 & 0x0e) | 1), static_cast<uint8_t>(ticks >> 22),
            static_cast<uint8_t>((ticks >> 14 & 0xfe) | 1), static_cast<uint8_t>(ticks >> 7),
            static_cast<uint8_t>((ticks << 1 & 0xfe) | 1)};
  }

  static Bytes table(uint8_t id, uint8_t extension, uint8_t version, const Bytes& body) {
    const size_t length = body.size() + 9;
    const uint8_t head[] = {id, static_cast<uint8_t>(0xb0 | length >> 8), static_cast<uint8_t>(length),
                            0,  extension, static_cast<uint8_t>(0xc1 | version << 1), 0, 0};
    const Bytes section = Bytes(std::begin(head), std::end(head)) + body;
    const uint32_t crc = crc32_mpeg2(section.data(), section.size());
    return section + Bytes{static_cast<uint8_t>(crc >> 24), static_cast<uint8_t>(crc >> 16),
                           static_cast<uint8_t>(crc >> 8), static_cast<uint8_t>(crc)};
  }

  void section(uint16_t pid, const Bytes& section) {
    packet(pid, true, false, Bytes{0} + section + Bytes(kTsPacketBytes - 5 - section.size(), 0xff));
  }

  uint8_t continuity_[ts_pid::COUNT] = {};
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

std::vector<Message> of_type(const std::vector<Message>& messages, uint8_t type) {
  std::vector<Message> found;
  for (const Message& message : messages) {
    if (message.type == type) found.push_back(message);
  }
  return found;
}

std::string times(const std::vector<Message>& messages, uint8_t type) {
  std::string text;
  for (const Message& message : of_type(messages, type)) {
    if ((message.flags & record_flag::HEADER) != 0) text += "h";
    if ((message.flags & record_flag::KEYFRAME) != 0) text += "k";
    text += std::to_string(message.timestamp) + " ";
  }
  return text;
}

void check_times(const std::vector<Message>& messages, uint8_t type, const std::string& expected) {
  const std::string found = times(messages, type);
  if (!CHECK(found == expected)) std::cerr << "  " << found << "!= " << expected << "\n";
}

constexpr uint8_t kVideoType = 9;
constexpr uint8_t kAudioType = 8;

const Bytes kKeyUnit = unit({{0x09, 0xf0}, kSps, kPps, kIdr});

TEST(a_unit_becomes_a_header_and_a_frame) {
  Multiplexer ts;
  ts.avc_and_aac();
  ts.video(unit({{0x09, 0xf0}, kSps, kPps, {0x06, 5, 1, 7}, kIdr, kIdr}), 1000 * kMs, 1080 * kMs);
  ts.video(unit({{0x09, 0xf0}, kDisposableSlice}), 1040 * kMs, 1040 * kMs);
  ts.video(unit({kInterSlice}), 1080 * kMs, 1000 * kMs);
  Demuxer demuxer;
  const std::vector<Message> messages = demuxer.feed(ts.bytes);
  CHECK_EQ(messages.size(), 3u);
  if (messages.size() != 3) return;
  const Bytes header = Bytes{0x17, 0, 0, 0, 0, 1, 0x42, 0xc0, 0x1f, 0xff, 0xe1, 0, 14} +
                       Bytes(kSps.begin(), kSps.end() - 1) + Bytes{1, 0, 5} + kPps;
  CHECK(messages[0].body == header);
  CHECK_EQ(messages[0].flags, record_flag::HEADER);
  CHECK(messages[1].body == (Bytes{0x17, 1, 0, 0, 80} + prefixed({{0x06, 5, 1, 7}, kIdr, kIdr})));
  CHECK_EQ(messages[1].flags, record_flag::KEYFRAME);
  CHECK_EQ(messages[1].timestamp, 0u);
  CHECK(messages[2].body == (Bytes{0x27, 1, 0, 0, 0} + prefixed({kDisposableSlice})));
  CHECK_EQ(messages[2].flags, record_flag::DISPOSABLE);
  CHECK_EQ(messages[2].timestamp, 40u);
  ts.bytes.clear();
  ts.video(unit({kInterSlice}), 1120 * kMs);
  const std::vector<Message> last = demuxer.feed(ts.bytes);
  CHECK(last.size() == 1 && last[0].body == (Bytes{0x27, 1, 0xff, 0xff, 0xb0} + prefixed({kInterSlice})));
}

TEST(the_header_of_a_high_profile_tells_the_sample_format) {
  Multiplexer ts;
  ts.avc_and_aac();
  const Bytes sps = {0x67, 0x6e, 0, 0x0c, 0xa6, 0xcd, 0x94, 0x14, 0x19, 0xf9, 0xf0, 0x11};
  ts.video(unit({sps, kPps, kIdr}), 0);
  ts.video(kKeyUnit, 40 * kMs);
  const std::vector<Message> messages = Demuxer().feed(ts.bytes);
  CHECK_EQ(messages.size(), 2u);
  const Bytes tail = {0xfd, 0xfa, 0xfa, 0};
  CHECK(messages.size() == 2 && Bytes(messages[0].body.end() - 4, messages[0].body.end()) == tail);
}

TEST(the_messages_are_the_same_however_the_bytes_are_split) {
  Multiplexer ts;
  ts.avc_and_aac();
  for (uint64_t i = 0; i < 12; i++) {
    Bytes slice = i % 4 == 0 ? kIdr : kInterSlice;
    // Start codes and near misses at every place a packet can end.
    for (size_t n = 0; n < 150 + i * 31; n++) slice.push_back(static_cast<uint8_t>(n % 7 == 0 ? 0 : n % 11));
    const Bytes tail = unit({{0x41, 0, 0, 2, 0, 0, 3, 1}, {0x41, 9}});
    ts.video((i % 4 == 0 ? unit({kSps, kPps, slice}) : unit({slice})) + tail + Bytes(i % 4, 0), i * 40 * kMs);
    ts.audio(adts(filled(90 + i, 1)) + adts(filled(200, 3)), i * 40 * kMs);
  }
  const std::vector<Message> whole = Demuxer().feed(ts.bytes);
  CHECK_EQ(of_type(whole, kVideoType).size(), 12u);
  for (const size_t piece : {1u, 7u, 187u, 188u, 189u, 1000u, 1316u}) {
    Demuxer demuxer;
    std::vector<Message> messages;
    for (size_t at = 0; at < ts.bytes.size(); at += piece) {
      const Bytes part = slice(ts.bytes, at, std::min(ts.bytes.size(), at + piece));
      for (const Message& message : demuxer.feed(part)) messages.push_back(message);
    }
    CHECK_EQ(messages.size(), whole.size());
    for (size_t i = 0; i < std::min(messages.size(), whole.size()); i++) {
      CHECK_EQ(messages[i].type, whole[i].type);
      CHECK_EQ(messages[i].timestamp, whole[i].timestamp);
      CHECK(messages[i].body == whole[i].body);
    }
  }
}

TEST(nothing_comes_out_before_a_random_access_unit_with_its_parameter_sets) {
  Multiplexer ts;
  ts.avc_and_aac();
  ts.video(unit({kInterSlice}), 0);
  ts.video(unit({kIdr}), 40 * kMs);
  ts.audio(adts({1, 2}) + adts({3, 4}), 50 * kMs);
  ts.video(unit({kSps, kPps, kInterSlice}), 80 * kMs);
  ts.video(unit({kInterSlice}), 120 * kMs);
  ts.video(unit({kIdr}), 160 * kMs);  // the sets came before
  ts.video(unit({kInterSlice}), 200 * kMs);
  ts.video(unit({kInterSlice}), 240 * kMs);
  Demuxer demuxer;
  const std::vector<Message> messages = demuxer.feed(ts.bytes);
  check_times(messages, kVideoType, "h0 k0 40 ");
  check_times(messages, kAudioType, "");
  CHECK_EQ(demuxer.flv().skipped_units(), 4u);
}

TEST(an_open_gop_begins_where_the_multiplexer_says_so) {
  Multiplexer ts;
  ts.avc_and_aac();
  ts.video(unit({kInterSlice}), 0, 0, true);
  ts.video(unit({kSps, kPps, kInterSlice}), 40 * kMs, 40 * kMs, true);
  ts.video(unit({kInterSlice}), 80 * kMs);
  ts.video(unit({kInterSlice}), 120 * kMs);
  check_times(Demuxer().feed(ts.bytes), kVideoType, "h0 k0 40 ");
}

TEST(new_parameter_sets_are_announced_and_the_same_ones_are_not) {
  Multiplexer ts;
  ts.avc_and_aac();
  ts.video(kKeyUnit, 0);
  ts.video(kKeyUnit, 40 * kMs);
  Bytes other = kSps;
  other[3] = 0x28;
  ts.video(unit({other, other, kPps, {0x68, 1}, kIdr}), 80 * kMs);
  ts.video(unit({{0x68, 2}, kInterSlice}), 120 * kMs);
  ts.video(kKeyUnit, 160 * kMs);
  const std::vector<Message> messages = of_type(Demuxer().feed(ts.bytes), kVideoType);
  check_times(messages, kVideoType, "h0 k0 k40 h80 k80 120 ");
  CHECK_EQ(messages[3].body[10], 0xe1);
  CHECK_EQ(messages[3].body[11 + 2 + 14], 2);
  // A picture set by itself stays where it is.
  CHECK(messages[5].body == (Bytes{0x27, 1, 0, 0, 0} + prefixed({{0x68, 2}, kInterSlice})));
}

TEST(parameter_sets_that_find_no_room_in_the_header_stay_with_the_picture) {
  Multiplexer ts;
  ts.avc_and_aac();
  Bytes large = {0x68};
  large.resize(kAvcSetBytesMax, 7);
  ts.video(unit({kSps, kPps, large, kIdr}), 0);
  ts.video(kKeyUnit, 40 * kMs);
  const std::vector<Message> messages = Demuxer().feed(ts.bytes);
  CHECK_EQ(messages.size(), 2u);
  CHECK(messages.size() == 2 && messages[1].body.size() == 5 + 4 + large.size() + 4 + kIdr.size());
}

TEST(after_a_loss_video_waits_for_the_next_random_access_unit) {
  Multiplexer ts;
  ts.avc_and_aac();
  ts.video(kKeyUnit, 0);
  ts.video(unit({kInterSlice}), 40 * kMs);
  ts.audio(adts({1}) + adts({2}), 60 * kMs);
  ts.lose(kVideo);
  ts.video(unit({kInterSlice}), 80 * kMs);
  ts.audio(adts({1}) + adts({2}), 120 * kMs);
  ts.video(unit({kInterSlice}), 120 * kMs);
  ts.video(kKeyUnit, 160 * kMs);
  ts.video(unit({kInterSlice}), 200 * kMs);
  Demuxer demuxer;
  const std::vector<Message> messages = demuxer.feed(ts.bytes);
  check_times(messages, kVideoType, "h0 k0 k160 ");
  check_times(messages, kAudioType, "h60 60 81 120 141 ");
  CHECK_EQ(demuxer.flv().skipped_units(), 3u);
}

TEST(a_packet_sent_twice_is_taken_once) {
  Multiplexer ts;
  ts.avc_and_aac();
  ts.video(kKeyUnit, 0);
  const Bytes twice(ts.bytes.end() - kTsPacketBytes, ts.bytes.end());
  append(ts.bytes, twice);
  ts.video(unit({kInterSlice}), 40 * kMs);
  check_times(Demuxer().feed(ts.bytes), kVideoType, "h0 k0 ");
}

TEST(a_pes_packet_without_time_goes_on_with_the_unit) {
  Multiplexer ts;
  ts.avc_and_aac();
  ts.video(kKeyUnit, 0);
  ts.untimed_video(Bytes{9, 9});
  ts.video(unit({kInterSlice}), 40 * kMs);
  const std::vector<Message> messages = Demuxer().feed(ts.bytes);
  CHECK(messages.size() == 2 && messages[1].body == (Bytes{0x17, 1, 0, 0, 0} + prefixed({kIdr + Bytes{9, 9}})));
}

TEST(a_unit_longer_than_any_is_skipped_with_what_needs_it) {
  Multiplexer ts;
  ts.avc_and_aac();
  ts.video(kKeyUnit, 0);
  ts.video(unit({kInterSlice}) + Bytes(kAvcUnitBytesMax, 9), 40 * kMs);
  ts.video(unit({kInterSlice}), 80 * kMs);
  ts.video(unit({kIdr}) + Bytes(kAvcUnitBytesMax - 100, 9), 120 * kMs);
  ts.video(kKeyUnit, 160 * kMs);
  Demuxer demuxer;
  check_times(demuxer.feed(ts.bytes), kVideoType, "h0 k0 k120 ");
  CHECK_EQ(demuxer.flv().skipped_units(), 2u);
  CHECK(demuxer.flv().held() <= kAvcUnitBytesMax);
}

TEST(start_codes_alone_cost_no_more_than_their_bytes) {
  Multiplexer ts;
  ts.avc_and_aac();
  Bytes codes = kKeyUnit;
  for (size_t i = 0; i < 200'000; i++) append(codes, {0, 0, 1});
  for (size_t i = 0; i < 200'000; i++) append(codes, {0, 0, 1, 0x41});
  ts.video(codes, 0);
  ts.video(unit({kInterSlice}), 40 * kMs);
  const std::vector<Message> messages = Demuxer().feed(ts.bytes);
  CHECK(messages.size() == 2 && messages[1].body.size() == 5 + 4 + kIdr.size() + 200'000 * 5);
}

TEST(audio_frames_lie_across_pes_packets_and_keep_their_time) {
  Multiplexer ts;
  ts.tables({{0x0f, kAudio}});
  const Bytes first = adts(filled(300, 1)) + adts(filled(301, 2));
  const Bytes frames = first + adts(filled(302, 3)) + adts(filled(303, 4));
  ts.audio(slice(frames, 0, 400), 1000 * kMs);
  ts.audio(slice(frames, 400, 500), 2500 * kMs);  // no frame begins in it
  ts.audio(slice(frames, 500, frames.size()), 1045 * kMs);
  Demuxer demuxer;
  const std::vector<Message> messages = demuxer.feed(ts.bytes);
  check_times(messages, kAudioType, "h0 0 21 45 66 ");
  CHECK(messages.size() == 5 && messages[0].body == (Bytes{0xaf, 0, 0x11, 0x90}));
  CHECK(messages.size() == 5 && messages[2].body == (Bytes{0xaf, 1} + filled(301, 2)));
  CHECK_EQ(demuxer.flv().supported(), 1);
}

TEST(audio_that_cannot_be_told_to_a_player_is_left_out) {
  Multiplexer ts;
  ts.tables({{0x0f, kAudio}});
  Bytes two_blocks = adts({1});
  two_blocks[6] |= 1;
  const Bytes useless = adts({1}, 0) + two_blocks;
  ts.audio(useless + adts({2}) + adts({2}, 1) + adts({3}, 1, 4) + adts({4}, 1, 4), 0);
  Demuxer demuxer;
  const std::vector<Message> messages = demuxer.feed(ts.bytes);
  check_times(messages, kAudioType, "h0 0 h21 21 h42 42 66 ");
  CHECK_EQ(demuxer.flv().skipped_units(), 2u);
}

TEST(audio_finds_its_frames_again_after_a_loss_and_among_garbage) {
  Multiplexer ts;
  ts.tables({{0x0f, kAudio}});
  ts.audio(adts(filled(50, 1)) + adts(filled(60, 1)), 0);
  ts.lose(kAudio);
  const Bytes garbage = {0xff, 0xf1, 0x50, 0x80, 0, 0xff, 1, 9, 9, 9};
  ts.audio(garbage + adts(filled(70, 1)) + adts(filled(80, 1)), 100 * kMs);
  const std::vector<Message> messages = Demuxer().feed(ts.bytes);
  CHECK_EQ(messages.size(), 5u);
  check_times(messages, kAudioType, "h0 0 21 100 121 ");
}

TEST(the_clock_goes_on_past_33_bits_and_over_jumps) {
  constexpr uint64_t kWrap = uint64_t{1} << 33;
  Multiplexer ts;
  ts.avc_and_aac();
  ts.video(kKeyUnit, kWrap - 40 * kMs);
  ts.video(kKeyUnit, 0);
  ts.audio(adts({1}) + adts({2}), 10 * kMs);
  ts.video(kKeyUnit, 40 * kMs);
  ts.audio(adts({1}) + adts({2}), 5000'000 * kMs);  // the encoder began again, its audio first
  ts.video(kKeyUnit, 5000'000 * kMs);
  ts.audio(adts({1}) + adts({2}), 90 * kMs);  // as long as the video has not followed
  ts.video(kKeyUnit, 5000'040 * kMs);
  ts.audio(adts({1}) + adts({2}), 5000'010 * kMs);
  ts.video(kKeyUnit, 5000'080 * kMs);
  const std::vector<Message> messages = Demuxer().feed(ts.bytes);
  check_times(messages, kVideoType, "h0 k0 k40 k80 k152 k192 ");
  check_times(messages, kAudioType, "h50 50 71 130 151 162 183 ");
}

TEST(the_first_h264_and_the_first_adts_of_the_program_are_carried) {
  const struct {
    std::vector<std::pair<uint8_t, uint16_t>> streams;
    int supported;
  } rows[] = {
      {{{0x1b, kVideo}, {0x0f, kAudio}}, 1},  {{{0x24, 0x80}, {0x1b, kVideo}, {0x1b, 0x90}}, 1},
      {{{0x03, 0x80}, {0x0f, kAudio}}, 1},    {{{0x1b, kVideo}, {0x81, kAudio}}, 1},
      {{{0x24, kVideo}, {0x0f, kAudio}}, 0},  {{{0x11, kAudio}}, 0},
      {{{0x02, kVideo}}, 0},                  {{}, 0},
  };
  for (const auto& row : rows) {
    Multiplexer ts;
    Demuxer demuxer;
    CHECK_EQ(demuxer.flv().supported(), -1);
    ts.tables(row.streams);
    ts.video(kKeyUnit, 0);
    ts.video(kKeyUnit, 40 * kMs);
    ts.audio(adts({1}) + adts({2}) + adts({3}), 0);
    const std::vector<Message> messages = demuxer.feed(ts.bytes);
    CHECK_EQ(demuxer.flv().supported(), row.supported);
    CHECK(messages.empty() == (row.supported == 0));
  }
}

TEST(streams_move_when_the_tables_say_so) {
  Multiplexer ts;
  ts.tables({{0x1b, 0x80}});
  ts.video(kKeyUnit, 0);
  ts.tables({{0x1b, kVideo}}, 1);
  ts.video(kKeyUnit, 40 * kMs);
  ts.tables({{0x1b, kVideo}, {0x0f, kAudio}}, 2);
  ts.video(unit({kInterSlice}), 80 * kMs);
  ts.tables({{0x0f, kAudio}}, 3);
  ts.video(kKeyUnit, 120 * kMs);
  ts.audio(adts({1}) + adts({2}), 120 * kMs);
  Demuxer demuxer;
  const std::vector<Message> messages = demuxer.feed(ts.bytes);
  check_times(messages, kVideoType, "h0 k0 ");
  check_times(messages, kAudioType, "h80 80 101 ");
}

TEST(what_the_outbox_cannot_hold_waits_for_the_next_call) {
  Multiplexer ts;
  ts.avc_and_aac();
  const Bytes large = unit({kSps, kPps, kIdr}) + Bytes(kAvcUnitBytesMax / 3, 9);
  for (uint64_t i = 0; i < 5; i++) ts.video(large, i * 40 * kMs);
  ts.video(kKeyUnit, 200 * kMs);
  Demuxer demuxer;
  check_times(demuxer.feed(ts.bytes), kVideoType, "h0 k0 k40 k80 k120 k160 ");
  CHECK(demuxer.feeds >= 5);
  Demuxer roomy(2 * kTsFlvRoomBytes);
  check_times(roomy.feed(ts.bytes), kVideoType, "h0 k0 k40 k80 k120 k160 ");
  CHECK(roomy.feeds < demuxer.feeds);
}

}  // namespace
}  // namespace headgate::test
