// What several threads touch at once, for ThreadSanitizer: a program of its own, because that one cannot be
// combined with the checks of the other tests.
//
// In the server these are the main loop, which runs JavaScript and meters RTMP, and one thread per SRT port.
// JavaScript is played here by code that does to the tables what a typed array does: whole doubles, one at a
// time, no order among them. Where it writes, the other side must read atomically, and ThreadSanitizer says if
// it does not. Where it only reads counters, the other side may use plain stores, which on every 64-bit machine
// are whole: those reads are hidden from ThreadSanitizer, as the reads of generated code would be.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <atomic>
#include <limits>
#include <string>
#include <thread>

#include "../accounting.h"
#include "../srt_door.h"
#include "check.h"

// The first race ends the program.
extern "C" const char* __tsan_default_options() { return "halt_on_error=1:exitcode=66"; }

namespace headgate::test {
namespace {

constexpr uint32_t kCharges = 100'000;
constexpr uint32_t kInstalls = 2'000;
constexpr double kForever = std::numeric_limits<double>::infinity();

DoorConfig door_config(bool denies) {
  DoorConfig config;
  config.keys_mode = true;
  config.passphrase = denies ? "of the denying rules" : "of the others";
  for (int i = 0; i < 20; i++) {
    const std::string number = std::to_string(i);
    config.keys.push_back({"secret-" + number, "c" + number, "", "n" + number, "id" + number, ""});
  }
  Network network{};
  CHECK(parse_network("192.0.2.1", network));
  if (denies) config.deny.push_back(network);
  return config;
}

// Version v refuses everybody with code 1402 + v, or nobody when v is even.
std::shared_ptr<const DoorEntries> door_entries(uint64_t version) {
  std::vector<DoorEntry> entries(version % 2);
  for (DoorEntry& entry : entries) {
    entry.code = static_cast<uint16_t>(srt_code::OVERLOAD + version % 50);
    entry.until = kForever;
  }
  return make_door_entries(version, std::move(entries));
}

void judge_until(SrtDoor& door, const std::atomic<bool>& done, const char* ip) {
  sockaddr_in peer{};
  peer.sin_family = AF_INET;
  inet_pton(AF_INET, ip, &peer.sin_addr);
  const std::string id = "live/secret-7";
  DoorVerdict verdict;
  uint64_t newest = 0;
  uint64_t judged = 0;
  for (; !done.load(std::memory_order_relaxed) || judged == 0; judged++) {
    door.judge(reinterpret_cast<const sockaddr*>(&peer), id.data(), id.size(), 0, verdict);
    CHECK(verdict.version >= newest);
    newest = verdict.version;
    if (verdict.cause > 0) {
      CHECK(verdict.version % 2 == 1 && verdict.code == srt_code::OVERLOAD + verdict.version % 50);
    } else if (verdict.cause == door_cause::NONE) {
      CHECK(verdict.version % 2 == 0 && verdict.path == "/live/n7");
      CHECK(verdict.passphrase == "of the others" || std::string(ip) != "192.0.2.1");
    } else {
      CHECK(verdict.cause == door_cause::DENIED && std::string(ip) == "192.0.2.1");
    }
  }
}

// New tables while two ports judge by the old ones: each judgement is by one of each, whole.
TEST(door_judges_while_tables_change) {
  SrtDoor door;
  door.install(make_door_rules(door_config(false)));
  std::atomic<bool> done{false};
  std::thread first([&] { judge_until(door, done, "192.0.2.1"); });
  std::thread second([&] { judge_until(door, done, "192.0.2.2"); });
  for (uint64_t version = 1; version <= kInstalls; version++) {
    door.install(door_entries(version));
    if (version % 16 == 0) door.install(make_door_rules(door_config(version % 32 == 0)));
  }
  done = true;
  first.join();
  second.join();
}

constexpr size_t kThreads = 2;
constexpr size_t kOwnNodes = 4;
constexpr size_t kShared = kThreads * kOwnNodes;  // the first shared node: client, address, global

struct Slab {
  double nodes[(kShared + 3) * NODE_STRIDE] = {};
  double streams[kThreads * STREAM_STRIDE] = {};

