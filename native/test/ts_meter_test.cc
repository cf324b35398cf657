// Access units of a transport stream: how many, when, and what they are; and what got lost.
#include "../ts_meter.h"

#include "../slab_layout.h"
#include "check.h"
#include "ts_writer.h"

namespace headgate::test {
namespace {

struct Seen {
  TsReading reading;
  TsUnit unit;
};

std::vector<Seen> read(TsMeter& meter, const TsBytes& bytes) {
  std::vector<Seen> seen;
  for (size_t at = 0; at < bytes.size(); at += kTsPacketBytes) {
    const TsReading reading = meter.read(TsPacket(bytes.data() + at));
    seen.push_back({reading, meter.unit()});
  }
  return seen;
}

std::vector<TsUnit> units(TsMeter& meter, const TsBytes& bytes) {
  std::vector<TsUnit> found;
  for (const Seen& seen : read(meter, bytes)) {
    if (seen.reading.begins) found.push_back(seen.unit);
  }
  return found;
}

// What is said of one unit of that codec with these bytes.
TsUnit unit_of(uint8_t stream_type, const TsBytes& body, bool random_access = false,
               const TsBytes& descriptors = {}) {
  TsWriter writer;
  TsMeter meter;
  read(meter, writer.pat());
  read(meter, writer.pmt({{stream_type, kVideoPid, descriptors}}));
  PesOptions options;
  options.pts = 9000;
  options.random_access = random_access;
  const std::vector<TsUnit> found = units(meter, writer.pes(kVideoPid, options, body));
  CHECK_EQ(found.size(), 1u);
  return found.empty() ? TsUnit{} : found[0];
}

TsBytes parts(const std::vector<TsBytes>& list) {
  TsBytes out;
  for (const TsBytes& part : list) {
    out += {0, 0, 1};
    out += part;
  }
  return out;
}

TEST(ts_nothing_is_video_before_the_pmt) {
  TsWriter writer;
  TsMeter meter;
  CHECK(units(meter, writer.pes(kVideoPid, {9000}, avc_unit(kIdrSlice))).empty());
  read(meter, writer.tables());
  const std::vector<Seen> seen = read(meter, writer.pes(kVideoPid, {12600}, avc_unit(kIdrSlice, 1000)));
  CHECK_EQ(seen.size(), 6u);
  for (const Seen& each : seen) CHECK(each.reading.kind == TsPacketKind::kVideo);
  CHECK(seen[0].reading.begins && seen[0].reading.start && !seen[1].reading.begins);
  CHECK_EQ(seen[0].unit.frames, 1);
  CHECK_EQ(seen[0].unit.dts_ms, 140.0);
  CHECK_EQ(meter.fastest(), 1u);
  CHECK_EQ(meter.video_codec(), video_codec::H264);
  CHECK_EQ(meter.audio_codec(), audio_codec::AAC);
  CHECK_EQ(meter.continuity_errors(), 0u);
}

TEST(ts_the_clock_goes_on_past_33_bits) {
  TsWriter writer;
  TsMeter meter;
  read(meter, writer.tables());
  const int64_t top = int64_t{1} << 33;
  TsBytes bytes = writer.pes(kVideoPid, {top - 3600, top - 7200}, avc_unit(kIdrSlice));
  bytes += writer.pes(kVideoPid, {0, top - 3600}, avc_unit(kReferenceSlice));
  bytes += writer.pes(kVideoPid, {3600}, avc_unit(kReferenceSlice));
  bytes += writer.pes(kVideoPid, {}, avc_unit(kReferenceSlice));
  const std::vector<TsUnit> found = units(meter, bytes);
  CHECK_EQ(found.size(), 4u);
  const double start = found[0].dts_ms;
  CHECK_EQ(found[1].dts_ms - start, 40.0);
  CHECK_EQ(found[2].dts_ms - start, 120.0);
  CHECK(!found[3].timed);
  CHECK_EQ(found[3].dts_ms, found[2].dts_ms);
}

TEST(ts_units_that_can_be_decoded_alone_are_told_without_the_indicator) {
  const TsBytes delimiter = {0x09, 0xf0};
  const TsBytes sps = {0x67, 0x42, 0, 0x1f};
  const TsBytes recovery = {0x06, 0x06, 0x01, 0x80};
  const TsBytes intra = {0x41, 0x88, 0x80};      // first_mb 0, slice_type 7
  const TsBytes predicted = {0x41, 0x9a, 0x80};  // slice_type 5
  CHECK(unit_of(0x1b, parts({delimiter, {0x65, 0x88}})).random_access);
  CHECK(unit_of(0x1b, parts({delimiter, sps, intra})).random_access);
  CHECK(unit_of(0x1b, parts({delimiter, recovery, intra})).random_access);
  CHECK(unit_of(0x1b, parts({delimiter, sps})).random_access);
  CHECK(!unit_of(0x1b, parts({delimiter, intra})).random_access);
  CHECK(!unit_of(0x1b, TsBytes(60, 0x55)).random_access);
  CHECK(!unit_of(0x1b, {0, 0, 1}).random_access);
  CHECK(!unit_of(0x1b, parts({delimiter, sps, predicted})).random_access);
  CHECK(unit_of(0x1b, parts({delimiter, predicted}), true).random_access);
  CHECK(unit_of(0x24, parts({{0x46, 1, 0x50}, {0x26, 1, 0x80}})).random_access);   // IDR_W_RADL
  CHECK(unit_of(0x24, parts({{0x2a, 1, 0x80}})).random_access);                    // CRA
  CHECK(unit_of(0x24, parts({{0x40, 1, 0x0c}})).random_access);                    // VPS
  CHECK(!unit_of(0x24, parts({{0x02, 1, 0x80}})).random_access);                   // TRAIL_R
  CHECK(unit_of(0x02, parts({{0xb3, 0x28, 0x01, 0x68, 0x13}})).random_access);
  CHECK(unit_of(0x02, parts({{0x00, 0x00, 0x08, 0xff}})).random_access);   // I
  CHECK(!unit_of(0x02, parts({{0x00, 0x00, 0x10, 0xff}})).random_access);  // P
}

TEST(ts_av1_key_frames_are_seen_with_start_codes_and_with_sizes) {
  const TsBytes av1 = registration("AV01");
  const TsBytes delimiter = {0x12, 0};
  const TsBytes key_frame = {0x32, 3, 0x10, 0, 0};
  const TsBytes inter_frame = {0x32, 3, 0x30, 0, 0};
  const auto sized = [&](TsBytes obu) {
    TsBytes unit = delimiter;
    unit += obu;
    return unit_of(0x06, unit, false, av1).random_access;
  };
  CHECK(sized({0x0a, 2, 0, 0}));
  CHECK(sized(key_frame));
  CHECK(!sized(inter_frame));
  CHECK(!sized({0x1a, 1, 0x80}));  // shows an existing frame
  CHECK(unit_of(0x06, parts({delimiter, key_frame}), false, av1).random_access);
  CHECK(unit_of(0x06, parts({{0x10}, {0x08, 0, 0}}), false, av1).random_access);
  CHECK(!unit_of(0x06, parts({delimiter, inter_frame}), false, av1).random_access);
}

TEST(ts_units_nobody_refers_to_are_disposable) {
  CHECK(unit_of(0x1b, avc_unit(kDisposableSlice)).disposable);
  CHECK(!unit_of(0x1b, avc_unit(kReferenceSlice)).disposable);
  CHECK(!unit_of(0x1b, avc_unit(kDisposableSlice), true).disposable);
  CHECK(unit_of(0x02, parts({{0x00, 0x00, 0x18, 0xff}})).disposable);  // B
  CHECK(!unit_of(0x02, parts({{0x00, 0x00, 0x10, 0xff}})).disposable);
  CHECK(unit_of(0x24, parts({{0x00, 1, 0x80}})).disposable);   // TRAIL_N
  CHECK(!unit_of(0x24, parts({{0x02, 1, 0x80}})).disposable);  // TRAIL_R
  TsWriter writer;
  TsMeter meter;
  read(meter, writer.pat());
  read(meter, writer.pmt({{0x24, kVideoPid}}));
  TsBytes layers = writer.pes(kVideoPid, {9000}, parts({{0x02, 3, 0x80}}));
  layers += writer.pes(kVideoPid, {12600}, parts({{0x00, 1, 0x80}}));
  layers += writer.pes(kVideoPid, {16200}, parts({{0x00, 3, 0x80}}));
  const std::vector<TsUnit> found = units(meter, layers);
  CHECK(!found[1].disposable);
  CHECK(found[2].disposable);
}

TEST(ts_lost_packets_are_counted_and_repeated_ones_are_not) {
  TsWriter writer;
  TsMeter meter;
  read(meter, writer.tables());
  const TsBytes unit = writer.pes(kVideoPid, {9000}, avc_unit(kIdrSlice, 1000));
  TsBytes repeated;
  for (size_t at = 0; at < unit.size(); at += kTsPacketBytes) {
    const TsBytes packet(unit.begin() + at, unit.begin() + at + kTsPacketBytes);
    repeated += packet;
    repeated += packet;
  }
  CHECK_EQ(units(meter, repeated).size(), 1u);
  CHECK_EQ(meter.continuity_errors(), 0u);
  TsBytes gap = writer.pes(kVideoPid, {12600}, avc_unit(kReferenceSlice, 1000));
  gap.erase(gap.begin() + kTsPacketBytes, gap.begin() + 2 * kTsPacketBytes);
  read(meter, gap);
  CHECK_EQ(meter.continuity_errors(), 1u);
  writer.packet(kVideoPid, TsBytes(184, 0));
  TsPacketOptions announced;
  announced.discontinuity = true;
  read(meter, writer.packet(kVideoPid, TsBytes(100, 0), announced));
  CHECK_EQ(meter.continuity_errors(), 1u);
  read(meter, writer.packet(kVideoPid, {}));
  read(meter, writer.packet(kVideoPid, TsBytes(184, 0)));
  CHECK_EQ(meter.continuity_errors(), 1u);
}

TEST(ts_a_unit_cannot_hide_behind_the_counter_of_another) {
  TsWriter writer;
  TsMeter meter;
  read(meter, writer.tables());
  TsBytes bytes;
  for (int64_t i = 0; i < 10; i++) {
    TsBytes unit = writer.pes(kVideoPid, {9000 + i * 3000}, avc_unit(kReferenceSlice));
    unit[3] = static_cast<uint8_t>(unit[3] & 0xf0);
    bytes += unit;
  }
  CHECK_EQ(units(meter, bytes).size(), 10u);
}

TEST(ts_scrambled_packets_are_counted_and_not_parsed) {
  TsWriter writer;
  TsMeter meter;
  read(meter, writer.tables());
  PesOptions options;
  options.pts = 9000;
  options.random_access = true;
  options.scrambled = true;
  const std::vector<TsUnit> found = units(meter, writer.pes(kVideoPid, options, avc_unit(kIdrSlice, 1000)));
  CHECK_EQ(found.size(), 1u);
  CHECK(found[0].random_access && !found[0].timed);
  CHECK_EQ(found[0].all_frames, 0);
  CHECK_EQ(meter.scrambled_packets(), 6u);
  CHECK_EQ(meter.fastest(), 0u);
}

TEST(ts_of_two_videos_the_faster_is_the_frame_rate) {
  TsWriter writer;
  TsMeter meter;
  read(meter, writer.pat());
  read(meter, writer.pmt({{0x1b, kVideoPid}, {0x1b, kSecondVideoPid}}));
  uint32_t frames = 0;
  uint32_t all = 0;
  for (int64_t i = 0; i < 20; i++) {
    TsBytes bytes = writer.pes(kVideoPid, {9000 + i * 3000}, avc_unit(kIdrSlice));
    if (i % 2 == 0) bytes += writer.pes(kSecondVideoPid, {9000 + i * 3000}, avc_unit(kIdrSlice));
    for (const TsUnit& unit : units(meter, bytes)) {
      frames += unit.frames;
      all += unit.all_frames;
    }
  }
  CHECK_EQ(frames, 20u);
  CHECK_EQ(all, 30u);
  CHECK_EQ(meter.fastest(), 20u);
}

TEST(ts_the_frame_rate_goes_on_when_the_video_moves_to_another_pid) {
  TsWriter writer;
  TsMeter meter;
  read(meter, writer.tables());
  for (int i = 0; i < 5; i++) read(meter, writer.pes(kVideoPid, {9000 + i * 3000}, avc_unit(kIdrSlice)));
  const uint32_t before = meter.generation();
  read(meter, writer.pmt({{0x24, kSecondVideoPid}}));
  CHECK(meter.generation() != before);
  CHECK_EQ(meter.video_codec(), video_codec::HEVC);
  CHECK(units(meter, writer.pes(kVideoPid, {30000}, avc_unit(kIdrSlice))).empty());
  const std::vector<TsUnit> found = units(meter, writer.pes(kSecondVideoPid, {30000}, parts({{0x26, 1, 0x80}})));
  CHECK_EQ(found.size(), 1u);
  CHECK(found[0].primary);
  CHECK_EQ(found[0].frames, 1);
  CHECK_EQ(meter.fastest(), 6u);
}

TEST(ts_a_program_of_audio_alone_can_be_joined_anywhere) {
  TsWriter writer;
  TsMeter meter;
  read(meter, writer.pat());
  read(meter, writer.pmt({{0x03, kAudioPid}}));
  CHECK_EQ(meter.audio_codec(), audio_codec::MP2);
  const std::vector<Seen> seen = read(meter, writer.pes(kAudioPid, {9000}, {0xff, 0xfb, 0x90, 0}, 0xc0));
  CHECK(seen[0].reading.kind == TsPacketKind::kAudio && seen[0].reading.start);
  CHECK_EQ(meter.audio_codec(), audio_codec::MP3);
  read(meter, writer.pes(kAudioPid, {12600}, {0xff, 0xfd, 0x90, 0}, 0xc0));
  CHECK_EQ(meter.audio_codec(), audio_codec::MP2);
  TsMeter with_video;
  read(with_video, writer.tables());
  CHECK(!read(with_video, writer.pes(kAudioPid, {9000}, {0xff, 0xf1}, 0xc0))[0].reading.start);
}

}  // namespace
}  // namespace headgate::test
