// TsFlv: a transport stream in, audio and video messages as RTMP and FLV carry them out, so that an
// SRT stream plays wherever an RTMP one does.
//
// Of the program, the first H.264 video and the first AAC audio (ADTS) go in; a program without
// video is carried by its audio alone, one whose video is coded otherwise not at all. Video begins
// at a random-access unit with its parameter sets, audio with the video. After a loss, video waits for
// the next random-access unit: what a player gets decodes. Timestamps: see message_clock.h.
//
// A video unit is known to be whole when the next one begins; the last of a stream stays inside.
#ifndef HEADGATE_TS_FLV_H_
#define HEADGATE_TS_FLV_H_

#include <cstddef>
#include <cstdint>

#include "adts.h"
#include "avc_unit.h"
#include "message_clock.h"
#include "outbox.h"
#include "ts_packet.h"
#include "ts_pes.h"
#include "ts_psi.h"

namespace headgate {

/// Input between two looks at the room in the outbox: 21 packets.
inline constexpr size_t kTsFlvSliceBytes = 21 * kTsPacketBytes;

/// What a slice may bring forth: the longest unit and its header, and what is in the slice itself:
/// at the most a record of 32 bytes, and a header of as many, for every 8 bytes of audio held.
inline constexpr size_t kTsFlvRoomBytes = kAvcUnitBytesMax + 128 * 1024;

class TsFlv {
 public:
  /// The outbox has kTsFlvRoomBytes at least.
  TsFlv(uint8_t* outbox, size_t outbox_bytes) : outbox_(outbox, outbox_bytes) {}

  /// Empties the outbox, then takes transport stream in any pieces. Returns the bytes taken: less than
  /// `length` when the outbox might not hold what they bring; drain it and come again with the rest.
  size_t feed(const uint8_t* bytes, size_t length);

  const Outbox& outbox() const { return outbox_; }

  /// Whether FLV can carry the program: -1 unknown as yet, 0 no, 1 yes.
  int supported() const;

  /// Units that were not passed on: damaged, too long, or unusable, and those that needed them.
  uint64_t skipped_units() const { return skipped_units_ + adts_.skipped(); }

  /// Memory held besides the object itself, bytes.
  size_t held() const { return unit_.held(); }

 private:
  // The packets of one elementary stream.
  struct Track {
    uint16_t pid = ts_pid::STUFFING;  // none has this
    bool seen = false;
    uint8_t continuity = 0;

    bool present() const { return pid != ts_pid::STUFFING; }
  };
  enum class Arrival { kNext, kRepeated, kAfterLoss };

  static Arrival arrive(Track& track, const TsPacket& packet);

  void take(const TsPacket& packet);
  void follow_program();
  void take_video(const TsPacket& packet);
  void lose_video();
  void begin_unit(const PesHeader& header, bool random_access);
  void end_unit();
  void learn(const AvcConfig& config);
  void announce(uint32_t timestamp);
  void take_audio(const TsPacket& packet);
  void write_audio(const AdtsFrame& frame);
  void write(const Record& record, const uint8_t* body, uint32_t length);

  Outbox outbox_;
  TsSplitter splitter_;
  TsTables tables_;
  MessageClock clock_;
  bool has_video_ = false;  // in whatever coding
  Track video_;
  Track audio_;

  AvcUnit unit_;
  bool unit_open_ = false;
  bool unit_random_access_ = false;
  int64_t unit_dts_ = 0;
  int64_t unit_pts_ = 0;
  bool video_running_ = false;  // since the last random-access unit nothing is missing
  AvcConfig config_;            // the last that was whole
  bool announced_ = false;      // and whether players have been told

  AdtsReader adts_;
  uint32_t audio_config_ = kNoAudioConfig;  // as announced last
  static constexpr uint32_t kNoAudioConfig = UINT32_MAX;

  uint64_t skipped_units_ = 0;
};

}  // namespace headgate

#endif  // HEADGATE_TS_FLV_H_
