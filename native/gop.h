// GopStore: what a player that joins mid-stream needs to start at once. The headers that say how
// to decode (metadata, sequence headers), and every message since the last keyframe.
//
// The GOP is kept once, as the blocks the demuxer assembled, under a cap per stream and one over
// all streams. A stream that outgrows either loses its GOP until its next keyframe: a cut GOP does
// not decode. Streams without video keep headers only, because any of their messages can start.
#ifndef HEADGATE_GOP_H_
#define HEADGATE_GOP_H_

#include <cstdint>
#include <vector>

#include "block.h"
#include "media_tag.h"

namespace headgate {

struct StoredMessage {
  Block body;
  uint32_t timestamp = 0;
  uint32_t message_stream_id = 0;
  uint32_t chunk_stream_id = 0;
  uint8_t type = 0;
  uint8_t flags = 0;
};

/// Memory a stored message costs beside its body: the entry and the allocator's own, bytes.
inline constexpr uint32_t kStoredMessageOverhead = 64;

/// Headers of one stream: metadata, and two of each kind per track of a multitrack encoder.
inline constexpr uint32_t kStoredHeadersMax = 32;
inline constexpr uint32_t kStoredHeaderBytesMax = 256 * 1024;

/// What all GOPs share: the caps and what is held against them. Bytes include the overhead.
struct GopBudget {
  double per_stream_max = 0;
  double total_max = 0;
  double held = 0;
  uint64_t evictions = 0;
};

class GopStore {
 public:
  explicit GopStore(GopBudget& budget) : budget_(budget) {}
  ~GopStore() { clear(); }
  GopStore(const GopStore&) = delete;
  GopStore& operator=(const GopStore&) = delete;

  /// Keeps the latest header of its kind and track. A sequence header that differs from the one
  /// before ends the GOP, whose frames it would not decode.
  void keep_header(TagRole role, uint8_t track, StoredMessage&& header);

  /// Keeps a message: a keyframe starts the GOP anew, anything else joins one that has started.
  void keep(StoredMessage&& message, bool keyframe);

  /// Evicts the GOP if it is over the caps, after they were lowered.
  void enforce_caps();

  /// Frees the GOP; headers stay.
  void clear();

  double bytes() const { return bytes_; }
  uint32_t packets() const { return static_cast<uint32_t>(messages_.size()); }

  /// Headers in the order a decoder wants them.
  struct Header {
    TagRole role;
    uint8_t track;
    StoredMessage message;
  };
  const std::vector<Header>& headers() const { return headers_; }

  /// Messages are numbered from 1 for as long as the stream lives, so that a reader knows where it
  /// was after the GOP it was reading has gone. Null when there is none from `number` on; moves
  /// `number` up to the first that is left.
  const StoredMessage* from(uint64_t& number) const;

 private:
  bool fits(double cost) const;
  void evict();

  GopBudget& budget_;
  std::vector<Header> headers_;
  std::vector<StoredMessage> messages_;
  uint64_t first_number_ = 1;
  uint64_t next_number_ = 1;
  double bytes_ = 0;
  uint32_t header_bytes_ = 0;
};

}  // namespace headgate

#endif  // HEADGATE_GOP_H_
