// SipHash-2-4 (Aumasson and Bernstein, 2012): a hash whose collisions nobody can find who does not know
// its key. Tables that strangers look things up in, or put names into, are filed by it.
#ifndef HEADGATE_SIP_HASH_H_
#define HEADGATE_SIP_HASH_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace headgate {

struct SipKey {
  uint64_t words[2];
};

namespace sip {

constexpr uint64_t rotate(uint64_t word, unsigned bits) { return word << bits | word >> (64 - bits); }

struct State {
  uint64_t a, b, c, d;

  void round() {
    a += b; b = rotate(b, 13); b ^= a; a = rotate(a, 32);
    c += d; d = rotate(d, 16); d ^= c;
    a += d; d = rotate(d, 21); d ^= a;
    c += b; b = rotate(b, 17); b ^= c; c = rotate(c, 32);
  }

  void take(uint64_t word) {
    d ^= word;
    round();
    round();
    a ^= word;
  }
};

}  // namespace sip

/// On big-endian machines the values differ from the published ones; nothing depends on them.
inline uint64_t sip_hash(const SipKey& key, const void* bytes, size_t length) {
  sip::State state = {key.words[0] ^ 0x736f6d6570736575, key.words[1] ^ 0x646f72616e646f6d,
                      key.words[0] ^ 0x6c7967656e657261, key.words[1] ^ 0x7465646279746573};
  const uint8_t* at = static_cast<const uint8_t*>(bytes);
  const uint8_t* const last = at + length / 8 * 8;
  for (; at != last; at += 8) {
    uint64_t word;
    std::memcpy(&word, at, 8);
    state.take(word);
  }
  uint64_t word = static_cast<uint64_t>(length) << 56;
  for (size_t i = 0; i < length % 8; i++) word |= static_cast<uint64_t>(at[i]) << 8 * i;
  state.take(word);
  state.c ^= 0xff;
  for (int i = 0; i < 4; i++) state.round();
  return state.a ^ state.b ^ state.c ^ state.d;
}

/// Drawn once per process.
const SipKey& process_sip_key();

}  // namespace headgate

#endif  // HEADGATE_SIP_HASH_H_
