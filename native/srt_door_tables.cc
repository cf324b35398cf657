#include "srt_door_tables.h"

#include <random>
#include <utility>

#include "sip_hash.h"

namespace headgate {

namespace {

uint64_t hash_of(std::string_view text) { return sip_hash(process_sip_key(), text.data(), text.size()); }

/// The kind goes into the key: an address and a name never meet, whatever their bytes.
uint64_t hash_of(EntryKind kind, std::string_view who) {
  SipKey key = process_sip_key();
  key.words[0] ^= static_cast<uint64_t>(kind) + 1;
  return sip_hash(key, who.data(), who.size());
}

/// Looks at every byte whatever it finds; lengths are no secret.
bool equal_in_constant_time(const std::string& a, const std::string& b) {
  if (a.size() != b.size()) return false;
  unsigned difference = 0;
  for (size_t i = 0; i < a.size(); i++) {
    difference |= static_cast<unsigned>(static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]));
  }
  // The compiler must not see that one difference settles the answer.
  volatile unsigned settled = difference;
  return settled == 0;
}

bool is_by_address(const DoorEntry& entry) {
  return entry.kind == EntryKind::address || (entry.kind == EntryKind::client && entry.name.empty());
}

std::string_view subject(const DoorEntry& entry) {
  switch (entry.kind) {
    case EntryKind::all:
    case EntryKind::publishers:
    case EntryKind::players:
      return {};
    default:
      return is_by_address(entry) ? subject_of(entry.address) : std::string_view(entry.name);
  }
}

/// Entries with one hash need not be about one subject.
bool is_about(const DoorEntry& entry, EntryKind kind, std::string_view who) {
  return entry.kind == kind && subject(entry) == who;
}

/// Whether the one character that a pattern wants at `token` is this.
bool takes(std::string_view pattern, size_t token, bool escaped, char character) {
  if (escaped) return pattern[token + 1] == character;
  return pattern[token] == '?' || pattern[token] == character;
}

bool matches(const DoorPolicy& policy, const DoorRules::Guest& guest) {
  if (!policy.client.empty() && policy.client != guest.client) return false;
  if (!policy.tier.empty() && policy.tier != guest.tier) return false;
  if (!policy.app.empty() && !glob_matches(policy.app, guest.app)) return false;
  if (!policy.stream.empty() && !glob_matches(policy.stream, guest.stream)) return false;
  return !policy.has_network || holds(policy.network, guest.address);
}

}  // namespace

const SipKey& process_sip_key() {
  static const SipKey key = [] {
    std::random_device random;
    const auto word = [&] { return static_cast<uint64_t>(random()) << 32 | random(); };
    return SipKey{{word(), word()}};
  }();
  return key;
}

HashIndex::HashIndex(size_t rows) : next_(rows, kNone) {
  size_t places = 2;
  while (places < rows * 2) places *= 2;
  slots_.assign(places, {0, kNone});
}

size_t HashIndex::place(uint64_t hash) const {
  size_t at = hash & (slots_.size() - 1);
  while (slots_[at].row != kNone && slots_[at].hash != hash) at = (at + 1) & (slots_.size() - 1);
  return at;
}

void HashIndex::file(uint64_t hash, uint32_t row) {
  Slot& slot = slots_[place(hash)];
  next_[row] = slot.row;
  slot = {hash, row};
}

uint32_t HashIndex::first(uint64_t hash) const { return slots_[place(hash)].row; }

DoorRules::DoorRules(DoorConfig config)
    : config_(std::move(config)),
      allow_(config_.allow),
      deny_(config_.deny),
      secrets_(config_.keys.size()),
      names_(config_.keys.size()) {
  for (size_t i = config_.keys.size(); i-- > 0;) {
    secrets_.file(hash_of(config_.keys[i].secret), static_cast<uint32_t>(i));
    names_.file(hash_of(config_.keys[i].name), static_cast<uint32_t>(i));
  }
}

// What is found depends on a hash of what was sent under a key nobody knows, so no guess leads to a
// better guess; only who has the secret makes the comparison succeed.
const DoorKey* DoorRules::find_key(const std::string& secret) const {
  if (secret.empty()) return nullptr;
  const DoorKey* found = nullptr;
  for (uint32_t row = secrets_.first(hash_of(secret)); row != HashIndex::kNone; row = secrets_.next(row)) {
    if (equal_in_constant_time(config_.keys[row].secret, secret)) found = &config_.keys[row];
  }
  return found;
}

const std::string* DoorRules::owner_of(const std::string& name) const {
  const std::string* owner = nullptr;
  for (uint32_t row = names_.first(hash_of(name)); row != HashIndex::kNone; row = names_.next(row)) {
    if (config_.keys[row].name == name) owner = &config_.keys[row].client;
  }
  return owner;
}

const std::string& DoorRules::passphrase_of(const Guest& guest) const {
  for (const DoorPolicy& policy : config_.policies) {
    if (matches(policy, guest)) return policy.passphrase;
  }
  return guest.own_passphrase.empty() ? config_.passphrase : guest.own_passphrase;
}

DoorEntries::DoorEntries(uint64_t version, std::vector<DoorEntry> entries)
    : version_(version), entries_(std::move(entries)), index_(entries_.size()) {
  for (size_t i = entries_.size(); i-- > 0;) {
    index_.file(hash_of(entries_[i].kind, subject(entries_[i])), static_cast<uint32_t>(i));
  }
}

uint32_t DoorEntries::first(EntryKind kind, std::string_view who) const {
  uint32_t row = index_.first(hash_of(kind, who));
  while (row != HashIndex::kNone && !is_about(entries_[row], kind, who)) row = index_.next(row);
  return row;
}

uint32_t DoorEntries::next(uint32_t row) const {
  const DoorEntry& from = entries_[row];
  const std::string_view who = subject(from);
  do {
    row = index_.next(row);
  } while (row != HashIndex::kNone && !is_about(entries_[row], from.kind, who));
  return row;
}

std::shared_ptr<const DoorRules> make_door_rules(DoorConfig config) {
  return std::make_shared<const DoorRules>(std::move(config));
}

std::shared_ptr<const DoorEntries> make_door_entries(uint64_t version, std::vector<DoorEntry> entries) {
  return std::make_shared<const DoorEntries>(version, std::move(entries));
}

// Only the last `*` passed is ever taken back, as in glob.ts: the work is bounded by name x pattern.
bool glob_matches(std::string_view pattern, std::string_view name) {
  size_t token = 0;
  size_t at = 0;
  size_t star = std::string_view::npos;
  size_t star_at = 0;
  while (at < name.size()) {
    const bool more = token < pattern.size();
    const bool escaped = more && pattern[token] == '\\' && token + 1 < pattern.size();
    if (more && pattern[token] == '*') {
      star = token++;
      star_at = at;
    } else if (more && takes(pattern, token, escaped, name[at])) {
      token += escaped ? 2 : 1;
      at++;
    } else if (star != std::string_view::npos) {
      token = star + 1;
      at = ++star_at;
    } else {
      return false;
    }
  }
  while (token < pattern.size() && pattern[token] == '*') token++;
  return token == pattern.size();
}

}  // namespace headgate
