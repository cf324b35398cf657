// Arbitrary stream ids through the parser and the door.
//
// What parses must be usable where names go unescaped, come back from a standard form made of it, and be
// judged alike by both modes of the door; what does not parse must leave nothing of itself behind.
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "../srt_door.h"

namespace {

using headgate::StreamId;
using headgate::StreamIdError;

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

bool only(const std::string& text, const char* more) {
  for (const char byte : text) {
    const bool plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9');
    if (!plain && std::string(more).find(byte) == std::string::npos) return false;
  }
  return true;
}

bool is_empty(const StreamId& id) {
  return id.app.empty() && id.name.empty() && id.key.empty() && id.user.empty() && !id.play && !id.mode_given;
}

bool equal(const StreamId& a, const StreamId& b) {
  return a.app == b.app && a.name == b.name && a.key == b.key && a.user == b.user && a.play == b.play;
}

void write_and_read_again(const StreamId& id) {
  // Keys and users may hold what separates pairs, where the form they came in has other separators.
  if ((id.key + id.user).find(',') != std::string::npos) return;
  const std::string text = "#!::r=" + id.app + "/" + id.name + (id.play ? ",m=request" : ",m=publish") +
                           (id.key.empty() ? "" : ",s=" + id.key) + (id.user.empty() ? "" : ",u=" + id.user);
  if (text.size() > headgate::kStreamIdBytesMax) return;
  StreamId again;
  require(headgate::parse_stream_id(text.data(), text.size(), again) == StreamIdError::none, "its standard form");
  require(equal(id, again), "it differs from its standard form");
}

void judge(bool keys_mode, const char* bytes, size_t length, const StreamId& id, StreamIdError error) {
  headgate::DoorConfig config;
  config.keys_mode = keys_mode;
  config.keys = {{"a", "alice", "", "alice-1", "id", ""}};
  headgate::SrtDoor door;
  door.install(headgate::make_door_rules(config));
  sockaddr_in peer{};
  peer.sin_family = AF_INET;
  headgate::DoorVerdict verdict;
  door.judge(reinterpret_cast<const sockaddr*>(&peer), bytes, length, 0, verdict);
  require((verdict.code == headgate::srt_code::IN) == (verdict.cause == headgate::door_cause::NONE), "code and cause");
  require(only(verdict.path, "/_-"), "a path that has to be escaped");
  if (error != StreamIdError::none) {
    require(verdict.code == headgate::srt_code::BAD_REQUEST && verdict.stream_id_error == error, "another error");
  } else {
    require(equal(verdict.id, id), "another id");
  }
  if (keys_mode && verdict.code == headgate::srt_code::IN) {
    require(id.name == "a" || id.key == "a", "let in without the key");
    require(verdict.path != "/" + id.app + "/a", "the secret is public");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* input, size_t size) {
  // A copy of its own: AddressSanitizer then sees a read past it.
  const std::vector<char> bytes(input, input + size);
  StreamId id;
  id.key = "left over";
  const StreamIdError error = headgate::parse_stream_id(bytes.data(), size, id);
  if (error == StreamIdError::none) {
    require(size <= headgate::kStreamIdBytesMax, "too long");
    require(headgate::is_public_name(id.app), "an app that is no name");
    require(!id.name.empty() && id.name.size() <= 256 && only(id.name, "_-.~"), "a name that is none");
    write_and_read_again(id);
  } else {
    require(is_empty(id), "an error leaves something behind");
    require(headgate::stream_id_error_name(error)[0] != '\0', "an error without a name");
  }
  judge(false, bytes.data(), size, id, error);
  judge(true, bytes.data(), size, id, error);
  return 0;
}
