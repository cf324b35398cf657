#include "accounting.h"

#include "gcra_node.h"

namespace headgate {
namespace {

// A DTS this far ahead is a new timeline (a restarted encoder, a spliced file), not a fast one:
// encoders send a frame at least once in this long. ms.
constexpr double MEDIA_JUMP_MAX_MS = 10000;

// Disposable frames go first: they pass only while this share of the burst is unused or less.
// The rest of the burst is kept for frames that others refer to.
constexpr double DISPOSABLE_SHARE = 0.75;

constexpr uint32_t CONSTRAINT_COUNT = constraint::GLOBAL_BANDWIDTH + 1;

bool is_exempt(const double* row) {
  return (static_cast<uint32_t>(load(&row[stream::FLAGS])) & flag::EXEMPT) != 0;
}

bool is_in_mode(const double* row, uint32_t mode) { return load(&row[stream::MODE]) == mode; }

// The first constraint whose excess drops video; CONSTRAINT_COUNT when none does. A stream that is
// cut for its own excess, but cannot be slowed for that of a budget it shares, drops for the budget.
uint32_t first_dropping(const double* row) {
  if (is_in_mode(row, mode::DROP)) return constraint::STREAM_BITRATE;
  const bool lossy = (static_cast<uint32_t>(load(&row[stream::FLAGS])) & flag::LOSSY) != 0;
  return lossy && is_in_mode(row, mode::DISCONNECT) ? constraint::CLIENT_BANDWIDTH
                                                    : CONSTRAINT_COUNT;
}

double cost_of(uint32_t limit, const MessageMeta& message) {
  switch (limit) {
    case constraint::STREAM_PACKET_RATE:
      return message.packets;
    case constraint::STREAM_FPS_WALL:
    case constraint::STREAM_FPS_MEDIA:
      return message.frames;
    default:
      return message.bytes;
  }
}

// Frames on the media clock: video that advances it.
bool is_media_time(const MessageMeta& message) {
  return message.kind == kind::VIDEO && message.frames > 0;
}

void count_admitted(double* row, const MessageMeta& message) {
  row[stream::BYTES] += message.bytes;
  row[stream::PACKETS] += message.packets;
  row[stream::FRAMES] += message.all_frames;
  if (message.keyframe && message.all_frames > 0) row[stream::KEYFRAMES] += 1;
  const uint32_t counter = message.kind == kind::VIDEO   ? stream::VIDEO_PACKETS
                           : message.kind == kind::AUDIO ? stream::AUDIO_PACKETS
                                                         : stream::DATA_PACKETS;
  row[counter] += message.packets;
}

void count_violation(double* row, uint32_t exceeded, double now) {
  row[stream::VIOLATIONS] += 1;
  row[stream::LAST_VIOLATION_AT] = now;
  raise(&row[stream::EXCEEDED], exceeded);
}

void count_dropped(double* row, const MessageMeta& message) {
  row[stream::DROPPED_BYTES] += message.bytes;
  row[stream::DROPPED_PACKETS] += message.packets;
  row[stream::DROPPED_FRAMES] += message.all_frames;
}

}  // namespace

Accounting::Accounting(double* nodes, size_t node_rows, double* streams, size_t stream_rows)
    : nodes_(nodes), node_rows_(node_rows), streams_(streams), stream_rows_(stream_rows) {}

bool Accounting::admit(uint32_t slot, const MessageMeta& message, double now) {
  double* row = row_of(slot);
  if (row == nullptr) return true;
  const bool exempt = is_exempt(row);
  const bool drops = first_dropping(row) < CONSTRAINT_COUNT;
  const bool enforced = drops && !exempt;
  row[stream::OFFERED_BYTES] += message.bytes;
  row[stream::OFFERED_PACKETS] += message.packets;
  row[stream::LAST_PACKET_AT] = now;
  if (is_media_time(message)) follow_media_clock(row, message.dts);
  if (is_refused(row, message, enforced, now)) {
    count_dropped(row, message);
    if (enforced) count_violation(row, static_cast<uint32_t>(row[stream::DROP_CAUSE]), now);
    return false;
  }
  count_admitted(row, message);
  const uint32_t exceeded = is_media_time(message) ? charge_media(row, message, exempt) : 0;
  const double frames = message.kind == kind::VIDEO ? message.frames : 0;
  const double packets = message.packets;
  if (drops) {
    charge_totals(row, {static_cast<double>(message.bytes), packets, frames}, exceeded, now);
    return true;
  }
  row[stream::PENDING_BYTES] += message.bytes;
  row[stream::PENDING_PACKETS] += packets;
  row[stream::PENDING_FRAMES] += frames;
  if (exceeded != 0) {
    row[stream::PENDING_EXCEEDED] =
        static_cast<double>(static_cast<uint32_t>(row[stream::PENDING_EXCEEDED]) | exceeded);
  }
  return true;
}

void Accounting::refuse(uint32_t slot, uint32_t bytes, uint32_t packets, double now) {
  double* row = row_of(slot);
  if (row == nullptr) return;
  row[stream::OFFERED_BYTES] += bytes;
  row[stream::OFFERED_PACKETS] += packets;
  row[stream::LAST_PACKET_AT] = now;
  row[stream::DROPPED_BYTES] += bytes;
  row[stream::DROPPED_PACKETS] += packets;
}

double Accounting::settle(uint32_t slot, double now) {
  double* row = row_of(slot);
  if (row == nullptr || row[stream::PENDING_PACKETS] == 0) return 0;
  const Totals totals = {row[stream::PENDING_BYTES], row[stream::PENDING_PACKETS],
                         row[stream::PENDING_FRAMES]};
  const uint32_t exceeded = static_cast<uint32_t>(row[stream::PENDING_EXCEEDED]);
  row[stream::PENDING_BYTES] = 0;
  row[stream::PENDING_PACKETS] = 0;
  row[stream::PENDING_FRAMES] = 0;
  row[stream::PENDING_EXCEEDED] = 0;
  return charge_totals(row, totals, exceeded, now);
}

double Accounting::account(uint32_t slot, uint32_t bytes, uint32_t packets, uint32_t frames,
                           double now) {
  double* row = row_of(slot);
  if (row == nullptr) return 0;
  row[stream::OFFERED_BYTES] += bytes;
  row[stream::OFFERED_PACKETS] += packets;
  row[stream::LAST_PACKET_AT] = now;
  row[stream::BYTES] += bytes;
  row[stream::PACKETS] += packets;
  row[stream::FRAMES] += frames;
  return charge_totals(
      row, {static_cast<double>(bytes), static_cast<double>(packets), static_cast<double>(frames)},
      0, now);
}

double Accounting::owed(uint32_t slot, double now) {
  double* row = row_of(slot);
  if (row == nullptr || is_exempt(row)) return 0;
  const bool slowed = is_in_mode(row, mode::THROTTLE);
  if (!slowed && !is_in_mode(row, mode::DISCONNECT)) return 0;
  double longest = 0;
  uint32_t exceeded = 0;
  const uint32_t first = slowed ? constraint::STREAM_BITRATE : constraint::CLIENT_BANDWIDTH;
  for (uint32_t limit = first; limit < CONSTRAINT_COUNT; limit++) {
    const double* node = limit == constraint::STREAM_FPS_MEDIA ? nullptr : node_of(row, limit);
    const double debt = node == nullptr ? CONFORMING : debt_of(node, now);
    if (debt < 0) continue;
    exceeded |= 1u << limit;
    if (debt > longest) longest = debt;
  }
  if (exceeded != 0) raise(&row[stream::EXCEEDED], exceeded);
  return longest;
}

double* Accounting::row_of(uint32_t slot) const {
  return slot < stream_rows_ ? streams_ + slot * STREAM_STRIDE : nullptr;
}

double* Accounting::node_of(const double* row, uint32_t limit) const {
  const double number = load(&row[stream::NODE_BITRATE + limit]);
  if (!(number >= 0 && number < static_cast<double>(node_rows_))) return nullptr;
  return nodes_ + static_cast<size_t>(number) * NODE_STRIDE;
}

// The media node runs on the DTS clock, which a publisher can set at will. Where it breaks, what
// the node held of the old timeline means nothing and is forgotten; the wall node still holds.
void Accounting::follow_media_clock(double* row, double dts) {
  const double last = row[stream::LAST_DTS];
  row[stream::LAST_DTS] = dts;
  if (last >= 0 && dts >= last && dts - last <= MEDIA_JUMP_MAX_MS) return;
  double* node = node_of(row, constraint::STREAM_FPS_MEDIA);
  if (node != nullptr) store(&node[node::TAT], dts);
}

// What players receive must decode. Only video is refused. A frame that others refer to takes
// everything up to the next conforming keyframe with it, even when the mode changes meanwhile.
bool Accounting::is_refused(double* row, const MessageMeta& message, bool enforced, double now) {
  if (message.header || message.metadata) return false;
  if (message.kind != kind::VIDEO) return enforced && is_flood(row, now);
  const bool dropping = row[stream::DROPPING] != 0;
  if (dropping && !message.keyframe) return true;
  if (!enforced) {
    row[stream::DROPPING] = 0;
    return false;
  }
  const bool loose = !message.keyframe && (message.disposable || message.all_frames == 0);
  const uint32_t first = first_dropping(row);
  uint32_t cause = nonconforming(row, message, first, now);
  if (cause == 0 && loose && first == 0) cause = without_headroom(row, message.dts, now);
  if (cause == 0) {
    row[stream::DROPPING] = 0;
    return false;
  }
  row[stream::DROP_CAUSE] = cause;
  if (!loose) row[stream::DROPPING] = 1;
  return true;
}

// Audio and the rest pass whatever the video costs. But a sender that cannot be slowed could send
// nothing else, and for ever: what goes on exceeding without any video is dropped as well.
bool Accounting::is_flood(double* row, double now) const {
  const bool lossy = (static_cast<uint32_t>(load(&row[stream::FLAGS])) & flag::LOSSY) != 0;
  if (!lossy || !is_in_mode(row, mode::DROP)) return false;
  constexpr uint32_t JUDGED[] = {constraint::STREAM_BITRATE, constraint::STREAM_PACKET_RATE};
  uint32_t cause = 0;
  for (const uint32_t limit : JUDGED) {
    const double* node = node_of(row, limit);
    if (node != nullptr && is_flooded(node, now)) cause |= 1u << limit;
  }
  if (cause != 0) row[stream::DROP_CAUSE] = cause;
  return cause != 0;
}

// A peek at every level before anything is taken. Another thread may charge a shared node in
// between: the overshoot is one message per thread, and it is charged.
uint32_t Accounting::nonconforming(const double* row, const MessageMeta& message, uint32_t first,
                                   double now) const {
  uint32_t exceeded = 0;
  for (uint32_t limit = first; limit < CONSTRAINT_COUNT; limit++) {
    const double cost = cost_of(limit, message);
    double* node = cost > 0 ? node_of(row, limit) : nullptr;
    const double clock = limit == constraint::STREAM_FPS_MEDIA ? message.dts : now;
    if (node != nullptr && !would_conform(node, cost, clock, message.keyframe)) {
      exceeded |= 1u << limit;
    }
  }
  return exceeded;
}

uint32_t Accounting::without_headroom(const double* row, double dts, double now) const {
  constexpr uint32_t JUDGED[] = {constraint::STREAM_BITRATE, constraint::STREAM_FPS_WALL,
                                 constraint::STREAM_FPS_MEDIA};
  uint32_t short_of = 0;
  for (const uint32_t limit : JUDGED) {
    const double* node = node_of(row, limit);
    if (node == nullptr || is_unlimited(node)) continue;
    const double clock = limit == constraint::STREAM_FPS_MEDIA ? dts : now;
    if (load(&node[node::TAT]) - clock > DISPOSABLE_SHARE * load(&node[node::TAU])) {
      short_of |= 1u << limit;
    }
  }
  return short_of;
}

// Media time is charged message by message in every mode: the frames of one read span a stretch
// of DTS, and charged together at its end they would look like a burst.
uint32_t Accounting::charge_media(double* row, const MessageMeta& message, bool exempt) {
  double* node = node_of(row, constraint::STREAM_FPS_MEDIA);
  if (node == nullptr || charge_own(node, message.frames, message.dts) < 0 || exempt) return 0;
  node[node::VIOLATIONS] += 1;
  return 1u << constraint::STREAM_FPS_MEDIA;
}

double Accounting::charge_totals(double* row, const Totals& totals, uint32_t exceeded, double now) {
  const bool exempt = is_exempt(row);
  double own_delay = 0;
  double parent_delay = 0;
  for (uint32_t limit = 0; limit < CONSTRAINT_COUNT; limit++) {
    if (limit == constraint::STREAM_FPS_MEDIA) continue;
    const double cost = limit == constraint::STREAM_PACKET_RATE ? totals.packets
                        : limit == constraint::STREAM_FPS_WALL  ? totals.frames
                                                                : totals.bytes;
    double* node = cost > 0 ? node_of(row, limit) : nullptr;
    if (node == nullptr) continue;
    const bool parent = limit >= constraint::CLIENT_BANDWIDTH;
    const double delay = parent ? charge_shared(node, cost, now) : charge_own(node, cost, now);
    if (delay < 0 || exempt) continue;
    add(&node[node::VIOLATIONS], 1);
    exceeded |= 1u << limit;
    double& longest = parent ? parent_delay : own_delay;
    if (delay > longest) longest = delay;
  }
  if (exceeded != 0) count_violation(row, exceeded, now);
  if (is_in_mode(row, mode::THROTTLE)) return own_delay > parent_delay ? own_delay : parent_delay;
  return is_in_mode(row, mode::DISCONNECT) ? parent_delay : 0;
}

}  // namespace headgate
