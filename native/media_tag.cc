#include "media_tag.h"

#include <cstring>

#include "slab_layout.h"
#include "tag_reader.h"

namespace headgate {

namespace {

// Sound format that announces an E-RTMP header, and the packet types of audio alone.
constexpr uint8_t kExHeaderFormat = 9;
constexpr uint8_t kMultichannelConfig = 4;
constexpr uint8_t kMultitrack = 5;

uint8_t legacy_audio_codec(uint8_t format) {
  switch (format) {
    case 0:
    case 3:
      return audio_codec::PCM;
    case 1:
      return audio_codec::ADPCM;
    case 2:
    case 14:
      return audio_codec::MP3;
    case 4:
    case 5:
    case 6:
      return audio_codec::NELLYMOSER;
    case 7:
      return audio_codec::G711A;
    case 8:
      return audio_codec::G711U;
    case 10:
      return audio_codec::AAC;
    case 11:
      return audio_codec::SPEEX;
    default:
      return audio_codec::NONE;
  }
}

uint8_t audio_codec_of(uint32_t name) {
  switch (name) {
    case four_cc("mp4a"):
      return audio_codec::AAC;
    case four_cc(".mp3"):
      return audio_codec::MP3;
    case four_cc("Opus"):
      return audio_codec::OPUS;
    case four_cc("fLaC"):
      return audio_codec::FLAC;
    case four_cc("ac-3"):
      return audio_codec::AC3;
    case four_cc("ec-3"):
      return audio_codec::EAC3;
    default:
      return audio_codec::NONE;
  }
}

}  // namespace

MediaTag read_audio_tag(const uint8_t* body, uint32_t length) {
  MediaTag tag;
  if (length == 0) return tag;
  TagReader reader{body, body + length};
  const uint8_t first = static_cast<uint8_t>(reader.u8());
  const uint8_t format = first >> 4;
  if (format != kExHeaderFormat) {
    tag.codec = legacy_audio_codec(format);
    const bool is_config = format == 10 && length >= 2 && reader.u8() == kSequenceStart;
    if (is_config) tag.role = TagRole::kAudioConfig;
  } else {
    ExHeader header{skip_modifiers(reader, first & 0x0f)};
    read_multitrack(reader, header, kMultitrack);
    TagReader content{reader.at, reader.at};
    if (!reader.whole || !next_track(reader, header, tag.first_track, content)) return tag;
    tag.codec = audio_codec_of(header.codec_name);
    if (header.packet_type == kSequenceStart) tag.role = TagRole::kAudioConfig;
    if (header.packet_type == kMultichannelConfig) tag.role = TagRole::kAudioChannels;
    if (header.packet_type == kSequenceEnd) tag.role = TagRole::kEnd;
  }
  if (tag.role != TagRole::kMedia && length > kHeaderBytesMax) tag.role = TagRole::kMedia;
  return tag;
}

MediaTag read_data_tag(const uint8_t* body, uint32_t length, bool amf3) {
  MediaTag tag;
  TagReader reader{body, body + length};
  if (amf3) reader.take(1);
  constexpr uint32_t kAmf0String = 2;
  if (reader.u8() != kAmf0String) return tag;
  const uint32_t name_length = reader.u16();
  const char* name = reinterpret_cast<const char*>(reader.take(name_length));
  if (name == nullptr || length > kHeaderBytesMax) return tag;
  const auto is = [&](const char* wanted) {
    return name_length == std::strlen(wanted) && std::memcmp(name, wanted, name_length) == 0;
  };
  if (is("onMetaData") || is("@setDataFrame")) tag.role = TagRole::kMetadata;
  return tag;
}

}  // namespace headgate
