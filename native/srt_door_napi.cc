#include "srt_door_napi.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#ifdef _WIN32
#include <ws2tcpip.h>
#else
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#endif

#include "napi_arguments.h"

namespace headgate {

namespace {

// JavaScript values become plain structs here and nowhere else. Each of these leaves a pending
// exception behind when it returns false.
bool read_text(const Napi::Object& from, const char* name, std::string& out) {
  const Napi::Value value = from.Get(name);
  if (value.IsUndefined()) {
    out.clear();
    return true;
  }
  if (!value.IsString()) return refuse(from.Env(), "headgate door: a text was expected");
  out = value.As<Napi::String>().Utf8Value();
  return true;
}

bool read_number(const Napi::Object& from, const char* name, double& out) {
  const Napi::Value value = from.Get(name);
  if (!value.IsNumber()) return refuse(from.Env(), "headgate door: a number was expected");
  out = value.As<Napi::Number>().DoubleValue();
  return !std::isnan(out) || refuse(from.Env(), "headgate door: a number was expected");
}

bool read_flag(const Napi::Object& from, const char* name, bool& out) {
  const Napi::Value value = from.Get(name);
  out = value.IsBoolean() && value.As<Napi::Boolean>().Value();
  return value.IsBoolean() || value.IsUndefined() || refuse(from.Env(), "headgate door: a flag was expected");
}

/// Calls `read` for every element of a list of objects.
template <typename Read>
bool read_list(const Napi::Value& list, Read read) {
  const Napi::Env env = list.Env();
  if (!list.IsArray()) return refuse(env, "headgate door: a list was expected");
  const Napi::Array array = list.As<Napi::Array>();
  const uint32_t length = array.Length();
  for (uint32_t i = 0; i < length; i++) {
    // Ten thousand elements would otherwise all be held until the call returns.
    const Napi::HandleScope scope(env);
    const Napi::Value element = array.Get(i);
    if (!read(element)) return false;
  }
  return true;
}

template <typename Read>
bool read_objects(const Napi::Value& list, Read read) {
  return read_list(list, [&](const Napi::Value& element) {
    if (!element.IsObject()) return refuse(element.Env(), "headgate door: an object was expected");
    return read(element.As<Napi::Object>());
  });
}

bool read_networks(const Napi::Value& list, std::vector<Network>& out) {
  return read_list(list, [&](const Napi::Value& element) {
    Network network{};
    if (!element.IsString() || !parse_network(element.As<Napi::String>().Utf8Value(), network)) {
      return refuse(element.Env(), "headgate door: a network was expected");
    }
    out.push_back(network);
    return true;
  });
}

bool read_key(const Napi::Object& from, DoorKey& out) {
  return read_text(from, "secret", out.secret) && read_text(from, "client", out.client) &&
         read_text(from, "tier", out.tier) && read_text(from, "name", out.name) &&
         read_text(from, "keyId", out.key_id) && read_text(from, "passphrase", out.passphrase);
}

bool read_policy(const Napi::Object& from, DoorPolicy& out) {
  std::string network;
  if (!read_text(from, "app", out.app) || !read_text(from, "stream", out.stream) ||
      !read_text(from, "network", network) || !read_text(from, "client", out.client) ||
      !read_text(from, "tier", out.tier) || !read_text(from, "passphrase", out.passphrase)) {
    return false;
  }
  out.has_network = !network.empty();
  return !out.has_network || parse_network(network, out.network) ||
         refuse(from.Env(), "headgate door: a network was expected");
}

bool read_config(const Napi::Object& from, DoorConfig& out) {
  std::string mode;
  double prefix = 0;
  if (!read_text(from, "mode", mode) || !read_number(from, "ipv6Prefix", prefix) ||
      !read_text(from, "passphrase", out.passphrase)) {
    return false;
  }
  if (mode != "open" && mode != "keys") return refuse(from.Env(), "headgate door: mode is open or keys");
  if (!(prefix >= 0 && prefix <= 128)) return refuse(from.Env(), "headgate door: ipv6Prefix is 0 to 128");
  out.keys_mode = mode == "keys";
  out.ipv6_prefix = static_cast<uint8_t>(prefix);
  return read_networks(from.Get("allow"), out.allow) && read_networks(from.Get("deny"), out.deny) &&
         read_objects(from.Get("keys"),
                      [&](const Napi::Object& key) { return read_key(key, out.keys.emplace_back()); }) &&
         read_objects(from.Get("policies"), [&](const Napi::Object& policy) {
           return read_policy(policy, out.policies.emplace_back());
         });
}

bool kind_of(const std::string& text, EntryKind& out) {
  static constexpr const char* kKinds[] = {"all", "address", "client", "key", "path", "publishers", "players"};
  for (size_t i = 0; i < sizeof kKinds / sizeof kKinds[0]; i++) {
    if (text != kKinds[i]) continue;
    out = static_cast<EntryKind>(i);
    return true;
  }
  return false;
}

/// False for text that is no address; it may have the `/64` of a limit key.
bool read_address(const std::string& text, AddressKey& out) {
  Network network{};
  if (!parse_network(text, network)) return false;
  out = network.base;
  return true;
}

// What does not matter for a kind is not asked for: a thousand entries are pushed several times a second.
bool read_subject(const Napi::Object& from, DoorEntry& out) {
  std::string address;
  switch (out.kind) {
    case EntryKind::all:
    case EntryKind::publishers:
    case EntryKind::players:
      return true;
    case EntryKind::key:
      return read_text(from, "name", out.name);
    case EntryKind::path:
      return read_text(from, "name", out.name) && read_text(from, "ownerKey", out.owner_key);
    case EntryKind::client:
      if (!read_text(from, "name", out.name)) return false;
      if (!out.name.empty()) return true;
      break;
    case EntryKind::address:
      break;
  }
  if (!read_text(from, "address", address)) return false;
  // About no address that could ever come by UDP.
  if (!read_address(address, out.address)) out.until = -std::numeric_limits<double>::infinity();
  return true;
}

bool read_entry(const Napi::Object& from, DoorEntry& out) {
  std::string kind;
  double code = 0;
  if (!read_text(from, "kind", kind) || !read_number(from, "code", code) ||
      !read_number(from, "until", out.until) || !read_flag(from, "evenExempt", out.even_exempt)) {
    return false;
  }
  if (!kind_of(kind, out.kind)) return refuse(from.Env(), "headgate door: no such kind of entry");
  if (!(code >= 1000 && code <= UINT16_MAX)) return refuse(from.Env(), "headgate door: no such code");
  out.code = static_cast<uint16_t>(code);
  return read_subject(from, out);
}

}  // namespace

std::shared_ptr<const DoorRules> read_door_rules(const Napi::Value& value) {
  DoorConfig config;
  if (!value.IsObject()) {
    refuse(value.Env(), "headgate door: an object was expected");
    return nullptr;
  }
  if (!read_config(value.As<Napi::Object>(), config)) return nullptr;
  return make_door_rules(std::move(config));
}

std::shared_ptr<const DoorEntries> read_door_entries(const Napi::Value& entries, const Napi::Value& version) {
  const Napi::Env env = entries.Env();
  double number = version.IsNumber() ? version.As<Napi::Number>().DoubleValue() : -1;
  if (!(number >= 0 && number <= 9007199254740991)) {
    refuse(env, "headgate door: a version was expected");
    return nullptr;
  }
  std::vector<DoorEntry> read;
  if (!read_objects(entries, [&](const Napi::Object& entry) { return read_entry(entry, read.emplace_back()); })) {
    return nullptr;
  }
  return make_door_entries(static_cast<uint64_t>(number), std::move(read));
}

namespace {

bool socket_address(const std::string& text, sockaddr_storage& out) {
  out = {};
  auto* const ipv4 = reinterpret_cast<sockaddr_in*>(&out);
  auto* const ipv6 = reinterpret_cast<sockaddr_in6*>(&out);
  if (inet_pton(AF_INET, text.c_str(), &ipv4->sin_addr) == 1) {
    out.ss_family = AF_INET;
  } else if (inet_pton(AF_INET6, text.c_str(), &ipv6->sin6_addr) == 1) {
    out.ss_family = AF_INET6;
  } else {
    return false;
  }
  return true;
}

class SrtDoorProbe : public Napi::ObjectWrap<SrtDoorProbe> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "SrtDoorProbe",
                       {InstanceMethod<&SrtDoorProbe::set_rules>("setRules"),
                        InstanceMethod<&SrtDoorProbe::set_entries>("setEntries"),
                        InstanceMethod<&SrtDoorProbe::judge>("judge"),
                        InstanceMethod<&SrtDoorProbe::time>("time")});
  }

  explicit SrtDoorProbe(const Napi::CallbackInfo& call) : Napi::ObjectWrap<SrtDoorProbe>(call) {}

 private:
  // (rules)
  Napi::Value set_rules(const Napi::CallbackInfo& call) {
    if (std::shared_ptr<const DoorRules> rules = read_door_rules(call[0])) door_.install(std::move(rules));
    return {};
  }

  // (entries, version)
  Napi::Value set_entries(const Napi::CallbackInfo& call) {
    if (std::shared_ptr<const DoorEntries> entries = read_door_entries(call[0], call[1])) {
      door_.install(std::move(entries));
    }
    return {};
  }

  // (ip, streamId: Uint8Array, now) -> verdict
  Napi::Value judge(const Napi::CallbackInfo& call) {
    const Napi::Env env = call.Env();
    sockaddr_storage peer;
    if (!call[0].IsString() || !socket_address(call[0].As<Napi::String>().Utf8Value(), peer) ||
        !call[1].IsTypedArray() || !call[2].IsNumber()) {
      refuse(env, "headgate door: an address, a stream id and a time were expected");
      return {};
    }
    const Napi::Uint8Array id = call[1].As<Napi::Uint8Array>();
    DoorVerdict verdict;
    door_.judge(reinterpret_cast<const sockaddr*>(&peer), reinterpret_cast<const char*>(id.Data()),
                id.ByteLength(), call[2].As<Napi::Number>().DoubleValue(), verdict);
    Napi::Object out = Napi::Object::New(env);
    out.Set("code", verdict.code);
    out.Set("cause", verdict.cause);
    out.Set("version", static_cast<double>(verdict.version));
    out.Set("play", verdict.play);
    out.Set("path", verdict.path);
    out.Set("client", verdict.client);
    out.Set("passphrase", verdict.passphrase);
    out.Set("streamIdError", stream_id_error_name(verdict.stream_id_error));
    return out;
  }

  // (ips: string[], streamIds: string[], rounds, now) -> ns per judgement, the least of all rounds. One
  // call, so that what it takes is the door's own time.
  Napi::Value time(const Napi::CallbackInfo& call) {
    const Napi::Env env = call.Env();
    std::vector<sockaddr_storage> peers;
    std::vector<std::string> ids;
    const auto read_peer = [&](const Napi::Value& ip) {
      return (ip.IsString() && socket_address(ip.As<Napi::String>().Utf8Value(), peers.emplace_back())) ||
             refuse(env, "headgate door: an address was expected");
    };
    const auto read_id = [&](const Napi::Value& id) {
      if (!id.IsString()) return refuse(env, "headgate door: a text was expected");
      ids.push_back(id.As<Napi::String>().Utf8Value());
      return true;
    };
    if (!read_list(call[0], read_peer) || !read_list(call[1], read_id)) return {};
    if (peers.empty() || ids.empty() || !call[2].IsNumber() || !call[3].IsNumber()) {
      refuse(env, "headgate door: addresses, stream ids, rounds and a time were expected");
      return {};
    }
    const uint32_t rounds = call[2].As<Napi::Number>().Uint32Value();
    const double now = call[3].As<Napi::Number>().DoubleValue();
    DoorVerdict verdict;
    double best = std::numeric_limits<double>::infinity();
    for (uint32_t round = 0; round < rounds; round++) {
      const auto began = std::chrono::steady_clock::now();
      for (size_t i = 0; i < ids.size(); i++) {
        door_.judge(reinterpret_cast<const sockaddr*>(&peers[i % peers.size()]), ids[i].data(), ids[i].size(),
                    now, verdict);
      }
      const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - began;
      best = std::min(best, took.count() / static_cast<double>(ids.size()));
    }
    return Napi::Number::New(env, best);
  }

  SrtDoor door_;
};

}  // namespace

Napi::Function define_srt_door_probe(Napi::Env env) { return SrtDoorProbe::define(env); }

}  // namespace headgate
