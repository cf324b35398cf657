#ifndef HEADGATE_TS_FLV_NAPI_H_
#define HEADGATE_TS_FLV_NAPI_H_

#include <napi.h>

namespace headgate {

/// The class `TsFlv`: from MPEG-TS to RTMP messages; src/native/binding.ts documents it.
Napi::Function define_ts_flv(Napi::Env env);

}  // namespace headgate

#endif  // HEADGATE_TS_FLV_NAPI_H_
