// Addresses as 16 bytes, for the tables of the SRT door: IPv4 is ::ffff:a.b.c.d, so that one publisher
// never has two identities. src/lib/ip.ts is the same for JavaScript; their texts are equal.
#ifndef HEADGATE_SRT_ADDRESS_H_
#define HEADGATE_SRT_ADDRESS_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

struct sockaddr;

namespace headgate {

/// An address, or the network that per-address limits are held on.
struct AddressKey {
  uint8_t bytes[16];

  bool is_ipv4() const;
  bool operator==(const AddressKey& other) const { return std::memcmp(bytes, other.bytes, 16) == 0; }
  bool operator<(const AddressKey& other) const { return std::memcmp(bytes, other.bytes, 16) < 0; }
};

struct Network {
  AddressKey base;
  uint8_t bits;  ///< of 128: an IPv4 /8 has 104
};

/// False for anything but IPv4 and IPv6.
bool address_of(const sockaddr* peer, AddressKey& out);

/// The address with every bit after the first `bits` zero.
AddressKey masked(const AddressKey& address, unsigned bits);

/// What per-address limits are held on: IPv4 whole, IPv6 by its network of `ipv6_prefix` bits (0..128).
AddressKey limit_key(const AddressKey& address, unsigned ipv6_prefix);

/// Reads `192.0.2.1`, `2001:db8::1`, `10.0.0.0/8`, `2001:db8::/32`. False when it is none.
bool parse_network(const std::string& text, Network& out);

/// Canonical text: dotted IPv4, or IPv6 as RFC 5952 wants it.
std::string format_address(const AddressKey& address);

/// Text of a limit key as `ipKey` of src/lib/ip.ts writes it: `192.0.2.1`, `2001:db8:0:1::/64`.
std::string format_limit_key(const AddressKey& key, unsigned ipv6_prefix);

/// Networks: is an address in any of them? Costs as many searches as there are prefix lengths in use.
class NetworkSet {
 public:
  explicit NetworkSet(const std::vector<Network>& networks);
  bool has(const AddressKey& address) const;

 private:
  struct Level {
    unsigned bits;
    bool ipv4;
    std::vector<AddressKey> bases;  // sorted
  };
  std::vector<Level> levels_;
};

/// True when the network holds the address; `::/0` holds no IPv4 address.
bool holds(const Network& network, const AddressKey& address);

}  // namespace headgate

#endif  // HEADGATE_SRT_ADDRESS_H_
