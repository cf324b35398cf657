// One socket option that Node does not offer.
#ifndef HEADGATE_SOCKET_NAPI_H_
#define HEADGATE_SOCKET_NAPI_H_

#include <napi.h>

namespace headgate {

/// setReceiveLowWater(fd, bytes): the socket is not reported readable before `bytes` have come, or
/// its end (SO_RCVLOWAT, socket(7)). Returns false where the system does not take it.
Napi::Function define_receive_low_water(Napi::Env env);

}  // namespace headgate

#endif  // HEADGATE_SOCKET_NAPI_H_
