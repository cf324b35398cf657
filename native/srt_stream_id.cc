#include "srt_stream_id.h"

#include <string_view>

namespace headgate {

namespace {

using Text = std::string_view;

constexpr Text kStandardMark = "#!::";
constexpr Text kAddressMark = "srt://";
/// The app of a name that stands alone.
constexpr Text kDefaultApp = "live";
constexpr size_t kPublicNameMax = 128;
/// A stream key is at most this long (schema of `clients[].keys`), and may be given as the name.
constexpr size_t kNameMax = 256;

bool is_letter_or_digit(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9');
}

bool is_public_byte(char byte) { return is_letter_or_digit(byte) || byte == '_' || byte == '-'; }

bool is_public(Text text) {
  if (text.empty() || text.size() > kPublicNameMax) return false;
  for (const char byte : text) {
    if (!is_public_byte(byte)) return false;
  }
  return true;
}

bool is_name(Text text) {
  if (text.empty() || text.size() > kNameMax) return false;
  for (const char byte : text) {
    if (!is_public_byte(byte) && byte != '.' && byte != '~') return false;
  }
  return true;
}

bool begins_with(Text text, Text mark) { return text.substr(0, mark.size()) == mark; }

/// Cuts `text` at the first `mark` and returns what was before it; all of it, and nothing left, without one.
Text cut(Text& text, char mark) {
  const size_t at = text.find(mark);
  const Text before = text.substr(0, at);
  text = at == Text::npos ? Text() : text.substr(at + 1);
  return before;
}

/// What is read so far. The texts point into the stream id.
struct Draft {
  Text resource;
  Text user;
  Text key;
  Text mode;
  Text type;
  unsigned given = 0;
};

enum Given : unsigned { kResource = 1, kUser = 2, kKey = 4, kMode = 8, kType = 16, kHost = 32 };

StreamIdError set(Draft& draft, Given what, Text& field, Text value) {
  if ((draft.given & what) != 0) return StreamIdError::repeated_pair;
  draft.given |= what;
  field = value;
  return StreamIdError::none;
}

StreamIdError read_mode(Text mode, StreamId& out) {
  if (mode == "publish") {
    out.play = false;
  } else if (mode == "request" || mode == "read" || mode == "play") {
    out.play = true;
  } else {
    return mode == "bidirectional" ? StreamIdError::bidirectional : StreamIdError::bad_mode;
  }
  out.mode_given = true;
  return StreamIdError::none;
}

/// One pair of the standard. Keys it does not define are somebody's own (`bmd_uuid`) and say nothing here.
StreamIdError take_pair(Draft& draft, Text pair) {
  if (pair.find('=') == Text::npos) return StreamIdError::bad_pair;
  const Text name = cut(pair, '=');
  if (name.empty()) return StreamIdError::bad_pair;
  Text ignored;
  if (name == "r") return set(draft, kResource, draft.resource, pair);
  if (name == "u") return set(draft, kUser, draft.user, pair);
  if (name == "s") return set(draft, kKey, draft.key, pair);
  if (name == "m") return set(draft, kMode, draft.mode, pair);
  if (name == "t") return set(draft, kType, draft.type, pair);
  if (name == "h") return set(draft, kHost, ignored, pair);
  return StreamIdError::none;
}

/// What may follow a path after `?`: a stream key by the name RTMP has for it or by SRT's.
StreamIdError take_query(Draft& draft, Text query) {
  while (!query.empty()) {
    Text pair = cut(query, '&');
    const Text name = cut(pair, '=');
    StreamIdError error = StreamIdError::none;
    if (name == "key" || name == "s") error = set(draft, kKey, draft.key, pair);
    else if (name == "user" || name == "u") error = set(draft, kUser, draft.user, pair);
    else if (name == "mode" || name == "m") error = set(draft, kMode, draft.mode, pair);
    if (error != StreamIdError::none) return error;
  }
  return StreamIdError::none;
}

StreamIdError take_pairs(Draft& draft, Text text, char mark) {
  while (!text.empty()) {
    const StreamIdError error = take_pair(draft, cut(text, mark));
    if (error != StreamIdError::none) return error;
  }
  return (draft.given & kResource) != 0 ? StreamIdError::none : StreamIdError::no_resource;
}

/// `VERB:PATH`, `VERB:PATH:QUERY`, `VERB:PATH:USER:KEY`, `VERB:PATH:USER:KEY:QUERY`.
StreamIdError take_verb(Draft& draft, Text text) {
  draft.mode = cut(text, ':');
  if (draft.mode.empty()) return StreamIdError::bad_mode;
  draft.given |= kMode;
  draft.resource = cut(text, ':');
  if (text.empty()) return StreamIdError::none;
  const Text third = cut(text, ':');
  if (text.empty() && third.find('=') != Text::npos) return take_query(draft, third);
  draft.user = third;
  draft.key = cut(text, ':');
  draft.given |= kUser | kKey;
  if (text.find(':') != Text::npos) return StreamIdError::bad_path;
  return take_query(draft, text);
}

/// Whether the text begins with one of the standard's keys and `=`.
bool begins_with_pair(Text text) {
  return text.size() >= 2 && text[1] == '=' && Text("rumsht").find(text[0]) != Text::npos;
}

StreamIdError take(Draft& draft, Text text, bool& standard) {
  standard = begins_with(text, kStandardMark);
  if (standard) return take_pairs(draft, text.substr(kStandardMark.size()), ',');
  // Another mark of the standard, such as the nested `#!:{`.
  if (text[0] == '#') return StreamIdError::unknown_form;
  if (begins_with_pair(text)) {
    return take_pairs(draft, text, text.find('&') != Text::npos ? '&' : ',');
  }
  if (begins_with(text, kAddressMark)) {
    text.remove_prefix(kAddressMark.size());
    // The host, which ends where the path begins.
    const size_t path = text.find('/');
    if (path == Text::npos) return StreamIdError::no_resource;
    draft.resource = text.substr(path);
    return StreamIdError::none;
  }
  const size_t colon = text.find(':');
  if (colon != Text::npos && colon < text.find('?')) return take_verb(draft, text);
  draft.resource = text;
  return StreamIdError::none;
}

/// `[/]APP/NAME` or `[/]NAME`, and a query.
StreamIdError read_resource(Draft& draft, Text& app, Text& name) {
  Text query = draft.resource;
  name = cut(query, '?');
  const StreamIdError error = take_query(draft, query);
  if (error != StreamIdError::none) return error;
  if (!name.empty() && name[0] == '/') name.remove_prefix(1);
  if (name.empty()) return StreamIdError::bad_path;
  app = name.find('/') == Text::npos ? kDefaultApp : cut(name, '/');
  if (name.empty() || name.find('/') != Text::npos) return StreamIdError::bad_path;
  if (!is_public(app)) return StreamIdError::bad_app;
  return is_name(name) ? StreamIdError::none : StreamIdError::bad_name;
}

StreamIdError read(Text text, StreamId& out) {
  Draft draft;
  bool standard = false;
  StreamIdError error = take(draft, text, standard);
  if (error != StreamIdError::none) return error;
  Text app;
  Text name;
  error = read_resource(draft, app, name);
  if (error != StreamIdError::none) return error;
  if ((draft.given & kType) != 0 && draft.type != "stream") return StreamIdError::bad_type;
  out.play = standard;
  // An empty mode is an absent one: encoders offer the field, and people leave it empty.
  if (!draft.mode.empty()) error = read_mode(draft.mode, out);
  if (error != StreamIdError::none) return error;
  out.app = app;
  out.name = name;
  out.key = draft.key;
  out.user = draft.user;
  return StreamIdError::none;
}

}  // namespace

const char* stream_id_error_name(StreamIdError error) {
#define HEADGATE_STREAM_ID_NAME(name) #name,
  static constexpr const char* kNames[] = {HEADGATE_STREAM_ID_ERRORS(HEADGATE_STREAM_ID_NAME)};
#undef HEADGATE_STREAM_ID_NAME
  return error == StreamIdError::none ? "" : kNames[static_cast<size_t>(error)];
}

StreamIdError parse_stream_id(const char* bytes, size_t length, StreamId& out) {
  out.app.clear();
  out.name.clear();
  out.key.clear();
  out.user.clear();
  out.play = false;
  out.mode_given = false;
  if (length == 0) return StreamIdError::empty;
  if (length > kStreamIdBytesMax) return StreamIdError::too_long;
  for (size_t i = 0; i < length; i++) {
    if (bytes[i] < 0x20 || bytes[i] > 0x7e) return StreamIdError::bad_byte;
  }
  const StreamIdError error = read(Text(bytes, length), out);
  if (error != StreamIdError::none) {
    out.play = false;
    out.mode_given = false;
  }
  return error;
}

bool is_public_name(const std::string& text) { return is_public(text); }

}  // namespace headgate
