// What a body is: legacy FLV tags, Enhanced RTMP, and bodies that are neither.
#include "../media_tag.h"

#include "../slab_layout.h"
#include "bodies.h"
#include "check.h"

namespace headgate::test {
namespace {

MediaTag video(const Bytes& body) {
  TagContext context;
  return read_video_tag(context, body.data(), static_cast<uint32_t>(body.size()));
}

MediaTag audio(const Bytes& body) {
  return read_audio_tag(body.data(), static_cast<uint32_t>(body.size()));
}

MediaTag data(const Bytes& body, bool amf3 = false) {
  return read_data_tag(body.data(), static_cast<uint32_t>(body.size()), amf3);
}

uint32_t frames_of(const MediaTag& tag) {
  uint32_t frames = 0;
  for (uint32_t i = 0; i < tag.track_count; i++) frames += tag.tracks[i].frames;
  return frames;
}

TEST(legacy_avc_tags) {
  CHECK(video(avc_header()).role == TagRole::kVideoConfig);
  CHECK_EQ(frames_of(video(avc_header())), 0u);
  CHECK_EQ(video(avc_header()).codec, video_codec::H264);
  CHECK(!video(avc_header()).keyframe);
  const MediaTag key = video(avc_keyframe());
  CHECK(key.keyframe && !key.disposable);
  CHECK_EQ(frames_of(key), 1u);
  const MediaTag inter = video(avc_inter());
  CHECK(!inter.keyframe && !inter.disposable);
  CHECK_EQ(frames_of(inter), 1u);
  CHECK(video(avc_disposable()).disposable);
  CHECK(video({0x27, 2, 0, 0, 0}).role == TagRole::kEnd);
  CHECK_EQ(frames_of(video({0x27, 2, 0, 0, 0})), 0u);
  CHECK_EQ(frames_of(video({0x57, 0})), 0u);
}

TEST(legacy_codecs_are_told_apart) {
  const struct {
    uint8_t id;
    uint32_t codec;
  } rows[] = {{2, video_codec::H263}, {3, video_codec::SCREEN}, {4, video_codec::VP6},
              {5, video_codec::VP6},  {6, video_codec::SCREEN}, {9, video_codec::NONE}};
  for (const auto& row : rows) {
    const MediaTag tag = video({static_cast<uint8_t>(kKey | row.id), 1, 2});
    CHECK_EQ(tag.codec, row.codec);
    CHECK_EQ(frames_of(tag), 1u);
    CHECK(tag.keyframe);
  }
  CHECK(video({0x32, 1, 2}).disposable);
  CHECK_EQ(video({0x1c, 1, 0, 0, 0, 0, 0, 0, 3, 0x26, 1, 0}).codec, video_codec::HEVC);
}

TEST(parameter_sets_before_the_first_slice_do_not_decide_disposability) {
  const Bytes sei = nal({0x06, 5, 0});
  const Bytes delimiter = nal({0x09, 0xf0});
  CHECK(video(avc(kInter, delimiter + sei + nal({0x01, 1}))).disposable);
  CHECK(!video(avc(kInter, delimiter + sei + nal({0x21, 1}))).disposable);
  CHECK(!video(avc(kInter, delimiter + sei)).disposable);
  CHECK(!video(avc(kKey, nal({0x05, 1}))).disposable);
}

TEST(nal_lengths_are_as_long_as_the_sequence_header_says) {
  TagContext context;
  const Bytes header = {0x17, 0, 0, 0, 0, 1, 0x64, 0, 0x1f, 0xfd, 0xe1};  // 2 bytes
  read_video_tag(context, header.data(), static_cast<uint32_t>(header.size()));
  const Bytes frame = avc(kInter, {0, 2, 0x01, 0});
  CHECK(read_video_tag(context, frame.data(), static_cast<uint32_t>(frame.size())).disposable);
}

TEST(hevc_frames_of_the_highest_layer_that_nothing_refers_to_are_disposable) {
  const auto frame = [](uint8_t type, uint8_t layer) {
    return ex_video(kInter, 3, four("hvc1") + nal({static_cast<uint8_t>(type << 1), static_cast<uint8_t>(layer + 1), 0}));
  };
  TagContext context;
  const auto disposable = [&](const Bytes& body) {
    return read_video_tag(context, body.data(), static_cast<uint32_t>(body.size())).disposable;
  };
  CHECK(disposable(frame(0, 0)));
  CHECK(!disposable(frame(1, 0)));
  CHECK(disposable(frame(8, 0)));
  CHECK(!disposable(frame(16, 0)));
  CHECK(disposable(frame(0, 1)));
  CHECK(!disposable(frame(0, 0)));
}

TEST(enhanced_video_counts_coded_frames_only) {
  const struct {
    const char* name;
    uint32_t codec;
  } codecs[] = {{"avc1", video_codec::H264}, {"hvc1", video_codec::HEVC}, {"av01", video_codec::AV1},
                {"vp09", video_codec::VP9},  {"vp08", video_codec::VP8},  {"vvc1", video_codec::VVC},
                {"????", video_codec::NONE}};
  for (const auto& row : codecs) {
    const Bytes body = four(row.name) + filled(30, 1);
    const struct {
      uint8_t packet_type;
      uint32_t frames;
      TagRole role;
    } types[] = {{0, 0, TagRole::kVideoConfig}, {1, 1, TagRole::kMedia},
                 {2, 0, TagRole::kEnd},         {3, 1, TagRole::kMedia},
                 {4, 0, TagRole::kVideoColour}, {5, 0, TagRole::kVideoConfig},
                 {8, 0, TagRole::kMedia}};
    for (const auto& type : types) {
      const MediaTag tag = video(ex_video(kKey, type.packet_type, body));
      CHECK_EQ(tag.codec, row.codec);
      CHECK_EQ(frames_of(tag), type.frames);
      CHECK(tag.role == type.role);
      CHECK(tag.keyframe == (type.frames > 0));
    }
  }
}

TEST(enhanced_video_commands_are_no_frames) {
  CHECK_EQ(frames_of(video(ex_video(0x50, 1, {0}))), 0u);
  CHECK(video(ex_video(0x50, 4, four("hvc1") + Bytes{2})).role == TagRole::kVideoColour);
}

TEST(multitrack_counts_per_track) {
  const Bytes frame = {0, 0, 0, 9, 9};
  const MediaTag one = video(ex_video(kInter, 6, Bytes{0x01} + four("avc1") + Bytes{3} + frame));
  CHECK_EQ(one.track_count, 1);
  CHECK_EQ(one.tracks[0].id, 3);
  CHECK_EQ(one.first_track, 3);
  const Bytes many = Bytes{0x11} + four("avc1") + Bytes{0} + sized(frame) + Bytes{1} + sized(frame) +
                     Bytes{1} + sized(frame);
  const MediaTag two = video(ex_video(kKey, 6, many));
  CHECK_EQ(two.track_count, 2);
  CHECK_EQ(two.tracks[0].frames, 1);
  CHECK_EQ(two.tracks[1].frames, 2);
  CHECK(two.keyframe);
  const Bytes codecs = Bytes{0x21} + four("hvc1") + Bytes{0} + sized(frame) + four("av01") + Bytes{7} +
                       sized(frame);
  const MediaTag mixed = video(ex_video(kKey, 6, codecs));
  CHECK_EQ(mixed.track_count, 2);
  CHECK_EQ(mixed.codec, video_codec::HEVC);
  CHECK_EQ(mixed.tracks[1].id, 7);
}

TEST(tracks_beyond_the_last_place_share_it) {
  Bytes many = Bytes{0x11} + four("vp09");
  for (uint8_t track = 0; track < 20; track++) many = many + Bytes{track} + sized({1});
  const MediaTag tag = video(ex_video(kInter, 6, many));
  CHECK_EQ(tag.track_count, kTracksMax);
  CHECK_EQ(frames_of(tag), 20u);
}

TEST(modifiers_are_unwrapped) {
  const Bytes nano = {2, 0, 1, 2, 0x01};  // three bytes of offset, then type 0 and CodedFrames
  const MediaTag tag = video(ex_video(kKey, 7, nano + four("av01") + Bytes{1}));
  CHECK_EQ(frames_of(tag), 1u);
  const Bytes wide = Bytes{0xff, 0, 9} + filled(10, 0) + Bytes{0x03};
  CHECK_EQ(frames_of(video(ex_video(kInter, 7, wide + four("av01") + Bytes{1}))), 1u);
  const Bytes twice = Bytes{0, 9, 0x07} + Bytes{0, 9, 0x06} + Bytes{0x01} + four("vp09") + Bytes{2, 5};
  CHECK_EQ(video(ex_video(kInter, 7, twice)).tracks[0].id, 2);
  const Bytes opus = Bytes{2, 0, 1, 2, 0x01} + four("Opus") + Bytes{1};
  CHECK_EQ(audio(ex_audio(7, opus)).codec, audio_codec::OPUS);
}

TEST(legacy_audio_formats) {
  const struct {
    uint8_t format;
    uint32_t codec;
  } rows[] = {{0, audio_codec::PCM},        {1, audio_codec::ADPCM},     {2, audio_codec::MP3},
              {3, audio_codec::PCM},        {4, audio_codec::NELLYMOSER}, {5, audio_codec::NELLYMOSER},
              {6, audio_codec::NELLYMOSER}, {7, audio_codec::G711A},     {8, audio_codec::G711U},
              {10, audio_codec::AAC},       {11, audio_codec::SPEEX},    {14, audio_codec::MP3},
              {15, audio_codec::NONE}};
  for (const auto& row : rows) {
    const MediaTag tag = audio({static_cast<uint8_t>(row.format << 4 | 0x0f), 1});
    CHECK_EQ(tag.codec, row.codec);
    CHECK(tag.role == TagRole::kMedia);
  }
  CHECK(audio(aac_header()).role == TagRole::kAudioConfig);
  CHECK(audio(aac_frame()).role == TagRole::kMedia);
}

TEST(enhanced_audio) {
  const struct {
    const char* name;
    uint32_t codec;
  } rows[] = {{"Opus", audio_codec::OPUS}, {"fLaC", audio_codec::FLAC}, {"ac-3", audio_codec::AC3},
              {"ec-3", audio_codec::EAC3}, {".mp3", audio_codec::MP3},  {"mp4a", audio_codec::AAC}};
  for (const auto& row : rows) {
    CHECK_EQ(audio(ex_audio(1, four(row.name) + Bytes{1})).codec, row.codec);
    CHECK(audio(ex_audio(0, four(row.name) + Bytes{1})).role == TagRole::kAudioConfig);
  }
  CHECK(audio(ex_audio(2, four("Opus"))).role == TagRole::kEnd);
  CHECK(audio(ex_audio(4, four("Opus") + Bytes{1, 6})).role == TagRole::kAudioChannels);
  const MediaTag track = audio(ex_audio(5, Bytes{0x00} + four("mp4a") + Bytes{4, 0x12, 0x10}));
  CHECK(track.role == TagRole::kAudioConfig);
  CHECK_EQ(track.first_track, 4);
}

TEST(metadata_is_known_by_its_name) {
  CHECK(data(metadata()).role == TagRole::kMetadata);
  CHECK(data(amf_string("onMetaData") + Bytes{5}).role == TagRole::kMetadata);
  CHECK(data(Bytes{0} + metadata(), true).role == TagRole::kMetadata);
  CHECK(data(amf_string("onCuePoint")).role == TagRole::kMedia);
  CHECK(data(amf_string("onMetaDat")).role == TagRole::kMedia);
  CHECK(data({2, 0xff, 0xff, 'o'}).role == TagRole::kMedia);
}

TEST(nothing_of_64_kib_passes_as_a_header) {
  CHECK(video(avc_header() + Bytes(kHeaderBytesMax, 0)).role == TagRole::kMedia);
  CHECK(audio(aac_header() + Bytes(kHeaderBytesMax, 0)).role == TagRole::kMedia);
  CHECK(data(metadata() + Bytes(kHeaderBytesMax, 0)).role == TagRole::kMedia);
}

TEST(truncated_bodies_hold_no_frame_and_are_never_read_past) {
  const Bytes frame = {0, 0, 0, 9, 9};
  const std::vector<Bytes> bodies = {
      avc_keyframe(),
      avc_header(),
      ex_video(kKey, 6, Bytes{0x21} + four("hvc1") + Bytes{0} + sized(frame) + four("av01") + Bytes{7} + sized(frame)),
      ex_video(kKey, 7, Bytes{0xff, 0, 9} + filled(10, 0) + Bytes{0x01} + four("avc1") + frame),
      ex_audio(5, Bytes{0x21} + four("mp4a") + Bytes{0} + sized(frame)),
      metadata(),
  };
  for (const Bytes& body : bodies) {
    for (size_t length = 0; length <= body.size(); length++) {
      const Bytes cut(body.begin(), body.begin() + static_cast<long>(length));
      CHECK(frames_of(video(cut)) <= 2);
      audio(cut);
      data(cut);
      data(cut, true);
    }
  }
  CHECK_EQ(frames_of(video({0x17})), 0u);
  CHECK_EQ(frames_of(video({0x17, 1, 0, 0, 0})), 0u);
  CHECK_EQ(frames_of(video({0x22})), 0u);
  CHECK_EQ(frames_of(video({0x91})), 0u);
  CHECK_EQ(frames_of(video(ex_video(kKey, 1, four("avc1") + Bytes{0, 0}))), 0u);
  CHECK_EQ(frames_of(video({0x07, 1, 0, 0, 0, 1})), 0u);
  CHECK(!video(avc(kInter, {0xff, 0xff, 0xff, 0xff, 1})).disposable);
}

}  // namespace
}  // namespace headgate::test
