#include <algorithm>

#include "media_tag.h"
#include "slab_layout.h"
#include "tag_reader.h"

namespace headgate {

namespace {

// Video frame types (upper bits of the first byte).
constexpr uint8_t kFrameKey = 1;
constexpr uint8_t kFrameDisposable = 3;
constexpr uint8_t kFrameGeneratedKey = 4;
constexpr uint8_t kFrameCommand = 5;

// E-RTMP packet types of video alone.
constexpr uint8_t kCodedFramesX = 3;  // without composition time
constexpr uint8_t kColourMetadata = 4;
constexpr uint8_t kMpeg2TsSequenceStart = 5;
constexpr uint8_t kMultitrack = 6;

uint8_t legacy_video_codec(uint8_t id) {
  switch (id) {
    case 2:
      return video_codec::H263;
    case 3:
    case 6:
      return video_codec::SCREEN;
    case 4:
    case 5:
      return video_codec::VP6;
    case 7:
      return video_codec::H264;
    case 12:  // not in any standard; what encoders sent before E-RTMP
      return video_codec::HEVC;
    case 13:
      return video_codec::AV1;
    default:
      return video_codec::NONE;
  }
}

uint8_t video_codec_of(uint32_t name) {
  switch (name) {
    case four_cc("avc1"):
      return video_codec::H264;
    case four_cc("hvc1"):
      return video_codec::HEVC;
    case four_cc("av01"):
      return video_codec::AV1;
    case four_cc("vp09"):
      return video_codec::VP9;
    case four_cc("vp08"):
      return video_codec::VP8;
    case four_cc("vvc1"):
      return video_codec::VVC;
    default:
      return video_codec::NONE;
  }
}

// ISO/IEC 14496-15: the decoder configuration record says how long the lengths before NAL units
// are.
void learn_nal_length(TagContext& context, uint8_t track, uint8_t codec, TagReader config) {
  const uint32_t at = codec == video_codec::H264 ? 4 : 21;
  if (codec != video_codec::H264 && codec != video_codec::HEVC) return;
  if (config.left() <= at || track >= kTracksMax) return;
  context.nal_length_bytes[track] = static_cast<uint8_t>((config.at[at] & 3) + 1);
}

enum class NalUse { kOther, kReference, kDisposable };

// H.264 7.4.1: a slice whose nal_ref_idc is 0 is no reference.
NalUse avc_nal_use(const uint8_t* nal) {
  const uint8_t type = nal[0] & 0x1f;
  if (type < 1 || type > 5) return NalUse::kOther;
  return (nal[0] & 0x60) == 0 ? NalUse::kDisposable : NalUse::kReference;
}

// H.265 7.4.2.2: types 0, 2, ... 14 are sub-layer non-reference pictures, which higher temporal
// layers may still refer to: so only those of the highest layer seen are disposable.
NalUse hevc_nal_use(TagContext& context, const uint8_t* nal, uint32_t length) {
  const uint8_t type = (nal[0] >> 1) & 0x3f;
  if (type > 31 || length < 2) return NalUse::kOther;
  const uint8_t layer = static_cast<uint8_t>((nal[1] & 7) == 0 ? 0 : (nal[1] & 7) - 1);
  context.hevc_layer_max = std::max(context.hevc_layer_max, layer);
  const bool unreferenced = type <= 14 && type % 2 == 0;
  return unreferenced && layer == context.hevc_layer_max ? NalUse::kDisposable : NalUse::kReference;
}

// Looks for the first slice; parameter sets and SEI come before it.
bool is_disposable(TagContext& context, uint8_t track, uint8_t codec, TagReader frame) {
  if (codec != video_codec::H264 && codec != video_codec::HEVC) return false;
  const uint32_t length_bytes = context.nal_length_bytes[std::min<uint32_t>(track, kTracksMax - 1)];
  while (frame.left() > length_bytes) {
    uint32_t nal_length = 0;
    for (uint32_t i = 0; i < length_bytes; i++) nal_length = nal_length << 8 | frame.u8();
    if (nal_length == 0 || nal_length > frame.left()) return false;
    const uint8_t* nal = frame.take(nal_length);
    const NalUse use =
        codec == video_codec::H264 ? avc_nal_use(nal) : hevc_nal_use(context, nal, nal_length);
    if (use != NalUse::kOther) return use == NalUse::kDisposable;
  }
  return false;
}

void count_frame(MediaTag& tag, uint8_t track) {
  for (uint32_t i = 0; i < tag.track_count; i++) {
    if (tag.tracks[i].id != track) continue;
    if (tag.tracks[i].frames < UINT8_MAX) tag.tracks[i].frames++;
    return;
  }
  if (tag.track_count < kTracksMax) {
    tag.tracks[tag.track_count++] = {track, 1};
  } else if (tag.tracks[kTracksMax - 1].frames < UINT8_MAX) {
    tag.tracks[kTracksMax - 1].frames++;
  }
}

void read_legacy_video(TagContext& context, MediaTag& tag, uint8_t frame_type, TagReader body) {
  const uint8_t codec_id = body.u8() & 0x0f;
  tag.codec = legacy_video_codec(codec_id);
  const bool has_packet_type = codec_id == 7 || codec_id == 12 || codec_id == 13;
  uint8_t packet_type = kCodedFrames;
  if (has_packet_type) {
    packet_type = static_cast<uint8_t>(body.u8());
    body.take(3);  // composition time
    if (!body.whole) return;
  }
  if (packet_type == kSequenceStart) {
    tag.role = TagRole::kVideoConfig;
    learn_nal_length(context, 0, tag.codec, body);
  } else if (packet_type == kSequenceEnd) {
    tag.role = TagRole::kEnd;
  } else if (packet_type == kCodedFrames && body.left() > 0) {
    count_frame(tag, 0);
    tag.keyframe = frame_type == kFrameKey || frame_type == kFrameGeneratedKey;
    tag.disposable = frame_type == kFrameDisposable ||
                     (!tag.keyframe && is_disposable(context, 0, tag.codec, body));
  }
}

void read_video_track(TagContext& context, MediaTag& tag, const ExHeader& header, uint8_t track,
                      TagReader content) {
  const uint8_t packet_type = header.packet_type;
  const uint8_t codec = video_codec_of(header.codec_name);
  if (track == tag.first_track) tag.codec = codec;
  const bool has_composition_time =
      packet_type == kCodedFrames &&
      (codec == video_codec::H264 || codec == video_codec::HEVC || codec == video_codec::VVC);
  if (packet_type == kSequenceStart) {
    tag.role = TagRole::kVideoConfig;
    learn_nal_length(context, track, codec, content);
  } else if (packet_type == kMpeg2TsSequenceStart) {
    tag.role = TagRole::kVideoConfig;
  } else if (packet_type == kColourMetadata) {
    tag.role = TagRole::kVideoColour;
  } else if (packet_type == kSequenceEnd) {
    tag.role = TagRole::kEnd;
  } else if (packet_type == kCodedFrames || packet_type == kCodedFramesX) {
    if (has_composition_time) content.take(3);
    if (content.left() == 0) return;
    count_frame(tag, track);
    tag.disposable = is_disposable(context, track, codec, content);
  }
}

void read_ex_video(TagContext& context, MediaTag& tag, uint8_t frame_type, TagReader body) {
  ExHeader header{static_cast<uint8_t>(body.u8() & 0x0f)};
  header.packet_type = skip_modifiers(body, header.packet_type);
  if (frame_type == kFrameCommand && header.packet_type != kColourMetadata) return;
  read_multitrack(body, header, kMultitrack);
  if (!body.whole) return;
  uint32_t tracks = 0;
  uint8_t track = 0;
  TagReader content{body.at, body.at};
  while (next_track(body, header, track, content)) {
    if (tracks++ == 0) tag.first_track = track;
    read_video_track(context, tag, header, track, content);
    if (!header.size_per_track() || body.left() == 0) break;
  }
  tag.keyframe = tag.track_count > 0 && (frame_type == kFrameKey || frame_type == kFrameGeneratedKey);
  const bool flagged = tag.track_count > 0 && frame_type == kFrameDisposable;
  tag.disposable = flagged || (tag.disposable && tracks == 1 && !tag.keyframe);
}

}  // namespace

MediaTag read_video_tag(TagContext& context, const uint8_t* body, uint32_t length) {
  MediaTag tag;
  if (length == 0) return tag;
  const bool extended = (body[0] & 0x80) != 0;
  const uint8_t frame_type = (body[0] >> 4) & 7;
  const TagReader reader{body, body + length};
  if (extended) {
    read_ex_video(context, tag, frame_type, reader);
  } else if (frame_type >= kFrameKey && frame_type < kFrameCommand) {
    read_legacy_video(context, tag, frame_type, reader);
  }
  if (tag.role != TagRole::kMedia && length > kHeaderBytesMax) tag.role = TagRole::kMedia;
  return tag;
}

}  // namespace headgate
