#include "ts_meter.h"

#include <algorithm>

#include "slab_layout.h"

namespace headgate {
namespace {

TsPacketKind packet_kind(TsStreamKind kind) {
  switch (kind) {
    case TsStreamKind::kVideo:
      return TsPacketKind::kVideo;
    case TsStreamKind::kAudio:
      return TsPacketKind::kAudio;
    default:
      return TsPacketKind::kOther;
  }
}

bool is_mpeg_audio(uint8_t stream_type) { return stream_type == 0x03 || stream_type == 0x04; }

// A PES packet with the time stamp of the one before it.
bool has_pts(const TsPacket& packet, uint64_t pts) {
  PesHeader pes;
  return read_pes_header(packet.payload(), pes) && pes.has_pts && pes.pts == pts;
}

}  // namespace

TsReading TsMeter::read(const TsPacket& packet) {
  const uint16_t pid = packet.pid();
  const size_t place = track_of_[pid];
  if (place == 0) {
    if (pid == ts_pid::STUFFING) return {TsPacketKind::kStuffing};
    return read_table(packet);
  }
  Track& track = tracks_[place - 1];
  TsReading reading;
  reading.kind = track.kind;
  reading.duplicate = is_duplicate(track, packet);
  if (packet.scrambled()) scrambled_packets_++;
  if (place <= kTables) return reading.duplicate ? reading : read_table(packet);
  reading.stream = static_cast<uint8_t>(place - 1 - kTables);
  if (reading.duplicate) return reading;
  if (track.kind == TsPacketKind::kVideo) read_video(track, packet, reading);
  if (track.kind == TsPacketKind::kAudio) read_audio(track, packet, reading);
  return reading;
}

TsReading TsMeter::read_table(const TsPacket& packet) {
  if (tables_.take(packet)) rebuild();
  return {};
}

// Streams that go on keep what is known of them. A new one counts on from the fastest, so that the
// frame rate does not stand still until it has caught up.
void TsMeter::rebuild() {
  const TsProgram& program = tables_.program();
  std::array<Track, kTsStreamsMax> streams;
  has_video_ = program.has_video();
  bool primary_found = false;
  for (size_t i = 0; i < program.stream_count; i++) {
    streams[i] = track_of(program.streams[i]);
    const bool video = streams[i].kind == TsPacketKind::kVideo;
    const bool primary = video && !primary_found;
    if (primary && !streams[i].primary) dimensions_ = {};
    streams[i].primary = primary;
    primary_found |= video;
  }
  const Track pat = tracks_[0];
  const Track pmt = tables_.known() && tracks_[1].pid == program.pmt_pid ? tracks_[1] : Track{};
  track_of_.fill(0);
  track_count_ = 0;
  follow(ts_pid::PAT, pat);
  follow(tables_.known() ? program.pmt_pid : ts_pid::STUFFING, pmt);
  for (size_t i = 0; i < program.stream_count; i++) follow(program.streams[i].pid, streams[i]);
  probing_ = false;
  generation_++;
}

// Of two streams with one PID the first has it; padding is no stream.
void TsMeter::follow(uint16_t pid, const Track& track) {
  tracks_[track_count_++] = track;
  tracks_[track_count_ - 1].pid = pid;
  if (pid != ts_pid::STUFFING && track_of_[pid] == 0) {
    track_of_[pid] = static_cast<uint8_t>(track_count_);
  }
}

TsMeter::Track TsMeter::track_of(const TsStream& stream) const {
  const TsPacketKind kind = packet_kind(stream.kind);
  for (size_t i = kTables; i < track_count_; i++) {
    const Track& track = tracks_[i];
    const bool same = track.pid == stream.pid && track.stream_type == stream.stream_type;
    // The codec of MPEG audio may have been read from the audio itself.
    const bool coded = is_mpeg_audio(stream.stream_type) || track.codec == stream.codec;
    if (same && coded && track.kind == kind) return track;
  }
  Track track;
  track.pid = stream.pid;
  track.kind = kind;
  track.stream_type = stream.stream_type;
  track.codec = stream.codec;
  track.units = fastest_;
  return track;
}

void TsMeter::read_video(Track& track, const TsPacket& packet, TsReading& reading) {
  PesHeader pes;
  const bool begins =
      packet.unit_start() && (packet.scrambled() || read_pes_header(packet.payload(), pes));
  if (packet.has_payload()) track.started = begins;
  if (begins) {
    begin_unit(track, packet, pes);
    reading.begins = true;
    reading.start = unit_.primary && unit_.random_access;
    if (track.primary) probing_ = unit_.random_access && !packet.scrambled();
    probe_length_ = track.primary ? 0 : probe_length_;
  }
  if (probing_ && track.primary) probe(track.codec, begins ? pes.body : packet.payload());
}

// Of a scrambled unit only the packet headers can be read.
void TsMeter::begin_unit(Track& track, const TsPacket& packet, const PesHeader& pes) {
  unit_ = {};
  unit_.primary = track.primary;
  unit_.random_access = packet.random_access();
  unit_.timed = pes.has_pts;
  unit_.pts = pes.pts;
  if (pes.has_pts) {
    track.last_pts = pes.pts;
    const int64_t ticks = std::max<int64_t>(clock_.unwrap(pes.dts), 0);
    track.last_dts_ms = static_cast<double>(ticks) / kTsClockPerMs;
  }
  unit_.dts_ms = track.last_dts_ms;
  if (packet.scrambled()) return;
  const VideoUnit seen = read_video_unit(track.codec, track.hevc_layer_max, pes.body);
  unit_.random_access |= seen.random_access;
  unit_.disposable = seen.disposable && !unit_.random_access;
  unit_.all_frames = 1;
  if (++track.units > fastest_) {
    fastest_ = track.units;
    unit_.frames = 1;
  }
}

void TsMeter::read_audio(Track& track, const TsPacket& packet, TsReading& reading) {
  if (!packet.unit_start() || packet.scrambled()) return;
  reading.start = !has_video_;
  PesHeader pes;
  if (!is_mpeg_audio(track.stream_type) || !read_pes_header(packet.payload(), pes)) return;
  if (pes.body.length < 2 || pes.body.bytes[0] != 0xff || pes.body.bytes[1] < 0xe0) return;
  // ISO/IEC 11172-3, 2.4.2.3: layer III is written as 1.
  const bool layer_3 = (pes.body.bytes[1] >> 1 & 3) == 1;
  const uint8_t codec = layer_3 ? audio_codec::MP3 : audio_codec::MP2;
  if (track.codec == codec) return;
  track.codec = codec;
  generation_++;
}

// ISO/IEC 13818-1, 2.4.3.3: the counter moves with every payload, and a packet may be sent twice.
// A unit that begins is a duplicate only when it has the time of the one that began just before:
// else every second unit could hide behind the counter of the first.
bool TsMeter::is_duplicate(Track& track, const TsPacket& packet) {
  if (!packet.has_payload()) return false;
  const uint8_t continuity = packet.continuity();
  const uint8_t before = track.continuity;
  const bool fresh = !track.seen || packet.discontinuity();
  const bool repeated = track.repeated;
  track.seen = true;
  track.repeated = false;
  track.continuity = continuity;
  if (fresh || continuity == ((before + 1) & 0x0f)) return false;
  const bool hides = track.kind == TsPacketKind::kVideo && packet.unit_start() &&
                     !(track.started && has_pts(packet, track.last_pts));
  const bool again = continuity == before && !repeated && !hides;
  track.repeated = again;
  if (!again) continuity_errors_++;
  return again;
}

void TsMeter::probe(uint8_t codec, TsSpan body) {
  const size_t count = std::min(body.length, probe_.size() - probe_length_);
  if (count == 0) return;
  std::memcpy(probe_.data() + probe_length_, body.bytes, count);
  probe_length_ = static_cast<uint16_t>(probe_length_ + count);
  Dimensions found;
  const bool seen = video_dimensions(codec, {probe_.data(), probe_length_}, found);
  if (seen) dimensions_ = found;
  probing_ = !seen && probe_length_ < probe_.size();
}

uint8_t TsMeter::first_codec(TsPacketKind kind) const {
  for (size_t i = kTables; i < track_count_; i++) {
    if (tracks_[i].kind == kind) return tracks_[i].codec;
  }
  return 0;
}

}  // namespace headgate
