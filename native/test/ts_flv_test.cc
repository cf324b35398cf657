// Video of a transport stream on its way into messages, and which streams of a program go in.

#include "ts_flv_rig.h"

namespace headgate::test {
namespace {

TEST(a_unit_becomes_a_header_and_a_frame) {
  Multiplexer ts;
  ts.avc_and_aac();
  ts.video(unit({{0x09, 0xf0}, kSps, kPps, {0x06, 5, 1, 7}, kIdrNal, kIdrNal}), 1000, 1080);
  ts.video(unit({{0x09, 0xf0}, kDisposableNal}), 1040, 1040);
  ts.video(unit({kInterNal}), 1080, 1000);
  Demuxer demuxer;
  const std::vector<Message> messages = demuxer.feed(ts.bytes);
  CHECK_EQ(messages.size(), 3u);
  if (messages.size() != 3) return;
  const Bytes header = Bytes{0x17, 0, 0, 0, 0, 1, 0x42, 0xc0, 0x1f, 0xff, 0xe1, 0, 14} +
                       Bytes(kSps.begin(), kSps.end() - 1) + Bytes{1, 0, 5} + kPps;
  CHECK(messages[0].body == header);
  CHECK_EQ(messages[0].flags, record_flag::HEADER);
  CHECK(messages[1].body == (Bytes{0x17, 1, 0, 0, 80} + prefixed({{0x06, 5, 1, 7}, kIdrNal, kIdrNal})));
  CHECK_EQ(messages[1].flags, record_flag::KEYFRAME);
  CHECK_EQ(messages[1].timestamp, 0u);
  CHECK(messages[2].body == (Bytes{0x27, 1, 0, 0, 0} + prefixed({kDisposableNal})));
  CHECK_EQ(messages[2].flags, record_flag::DISPOSABLE);
  CHECK_EQ(messages[2].timestamp, 40u);
  ts.bytes.clear();
  ts.video(unit({kInterNal}), 1120);
  const std::vector<Message> last = demuxer.feed(ts.bytes);
  CHECK(last.size() == 1 && last[0].body == (Bytes{0x27, 1, 0xff, 0xff, 0xb0} + prefixed({kInterNal})));
}

TEST(the_header_of_a_high_profile_tells_the_sample_format) {
  Multiplexer ts;
  ts.avc_and_aac();
  const Bytes sps = {0x67, 0x6e, 0, 0x0c, 0xa6, 0xcd, 0x94, 0x14, 0x19, 0xf9, 0xf0, 0x11};
  ts.video(unit({sps, kPps, kIdrNal}), 0);
  ts.video(kKeyUnit, 40);
  const std::vector<Message> messages = Demuxer().feed(ts.bytes);
  CHECK_EQ(messages.size(), 2u);
  const Bytes tail = {0xfd, 0xfa, 0xfa, 0};
  CHECK(messages.size() == 2 && Bytes(messages[0].body.end() - 4, messages[0].body.end()) == tail);
}

TEST(the_messages_are_the_same_however_the_bytes_are_split) {
  Multiplexer ts;
  ts.avc_and_aac();
  for (uint64_t i = 0; i < 12; i++) {
    Bytes slice = i % 4 == 0 ? kIdrNal : kInterNal;
    // Start codes and near misses at every place a packet can end.
    for (size_t n = 0; n < 150 + i * 31; n++) slice.push_back(static_cast<uint8_t>(n % 7 == 0 ? 0 : n % 11));
    const Bytes tail = unit({{0x41, 0, 0, 2, 0, 0, 3, 1}, {0x41, 9}});
    ts.video((i % 4 == 0 ? unit({kSps, kPps, slice}) : unit({slice})) + tail + Bytes(i % 4, 0), i * 40);
    ts.audio(adts(filled(90 + i, 1)) + adts(filled(200, 3)), i * 40);
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
  ts.video(unit({kInterNal}), 0);
  ts.video(unit({kIdrNal}), 40);
  ts.audio(adts({1, 2}) + adts({3, 4}), 50);
  ts.video(unit({kSps, kPps, kInterNal}), 80);
  ts.video(unit({kInterNal}), 120);
  ts.video(unit({kIdrNal}), 160);  // the sets came before
  ts.video(unit({kInterNal}), 200);
  ts.video(unit({kInterNal}), 240);
  Demuxer demuxer;
  const std::vector<Message> messages = demuxer.feed(ts.bytes);
  check_times(messages, kVideoType, "h0 k0 40 ");
  check_times(messages, kAudioType, "");
  CHECK_EQ(demuxer.flv().skipped_units(), 4u);
}

TEST(an_open_gop_begins_where_the_multiplexer_says_so) {
  Multiplexer ts;
  ts.avc_and_aac();
  ts.video(unit({kInterNal}), 0, 0, true);
  ts.video(unit({kSps, kPps, kInterNal}), 40, 40, true);
  ts.video(unit({kInterNal}), 80);
  ts.video(unit({kInterNal}), 120);
  check_times(Demuxer().feed(ts.bytes), kVideoType, "h0 k0 40 ");
}

TEST(new_parameter_sets_are_announced_and_the_same_ones_are_not) {
  Multiplexer ts;
  ts.avc_and_aac();
  ts.video(kKeyUnit, 0);
  ts.video(kKeyUnit, 40);
  Bytes other = kSps;
  other[3] = 0x28;
  ts.video(unit({other, other, kPps, {0x68, 1}, kIdrNal}), 80);
  ts.video(unit({{0x68, 2}, kInterNal}), 120);
  ts.video(kKeyUnit, 160);
  const std::vector<Message> messages = of_type(Demuxer().feed(ts.bytes), kVideoType);
  check_times(messages, kVideoType, "h0 k0 k40 h80 k80 120 ");
  CHECK_EQ(messages[3].body[10], 0xe1);
  CHECK_EQ(messages[3].body[11 + 2 + 14], 2);
  // A picture set by itself stays where it is.
  CHECK(messages[5].body == (Bytes{0x27, 1, 0, 0, 0} + prefixed({{0x68, 2}, kInterNal})));
}

TEST(parameter_sets_that_find_no_room_in_the_header_stay_with_the_picture) {
  Multiplexer ts;
  ts.avc_and_aac();
  Bytes large = {0x68};
  large.resize(kAvcSetBytesMax, 7);
  ts.video(unit({kSps, kPps, large, kIdrNal}), 0);
  ts.video(kKeyUnit, 40);
  const std::vector<Message> messages = Demuxer().feed(ts.bytes);
  CHECK_EQ(messages.size(), 2u);
  CHECK(messages.size() == 2 && messages[1].body.size() == 5 + 4 + large.size() + 4 + kIdrNal.size());
}

TEST(after_a_loss_video_waits_for_the_next_random_access_unit) {
  Multiplexer ts;
  ts.avc_and_aac();
  ts.video(kKeyUnit, 0);
  ts.video(unit({kInterNal}), 40);
  ts.audio(adts({1}) + adts({2}), 60);
  ts.lose(kVideoPid);
  ts.video(unit({kInterNal}), 80);
  ts.audio(adts({1}) + adts({2}), 120);
  ts.video(unit({kInterNal}), 120);
  ts.video(kKeyUnit, 160);
  ts.video(unit({kInterNal}), 200);
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
  ts.video(unit({kInterNal}), 40);
  check_times(Demuxer().feed(ts.bytes), kVideoType, "h0 k0 ");
}

TEST(a_pes_packet_without_time_goes_on_with_the_unit) {
  Multiplexer ts;
  ts.avc_and_aac();
  ts.video(kKeyUnit, 0);
  ts.untimed_video(Bytes{9, 9});
  ts.video(unit({kInterNal}), 40);
  const std::vector<Message> messages = Demuxer().feed(ts.bytes);
  const Bytes body = Bytes{0x17, 1, 0, 0, 0} + prefixed({kIdrNal + Bytes{9, 9}});
  CHECK(messages.size() == 2 && messages[1].body == body);
}

TEST(a_unit_longer_than_any_is_skipped_with_what_needs_it) {
  Multiplexer ts;
  ts.avc_and_aac();
  ts.video(kKeyUnit, 0);
  ts.video(unit({kInterNal}) + Bytes(kAvcUnitBytesMax, 9), 40);
  ts.video(unit({kInterNal}), 80);
  ts.video(unit({kIdrNal}) + Bytes(kAvcUnitBytesMax - 100, 9), 120);
  ts.video(kKeyUnit, 160);
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
  ts.video(unit({kInterNal}), 40);
  const std::vector<Message> messages = Demuxer().feed(ts.bytes);
  CHECK(messages.size() == 2 && messages[1].body.size() == 5 + 4 + kIdrNal.size() + 200'000 * 5);
}

TEST(the_first_h264_and_the_first_adts_of_the_program_are_carried) {
  const struct {
    std::vector<StreamEntry> streams;
    int supported;
  } rows[] = {
      {{{0x1b, kVideoPid}, {0x0f, kAudioPid}}, 1},  {{{0x24, 0x80}, {0x1b, kVideoPid}, {0x1b, 0x90}}, 1},
      {{{0x03, 0x80}, {0x0f, kAudioPid}}, 1},    {{{0x1b, kVideoPid}, {0x81, kAudioPid}}, 1},
      {{{0x24, kVideoPid}, {0x0f, kAudioPid}}, 0},  {{{0x11, kAudioPid}}, 0},
      {{{0x02, kVideoPid}}, 0},                  {{}, 0},
  };
  for (const auto& row : rows) {
    Multiplexer ts;
    Demuxer demuxer;
    CHECK_EQ(demuxer.flv().supported(), -1);
    ts.tables(row.streams);
    ts.video(kKeyUnit, 0);
    ts.video(kKeyUnit, 40);
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
  ts.tables({{0x1b, kVideoPid}});
  ts.video(kKeyUnit, 40);
  ts.tables({{0x1b, kVideoPid}, {0x0f, kAudioPid}});
  ts.video(unit({kInterNal}), 80);
  ts.tables({{0x0f, kAudioPid}});
  ts.video(kKeyUnit, 120);
  ts.audio(adts({1}) + adts({2}), 120);
  Demuxer demuxer;
  const std::vector<Message> messages = demuxer.feed(ts.bytes);
  check_times(messages, kVideoType, "h0 k0 ");
  check_times(messages, kAudioType, "h80 80 101 ");
}

TEST(what_the_outbox_cannot_hold_waits_for_the_next_call) {
  Multiplexer ts;
  ts.avc_and_aac();
  const Bytes large = unit({kSps, kPps, kIdrNal}) + Bytes(kAvcUnitBytesMax / 3, 9);
  for (uint64_t i = 0; i < 5; i++) ts.video(large, i * 40);
  ts.video(kKeyUnit, 200);
  Demuxer demuxer;
  check_times(demuxer.feed(ts.bytes), kVideoType, "h0 k0 k40 k80 k120 k160 ");
  CHECK(demuxer.feeds >= 5);
  Demuxer roomy(2 * kTsFlvRoomBytes);
  check_times(roomy.feed(ts.bytes), kVideoType, "h0 k0 k40 k80 k120 k160 ");
  CHECK(roomy.feeds < demuxer.feeds);
}

}  // namespace
}  // namespace headgate::test
