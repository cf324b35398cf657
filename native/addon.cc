// What the addon exports, all of it; src/native/binding.ts describes it to TypeScript.
#include <napi.h>

#include "accounting_napi.h"
#include "engine_napi.h"
#include "outbox.h"
#include "rtmp_limits.h"
#include "slab_layout.h"
#include "socket_napi.h"
#include "srt_door_napi.h"
#include "srt_stream_id_napi.h"
#include "ts_flv_napi.h"

namespace {

// Names of protocol errors by the number in io[IO.ERROR].
Napi::Array errors_of(Napi::Env env) {
  Napi::Array errors = Napi::Array::New(env);
  uint32_t index = 0;
  for (const char* name : headgate::kRtmpErrorNames) errors.Set(index++, name);
  return errors;
}

#define HEADGATE_SET(name, value) numbers.Set(#name, value);
#define HEADGATE_SECTION(section, LIST)              \
  {                                                  \
    Napi::Object numbers = Napi::Object::New(env);   \
    LIST(HEADGATE_SET) layout.Set(section, numbers); \
  }

// The constants this addon was compiled with; tests hold them equal to those of the TypeScript.
Napi::Object layout_of(Napi::Env env) {
  Napi::Object layout = Napi::Object::New(env);
  layout.Set("NODE_STRIDE", static_cast<double>(headgate::NODE_STRIDE));
  layout.Set("STREAM_STRIDE", static_cast<double>(headgate::STREAM_STRIDE));
  HEADGATE_SECTION("NODE", HEADGATE_NODE_FIELDS)
  HEADGATE_SECTION("STREAM", HEADGATE_STREAM_FIELDS)
  HEADGATE_SECTION("MODE", HEADGATE_MODES)
  HEADGATE_SECTION("FLAG", HEADGATE_FLAGS)
  HEADGATE_SECTION("CONSTRAINT", HEADGATE_CONSTRAINTS)
  HEADGATE_SECTION("VIDEO_CODEC", HEADGATE_VIDEO_CODECS)
  HEADGATE_SECTION("AUDIO_CODEC", HEADGATE_AUDIO_CODECS)
  HEADGATE_SECTION("RECORD_FLAG", HEADGATE_RECORD_FLAGS)
  return layout;
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  exports.Set("Engine", headgate::EngineObject::define(env));
  exports.Set("AccountingProbe", headgate::define_accounting_probe(env));
  exports.Set("setReceiveLowWater", headgate::define_receive_low_water(env));
  exports.Set("peerGone", headgate::define_peer_gone(env));
  exports.Set("tcpFigures", headgate::define_tcp_figures(env));
  exports.Set("parseStreamId", headgate::define_parse_stream_id(env));
  exports.Set("SrtDoorProbe", headgate::define_srt_door_probe(env));
  exports.Set("TsFlv", headgate::define_ts_flv(env));
  exports.Set("errors", errors_of(env));
  exports.Set("layout", layout_of(env));
  return exports;
}

}  // namespace

NODE_API_MODULE(headgate, init)
