// The engine whole: what reaches JavaScript, what is counted, what is kept, what is refused.
#include "engine_rig.h"

namespace headgate::test {
namespace {

TEST(media_is_counted_and_handed_over) {
  Rig rig;
  const uint32_t id = rig.publisher();
  Stream s;
  s.send(18, 0, metadata()).video(0, avc_header()).audio(0, aac_header());
  s.video(0, avc_keyframe()).audio(5, aac_frame()).video(33, avc_inter()).video(66, avc_disposable());
  CHECK_EQ(rig.feed(id, s), 0.0);
  CHECK_EQ(rig.field(stream::PACKETS), 7.0);
  CHECK_EQ(rig.field(stream::FRAMES), 3.0);
  CHECK_EQ(rig.field(stream::TRACK_FRAMES), 3.0);
  CHECK_EQ(rig.field(stream::KEYFRAMES), 1.0);
  CHECK_EQ(rig.field(stream::VIDEO_PACKETS), 4.0);
  CHECK_EQ(rig.field(stream::AUDIO_PACKETS), 2.0);
  CHECK_EQ(rig.field(stream::DATA_PACKETS), 1.0);
  CHECK_EQ(rig.field(stream::VIDEO_CODEC), video_codec::H264);
  CHECK_EQ(rig.field(stream::AUDIO_CODEC), audio_codec::AAC);
  CHECK_EQ(rig.field(stream::LAST_DTS), 66.0);
  if (!CHECK(rig.taken.size() == 7)) return;
  const uint8_t flags[] = {record_flag::METADATA, record_flag::HEADER, record_flag::HEADER,
                           record_flag::KEYFRAME, 0, 0, record_flag::DISPOSABLE};
  for (size_t i = 0; i < 7; i++) CHECK_EQ(rig.taken[i].flags, flags[i]);
  CHECK(rig.taken[3].body == avc_keyframe());
  CHECK_EQ(rig.taken[5].timestamp, 33u);
  CHECK_EQ(rig.taken[5].message_stream_id, 1u);
  CHECK_EQ(rig.taken[5].chunk_stream_id, 6u);
}

TEST(without_consumers_only_small_data_is_handed_over) {
  Rig rig;
  rig.field(stream::FLAGS) = flag::IN_USE;
  const uint32_t id = rig.publisher();
  Stream s;
  s.send(18, 0, metadata()).send(18, 0, metadata() + Bytes(kCommandBytesMax, 0));
  s.send(15, 0, Bytes{0} + metadata()).video(0, avc_keyframe()).audio(0, aac_frame());
  rig.feed(id, s);
  CHECK_EQ(rig.taken.size(), 2u);
  CHECK_EQ(rig.field(stream::PACKETS), 5.0);
}

TEST(empty_media_is_counted_and_never_handed_over) {
  Rig rig;
  const uint32_t id = rig.publisher();
  rig.feed(id, Stream().audio(0, {}).video(0, {}).send(18, 0, {}));
  CHECK_EQ(rig.field(stream::PACKETS), 3.0);
  CHECK(rig.taken.empty());
  CHECK(rig.replay().empty());
}

TEST(control_messages_that_javascript_acts_on_are_handed_over) {
  Rig rig;
  const uint32_t id = static_cast<uint32_t>(rig.engine.open());
  Stream s;
  s.send(4, 0, {0, 6, 0, 0, 0, 1}, 0).send(5, 0, {0, 0x26, 0x25, 0xa0}, 0);
  s.send(6, 0, {0, 0x26, 0x25, 0xa0, 2}, 0).send(3, 0, {0, 0, 0, 1}, 0);
  s.send(16, 0, {1, 2}, 0).send(19, 0, {1, 2}, 0).send(7, 0, {1}, 0);
  s.command({2, 0, 1, 'x'}).send(17, 0, {0, 2, 0, 1, 'x'}, 0);
  rig.feed(id, s);
  if (!CHECK(rig.taken.size() == 5)) return;
  const uint8_t types[] = {4, 5, 6, 20, 17};
  for (size_t i = 0; i < 5; i++) CHECK_EQ(rig.taken[i].type, types[i]);
}

TEST(feeding_stops_after_a_command) {
  Rig rig;
  const uint32_t id = static_cast<uint32_t>(rig.engine.open());
  Stream s;
  s.command({2, 0, 1, 'x'});
  const size_t to_command = static_cast<const Bytes&>(s).size();
  s.video(0, avc_keyframe());
  const Bytes bytes = s;
  rig.engine.feed(id, bytes.data(), bytes.size(), 0, rig.result);
  CHECK_EQ(rig.result.consumed, to_command);
  CHECK(!rig.result.more);
  rig.engine.attach(id, 0, 1);
  rig.engine.feed(id, bytes.data() + to_command, bytes.size() - to_command, 0, rig.result);
  CHECK_EQ(rig.field(stream::FRAMES), 1.0);
}

TEST(late_media_is_skipped_silently) {
  Rig rig;
  const uint32_t id = rig.publisher();
  rig.feed(id, Stream().video(0, avc_keyframe()));
  rig.engine.detach(id);
  rig.taken.clear();
  CHECK_EQ(rig.feed(id, Stream().video(33, avc_inter())), 0.0);
  CHECK_EQ(rig.field(stream::PACKETS), 1.0);
  CHECK(rig.taken.empty());
  CHECK_EQ(rig.engine.stats().gop_bytes, 0.0);
  CHECK_EQ(rig.field(stream::GOP_BYTES), 0.0);
  CHECK(rig.replay().empty());
}

TEST(attach_refuses_what_does_not_add_up) {
  Rig rig;
  const uint32_t id = rig.publisher(1);
  const uint32_t other = static_cast<uint32_t>(rig.engine.open());
  CHECK(rig.engine.attach(99, 0, 1) == Engine::Attach::kNoConnection);
  CHECK(rig.engine.attach(other, 4, 1) == Engine::Attach::kNoSlot);
  CHECK(rig.engine.attach(id, 0, 1) == Engine::Attach::kAttached);
  CHECK(rig.engine.attach(other, 1, 1) == Engine::Attach::kSlotTaken);
  rig.engine.close(id);
  CHECK(rig.engine.attach(other, 1, 1) == Engine::Attach::kDone);
}

TEST(connections_are_bounded_and_their_numbers_reused) {
  Rig rig;
  for (uint32_t i = 0; i < kConnectionsMax; i++) rig.engine.open();
  CHECK_EQ(rig.engine.open(), -1);
  rig.engine.close(5);
  rig.engine.close(5);
  CHECK_EQ(rig.engine.open(), 5);
  CHECK_EQ(rig.engine.open(), -1);
  CHECK_EQ(rig.engine.stats().connections, static_cast<double>(kConnectionsMax));
}

TEST(closing_frees_everything) {
  Rig rig;
  const uint32_t id = rig.publisher();
  rig.feed(id, Stream().video(0, avc_keyframe(5000)));
  ChunkWriter half;
  half.header(0, {6, 9, 0, 1}, 300);
  half.payload(Bytes(128, 0), 0, 128);
  FeedResult result;
  rig.engine.feed(id, half.bytes.data(), half.bytes.size(), 0, result);
  CHECK(rig.engine.stats().pending_bytes > 0);
  CHECK(rig.engine.stats().gop_bytes > 5000);
  rig.engine.close(id);
  CHECK_EQ(rig.engine.stats().pending_bytes, 0.0);
  CHECK_EQ(rig.engine.stats().gop_bytes, 0.0);
  CHECK(!rig.engine.is_open(id));
}

TEST(aggregates_are_split_into_their_messages) {
  const auto tag = [](uint8_t type, uint32_t timestamp, const Bytes& body) {
    ChunkWriter w;
    w.byte(type);
    w.u24(static_cast<uint32_t>(body.size()));
    w.u24(timestamp);
    w.byte(timestamp >> 24);
    w.u24(0);
    append(w.bytes, body);
    w.u32(static_cast<uint32_t>(body.size() + 11));
    return w.bytes;
  };
  const Bytes good = tag(9, 0x1000000, avc_keyframe()) + tag(8, 0x1000005, aac_frame()) +
                     tag(9, 0x1000021, avc_inter()) + tag(8, 0x1000022, {});
  Rig rig;
  const uint32_t id = rig.publisher();
  rig.feed(id, Stream().send(22, 5000, good));
  CHECK_EQ(rig.field(stream::PACKETS), 4.0);
  CHECK_EQ(rig.field(stream::FRAMES), 2.0);
  if (CHECK(rig.taken.size() == 3)) {
    CHECK_EQ(rig.taken[0].timestamp, 5000u);
    CHECK_EQ(rig.taken[1].timestamp, 5005u);
    CHECK_EQ(rig.taken[2].timestamp, 5033u);
    CHECK(rig.taken[2].body == avc_inter());
  }
  const std::vector<Bytes> bad = {
      {9},
      tag(20, 0, {1}),
      tag(22, 0, {1}),
      tag(9, 0, avc_keyframe()) + Bytes{9, 0, 0},
      Bytes{9, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 1},
  };
  for (const Bytes& body : bad) {
    Rig other;
    const uint32_t publisher = other.publisher();
    CHECK_EQ(other.feed(publisher, Stream().send(22, 0, body)), -1.0);
    CHECK(other.result.error == RtmpError::aggregate);
  }
  Bytes many;
  for (uint32_t i = 0; i <= kAggregateMessagesMax; i++) many = many + tag(8, 0, {});
  Rig third;
  CHECK_EQ(third.feed(third.publisher(), Stream().send(22, 0, many)), -1.0);
}

TEST(a_full_outbox_loses_and_repeats_nothing) {
  const size_t body = 3 * 1024 * 1024;
  Stream s(kChunkSizeMax);
  for (uint32_t i = 0; i < 7; i++) s.video(i * 33, i == 0 ? avc_keyframe(body) : avc_inter(body));
  Rig rig({1e9, 1e9});
  const uint32_t id = rig.publisher();
  rig.feed(id, s);
  CHECK(rig.feeds > 3);
  CHECK_EQ(rig.field(stream::FRAMES), 7.0);
  if (!CHECK(rig.taken.size() == 7)) return;
  for (uint32_t i = 0; i < 7; i++) CHECK_EQ(rig.taken[i].timestamp, i * 33);
  const auto replayed = rig.replay();
  if (!CHECK(replayed.size() == 7)) return;
  for (uint32_t i = 0; i < 7; i++) CHECK_EQ(replayed[i].timestamp, i * 33);
}

TEST(the_longest_message_fits) {
  Rig rig;
  const uint32_t id = rig.publisher();
  rig.feed(id, Stream(kChunkSizeMax).video(0, avc_keyframe(kMediaBytesMax - 11)));
  CHECK_EQ(rig.taken.at(0).body.size(), kMediaBytesMax);
}

TEST(a_player_that_joins_gets_headers_and_the_gop) {
  Rig rig;
  const uint32_t id = rig.publisher();
  Stream s;
  s.audio(0, aac_header()).video(0, avc_header()).send(18, 0, metadata()).audio(0, aac_frame());
  s.video(0, avc_keyframe()).video(33, avc_inter()).video(1000, avc_keyframe());
  s.audio(1005, aac_frame()).video(1033, avc_inter());
  rig.feed(id, s);
  const auto replayed = rig.replay();
  if (!CHECK(replayed.size() == 6)) return;
  const uint8_t types[] = {18, 9, 8, 9, 8, 9};
  const uint32_t times[] = {1000, 1000, 1000, 1000, 1005, 1033};
  for (size_t i = 0; i < 6; i++) {
    CHECK_EQ(replayed[i].type, types[i]);
    CHECK_EQ(replayed[i].timestamp, times[i]);
    CHECK((replayed[i].flags & record_flag::REPLAY) != 0);
  }
  CHECK_EQ(rig.field(stream::GOP_PACKETS), 3.0);
}

TEST(an_audio_stream_keeps_its_headers_only) {
  Rig rig;
  const uint32_t id = rig.publisher();
  rig.feed(id, Stream().audio(0, aac_header()).audio(500, aac_frame()).audio(523, aac_frame()));
  const auto replayed = rig.replay();
  if (!CHECK(replayed.size() == 1)) return;
  CHECK_EQ(replayed[0].timestamp, 523u);
  CHECK_EQ(rig.field(stream::GOP_BYTES), 0.0);
}

TEST(a_gop_starts_on_the_first_track_only) {
  const auto track = [](uint8_t id, uint8_t frame_type) {
    return ex_video(frame_type, 6, Bytes{0x01} + four("avc1") + Bytes{id, 0, 0, 0} + nal({0x65}));
  };
  Rig rig;
  const uint32_t id = rig.publisher();
  Stream s;
  s.video(0, track(0, kKey)).video(0, track(1, kKey)).video(33, track(0, kInter));
  s.video(33, track(1, kKey)).video(66, track(0, kInter)).video(66, track(1, kInter));
  rig.feed(id, s);
  CHECK_EQ(rig.replay().size(), 6u);
  CHECK_EQ(rig.field(stream::FRAMES), 6.0);
  CHECK_EQ(rig.field(stream::TRACK_FRAMES), 3.0);
}

TEST(dropped_frames_are_neither_handed_over_nor_kept) {
  Rig rig;
  rig.field(stream::MODE) = mode::DROP;
  rig.limit(10000);
  const uint32_t id = rig.publisher();
  Stream s;
  s.video(0, avc_header()).video(0, avc_keyframe(5000)).video(33, avc_inter(4000));
  s.video(66, avc_inter(4000)).audio(70, aac_frame()).video(100, avc_inter(10));
  CHECK_EQ(rig.feed(id, s), 0.0);
  CHECK_EQ(rig.field(stream::DROPPED_FRAMES), 2.0);
  CHECK_EQ(rig.field(stream::DROPPING), 1.0);
  CHECK_EQ(rig.taken.size(), 4u);
  CHECK_EQ(rig.field(stream::TRACK_FRAMES), 4.0);
  rig.taken.clear();
  rig.feed(id, Stream().video(2000, avc_keyframe(100)).video(2033, avc_inter(100)), 3000);
  CHECK_EQ(rig.taken.size(), 2u);
  CHECK_EQ(rig.replay().size(), 3u);
}

TEST(a_throttled_stream_is_told_to_wait_for_what_it_owes) {
  Rig rig;
  rig.field(stream::MODE) = mode::THROTTLE;
  rig.limit(10000);
  const uint32_t id = rig.publisher();
  const Bytes body = avc_keyframe(30000 - 11);
  CHECK_EQ(rig.feed(id, Stream().video(0, body)), 2000.0);
  CHECK_EQ(rig.taken.size(), 1u);
}

TEST(commands_come_at_a_human_pace) {
  Rig rig;
  const uint32_t id = static_cast<uint32_t>(rig.engine.open());
  // A message costs one unit and its bytes in KiB; a burst of 1024 passes.
  double delay = 0;
  int passed = 0;
  const Bytes one = Stream().command({5});
  for (; passed < 4000 && delay >= 0; passed++) delay = rig.feed(id, one, 1000);
  CHECK(rig.result.error == RtmpError::command_flood);
  CHECK(passed > 400 && passed <= 512);  // each time with a set chunk size before it
  Rig large;
  const uint32_t other = static_cast<uint32_t>(large.engine.open());
  const Bytes long_one = Stream().command(Bytes(kCommandBytesMax, 0));
  delay = 0;
  for (passed = 0; passed < 100 && delay >= 0; passed++) delay = large.feed(other, long_one, 1000);
  CHECK(passed >= 15 && passed <= 17);
  Rig slow;
  const uint32_t third = static_cast<uint32_t>(slow.engine.open());
  for (int i = 0; i < 5000; i++) CHECK(slow.feed(third, one, i * 8.0) == 0);
}

TEST(messages_without_bytes_are_paced) {
  Rig rig;
  const uint32_t id = rig.publisher();
  ChunkWriter w;
  w.message(0, {4, 8, 0, 1}, {});
  for (int i = 1; i < 8192 + 4096; i++) w.message(3, {4, 8, 0, 1}, {});
  CHECK(std::abs(rig.feed(id, w.bytes, 1000) - 1000) < 1e-6);
  CHECK_EQ(rig.result.consumed, w.bytes.size());
  // Asked again with no bytes, it is still owed, and a second later no more.
  CHECK(std::abs(rig.feed(id, {}, 1000) - 1000) < 1e-6);
  CHECK(rig.feed(id, {}, 2000) == 0);
}

TEST(aggregates_of_nothing_are_paced) {
  Rig rig;
  const uint32_t id = rig.publisher();
  ChunkWriter w;
  w.message(0, {4, 22, 0, 1}, {});
  for (int i = 1; i < 8192 + 4096; i++) w.message(3, {4, 22, 0, 1}, {});
  CHECK(std::abs(rig.feed(id, w.bytes, 1000) - 1000) < 1e-6);
}

TEST(media_that_nobody_publishes_is_paced) {
  Rig rig;
  const uint32_t id = static_cast<uint32_t>(rig.engine.open());
  Stream s(kChunkSizeMax);
  s.video(0, avc_keyframe(8 * 1024 * 1024 - 11));
  CHECK_EQ(rig.feed(id, s, 1000), 0.0);
  CHECK(std::abs(rig.feed(id, s, 1000) - 8000) < 1);
  CHECK_EQ(rig.engine.stats().pending_bytes, 0.0);
}

TEST(the_clock_unwraps_past_32_bits) {
  Rig rig;
  const uint32_t id = rig.publisher();
  rig.feed(id, Stream().video(0xfffffff0u, avc_keyframe()).audio(0x10, aac_frame()).video(0x20, avc_inter()));
  CHECK_EQ(rig.field(stream::LAST_DTS), 4294967296.0 + 0x20);
  rig.feed(id, Stream().video(0x18, avc_inter()));
  CHECK_EQ(rig.field(stream::LAST_DTS), 4294967296.0 + 0x18);
}

TEST(a_broken_connection_stays_broken) {
  Rig rig;
  const uint32_t id = rig.publisher();
  rig.feed(id, Stream().video(0, avc_keyframe()));
  CHECK_EQ(rig.feed(id, {0xc9}), -1.0);
  CHECK(rig.result.error == RtmpError::header_missing);
  rig.taken.clear();
  CHECK_EQ(rig.feed(id, Stream().video(0, avc_keyframe())), -1.0);
  CHECK(rig.taken.empty());
  CHECK_EQ(rig.field(stream::PACKETS), 1.0);
}

TEST(lower_caps_take_hold_at_once) {
  Rig rig;
  const uint32_t id = rig.publisher();
  rig.feed(id, Stream().video(0, avc_keyframe(5000)));
  CHECK(rig.field(stream::GOP_BYTES) > 5000);
  rig.engine.reconfigure({100, 100});
  CHECK_EQ(rig.field(stream::GOP_BYTES), 0.0);
  CHECK_EQ(rig.engine.stats().gop_evictions, 1.0);
}

}  // namespace
}  // namespace headgate::test
