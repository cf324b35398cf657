#include "gop.h"

#include <algorithm>
#include <utility>

namespace headgate {

namespace {

// Entries whose room is kept from one GOP to the next; 4 s of 60 fps video with audio is 430.
constexpr size_t kRoomKept = 1024;

bool same_body(const Block& a, const Block& b) {
  return a.size() == b.size() && std::memcmp(a.bytes(), b.bytes(), a.size()) == 0;
}

bool decides_decoding(TagRole role) {
  return role == TagRole::kVideoConfig || role == TagRole::kAudioConfig;
}

double cost_of(const StoredMessage& message) {
  return static_cast<double>(message.body.size()) + kStoredMessageOverhead;
}

}  // namespace

void GopStore::keep_header(TagRole role, uint8_t track, StoredMessage&& header) {
  const auto after = [&](const Header& kept) {
    return kept.role != role ? kept.role > role : kept.track >= track;
  };
  auto at = std::find_if(headers_.begin(), headers_.end(), after);
  if (at != headers_.end() && at->role == role && at->track == track) {
    if (same_body(at->message.body, header.body)) return;
    header_bytes_ -= at->message.body.size();
    at = headers_.erase(at);
  }
  if (decides_decoding(role)) clear();
  const bool room = headers_.size() < kStoredHeadersMax &&
                    header.body.size() <= kStoredHeaderBytesMax - header_bytes_;
  if (!room) return;
  header_bytes_ += header.body.size();
  headers_.insert(at, Header{role, track, std::move(header)});
}

void GopStore::keep(StoredMessage&& message, bool keyframe) {
  if (keyframe) {
    clear();
  } else if (messages_.empty()) {
    return;
  }
  const double cost = cost_of(message);
  if (!fits(cost)) {
    evict();
    return;
  }
  bytes_ += cost;
  budget_.held += cost;
  messages_.push_back(std::move(message));
  next_number_++;
}

bool GopStore::fits(double cost) const {
  return bytes_ + cost <= budget_.per_stream_max && budget_.held + cost <= budget_.total_max;
}

void GopStore::enforce_caps() {
  if (!fits(0)) evict();
}

void GopStore::evict() {
  budget_.evictions++;
  clear();
}

void GopStore::clear() {
  budget_.held -= bytes_;
  bytes_ = 0;
  first_number_ = next_number_;
  messages_.clear();
  if (messages_.capacity() > kRoomKept) messages_.shrink_to_fit();
}

const StoredMessage* GopStore::from(uint64_t& number) const {
  number = std::max(number, first_number_);
  if (number >= next_number_) return nullptr;
  return &messages_[number - first_number_];
}

}  // namespace headgate
