#ifndef HEADGATE_SRT_EVENT_NAPI_H_
#define HEADGATE_SRT_EVENT_NAPI_H_

#include <napi.h>

#include <vector>

#include "srt_event_queue.h"

namespace headgate {

/// The events as SrtEvent of src/native/srt.ts has them.
napi_value events_to_javascript(napi_env env, const std::vector<SrtEvent>& events);

}  // namespace headgate

#endif  // HEADGATE_SRT_EVENT_NAPI_H_
