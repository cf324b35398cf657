// What is kept for players that join, and what it may cost.
#include "../gop.h"

#include "bodies.h"
#include "check.h"

namespace headgate::test {
namespace {

StoredMessage stored(const Bytes& body, uint32_t timestamp = 0) {
  StoredMessage message;
  message.body.reserve(static_cast<uint32_t>(body.size()));
  if (!body.empty()) message.body.append(body.data(), static_cast<uint32_t>(body.size()));
  message.timestamp = timestamp;
  return message;
}

std::vector<uint32_t> timestamps(const GopStore& gop, uint64_t from = 1) {
  std::vector<uint32_t> found;
  for (const StoredMessage* m = gop.from(from); m != nullptr; m = gop.from(++from)) {
    found.push_back(m->timestamp);
  }
  return found;
}

using Times = std::vector<uint32_t>;

TEST(a_gop_starts_at_a_keyframe_and_ends_at_the_next) {
  GopBudget budget{1e6, 1e6};
  GopStore gop(budget);
  gop.keep(stored({1}, 1), false);
  CHECK(timestamps(gop).empty());
  gop.keep(stored({1}, 2), true);
  gop.keep(stored({1}, 3), false);
  CHECK(timestamps(gop) == Times({2, 3}));
  gop.keep(stored({1}, 4), true);
  gop.keep(stored({1}, 5), false);
  CHECK(timestamps(gop) == Times({4, 5}));
  CHECK_EQ(budget.held, 2.0 * (1 + kStoredMessageOverhead));
  CHECK_EQ(gop.packets(), 2u);
}

TEST(a_reader_goes_on_after_its_gop_is_gone) {
  GopBudget budget{1e6, 1e6};
  GopStore gop(budget);
  gop.keep(stored({1}, 1), true);
  gop.keep(stored({1}, 2), false);
  uint64_t at = 2;
  CHECK_EQ(gop.from(at)->timestamp, 2u);
  gop.keep(stored({1}, 3), true);
  CHECK_EQ(gop.from(at)->timestamp, 3u);
  CHECK_EQ(at, 3u);
  at = 4;
  CHECK(gop.from(at) == nullptr);
}

TEST(a_stream_that_outgrows_its_cap_loses_its_gop_until_the_next_keyframe) {
  GopBudget budget{1000, 1e6};
  GopStore gop(budget);
  gop.keep(stored(Bytes(400, 0), 1), true);
  gop.keep(stored(Bytes(400, 0), 2), false);
  CHECK_EQ(budget.evictions, 0u);
  gop.keep(stored(Bytes(400, 0), 3), false);
  gop.keep(stored({1}, 4), false);
  CHECK(timestamps(gop).empty());
  CHECK_EQ(budget.held, 0.0);
  CHECK_EQ(budget.evictions, 1u);
  gop.keep(stored({1}, 5), true);
  CHECK(timestamps(gop) == Times({5}));
}

TEST(streams_share_the_total) {
  GopBudget budget{1000, 1000};
  GopStore first(budget);
  {
    GopStore second(budget);
    first.keep(stored(Bytes(600, 0), 1), true);
    second.keep(stored(Bytes(600, 0), 2), true);
    CHECK(timestamps(second).empty());
    CHECK(timestamps(first) == Times({1}));
    second.keep(stored(Bytes(100, 0), 3), true);
    CHECK(timestamps(second) == Times({3}));
  }
  CHECK_EQ(budget.held, 600.0 + kStoredMessageOverhead);
}

TEST(a_cap_that_is_lowered_evicts) {
  GopBudget budget{1000, 1000};
  GopStore gop(budget);
  gop.keep(stored(Bytes(600, 0), 1), true);
  budget.per_stream_max = 0;
  gop.enforce_caps();
  CHECK(timestamps(gop).empty());
  gop.keep(stored({1}, 2), true);
  CHECK(timestamps(gop).empty());
}

TEST(headers_come_in_the_order_a_decoder_wants_them) {
  GopBudget budget{1e6, 1e6};
  GopStore gop(budget);
  gop.keep_header(TagRole::kAudioConfig, 0, stored(aac_header()));
  gop.keep_header(TagRole::kVideoConfig, 1, stored(avc_header(2)));
  gop.keep_header(TagRole::kVideoConfig, 0, stored(avc_header(1)));
  gop.keep_header(TagRole::kMetadata, 0, stored(metadata(1)));
  gop.keep_header(TagRole::kMetadata, 0, stored(metadata(2)));
  const auto& headers = gop.headers();
  if (!CHECK(headers.size() == 4)) return;
  CHECK(headers[0].role == TagRole::kMetadata);
  CHECK_EQ(headers[0].message.body.bytes()[metadata().size() - 1], 2);
  CHECK(headers[1].role == TagRole::kVideoConfig && headers[1].track == 0);
  CHECK(headers[2].role == TagRole::kVideoConfig && headers[2].track == 1);
  CHECK(headers[3].role == TagRole::kAudioConfig);
}

TEST(a_sequence_header_that_changes_ends_the_gop) {
  GopBudget budget{1e6, 1e6};
  GopStore gop(budget);
  gop.keep_header(TagRole::kVideoConfig, 0, stored(avc_header(1)));
  gop.keep(stored({1}, 1), true);
  gop.keep_header(TagRole::kVideoConfig, 0, stored(avc_header(1)));
  gop.keep_header(TagRole::kMetadata, 0, stored(metadata(2)));
  CHECK(timestamps(gop) == Times({1}));
  gop.keep_header(TagRole::kVideoConfig, 0, stored(avc_header(2)));
  CHECK(timestamps(gop).empty());
}

TEST(headers_are_bounded_in_count_and_bytes) {
  GopBudget budget{1e6, 1e6};
  GopStore many(budget);
  for (uint32_t track = 0; track < 256; track++) {
    many.keep_header(TagRole::kVideoConfig, static_cast<uint8_t>(track), stored({1}));
  }
  CHECK_EQ(many.headers().size(), kStoredHeadersMax);
  GopStore large(budget);
  for (uint8_t round = 0; round < 2; round++) {
    for (uint8_t track = 0; track < 8; track++) {
      large.keep_header(TagRole::kVideoConfig, track, stored(filled(kHeaderBytesMax, round)));
    }
  }
  CHECK_EQ(large.headers().size(), kStoredHeaderBytesMax / kHeaderBytesMax);
}

}  // namespace
}  // namespace headgate::test
