#include "publication.h"

#include <algorithm>
#include <utility>

#include "outbox.h"
#include "slab_layout.h"

namespace headgate {

namespace {

bool is_config(TagRole role) {
  return role == TagRole::kVideoConfig || role == TagRole::kAudioConfig;
}

}  // namespace

bool Publication::consumed() const {
  return (static_cast<uint32_t>(row_[stream::FLAGS]) & flag::CONSUMED) != 0;
}

MessageMeta Publication::describe(const Message& message) {
  MessageMeta meta{};
  meta.bytes = message.length;
  meta.dts = follow_clock(message.timestamp);
  const uint8_t* body = message.body.bytes();
  if (message.type == message_type::kVideo) {
    meta.kind = kind::VIDEO;
    tag_ = read_video_tag(tags_, body, message.length);
    count_tracks(tag_, meta);
    meta.keyframe = tag_.keyframe && holds_primary_track(tag_);
    meta.disposable = tag_.disposable;
    note_codec(stream::VIDEO_CODEC, tag_);
  } else if (message.type == message_type::kAudio) {
    meta.kind = kind::AUDIO;
    tag_ = read_audio_tag(body, message.length);
    note_codec(stream::AUDIO_CODEC, tag_);
  } else {
    meta.kind = kind::DATA;
    tag_ = read_data_tag(body, message.length, message.type == message_type::kDataAmf3);
    meta.metadata = tag_.role == TagRole::kMetadata;
  }
  // What tells a decoder about frames is no frame: it passes whatever is being dropped.
  meta.header = tag_.role != TagRole::kMedia && tag_.role != TagRole::kMetadata;
  flags_ = static_cast<uint8_t>((meta.keyframe ? record_flag::KEYFRAME : 0) |
                                (is_config(tag_.role) ? record_flag::HEADER : 0) |
                                (meta.disposable ? record_flag::DISPOSABLE : 0) |
                                (meta.metadata ? record_flag::METADATA : 0));
  return meta;
}

// The 32-bit clock wraps every 49.7 days; the shorter way round is the way it went. Audio and
// video share it, so a step back between them is a step back, not a wrap.
double Publication::follow_clock(uint32_t timestamp) {
  if (clock_started_) {
    clock_ms_ += static_cast<int32_t>(timestamp - last_timestamp_);
  } else {
    clock_started_ = true;
    clock_ms_ = timestamp;
  }
  last_timestamp_ = timestamp;
  // Before zero only after a clock that began by wrapping backwards; accounting counts from 0.
  return static_cast<double>(std::max<int64_t>(clock_ms_, 0));
}

void Publication::note_codec(uint32_t field, const MediaTag& tag) {
  if (tag.codec == 0) return;
  if (tag.first_track == 0 || row_[field] == 0) row_[field] = tag.codec;
}

void Publication::count_tracks(const MediaTag& tag, MessageMeta& meta) {
  uint32_t all = 0;
  uint64_t fastest = fastest_;
  for (uint32_t i = 0; i < tag.track_count; i++) {
    const TrackFrames& track = tag.tracks[i];
    all += track.frames;
    uint32_t at = 0;
    while (at < total_count_ && totals_[at].id != track.id) at++;
    if (at == kTracksMax) {
      at = kTracksMax - 1;
    } else if (at == total_count_) {
      totals_[total_count_++] = {track.id, 0};
    }
    totals_[at].frames += track.frames;
    fastest = std::max(fastest, totals_[at].frames);
  }
  meta.frames = static_cast<uint8_t>(std::min<uint64_t>(fastest - fastest_, UINT8_MAX));
  meta.all_frames = static_cast<uint8_t>(std::min<uint32_t>(all, UINT8_MAX));
  fastest_ = fastest;
  row_[stream::TRACK_FRAMES] = static_cast<double>(fastest);
}

bool Publication::holds_primary_track(const MediaTag& tag) {
  for (uint32_t i = 0; i < tag.track_count; i++) {
    if (primary_track_ < 0 || tag.tracks[i].id == 0) primary_track_ = tag.tracks[i].id;
  }
  for (uint32_t i = 0; i < tag.track_count; i++) {
    if (tag.tracks[i].id == primary_track_) return true;
  }
  return false;
}

void Publication::keep(Message& message) {
  if (message.length == 0) return;
  StoredMessage stored;
  stored.body = std::move(message.body);
  stored.timestamp = message.timestamp;
  stored.message_stream_id = message.message_stream_id;
  stored.chunk_stream_id = message.chunk_stream_id;
  stored.type = message.type;
  stored.flags = flags_;
  if (tag_.role == TagRole::kMedia || tag_.role == TagRole::kEnd) {
    gop_.keep(std::move(stored), (flags_ & record_flag::KEYFRAME) != 0);
  } else {
    gop_.keep_header(tag_.role, tag_.first_track, std::move(stored));
  }
}

void Publication::publish_gop_size() {
  row_[stream::GOP_BYTES] = gop_.bytes();
  row_[stream::GOP_PACKETS] = gop_.packets();
}

}  // namespace headgate
