// What JavaScript passed, as plain values; the words of a complaint are the caller's.
#ifndef HEADGATE_NAPI_ARGUMENTS_H_
#define HEADGATE_NAPI_ARGUMENTS_H_

#include <node_api.h>

#include <cstddef>

namespace headgate {

/// Leaves a pending TypeError behind. Returns false, so that a reader can end with it.
inline bool refuse(napi_env env, const char* message) {
  napi_throw_type_error(env, nullptr, message);
  return false;
}

/// The memory of a typed array; it belongs to JavaScript.
struct View {
  void* memory = nullptr;
  size_t length = 0;  ///< elements
};

/// False for anything but a typed array of the type that is wanted; nothing is thrown.
inline bool view_of(napi_env env, napi_value value, napi_typedarray_type wanted, View& out) {
  napi_typedarray_type type;
  const napi_status status =
      napi_get_typedarray_info(env, value, &type, &out.length, &out.memory, nullptr, nullptr);
  return status == napi_ok && type == wanted;
}

}  // namespace headgate

#endif  // HEADGATE_NAPI_ARGUMENTS_H_
