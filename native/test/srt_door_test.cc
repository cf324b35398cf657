// Who is let in at the door, and who is told what.
#include "../srt_door.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <limits>
#include <string>

#include "check.h"

namespace headgate::test {
namespace {

constexpr double kNow = 1000;
constexpr double kForever = std::numeric_limits<double>::infinity();

AddressKey key_of(const char* text) {
  Network network{};
  CHECK(parse_network(text, network));
  return network.base;
}

Network network_of(const char* text) {
  Network network{};
  CHECK(parse_network(text, network));
  return network;
}

struct Peer {
  explicit Peer(const char* text) {
    auto* const ipv4 = reinterpret_cast<sockaddr_in*>(&storage);
    auto* const ipv6 = reinterpret_cast<sockaddr_in6*>(&storage);
    storage.ss_family = inet_pton(AF_INET, text, &ipv4->sin_addr) == 1 ? AF_INET : AF_INET6;
    if (storage.ss_family == AF_INET6) inet_pton(AF_INET6, text, &ipv6->sin6_addr);
  }
  sockaddr_storage storage{};
};

class Rig {
 public:
  explicit Rig(DoorConfig config = {}) { door_.install(make_door_rules(std::move(config))); }

  void entries(std::vector<DoorEntry> entries, uint64_t version = 1) {
    door_.install(make_door_entries(version, std::move(entries)));
  }

  const DoorVerdict& judge(const std::string& stream_id, const char* ip = "192.0.2.1", double now = kNow) {
    const Peer peer(ip);
    door_.judge(reinterpret_cast<const sockaddr*>(&peer.storage), stream_id.data(), stream_id.size(), now, verdict);
    CHECK(verdict.passphrase.empty() || verdict.code == srt_code::IN);
    CHECK_EQ(verdict.code == srt_code::IN, verdict.cause == door_cause::NONE);
    return verdict;
  }

  uint16_t code(const std::string& stream_id, const char* ip = "192.0.2.1", double now = kNow) {
    return judge(stream_id, ip, now).code;
  }

  DoorVerdict verdict;

