// What passes, and why the rest does not (libsrt 1.5; packets as in the SRT Internet-Draft, section 3):
//
//   data            at least its header
//   handshake       to socket 0, induction or conclusion: a listener is sent no other. MSS 200..1500: the
//                   one of 60..92 makes libsrt write past a buffer. Flow window 32..65,536: libsrt fills
//                   a table of 24 bytes for each packet of it once the caller is let in; one of 20,000,000
//                   took 470 MB. Senders announce 8,192 by default
//   keepalive, NAK, congestion warning, shutdown, ACKACK, peer error
//                   publishers and players send them; with room for what libsrt reads of them
//   ACK             to a player's connection, and of numbers about those sent to it. libsrt (1.5.1) counts up
//                   to whatever number is acknowledged before it asks whether it was ever sent: one packet
//                   holds the port's thread for a second. Publishers are sent nothing and acknowledge nothing
//   extension       key material (KMREQ, KMRSP) of at most 104 bytes, the longest there is (two AES-256
//                   keys). The others are of the handshake of SRT before 1.3, which knows no stream id
//
// Drop requests do not pass, of whatever range. libsrt walks the range number by number, and for each the list
// of what is missing, holding the port's thread: with one packet missing a range of 8,192 costs some 30 ms,
// and one that ends at 2^31 - 1 never comes to its end. They only tell a receiver what to ask for no more; with
// TSBPD and TLPKTDROP, always on here, it gives up by itself what has not come within the latency.
//
// The extensions of a conclusion are followed from one to the next, up to eight; callers send five at most. A
// packet filter among them (forward error correction) does not pass: an empty one makes libsrt (1.5.1) read
// the first word of nothing, which ends the process, and its tables may be asked for in any size.
//
// What is left to libsrt: what the other extensions hold. Their lengths it checks against the packet; a stream id
// of up to 512 bytes is read by srt_stream_id.h. A peer that was let in may still waste its own connection with
// false NAKs.
#include "srt_filter.h"

#include <iterator>

#ifdef __linux__
#include <linux/filter.h>
#include <sys/socket.h>
#endif

