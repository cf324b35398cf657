// TsMeter: what the packets of a transport stream are. It knows the tables, so it can tell where a
// video access unit begins, when it is decoded, and whether a player could start there; and it
// counts what got lost on the way. It decides nothing and keeps no packet.
#ifndef HEADGATE_TS_METER_H_
#define HEADGATE_TS_METER_H_

#include <array>
#include <cstdint>

#include "ts_packet.h"
#include "ts_pes.h"
#include "ts_psi.h"
#include "ts_video_unit.h"

namespace headgate {

enum class TsPacketKind : uint8_t {
  kOther,     ///< tables, data, streams of other programs; everything while the PMT is unknown
  kVideo,
  kAudio,
  kStuffing,  ///< null packets
};

/// A video access unit, read from the packet it begins in.
struct TsUnit {
  bool random_access = false;  ///< decoding can start here
  bool disposable = false;     ///< no other unit refers to it, as far as its first packet tells
  bool primary = false;        ///< of the first video stream of the PMT
  bool timed = false;          ///< it has a PTS; else `dts_ms` is that of the one before
  uint8_t frames = 0;          ///< 1 when it makes the fastest track of the program longer
  uint8_t all_frames = 0;      ///< 1, or 0 when it is scrambled: then nothing is known of it
  uint64_t pts = 0;            ///< 33 bits, 90 kHz
  double dts_ms = 0;           ///< decoding time, unwrapped, at least 0
};

/// What one packet is.
struct TsReading {
  TsPacketKind kind = TsPacketKind::kOther;
  bool begins = false;        ///< a video access unit begins: unit() tells which
  bool duplicate = false;     ///< the packet before it, sent once more
  bool start = false;         ///< a player can start here
  uint8_t stream = 0;         ///< place in program().streams; video and audio only
};

class TsMeter {
 public:
  TsMeter() { rebuild(); }

  /// Reads the next packet of the stream.
  TsReading read(const TsPacket& packet);

  /// The unit that began with the packet read last.
  const TsUnit& unit() const { return unit_; }

  const TsTables& tables() const { return tables_; }
  const TsProgram& program() const { return tables_.program(); }
  /// Changes with the program and with what is known of its codecs.
  uint32_t generation() const { return generation_; }

  /// Numbers in VIDEO_CODECS and AUDIO_CODECS of the program's first streams; 0 = none, or unknown.
  uint8_t video_codec() const { return first_codec(TsPacketKind::kVideo); }
  uint8_t audio_codec() const { return first_codec(TsPacketKind::kAudio); }

  /// Access units of the fastest video stream.
  uint64_t fastest() const { return fastest_; }
  uint64_t continuity_errors() const { return continuity_errors_; }
  uint64_t scrambled_packets() const { return scrambled_packets_; }
  /// Of the primary video stream; 0 by 0 until seen.
  Dimensions dimensions() const { return dimensions_; }

 private:
  // A PID that is followed: the PAT, the PMT, and the program's streams behind them.
  struct Track {
    uint16_t pid = ts_pid::STUFFING;
    TsPacketKind kind = TsPacketKind::kOther;
    bool primary = false;
    uint8_t stream_type = 0;
    uint8_t codec = 0;
    uint8_t hevc_layer_max = 0;
    bool seen = false;          // then `continuity` is that of its last payload
    bool repeated = false;      // the last packet was a duplicate
    bool started = false;       // a unit began in the last payload
    uint8_t continuity = 0;
    uint64_t last_pts = 0;      // of its last unit
    double last_dts_ms = 0;
    uint64_t units = 0;
  };
  static constexpr size_t kTables = 2;
  static constexpr size_t kTracksMax = kTsStreamsMax + kTables;
  // Parameter sets lie in the first packets of a unit: so much of it is looked at.
  static constexpr size_t kProbeBytes = 768;

  void rebuild();
  void follow(uint16_t pid, const Track& track);
  Track track_of(const TsStream& stream) const;
  TsReading read_table(const TsPacket& packet);
  void read_video(Track& track, const TsPacket& packet, TsReading& reading);
  void read_audio(Track& track, const TsPacket& packet, TsReading& reading);
  void begin_unit(Track& track, const TsPacket& packet, const PesHeader& pes);
  bool is_duplicate(Track& track, const TsPacket& packet);
  void probe(uint8_t codec, TsSpan body);
  uint8_t first_codec(TsPacketKind kind) const;

  TsTables tables_;
  std::array<uint8_t, ts_pid::COUNT> track_of_{};  // by PID: place in tracks_ and 1; 0 = none
  std::array<Track, kTracksMax> tracks_{};
  size_t track_count_ = 0;
  bool has_video_ = false;
  uint32_t generation_ = 0;
  TsClock clock_;
  TsUnit unit_;
  uint64_t fastest_ = 0;
  uint64_t continuity_errors_ = 0;
  uint64_t scrambled_packets_ = 0;
  Dimensions dimensions_;
  bool probing_ = false;
  uint16_t probe_length_ = 0;
  std::array<uint8_t, kProbeBytes> probe_;
};

}  // namespace headgate

#endif  // HEADGATE_TS_METER_H_
