// Publication: one published stream as its messages tell it. Its clock, its tracks and codecs, and
// the GOP kept for players. It lives from attach to detach.
#ifndef HEADGATE_PUBLICATION_H_
#define HEADGATE_PUBLICATION_H_

#include <array>
#include <cstdint>

#include "accounting.h"
#include "gop.h"
#include "media_tag.h"
#include "rtmp_demux.h"

namespace headgate {

class Publication {
 public:
  Publication(uint32_t slot, double* row, GopBudget& budget) : slot_(slot), row_(row), gop_(budget) {}

  uint32_t slot() const { return slot_; }
  GopStore& gop() { return gop_; }
  const GopStore& gop() const { return gop_; }

  /// Reads a media message: what accounting needs to know of it. Call once per message, in order.
  MessageMeta describe(const Message& message);

  /// Record flags of the message described last.
  uint8_t flags() const { return flags_; }

  /// Keeps the message described last for players, if it is of use to them; takes its body.
  void keep(Message& message);

  /// Writes the size of the GOP where the control plane reads it.
  void publish_gop_size();

  /// Timestamp of the last message, ms modulo 2^32.
  uint32_t last_timestamp() const { return last_timestamp_; }

  /// The stream row says somebody wants the messages.
  bool consumed() const;

 private:
  double follow_clock(uint32_t timestamp);
  void note_codec(uint32_t field, const MediaTag& tag);
  void count_tracks(const MediaTag& tag, MessageMeta& meta);
  bool holds_primary_track(const MediaTag& tag);

  const uint32_t slot_;
  double* const row_;
  GopStore gop_;
  TagContext tags_;
  MediaTag tag_;
  uint8_t flags_ = 0;

  bool clock_started_ = false;
  uint32_t last_timestamp_ = 0;
  int64_t clock_ms_ = 0;

  // The track GOPs start on: 0 if it has been seen, else the first that was.
  int32_t primary_track_ = -1;

  // Access units per track so far. FPS is that of the fastest track, so a message counts as many
  // as it adds to the highest of these.
  struct TrackTotal {
    uint8_t id;
    uint64_t frames;
  };
  std::array<TrackTotal, kTracksMax> totals_{};
  uint32_t total_count_ = 0;
  uint64_t fastest_ = 0;
};

}  // namespace headgate

#endif  // HEADGATE_PUBLICATION_H_
