// Media tags: what an audio, video or data body is, read from its first bytes. Bodies are those of
// FLV tags (Adobe Video File Format 10.1, annex E) and of Enhanced RTMP v1 and v2 (Veovera).
//
// Nothing here trusts a length. A truncated or odd body is not an error: it is a packet that
// holds no frame.
#ifndef HEADGATE_MEDIA_TAG_H_
#define HEADGATE_MEDIA_TAG_H_

#include <array>
#include <cstdint>

namespace headgate {

/// Tracks told apart; those beyond share the last place. Multitrack encoders send up to 6.
inline constexpr uint32_t kTracksMax = 8;

/// Longer sequence headers do not exist (the longest, of HEVC with SEI, are a few KiB). What calls
/// itself one beyond this is neither kept nor passed as one.
inline constexpr uint32_t kHeaderBytesMax = 64 * 1024;

/// What a body holds besides frames.
enum class TagRole : uint8_t {
  kMedia,           ///< coded frames, or nothing recognised
  kMetadata,        ///< onMetaData, @setDataFrame
  kVideoConfig,     ///< video sequence header
  kVideoColour,     ///< E-RTMP video metadata (HDR)
  kAudioConfig,     ///< audio sequence header
  kAudioChannels,   ///< E-RTMP multichannel config
  kEnd,             ///< end of sequence
};

struct TrackFrames {
  uint8_t id;
  uint8_t frames;
};

struct MediaTag {
  TagRole role = TagRole::kMedia;
  uint8_t codec = 0;         ///< number in VIDEO_CODECS or AUDIO_CODECS; 0 = unknown
  uint8_t first_track = 0;   ///< 0 when the body is not multitrack
  uint8_t track_count = 0;   ///< places used in `tracks`; video with coded frames only
  bool keyframe = false;     ///< coded frames that can be decoded by themselves
  bool disposable = false;   ///< no other frame refers to it
  std::array<TrackFrames, kTracksMax> tracks{};
};

/// What a stream's sequence headers and frames so far say about how to read the next ones.
struct TagContext {
  TagContext() { nal_length_bytes.fill(4); }
  std::array<uint8_t, kTracksMax> nal_length_bytes;  ///< by track id
  uint8_t hevc_layer_max = 0;                        ///< highest temporal layer seen
};

MediaTag read_video_tag(TagContext& context, const uint8_t* body, uint32_t length);
MediaTag read_audio_tag(const uint8_t* body, uint32_t length);
/// `amf3` for message type 15, whose AMF0 begins after one byte.
MediaTag read_data_tag(const uint8_t* body, uint32_t length, bool amf3);

}  // namespace headgate

#endif  // HEADGATE_MEDIA_TAG_H_
