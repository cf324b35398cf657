#include "ts_filter.h"

#include "slab_layout.h"

namespace headgate {
namespace {

// The control plane writes it from another thread.
double load(const double* cell) {
  double value;
  __atomic_load(cell, &value, __ATOMIC_RELAXED);
  return value;
}

}  // namespace

bool TsFilter::engaged() const {
  const double mode = load(&row_[stream::MODE]);
  if (mode == mode::DROP || row_[stream::DROPPING] != 0 || holding_) return true;
  const bool lossy = (static_cast<uint32_t>(load(&row_[stream::FLAGS])) & flag::LOSSY) != 0;
  return lossy && mode == mode::DISCONNECT;
}

void TsFilter::add(TsPiece& piece, const TsUnit& unit) {
  piece.segment = segment_of(piece, unit);
  Segment& segment = segments_[piece.segment];
  segment.bytes += piece.counted;
  segment.audio |= piece.reading.kind == TsPacketKind::kAudio;
}

uint8_t TsFilter::segment_of(const TsPiece& piece, const TsUnit& unit) {
  if (piece.reading.kind == TsPacketKind::kStuffing) return kLoose;
  if (piece.reading.kind != TsPacketKind::kVideo) return kAlways;
  Lane& lane = lanes_[piece.reading.stream];
  if (piece.reading.begins) {
    lane.part = static_cast<uint8_t>(segment_count_++);
    lane.unit_bytes = 0;
    Segment& segment = segments_[lane.part];
    segment = {};
    segment.pid = lane.pid;
    segment.unit = unit;
  } else if (lane.part == kContinued) {
    lane.unit_bytes += piece.counted;
    if (lane.unit_bytes > kTsUnitBytesMax) lane.part = kLoose;
  }
  return lane.part;
}

// A datagram is one packet, counted with the first of its segments.
void TsFilter::decide(uint32_t stray_bytes, double now) {
  uint8_t packets = 1;
  const auto part = [&](uint32_t bytes, uint8_t kind, bool header) {
    if (bytes == 0) return true;
    MessageMeta meta{};
    meta.bytes = bytes;
    meta.kind = kind;
    meta.header = header;
    meta.packets = packets;
    packets = 0;
    return accounting_.admit(slot_, meta, now);
  };
  Segment& always = segments_[kAlways];
  always.passes = part(always.bytes, always.audio ? kind::AUDIO : kind::DATA, false);
  part(segments_[kContinued].bytes, kind::VIDEO, true);
  for (size_t i = kParts; i < segment_count_; i++) {
    Segment& unit = segments_[i];
    Lane gone;
    Lane* lane = lanes_.find(unit.pid);
    unit.passes = decide_unit(unit, lane == nullptr ? gone : *lane, packets, now);
    packets = 0;
  }
  segments_[kLoose].passes = part(segments_[kLoose].bytes, kind::VIDEO, false);
  if (segments_[kRefused].bytes > 0) {
    accounting_.refuse(slot_, segments_[kRefused].bytes, packets, now);
    packets = 0;
  }
  part(stray_bytes, kind::DATA, false);
  close_datagram();
}

bool TsFilter::decide_unit(Segment& segment, Lane& lane, uint8_t packets, double now) {
  const TsUnit& unit = segment.unit;
  if (is_undecodable(segment, lane)) {
    accounting_.refuse(slot_, segment.bytes, packets, now);
    row_[stream::DROPPED_FRAMES] += unit.all_frames;
    return false;
  }
  MessageMeta meta{};
  meta.bytes = segment.bytes;
  meta.kind = kind::VIDEO;
  meta.frames = unit.frames;
  meta.all_frames = unit.all_frames;
  meta.keyframe = unit.primary && unit.random_access;
  meta.disposable = unit.disposable;
  meta.packets = packets;
  meta.dts = unit.dts_ms;
  const bool passed = accounting_.admit(slot_, meta, now);
  follow_up(lane, unit, passed);
  return passed;
}

// Accounting follows the references of the primary stream, for its keyframes; the others wait for
// theirs here. In an open GOP pictures that are shown before their random-access unit follow it,
// and refer to what was dropped before it.
bool TsFilter::is_undecodable(const Segment& segment, Lane& lane) const {
  const TsUnit& unit = segment.unit;
  if (lane.waits) return !unit.primary && !unit.random_access;
  if (!lane.leads || !unit.timed) return false;
  lane.leads = TsClock::step(lane.resume_pts, unit.pts) < 0;
  return lane.leads;
}

void TsFilter::follow_up(Lane& lane, const TsUnit& unit, bool passed) {
  if (passed && unit.random_access && lane.waits) {
    lane.waits = false;
    lane.leads = unit.timed;
    lane.resume_pts = unit.pts;
  }
  const bool reference = unit.random_access || (!unit.disposable && unit.all_frames > 0);
  if (!passed && reference) lane.waits = true;
}

void TsFilter::close_datagram() {
  holding_ = false;
  for (Lane& lane : lanes_) {
    if (lane.part >= kParts) lane.part = segments_[lane.part].passes ? kContinued : kRefused;
    holding_ |= lane.part == kRefused || lane.waits;
  }
  for (size_t i = 0; i < kParts; i++) segments_[i].bytes = 0;
  segments_[kAlways].audio = false;
  segments_[kRefused].passes = false;
  segment_count_ = kParts;
}

}  // namespace headgate
