// The tables of the door as JavaScript gives them, and the door by itself for tests and benchmarks.
#ifndef HEADGATE_SRT_DOOR_NAPI_H_
#define HEADGATE_SRT_DOOR_NAPI_H_

#include <napi.h>

#include <memory>

#include "srt_door.h"

namespace headgate {

// Rules: {
//   mode: 'open' | 'keys', ipv6Prefix: number, passphrase: string,
//   allow: string[], deny: string[],                                        networks, `10.0.0.0/8`
//   keys: { secret, client, tier, name, keyId, passphrase: string }[],
//   policies: { app, stream, network, client, tier, passphrase: string }[]
// }
// Entries: { kind: EntryKind as text, code: number, until: number (monotonic ms, or Infinity), and where
//   they matter: name, address, ownerKey: string, evenExempt: boolean }[]
// Texts that are '' or undefined are absent. Addresses are texts of `ipKey`; an entry of an address that
// cannot be read (`unknown`) keeps its number and refuses nobody.

/// Null, with a TypeError pending, for anything else.
std::shared_ptr<const DoorRules> read_door_rules(const Napi::Value& value);
std::shared_ptr<const DoorEntries> read_door_entries(const Napi::Value& entries, const Napi::Value& version);

/// The class `SrtDoorProbe`: setRules(rules), setEntries(entries, version), judge(ip, streamId: Uint8Array,
/// now) -> verdict, time(ips, streamIds, rounds, now) -> ns per judgement.
Napi::Function define_srt_door_probe(Napi::Env env);

}  // namespace headgate

#endif  // HEADGATE_SRT_DOOR_NAPI_H_
