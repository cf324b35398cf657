// PAT and PMT: what the streams of a program are, however the tables are sent.
#include "../ts_psi.h"

#include <string>

#include "../slab_layout.h"
#include "check.h"
#include "ts_writer.h"

namespace headgate::test {
namespace {

int feed(TsTables& tables, const TsBytes& bytes) {
  int changes = 0;
  for (size_t at = 0; at < bytes.size(); at += kTsPacketBytes) {
    changes += tables.take(TsPacket(bytes.data() + at)) ? 1 : 0;
  }
  return changes;
}

TEST(ts_crc_is_that_of_mpeg2) {
  const std::string digits = "123456789";
  CHECK_EQ(crc32_mpeg2(reinterpret_cast<const uint8_t*>(digits.data()), digits.size()), 0x0376e6e7u);
}

TEST(ts_a_program_is_known_by_pat_and_pmt) {
  TsWriter writer;
  TsTables tables;
  CHECK_EQ(feed(tables, writer.pmt({{0x1b, kVideoPid}})), 0);
  CHECK(!tables.known());
  CHECK_EQ(feed(tables, writer.tables()), 1);
  CHECK(tables.known());
  const TsProgram& program = tables.program();
  CHECK_EQ(program.stream_count, 2);
  CHECK_EQ(program.pcr_pid, kVideoPid);
  CHECK_EQ(program.streams[0].pid, kVideoPid);
  CHECK(program.streams[0].kind == TsStreamKind::kVideo);
  CHECK_EQ(program.streams[0].codec, video_codec::H264);
  CHECK(program.streams[1].kind == TsStreamKind::kAudio);
  CHECK_EQ(program.streams[1].codec, audio_codec::AAC);
  CHECK_EQ(feed(tables, writer.tables()), 0);
}

TEST(ts_codecs_are_told_by_stream_type_and_descriptors) {
  struct Row {
    uint8_t type;
    TsBytes descriptors;
    TsStreamKind kind;
    uint32_t codec;
  };
  const Row rows[] = {
      {0x02, {}, TsStreamKind::kVideo, video_codec::MPEG2},
      {0x1b, {}, TsStreamKind::kVideo, video_codec::H264},
      {0x24, {}, TsStreamKind::kVideo, video_codec::HEVC},
      {0x33, {}, TsStreamKind::kVideo, video_codec::VVC},
      {0x10, {}, TsStreamKind::kVideo, video_codec::NONE},
      {0x06, registration("AV01"), TsStreamKind::kVideo, video_codec::AV1},
      {0x06, registration("HEVC"), TsStreamKind::kVideo, video_codec::HEVC},
      {0x03, {}, TsStreamKind::kAudio, audio_codec::MP2},
      {0x0f, {}, TsStreamKind::kAudio, audio_codec::AAC},
      {0x11, {}, TsStreamKind::kAudio, audio_codec::AAC},
      {0x81, {}, TsStreamKind::kAudio, audio_codec::AC3},
      {0x87, {}, TsStreamKind::kAudio, audio_codec::EAC3},
      {0x06, registration("Opus"), TsStreamKind::kAudio, audio_codec::OPUS},
      {0x06, registration("AC-3"), TsStreamKind::kAudio, audio_codec::AC3},
      {0x06, {0x0a, 4, 'e', 'n', 'g', 0, 0x6a, 1, 0}, TsStreamKind::kAudio, audio_codec::AC3},
      {0x06, {0x7a, 1, 0}, TsStreamKind::kAudio, audio_codec::EAC3},
      {0x06, {0x59, 200}, TsStreamKind::kOther, 0},
      {0x06, {}, TsStreamKind::kOther, 0},
      {0x0d, registration("AV01"), TsStreamKind::kOther, 0},
  };
  for (const Row& row : rows) {
    TsWriter writer;
    TsTables tables;
    feed(tables, writer.pat());
    CHECK_EQ(feed(tables, writer.pmt({{row.type, kVideoPid, row.descriptors}})), 1);
    CHECK(tables.program().streams[0].kind == row.kind);
    CHECK_EQ(tables.program().streams[0].codec, row.codec);
  }
}

TEST(ts_a_section_over_several_packets_is_put_together) {
  TsWriter writer;
  TsTables tables;
  feed(tables, writer.pat());
  std::vector<StreamEntry> streams = {{0x1b, kVideoPid, TsBytes(200, 0)}};
  for (uint16_t i = 0; i < 20; i++) streams.push_back({0x0f, static_cast<uint16_t>(0x200 + i), TsBytes(20, 0)});
  const TsBytes packets = writer.pmt(streams);
  CHECK(packets.size() >= 4 * kTsPacketBytes);
  CHECK_EQ(feed(tables, packets), 1);
  CHECK_EQ(tables.program().stream_count, 21);

  TsTables with_gap;
  feed(with_gap, writer.pat());
  TsBytes gap = writer.pmt(streams);
  gap.erase(gap.begin() + kTsPacketBytes, gap.begin() + 2 * kTsPacketBytes);
  CHECK_EQ(feed(with_gap, gap), 0);
}

TEST(ts_a_table_that_is_damaged_or_not_yet_in_force_changes_nothing) {
  TsWriter writer;
  TsTables tables;
  feed(tables, writer.pat());
  TsBytes damaged = writer.pmt({{0x1b, kVideoPid}});
  damaged[20] ^= 1;
  CHECK_EQ(feed(tables, damaged), 0);
  CHECK_EQ(feed(tables, writer.pmt({{0x1b, kVideoPid}}, 1, kPmtPid, false)), 0);
  CHECK_EQ(feed(tables, writer.pmt({{0x1b, kVideoPid}}, 2)), 0);
  CHECK_EQ(feed(tables, writer.pmt({{0x1b, kVideoPid}})), 1);
}

TEST(ts_a_new_pmt_replaces_the_streams) {
  TsWriter writer;
  TsTables tables;
  feed(tables, writer.tables());
  CHECK_EQ(feed(tables, writer.pmt({{0x24, kSecondVideoPid}})), 1);
  CHECK_EQ(tables.program().stream_count, 1);
  CHECK_EQ(tables.program().streams[0].codec, video_codec::HEVC);
}

TEST(ts_of_several_programs_the_first_with_video_is_metered) {
  TsWriter writer;
  TsTables tables;
  feed(tables, writer.pat({{0, 0x10}, {1, 0x1001}, {2, 0x1002}, {3, 0x1003}}));
  CHECK_EQ(feed(tables, writer.pmt({{0x0f, 0x301}}, 1, 0x1001)), 1);
  CHECK_EQ(feed(tables, writer.pmt({{0x1b, 0x303}}, 3, 0x1003)), 1);
  CHECK_EQ(feed(tables, writer.pmt({{0x1b, 0x302}}, 2, 0x1002)), 1);
  CHECK_EQ(feed(tables, writer.pmt({{0x1b, 0x303}}, 3, 0x1003)), 0);
  CHECK_EQ(tables.program().number, 2);
  feed(tables, writer.pat({{3, 0x1003}}));
  CHECK(tables.known());
  CHECK_EQ(feed(tables, writer.pmt({{0x1b, 0x303}}, 3, 0x1003)), 1);
  CHECK_EQ(tables.program().number, 3);
}

TEST(ts_tables_for_a_player_read_as_the_ones_sent) {
  TsWriter writer;
  TsTables tables;
  uint8_t out[kTsTableBytesMax];
  CHECK_EQ(tables.write(out, sizeof out), 0u);
  feed(tables, writer.tables());
  CHECK_EQ(tables.write(out, sizeof out - 1), 0u);
  const size_t length = tables.write(out, sizeof out);
  CHECK_EQ(length, 2 * kTsPacketBytes);
  TsTables copy;
  CHECK_EQ(feed(copy, TsBytes(out, out + length)), 1);
  CHECK_EQ(copy.program().stream_count, 2);
  // The next ones of the stream follow without a gap.
  const TsBytes next = writer.tables();
  CHECK_EQ(TsPacket(next.data()).continuity(), (TsPacket(out).continuity() + 1) & 15);
}

TEST(ts_between_a_pat_and_its_pmt_there_are_no_tables_for_a_player) {
  TsWriter writer;
  TsTables tables;
  uint8_t out[kTsTableBytesMax];
  feed(tables, writer.tables());
  feed(tables, writer.pat({{2, 0x1002}}));
  CHECK(tables.known());
  CHECK_EQ(tables.write(out, sizeof out), 0u);
  feed(tables, writer.pmt({{0x1b, kVideoPid}}, 2, 0x1002));
  CHECK_EQ(tables.write(out, sizeof out), 2 * kTsPacketBytes);
}

TEST(ts_sections_may_begin_in_the_middle_of_a_packet) {
  TsWriter writer;
  TsTables tables;
  TsBytes first = writer.pat();
  const size_t length = 3 + first[7];
  const TsBytes section(first.begin() + 5, first.begin() + 5 + static_cast<long>(length));
  TsPacketOptions start;
  start.unit_start = true;
  TsBytes head(184, 0xff);
  head[0] = static_cast<uint8_t>(184 - 6 - 1);
  std::copy(section.begin(), section.begin() + 6, head.end() - 6);
  TsBytes tail(section.begin() + 6, section.end());
  tail.resize(184, 0xff);
  feed(tables, writer.packet(0, head, start));
  feed(tables, writer.packet(0, tail));
  CHECK_EQ(feed(tables, writer.pmt({{0x1b, kVideoPid}})), 1);
}

}  // namespace
}  // namespace headgate::test
