// The SrtListener class as JavaScript sees it; src/native/srt.ts documents it.
#ifndef HEADGATE_SRT_NAPI_H_
#define HEADGATE_SRT_NAPI_H_

#include <napi.h>

#include <memory>

#include "srt_listener.h"

namespace headgate {

class SrtListenerObject : public Napi::ObjectWrap<SrtListenerObject>, private SrtReader {
 public:
  static Napi::Function define(Napi::Env env);
  explicit SrtListenerObject(const Napi::CallbackInfo& call);

 private:
  Napi::Value port(const Napi::CallbackInfo& call);
  Napi::Value receive_buffer_bytes(const Napi::CallbackInfo& call);
  Napi::Value guarded(const Napi::CallbackInfo& call);
  Napi::Value set_rules(const Napi::CallbackInfo& call);
  Napi::Value set_entries(const Napi::CallbackInfo& call);
  Napi::Value attach(const Napi::CallbackInfo& call);
  Napi::Value detach(const Napi::CallbackInfo& call);
  Napi::Value close(const Napi::CallbackInfo& call);
  Napi::Value send(const Napi::CallbackInfo& call);
  Napi::Value stats(const Napi::CallbackInfo& call);
  Napi::Value tables(const Napi::CallbackInfo& call);
  Napi::Value stop(const Napi::CallbackInfo& call);

  // The listener's thread.
  bool batch_ready() override;
  void ended() override;

  static void on_call(napi_env env, napi_value callback, void* self, void* has_ended);
  static void on_environment_end(void* self);
  void tell(napi_env env, napi_value callback);
  void finish(napi_env env);

  // The views JavaScript shares with the thread stay alive, and where they are, as long as it runs.
  Napi::ObjectReference views_[4];
  std::unique_ptr<SrtListener> listener_;
  napi_threadsafe_function to_javascript_ = nullptr;
  napi_deferred deferred_ = nullptr;
  Napi::ObjectReference stopped_;  // the promise of stop()
  bool running_ = false;
};

}  // namespace headgate

#endif  // HEADGATE_SRT_NAPI_H_
