#include "srt_stream_id_napi.h"

#include "srt_stream_id.h"

namespace headgate {

namespace {

Napi::Value parse(const Napi::CallbackInfo& call) {
  const Napi::Env env = call.Env();
  if (!call[0].IsTypedArray() || call[0].As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) {
    napi_throw_type_error(env, nullptr, "headgate: the bytes of a stream id were expected");
    return {};
  }
  const Napi::Uint8Array bytes = call[0].As<Napi::Uint8Array>();
  StreamId id;
  const StreamIdError error =
      parse_stream_id(reinterpret_cast<const char*>(bytes.Data()), bytes.ByteLength(), id);
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
