// A published transport stream under limits: what is counted, what passes, and that it decodes.
#include "../ts_publication.h"

#include <algorithm>

#include "../slab_layout.h"
#include "check.h"
#include "ts_writer.h"

namespace headgate::test {
namespace {

constexpr size_t kNodes = 7;
constexpr size_t kSrtPayload = 7 * kTsPacketBytes;

class TsRig {
 public:
  explicit TsRig(uint32_t stream_mode = mode::OBSERVE, uint32_t flags = 0)
      : nodes_(kNodes * NODE_STRIDE), row_(STREAM_STRIDE), accounting_(nodes_.data(), kNodes, row_.data(), 1),
        publication_(0, row_.data(), accounting_) {
    for (size_t i = 0; i < kNodes; i++) {
      row_[stream::NODE_BITRATE + i] = static_cast<double>(i);
      nodes_[i * NODE_STRIDE + node::TAU] = 1000;
      nodes_[i * NODE_STRIDE + node::DEBT_MAX] = 10000;
    }
    row_[stream::MODE] = stream_mode;
    row_[stream::FLAGS] = flag::IN_USE | flags;
    row_[stream::LAST_DTS] = -1;
  }

  // Units of cost per second; 0 = nothing conforms.
  void limit(uint32_t which, double rate) {
    nodes_[which * NODE_STRIDE + node::INTERVAL] = rate > 0 ? 1000 / rate : __builtin_inf();
  }
  void unlimit(uint32_t which) { nodes_[which * NODE_STRIDE + node::INTERVAL] = 0; }
  double& field(uint32_t name) { return row_[name]; }
  TsPublication& publication() { return publication_; }

  // What passes of bytes sent in datagrams of `step`.
  TsBytes send(const TsBytes& bytes, size_t step = kSrtPayload) {
    TsBytes out;
    for (size_t at = 0; at < bytes.size(); at += step) {
      const TsBytes datagram(bytes.begin() + at, bytes.begin() + std::min(at + step, bytes.size()));
      last = publication_.take(datagram.data(), datagram.size(), now);
      if (last.random_access) starts.push_back(out.size() + last.random_access_at);
      out.insert(out.end(), last.bytes, last.bytes + last.length);
      copied = last.length > 0 && (last.bytes < datagram.data() || last.bytes >= datagram.data() + datagram.size());
      CHECK_EQ(last.length % kTsPacketBytes, 0u);
    }
    publication_.settle(now);
    CHECK_EQ(row_[stream::BYTES] + row_[stream::DROPPED_BYTES], row_[stream::OFFERED_BYTES]);
    CHECK_EQ(row_[stream::PACKETS] + row_[stream::DROPPED_PACKETS], row_[stream::OFFERED_PACKETS]);
    return out;
  }

  double now = 1000;
  TsPassed last;
  bool copied = false;
  std::vector<size_t> starts;

