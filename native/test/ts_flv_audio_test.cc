// Audio of a transport stream on its way into messages, and the clock that places it beside video.

#include "ts_flv_rig.h"

namespace headgate::test {
namespace {

TEST(audio_frames_lie_across_pes_packets_and_keep_their_time) {
  Multiplexer ts;
  ts.tables({{0x0f, kAudioPid}});
  const Bytes first = adts(filled(300, 1)) + adts(filled(301, 2));
  const Bytes frames = first + adts(filled(302, 3)) + adts(filled(303, 4));
  ts.audio(slice(frames, 0, 400), 1000);
  ts.audio(slice(frames, 400, 500), 2500);  // no frame begins in it
  ts.audio(slice(frames, 500, frames.size()), 1045);
  Demuxer demuxer;
  const std::vector<Message> messages = demuxer.feed(ts.bytes);
  check_times(messages, kAudioType, "h0 0 21 45 66 ");
  CHECK(messages.size() == 5 && messages[0].body == (Bytes{0xaf, 0, 0x11, 0x90}));
  CHECK(messages.size() == 5 && messages[2].body == (Bytes{0xaf, 1} + filled(301, 2)));
  CHECK_EQ(demuxer.flv().supported(), 1);
}

TEST(audio_that_cannot_be_told_to_a_player_is_left_out) {
  Multiplexer ts;
  ts.tables({{0x0f, kAudioPid}});
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
  ts.tables({{0x0f, kAudioPid}});
  ts.audio(adts(filled(50, 1)) + adts(filled(60, 1)), 0);
  ts.lose(kAudioPid);
  // A frame without length, and one behind which nothing begins.
  const Bytes garbage = {0xff, 0xf1, 0x50, 0x80, 0, 0xff, 1, 0xff, 0xf1, 0x4c, 0x80,
                         1,    0x3f, 0xfc, 9,    9, 7,    7};
  ts.audio(garbage + adts(filled(70, 1)) + adts(filled(80, 1)), 100);
  const std::vector<Message> messages = Demuxer().feed(ts.bytes);
  CHECK_EQ(messages.size(), 5u);
  check_times(messages, kAudioType, "h0 0 21 100 121 ");
}

TEST(an_audio_frame_with_a_hole_is_left_out) {
  Multiplexer ts;
  ts.tables({{0x0f, kAudioPid}});
  ts.audio(adts(filled(50, 1)) + adts(filled(500, 1)) + adts(filled(60, 1)), 0);
  ts.bytes.erase(ts.bytes.end() - 2 * kTsPacketBytes, ts.bytes.end() - kTsPacketBytes);
  ts.audio(adts(filled(70, 1)) + adts(filled(80, 1)), 100);
  const std::vector<Message> messages = Demuxer().feed(ts.bytes);
  check_times(messages, kAudioType, "h0 0 100 121 ");
  CHECK(messages.size() == 4 && messages[2].body == (Bytes{0xaf, 1} + filled(70, 1)));
}

TEST(audio_from_before_the_first_picture_is_left_out) {
  Multiplexer ts;
  ts.avc_and_aac();
  ts.video(kKeyUnit, 1000);
  ts.video(kKeyUnit, 1040);
  ts.audio(adts({1}) + adts({2}) + adts({3}), 985);
  check_times(Demuxer().feed(ts.bytes), kAudioType, "h6 6 28 ");
}

TEST(a_picture_from_before_the_start_is_at_the_start) {
  Multiplexer ts;
  ts.avc_and_aac();
  for (const uint64_t ms : {1000, 900, 1040, 1080}) ts.video(kKeyUnit, ms);
  check_times(Demuxer().feed(ts.bytes), kVideoType, "h0 k0 k0 k40 ");
}

TEST(the_clock_goes_on_past_33_bits_and_over_jumps) {
  constexpr int64_t kWrap = (int64_t{1} << 33) / kTsClockPerMs;
  Multiplexer ts;
  ts.avc_and_aac();
  ts.video(kKeyUnit, kWrap - 39);
  ts.video(kKeyUnit, kWrap + 1);
  ts.audio(adts({1}) + adts({2}), kWrap + 11);
  ts.video(kKeyUnit, kWrap + 41);
  ts.audio(adts({1}) + adts({2}), 5000'000);  // the encoder began again, its audio first
  ts.video(kKeyUnit, 5000'000);
  ts.audio(adts({1}) + adts({2}), kWrap + 91);  // as long as the video has not followed
  ts.video(kKeyUnit, 5000'040);
  ts.audio(adts({1}) + adts({2}), 5000'010);
  ts.video(kKeyUnit, 5000'080);
  const std::vector<Message> messages = Demuxer().feed(ts.bytes);
  check_times(messages, kVideoType, "h0 k0 k40 k80 k152 k192 ");
  check_times(messages, kAudioType, "h50 50 71 130 151 162 183 ");
}

}  // namespace
}  // namespace headgate::test
