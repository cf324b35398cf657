// The filter before libsrt, run by an interpreter and, where there is one, by the kernel itself.
#include "../srt_filter.h"

#include <cstring>
#include <utility>

#include "check.h"

#ifdef __linux__
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#endif

namespace headgate::test {
namespace {

using Packet = std::vector<uint8_t>;

void append_word(Packet& packet, uint32_t word) {
  for (int shift = 24; shift >= 0; shift -= 8) packet.push_back(static_cast<uint8_t>(word >> shift));
}

Packet packet(uint32_t first, const std::vector<uint32_t>& body, uint32_t destination = 0x1234) {
  Packet out;
  for (const uint32_t word : {first, 0u, 77u, destination}) append_word(out, word);
  for (const uint32_t word : body) append_word(out, word);
  return out;
}

Packet control(uint32_t type, const std::vector<uint32_t>& body, uint32_t subtype = 0) {
  return packet(0x80000000 | type << 16 | subtype, body);
}

constexpr uint32_t kInduction = 1;
constexpr uint32_t kConclusion = 0xffffffff;

Packet handshake(uint32_t mss, uint32_t window = 8192, uint32_t request = kConclusion, uint32_t destination = 0,
                 size_t words = 12) {
  std::vector<uint32_t> body = {5, 0x4a17, 1000, mss, window, request, 99, 0, 0x0100007f, 0, 0, 0};
  body.resize(words, 0);
  return packet(0x80000000, body, destination);
}

/// A conclusion with extensions: of each its type, and the words it is said to have and has.
Packet conclusion(const std::vector<std::pair<uint32_t, uint32_t>>& extensions) {
  Packet out = handshake(1500);
  for (const auto& [type, words] : extensions) {
    append_word(out, type << 16 | words);
    for (uint32_t i = 0; i < words; i++) append_word(out, 0x07000000);
  }
  return out;
}

/// The same with bytes at its end.
Packet conclusion_and(const std::vector<std::pair<uint32_t, uint32_t>>& extensions, const Packet& end) {
  Packet out = conclusion(extensions);
  out.insert(out.end(), end.begin(), end.end());
  return out;
}

Packet drop_request(uint32_t first, uint32_t last) { return control(7, {first, last}); }

Packet key_material(uint32_t subtype, size_t bytes) {
  return control(0x7fff, std::vector<uint32_t>(bytes / 4), subtype);
}

struct Row {
  const char* what;
  Packet packet;
  bool passes;
};

constexpr uint32_t kLastSequence = 0x7fffffff;
/// The player that packets go to here, from whose first number on they wrap, and another.
constexpr uint32_t kFirstAck = 0x7ffff000;
constexpr uint32_t kOtherPlayer = 0x1111;
const std::vector<FilterPlayer> kPlayers = {{kOtherPlayer, 5}, {0x1234, kFirstAck}};

std::vector<Row> handshake_rows() {
  return {
      {"induction", handshake(1500, 8192, kInduction), true},
      {"conclusion", handshake(1500), true},
      {"conclusion with extensions", conclusion({{1, 3}, {3, 26}, {5, 128}, {6, 1}}), true},
      {"conclusion with eight", conclusion(std::vector<std::pair<uint32_t, uint32_t>>(8, {5, 2})), true},
      {"conclusion with nine", conclusion(std::vector<std::pair<uint32_t, uint32_t>>(9, {5, 2})), false},
      {"conclusion of zeroes", handshake(1500, 25600, kConclusion, 0, 200), false},
      {"conclusion with an empty packet filter", conclusion({{7, 0}}), false},
      {"conclusion with a packet filter among others", conclusion({{1, 3}, {5, 8}, {7, 5}, {8, 2}}), false},
      {"conclusion with a packet filter in the eighth place",
       conclusion({{5, 1}, {5, 1}, {5, 1}, {5, 1}, {5, 1}, {5, 1}, {5, 1}, {7, 0}}), false},
      {"conclusion that is said to be longer", conclusion_and({{1, 3}}, {0, 5, 0xff, 0xff, 0, 7, 0, 0}), true},
      {"conclusion with half a head", conclusion_and({{1, 3}}, {0}), false},
      {"conclusion with half a length", conclusion_and({{1, 3}}, {0, 5, 0}), false},
      {"handshake with the least MSS", handshake(200), true},
      {"handshake with an MSS below", handshake(199), false},
      {"handshake with an MSS of 60", handshake(60), false},
      {"handshake with an MSS of 76", handshake(76), false},
      {"handshake with an MSS of 92", handshake(92), false},
      {"handshake with an MSS of 0", handshake(0), false},
      {"handshake with an MSS above", handshake(1501), false},
      {"handshake with a negative MSS", handshake(0xffffffdc), false},
      {"handshake with a huge window", handshake(1500, 1u << 29), false},
      {"handshake with the largest window", handshake(1500, 65'536), true},
      {"handshake with a window above", handshake(1500, 65'537), false},
      {"handshake with the least window", handshake(1500, 32), true},
      {"handshake with a window below", handshake(1500, 31), false},
      {"handshake with a negative window", handshake(1500, 0x80000000), false},
      {"handshake cut short", handshake(1500, 8192, kConclusion, 0, 11), false},
      {"handshake of a header", control(0, {}), false},
      {"rendezvous", handshake(1500, 8192, 0), false},
      {"agreement", handshake(1500, 8192, 0xfffffffe), false},
      {"rejection", handshake(1500, 8192, 1002), false},
      {"handshake to a connection", handshake(1500, 8192, kConclusion, 0x1234), false},
  };
}

std::vector<Row> rows() {
  std::vector<Row> found = {
      {"data", packet(1000, {1, 2, 3}), true},
      {"data without payload", packet(1000, {}), true},
      {"data of a full packet", packet(kLastSequence, std::vector<uint32_t>(364)), true},
      {"a piece of a header", Packet(15, 0), false},
      {"a byte", Packet(1, 0x80), false},
      {"nothing", Packet(), false},

      {"keepalive", control(1, {0}), true},
      {"ACK", control(2, {1000, 1, 2, 3, 4, 5, 6}), true},
      {"light ACK", control(2, {1000}), true},
      {"ACK of the first number", control(2, {kFirstAck}), true},
      {"ACK of a number before", control(2, {kFirstAck - 1}), false},
      {"ACK of the last number", control(2, {(kFirstAck + kFilterAckSpan) & kLastSequence}), true},
      {"ACK of a number behind", control(2, {(kFirstAck + kFilterAckSpan + 1) & kLastSequence}), false},
      {"ACK of a number far ahead", control(2, {(kFirstAck + (1u << 30)) & kLastSequence}), false},
      {"ACK to another player", packet(0x80020000, {7}, kOtherPlayer), true},
      {"ACK of a number of the other", packet(0x80020000, {1000 + kFilterAckSpan}, kOtherPlayer), false},
      {"ACK to a publisher", packet(0x80020000, {1000}, 0x4321), false},
      {"ACK to the listener", packet(0x80020000, {1000}, 0), false},
      {"ACK of nothing", control(2, {}), false},
      {"NAK", control(3, {0x80000001, 7}), true},
      {"NAK of nothing", control(3, {}), false},
      {"congestion warning", control(4, {0}), true},
      {"shutdown", control(5, {0}), true},
      {"ACKACK", control(6, {}), true},
      {"peer error", control(8, {0}), true},
      {"unknown control", control(9, {0}), false},
      {"unknown control of a high number", control(0x7ffe, {0}), false},

      {"drop of one", drop_request(1000, 1000), false},
      {"drop of thousands", drop_request(1000, 1000 + 8192), false},
      {"drop up to the last number", drop_request(kLastSequence - 10, kLastSequence), false},
      {"drop of a header", control(7, {}), false},

      {"key request", key_material(3, 104), true},
      {"key response", key_material(4, 4), true},
      {"key request too long", key_material(3, 108), false},
      {"key response too long", key_material(4, 1400), false},
      {"key request of nothing", key_material(3, 0), false},
  };
  for (const uint32_t subtype : {0u, 1u, 2u, 5u, 6u, 7u, 8u, 0xffffu}) {
    found.push_back({"another extension", control(0x7fff, {1, 2, 3}, subtype), false});
  }
  for (Row& row : handshake_rows()) found.push_back(std::move(row));
  return found;
}

/// Classic BPF as far as the program needs it; anything else fails the test. Offset 0 is the UDP header.
bool run_filter(const Packet& payload, const std::vector<FilterPlayer>& players = kPlayers) {
  Packet bytes(8, 0);
  bytes.insert(bytes.end(), payload.begin(), payload.end());
  const std::vector<FilterStep> steps = srt_filter_program(players);
  uint32_t a = 0;
  uint32_t x = 0;
  for (size_t at = 0; at < steps.size(); at++) {
    const FilterStep& step = steps[at];
    const uint32_t k = step.constant;
    const size_t width = step.code == 0x20 ? 4 : 2;
    const size_t from = step.code == 0x48 ? k + x : k;
    bool jump = false;
    switch (step.code) {
      case 0x20:
      case 0x28:
      case 0x48:
        if (from + width > bytes.size()) return false;
        a = 0;
        for (size_t i = 0; i < width; i++) a = a << 8 | bytes[from + i];
        continue;
      case 0x80: a = static_cast<uint32_t>(bytes.size()); continue;
      case 0x01: x = k; continue;
      case 0x07: x = a; continue;
      case 0x04: a += k; continue;
      case 0x0c: a += x; continue;
      case 0x14: a -= k; continue;
      case 0x54: a &= k; continue;
      case 0x64: a <<= k; continue;
      case 0x15: jump = a == k; break;
      case 0x25: jump = a > k; break;
      case 0x2d: jump = a > x; break;
      case 0x35: jump = a >= k; break;
      case 0x45: jump = (a & k) != 0; break;
      case 0x06: return k > 0;
      default: CHECK(!"an instruction the interpreter knows"); return false;
    }
    at += jump ? step.jump_true : step.jump_false;
  }
  CHECK(!"the program returns");
  return false;
}

TEST(filter_passes_what_srt_needs_and_nothing_else) {
  for (const Row& row : rows()) report(run_filter(row.packet) == row.passes, __FILE__, __LINE__, row.what);
}

TEST(filter_is_short_enough_for_any_kernel) {
  CHECK(srt_filter_program({}).size() < 255);
  CHECK(srt_filter_program(std::vector<FilterPlayer>(kFilterPlayersMax)).size() <= 4096);
}

TEST(filter_without_players_passes_no_acknowledgement) { CHECK(!run_filter(control(2, {1000}), {})); }

TEST(filter_with_more_players_than_fit_passes_all_acknowledgements) {
  const std::vector<FilterPlayer> many(kFilterPlayersMax + 1);
  CHECK(run_filter(control(2, {1000}), many));
  CHECK(!run_filter(control(7, {1000, 1000}), many));
}

#ifdef __linux__

/// What arrives at a loopback socket that the filter is attached to. The mark is sent after each packet:
/// once it has arrived, what did not come before it was dropped.
class Loopback {
 public:
  explicit Loopback(int family) : family_(family), receiver_(socket(family, SOCK_DGRAM, 0)),
                                  sender_(socket(family, SOCK_DGRAM, 0)) {}
  ~Loopback() {
    close(receiver_);
    close(sender_);
  }

  bool open() {
    sockaddr_storage address{};
    socklen_t size = 0;
    if (family_ == AF_INET) {
      auto* const ipv4 = reinterpret_cast<sockaddr_in*>(&address);
      ipv4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      size = sizeof *ipv4;
    } else {
      reinterpret_cast<sockaddr_in6*>(&address)->sin6_addr = in6addr_loopback;
      size = sizeof(sockaddr_in6);
    }
    address.ss_family = static_cast<sa_family_t>(family_);
    if (receiver_ < 0 || sender_ < 0 || bind(receiver_, reinterpret_cast<sockaddr*>(&address), size) != 0) {
      return false;
    }
    getsockname(receiver_, reinterpret_cast<sockaddr*>(&address), &size);
    return connect(sender_, reinterpret_cast<sockaddr*>(&address), size) == 0;
  }

  int receiver() const { return receiver_; }

  bool arrives(const Packet& sent) {
    const Packet mark = packet(0x7fffffff, {0xfeedbeef, 0xfeedbeef});
    send(sender_, sent.data(), sent.size(), 0);
    send(sender_, mark.data(), mark.size(), 0);
    bool found = false;
    for (;;) {
      pollfd waiting = {receiver_, POLLIN, 0};
      if (poll(&waiting, 1, 5000) != 1) {
        CHECK(!"the mark arrives");
        return found;
      }
      Packet received(2000);
      received.resize(static_cast<size_t>(recv(receiver_, received.data(), received.size(), 0)));
      if (received == mark) return found;
      found = received == sent;
      CHECK(found);
    }
  }

 private:
  const int family_;
  const int receiver_;
  const int sender_;
};

void filters_in_the_kernel(int family) {
  Loopback loopback(family);
  if (!loopback.open()) {
    // A machine without IPv6 has nothing to filter there.
    CHECK(family == AF_INET6);
    return;
  }
  CHECK(loopback.arrives(handshake(60)));
  CHECK(attach_srt_filter(loopback.receiver(), kPlayers));
  for (const Row& row : rows()) {
    report(loopback.arrives(row.packet) == row.passes, __FILE__, __LINE__, row.what);
  }
  CHECK(attach_srt_filter(loopback.receiver(), std::vector<FilterPlayer>(kFilterPlayersMax)));
  CHECK(!loopback.arrives(control(2, {1000})));
  CHECK(attach_srt_filter(loopback.receiver(), kPlayers));
  CHECK(loopback.arrives(control(2, {1000})));
}

TEST(filter_in_the_kernel_on_ipv4) { filters_in_the_kernel(AF_INET); }
TEST(filter_in_the_kernel_on_ipv6) { filters_in_the_kernel(AF_INET6); }

TEST(filter_cannot_be_put_on_what_is_no_socket) { CHECK(!attach_srt_filter(-1, {})); }

#endif

}  // namespace
}  // namespace headgate::test
