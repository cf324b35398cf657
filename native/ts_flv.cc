#include "ts_flv.h"

#include <algorithm>
#include <cstring>

#include "rtmp_limits.h"
#include "slab_layout.h"

namespace headgate {

namespace {

// Where encoders put audio and video (RTMP leaves it open); one message stream is all there is.
constexpr uint32_t kAudioChunkStream = 4;
constexpr uint32_t kVideoChunkStream = 6;
constexpr uint32_t kMessageStream = 1;

// FLV: AAC, which by the standard always claims 44 kHz, 16 bits, stereo; then the packet type.
constexpr uint8_t kAac = 0xaf;
constexpr uint8_t kAacHeader = 0;
constexpr uint8_t kAacRaw = 1;
constexpr size_t kAacTagBytes = 2;

// AAC in ADTS. The other stream type of AAC is LATM, whose frames are not byte-aligned.
constexpr uint8_t kAdtsStreamType = 0x0f;

Record audio_record(uint8_t flags, uint32_t timestamp) {
  return {message_type::kAudio, flags, timestamp, kMessageStream, kAudioChunkStream};
}

Record video_record(uint8_t flags, uint32_t timestamp) {
  return {message_type::kVideo, flags, timestamp, kMessageStream, kVideoChunkStream};
}

}  // namespace

size_t TsFlv::feed(const uint8_t* bytes, size_t length) {
  outbox_.empty();
  size_t at = 0;
  while (at < length && outbox_.fits(kTsFlvRoomBytes - Outbox::kRecordHeaderBytes)) {
    const size_t slice = std::min(length - at, kTsFlvSliceBytes);
    splitter_.split(bytes + at, slice, [this](const uint8_t* packet) { take(TsPacket(packet)); });
    at += slice;
  }
  return at;
}

int TsFlv::supported() const {
  if (!tables_.known()) return -1;
  return video_.present() || (!has_video_ && audio_.present()) ? 1 : 0;
}

void TsFlv::take(const TsPacket& packet) {
  if (tables_.take(packet)) follow_program();
  const uint16_t pid = packet.pid();
  if (pid == ts_pid::STUFFING) return;
  if (pid == video_.pid) take_video(packet);
  if (pid == audio_.pid) take_audio(packet);
}

// Streams keep their place when a new version of the tables still lists them.
void TsFlv::follow_program() {
  const TsProgram& program = tables_.program();
  uint16_t video = ts_pid::STUFFING;
  uint16_t audio = ts_pid::STUFFING;
  for (size_t i = program.stream_count; i-- > 0;) {
    const TsStream& stream = program.streams[i];
    if (stream.kind == TsStreamKind::kVideo && stream.codec == video_codec::H264) video = stream.pid;
    if (stream.kind == TsStreamKind::kAudio && stream.stream_type == kAdtsStreamType) audio = stream.pid;
  }
  has_video_ = program.has_video();
  if (has_video_ && video == ts_pid::STUFFING) audio = ts_pid::STUFFING;
  if (video != video_.pid) {
    lose_video();
    video_ = {};
    video_.pid = video;
  }
  if (audio != audio_.pid) {
    adts_.restart();
    audio_ = {};
    audio_.pid = audio;
  }
}

// A packet may come twice, and its number counts those with payload only (ISO/IEC 13818-1, 2.4.3.3).
// One that cannot be read is as good as lost.
TsFlv::Arrival TsFlv::arrive(Track& track, const TsPacket& packet) {
  const bool seen = track.seen;
  const uint8_t last = track.continuity;
  track.seen = true;
  track.continuity = packet.continuity();
  if (packet.scrambled()) return Arrival::kAfterLoss;
  if (!seen || packet.discontinuity()) return Arrival::kNext;
  if (packet.continuity() == last) return Arrival::kRepeated;
  return packet.continuity() == ((last + 1) & 0x0f) ? Arrival::kNext : Arrival::kAfterLoss;
}

void TsFlv::take_video(const TsPacket& packet) {
  if (!packet.has_payload()) return;
  const Arrival arrival = arrive(video_, packet);
  if (arrival == Arrival::kRepeated) return;
  if (arrival == Arrival::kAfterLoss) lose_video();
  if (packet.scrambled()) return;
  const TsSpan payload = packet.payload();
  PesHeader header;
  if (!packet.unit_start() || !read_pes_header(payload, header)) {
    if (unit_open_ && !packet.unit_start()) unit_.take(payload.bytes, payload.length);
    return;
  }
  // A PES packet without time goes on with the unit of the one before.
  if (header.has_pts) {
    end_unit();
    begin_unit(header, packet.random_access());
  }
  if (unit_open_) unit_.take(header.body.bytes, header.body.length);
}

// What is open is damaged, and what follows may refer to what is missing.
void TsFlv::lose_video() {
  if (unit_open_) skipped_units_++;
  unit_open_ = false;
  video_running_ = false;
}

void TsFlv::begin_unit(const PesHeader& header, bool random_access) {
  unit_dts_ = clock_.unwrap(header.dts);
  unit_pts_ = clock_.unwrap(header.pts);
  unit_random_access_ = random_access;
  unit_open_ = true;
  unit_.begin();
}

void TsFlv::end_unit() {
  if (!unit_open_) return;
  unit_.end();
  if (unit_.failed()) return lose_video();
  unit_open_ = false;
  const AvcConfig& found = unit_.config();
  if (found.whole()) learn(found);
  // An open GOP begins without IDR, and a picture refreshed bit by bit has none: then the multiplexer
  // knows, and the encoder repeats its parameter sets.
  const bool random_access =
      unit_.has_slice() && (unit_.is_idr() || (unit_random_access_ && found.whole()));
  if (random_access && config_.whole()) video_running_ = true;
  if (!unit_.has_slice()) return;
  if (!video_running_) {
    skipped_units_++;
    return;
  }
  const uint32_t timestamp = clock_.lead(unit_dts_);
  announce(timestamp);
  const uint8_t flags = static_cast<uint8_t>((random_access ? record_flag::KEYFRAME : 0) |
                                             (unit_.is_disposable() ? record_flag::DISPOSABLE : 0));
  const uint8_t* body = unit_.body(random_access, MessageClock::composition_ms(unit_dts_, unit_pts_));
  write(video_record(flags, timestamp), body, unit_.size());
}

void TsFlv::learn(const AvcConfig& config) {
  if (config_.same(config)) return;
  config_ = config;
  announced_ = false;
}

void TsFlv::announce(uint32_t timestamp) {
  if (announced_) return;
  announced_ = true;
  std::array<uint8_t, kAvcHeaderBytesMax> body;
  const uint32_t length = write_avc_header(config_, body);
  write(video_record(record_flag::HEADER, timestamp), body.data(), length);
}

void TsFlv::take_audio(const TsPacket& packet) {
  if (!packet.has_payload()) return;
  const Arrival arrival = arrive(audio_, packet);
  if (arrival == Arrival::kRepeated) return;
  if (arrival == Arrival::kAfterLoss) adts_.restart();
  if (packet.scrambled()) return;
  TsSpan payload = packet.payload();
  if (packet.unit_start()) {
    PesHeader header;
    if (!read_pes_header(payload, header)) return;
    if (header.has_pts) adts_.mark(clock_.unwrap(header.pts));
    payload = header.body;
  }
  adts_.take(payload);
  AdtsFrame frame;
  while (adts_.next(frame)) write_audio(frame);
}

void TsFlv::write_audio(const AdtsFrame& frame) {
  uint32_t timestamp = 0;
  if (!has_video_) {
    timestamp = clock_.lead(frame.ticks);
  } else if (!clock_.follow(frame.ticks, timestamp)) {
    return;
  }
  if (frame.config != audio_config_) {
    audio_config_ = frame.config;
    const uint8_t header[] = {kAac, kAacHeader, static_cast<uint8_t>(frame.config >> 8),
                              static_cast<uint8_t>(frame.config)};
    write(audio_record(record_flag::HEADER, timestamp), header, sizeof(header));
  }
  std::array<uint8_t, kAacTagBytes + kAdtsFrameBytesMax> body;
  body[0] = kAac;
  body[1] = kAacRaw;
  std::memcpy(&body[kAacTagBytes], frame.raw.bytes, frame.raw.length);
  write(audio_record(0, timestamp), body.data(), static_cast<uint32_t>(kAacTagBytes + frame.raw.length));
}

void TsFlv::write(const Record& record, const uint8_t* body, uint32_t length) {
  // There is room: feed() has seen to it.
  if (outbox_.fits(length)) outbox_.write(record, body, length);
}

}  // namespace headgate
