// Runs transport streams from files through the meter or a whole publication, datagram by datagram,
// on the clock of their PCR. Real clips are compared with what ffprobe and ffmpeg say of them.
//
//   ts_run units FILE              video access units: pid, PTS and DTS (90 kHz), flags
//   ts_run filter FILE OUT BPS MODE [BYTES]   what passes, in datagrams of BYTES; counters
//   ts_run bench FILE BPS MODE     ns per datagram of 1,316 bytes, the best of several runs
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "../slab_layout.h"
#include "../ts_publication.h"

namespace {

using namespace headgate;

constexpr size_t kSrtPayload = 7 * kTsPacketBytes;
constexpr size_t kNodes = 7;
constexpr double kStartMs = 1000;

std::vector<uint8_t> contents(const char* name) {
  std::vector<uint8_t> bytes;
  FILE* file = std::fopen(name, "rb");
  if (file == nullptr) return bytes;
  uint8_t part[1 << 16];
  for (size_t count; (count = std::fread(part, 1, sizeof part, file)) > 0;) {
    bytes.insert(bytes.end(), part, part + count);
  }
  std::fclose(file);
  return bytes;
}

int list_units(const std::vector<uint8_t>& bytes) {
  TsSplitter splitter;
  TsMeter meter;
  splitter.split(bytes.data(), bytes.size(), [&](const uint8_t* packet) {
    const TsReading reading = meter.read(TsPacket(packet));
    if (!reading.begins) return;
    const TsUnit& unit = meter.unit();
    std::printf("unit %d %" PRIu64 " %.0f %s%s\n", TsPacket(packet).pid(), unit.pts,
                unit.dts_ms * kTsClockPerMs, unit.random_access ? "K" : "", unit.disposable ? "D" : "");
  });
  std::printf("video_codec %d audio_codec %d width %u height %u continuity_errors %" PRIu64 "\n",
              meter.video_codec(), meter.audio_codec(), meter.dimensions().width,
              meter.dimensions().height, meter.continuity_errors());
  return 0;
}

// A stream row under one bitrate limit.
struct Rig {
  Rig(double limit_bps, double mode) : nodes(kNodes * NODE_STRIDE), row(STREAM_STRIDE) {
    for (size_t i = 0; i < kNodes; i++) row[stream::NODE_BITRATE + i] = -1;
    row[stream::NODE_BITRATE] = 0;
    row[stream::MODE] = mode;
    row[stream::FLAGS] = flag::IN_USE;
    row[stream::LAST_DTS] = -1;
    nodes[node::INTERVAL] = limit_bps > 0 ? 8000 / limit_bps : 0;
    nodes[node::TAU] = 1000;
    nodes[node::DEBT_MAX] = 60000;
  }
  std::vector<double> nodes;
  std::vector<double> row;
  Accounting accounting{nodes.data(), kNodes, row.data(), 1};
  TsPublication publication{0, row.data(), accounting};
};

// Times of datagrams: the last PCR before them.
std::vector<double> arrivals(const std::vector<uint8_t>& bytes, size_t step) {
  std::vector<double> times;
  TsClock clock;
  double first = -1;
  double now = kStartMs;
  for (size_t at = 0; at < bytes.size(); at += step) {
    for (size_t i = at / kTsPacketBytes * kTsPacketBytes; i + kTsPacketBytes <= bytes.size() && i < at + step;
         i += kTsPacketBytes) {
      const TsPacket packet(bytes.data() + i);
      if (!packet.has_pcr()) continue;
      const double ms = static_cast<double>(clock.unwrap(packet.pcr_base())) / kTsClockPerMs;
      if (first < 0) first = ms;
      now = kStartMs + ms - first;
    }
    times.push_back(now);
  }
  return times;
}

int filter(const std::vector<uint8_t>& bytes, const char* out, double bps, double mode, size_t step) {
  Rig rig(bps, mode);
  FILE* file = std::fopen(out, "wb");
  if (file == nullptr) return 1;
  const std::vector<double> times = arrivals(bytes, step);
  for (size_t i = 0; i < times.size(); i++) {
    const size_t at = i * step;
    const size_t length = bytes.size() - at < step ? bytes.size() - at : step;
    // A copy of its own: AddressSanitizer then sees a read past the datagram.
    const std::vector<uint8_t> datagram(bytes.begin() + at, bytes.begin() + at + length);
    const TsPassed passed = rig.publication.take(datagram.data(), length, times[i]);
    std::fwrite(passed.bytes, 1, passed.length, file);
    rig.publication.settle(times[i]);
  }
  std::fclose(file);
  const std::vector<double>& row = rig.row;
  std::printf("bytes %.0f packets %.0f frames %.0f keyframes %.0f dropped_bytes %.0f dropped_packets %.0f "
              "dropped_frames %.0f offered_bytes %.0f offered_packets %.0f track_frames %.0f span_ms %.0f\n",
              row[stream::BYTES], row[stream::PACKETS], row[stream::FRAMES], row[stream::KEYFRAMES],
              row[stream::DROPPED_BYTES], row[stream::DROPPED_PACKETS], row[stream::DROPPED_FRAMES],
              row[stream::OFFERED_BYTES], row[stream::OFFERED_PACKETS], row[stream::TRACK_FRAMES],
              times.back() - times.front());
  const TsFigures figures = rig.publication.figures();
  std::printf("continuity_errors %" PRIu64 " skipped %" PRIu64 " resyncs %" PRIu64 " width %u height %u\n",
              figures.continuity_errors, figures.skipped_bytes, figures.resyncs, figures.width,
              figures.height);
  return 0;
}

int bench(const std::vector<uint8_t>& bytes, double bps, double mode) {
  constexpr int kRuns = 15;
  constexpr size_t kRounds = 20;
  const std::vector<double> times = arrivals(bytes, kSrtPayload);
  double best = 1e300;
  for (int run = 0; run < kRuns; run++) {
    Rig rig(bps, mode);
    size_t passed = 0;
    const auto start = std::chrono::steady_clock::now();
    for (size_t round = 0; round < kRounds; round++) {
      for (size_t i = 0; i + 1 < times.size(); i++) {
        const double now = times[i] + static_cast<double>(round) * 1e5;
        passed += rig.publication.take(bytes.data() + i * kSrtPayload, kSrtPayload, now).length;
        if (i % 16 == 0) rig.publication.settle(now);
      }
    }
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - start;
    if (passed == 0) return 1;
    const double each = took.count() / static_cast<double>(kRounds * (times.size() - 1));
    best = each < best ? each : best;
  }
  std::printf("%.1f ns per datagram\n", best);
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 3) return 2;
  const std::string verb = arguments[1];
  const std::vector<uint8_t> bytes = contents(arguments[2]);
  if (bytes.empty()) return 1;
  if (verb == "units") return list_units(bytes);
  if (verb == "filter" && count >= 6) {
    const size_t step = count > 6 ? std::strtoul(arguments[6], nullptr, 10) : kSrtPayload;
    return filter(bytes, arguments[3], std::atof(arguments[4]), std::atof(arguments[5]), step);
  }
  if (verb == "bench" && count >= 5) return bench(bytes, std::atof(arguments[3]), std::atof(arguments[4]));
  return 2;
}
