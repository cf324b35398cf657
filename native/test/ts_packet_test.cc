// Whole packets out of any pieces, and nothing read past one.
#include "../ts_packet.h"

#include <algorithm>

#include "check.h"
#include "ts_writer.h"

namespace headgate::test {
namespace {

TsBytes numbered(size_t count, uint8_t fill = 0) {
  TsBytes out;
  for (size_t i = 0; i < count; i++) {
    TsBytes packet(kTsPacketBytes, fill);
    packet[0] = kTsSync;
    packet[4] = static_cast<uint8_t>(i);
    out += packet;
  }
  return out;
}

// Splits `bytes` fed in pieces of `step`.
TsBytes split(TsSplitter& splitter, const TsBytes& bytes, size_t step) {
  TsBytes out;
  for (size_t at = 0; at < bytes.size(); at += step) {
    const TsBytes piece(bytes.begin() + at, bytes.begin() + std::min(at + step, bytes.size()));
    splitter.split(piece.data(), piece.size(), [&](const uint8_t* packet) {
      CHECK_EQ(packet[0], kTsSync);
      out.insert(out.end(), packet, packet + kTsPacketBytes);
    });
  }
  return out;
}

TEST(ts_packets_are_the_same_whatever_the_pieces) {
  const TsBytes bytes = numbered(20);
  for (size_t step = 1; step < 600; step += 7) {
    TsSplitter splitter;
    CHECK(split(splitter, bytes, step) == bytes);
    CHECK_EQ(splitter.skipped_bytes(), 0u);
    CHECK_EQ(splitter.resyncs(), 0u);
  }
}

TEST(ts_what_lies_before_the_first_packet_is_skipped) {
  TsBytes bytes(300, 0x11);
  for (const size_t at : {0u, 50u, 299u}) bytes[at] = kTsSync;
  bytes += numbered(5);
  TsSplitter splitter;
  CHECK(split(splitter, bytes, 1316) == numbered(5));
  CHECK_EQ(splitter.skipped_bytes(), 300u);
  CHECK_EQ(splitter.resyncs(), 0u);
}

TEST(ts_garbage_between_packets_is_skipped_and_counted) {
  TsBytes bytes = numbered(7);
  bytes += TsBytes(1000, 0x11);
  bytes += numbered(7);
  TsBytes expected = numbered(7);
  expected += numbered(7);
  for (const size_t step : {1316u, 1456u, 188u}) {
    TsSplitter splitter;
    CHECK(split(splitter, bytes, step) == expected);
    CHECK_EQ(splitter.skipped_bytes(), 1000u);
    CHECK_EQ(splitter.resyncs(), 1u);
  }
}

TEST(ts_halves_of_two_packets_are_not_joined_after_a_loss) {
  const TsBytes bytes = numbered(30);
  TsSplitter splitter;
  TsBytes out = split(splitter, TsBytes(bytes.begin(), bytes.begin() + 500), 500);
  CHECK_EQ(splitter.carried(), 500u - 2 * kTsPacketBytes);
  out += split(splitter, TsBytes(bytes.begin() + 1000, bytes.begin() + 2500), 1500);
  for (size_t at = 0; at < out.size(); at += kTsPacketBytes) {
    CHECK(std::equal(out.begin() + at, out.begin() + at + kTsPacketBytes,
                     bytes.begin() + out[at + 4] * kTsPacketBytes));
  }
  CHECK_EQ(out.size(), (2u + 7u) * kTsPacketBytes);
}

TEST(ts_an_adaptation_field_longer_than_the_packet_holds_nothing) {
  TsBytes bytes(kTsPacketBytes, 0xff);
  bytes[0] = kTsSync;
  bytes[3] = 0x30;
  const TsPacket packet(bytes.data());
  CHECK(packet.has_adaptation() && packet.has_payload());
  CHECK_EQ(packet.payload().length, 0u);
  CHECK(!packet.has_pcr() && !packet.random_access() && !packet.discontinuity());
  bytes[4] = 183;
  CHECK_EQ(packet.payload().length, 0u);
  CHECK(packet.has_pcr());
  bytes[4] = 182;
  CHECK_EQ(packet.payload().length, 1u);
  bytes[4] = 6;
  CHECK(!packet.has_pcr());
}

}  // namespace
}  // namespace headgate::test
