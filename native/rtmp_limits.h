// Bounds on what a connection may make the demuxer do, and the names of the ways to break the
// protocol. Every bound is one that no real encoder reaches; a stranger who does is told which.
#ifndef HEADGATE_RTMP_LIMITS_H_
#define HEADGATE_RTMP_LIMITS_H_

#include <cstdint>

namespace headgate {

#define HEADGATE_RTMP_ERRORS(X)                                                        \
  X(none)                                                                              \
  X(chunk_stream_limit) /* more chunk streams than any encoder opens */                \
  X(header_missing)     /* a header refers to one that was never sent */               \
  X(header_in_message)  /* a new header inside a half-sent message */                  \
  X(chunk_size)         /* set chunk size out of bounds */                             \
  X(message_length)     /* longer than a message of its type may be, or empty */       \
  X(control_length)     /* a control message of the wrong size */                      \
  X(pending_limit)      /* too many bytes in half-sent messages */                     \
  X(command_flood)      /* more commands and control messages than anybody needs */    \
  X(aggregate)          /* an aggregate message that does not add up */                \
  X(out_of_memory)

enum class RtmpError : uint8_t {
#define HEADGATE_ENTRY(name) name,
  HEADGATE_RTMP_ERRORS(HEADGATE_ENTRY)
#undef HEADGATE_ENTRY
};

/// Names by number, as JavaScript sees them; index 0 is no error.
inline constexpr const char* kRtmpErrorNames[] = {
#define HEADGATE_ENTRY(name) #name,
    HEADGATE_RTMP_ERRORS(HEADGATE_ENTRY)
#undef HEADGATE_ENTRY
};

/// Message type ids (RTMP 1.0 sections 5.4, 6.2 and 7.1).
namespace message_type {
inline constexpr uint8_t kSetChunkSize = 1;
inline constexpr uint8_t kAbort = 2;
inline constexpr uint8_t kAcknowledgement = 3;
inline constexpr uint8_t kUserControl = 4;
inline constexpr uint8_t kWindowAckSize = 5;
inline constexpr uint8_t kSetPeerBandwidth = 6;
inline constexpr uint8_t kAudio = 8;
inline constexpr uint8_t kVideo = 9;
inline constexpr uint8_t kDataAmf3 = 15;
inline constexpr uint8_t kCommandAmf3 = 17;
inline constexpr uint8_t kDataAmf0 = 18;
inline constexpr uint8_t kCommandAmf0 = 20;
inline constexpr uint8_t kAggregate = 22;
}  // namespace message_type

/// Bytes of payload per chunk before the sender says otherwise (section 5.4.1).
inline constexpr uint32_t kChunkSizeDefault = 128;
/// The spec allows 1, which costs a header per byte; every encoder sends 128 or more.
inline constexpr uint32_t kChunkSizeMin = 128;
inline constexpr uint32_t kChunkSizeMax = 1024 * 1024;
/// Encoders use 3 to 6; each costs state for as long as the connection lives.
inline constexpr uint32_t kChunkStreamsMax = 16;
/// Commands go to an AMF decoder; the longest real one is under 2 KiB.
inline constexpr uint32_t kCommandBytesMax = 64 * 1024;
/// A 50 Mbit/s intra frame of 4K video is under 4 MiB.
inline constexpr uint32_t kMediaBytesMax = 8 * 1024 * 1024;
/// Memory one connection's half-sent messages may hold: two of the longest.
inline constexpr uint32_t kPendingBytesMax = 2 * kMediaBytesMax;
/// User control events are 6 or 10 bytes; SWF verification responses reach 44.
inline constexpr uint32_t kUserControlBytesMax = 64;
/// Messages in one aggregate: keeps the work of one message bounded.
inline constexpr uint32_t kAggregateMessagesMax = 1024;

/// Commands, control and unknown messages are not metered on any stream, so they have a budget of
/// their own, in units of one message plus one per KiB: a connection that exceeds it is cut.
inline constexpr double kCommandUnitsPerSecond = 256;
inline constexpr double kCommandUnitsBurst = 1024;
inline constexpr double kCommandBytesPerUnit = 1024;

/// Media messages per second that a connection is read at, whatever its limits: beyond, it waits.
/// Counts protect nothing when a message is one byte, and empty messages have no bytes to charge.
inline constexpr double kMediaMessagesPerSecond = 4096;
inline constexpr double kMediaMessagesBurst = 8192;

/// Media that nobody publishes (before publish, after deleteStream, on another message stream) is
/// skipped unmetered; this is how fast it is read, so that it cannot be a way round the limits.
inline constexpr double kSkippedBytesPerSecond = 1024 * 1024;
inline constexpr double kSkippedBytesBurst = 8 * 1024 * 1024;

/// Pacing debt is forgiven past this, ms: no wait is longer than the burst plus this.
inline constexpr double kPacingDebtMaxMs = 30'000;

}  // namespace headgate

#endif  // HEADGATE_RTMP_LIMITS_H_
