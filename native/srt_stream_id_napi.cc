#include "srt_stream_id_napi.h"

#include "napi_arguments.h"
#include "srt_stream_id.h"

namespace headgate {

namespace {

Napi::Value parse(const Napi::CallbackInfo& call) {
  const Napi::Env env = call.Env();
  View bytes;
  if (!view_of(env, call[0], napi_uint8_array, bytes)) {
    refuse(env, "headgate: the bytes of a stream id were expected");
    return {};
  }
  StreamId id;
  const StreamIdError error = parse_stream_id(static_cast<const char*>(bytes.memory), bytes.length, id);
  Napi::Object out = Napi::Object::New(env);
  if (error != StreamIdError::none) {
    out.Set("error", stream_id_error_name(error));
    return out;
  }
  out.Set("app", id.app);
  out.Set("name", id.name);
  out.Set("key", id.key);
  out.Set("user", id.user);
  out.Set("play", id.play);
  out.Set("modeGiven", id.mode_given);
  return out;
}

}  // namespace

Napi::Function define_parse_stream_id(Napi::Env env) { return Napi::Function::New(env, parse, "parseStreamId"); }

}  // namespace headgate
