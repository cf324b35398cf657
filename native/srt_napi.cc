#include "srt_napi.h"

#include <cerrno>
#include <cmath>
#include <cstring>

#include "napi_arguments.h"
#include "slab_layout.h"
#include "srt_door_napi.h"
#include "srt_event_napi.h"

namespace headgate {

namespace {

/// Of syslog.
constexpr int kErrorLevel = 3;
/// Of what a thrown error says, bytes.
constexpr size_t kThrownBytesMax = 512;
/// An hour: what no latency reaches.
constexpr double kLatencyMsMax = 3600000;

// Each of these leaves a pending exception behind when it returns false.
bool read_double(napi_env env, napi_value value, double& out) {
  if (napi_get_value_double(env, value, &out) == napi_ok) return true;
  return refuse(env, "headgate srt: a number was expected");
}

bool read_whole(napi_env env, napi_value value, double max, double& out) {
  if (!read_double(env, value, out)) return false;
  if (out >= 0 && out <= max && out == std::floor(out)) return true;
  return refuse(env, "headgate srt: a whole number within its range was expected");
}

bool read_view(napi_env env, napi_value value, napi_typedarray_type wanted, View& out) {
  return view_of(env, value, wanted, out) ||
         refuse(env, "headgate srt: a typed array of another type was expected");
}

bool read_options(const Napi::Value& value, SrtListenerOptions& out) {
  const Napi::Env env = value.Env();
  if (!value.IsObject()) return refuse(env, "headgate srt: options must be an object");
  const Napi::Object options = value.As<Napi::Object>();
  const Napi::Value host = options.Get("host");
  if (!host.IsString()) return refuse(env, "headgate srt: host must be a string");
  double port, latency, connections;
  View slab, records;
  if (!read_whole(env, options.Get("port"), UINT16_MAX, port) ||
      !read_whole(env, options.Get("latencyMs"), kLatencyMsMax, latency) ||
      !read_whole(env, options.Get("connectionsMax"), SrtConnections::kPlaces, connections) ||
      !read_double(env, options.Get("clockMs"), out.clock_ms) ||
      !read_view(env, options.Get("slab"), napi_uint8_array, slab) ||
      !read_view(env, options.Get("records"), napi_float64_array, records)) {
    return false;
  }
  out.host = host.As<Napi::String>().Utf8Value();
  out.port = static_cast<uint16_t>(port);
  out.latency_ms = static_cast<int>(latency);
  out.connections_max = static_cast<uint32_t>(connections);
  out.slab = static_cast<uint8_t*>(slab.memory);
  out.slab_bytes = slab.length;
  out.records = static_cast<double*>(records.memory);
  out.record_doubles = records.length;
  return std::isfinite(out.clock_ms) || refuse(env, "headgate srt: clockMs must be finite");
}

const char* name_of_errno(int number) {
  switch (number) {
    case EADDRINUSE:
      return "EADDRINUSE";
    case EACCES:
      return "EACCES";
    case EPERM:
      return "EPERM";
    case EADDRNOTAVAIL:
      return "EADDRNOTAVAIL";
    case EAFNOSUPPORT:
      return "EAFNOSUPPORT";
    case EMFILE:
      return "EMFILE";
    case EAGAIN:
      return "EAGAIN";
    case ENOMEM:
      return "ENOMEM";
    default:
      return "EIO";
  }
}

void throw_errno(Napi::Env env, int number) {
  const char* code = name_of_errno(number);
  Napi::Error error = Napi::Error::New(env, std::string("listen ") + code + ": " + std::strerror(number));
  error.Set("code", code);
  error.ThrowAsJavaScriptException();
}

Napi::Value truth(const Napi::CallbackInfo& call, bool value) { return Napi::Boolean::New(call.Env(), value); }

/// What on_call is given as the thread's last word; nothing with a batch.
char kEnded;

}  // namespace

Napi::Function SrtListenerObject::define(Napi::Env env) {
  using Self = SrtListenerObject;
  return DefineClass(env, "SrtListener",
                     {
                         InstanceAccessor<&Self::port>("port"),
                         InstanceAccessor<&Self::receive_buffer_bytes>("receiveBufferBytes"),
                         InstanceAccessor<&Self::guarded>("guarded"),
                         InstanceMethod<&Self::set_rules>("setRules"),
                         InstanceMethod<&Self::set_entries>("setEntries"),
                         InstanceMethod<&Self::attach>("attach"),
                         InstanceMethod<&Self::detach>("detach"),
                         InstanceMethod<&Self::close>("close"),
                         InstanceMethod<&Self::send>("send"),
                         InstanceMethod<&Self::stats>("stats"),
                         InstanceMethod<&Self::tables>("tables"),
                         InstanceMethod<&Self::stop>("stop"),
                     });
}

SrtListenerObject::SrtListenerObject(const Napi::CallbackInfo& call)
    : Napi::ObjectWrap<SrtListenerObject>(call) {
  const Napi::Env env = call.Env();
  View nodes, streams;
  SrtListenerOptions options;
  if (!read_view(env, call[0], napi_float64_array, nodes) ||
      !read_view(env, call[1], napi_float64_array, streams) || !read_options(call[2], options)) {
    return;
  }
  if (!call[3].IsFunction()) {
    refuse(env, "headgate srt: a function was expected");
    return;
  }
  if (!start_srt()) {
    throw_errno(env, ENOMEM);
    return;
  }
  const SrtTables tables{static_cast<double*>(nodes.memory), nodes.length / NODE_STRIDE,
                         static_cast<double*>(streams.memory), streams.length / STREAM_STRIDE};
  napi_create_threadsafe_function(env, call[3], nullptr, Napi::String::New(env, "headgate srt"), 0, 1, nullptr,
                                  nullptr, this, &SrtListenerObject::on_call, &to_javascript_);
  listener_ = std::make_unique<SrtListener>(tables, options, static_cast<SrtReader&>(*this));
  if (const int problem = listener_->open()) {
    napi_release_threadsafe_function(to_javascript_, napi_tsfn_abort);
    throw_errno(env, problem);
    return;
  }
  const Napi::Object given = call[2].As<Napi::Object>();
  views_[0] = Napi::Persistent(call[0].As<Napi::Object>());
  views_[1] = Napi::Persistent(call[1].As<Napi::Object>());
  views_[2] = Napi::Persistent(given.Get("slab").As<Napi::Object>());
  views_[3] = Napi::Persistent(given.Get("records").As<Napi::Object>());
  // While the thread runs the object stays, whoever else forgets it.
  running_ = true;
  Ref();
  napi_add_env_cleanup_hook(env, &SrtListenerObject::on_environment_end, this);
}

Napi::Value SrtListenerObject::port(const Napi::CallbackInfo& call) {
  return Napi::Number::New(call.Env(), listener_->port().port);
}

Napi::Value SrtListenerObject::receive_buffer_bytes(const Napi::CallbackInfo& call) {
  return Napi::Number::New(call.Env(), listener_->port().receive_buffer_bytes);
}

Napi::Value SrtListenerObject::guarded(const Napi::CallbackInfo& call) {
  return truth(call, listener_->port().guarded);
}

Napi::Value SrtListenerObject::set_rules(const Napi::CallbackInfo& call) {
  std::shared_ptr<const DoorRules> rules = read_door_rules(call[0]);
  if (rules != nullptr) listener_->door().install(std::move(rules));
  return {};
}

Napi::Value SrtListenerObject::set_entries(const Napi::CallbackInfo& call) {
  std::shared_ptr<const DoorEntries> entries = read_door_entries(call[0], call[1]);
  if (entries != nullptr) listener_->door().install(std::move(entries));
  return {};
}

Napi::Value SrtListenerObject::attach(const Napi::CallbackInfo& call) {
  double id, slot;
  if (!read_double(call.Env(), call[0], id) || !read_whole(call.Env(), call[1], UINT32_MAX, slot)) return {};
  if (slot >= static_cast<double>(listener_->stream_rows())) {
    refuse(call.Env(), "headgate srt: no such slot");
    return {};
  }
  return truth(call, running_ && listener_->attach(id, static_cast<uint32_t>(slot)));
}

Napi::Value SrtListenerObject::detach(const Napi::CallbackInfo& call) {
  double id;
  if (read_double(call.Env(), call[0], id)) listener_->detach(id);
  return {};
}

Napi::Value SrtListenerObject::close(const Napi::CallbackInfo& call) {
  double id;
  if (read_double(call.Env(), call[0], id)) listener_->close(id);
  return {};
}

Napi::Value SrtListenerObject::send(const Napi::CallbackInfo& call) {
  double id;
  View payload;
  if (!read_double(call.Env(), call[0], id) || !read_view(call.Env(), call[1], napi_uint8_array, payload)) {
    return {};
  }
  const uint8_t* bytes = static_cast<const uint8_t*>(payload.memory);
  return truth(call, running_ && listener_->send(id, bytes, payload.length));
}

Napi::Value SrtListenerObject::stats(const Napi::CallbackInfo& call) {
  double id;
  View out;
  if (!read_double(call.Env(), call[0], id) || !read_view(call.Env(), call[1], napi_float64_array, out)) return {};
  if (out.length < kSrtStats) {
    refuse(call.Env(), "headgate srt: the view is too short");
    return {};
  }
  return truth(call, running_ && listener_->stats(id, static_cast<double*>(out.memory)));
}

Napi::Value SrtListenerObject::tables(const Napi::CallbackInfo& call) {
  double id;
  if (!read_double(call.Env(), call[0], id)) return {};
  uint8_t packets[kTsTableBytesMax];
  const size_t length = listener_->tables(id, packets, sizeof(packets));
  Napi::Uint8Array out = Napi::Uint8Array::New(call.Env(), length);
  if (length > 0) std::memcpy(out.Data(), packets, length);
  return out;
}

Napi::Value SrtListenerObject::stop(const Napi::CallbackInfo& call) {
  const Napi::Env env = call.Env();
  if (stopped_.IsEmpty()) {
    napi_value promise;
    napi_create_promise(env, &deferred_, &promise);
    stopped_ = Napi::Persistent(Napi::Object(env, promise));
    listener_->stop();
  }
  return stopped_.Value();
}

bool SrtListenerObject::batch_ready() {
  return napi_call_threadsafe_function(to_javascript_, nullptr, napi_tsfn_nonblocking) == napi_ok;
}

void SrtListenerObject::ended() {
  napi_call_threadsafe_function(to_javascript_, &kEnded, napi_tsfn_nonblocking);
  napi_release_threadsafe_function(to_javascript_, napi_tsfn_release);
}

void SrtListenerObject::on_call(napi_env env, napi_value callback, void* self, void* has_ended) {
  // Without an environment the object may be gone already.
  if (env == nullptr) return;
  SrtListenerObject& own = *static_cast<SrtListenerObject*>(self);
  if (has_ended == &kEnded) {
    own.finish(env);
  } else if (own.running_) {
    if (own.stopped_.IsEmpty()) own.tell(env, callback);
    own.listener_->batch_done();
  }
}

void SrtListenerObject::tell(napi_env env, napi_value callback) {
  const SrtBatch& batch = listener_->batch();
  napi_value arguments[3];
  arguments[0] = events_to_javascript(env, batch.events);
  napi_create_double(env, static_cast<double>(batch.media.count), &arguments[1]);
  napi_create_double(env, static_cast<double>(batch.media.first), &arguments[2]);
  napi_value self;
  napi_get_undefined(env, &self);
  if (napi_call_function(env, self, callback, 3, arguments, nullptr) == napi_ok) return;
  // What one connection's code gets wrong must not end the others: it is told, not thrown.
  napi_value thrown, text;
  char what[kThrownBytesMax] = "";
  napi_get_and_clear_last_exception(env, &thrown);
  if (napi_coerce_to_string(env, thrown, &text) != napi_ok ||
      napi_get_value_string_utf8(env, text, what, sizeof(what), nullptr) != napi_ok) {
    napi_get_and_clear_last_exception(env, &thrown);
  }
  listener_->log(kErrorLevel, std::string("the reader of SRT batches threw: ") + what);
}

void SrtListenerObject::finish(napi_env env) {
  running_ = false;
  listener_->join();
  napi_remove_env_cleanup_hook(env, &SrtListenerObject::on_environment_end, this);
  for (Napi::ObjectReference& view : views_) view.Reset();
  if (deferred_ != nullptr) {
    napi_value nothing;
    napi_get_undefined(env, &nothing);
    napi_resolve_deferred(env, deferred_, nothing);
  }
  Unref();
}

void SrtListenerObject::on_environment_end(void* self) {
  SrtListenerObject& own = *static_cast<SrtListenerObject*>(self);
  own.running_ = false;
  own.listener_->join();
}

}  // namespace headgate
