// What the door looks things up in: addresses and networks, globs, hashes.
#include "../srt_door_tables.h"

#include "../sip_hash.h"
#include "check.h"

namespace headgate::test {
namespace {

AddressKey key_of(const char* text) {
  Network network{};
  CHECK(parse_network(text, network));
  return network.base;
}

Network network_of(const char* text) {
  Network network{};
  CHECK(parse_network(text, network));
  return network;
}

TEST(globs_are_those_of_policies) {
  const struct {
    const char* pattern;
    const char* name;
    bool matches;
  } rows[] = {{"*", "", true},       {"", "", true},          {"", "a", false},      {"cam1", "cam1", true},
              {"cam1", "cam12", false}, {"cam?", "cam1", true}, {"cam?", "cam", false}, {"vip-*", "vip-", true},
              {"*a*b", "xaybab", true}, {"*a*b", "xayba", false}, {"a**b", "ab", true}, {"\\*", "*", true},
              {"\\*", "a", false},   {"a\\?*", "a?bc", true}, {"a\\", "a\\", true},  {"*?", "", false},
              {"?*?", "ab", true},   {"*aab", "aaaaaab", true}, {"\\a", "a", true}};
  for (const auto& row : rows) {
    report(glob_matches(row.pattern, row.name) == row.matches, __FILE__, __LINE__, row.pattern);
  }
}

TEST(addresses_read_as_javascript_reads_them) {
  const struct {
    const char* text;
    const char* address;
    unsigned bits;
  } rows[] = {{"192.0.2.1", "192.0.2.1", 128},   {"10.1.2.3/8", "10.0.0.0", 104}, {"0.0.0.0/0", "0.0.0.0", 96},
              {"::ffff:10.0.0.0/104", "10.0.0.0", 104}, {"2001:db8::/32", "2001:db8::", 32},
              {"2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1", 128}, {"::", "::", 128}, {"1::/0", "::", 0},
              {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1", 128}, {"1:2:3:4:5:6:0:8", "1:2:3:4:5:6:0:8", 128}};
  for (const auto& row : rows) {
    Network network{};
    report(parse_network(row.text, network) && network.bits == row.bits && format_address(network.base) == row.address,
           __FILE__, __LINE__, row.text);
  }
  Network network{};
  for (const char* text : {"", "unknown", "10.0.0", "10.0.0.0/33", "10.0.0.0/", "::/129", "::/08", "::ffff:1.2.3.4/95",
                           "10.0.0.0/8/8", "10.0.0.0/+8", "fe80::1%eth0"}) {
    report(!parse_network(text, network), __FILE__, __LINE__, text);
  }
}

TEST(networks_of_one_family_hold_none_of_the_other) {
  const NetworkSet all6({network_of("::/0")});
  CHECK(all6.has(key_of("2001:db8::1")) && !all6.has(key_of("192.0.2.1")));
  const NetworkSet all4({network_of("0.0.0.0/0")});
  CHECK(!all4.has(key_of("::1")) && all4.has(key_of("192.0.2.1")));
  CHECK(!holds(network_of("::/0"), key_of("192.0.2.1")));
  const NetworkSet mixed({network_of("10.0.0.0/9"), network_of("10.200.0.0/16"), network_of("10.128.0.1")});
  CHECK(mixed.has(key_of("10.127.255.255")) && !mixed.has(key_of("10.128.0.0")));
  CHECK(mixed.has(key_of("10.128.0.1")) && mixed.has(key_of("10.200.3.4")));
  CHECK(!NetworkSet({}).has(key_of("::1")));
}

TEST(hash_index_keeps_the_order_of_rows_that_share_a_hash) {
  HashIndex index(6);
  for (uint32_t row = 6; row-- > 0;) index.file(row % 2 == 0 ? 8 : 16, row);
  uint32_t row = index.first(8);
  for (const uint32_t wanted : {0u, 2u, 4u, HashIndex::kNone}) {
    CHECK_EQ(row, wanted);
    if (row != HashIndex::kNone) row = index.next(row);
  }
  CHECK_EQ(index.first(24), HashIndex::kNone);
  CHECK_EQ(HashIndex(0).first(0), HashIndex::kNone);
}

// Vectors of the authors' reference implementation: key 00..0f, input 00, 00 01, and so on.
TEST(sip_hash_is_sip_hash) {
  const SipKey key = {{0x0706050403020100, 0x0f0e0d0c0b0a0908}};
  uint8_t input[16];
  for (uint8_t i = 0; i < 16; i++) input[i] = i;
  CHECK_EQ(sip_hash(key, input, 0), 0x726fdb47dd0e0e31u);
  CHECK_EQ(sip_hash(key, input, 1), 0x74f839c593dc67fdu);
  CHECK_EQ(sip_hash(key, input, 8), 0x93f5f5799a932462u);
  CHECK_EQ(sip_hash(key, input, 15), 0xa129ca6149be45e5u);
}

}  // namespace
}  // namespace headgate::test
