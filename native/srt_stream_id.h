// The SRT stream id: the only thing a caller can say about itself before it is let in.
//
// Understood are
//   #!::r=APP/NAME,m=publish,s=KEY,u=USER,h=HOST,t=stream   the standard (SRT Access Control, "Standard Keys")
//   r=APP/NAME&m=publish&s=KEY                              the same pairs without the mark, by & or by ,
//   publish:APP/NAME[:USER:KEY][:QUERY]                     as MediaMTX writes it; also read: request: play:
//   [/]APP/NAME[?key=KEY]  or  NAME[?key=KEY]               what people type; NAME alone is of the app `live`
//   srt://HOST[:PORT]/APP/NAME[?key=KEY]                    the whole address, as OvenMediaEngine wants it
//
// An absent mode means request in the standard form, because the standard says so, and publish in all
// others. In keys mode the name may be a secret: nothing here ever puts a piece of the id into an error.
#ifndef HEADGATE_SRT_STREAM_ID_H_
#define HEADGATE_SRT_STREAM_ID_H_

#include <cstddef>
#include <cstdint>
#include <string>

namespace headgate {

/// Why a stream id cannot be used, by the names that receipts explain.
#define HEADGATE_STREAM_ID_ERRORS(X)                                           \
  X(none)            /* it can */                                             \
  X(empty)           /* the caller sent none */                               \
  X(too_long)        /* over kStreamIdBytesMax */                             \
  X(bad_byte)        /* NUL, control, or not ASCII */                         \
  X(unknown_form)    /* begins like the standard and is not */                \
  X(bad_pair)        /* a pair without a key or without `=` */                \
  X(repeated_pair)   /* a key twice, or two stream keys */                    \
  X(no_resource)     /* the standard form without `r=` */                     \
  X(bad_path)        /* more or fewer parts than app and name */              \
  X(bad_app)         /* not 1..128 of [A-Za-z0-9_-] */                        \
  X(bad_name)        /* not 1..256 of [A-Za-z0-9._~-] */                      \
  X(bad_mode)        /* neither publish nor request */                        \
  X(bidirectional)   /* m=bidirectional: nothing is both here */              \
  X(bad_type)        /* t= is not `stream` */

#define HEADGATE_STREAM_ID_ENUM(name) name,
enum class StreamIdError : uint8_t { HEADGATE_STREAM_ID_ERRORS(HEADGATE_STREAM_ID_ENUM) };
#undef HEADGATE_STREAM_ID_ENUM

/// `bad_app` and so on; `` for none.
const char* stream_id_error_name(StreamIdError error);

/// What a handshake can carry (SRT_STREAMID_MAX of libsrt).
constexpr size_t kStreamIdBytesMax = 512;

struct StreamId {
  std::string app;
  std::string name;         ///< as it was given: in keys mode it may be the secret
  std::string key;          ///< the secret, empty when none was given apart from the name
  std::string user;         ///< empty when absent
  bool play = false;        ///< false: it would publish
  bool mode_given = false;  ///< false: `play` is the default of the form
};

/// Reads any bytes; never throws. On an error `out` holds nothing of the id.
StreamIdError parse_stream_id(const char* bytes, size_t length, StreamId& out);

/// 1..128 of [A-Za-z0-9_-]: what apps, public names, players' URLs and metrics take unescaped.
bool is_public_name(const std::string& text);

}  // namespace headgate

#endif  // HEADGATE_SRT_STREAM_ID_H_
