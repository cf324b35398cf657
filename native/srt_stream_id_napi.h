#ifndef HEADGATE_SRT_STREAM_ID_NAPI_H_
#define HEADGATE_SRT_STREAM_ID_NAPI_H_

#include <napi.h>

namespace headgate {

/// parseStreamId(bytes: Uint8Array) -> { app, name, key, user, play, modeGiven }, or { error } with a
/// name of HEADGATE_STREAM_ID_ERRORS.
Napi::Function define_parse_stream_id(Napi::Env env);

}  // namespace headgate

#endif  // HEADGATE_SRT_STREAM_ID_NAPI_H_
