// Places in the io view, by which a native call answers more than one number without making an
// object; mirrored by IO in src/native/binding.ts.
#ifndef HEADGATE_IO_PLACES_H_
#define HEADGATE_IO_PLACES_H_

#include <cstddef>

namespace headgate {

inline constexpr size_t kIoConsumed = 0;
inline constexpr size_t kIoEvents = 1;
inline constexpr size_t kIoError = 2;
inline constexpr size_t kIoOutboxBytes = 3;
inline constexpr size_t kIoMore = 4;
inline constexpr size_t kIoLength = 16;

}  // namespace headgate

#endif  // HEADGATE_IO_PLACES_H_
