// What only C++ can show of the accounting: threads on one node, tables at their edges, and every
// road under the sanitizers. What it decides is told by test/contract/accounting.contract.ts.
#include "../accounting.h"

#include <cmath>
#include <limits>
#include <thread>
#include <vector>

#include "check.h"

namespace {

using headgate::Accounting;
using headgate::MessageMeta;
using headgate::NODE_STRIDE;
using headgate::STREAM_STRIDE;
namespace constraint = headgate::constraint;
namespace flag = headgate::flag;
namespace kind = headgate::kind;
namespace mode = headgate::mode;
namespace node = headgate::node;
namespace stream = headgate::stream;

constexpr uint32_t NODES_PER_STREAM = 4;
constexpr uint32_t PARENTS = 3;

// Streams with nodes of their own behind three shared ones; exactly as long as needed, so that
// AddressSanitizer sees a row too far.
struct Tables {
  explicit Tables(uint32_t stream_rows)
      : nodes((PARENTS + stream_rows * NODES_PER_STREAM) * NODE_STRIDE),
        streams(stream_rows * STREAM_STRIDE),
        accounting(nodes.data(), nodes.size() / NODE_STRIDE, streams.data(), stream_rows) {
    for (uint32_t slot = 0; slot < stream_rows; slot++) {
      for (uint32_t limit = 0; limit <= constraint::GLOBAL_BANDWIDTH; limit++) {
        at(slot, stream::NODE_BITRATE + limit) = node_number(slot, limit);
      }
      at(slot, stream::FLAGS) = flag::IN_USE;
      at(slot, stream::LAST_DTS) = -1;
    }
  }

  static uint32_t node_number(uint32_t slot, uint32_t limit) {
    return limit < NODES_PER_STREAM ? PARENTS + slot * NODES_PER_STREAM + limit
                                    : limit - NODES_PER_STREAM;
  }

  double& at(uint32_t slot, uint32_t field) { return streams[slot * STREAM_STRIDE + field]; }

  double& at_node(uint32_t slot, uint32_t limit, uint32_t field) {
    return nodes[node_number(slot, limit) * NODE_STRIDE + field];
  }

  void limit(uint32_t slot, uint32_t limit, double interval, double tau, double debt_max) {
    at_node(slot, limit, node::INTERVAL) = interval;
    at_node(slot, limit, node::TAU) = tau;
    at_node(slot, limit, node::DEBT_MAX) = debt_max;
  }

  std::vector<double> nodes;
  std::vector<double> streams;
  Accounting accounting;
};

MessageMeta frame(uint32_t bytes, bool keyframe, double dts) {
  MessageMeta message{};
  message.bytes = bytes;
  message.kind = kind::VIDEO;
  message.frames = 1;
  message.all_frames = 1;
  message.keyframe = keyframe;
  message.dts = dts;
  return message;
}

}  // namespace

