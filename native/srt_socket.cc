#include "srt_socket.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstring>
#include <thread>

#include "srt_filter.h"

namespace headgate {

namespace {

/// Asked of the kernel for datagrams waiting to be read, bytes: a quarter of a second of 250 Mbit/s. This
/// buffer is what overflows first.
constexpr int kUdpBufferBytes = 8 * 1024 * 1024;
/// Datagrams a connection may have in flight: 60 Mbit/s for the latency and half a second more. libsrt's
/// tables take some 60 bytes for each, 0.2 MB at the usual 120 ms, from the start and for every connection.
constexpr double kPacketsPerSecond = 5700;
constexpr int kFlightMin = 2048;
constexpr int kFlightMax = 51200;
/// The oldest libsrt that speaks the handshake with a stream id.
constexpr int kVersionMin = 0x010300;

struct Address {
  sockaddr_storage bytes{};
  socklen_t length = 0;
};

int resolve(const std::string& host, uint16_t port, Address& out) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV | AI_NUMERICHOST;
  addrinfo* found = nullptr;
  const std::string service = std::to_string(port);
  if (getaddrinfo(host.c_str(), service.c_str(), &hints, &found) != 0 || found == nullptr) return EADDRNOTAVAIL;
  std::memcpy(&out.bytes, found->ai_addr, found->ai_addrlen);
  out.length = found->ai_addrlen;
  freeaddrinfo(found);
  return 0;
}

/// As large a receive buffer as the kernel gives; returns what it gave.
double grow_receive_buffer(int fd) {
  const int wanted = kUdpBufferBytes;
#ifdef SO_RCVBUFFORCE
  // Past net.core.rmem_max, for those who may.
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &wanted, sizeof(wanted)) != 0)
#endif
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &wanted, sizeof(wanted));
  int given = 0;
  socklen_t length = sizeof(given);
  getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &given, &length);
#ifdef __linux__
  given /= 2;  // Linux tells its bookkeeping too
#endif
  return given;
}

/// A socket that programs we start do not inherit; -1 and errno.
int udp_socket(int family) {
  const int fd = socket(family, SOCK_DGRAM, 0);
  if (fd >= 0) fcntl(fd, F_SETFD, FD_CLOEXEC);
  return fd;
}

int open_udp(const Address& address, int& fd) {
  const int family = address.bytes.ss_family;
  fd = udp_socket(family);
  if (fd < 0) return errno;
  if (family == AF_INET6) {
    // The wildcard takes IPv4 as well, as Node's TCP listeners do.
    const int only = 0;
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only));
  }
  return bind(fd, reinterpret_cast<const sockaddr*>(&address.bytes), address.length) == 0 ? 0 : errno;
}

template <typename T>
bool set(SRTSOCKET socket, SRT_SOCKOPT option, T value) {
  return srt_setsockflag(socket, option, &value, sizeof(value)) == 0;
}

bool set_options(SRTSOCKET socket, int latency_ms, bool ipv6) {
  const int wanted = static_cast<int>(std::ceil(kPacketsPerSecond * (latency_ms / 1000.0 + 0.5)));
  const int flight = std::min(std::max(wanted, kFlightMin), kFlightMax);
  const linger flushing{1, 1};  // a player's last packets, for a second
  return set<int>(socket, SRTO_TRANSTYPE, SRTT_LIVE) && set<bool>(socket, SRTO_RCVSYN, false) &&
         set<bool>(socket, SRTO_SNDSYN, false) && set<bool>(socket, SRTO_TSBPDMODE, true) &&
         set<bool>(socket, SRTO_TLPKTDROP, true) && set<int>(socket, SRTO_LATENCY, latency_ms) &&
         set<int>(socket, SRTO_FC, flight) && set<int>(socket, SRTO_RCVBUF, flight * kSrtBlockBytes) &&
         set<int>(socket, SRTO_SNDBUF, kSrtSendBufferBytes) &&
         set<int>(socket, SRTO_PAYLOADSIZE, kSrtSendBytes) &&
         set<int>(socket, SRTO_PEERIDLETIMEO, kSrtSilenceMs) &&
         set<int>(socket, SRTO_MINVERSION, kVersionMin) && set<bool>(socket, SRTO_ENFORCEDENCRYPTION, true) &&
         set<int>(socket, SRTO_UDP_RCVBUF, kUdpBufferBytes) &&
         srt_setsockflag(socket, SRTO_LINGER, &flushing, sizeof(flushing)) == 0 &&
         (!ipv6 || set<int>(socket, SRTO_IPV6ONLY, 0));
}

}  // namespace

int open_srt_port(const std::string& host, uint16_t port, int latency_ms, SrtPort& out) {
  Address address;
  if (const int problem = resolve(host, port, address)) return problem;
  if (const int problem = open_udp(address, out.fd)) {
    if (out.fd >= 0) ::close(out.fd);
    return problem;
  }
  // Before libsrt reads a single datagram.
  out.guarded = attach_srt_filter(out.fd, {});
  Address bound;
  bound.length = sizeof(bound.bytes);
  getsockname(out.fd, reinterpret_cast<sockaddr*>(&bound.bytes), &bound.length);
  out.port = ntohs(bound.bytes.ss_family == AF_INET6
                       ? reinterpret_cast<const sockaddr_in6*>(&bound.bytes)->sin6_port
                       : reinterpret_cast<const sockaddr_in*>(&bound.bytes)->sin_port);
  out.socket = srt_create_socket();
  const bool ready = out.socket != SRT_INVALID_SOCK &&
                     set_options(out.socket, latency_ms, bound.bytes.ss_family == AF_INET6) &&
                     srt_bind_acquire(out.socket, out.fd) == 0;
  if (!ready) {
    int problem = 0;
    srt_getlasterror(&problem);
    if (out.socket != SRT_INVALID_SOCK) srt_close(out.socket);
    ::close(out.fd);
    return problem == 0 ? EINVAL : problem;
  }
  // libsrt has just set a size of its own, within net.core.rmem_max.
  out.receive_buffer_bytes = grow_receive_buffer(out.fd);
  return 0;
}

void free_udp_port(const SrtPort& port) {
  sockaddr_storage address{};
  socklen_t length = sizeof(address);
  getsockname(port.fd, reinterpret_cast<sockaddr*>(&address), &length);
  const int idle = udp_socket(address.ss_family);
  if (idle < 0) return;
  // libsrt's thread reads with a timeout of its own choice; this one makes sure that it goes on to end.
  const timeval soon{0, 10000};
  setsockopt(idle, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof(soon));
  dup2(idle, port.fd);
  ::close(idle);
  // A read that had begun keeps the old socket until it is over.
  constexpr int kTries = 100;
  for (int i = 0; i < kTries; i++) {
    const int probe = udp_socket(address.ss_family);
    const bool is_free = probe < 0 || bind(probe, reinterpret_cast<sockaddr*>(&address), length) == 0 ||
                         errno != EADDRINUSE;
    if (probe >= 0) ::close(probe);
    if (is_free) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

}  // namespace headgate
