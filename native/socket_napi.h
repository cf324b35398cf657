// What Node does not offer of a TCP socket.
#ifndef HEADGATE_SOCKET_NAPI_H_
#define HEADGATE_SOCKET_NAPI_H_

#include <napi.h>

namespace headgate {

/// setReceiveLowWater(fd, bytes): the socket is not reported readable before `bytes` have come, or
/// its end (SO_RCVLOWAT, socket(7)). Returns false where the system does not take it.
Napi::Function define_receive_low_water(Napi::Env env);

/// peerGone(fd): the peer has closed or reset the connection, whatever of its bytes still waits to be
/// read (TCP_INFO, tcp(7)): a reader that has paused hears of neither. False where the system cannot tell.
Napi::Function define_peer_gone(Napi::Env env);

/// tcpFigures(fd, out): writes the kernel's smoothed round trip time, ms, and the segments it has had to
/// send again into the first two doubles of `out`. Returns false where the system does not tell.
Napi::Function define_tcp_figures(Napi::Env env);

}  // namespace headgate

#endif  // HEADGATE_SOCKET_NAPI_H_
