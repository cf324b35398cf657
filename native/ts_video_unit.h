// What a video access unit is, as far as its first bytes tell: whether a decoder can start there,
// whether others refer to it, and how large the picture is. Elementary streams as they lie in
// MPEG-TS: start codes before NAL units and MPEG-2 headers, OBUs of AV1.
#ifndef HEADGATE_TS_VIDEO_UNIT_H_
#define HEADGATE_TS_VIDEO_UNIT_H_

#include <cstdint>

#include "sps.h"
#include "ts_packet.h"

namespace headgate {

struct VideoUnit {
  bool random_access = false;  ///< decoding can start here
  bool disposable = false;     ///< no other unit refers to it; false too when it could not be seen
};

/// Reads the first bytes of a unit. `codec` is a number of VIDEO_CODECS; of one not known here
/// nothing is said. `hevc_layer_max` is the highest temporal layer of the stream so far.
VideoUnit read_video_unit(uint8_t codec, uint8_t& hevc_layer_max, TsSpan body);

/// The size of the picture, when the first bytes of a unit hold it; else false.
bool video_dimensions(uint8_t codec, TsSpan body, Dimensions& out);

}  // namespace headgate

#endif  // HEADGATE_TS_VIDEO_UNIT_H_