 private:
  SrtDoor door_;
};

DoorEntry entry(EntryKind kind, uint16_t code, double until = kForever) {
  DoorEntry made;
  made.kind = kind;
  made.code = code;
  made.until = until;
  return made;
}

DoorEntry named(EntryKind kind, const char* name, uint16_t code, double until = kForever) {
  DoorEntry made = entry(kind, code, until);
  made.name = name;
  return made;
}

DoorEntry about(EntryKind kind, const char* address, uint16_t code, double until = kForever) {
  DoorEntry made = entry(kind, code, until);
  made.address = key_of(address);
  return made;
}

DoorEntry live(const char* path, const char* owner_key) {
  DoorEntry made = named(EntryKind::path, path, srt_code::CONFLICT);
  made.owner_key = owner_key;
  return made;
}

DoorConfig keys_mode() {
  DoorConfig config;
  config.keys_mode = true;
  config.keys = {{"k-alice-1", "alice", "pro", "alice-1", "id-1", ""},
                 {"k-alice-2", "alice", "pro", "stage", "id-2", "alice's own one"},
                 {"k-bob-1", "bob", "", "bob-1", "id-3", ""}};
  return config;
}

TEST(door_lets_nobody_in_before_there_are_rules) {
  SrtDoor door;
  DoorVerdict verdict;
  const Peer peer("192.0.2.1");
  door.judge(reinterpret_cast<const sockaddr*>(&peer.storage), "cam1", 4, kNow, verdict);
  CHECK_EQ(verdict.code, srt_code::DOWN);
  CHECK_EQ(verdict.cause, door_cause::NOT_READY);
}

TEST(door_in_open_mode) {
  Rig rig;
  CHECK_EQ(rig.code("live/cam1"), srt_code::IN);
  CHECK_EQ(rig.verdict.path == "/live/cam1", true);
  CHECK_EQ(rig.verdict.client == "192.0.2.1", true);
  CHECK(!rig.verdict.play && rig.verdict.id.app == "live" && rig.verdict.id.name == "cam1");
  CHECK_EQ(rig.code("live/cam1", "2001:db8:0:1:2:3:4:5"), srt_code::IN);
  CHECK_EQ(rig.verdict.client == "2001:db8:0:1::/64", true);
  CHECK_EQ(rig.code("live/cam1", "::ffff:192.0.2.9"), srt_code::IN);
  CHECK_EQ(rig.verdict.client == "192.0.2.9", true);
  CHECK_EQ(rig.code("live/not.public"), srt_code::BAD_REQUEST);
  CHECK(rig.verdict.stream_id_error == StreamIdError::bad_name && rig.verdict.path.empty());
  CHECK_EQ(rig.code(""), srt_code::BAD_REQUEST);
  CHECK_EQ(rig.verdict.cause, door_cause::BAD_STREAM_ID);
  CHECK(rig.verdict.stream_id_error == StreamIdError::empty);
}

TEST(door_refuses_what_is_no_address) {
  Rig rig;
  SrtDoor door;
  door.install(make_door_rules({}));
  sockaddr_storage odd{};
  odd.ss_family = AF_UNIX;
  door.judge(reinterpret_cast<const sockaddr*>(&odd), "cam1", 4, kNow, rig.verdict);
  CHECK_EQ(rig.verdict.code, srt_code::FORBIDDEN);
  door.judge(nullptr, "cam1", 4, kNow, rig.verdict);
  CHECK_EQ(rig.verdict.code, srt_code::FORBIDDEN);
}

TEST(door_in_keys_mode_shows_public_names) {
  Rig rig(keys_mode());
  CHECK_EQ(rig.code("live/k-alice-1"), srt_code::IN);
  CHECK(rig.verdict.path == "/live/alice-1" && rig.verdict.client == "alice");
  CHECK_EQ(rig.code("#!::r=live/mine,m=publish,s=k-alice-1"), srt_code::IN);
  CHECK(rig.verdict.path == "/live/mine");
  CHECK_EQ(rig.code("live/k-alice-1?key=k-alice-1"), srt_code::IN);
  CHECK(rig.verdict.path == "/live/alice-1");
  CHECK_EQ(rig.code("live/stage?key=k-alice-1"), srt_code::IN);
}

TEST(door_in_keys_mode_refuses_wrong_keys_without_a_trace) {
  Rig rig(keys_mode());
  for (const char* id : {"live/k-alice-9", "live/cam1", "live/cam1?key=wrong", "live/k-alice-1?key=wrong",
                         "live/k-alice-1?key=k-alice-2", "live/bob-1?key=k-alice-1", "live/alice-1"}) {
    report(rig.code(id) == srt_code::UNAUTHORIZED, __FILE__, __LINE__, id);
    CHECK_EQ(rig.verdict.cause, door_cause::UNKNOWN_KEY);
    CHECK(rig.verdict.path.empty() && rig.verdict.client.empty());
  }
  CHECK_EQ(rig.code("live/not.public?key=k-alice-1"), srt_code::BAD_REQUEST);
  CHECK(rig.verdict.path.empty());
}

TEST(door_takes_the_last_of_two_equal_keys) {
  DoorConfig config = keys_mode();
  config.keys.push_back({"k-alice-1", "carol", "", "alice-1", "id-4", ""});
  Rig rig(config);
  CHECK_EQ(rig.code("live/k-alice-1"), srt_code::IN);
  CHECK(rig.verdict.client == "carol");
  CHECK_EQ(rig.code("live/alice-1?key=k-alice-2"), srt_code::UNAUTHORIZED);
}

TEST(door_asks_the_deny_list_first_and_spares_the_allow_list) {
  DoorConfig config;
  config.deny = {network_of("203.0.113.7"), network_of("2001:db8::/32"), network_of("192.0.2.8/29")};
  config.allow = {network_of("192.0.2.0/24"), network_of("::1")};
  Rig rig(config);
  CHECK_EQ(rig.code("cam1", "203.0.113.7"), srt_code::FORBIDDEN);
  CHECK_EQ(rig.verdict.cause, door_cause::DENIED);
  CHECK_EQ(rig.code("cam1", "203.0.113.8"), srt_code::IN);
  CHECK_EQ(rig.code("cam1", "2001:db8:1::1"), srt_code::FORBIDDEN);
  CHECK_EQ(rig.code("cam1", "192.0.2.9"), srt_code::FORBIDDEN);
  rig.entries({entry(EntryKind::all, srt_code::OVERLOAD), entry(EntryKind::publishers, srt_code::OVERLOAD)});
  CHECK_EQ(rig.code("cam1", "203.0.113.8"), srt_code::OVERLOAD);
  CHECK_EQ(rig.code("cam1", "192.0.2.1"), srt_code::IN);
  CHECK_EQ(rig.code("cam1", "::1"), srt_code::IN);
  DoorEntry draining = entry(EntryKind::all, srt_code::DOWN);
  draining.even_exempt = true;
  rig.entries({entry(EntryKind::all, srt_code::OVERLOAD), draining}, 7);
  CHECK_EQ(rig.code("cam1", "192.0.2.1"), srt_code::DOWN);
  CHECK_EQ(rig.verdict.cause, 2);
  CHECK_EQ(rig.verdict.version, 7u);
  CHECK_EQ(rig.code("cam1", "203.0.113.8"), srt_code::OVERLOAD);
  CHECK_EQ(rig.verdict.cause, 1);
}

TEST(door_tells_the_first_entry_that_holds) {
  Rig rig;
  rig.entries({named(EntryKind::key, "192.0.2.1 /live/cam1", srt_code::FORBIDDEN, kNow),
               about(EntryKind::address, "192.0.2.1", srt_code::FORBIDDEN, kNow + 5),
               entry(EntryKind::all, srt_code::DOWN, kNow + 10)});
  CHECK_EQ(rig.judge("live/cam1").cause, 2);
  CHECK_EQ(rig.judge("live/cam1", "192.0.2.1", kNow + 4.999).cause, 2);
  CHECK_EQ(rig.judge("live/cam1", "192.0.2.1", kNow + 5).cause, 3);
  CHECK_EQ(rig.judge("live/cam1", "192.0.2.2").cause, 3);
  CHECK_EQ(rig.judge("live/cam1", "192.0.2.1", kNow + 10).cause, 0);
  // Refused at connect: nothing of the stream id is read.
  CHECK(rig.judge("live/cam1").path.empty() && rig.verdict.id.name.empty());
}

TEST(door_holds_ipv6_by_its_network) {
  DoorConfig config;
  config.ipv6_prefix = 56;
  Rig rig(config);
  rig.entries({about(EntryKind::address, "2001:db8:0:100::/56", srt_code::OVERLOAD)});
  CHECK_EQ(rig.code("cam1", "2001:db8:0:1ff::9"), srt_code::OVERLOAD);
  CHECK_EQ(rig.code("cam1", "2001:db8:0:200::9"), srt_code::IN);
}

TEST(door_refuses_clients_keys_and_everybody_who_would_publish) {
  Rig rig(keys_mode());
  rig.entries({named(EntryKind::key, "id-1", srt_code::FORBIDDEN), named(EntryKind::client, "alice", srt_code::OVERLOAD)});
  CHECK_EQ(rig.judge("live/k-alice-1").cause, 1);
  CHECK(rig.verdict.path == "/live/alice-1" && rig.verdict.client == "alice");
  CHECK_EQ(rig.judge("live/k-alice-2").cause, 2);
  CHECK_EQ(rig.code("live/k-bob-1"), srt_code::IN);
  rig.entries({entry(EntryKind::publishers, srt_code::OVERLOAD)});
  CHECK_EQ(rig.code("live/k-bob-1"), srt_code::OVERLOAD);

  Rig open;
  open.entries({about(EntryKind::client, "192.0.2.1", srt_code::OVERLOAD),
                named(EntryKind::key, "192.0.2.2 /live/cam1", srt_code::FORBIDDEN)});
  CHECK_EQ(open.code("cam1", "192.0.2.1"), srt_code::OVERLOAD);
  CHECK_EQ(open.code("cam1", "192.0.2.2"), srt_code::FORBIDDEN);
  CHECK_EQ(open.code("cam2", "192.0.2.2"), srt_code::IN);
}

TEST(door_lets_the_owner_of_a_path_come_back) {
  Rig rig(keys_mode());
  rig.entries({named(EntryKind::client, "alice", srt_code::OVERLOAD), live("/live/alice-1", "id-1"),
               entry(EntryKind::publishers, srt_code::OVERLOAD)});
  CHECK_EQ(rig.code("live/k-alice-1"), srt_code::IN);
  CHECK_EQ(rig.judge("live/k-alice-2").cause, 1);
  CHECK_EQ(rig.judge("live/alice-1?key=k-alice-2").cause, 1);
  rig.entries({live("/live/alice-1", "id-1")});
  CHECK_EQ(rig.code("live/alice-1?key=k-alice-2"), srt_code::CONFLICT);
  rig.entries({live("/live/alice-1", "id-1"), named(EntryKind::key, "id-1", srt_code::FORBIDDEN)});
  CHECK_EQ(rig.code("live/k-alice-1"), srt_code::FORBIDDEN);

  Rig open;
  open.entries({live("/live/cam1", "192.0.2.1 /live/cam1")});
  CHECK_EQ(open.code("cam1", "192.0.2.1"), srt_code::IN);
  CHECK_EQ(open.code("cam1", "192.0.2.2"), srt_code::CONFLICT);
  open.entries({live("/live/cam1", "")});
  CHECK_EQ(open.code("cam1", "192.0.2.1"), srt_code::CONFLICT);
}

TEST(door_shows_players_what_is_live) {
  Rig rig(keys_mode());
  rig.entries({live("/live/alice-1", "id-1"), entry(EntryKind::publishers, srt_code::OVERLOAD)});
  CHECK_EQ(rig.code("read:live/alice-1"), srt_code::IN);
  CHECK(rig.verdict.play && rig.verdict.path == "/live/alice-1" && rig.verdict.client.empty());
  // A path whose refusal has run out is live nevertheless.
  CHECK_EQ(rig.code("read:live/alice-1", "192.0.2.1", kForever), srt_code::IN);
  CHECK_EQ(rig.code("#!::r=live/k-alice-1"), srt_code::NOT_FOUND);
  CHECK_EQ(rig.verdict.cause, door_cause::NO_SUCH_STREAM);
  CHECK(rig.verdict.path.empty());
  CHECK_EQ(rig.code("read:live/not.public"), srt_code::BAD_REQUEST);
  rig.entries({entry(EntryKind::players, srt_code::OVERLOAD), live("/live/alice-1", "id-1")});
  CHECK_EQ(rig.code("read:live/alice-1"), srt_code::OVERLOAD);
  CHECK_EQ(rig.code("live/k-alice-1"), srt_code::IN);
  // The cap on players spares nobody.
  DoorConfig exempt = keys_mode();
  exempt.allow = {network_of("192.0.2.0/24")};
  Rig spared(exempt);
  spared.entries({entry(EntryKind::players, srt_code::OVERLOAD), live("/live/alice-1", "id-1")});
  CHECK_EQ(spared.code("read:live/alice-1"), srt_code::OVERLOAD);

  Rig open;
  CHECK_EQ(open.code("read:live/cam1"), srt_code::NOT_FOUND);
  CHECK(open.verdict.path == "/live/cam1");
}

TEST(door_knows_whose_passphrase_is_asked_for) {
  DoorConfig config = keys_mode();
  config.passphrase = "the listener's one";
  DoorPolicy vip;
  vip.app = "vip*";
  vip.tier = "pro";
  vip.passphrase = "of the vip app";
  DoorPolicy lan;
  lan.has_network = true;
  lan.network = network_of("10.0.0.0/8");
  DoorPolicy show;
  show.stream = "sho?";
  show.passphrase = "of the show";
  config.policies = {vip, lan, show};
  Rig rig(config);
  const auto passphrase = [&](const char* id, const char* ip = "192.0.2.1") { return rig.judge(id, ip).passphrase; };
  CHECK(passphrase("live/k-alice-1") == "the listener's one");
  CHECK(passphrase("live/k-alice-2") == "alice's own one");
  CHECK(passphrase("vip2/k-alice-2") == "of the vip app");
  CHECK(passphrase("vip2/k-bob-1") == "the listener's one");
  CHECK(passphrase("live/k-alice-2", "10.1.2.3").empty());
  CHECK(passphrase("live/show?key=k-alice-2") == "of the show");
  CHECK(passphrase("live/k-alice-9").empty());
  rig.entries({live("/live/show", "id-2"), live("/vip1/stage", "id-2")});
  CHECK(passphrase("read:live/show") == "of the show");
  CHECK(passphrase("read:vip1/stage") == "the listener's one");
}

TEST(door_leaves_nothing_of_the_last_caller_in_the_verdict) {
  DoorConfig config = keys_mode();
  config.passphrase = "the listener's one";
  Rig rig(config);
  rig.judge("#!::r=live/mine,m=publish,s=k-alice-1,u=alice");
  CHECK(rig.verdict.id.key == "k-alice-1");
  rig.entries({entry(EntryKind::all, srt_code::OVERLOAD)});
  rig.judge("");
  const DoorVerdict& verdict = rig.verdict;
  CHECK(verdict.id.app.empty() && verdict.id.name.empty() && verdict.id.key.empty() && verdict.id.user.empty());
  CHECK(verdict.path.empty() && verdict.client.empty() && verdict.passphrase.empty() && !verdict.play);
}

TEST(door_finds_each_of_ten_thousand_keys) {
  DoorConfig config;
  config.keys_mode = true;
  for (int i = 0; i < 10'000; i++) {
    const std::string number = std::to_string(i);
    config.keys.push_back({"secret-" + number, "c" + number, "", "n" + number, "id" + number, ""});
  }
  Rig rig(config);
  for (int i = 0; i < 10'000; i += 7) {
    const std::string number = std::to_string(i);
    CHECK_EQ(rig.code("live/secret-" + number), srt_code::IN);
    CHECK(rig.verdict.path == "/live/n" + number);
    CHECK_EQ(rig.code("live/secret-x" + number), srt_code::UNAUTHORIZED);
  }
}

}  // namespace
}  // namespace headgate::test
