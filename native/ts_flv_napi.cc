// interface NativeTsFlv {
//   constructor(outbox: Uint8Array, io: Float64Array);   outbox may be shared with the engine
//   feed(bytes: Uint8Array, offset: number, length: number): void;
//   supported(): number;      -1 unknown as yet, 0 FLV cannot carry it, 1 it can
//   skippedUnits(): number;
// }
#include "ts_flv_napi.h"

#include <memory>

#include "io_places.h"
#include "napi_arguments.h"
#include "ts_flv.h"

namespace headgate {

namespace {

// JavaScript values become plain ones here. Each of these leaves a pending exception behind when it
// returns false.
bool read_view(napi_env env, napi_value value, napi_typedarray_type wanted, View& out) {
  return view_of(env, value, wanted, out) ||
         refuse(env, "headgate ts: a typed array of another type was expected");
}

bool read_size(const Napi::Value& value, size_t& out) {
  const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : -1;
  if (!(number >= 0 && number <= UINT32_MAX)) {
    return refuse(value.Env(), "headgate ts: an integer of 32 bits was expected");
  }
  out = static_cast<size_t>(number);
  return true;
}

class TsFlvObject : public Napi::ObjectWrap<TsFlvObject> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "TsFlv",
                       {InstanceMethod<&TsFlvObject::feed>("feed"),
                        InstanceMethod<&TsFlvObject::supported>("supported"),
                        InstanceMethod<&TsFlvObject::skipped_units>("skippedUnits")});
  }

  explicit TsFlvObject(const Napi::CallbackInfo& call) : Napi::ObjectWrap<TsFlvObject>(call) {
    const Napi::Env env = call.Env();
    View outbox, io;
    if (!read_view(env, call[0], napi_uint8_array, outbox) ||
        !read_view(env, call[1], napi_float64_array, io)) {
      return;
    }
    if (outbox.length < kTsFlvRoomBytes || io.length < kIoLength) {
      refuse(env, "headgate ts: outbox or io is too short");
      return;
    }
    outbox_view_ = Napi::Persistent(call[0].As<Napi::Object>());
    io_view_ = Napi::Persistent(call[1].As<Napi::Object>());
    io_ = static_cast<double*>(io.memory);
    flv_ = std::make_unique<TsFlv>(static_cast<uint8_t*>(outbox.memory), outbox.length);
  }

 private:
  Napi::Value feed(const Napi::CallbackInfo& call) {
    const Napi::Env env = call.Env();
    View input;
    size_t offset, length;
    if (!read_view(env, call[0], napi_uint8_array, input) || !read_size(call[1], offset) ||
        !read_size(call[2], length)) {
      return {};
    }
    if (offset > input.length || length > input.length - offset) {
      refuse(env, "headgate ts: the range is outside the input");
      return {};
    }
    const size_t consumed = flv_->feed(static_cast<const uint8_t*>(input.memory) + offset, length);
    io_[kIoConsumed] = static_cast<double>(consumed);
    io_[kIoEvents] = flv_->outbox().records();
    io_[kIoOutboxBytes] = static_cast<double>(flv_->outbox().used());
    io_[kIoMore] = consumed < length ? 1 : 0;
    return {};
  }

  Napi::Value supported(const Napi::CallbackInfo& call) {
    return Napi::Number::New(call.Env(), flv_->supported());
  }

  Napi::Value skipped_units(const Napi::CallbackInfo& call) {
    return Napi::Number::New(call.Env(), static_cast<double>(flv_->skipped_units()));
  }

  // The views JavaScript shares stay alive, and where they are, as long as this.
  Napi::ObjectReference outbox_view_;
  Napi::ObjectReference io_view_;
  double* io_ = nullptr;
  std::unique_ptr<TsFlv> flv_;
};

}  // namespace

Napi::Function define_ts_flv(Napi::Env env) { return TsFlvObject::define(env); }

}  // namespace headgate
