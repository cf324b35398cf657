// The tables of the door with their indexes. Both are made by one thread and then never change, so any
// number of threads may look things up in them.
#ifndef HEADGATE_SRT_DOOR_TABLES_H_
#define HEADGATE_SRT_DOOR_TABLES_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "srt_door.h"

namespace headgate {

/// Rows filed under 64-bit hashes: open addressing, at most half full. Which rows share a hash is kept
/// in the order they were filed in.
class HashIndex {
 public:
  static constexpr uint32_t kNone = 0xffffffff;

  /// For row numbers below `rows`; file each once at most, highest number first.
  explicit HashIndex(size_t rows);
  void file(uint64_t hash, uint32_t row);

  /// The lowest row filed under `hash`, then with next() the others, ascending; kNone ends.
  uint32_t first(uint64_t hash) const;
  uint32_t next(uint32_t row) const { return next_[row]; }

 private:
  struct Slot {
    uint64_t hash;
    uint32_t row;
  };
  size_t place(uint64_t hash) const;

  std::vector<Slot> slots_;
  std::vector<uint32_t> next_;
};

class DoorRules {
 public:
  explicit DoorRules(DoorConfig config);

  bool keys_mode() const { return config_.keys_mode; }
  unsigned ipv6_prefix() const { return config_.ipv6_prefix; }
  bool denies(const AddressKey& address) const { return deny_.has(address); }
  bool exempts(const AddressKey& address) const { return allow_.has(address); }

  /// The key of a secret, or nullptr. Takes a time that says nothing about any secret.
  const DoorKey* find_key(const std::string& secret) const;

  /// The client whose key has this public name, or nullptr.
  const std::string* owner_of(const std::string& name) const;

  struct Guest {
    const std::string& app;
    const std::string& stream;
    const AddressKey& address;
    const std::string& client;
    const std::string& tier;
    const std::string& own_passphrase;
  };
  /// That of the first policy that matches, else its own, else the listener's.
  const std::string& passphrase_of(const Guest& guest) const;

 private:
  DoorConfig config_;
  NetworkSet allow_;
  NetworkSet deny_;
  HashIndex secrets_;
  HashIndex names_;
};

/// Entries filed under their kind and whom they are about: a name, an address, or nobody in particular.
class DoorEntries {
 public:
  DoorEntries(uint64_t version, std::vector<DoorEntry> entries);

  uint64_t version() const { return version_; }
  const DoorEntry& at(uint32_t row) const { return entries_[row]; }

  /// The lowest row about that, or HashIndex::kNone; next() gives the others, ascending.
  uint32_t first(EntryKind kind, std::string_view who) const;
  uint32_t next(uint32_t row) const;

 private:
  const uint64_t version_;
  const std::vector<DoorEntry> entries_;
  HashIndex index_;
};

/// An address as the subject of an entry.
inline std::string_view subject_of(const AddressKey& address) {
  return {reinterpret_cast<const char*>(address.bytes), sizeof address.bytes};
}

/// Globs of src/core/policy/glob.ts: `*` any run, `?` one character, a backslash takes the next as it is.
bool glob_matches(std::string_view pattern, std::string_view name);

}  // namespace headgate

#endif  // HEADGATE_SRT_DOOR_TABLES_H_
