// The SRT half of the addon, a file of its own: where libsrt is missing, it alone does not load.
// src/native/srt.ts describes it to TypeScript.
#include <napi.h>

#ifdef HEADGATE_WITH_SRT

#include "srt_library.h"
#include "srt_napi.h"

namespace {

Napi::Object init(Napi::Env env, Napi::Object exports) {
  exports.Set("available", true);
  exports.Set("version", headgate::srt_version());
  exports.Set("reason", "");
  exports.Set("SrtListener", headgate::SrtListenerObject::define(env));
  return exports;
}

}  // namespace

#else

namespace {

constexpr const char* kReason =
    "it was built without libsrt 1.5 or newer: on Debian and Ubuntu, apt-get install libsrt-gnutls-dev pkg-config, then \"npm "
    "rebuild headgate\", or in a checkout \"node scripts/build-addon.js\"";

void refuse(const Napi::CallbackInfo& call) {
  Napi::Error::New(call.Env(), kReason).ThrowAsJavaScriptException();
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  exports.Set("available", false);
  exports.Set("version", "");
  exports.Set("reason", kReason);
  exports.Set("SrtListener", Napi::Function::New(env, refuse));
  return exports;
}

}  // namespace

#endif

NODE_API_MODULE(headgate_srt, init)
