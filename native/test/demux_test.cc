// The chunk stream: every header form, every way to break it.
#include "../rtmp_demux.h"

#include "check.h"
#include "chunk_writer.h"

namespace headgate::test {
namespace {

struct Received {
  uint8_t type;
  bool skipped;
  uint32_t length;
  uint32_t timestamp;
  uint32_t message_stream_id;
  uint32_t chunk_stream_id;
  Bytes body;
  bool operator==(const Received& o) const {
    return type == o.type && skipped == o.skipped && length == o.length &&
           timestamp == o.timestamp && message_stream_id == o.message_stream_id &&
           chunk_stream_id == o.chunk_stream_id && body == o.body;
  }
};

struct Run {
  std::vector<Received> messages;
  RtmpError error = RtmpError::none;
  uint32_t pending = 0;
};

// Feeds in pieces that end at the given offsets.
Run feed(RtmpDemux& demux, const Bytes& bytes, const std::vector<size_t>& ends) {
  Run run;
  size_t start = 0;
  for (const size_t end : ends) {
    // A copy of its own lets AddressSanitizer see any read past the piece.
    const Bytes piece(bytes.begin() + static_cast<long>(start), bytes.begin() + static_cast<long>(end));
    size_t offset = 0;
    RtmpDemux::Step step = demux.advance(piece.data(), piece.size(), offset);
    while (step == RtmpDemux::Step::kMessage) {
      Message& m = demux.message();
      const Bytes body(m.body.bytes(), m.body.bytes() + m.body.size());
      run.messages.push_back({m.type, m.skipped, m.length, m.timestamp, m.message_stream_id,
                              m.chunk_stream_id, body});
      step = demux.advance(piece.data(), piece.size(), offset);
    }
    if (step == RtmpDemux::Step::kError) break;
    CHECK_EQ(offset, piece.size());
    start = end;
  }
  run.error = demux.error();
  run.pending = demux.pending_bytes();
  return run;
}

Run feed(const Bytes& bytes) {
  RtmpDemux demux;
  demux.store_media(1);
  return feed(demux, bytes, {bytes.size()});
}

RtmpError error_of(const ChunkWriter& writer) { return feed(writer.bytes).error; }

TEST(basic_headers_of_one_two_and_three_bytes_name_the_chunk_stream) {
  for (const bool wide : {false, true}) {
    ChunkWriter w;
    w.wide_ids = wide;
    const std::vector<uint32_t> ids = {2, 3, 63, 64, 319, 320, 65599};
    for (const uint32_t id : ids) w.message(0, {id, 9, id, 1}, filled(300, 7));
    const Run run = feed(w.bytes);
    if (!CHECK(run.messages.size() == ids.size())) return;
    for (size_t i = 0; i < ids.size(); i++) {
      CHECK_EQ(run.messages[i].chunk_stream_id, ids[i]);
      CHECK(run.messages[i].body == filled(300, 7));
    }
  }
}

TEST(headers_inherit_what_they_leave_out) {
  ChunkWriter w;
  w.message(0, {4, 9, 1000, 1}, filled(10, 1));
  w.message(1, {4, 8, 20, 1}, filled(5, 2));
  w.message(2, {4, 8, 30, 1}, filled(5, 3));
  w.message(3, {4, 8, 0, 1}, filled(5, 4));
  const Run run = feed(w.bytes);
  if (!CHECK(run.messages.size() == 4)) return;
  CHECK_EQ(run.messages[0].timestamp, 1000u);
  CHECK_EQ(run.messages[1].timestamp, 1020u);
  CHECK_EQ(run.messages[1].type, 8);
  CHECK_EQ(run.messages[2].timestamp, 1050u);
  CHECK_EQ(run.messages[3].timestamp, 1080u);
  for (const Received& m : run.messages) CHECK_EQ(m.message_stream_id, 1u);
}

TEST(type_3_after_type_0_repeats_its_timestamp_as_a_delta) {
  ChunkWriter w;
  w.message(0, {4, 9, 40, 1}, filled(10, 1));
  w.message(3, {4, 9, 0, 1}, filled(10, 1));
  CHECK_EQ(feed(w.bytes).messages.at(1).timestamp, 80u);
}

TEST(the_clock_wraps_at_32_bits) {
  ChunkWriter w;
  w.message(0, {4, 9, 0xfffffff0, 1}, filled(200, 1));
  w.message(1, {4, 9, 0x20, 1}, filled(10, 1));
  const Run run = feed(w.bytes);
  if (!CHECK(run.messages.size() == 2)) return;
  CHECK_EQ(run.messages[0].timestamp, 0xfffffff0u);
  CHECK_EQ(run.messages[1].timestamp, 0x10u);
}

TEST(extended_timestamps_are_read_whether_type_3_chunks_repeat_them_or_not) {
  for (const bool repeat : {true, false}) {
    for (const uint32_t timestamp : {0xffffffu, 0x1000000u, 0xdeadbeefu}) {
      ChunkWriter w;
      w.repeat_extended = repeat;
      w.message(0, {4, 9, timestamp, 1}, filled(1000, 1));
      w.message(1, {4, 9, 0x1000001, 1}, filled(300, 2));
      w.message(1, {4, 9, 40, 1}, filled(300, 3));
      const Run run = feed(w.bytes);
      CHECK_EQ(static_cast<int>(run.error), 0);
      if (!CHECK(run.messages.size() == 3)) return;
      CHECK(run.messages[0].body == filled(1000, 1));
      CHECK_EQ(run.messages[0].timestamp, timestamp);
      CHECK_EQ(run.messages[1].timestamp, timestamp + 0x1000001);
      CHECK_EQ(run.messages[2].timestamp, timestamp + 0x1000001 + 40);
    }
  }
}

TEST(messages_on_several_chunk_streams_interleave) {
  ChunkWriter w;
  const Bytes video = filled(400, 1);
  const Bytes audio = filled(200, 9);
  w.header(0, {6, 9, 10, 1}, 400);
  w.payload(video, 0, 128);
  w.header(0, {4, 8, 11, 1}, 200);
  w.payload(audio, 0, 128);
  w.header(3, {6, 9, 0, 1}, 0);
  w.payload(video, 128, 256);
  w.header(3, {4, 8, 0, 1}, 0);
  w.payload(audio, 128, 200);
  w.header(3, {6, 9, 0, 1}, 0);
  w.payload(video, 256, 384);
  w.header(3, {6, 9, 0, 1}, 0);
  w.payload(video, 384, 400);
  const Run run = feed(w.bytes);
  if (!CHECK(run.messages.size() == 2)) return;
  CHECK(run.messages[0].body == audio);
  CHECK(run.messages[1].body == video);
  CHECK_EQ(run.pending, 0u);
}

TEST(set_chunk_size_holds_from_the_next_chunk_on) {
  ChunkWriter w;
  w.header(0, {6, 9, 0, 1}, 1000);
  w.payload(filled(1000, 0), 0, 128);
  w.set_chunk_size(4096);
  w.header(3, {6, 9, 0, 1}, 0);
  w.payload(filled(1000, 0), 128, 1000);
  const Run run = feed(w.bytes);
  if (!CHECK(run.messages.size() == 2)) return;
  CHECK(run.messages[1].body == filled(1000, 0));
}

TEST(chunk_sizes_out_of_bounds_are_refused) {
  for (const uint32_t size : {0u, 1u, 127u, 0x100001u, 0x7fffffffu, 0x80000080u, 0xffffffffu}) {
    ChunkWriter w;
    w.set_chunk_size(size);
    CHECK(error_of(w) == RtmpError::chunk_size);
  }
  for (const uint32_t size : {128u, 0x100000u}) {
    ChunkWriter w;
    w.set_chunk_size(size);
    CHECK(error_of(w) == RtmpError::none);
  }
}

TEST(abort_forgets_a_half_sent_message) {
  ChunkWriter w;
  w.header(0, {6, 9, 0, 1}, 1000);
  w.payload(filled(1000, 0), 0, 128);
  w.control(2, {0, 0, 0, 6});
  w.message(0, {6, 9, 50, 1}, filled(130, 5));
  w.control(2, {0, 0, 0, 99});
  const Run run = feed(w.bytes);
  if (!CHECK(run.messages.size() == 3)) return;
  CHECK(run.messages[1].body == filled(130, 5));
  CHECK_EQ(run.pending, 0u);
}

TEST(a_header_inside_a_half_sent_message_is_refused) {
  for (const uint8_t format : {0, 1, 2}) {
    ChunkWriter w;
    w.header(0, {6, 9, 0, 1}, 1000);
    w.payload(filled(1000, 0), 0, 128);
    w.header(format, {6, 9, 0, 1}, 2000);
    CHECK(error_of(w) == RtmpError::header_in_message);
  }
}

TEST(a_header_without_a_length_needs_one_before_it) {
  for (const uint8_t format : {2, 3}) {
    ChunkWriter w;
    w.header(format, {6, 9, 0, 1}, 0);
    CHECK(error_of(w) == RtmpError::header_missing);
  }
  ChunkWriter ping;  // as librtmp sends it
  ping.message(1, {2, 4, 0, 0}, {0, 7, 0, 0, 0, 1});
  CHECK_EQ(feed(ping.bytes).messages.size(), 1u);
}

TEST(the_seventeenth_chunk_stream_is_refused) {
  ChunkWriter w;
  for (uint32_t id = 3; id < 3 + kChunkStreamsMax; id++) w.message(0, {id, 9, 0, 1}, {1});
  CHECK(error_of(w) == RtmpError::none);
  w.message(0, {100, 9, 0, 1}, {1});
  CHECK(error_of(w) == RtmpError::chunk_stream_limit);
}

TEST(lengths_are_held_to_their_bounds) {
  const struct {
    uint8_t type;
    uint32_t length;
    RtmpError error;
  } rows[] = {
      {1, 0, RtmpError::control_length},  {1, 5, RtmpError::control_length},
      {2, 3, RtmpError::control_length},  {3, 0, RtmpError::control_length},
      {4, 0, RtmpError::control_length},  {4, 1, RtmpError::control_length},
      {4, 65, RtmpError::control_length}, {5, 8, RtmpError::control_length},
      {6, 4, RtmpError::control_length},  {20, 0, RtmpError::message_length},
      {17, 0, RtmpError::message_length}, {20, 65537, RtmpError::message_length},
      {20, 65536, RtmpError::none},       {9, 8388608, RtmpError::none},
      {9, 8388609, RtmpError::message_length}, {8, 0xffffff, RtmpError::message_length},
      {22, 8388609, RtmpError::message_length}, {16, 65537, RtmpError::message_length},
      {99, 65537, RtmpError::message_length}, {99, 0, RtmpError::none},
      {8, 0, RtmpError::none},            {18, 0, RtmpError::none},
  };
  for (const auto& row : rows) {
    ChunkWriter w;
    w.header(0, {3, row.type, 0, 1}, row.length);
    CHECK_EQ(static_cast<int>(error_of(w)), static_cast<int>(row.error));
  }
}

TEST(empty_media_messages_come_out_with_one_byte_each) {
  ChunkWriter w;
  w.message(0, {4, 8, 0, 1}, {});
  for (int i = 0; i < 10; i++) w.message(3, {4, 8, 0, 1}, {});
  const Run run = feed(w.bytes);
  CHECK_EQ(run.messages.size(), 11u);
}

TEST(media_that_nobody_publishes_is_skipped_without_being_stored) {
  RtmpDemux demux;
  ChunkWriter w;
  w.set_chunk_size(65536);
  w.header(0, {6, 9, 0, 1}, kMediaBytesMax);
  w.payload(filled(60000, 0), 0, 60000);
  Run run = feed(demux, w.bytes, {w.bytes.size()});
  CHECK_EQ(run.pending, 0u);
  // Published half-way through a message, what is left of it is still nobody's.
  demux.store_media(1);
  ChunkWriter rest;
  const Bytes body(kMediaBytesMax, 0);
  rest.payload(body, 60000, 65536);
  for (size_t at = 65536; at < body.size(); at += 65536) {
    rest.header(3, {6, 9, 0, 1}, 0);
    rest.payload(body, at, at + 65536);
  }
  rest.message(0, {6, 9, 0, 2}, filled(10, 0));
  rest.message(0, {6, 9, 0, 1}, filled(10, 0));
  rest.message(0, {6, 18, 0, 0}, filled(10, 0));
  run = feed(demux, rest.bytes, {rest.bytes.size()});
  if (!CHECK(run.messages.size() == 4)) return;
  CHECK(run.messages[0].skipped && run.messages[0].body.empty());
  CHECK(run.messages[1].skipped);
  CHECK(!run.messages[2].skipped);
  CHECK(!run.messages[3].skipped);
}

TEST(half_sent_media_is_freed_when_publishing_ends) {
  RtmpDemux demux;
  demux.store_media(1);
  ChunkWriter w;
  w.header(0, {6, 9, 0, 1}, 10000);
  w.payload(filled(128, 0), 0, 128);
  w.header(0, {3, 20, 0, 0}, 1000);
  w.payload(filled(128, 0), 0, 128);
  const Run run = feed(demux, w.bytes, {w.bytes.size()});
  const uint32_t before = run.pending;
  demux.skip_media();
  CHECK(demux.pending_bytes() > 0 && demux.pending_bytes() < before);
}

TEST(declared_lengths_allocate_nothing) {
  RtmpDemux demux;
  demux.store_media(1);
  ChunkWriter w;
  for (uint32_t id = 3; id < 3 + kChunkStreamsMax; id++) {
    w.header(0, {id, 9, 0, 1}, kMediaBytesMax);
    w.payload(filled(128, 0), 0, 128);
  }
  const Run run = feed(demux, w.bytes, {w.bytes.size()});
  CHECK(run.error == RtmpError::none);
  CHECK(run.pending > 0 && run.pending <= 3 * w.bytes.size());
}

TEST(half_sent_messages_are_bounded_together) {
  RtmpDemux demux;
  demux.store_media(1);
  ChunkWriter w;
  w.set_chunk_size(kChunkSizeMax);
  w.message(0, {2, 1, 0, 0}, {0, 0x10, 0, 0});
  const Bytes body(kChunkSizeMax, 0);
  for (uint32_t round = 0; round < 7; round++) {
    for (uint32_t id = 3; id < 6; id++) {
      w.header(round == 0 ? 0 : 3, {id, 9, 0, 1}, kMediaBytesMax);
      w.payload(body, 0, body.size());
    }
  }
  const Run run = feed(demux, w.bytes, {w.bytes.size()});
  CHECK(run.error == RtmpError::pending_limit);
  CHECK(run.pending <= kPendingBytesMax);
}

TEST(an_error_stays) {
  RtmpDemux demux;
  ChunkWriter w;
  w.header(3, {6, 9, 0, 1}, 0);
  feed(demux, w.bytes, {w.bytes.size()});
  ChunkWriter more;
  more.message(0, {3, 20, 0, 0}, {1, 2, 3});
  CHECK(feed(demux, more.bytes, {more.bytes.size()}).error == RtmpError::header_missing);
}

Bytes busy_stream() {
  ChunkWriter w;
  w.message(0, {3, 20, 0, 0}, filled(300, 1));
  w.message(0, {6, 9, 0x1000005, 1}, filled(260, 2));
  w.repeat_extended = false;
  w.message(0, {500, 9, 0xffffffff, 1}, filled(260, 0xff));
  w.message(0, {7, 9, 0x01020304, 1}, {1, 2, 3});
  w.message(3, {7, 9, 0x01020304, 1}, {1, 2, 9});
  w.message(3, {7, 9, 0x01020304, 1}, {9, 9, 9});
  w.repeat_extended = true;
  w.message(3, {7, 9, 0x01020304, 1}, {1, 2, 3});
  w.header(0, {6, 9, 9, 1}, 200);
  w.payload(filled(200, 3), 0, 128);
  w.message(0, {4, 8, 10, 1}, {});
  w.message(3, {4, 8, 10, 1}, {});
  w.header(3, {6, 9, 9, 1}, 0);
  w.payload(filled(200, 3), 128, 200);
  w.set_chunk_size(256);
  w.message(1, {6, 9, 20, 1}, filled(300, 4));
  w.message(0, {64, 22, 20, 1}, filled(30, 4));
  w.message(0, {2, 99, 0, 0}, filled(20, 4));
  return w.bytes;
}

TEST(bytes_split_at_every_position_give_the_same_messages) {
  const Bytes bytes = busy_stream();
  const Run whole = feed(bytes);
  CHECK(whole.error == RtmpError::none);
  CHECK_EQ(whole.messages.size(), 14u);
  std::vector<size_t> single;
  for (size_t at = 0; at <= bytes.size(); at++) {
    single.push_back(at);
    RtmpDemux demux;
    demux.store_media(1);
    CHECK(feed(demux, bytes, {at, bytes.size()}).messages == whole.messages);
  }
  RtmpDemux demux;
  demux.store_media(1);
  CHECK(feed(demux, bytes, single).messages == whole.messages);
}

}  // namespace
}  // namespace headgate::test