  Slab() {
    for (size_t i = 0; i < kShared + 3; i++) {
      double* const node = nodes + i * NODE_STRIDE;
      node[node::INTERVAL] = 0.001;
      node[node::TAU] = 100;
      node[node::DEBT_MAX] = 1000;
    }
    for (size_t slot = 0; slot < kThreads; slot++) {
      double* const row = streams + slot * STREAM_STRIDE;
      row[stream::MODE] = mode::DROP;
      row[stream::FLAGS] = flag::IN_USE;
      row[stream::LAST_DTS] = -1;
      for (size_t i = 0; i < kOwnNodes; i++) {
        row[stream::NODE_BITRATE + i] = static_cast<double>(slot * kOwnNodes + i);
      }
      for (size_t i = 0; i < 3; i++) row[stream::NODE_CLIENT + i] = static_cast<double>(kShared + i);
    }
  }
};

void put(double* cell, double value) { __atomic_store(cell, &value, __ATOMIC_RELAXED); }

// A typed array's read.
__attribute__((no_sanitize("thread"))) double peek(const volatile double* cell) { return *cell; }

void publish(Accounting& accounting, uint32_t slot) {
  for (uint32_t i = 0; i < kCharges; i++) {
    MessageMeta message{};
    message.bytes = 1000 + slot;
    message.kind = i % 8 == 0 ? kind::VIDEO : kind::AUDIO;
    message.frames = message.all_frames = message.kind == kind::VIDEO;
    message.keyframe = i % 64 == 0;
    message.dts = i;
    const double now = i;
    accounting.admit(slot, message, now);
    if (i % 4 == 0) accounting.settle(slot, now);
    if (i % 16 == 0) accounting.owed(slot, now);
    if (i % 32 == 0) accounting.account(slot, 10, 1, 0, now);
    if (i % 32 == 1) accounting.refuse(slot, 5, 1, now);
  }
  accounting.settle(slot, kCharges);
}

// What the control loop does to live rows: new limits and modes, and reports of what was exceeded.
double control(Slab& slab, const std::atomic<uint32_t>& publishing) {
  double sum = 0;
  for (uint32_t round = 0; publishing.load(std::memory_order_relaxed) > 0; round++) {
    for (size_t i = 0; i < kShared + 3; i++) {
      double* const node = slab.nodes + i * NODE_STRIDE;
      put(node + node::INTERVAL, round % 3 == 0 ? 0 : 0.0001 * (round % 5));
      put(node + node::TAU, 50 + round % 100);
      put(node + node::DEBT_MAX, 500);
      put(node + node::TAT, round % 1000);
      sum += peek(node + node::CHARGED) + peek(node + node::VIOLATIONS) + peek(node + node::LAST_AT);
    }
    for (size_t slot = 0; slot < kThreads; slot++) {
      double* const row = slab.streams + slot * STREAM_STRIDE;
      put(row + stream::MODE, round % 4);
      put(row + stream::FLAGS, flag::IN_USE | (round % 7 == 0 ? flag::EXEMPT : 0) | (round % 2 == 0 ? flag::LOSSY : 0));
      put(row + stream::EXCEEDED, 0);
      for (uint32_t field = stream::BYTES; field < STREAM_STRIDE; field++) sum += peek(row + field);
    }
  }
  return sum;
}

TEST(accounting_loses_no_charge_between_threads) {
  Slab slab;
  Accounting accounting(slab.nodes, kShared + 3, slab.streams, kThreads);
  std::atomic<uint32_t> publishing{kThreads};
  std::vector<std::thread> threads;
  for (uint32_t slot = 0; slot < kThreads; slot++) {
    threads.emplace_back([&, slot] {
      publish(accounting, slot);
      publishing--;
    });
  }
  const double read = control(slab, publishing);
  for (std::thread& thread : threads) thread.join();
  CHECK(read >= 0);
  double bytes = 0;
  for (uint32_t slot = 0; slot < kThreads; slot++) {
    const double* const row = slab.streams + slot * STREAM_STRIDE;
    const double offered = kCharges * (1000.0 + slot) + kCharges / 32 * 10 + kCharges / 32 * 5;
    CHECK_EQ(row[stream::OFFERED_BYTES], offered);
    CHECK_EQ(row[stream::BYTES] + row[stream::DROPPED_BYTES], offered);
    CHECK_EQ(slab.nodes[slot * kOwnNodes * NODE_STRIDE + node::CHARGED], row[stream::BYTES]);
    bytes += row[stream::BYTES];
  }
  // Every byte that passed was charged to each budget the streams share, whoever was faster.
  for (size_t i = kShared; i < kShared + 3; i++) CHECK_EQ(slab.nodes[i * NODE_STRIDE + node::CHARGED], bytes);
}

}  // namespace
}  // namespace headgate::test
