// What becomes of events on their way to JavaScript: equal ones counted, too many of them told as lost.
#include "../srt_event_queue.h"

#include "check.h"

namespace headgate::test {
namespace {

SrtEvent refused(const char* ip, int32_t cause, uint64_t version) {
  SrtEvent event(SrtEventType::refused);
  event.ip = ip;
  event.cause = cause;
  event.version = version;
  return event;
}

std::vector<SrtEvent> taken(SrtEventQueue& queue) {
  std::vector<SrtEvent> out;
  queue.take(out, 0);
  return out;
}

TEST(equal_refusals_become_one_with_a_count) {
  SrtEventQueue queue;
  for (int i = 0; i < 3; i++) queue.push_refused(refused("192.0.2.1", 4, 7));
  queue.push_refused(refused("192.0.2.2", 4, 7));
  const std::vector<SrtEvent> out = taken(queue);
  CHECK_EQ(out.size(), 2u);
  CHECK_EQ(out[0].count, 3u);
  CHECK_EQ(out[1].count, 1u);
  queue.push_refused(refused("192.0.2.1", 4, 7));
  CHECK_EQ(taken(queue)[0].count, 1u);
}

// Entry 4 of one version and entry 4 of the next are different refusals; so are two faults of stream ids.
TEST(refusals_for_different_reasons_stay_apart) {
  SrtEventQueue queue;
  queue.push_refused(refused("192.0.2.1", 4, 7));
  queue.push_refused(refused("192.0.2.1", 4, 8));
  SrtEvent empty = refused("192.0.2.1", -1, 8);
  empty.stream_id_error = StreamIdError::empty;
  queue.push_refused(empty);
  SrtEvent bad = refused("192.0.2.1", -1, 8);
  bad.stream_id_error = StreamIdError::bad_mode;
  queue.push_refused(bad);
  const std::vector<SrtEvent> out = taken(queue);
  CHECK_EQ(out.size(), 4u);
  for (const SrtEvent& event : out) CHECK_EQ(event.count, 1u);
}

TEST(what_has_no_room_is_counted_and_told_last) {
  SrtEventQueue queue;
  for (size_t i = 0; i < SrtEventQueue::kBoundedMax + 5; i++) {
    queue.push_refused(refused(std::to_string(i).c_str(), 1, 1));
  }
  queue.push_log(4, "a line");
  queue.push(SrtEvent(SrtEventType::closed));
  const std::vector<SrtEvent> out = taken(queue);
  CHECK_EQ(out.size(), SrtEventQueue::kBoundedMax + 2);
  CHECK(out[out.size() - 2].type == SrtEventType::closed);
  CHECK(out.back().type == SrtEventType::lost);
  CHECK_EQ(out.back().events_lost, 6u);
  CHECK(queue.is_empty());
}

}  // namespace
}  // namespace headgate::test
