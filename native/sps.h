// Sequence parameter sets: how large the picture is that an encoder sends. Only the fields on the
// way to the size are read (ITU-T H.264 7.3.2.1.1, H.265 7.3.2.2.1).
//
// Nothing here trusts a count: whatever the bytes say, the work is bounded by constants, and a
// parameter set that ends early, or makes no sense, has no size.
#ifndef HEADGATE_SPS_H_
#define HEADGATE_SPS_H_

#include <cstddef>
#include <cstdint>

namespace headgate {

/// Size of the picture shown, in luma samples: cropping is applied. At least 1, at most 65,535.
struct Dimensions {
  uint32_t width = 0;
  uint32_t height = 0;
};

/// Reads the size out of a whole SPS NAL unit (its header first, no start code, emulation
/// prevention still in). False, with `out` as it was, when the unit is not an SPS, is cut short
/// before the size, or is malformed.
bool h264_dimensions(const uint8_t* nal, size_t length, Dimensions& out);

/// The same for HEVC.
bool hevc_dimensions(const uint8_t* nal, size_t length, Dimensions& out);

/// What an AVC decoder configuration record repeats of an SPS besides its profile (ISO/IEC
/// 14496-15, 5.3.3.1.2).
struct AvcFormat {
  uint8_t chroma_format = 1;        ///< chroma_format_idc, 0..3
  uint8_t bit_depth_luma = 8;       ///< 8..14
  uint8_t bit_depth_chroma = 8;     ///< 8..14
};

/// Reads the sample format out of an H.264 SPS; false as for the size.
bool h264_format(const uint8_t* nal, size_t length, AvcFormat& out);

}  // namespace headgate

#endif  // HEADGATE_SPS_H_
