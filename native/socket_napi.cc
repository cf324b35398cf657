#include "socket_napi.h"

#ifndef _WIN32
#include <sys/socket.h>
#endif
#ifdef __linux__
#include <netinet/in.h>
#include <netinet/tcp.h>
#endif

namespace headgate {

namespace {

Napi::Value set_receive_low_water(const Napi::CallbackInfo& call) {
  int32_t fd, bytes;
  if (napi_get_value_int32(call.Env(), call[0], &fd) != napi_ok ||
      napi_get_value_int32(call.Env(), call[1], &bytes) != napi_ok) {
    napi_throw_type_error(call.Env(), nullptr, "headgate: a descriptor and a number of bytes were expected");
    return {};
  }
#ifdef _WIN32
  return Napi::Boolean::New(call.Env(), false);
#else
  const int failed = setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof bytes);
  return Napi::Boolean::New(call.Env(), failed == 0);
#endif
}

Napi::Value tcp_figures(const Napi::CallbackInfo& call) {
  int32_t fd;
  if (napi_get_value_int32(call.Env(), call[0], &fd) != napi_ok || !call[1].IsTypedArray() ||
      call[1].As<Napi::TypedArray>().TypedArrayType() != napi_float64_array ||
      call[1].As<Napi::TypedArray>().ElementLength() < 2) {
    napi_throw_type_error(call.Env(), nullptr, "headgate: a descriptor and two doubles were expected");
    return {};
  }
#ifdef __linux__
  tcp_info info{};
  socklen_t length = sizeof info;
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) == 0) {
    double* out = call[1].As<Napi::Float64Array>().Data();
    out[0] = info.tcpi_rtt / 1000.0;
    out[1] = info.tcpi_total_retrans;
    return Napi::Boolean::New(call.Env(), true);
  }
#endif
  return Napi::Boolean::New(call.Env(), false);
}

Napi::Value peer_gone(const Napi::CallbackInfo& call) {
  int32_t fd;
  if (napi_get_value_int32(call.Env(), call[0], &fd) != napi_ok) {
    napi_throw_type_error(call.Env(), nullptr, "headgate: a descriptor was expected");
    return {};
  }
#ifdef __linux__
  tcp_info info{};
  socklen_t length = sizeof info;
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) return Napi::Boolean::New(call.Env(), false);
  const bool gone = info.tcpi_state == TCP_CLOSE_WAIT || info.tcpi_state == TCP_CLOSE;
  return Napi::Boolean::New(call.Env(), gone);
#else
  return Napi::Boolean::New(call.Env(), false);
#endif
}

}  // namespace

Napi::Function define_peer_gone(Napi::Env env) { return Napi::Function::New(env, peer_gone, "peerGone"); }

Napi::Function define_tcp_figures(Napi::Env env) { return Napi::Function::New(env, tcp_figures, "tcpFigures"); }

Napi::Function define_receive_low_water(Napi::Env env) {
  return Napi::Function::New(env, set_receive_low_water, "setReceiveLowWater");
}

}  // namespace headgate