namespace headgate {

namespace {

// Instructions (linux/bpf_common.h, linux/filter.h).
constexpr uint16_t kLoadWord = 0x20;    // A = 32 bits at k, network order; beyond the end: dropped
constexpr uint16_t kLoadHalf = 0x28;    // A = 16 bits at k
constexpr uint16_t kLoadLength = 0x80;  // A = length of the packet
constexpr uint16_t kLoadHalfAtX = 0x48; // A = 16 bits at X + k
constexpr uint16_t kSetX = 0x01;        // X = k
constexpr uint16_t kCopyToX = 0x07;     // X = A
constexpr uint16_t kAnd = 0x54;         // A &= k
constexpr uint16_t kSubtract = 0x14;    // A -= k
constexpr uint16_t kShiftLeft = 0x64;   // A <<= k
constexpr uint16_t kAdd = 0x04;         // A += k
constexpr uint16_t kAddX = 0x0c;        // A += X
constexpr uint16_t kIfEqual = 0x15;     // A == k
constexpr uint16_t kIfAbove = 0x25;     // A > k
constexpr uint16_t kIfAboveX = 0x2d;    // A > X
constexpr uint16_t kIfAtLeast = 0x35;   // A >= k
constexpr uint16_t kIfAnyBit = 0x45;    // A & k
constexpr uint16_t kReturn = 0x06;      // keep k bytes

// Offsets and lengths count the UDP header, which a UDP socket's filter sees first.
constexpr uint32_t kUdp = 8;
constexpr uint32_t kHeader = kUdp + 16;  // where the body begins
constexpr uint32_t kDestination = kUdp + 12;
constexpr uint32_t kSubtype = kUdp + 2;

constexpr uint32_t kControl = 0x80000000;
constexpr uint32_t kTypeMask = 0x7fff0000;
constexpr uint32_t type(uint32_t number) { return number << 16; }

constexpr uint32_t kHandshakeBytes = 48;
constexpr uint32_t kMss = kHeader + 12;
constexpr uint32_t kMssMin = 200;
constexpr uint32_t kMssMax = 1500;
constexpr uint32_t kWindow = kHeader + 16;
constexpr uint32_t kWindowMin = 32;  // the least libsrt itself can be set to (SRTO_FC)
constexpr uint32_t kWindowMax = 65'536;
constexpr uint32_t kRequest = kHeader + 20;
constexpr uint32_t kInduction = 1;
constexpr uint32_t kConclusion = 0xffffffff;

constexpr uint32_t kExtensions = kHeader + kHandshakeBytes;  // of a conclusion: type, words, body
constexpr uint32_t kExtensionHead = 4;
constexpr uint32_t kExtensionWords = 2;
constexpr uint32_t kPacketFilter = 7;
constexpr size_t kExtensionsMax = 8;

constexpr uint32_t kKeyRequest = 3;
constexpr uint32_t kKeyResponse = 4;
constexpr uint32_t kKeyBytesMax = 104;

constexpr uint32_t kWholePacket = 0xffffffff;

// Where the jumps go, by name; the program below is in this order.
enum Label : uint8_t { kNext, kDispatch, kHandshake, kExtension, kKey, kWord, kWalk, kDrop, kPass, kPlayers, kLabels };

struct Line {
  Label label;  // kNext: none begins here
  uint16_t code;
  uint32_t constant;
  Label yes;
  Label no;
};

constexpr Line kHead[] = {
    {kNext, kLoadLength, 0, kNext, kNext},
    {kNext, kIfAtLeast, kHeader, kNext, kDrop},
    {kNext, kLoadWord, kUdp, kNext, kNext},
    {kNext, kIfAnyBit, kControl, kDispatch, kPass},

    {kDispatch, kAnd, kTypeMask, kNext, kNext},
    {kNext, kIfEqual, type(6), kPass, kNext},         // ACKACK
    {kNext, kIfEqual, type(2), kPlayers, kNext},      // ACK
    {kNext, kIfEqual, type(3), kWord, kNext},         // NAK
    {kNext, kIfEqual, type(1), kPass, kNext},         // keepalive
    {kNext, kIfEqual, type(0), kHandshake, kNext},
    {kNext, kIfEqual, type(0x7fff), kExtension, kNext},
    {kNext, kIfEqual, type(5), kPass, kNext},         // shutdown
    {kNext, kIfEqual, type(4), kPass, kNext},         // congestion warning
    {kNext, kIfEqual, type(8), kPass, kDrop},         // peer error

    {kHandshake, kLoadLength, 0, kNext, kNext},
    {kNext, kIfAtLeast, kHeader + kHandshakeBytes, kNext, kDrop},
    {kNext, kLoadWord, kDestination, kNext, kNext},
    {kNext, kIfEqual, 0, kNext, kDrop},
    {kNext, kLoadWord, kMss, kNext, kNext},
    {kNext, kIfAtLeast, kMssMin, kNext, kDrop},
    {kNext, kIfAbove, kMssMax, kDrop, kNext},
    {kNext, kLoadWord, kWindow, kNext, kNext},
    {kNext, kIfAtLeast, kWindowMin, kNext, kDrop},
    {kNext, kIfAbove, kWindowMax, kDrop, kNext},
    {kNext, kLoadWord, kRequest, kNext, kNext},
    {kNext, kIfEqual, kInduction, kPass, kNext},
    {kNext, kIfEqual, kConclusion, kWalk, kDrop},

    {kExtension, kLoadHalf, kSubtype, kNext, kNext},
    {kNext, kIfEqual, kKeyRequest, kKey, kNext},
    {kNext, kIfEqual, kKeyResponse, kKey, kDrop},
    {kKey, kLoadLength, 0, kNext, kNext},
    {kNext, kIfAbove, kHeader + kKeyBytesMax, kDrop, kWord},

    // A body of at least one word.
    {kWord, kLoadLength, 0, kNext, kNext},
    {kNext, kIfAtLeast, kHeader + 4, kPass, kDrop},

    {kWalk, kSetX, kExtensions, kNext, kNext},
};

// From one extension to the next, X at its head. There are no loops in BPF: it stands there as often as it may run.
constexpr Line kOneExtension[] = {
    {kNext, kLoadLength, 0, kNext, kNext},
    {kNext, kIfAboveX, 0, kNext, kPass},
    {kNext, kLoadHalfAtX, 0, kNext, kNext},
    {kNext, kIfEqual, kPacketFilter, kDrop, kNext},
    {kNext, kLoadHalfAtX, kExtensionWords, kNext, kNext},
    {kNext, kShiftLeft, 2, kNext, kNext},
    {kNext, kAddX, 0, kNext, kNext},
    {kNext, kAdd, kExtensionHead, kNext, kNext},
    {kNext, kCopyToX, 0, kNext, kNext},
};

// Whoever comes here by itself has more extensions than there can be.
constexpr Line kTail[] = {
    {kNext, kLoadLength, 0, kNext, kNext},
    {kNext, kIfAboveX, 0, kDrop, kPass},
    {kDrop, kReturn, 0, kNext, kNext},
    {kPass, kReturn, kWholePacket, kNext, kNext},
    {kPlayers, kLoadWord, kDestination, kNext, kNext},
};

constexpr uint32_t kSequenceMask = 0x7fffffff;
constexpr uint8_t kPlayerSteps = 7;

// Only forward jumps, and short ones: each player has its own returns.
void append_player(const FilterPlayer& player, std::vector<FilterStep>& program) {
  const FilterStep steps[kPlayerSteps] = {
      {kIfEqual, 0, kPlayerSteps - 1, player.socket},
      {kLoadWord, 0, 0, kHeader},
      {kSubtract, 0, 0, player.first},
      {kAnd, 0, 0, kSequenceMask},
      {kIfAbove, 0, 1, kFilterAckSpan},
      {kReturn, 0, 0, 0},
      {kReturn, 0, 0, kWholePacket},
  };
  program.insert(program.end(), std::begin(steps), std::end(steps));
}

constexpr size_t kSteps = std::size(kHead) + kExtensionsMax * std::size(kOneExtension) + std::size(kTail);
static_assert(kSteps < 256, "a jump is at most 255 steps long");

struct Listing {
  Line lines[kSteps];
};

constexpr Listing write_out() {
  Listing listing{};
  size_t at = 0;
  for (const Line& line : kHead) listing.lines[at++] = line;
  for (size_t i = 0; i < kExtensionsMax; i++) {
    for (const Line& line : kOneExtension) listing.lines[at++] = line;
  }
  for (const Line& line : kTail) listing.lines[at++] = line;
  return listing;
}

struct Program {
  FilterStep steps[kSteps];
};

constexpr Program assemble() {
  const Listing listing = write_out();
  uint8_t places[kLabels] = {};
  for (size_t i = 0; i < kSteps; i++) places[listing.lines[i].label] = static_cast<uint8_t>(i);
  Program program{};
  for (size_t i = 0; i < kSteps; i++) {
    const Line& line = listing.lines[i];
    const auto distance = [&](Label label) {
      return static_cast<uint8_t>(label == kNext ? 0 : places[label] - i - 1);
    };
    program.steps[i] = {line.code, distance(line.yes), distance(line.no), line.constant};
  }
  return program;
}

constexpr Program kProgram = assemble();

}  // namespace

std::vector<FilterStep> srt_filter_program(const std::vector<FilterPlayer>& players) {
  std::vector<FilterStep> program(std::begin(kProgram.steps), std::end(kProgram.steps));
  const bool all_fit = players.size() <= kFilterPlayersMax;
  if (all_fit) {
    for (const FilterPlayer& player : players) append_player(player, program);
  }
  program.push_back({kReturn, 0, 0, all_fit ? 0 : kWholePacket});
  return program;
}

bool attach_srt_filter(int fd, const std::vector<FilterPlayer>& players) {
#ifdef __linux__
  static_assert(sizeof(FilterStep) == sizeof(sock_filter));
  static_assert(kSteps + kFilterPlayersMax * kPlayerSteps < BPF_MAXINSNS);
  std::vector<FilterStep> steps = srt_filter_program(players);
  sock_fprog program = {static_cast<unsigned short>(steps.size()), reinterpret_cast<sock_filter*>(steps.data())};
  return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0;
#else
  (void)fd;
  (void)players;
  return false;
#endif
}

}  // namespace headgate