 private:
  std::vector<double> nodes_;
  std::vector<double> row_;
  Accounting accounting_;
  TsPublication publication_;
};

// Units that begin in what passed, and the errors a demuxer would see.
struct Received {
  std::vector<uint64_t> pts;
  size_t audio = 0;
  size_t clocks = 0;
  uint64_t errors = 0;
};

Received receive(const TsBytes& bytes) {
  Received found;
  TsMeter meter;
  for (size_t at = 0; at < bytes.size(); at += kTsPacketBytes) {
    const TsPacket packet(bytes.data() + at);
    const TsReading reading = meter.read(packet);
    if (reading.begins) found.pts.push_back(meter.unit().pts);
    if (reading.kind == TsPacketKind::kAudio) found.audio++;
    if (packet.has_pcr() && !packet.has_payload()) found.clocks++;
  }
  found.errors = meter.continuity_errors();
  return found;
}

using Times = std::vector<uint64_t>;

// The n-th unit: its PTS is n * 3600, 40 ms; every one bears a PCR.
TsBytes unit(TsWriter& writer, int64_t n, uint8_t head, size_t size = 1500, uint16_t pid = kVideoPid) {
  PesOptions options;
  options.pts = n * 3600;
  options.random_access = head == kIdrSlice;
  options.pcr = pid == kVideoPid ? n * 3600 : -1;
  return writer.pes(pid, options, avc_unit(head, size));
}

TsBytes sound(TsWriter& writer, int64_t n) {
  return writer.pes(kAudioPid, {n * 3600}, TsBytes(300, 0xff), 0xc0);
}

TEST(ts_what_is_sent_is_counted_and_passes_as_it_is) {
  TsWriter writer;
  TsRig rig;
  TsBytes bytes = writer.tables();
  for (int64_t n = 1; n <= 50; n++) {
    bytes += unit(writer, n, n % 25 == 1 ? kIdrSlice : kReferenceSlice);
    bytes += sound(writer, n);
  }
  CHECK(rig.send(bytes) == bytes);
  CHECK(!rig.copied);
  const size_t datagrams = (bytes.size() + kSrtPayload - 1) / kSrtPayload;
  CHECK_EQ(rig.field(stream::BYTES), static_cast<double>(bytes.size()));
  CHECK_EQ(rig.field(stream::PACKETS), static_cast<double>(datagrams));
  CHECK_EQ(rig.field(stream::FRAMES), 50.0);
  CHECK_EQ(rig.field(stream::TRACK_FRAMES), 50.0);
  CHECK_EQ(rig.field(stream::KEYFRAMES), 2.0);
  CHECK_EQ(rig.field(stream::LAST_DTS), 2000.0);
  CHECK_EQ(rig.field(stream::VIDEO_CODEC), video_codec::H264);
  CHECK_EQ(rig.field(stream::AUDIO_CODEC), audio_codec::AAC);
  CHECK_EQ(rig.starts.size(), 2u);
  for (const size_t at : rig.starts) CHECK(TsPacket(bytes.data() + at).random_access());
}

TEST(ts_datagrams_of_any_length_pass_whole_packets_and_count_every_byte) {
  TsWriter writer;
  TsBytes bytes = writer.tables();
  for (int64_t n = 1; n <= 20; n++) bytes += unit(writer, n, n % 10 == 1 ? kIdrSlice : kReferenceSlice);
  for (const uint32_t stream_mode : {mode::OBSERVE, mode::DROP}) {
    for (const size_t step : {1u, 100u, 188u, 1000u, 1456u, 2048u}) {
      TsRig rig(stream_mode);
      CHECK(rig.send(bytes, step) == bytes);
      CHECK_EQ(rig.field(stream::BYTES), static_cast<double>(bytes.size()));
      CHECK_EQ(rig.field(stream::FRAMES), 20.0);
    }
  }
}

TEST(ts_a_datagram_longer_than_any_is_cut) {
  TsRig rig;
  TsWriter writer;
  TsBytes bytes;
  for (int i = 0; i < 20; i++) bytes += writer.packet(0x1ff, TsBytes(184, 0));
  CHECK_EQ(rig.send(bytes, bytes.size()).size(), 10 * kTsPacketBytes);
  CHECK_EQ(rig.publication().figures().skipped_bytes, bytes.size() - kTsDatagramBytesMax);
}

TEST(ts_dropping_takes_whole_units_up_to_the_next_keyframe_and_leaves_no_gap) {
  TsWriter writer;
  TsRig rig(mode::DROP);
  TsBytes sent = writer.tables();
  sent += unit(writer, 1, kIdrSlice);
  sent += unit(writer, 2, kReferenceSlice);
  TsBytes out = rig.send(sent);
  rig.limit(constraint::STREAM_BITRATE, 0);
  TsBytes refused;
  for (int64_t n = 3; n <= 6; n++) {
    refused += unit(writer, n, kReferenceSlice);
    refused += sound(writer, n);
  }
  out += rig.send(refused);
  CHECK_EQ(rig.field(stream::DROPPING), 1.0);
  rig.unlimit(constraint::STREAM_BITRATE);
  TsBytes again = unit(writer, 7, kReferenceSlice);
  again += unit(writer, 8, kIdrSlice);
  again += unit(writer, 9, kReferenceSlice);
  out += rig.send(again);
  const Received received = receive(out);
  CHECK(received.pts == Times({3600, 7200, 8 * 3600, 9 * 3600}));
  CHECK_EQ(received.errors, 0u);
  CHECK_EQ(received.audio, 4u * 2);
  CHECK_EQ(received.clocks, 3u);  // of units 3, 5 and 7: 80 ms apart
  CHECK_EQ(rig.field(stream::DROPPED_FRAMES), 5.0);
  CHECK_EQ(rig.field(stream::FRAMES), 4.0);
  CHECK_EQ(rig.field(stream::BYTES), static_cast<double>(out.size()));
  CHECK_EQ(rig.starts.size(), 2u);
}

TEST(ts_a_unit_that_was_let_in_passes_to_its_end) {
  TsWriter writer;
  TsRig rig(mode::DROP);
  rig.limit(constraint::STREAM_BITRATE, 4000);
  TsBytes sent = writer.tables();
  const TsBytes large = unit(writer, 1, kIdrSlice, 9000);
  sent += large;
  sent += unit(writer, 2, kReferenceSlice);
  const Received received = receive(rig.send(sent));
  CHECK(received.pts == Times({3600}));
  CHECK_EQ(rig.field(stream::DROPPED_FRAMES), 1.0);
  CHECK(rig.field(stream::BYTES) >= static_cast<double>(large.size()));
}

TEST(ts_disposable_units_go_alone) {
  TsWriter writer;
  TsRig rig(mode::DROP);
  TsBytes out = writer.tables();
  out += unit(writer, 1, kIdrSlice);
  out = rig.send(out);
  rig.limit(constraint::STREAM_BITRATE, 0);
  out += rig.send(unit(writer, 2, kDisposableSlice));
  CHECK_EQ(rig.field(stream::DROPPING), 0.0);
  rig.unlimit(constraint::STREAM_BITRATE);
  out += rig.send(unit(writer, 3, kReferenceSlice));
  const Received received = receive(out);
  CHECK(received.pts == Times({3600, 3 * 3600}));
  CHECK_EQ(received.errors, 0u);
}

TEST(ts_pictures_that_lead_a_keyframe_into_the_gap_are_not_sent) {
  TsWriter writer;
  TsRig rig(mode::DROP);
  TsBytes out = writer.tables();
  out += unit(writer, 1, kIdrSlice);
  out = rig.send(out);
  rig.limit(constraint::STREAM_BITRATE, 0);
  rig.send(unit(writer, 2, kReferenceSlice));
  rig.unlimit(constraint::STREAM_BITRATE);
  TsBytes open;
  for (const int64_t n : {6, 4, 5}) open += unit(writer, n, n == 6 ? kIdrSlice : kReferenceSlice);
  for (const int64_t n : {9, 7, 8}) open += unit(writer, n, kReferenceSlice);
  const Received received = receive(out += rig.send(open));
  CHECK(received.pts == Times({3600, 6 * 3600, 9 * 3600, 7 * 3600, 8 * 3600}));
  CHECK_EQ(rig.field(stream::DROPPED_FRAMES), 3.0);
  // Without a gap they are.
  TsBytes next = unit(writer, 12, kIdrSlice);
  next += unit(writer, 11, kReferenceSlice);
  CHECK_EQ(receive(out += rig.send(next)).pts.size(), 7u);
}

TEST(ts_a_second_video_waits_for_a_keyframe_of_its_own) {
  TsWriter writer;
  TsRig rig(mode::DROP);
  TsBytes sent = writer.pat();
  sent += writer.pmt({{0x1b, kVideoPid}, {0x1b, kSecondVideoPid}});
  sent += unit(writer, 1, kIdrSlice);
  sent += unit(writer, 2, kIdrSlice, 1500, kSecondVideoPid);
  TsBytes out = rig.send(sent);
  rig.limit(constraint::STREAM_BITRATE, 0);
  rig.send(unit(writer, 3, kReferenceSlice));
  out += rig.send(unit(writer, 4, kReferenceSlice, 1500, kSecondVideoPid));
  rig.unlimit(constraint::STREAM_BITRATE);
  TsBytes again = unit(writer, 5, kIdrSlice);
  again += unit(writer, 6, kReferenceSlice, 1500, kSecondVideoPid);
  again += unit(writer, 7, kIdrSlice, 1500, kSecondVideoPid);
  again += unit(writer, 8, kReferenceSlice, 1500, kSecondVideoPid);
  const Received received = receive(out += rig.send(again));
  CHECK(received.pts == Times({3600, 2 * 3600, 5 * 3600, 7 * 3600, 8 * 3600}));
}

TEST(ts_a_shared_budget_drops_where_nobody_can_be_slowed) {
  for (const uint32_t flags : {0u, flag::LOSSY}) {
    TsWriter writer;
    TsRig rig(mode::DISCONNECT, flags);
    rig.send(writer.tables());
    rig.limit(constraint::GLOBAL_BANDWIDTH, 0);
    CHECK(receive(rig.send(unit(writer, 1, kIdrSlice))).pts.empty());
    CHECK_EQ(rig.field(stream::DROPPED_FRAMES), flags == 0 ? 0.0 : 1.0);
    CHECK_EQ(rig.field(stream::DROPPED_PACKETS), flags == 0 ? 0.0 : 2.0);
  }
}

TEST(ts_after_a_change_of_mode_a_gap_still_ends_at_a_keyframe) {
  TsWriter writer;
  TsRig rig(mode::DROP);
  TsBytes out = writer.tables();
  out += unit(writer, 1, kIdrSlice);
  out = rig.send(out);
  rig.limit(constraint::STREAM_BITRATE, 0);
  const TsBytes refused = unit(writer, 2, kReferenceSlice);
  rig.send(TsBytes(refused.begin(), refused.begin() + 3 * kTsPacketBytes));
  rig.field(stream::MODE) = mode::OBSERVE;
  out += rig.send(TsBytes(refused.begin() + 3 * kTsPacketBytes, refused.end()));
  out += rig.send(unit(writer, 3, kReferenceSlice));
  out += rig.send(sound(writer, 3));
  out += rig.send(unit(writer, 4, kIdrSlice));
  out += rig.send(unit(writer, 5, kReferenceSlice));
  const Received received = receive(out);
  CHECK(received.pts == Times({3600, 4 * 3600, 5 * 3600}));
  CHECK_EQ(received.errors, 0u);
  CHECK_EQ(received.audio, 2u);
}

TEST(ts_padding_and_video_without_a_beginning_are_no_way_round_a_limit) {
  TsWriter writer;
  TsRig rig(mode::DROP);
  TsBytes tables = writer.tables();
  rig.send(tables);
  rig.limit(constraint::STREAM_BITRATE, 0);
  CHECK(rig.send(writer.packet(ts_pid::STUFFING, TsBytes(184, 0xff))).empty());
  CHECK(rig.send(writer.packet(kVideoPid, TsBytes(184, 0x11))).empty());
  CHECK_EQ(rig.send(writer.packet(kAudioPid, TsBytes(184, 0x11))).size(), kTsPacketBytes);
  CHECK_EQ(rig.field(stream::DROPPED_PACKETS), 2.0);
  CHECK_EQ(rig.field(stream::DROPPING), 0.0);
}

TEST(ts_audio_is_no_way_round_a_limit_for_a_sender_that_cannot_be_slowed) {
  TsWriter writer;
  TsRig rig(mode::DROP, flag::LOSSY);
  rig.limit(constraint::STREAM_BITRATE, 10000);  // burst 10 kB, 100 kB of debt remembered
  TsBytes out = rig.send(writer.tables());
  for (int64_t n = 0; n < 6000; n++, rig.now += 10) out += rig.send(sound(writer, n));
  // 60 s at ten kB, the burst and the debt; nearly four times as much was sent.
  CHECK(out.size() > 600000);
  CHECK(out.size() < 600000 + 10000 + 100000 + kSrtPayload);
  CHECK(rig.field(stream::DROPPED_BYTES) > 1500000);
}

TEST(ts_a_datagram_is_one_packet_however_many_parts_it_has) {
  TsWriter writer;
  TsRig rig(mode::DROP);
  TsBytes datagram = writer.tables();
  datagram += sound(writer, 1);
  datagram += unit(writer, 1, kIdrSlice, 60);
  datagram += unit(writer, 2, kReferenceSlice, 60);
  rig.send(datagram);
  CHECK_EQ(rig.field(stream::PACKETS), 1.0);
  rig.limit(constraint::STREAM_BITRATE, 0);
  TsBytes refused = unit(writer, 3, kReferenceSlice, 60);
  refused += unit(writer, 4, kReferenceSlice, 60);
  rig.send(refused);
  CHECK_EQ(rig.field(stream::DROPPED_PACKETS), 1.0);
  CHECK_EQ(rig.field(stream::OFFERED_PACKETS), 2.0);
}

TEST(ts_an_exempt_stream_loses_nothing) {
  TsWriter writer;
  TsRig rig(mode::DROP, flag::EXEMPT);
  rig.limit(constraint::STREAM_BITRATE, 0);
  TsBytes bytes = writer.tables();
  for (int64_t n = 1; n <= 10; n++) bytes += unit(writer, n, n == 1 ? kIdrSlice : kReferenceSlice);
  CHECK(rig.send(bytes) == bytes);
}

TEST(ts_the_size_of_the_picture_is_read_when_the_parameter_sets_pass) {
  TsWriter writer;
  TsRig rig;
  TsBytes bytes = writer.pat();
  bytes += writer.pmt({{0x02, kVideoPid}});
  bytes += writer.pes(kVideoPid, {3600}, {0, 0, 1, 0xb3, 0x28, 0x01, 0x68, 0x13});
  rig.send(bytes);
  CHECK_EQ(rig.publication().figures().width, 640u);
  CHECK_EQ(rig.publication().figures().height, 360u);
}

}  // namespace
}  // namespace headgate::test