TEST(accounting_loses_no_charge_of_streams_on_different_threads) {
  constexpr uint32_t THREADS = 4;
  constexpr uint32_t READS = 50000;
  Tables tables(THREADS);
  // Powers of two: every sum is exact, so one lost charge shows.
  tables.limit(0, constraint::CLIENT_BANDWIDTH, 0.25, 1024, 1e15);
  tables.limit(0, constraint::GLOBAL_BANDWIDTH, 0.5, 1024, 1e15);
  std::vector<std::thread> threads;
  for (uint32_t slot = 0; slot < THREADS; slot++) {
    tables.at(slot, stream::MODE) = mode::THROTTLE;
    threads.emplace_back([&tables, slot] {
      for (uint32_t read = 0; read < READS; read++) {
        tables.accounting.admit(slot, frame(64, false, 0), 0);
        tables.accounting.settle(slot, 0);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const double bytes = 64.0 * READS * THREADS;
  CHECK_EQ(tables.at_node(0, constraint::CLIENT_BANDWIDTH, node::CHARGED), bytes);
  CHECK_EQ(tables.at_node(0, constraint::CLIENT_BANDWIDTH, node::TAT), bytes * 0.25);
  CHECK_EQ(tables.at_node(0, constraint::GLOBAL_BANDWIDTH, node::CHARGED), bytes);
  CHECK_EQ(tables.at_node(0, constraint::GLOBAL_BANDWIDTH, node::TAT), bytes * 0.5);
  // The first 32 charges of the server's node conform, and no other.
  CHECK_EQ(tables.at_node(0, constraint::GLOBAL_BANDWIDTH, node::VIOLATIONS),
           static_cast<double>(READS * THREADS - 32));
  for (uint32_t slot = 0; slot < THREADS; slot++) {
    CHECK_EQ(tables.at(slot, stream::BYTES), 64.0 * READS);
  }
}

TEST(accounting_in_drop_mode_on_threads_overshoots_by_a_message_each) {
  constexpr uint32_t THREADS = 4;
  Tables tables(THREADS);
  tables.limit(0, constraint::GLOBAL_BANDWIDTH, 1, 1000, 1e9);
  std::vector<std::thread> threads;
  for (uint32_t slot = 0; slot < THREADS; slot++) {
    tables.at(slot, stream::MODE) = mode::DROP;
    threads.emplace_back([&tables, slot] {
      for (uint32_t i = 0; i < 20000; i++) tables.accounting.admit(slot, frame(10, false, i), 0);
    });
  }
  for (std::thread& thread : threads) thread.join();
  const double admitted = tables.at_node(0, constraint::GLOBAL_BANDWIDTH, node::CHARGED);
  CHECK(admitted >= 1000 && admitted <= 1000 + 10 * THREADS);
}

TEST(accounting_ignores_rows_and_nodes_beyond_the_tables) {
  Tables tables(1);
  const double wrong[] = {-1, 1e300, -1e300, static_cast<double>(tables.nodes.size() / NODE_STRIDE),
                          std::nan(""), std::numeric_limits<double>::infinity()};
  for (const double number : wrong) {
    for (uint32_t limit = 0; limit <= constraint::GLOBAL_BANDWIDTH; limit++) {
      tables.at(0, stream::NODE_BITRATE + limit) = number;
    }
    for (const uint32_t how : {mode::THROTTLE, mode::DROP}) {
      tables.at(0, stream::MODE) = how;
      CHECK(tables.accounting.admit(0, frame(UINT32_MAX, true, 5), 1));
      CHECK_EQ(tables.accounting.settle(0, 1), 0.0);
    }
  }
  for (const uint32_t slot : {1u, UINT32_MAX}) {
    CHECK(tables.accounting.admit(slot, frame(1, true, 0), 0));
    CHECK_EQ(tables.accounting.settle(slot, 0), 0.0);
    CHECK_EQ(tables.accounting.account(slot, 1, 1, 1, 0), 0.0);
  }
}

TEST(accounting_of_a_read_charges_once_what_its_messages_add_up_to) {
  Tables tables(1);
  tables.at(0, stream::MODE) = mode::THROTTLE;
  tables.limit(0, constraint::STREAM_BITRATE, 1, 1000, 500);
  tables.limit(0, constraint::STREAM_PACKET_RATE, 500, 1000, 500);
  CHECK(tables.accounting.admit(0, frame(600, true, 0), 10));
  CHECK(tables.accounting.admit(0, frame(600, false, 33), 10));
  CHECK_EQ(tables.at_node(0, constraint::STREAM_BITRATE, node::CHARGED), 0.0);
  CHECK_EQ(tables.accounting.settle(0, 10), 200.0);
  CHECK_EQ(tables.accounting.settle(0, 10), 0.0);
  CHECK_EQ(tables.at_node(0, constraint::STREAM_BITRATE, node::TAT), 1210.0);
  CHECK_EQ(tables.at_node(0, constraint::STREAM_PACKET_RATE, node::CHARGED), 2.0);
  CHECK_EQ(tables.at(0, stream::EXCEEDED), 1.0);
  CHECK_EQ(tables.at(0, stream::VIOLATIONS), 1.0);
}

TEST(accounting_drops_to_the_next_keyframe) {
  Tables tables(1);
  tables.at(0, stream::MODE) = mode::DROP;
  tables.limit(0, constraint::STREAM_FPS_WALL, 100, 300, 500);
  CHECK(tables.accounting.admit(0, frame(1, true, 0), 0));
  CHECK(tables.accounting.admit(0, frame(1, false, 33), 0));
  CHECK(tables.accounting.admit(0, frame(1, false, 66), 0));
  CHECK(!tables.accounting.admit(0, frame(1, false, 99), 0));
  CHECK(!tables.accounting.admit(0, frame(1, false, 132), 1000));
  CHECK(tables.accounting.admit(0, frame(1, true, 165), 1000));
  CHECK_EQ(tables.at(0, stream::DROPPED_FRAMES), 2.0);
  CHECK_EQ(tables.at(0, stream::FRAMES), 4.0);
}
