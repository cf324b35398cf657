#include "engine_napi.h"

#include <cmath>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "io_places.h"
#include "napi_arguments.h"
#include "slab_layout.h"

namespace headgate {

namespace {

// JavaScript values become plain numbers here and nowhere else. Each of these leaves a pending
// exception behind when it returns false.
bool read_double(napi_env env, napi_value value, double& out) {
  if (napi_get_value_double(env, value, &out) == napi_ok) return true;
  return refuse(env, "headgate engine: a number was expected");
}

bool read_u32(napi_env env, napi_value value, uint32_t& out) {
  double number;
  if (!read_double(env, value, number)) return false;
  if (number >= 0 && number <= UINT32_MAX) {
    out = static_cast<uint32_t>(number);
    if (out == number) return true;
  }
  return refuse(env, "headgate engine: an integer of 32 bits was expected");
}

bool read_time(napi_env env, napi_value value, double& out) {
  if (!read_double(env, value, out)) return false;
  return std::isfinite(out) || refuse(env, "headgate engine: now must be finite");
}

bool read_view(napi_env env, napi_value value, napi_typedarray_type wanted, View& out) {
  return view_of(env, value, wanted, out) ||
         refuse(env, "headgate engine: a typed array of another type was expected");
}

bool read_options(const Napi::Value& value, EngineOptions& out) {
  const Napi::Env env = value.Env();
  if (!value.IsObject()) return refuse(env, "headgate engine: options must be an object");
  const Napi::Object options = value.As<Napi::Object>();
  if (!read_double(env, options.Get("gopBytesPerStream"), out.gop_bytes_per_stream)) return false;
  if (!read_double(env, options.Get("gopBytesTotal"), out.gop_bytes_total)) return false;
  return (out.gop_bytes_per_stream >= 0 && out.gop_bytes_total >= 0) ||
         refuse(env, "headgate engine: GOP sizes must not be negative");
}

}  // namespace

Napi::Function EngineObject::define(Napi::Env env) {
  return DefineClass(env, "Engine",
                     {
                         InstanceMethod<&EngineObject::open>("open"),
                         InstanceMethod<&EngineObject::close>("close"),
                         InstanceMethod<&EngineObject::attach>("attach"),
                         InstanceMethod<&EngineObject::detach>("detach"),
                         InstanceMethod<&EngineObject::account>("account"),
                         InstanceMethod<&EngineObject::owed>("owed"),
                         InstanceMethod<&EngineObject::gop>("gop"),
                         InstanceMethod<&EngineObject::reconfigure>("reconfigure"),
                         InstanceMethod<&EngineObject::stats>("stats"),
                         InstanceMethod<&EngineObject::giveBack>("giveBack"),
                     });
}

EngineObject::EngineObject(const Napi::CallbackInfo& call) : Napi::ObjectWrap<EngineObject>(call) {
  const Napi::Env env = call.Env();
  View nodes, streams, outbox, io;
  EngineOptions options{};
  if (!read_view(env, call[0], napi_float64_array, nodes) ||
      !read_view(env, call[1], napi_float64_array, streams) ||
      !read_view(env, call[2], napi_uint8_array, outbox) ||
      !read_view(env, call[3], napi_float64_array, io) || !read_options(call[4], options)) {
    return;
  }
  if (outbox.length < kOutboxBytesMin || io.length < kIoLength) {
    refuse(env, "headgate engine: outbox or io is too short");
    return;
  }
  for (size_t i = 0; i < 4; i++) views_[i] = Napi::Persistent(call[i].As<Napi::Object>());
  io_ = static_cast<double*>(io.memory);
  engine_ = std::make_unique<Engine>(
      static_cast<double*>(nodes.memory), nodes.length / NODE_STRIDE,
      static_cast<double*>(streams.memory), streams.length / STREAM_STRIDE,
      static_cast<uint8_t*>(outbox.memory), outbox.length, options);
  define_feed(env, call.This());
}

// feed is a function of the instance that knows its engine: looking the engine up on the object,
// as the other methods do, would cost as much as the rest of the call. The function keeps the
// object alive, should somebody hold on to the function alone.
void EngineObject::define_feed(napi_env env, napi_value object) {
  napi_value function;
  const napi_property_descriptor owner = {"engine", nullptr,      nullptr,      nullptr, nullptr,
                                          object,   napi_default, nullptr};
  napi_create_function(env, "feed", NAPI_AUTO_LENGTH, &EngineObject::feed, this, &function);
  napi_define_properties(env, function, 1, &owner);
  const napi_property_descriptor feed = {"feed",   nullptr,      nullptr, nullptr, nullptr,
                                         function, napi_default, nullptr};
  napi_define_properties(env, object, 1, &feed);
}

Napi::Value EngineObject::open(const Napi::CallbackInfo& call) {
  const int32_t id = engine_->open();
  if (id < 0) {
    napi_throw_range_error(call.Env(), nullptr, "headgate engine: too many connections");
    return {};
  }
  return Napi::Number::New(call.Env(), id);
}

Napi::Value EngineObject::close(const Napi::CallbackInfo& call) {
  uint32_t id;
  if (read_u32(call.Env(), call[0], id)) engine_->close(id);
  return {};
}

Napi::Value EngineObject::attach(const Napi::CallbackInfo& call) {
  const Napi::Env env = call.Env();
  uint32_t id, slot, message_stream_id;
  if (!read_u32(env, call[0], id) || !read_u32(env, call[1], slot) ||
      !read_u32(env, call[2], message_stream_id)) {
    return {};
  }
  switch (engine_->attach(id, slot, message_stream_id)) {
    case Engine::Attach::kDone:
      break;
    case Engine::Attach::kNoConnection:
      refuse(env, "headgate engine: no such connection");
      break;
    case Engine::Attach::kNoSlot:
      refuse(env, "headgate engine: no such slot");
      break;
    case Engine::Attach::kAttached:
      refuse(env, "headgate engine: the connection is attached already");
      break;
    case Engine::Attach::kSlotTaken:
      refuse(env, "headgate engine: the slot is taken");
      break;
  }
  return {};
}

Napi::Value EngineObject::detach(const Napi::CallbackInfo& call) {
  uint32_t id;
  if (read_u32(call.Env(), call[0], id)) engine_->detach(id);
  return {};
}

napi_value EngineObject::feed(napi_env env, napi_callback_info call) {
  size_t count = 5;
  napi_value arguments[5];
  void* self;
  napi_get_cb_info(env, call, &count, arguments, nullptr, &self);
  uint32_t id, offset, length;
  View input;
  double now;
  if (!read_u32(env, arguments[0], id) || !read_view(env, arguments[1], napi_uint8_array, input) ||
      !read_u32(env, arguments[2], offset) || !read_u32(env, arguments[3], length) ||
      !read_time(env, arguments[4], now)) {
    return nullptr;
  }
  if (offset > input.length || length > input.length - offset) {
    refuse(env, "headgate engine: the range is outside the input");
    return nullptr;
  }
  const uint8_t* bytes = static_cast<const uint8_t*>(input.memory) + offset;
  return static_cast<EngineObject*>(self)->feed(env, id, bytes, length, now);
}

napi_value EngineObject::feed(napi_env env, uint32_t id, const uint8_t* input, size_t length,
                              double now) {
  if (!engine_->is_open(id)) {
    refuse(env, "headgate engine: no such connection");
    return nullptr;
  }
  FeedResult result;
  const double delay = engine_->feed(id, input, length, now, result);
  io_[kIoConsumed] = static_cast<double>(result.consumed);
  io_[kIoError] = static_cast<double>(result.error);
  io_[kIoMore] = result.more ? 1 : 0;
  report_outbox();
  napi_value out;
  napi_create_double(env, delay, &out);
  return out;
}

Napi::Value EngineObject::account(const Napi::CallbackInfo& call) {
  const Napi::Env env = call.Env();
  uint32_t slot, bytes, packets, frames;
  double now;
  if (!read_u32(env, call[0], slot) || !read_u32(env, call[1], bytes) ||
      !read_u32(env, call[2], packets) || !read_u32(env, call[3], frames) ||
      !read_time(env, call[4], now)) {
    return {};
  }
  if (slot >= engine_->stream_rows()) {
    refuse(env, "headgate engine: no such slot");
    return {};
  }
  return Napi::Number::New(env, engine_->account(slot, bytes, packets, frames, now));
}

Napi::Value EngineObject::owed(const Napi::CallbackInfo& call) {
  const Napi::Env env = call.Env();
  uint32_t slot;
  double now;
  if (!read_u32(env, call[0], slot) || !read_time(env, call[1], now)) return {};
  if (slot >= engine_->stream_rows()) {
    refuse(env, "headgate engine: no such slot");
    return {};
  }
  return Napi::Number::New(env, engine_->owed(slot, now));
}

Napi::Value EngineObject::gop(const Napi::CallbackInfo& call) {
  const Napi::Env env = call.Env();
  uint32_t slot;
  double cursor;
  if (!read_u32(env, call[0], slot) || !read_time(env, call[1], cursor)) return {};
  if (slot >= engine_->stream_rows()) {
    refuse(env, "headgate engine: no such slot");
    return {};
  }
  const double next = engine_->replay(slot, cursor);
  report_outbox();
  return Napi::Number::New(env, next);
}

Napi::Value EngineObject::reconfigure(const Napi::CallbackInfo& call) {
  EngineOptions options{};
  if (read_options(call[0], options)) engine_->reconfigure(options);
  return {};
}

Napi::Value EngineObject::stats(const Napi::CallbackInfo& call) {
  const EngineStats stats = engine_->stats();
  Napi::Object out = Napi::Object::New(call.Env());
  out.Set("connections", stats.connections);
  out.Set("gopBytes", stats.gop_bytes);
  out.Set("pendingBytes", stats.pending_bytes);
  out.Set("gopEvictions", stats.gop_evictions);
  return out;
}

Napi::Value EngineObject::giveBack(const Napi::CallbackInfo& call) {
#ifdef __GLIBC__
  return Napi::Boolean::New(call.Env(), malloc_trim(0) == 1);
#else
  return Napi::Boolean::New(call.Env(), false);
#endif
}

void EngineObject::report_outbox() {
  io_[kIoEvents] = engine_->outbox().records();
  io_[kIoOutboxBytes] = static_cast<double>(engine_->outbox().used());
}

}  // namespace headgate
