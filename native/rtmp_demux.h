// RtmpDemux: the chunk stream of one connection, after the handshake, turned into messages
// (Adobe RTMP 1.0, section 5.3). It does no I/O and reads no clock: bytes go in, split anywhere,
// complete messages come out, and the same bytes give the same messages however they were split.
//
// What it holds grows only with what has arrived: half-sent messages never take more than three
// times the bytes the connection has sent, whatever lengths their headers declare.
#ifndef HEADGATE_RTMP_DEMUX_H_
#define HEADGATE_RTMP_DEMUX_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "block.h"
#include "rtmp_limits.h"

namespace headgate {

/// A complete message. `skipped` bodies were read past and are not there.
struct Message {
  uint8_t type = 0;
  bool skipped = false;
  uint32_t length = 0;
  uint32_t timestamp = 0;  ///< ms, modulo 2^32
  uint32_t message_stream_id = 0;
  uint32_t chunk_stream_id = 0;
  Block body;
};

/// True for the types whose payload is metered on a stream: audio, video, data and aggregates.
bool is_media(uint8_t type);

class RtmpDemux {
 public:
  RtmpDemux() = default;
  RtmpDemux(const RtmpDemux&) = delete;
  RtmpDemux& operator=(const RtmpDemux&) = delete;

  enum class Step { kNeedInput, kMessage, kError };

  /// Reads from `input`, moving `offset`, until a message is complete, the input ends, or the
  /// protocol is broken. Chunk size and abort messages have taken effect when they come out.
  Step advance(const uint8_t* input, size_t length, size_t& offset);

  /// The message that the last `advance` completed. Its body may be moved out.
  Message& message() { return message_; }

  RtmpError error() const { return error_; }

  /// From now on media messages of this message stream are stored; others are skipped.
  void store_media(uint32_t message_stream_id);

  /// From now on all media is skipped; half-sent media is freed.
  void skip_media();

  /// Memory held by half-sent messages, bytes.
  uint32_t pending_bytes() const { return pending_; }

 private:
  struct ChunkStream {
    uint32_t id = 0;
    uint32_t length = 0;
    uint32_t received = 0;
    uint32_t timestamp = 0;
    uint32_t delta = 0;
    uint32_t message_stream_id = 0;
    uint8_t type = 0;
    bool extended = false;  // the last header carried an extended timestamp: `field` is its value
    bool open = false;      // a message is half sent
    bool skipped = false;
    uint32_t field = 0;
    Block body;
  };

  struct Header {
    uint32_t size = 0;  // bytes of basic header, message header and extended timestamp
    uint8_t format = 0;
    uint32_t id = 0;
    uint32_t field = 0;
    bool extended = false;
    ChunkStream* stream = nullptr;
  };

  // 3 of basic header, 11 of message header, 4 of extended timestamp (section 5.3.1).
  static constexpr uint32_t kChunkHeaderBytesMax = 18;

  Step run(const uint8_t* input, size_t length, size_t& offset);
  bool parse_header(const uint8_t* bytes, size_t length, Header& header);
  bool open_chunk(const Header& header, const uint8_t* bytes);
  bool read_message_header(ChunkStream& stream, const Header& header, const uint8_t* bytes);
  bool open_message(ChunkStream& stream);
  RtmpError length_error(const ChunkStream& stream) const;
  bool store(ChunkStream& stream, const uint8_t* bytes, uint32_t length, size_t at_hand);
  bool complete(ChunkStream& stream);
  bool obey();
  ChunkStream* find(uint32_t id);
  ChunkStream* find_or_add(uint32_t id);
  void discard(ChunkStream& stream);
  bool fail(RtmpError error) {
    error_ = error;
    return false;
  }

  std::array<ChunkStream, kChunkStreamsMax> streams_;
  uint32_t stream_count_ = 0;
  uint32_t chunk_size_ = kChunkSizeDefault;
  ChunkStream* current_ = nullptr;  // the stream of the chunk being read
  uint32_t chunk_left_ = 0;         // payload bytes of that chunk still to come
  uint32_t pending_ = 0;
  uint64_t payload_total_ = 0;  // payload bytes ever read
  uint32_t media_stream_id_ = 0;
  bool media_stored_ = false;
  uint32_t partial_length_ = 0;
  std::array<uint8_t, kChunkHeaderBytesMax> partial_{};  // a header cut by the end of the input
  RtmpError error_ = RtmpError::none;
  Message message_;
};

}  // namespace headgate

#endif  // HEADGATE_RTMP_DEMUX_H_
