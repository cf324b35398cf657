// The accounting by itself, for the contract suite, the differential test and the benchmark. The
// server does not come this way: its Engine calls Accounting directly.
#include "accounting_napi.h"

#include "accounting.h"

namespace headgate {
namespace {

// A message comes packed in doubles:
// bytes, kind, frames, allFrames, keyframe, header, disposable, metadata, dts, packets.
constexpr size_t MESSAGE_STRIDE = 10;

MessageMeta message_from(const double* packed) {
  MessageMeta message;
  message.bytes = static_cast<uint32_t>(packed[0]);
  message.kind = static_cast<uint8_t>(packed[1]);
  message.frames = static_cast<uint8_t>(packed[2]);
  message.all_frames = static_cast<uint8_t>(packed[3]);
  message.keyframe = packed[4] != 0;
  message.header = packed[5] != 0;
  message.disposable = packed[6] != 0;
  message.metadata = packed[7] != 0;
  message.dts = packed[8];
  message.packets = static_cast<uint8_t>(packed[9]);
  return message;
}

class AccountingProbe : public Napi::ObjectWrap<AccountingProbe> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "AccountingProbe",
                       {InstanceMethod<&AccountingProbe::admit>("admit"),
                        InstanceMethod<&AccountingProbe::refuse>("refuse"),
                        InstanceMethod<&AccountingProbe::settle>("settle"),
                        InstanceMethod<&AccountingProbe::account>("account"),
                        InstanceMethod<&AccountingProbe::owed>("owed"),
                        InstanceMethod<&AccountingProbe::replay>("replay")});
  }

  // (nodes: Float64Array, streams: Float64Array)
  explicit AccountingProbe(const Napi::CallbackInfo& call)
      : Napi::ObjectWrap<AccountingProbe>(call),
        nodes_(Napi::Persistent(call[0].As<Napi::Float64Array>())),
        streams_(Napi::Persistent(call[1].As<Napi::Float64Array>())),
        accounting_(nodes_.Value().Data(), nodes_.Value().ElementLength() / NODE_STRIDE,
                    streams_.Value().Data(), streams_.Value().ElementLength() / STREAM_STRIDE) {}

 private:
  // (slot, message: Float64Array, now) -> boolean
  Napi::Value admit(const Napi::CallbackInfo& call) {
    const MessageMeta message = message_from(call[1].As<Napi::Float64Array>().Data());
    return Napi::Boolean::New(call.Env(), accounting_.admit(slot(call), message, number(call, 2)));
  }

  // (slot, bytes, packets, now)
  void refuse(const Napi::CallbackInfo& call) {
    accounting_.refuse(slot(call), static_cast<uint32_t>(number(call, 1)),
                       static_cast<uint32_t>(number(call, 2)), number(call, 3));
  }

  // (slot, now) -> delay
  Napi::Value settle(const Napi::CallbackInfo& call) {
    return Napi::Number::New(call.Env(), accounting_.settle(slot(call), number(call, 1)));
  }

  // (slot, bytes, packets, frames, now) -> delay
  Napi::Value account(const Napi::CallbackInfo& call) {
    const auto count = [&](size_t i) { return call[i].As<Napi::Number>().Uint32Value(); };
    return Napi::Number::New(
        call.Env(),
        accounting_.account(slot(call), count(1), count(2), count(3), number(call, 4)));
  }

  // (slot, now) -> delay
  Napi::Value owed(const Napi::CallbackInfo& call) {
    return Napi::Number::New(call.Env(), accounting_.owed(slot(call), number(call, 1)));
  }

  // (slot, messages: Float64Array, reads, stepMs, now) -> the last delay. Gives all messages as one
  // read and settles, `reads` times, `stepMs` apart: one call, so that what it takes is the
  // accounting's own time.
  Napi::Value replay(const Napi::CallbackInfo& call) {
    const Napi::Float64Array messages = call[1].As<Napi::Float64Array>();
    const double* packed = messages.Data();
    const size_t count = messages.ElementLength() / MESSAGE_STRIDE;
    const uint32_t row = slot(call);
    const uint32_t reads = call[2].As<Napi::Number>().Uint32Value();
    const double step_ms = number(call, 3);
    double now = number(call, 4);
    double delay = 0;
    for (uint32_t read = 0; read < reads; read++, now += step_ms) {
      for (size_t i = 0; i < count; i++) {
        accounting_.admit(row, message_from(packed + i * MESSAGE_STRIDE), now);
      }
      delay = accounting_.settle(row, now);
    }
    return Napi::Number::New(call.Env(), delay);
  }

  static uint32_t slot(const Napi::CallbackInfo& call) {
    return call[0].As<Napi::Number>().Uint32Value();
  }

  static double number(const Napi::CallbackInfo& call, size_t i) {
    return call[i].As<Napi::Number>().DoubleValue();
  }

  // Keep the tables alive while the accounting points into them.
  Napi::Reference<Napi::Float64Array> nodes_;
  Napi::Reference<Napi::Float64Array> streams_;
  Accounting accounting_;
};

}  // namespace

Napi::Function define_accounting_probe(Napi::Env env) { return AccountingProbe::define(env); }

}  // namespace headgate
