#include "ts_publication.h"

#include <algorithm>

#include "slab_layout.h"

namespace headgate {

TsPassed TsPublication::take(const uint8_t* payload, size_t length, double now) {
  split(payload, length);
  const size_t kept = std::min(length, kTsDatagramBytesMax);
  if (filter_.engaged()) {
    filter(kept, now);
  } else {
    pass(kept, now);
  }
  row_[stream::TRACK_FRAMES] = static_cast<double>(meter_.fastest());
  const TsPassed passed = outlet_.write(pieces_.data(), piece_count_);
  if (outlet_.clock_bytes() > 0) charge_clocks(now);
  return passed;
}

void TsPublication::split(const uint8_t* payload, size_t length) {
  piece_count_ = 0;
  const size_t kept = std::min(length, kTsDatagramBytesMax);
  cut_bytes_ += length - kept;
  splitter_.split(payload, kept, [&](const uint8_t* packet) {
    const uint8_t* const end = payload + kept;
    const bool inside = packet >= payload && packet < end;
    const size_t before = inside ? 0 : splitter_.joined_before();
    pieces_[piece_count_++] = {packet, static_cast<uint32_t>(kTsPacketBytes - before), {}, 0, true};
  });
}

// One message per datagram: nothing of it will be dropped.
void TsPublication::pass(size_t length, double now) {
  MessageMeta meta{};
  meta.bytes = static_cast<uint32_t>(length);
  meta.kind = kind::DATA;
  meta.packets = 1;
  for (size_t i = 0; i < piece_count_; i++) {
    TsPiece& piece = pieces_[i];
    piece.reading = meter_.read(TsPacket(piece.bytes));
    if (generation_ != meter_.generation()) follow_program();
    const TsPacketKind packet = piece.reading.kind;
    if (packet == TsPacketKind::kVideo) meta.kind = kind::VIDEO;
    if (packet == TsPacketKind::kAudio && meta.kind == kind::DATA) meta.kind = kind::AUDIO;
    if (!piece.reading.begins) continue;
    const TsUnit& unit = meter_.unit();
    filter_.pass_unit(piece.reading);
    meta.frames = static_cast<uint8_t>(meta.frames + unit.frames);
    meta.all_frames = static_cast<uint8_t>(meta.all_frames + unit.all_frames);
    meta.keyframe |= unit.primary && unit.random_access;
    if (unit.frames > 0) meta.dts = unit.dts_ms;
  }
  accounting_.admit(slot_, meta, now);
}

void TsPublication::filter(size_t length, double now) {
  size_t stray = length;
  for (size_t i = 0; i < piece_count_; i++) {
    TsPiece& piece = pieces_[i];
    piece.reading = meter_.read(TsPacket(piece.bytes));
    if (generation_ != meter_.generation()) follow_program();
    filter_.add(piece, meter_.unit());
    stray -= piece.counted;
  }
  filter_.decide(static_cast<uint32_t>(stray), now);
  for (size_t i = 0; i < piece_count_; i++) pieces_[i].passes = filter_.passes(pieces_[i]);
}

void TsPublication::follow_program() {
  generation_ = meter_.generation();
  filter_.follow(meter_.program());
  outlet_.follow(meter_.program());
  row_[stream::VIDEO_CODEC] = meter_.video_codec();
  row_[stream::AUDIO_CODEC] = meter_.audio_codec();
}

// What goes out is charged, even in place of what was dropped; no byte counts twice.
void TsPublication::charge_clocks(double now) {
  MessageMeta meta{};
  meta.bytes = outlet_.clock_bytes();
  meta.kind = kind::DATA;
  meta.packets = 0;
  row_[stream::DROPPED_BYTES] -= meta.bytes;
  row_[stream::OFFERED_BYTES] -= meta.bytes;
  accounting_.admit(slot_, meta, now);
}

TsFigures TsPublication::figures() const {
  const Dimensions picture = meter_.dimensions();
  TsFigures figures;
  figures.continuity_errors = meter_.continuity_errors();
  figures.skipped_bytes = splitter_.skipped_bytes() + cut_bytes_;
  figures.resyncs = splitter_.resyncs();
  figures.scrambled_packets = meter_.scrambled_packets();
  figures.width = picture.width;
  figures.height = picture.height;
  return figures;
}

}  // namespace headgate
