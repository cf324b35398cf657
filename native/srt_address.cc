#include "srt_address.h"

#include <algorithm>

#ifdef _WIN32
#include <winsock2.h>
#include <ws2tcpip.h>
#else
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#endif

namespace headgate {

namespace {

constexpr uint8_t kMappedPrefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr unsigned kMappedBits = 96;
constexpr unsigned kGroups = 8;

AddressKey mapped(const void* ipv4) {
  AddressKey key;
  std::memcpy(key.bytes, kMappedPrefix, sizeof kMappedPrefix);
  std::memcpy(key.bytes + sizeof kMappedPrefix, ipv4, 4);
  return key;
}

bool is_ipv4_network(const Network& network) {
  return network.bits >= kMappedBits && network.base.is_ipv4();
}

// 0..max, without a sign or a leading zero.
bool parse_bits(const std::string& text, unsigned max, unsigned& out) {
  if (text.empty() || text.size() > 3 || (text[0] == '0' && text.size() > 1)) return false;
  out = 0;
  for (const char digit : text) {
    if (digit < '0' || digit > '9') return false;
    out = out * 10 + static_cast<unsigned>(digit - '0');
  }
  return out <= max;
}

void append_hex(std::string& text, unsigned group) {
  constexpr char kDigits[] = "0123456789abcdef";
  bool leading = true;
  for (int shift = 12; shift >= 0; shift -= 4) {
    const unsigned digit = group >> shift & 15;
    if (digit == 0 && leading && shift > 0) continue;
    leading = false;
    text += kDigits[digit];
  }
}

std::string format_ipv6(const AddressKey& address) {
  unsigned groups[kGroups];
  for (unsigned i = 0; i < kGroups; i++) groups[i] = address.bytes[2 * i] << 8 | address.bytes[2 * i + 1];
  // The first of the longest runs of two or more zero groups becomes `::`.
  unsigned start = kGroups;
  unsigned length = 1;
  for (unsigned i = 0; i < kGroups; i++) {
    unsigned end = i;
    while (end < kGroups && groups[end] == 0) end++;
    if (end - i > length) {
      start = i;
      length = end - i;
    }
    i = std::max(i, end);
  }
  std::string text;
  for (unsigned i = 0; i < kGroups; i++) {
    if (i == start) {
      text += "::";
      i += length - 1;
      continue;
    }
    if (i > 0 && i != start + length) text += ':';
    append_hex(text, groups[i]);
  }
  return text;
}

}  // namespace

bool AddressKey::is_ipv4() const { return std::memcmp(bytes, kMappedPrefix, sizeof kMappedPrefix) == 0; }

bool address_of(const sockaddr* peer, AddressKey& out) {
  if (peer == nullptr) return false;
  if (peer->sa_family == AF_INET) {
    out = mapped(&reinterpret_cast<const sockaddr_in*>(peer)->sin_addr);
    return true;
  }
  if (peer->sa_family != AF_INET6) return false;
  std::memcpy(out.bytes, &reinterpret_cast<const sockaddr_in6*>(peer)->sin6_addr, sizeof out.bytes);
  return true;
}

AddressKey masked(const AddressKey& address, unsigned bits) {
  AddressKey result{};
  const unsigned whole = std::min(bits / 8, 16u);
  std::memcpy(result.bytes, address.bytes, whole);
  if (whole < 16 && bits % 8 != 0) {
    result.bytes[whole] = static_cast<uint8_t>(address.bytes[whole] & 0xff00 >> bits % 8);
  }
  return result;
}

AddressKey limit_key(const AddressKey& address, unsigned ipv6_prefix) {
  return address.is_ipv4() ? address : masked(address, ipv6_prefix);
}

bool parse_network(const std::string& text, Network& out) {
  const size_t slash = text.find('/');
  const std::string address = text.substr(0, slash);
  uint8_t ipv4[4];
  unsigned bits = 128;
  unsigned skipped = 0;
  if (inet_pton(AF_INET, address.c_str(), ipv4) == 1) {
    out.base = mapped(ipv4);
    skipped = kMappedBits;
  } else if (inet_pton(AF_INET6, address.c_str(), out.base.bytes) != 1) {
    return false;
  }
  if (slash != std::string::npos) {
    if (!parse_bits(text.substr(slash + 1), 128 - skipped, bits)) return false;
    bits += skipped;
  }
  // An IPv4 network written the mapped way counts its bits from the start of the IPv6 address.
  if (out.base.is_ipv4() && bits < kMappedBits) return false;
  out.bits = static_cast<uint8_t>(bits);
  out.base = masked(out.base, bits);
  return true;
}

std::string format_address(const AddressKey& address) {
  if (!address.is_ipv4()) return format_ipv6(address);
  std::string text;
  text.reserve(15);
  for (unsigned i = 12; i < 16; i++) {
    const unsigned octet = address.bytes[i];
    if (i > 12) text += '.';
    if (octet >= 100) text += static_cast<char>('0' + octet / 100);
    if (octet >= 10) text += static_cast<char>('0' + octet / 10 % 10);
    text += static_cast<char>('0' + octet % 10);
  }
  return text;
}

std::string format_limit_key(const AddressKey& key, unsigned ipv6_prefix) {
  if (key.is_ipv4() || ipv6_prefix >= 128) return format_address(key);
  return format_address(masked(key, ipv6_prefix)) + "/" + std::to_string(ipv6_prefix);
}

bool holds(const Network& network, const AddressKey& address) {
  return is_ipv4_network(network) == address.is_ipv4() && masked(address, network.bits) == network.base;
}

NetworkSet::NetworkSet(const std::vector<Network>& networks) {
  for (const Network& network : networks) {
    const bool ipv4 = is_ipv4_network(network);
    auto level = std::find_if(levels_.begin(), levels_.end(), [&](const Level& known) {
      return known.bits == network.bits && known.ipv4 == ipv4;
    });
    if (level == levels_.end()) level = levels_.insert(level, {network.bits, ipv4, {}});
    level->bases.push_back(network.base);
  }
  for (Level& level : levels_) std::sort(level.bases.begin(), level.bases.end());
}

bool NetworkSet::has(const AddressKey& address) const {
  const bool ipv4 = address.is_ipv4();
  for (const Level& level : levels_) {
    if (level.ipv4 != ipv4) continue;
    const AddressKey base = masked(address, level.bits);
    if (std::binary_search(level.bases.begin(), level.bases.end(), base)) return true;
  }
  return false;
}

}  // namespace headgate
