// The UDP port of a listener: the socket, its filter and libsrt's options, before anybody is let in.
#ifndef HEADGATE_SRT_SOCKET_H_
#define HEADGATE_SRT_SOCKET_H_

#include <srt.h>

#include <cstdint>
#include <string>

namespace headgate {

struct SrtPort {
  SRTSOCKET socket = SRT_INVALID_SOCK;
  int fd = -1;  ///< libsrt's, once it is bound
  uint16_t port = 0;
  double receive_buffer_bytes = 0;
  bool guarded = false;
};

/// Payload of the datagrams we send, bytes: seven transport stream packets, as everybody does.
constexpr int kSrtSendBytes = 1316;
/// Bytes of payload that wait for a player at most: two seconds of 16 Mbit/s.
constexpr int kSrtSendBufferBytes = 4 * 1024 * 1024;
/// What a datagram takes of libsrt's buffers, bytes: its MSS without IP and UDP header.
constexpr int kSrtBlockBytes = 1472;
/// A peer of which nothing is heard for so long is gone, ms.
constexpr int kSrtSilenceMs = 5000;

/// Opens, binds and prepares; it listens to nobody yet. Returns 0, or the errno of what failed.
int open_srt_port(const std::string& host, uint16_t port, int latency_ms, SrtPort& out);

/// Frees the UDP port at once. libsrt would close its socket a second or two after the last connection;
/// it keeps the descriptor, with a socket behind it that is bound to nothing. Call when all is closed.
void free_udp_port(const SrtPort& port);

}  // namespace headgate

#endif  // HEADGATE_SRT_SOCKET_H_
