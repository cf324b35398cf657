// The slab as the data plane sees it. src/core/meter/slab-layout.ts is the original: it says
// what every field means, who writes it and in which unit. This file only repeats the numbers,
// as lists, so that the addon can export what it was compiled with and a test can hold the two
// equal. All fields are doubles; integers up to 2^53 are exact.
#ifndef HEADGATE_SLAB_LAYOUT_H_
#define HEADGATE_SLAB_LAYOUT_H_

#include <cstddef>
#include <cstdint>

#define HEADGATE_NODE_FIELDS(X)                                                                 \
  X(TAT, 0) X(INTERVAL, 1) X(TAU, 2) X(DEBT_MAX, 3) X(CHARGED, 4) X(VIOLATIONS, 5) X(LAST_AT, 6) \
  X(IN_USE, 7)

#define HEADGATE_STREAM_FIELDS(X)                                                              \
  X(MODE, 0) X(FLAGS, 1) X(NODE_BITRATE, 2) X(NODE_PACKETS, 3) X(NODE_FPS_WALL, 4)              \
  X(NODE_FPS_MEDIA, 5) X(NODE_CLIENT, 6) X(NODE_IP, 7) X(NODE_GLOBAL, 8) X(BYTES, 9)            \
  X(PACKETS, 10) X(FRAMES, 11) X(KEYFRAMES, 12) X(DROPPED_BYTES, 13) X(DROPPED_PACKETS, 14)     \
  X(DROPPED_FRAMES, 15) X(VIOLATIONS, 16) X(EXCEEDED, 17) X(LAST_VIOLATION_AT, 18)              \
  X(LAST_PACKET_AT, 19) X(LAST_DTS, 20) X(TRACK_FRAMES, 21) X(DROPPING, 22) X(VIDEO_CODEC, 23)  \
  X(AUDIO_CODEC, 24) X(VIDEO_PACKETS, 25) X(AUDIO_PACKETS, 26) X(DATA_PACKETS, 27)              \
  X(GOP_BYTES, 28) X(GOP_PACKETS, 29) X(OFFERED_BYTES, 30) X(OFFERED_PACKETS, 31)               \
  X(PENDING_BYTES, 32) X(PENDING_PACKETS, 33) X(PENDING_FRAMES, 34) X(PENDING_EXCEEDED, 35)     \
  X(DROP_CAUSE, 36)

#define HEADGATE_MODES(X) X(OBSERVE, 0) X(THROTTLE, 1) X(DROP, 2) X(DISCONNECT, 3)

#define HEADGATE_FLAGS(X) X(IN_USE, 1) X(CONSUMED, 2) X(EXEMPT, 4) X(LOSSY, 8)

// The bit of a constraint in EXCEEDED is 1 << its number.
#define HEADGATE_CONSTRAINTS(X)                                                                  \
  X(STREAM_BITRATE, 0) X(STREAM_PACKET_RATE, 1) X(STREAM_FPS_WALL, 2) X(STREAM_FPS_MEDIA, 3)      \
  X(CLIENT_BANDWIDTH, 4) X(IP_BANDWIDTH, 5) X(GLOBAL_BANDWIDTH, 6)

#define HEADGATE_VIDEO_CODECS(X)                                                                 \
  X(NONE, 0) X(H264, 1) X(HEVC, 2) X(AV1, 3) X(VP9, 4) X(VP8, 5) X(H263, 6) X(VP6, 7)             \
  X(SCREEN, 8) X(VVC, 9) X(MPEG2, 10)

#define HEADGATE_AUDIO_CODECS(X)                                                                 \
  X(NONE, 0) X(AAC, 1) X(MP3, 2) X(OPUS, 3) X(FLAC, 4) X(AC3, 5) X(EAC3, 6) X(PCM, 7)             \
  X(ADPCM, 8) X(SPEEX, 9) X(G711A, 10) X(G711U, 11) X(NELLYMOSER, 12) X(MP2, 13)

namespace headgate {

#define HEADGATE_CONSTANT(name, value) constexpr uint32_t name = value;

/// Fields of a node row: nodes[node * NODE_STRIDE + node::TAT].
namespace node {
HEADGATE_NODE_FIELDS(HEADGATE_CONSTANT)
}

/// Fields of a stream row: streams[slot * STREAM_STRIDE + stream::BYTES].
namespace stream {
HEADGATE_STREAM_FIELDS(HEADGATE_CONSTANT)
}

/// What a stream's own excess does: values of stream::MODE.
namespace mode {
HEADGATE_MODES(HEADGATE_CONSTANT)
}

/// Bits of stream::FLAGS.
namespace flag {
HEADGATE_FLAGS(HEADGATE_CONSTANT)
}

/// Bit numbers in stream::EXCEEDED; their nodes are stream::NODE_BITRATE + number.
namespace constraint {
HEADGATE_CONSTRAINTS(HEADGATE_CONSTANT)
}

/// Values of stream::VIDEO_CODEC.
namespace video_codec {
HEADGATE_VIDEO_CODECS(HEADGATE_CONSTANT)
}

/// Values of stream::AUDIO_CODEC.
namespace audio_codec {
HEADGATE_AUDIO_CODECS(HEADGATE_CONSTANT)
}

#undef HEADGATE_CONSTANT

/// Doubles per row: a node is one cache line of 64 bytes, a stream five.
constexpr size_t NODE_STRIDE = 8;
constexpr size_t STREAM_STRIDE = 40;

}  // namespace headgate

#endif  // HEADGATE_SLAB_LAYOUT_H_
