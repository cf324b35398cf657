// The Engine class as JavaScript sees it; src/native/binding.ts documents it.
#ifndef HEADGATE_ENGINE_NAPI_H_
#define HEADGATE_ENGINE_NAPI_H_

#include <napi.h>

#include <memory>

#include "engine.h"

namespace headgate {

class EngineObject : public Napi::ObjectWrap<EngineObject> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit EngineObject(const Napi::CallbackInfo& call);

 private:
  Napi::Value open(const Napi::CallbackInfo& call);
  Napi::Value close(const Napi::CallbackInfo& call);
  Napi::Value attach(const Napi::CallbackInfo& call);
  Napi::Value detach(const Napi::CallbackInfo& call);
  static napi_value feed(napi_env env, napi_callback_info call);
  napi_value feed(napi_env env, uint32_t id, const uint8_t* input, size_t length, double now);
  Napi::Value account(const Napi::CallbackInfo& call);
  Napi::Value owed(const Napi::CallbackInfo& call);
  Napi::Value gop(const Napi::CallbackInfo& call);
  Napi::Value reconfigure(const Napi::CallbackInfo& call);
  Napi::Value stats(const Napi::CallbackInfo& call);
  Napi::Value giveBack(const Napi::CallbackInfo& call);

  void define_feed(napi_env env, napi_value object);
  void report_outbox();

  // The views JavaScript shares with the engine stay alive, and where they are, as long as it.
  Napi::ObjectReference views_[4];
  double* io_ = nullptr;
  std::unique_ptr<Engine> engine_;
};

}  // namespace headgate

#endif  // HEADGATE_ENGINE_NAPI_H_
