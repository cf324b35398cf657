#include "ts_psi.h"

#include "big_endian.h"
#include "slab_layout.h"
#include "tag_reader.h"

namespace headgate {
namespace {

constexpr uint8_t kTablePat = 0x00;
constexpr uint8_t kTablePmt = 0x02;

constexpr size_t kCrcBytes = 4;

// Table id, length, table id extension, version, section numbers.
constexpr size_t kSectionHeadBytes = 8;

// Descriptor tags (ISO/IEC 13818-1, 2.6; ETSI EN 300 468, 6.1).
constexpr uint8_t kRegistration = 0x05;
constexpr uint8_t kDvbAc3 = 0x6a;
constexpr uint8_t kDvbEac3 = 0x7a;
constexpr uint8_t kDvbAac = 0x7c;

struct Coding {
  TsStreamKind kind;
  uint8_t codec;
};

constexpr Coding kNoCoding = {TsStreamKind::kOther, 0};

constexpr Coding video(uint32_t codec) {
  return {TsStreamKind::kVideo, static_cast<uint8_t>(codec)};
}

constexpr Coding audio(uint32_t codec) {
  return {TsStreamKind::kAudio, static_cast<uint8_t>(codec)};
}

// ISO/IEC 13818-1 table 2-34; above 0x80 as ATSC A/53 and SMPTE assigned them. Video that has no
// number in VIDEO_CODECS is video all the same.
Coding coding_of_type(uint8_t stream_type) {
  switch (stream_type) {
    case 0x02:
      return video(video_codec::MPEG2);
    case 0x1b:
      return video(video_codec::H264);
    case 0x24:
      return video(video_codec::HEVC);
    case 0x33:
      return video(video_codec::VVC);
    case 0x01:  // MPEG-1
    case 0x10:  // MPEG-4 part 2
    case 0x21:  // JPEG 2000
    case 0x42:  // AVS
    case 0xd1:  // Dirac
    case 0xd2:  // AVS2
    case 0xd4:  // AVS3
    case 0xea:  // VC-1
      return video(video_codec::NONE);
    case 0x03:
    case 0x04:
      return audio(audio_codec::MP2);
    case 0x0f:
    case 0x11:
      return audio(audio_codec::AAC);
    case 0x81:
      return audio(audio_codec::AC3);
    case 0x87:
      return audio(audio_codec::EAC3);
    default:
      return kNoCoding;
  }
}

Coding coding_of_registration(uint32_t name) {
  switch (name) {
    case four_cc("AV01"):
      return video(video_codec::AV1);
    case four_cc("HEVC"):
      return video(video_codec::HEVC);
    case four_cc("drac"):
    case four_cc("VC-1"):
      return video(video_codec::NONE);
    case four_cc("Opus"):
      return audio(audio_codec::OPUS);
    case four_cc("AC-3"):
      return audio(audio_codec::AC3);
    case four_cc("EAC3"):
      return audio(audio_codec::EAC3);
    case four_cc("BSSD"):  // SMPTE 302M
      return audio(audio_codec::PCM);
    default:
      return kNoCoding;
  }
}

// What private data (stream type 6 and the user's own) is, its descriptors tell.
Coding coding_of_descriptors(TagReader descriptors) {
  while (descriptors.left() >= 2) {
    const uint32_t tag = descriptors.u8();
    const uint32_t length = descriptors.u8();
    const uint8_t* body = descriptors.take(length);
    if (body == nullptr) break;
    Coding coding = kNoCoding;
    if (tag == kRegistration && length >= 4) coding = coding_of_registration(read_u32(body));
    if (tag == kDvbAc3) coding = audio(audio_codec::AC3);
    if (tag == kDvbEac3) coding = audio(audio_codec::EAC3);
    if (tag == kDvbAac) coding = audio(audio_codec::AAC);
    if (coding.kind != TsStreamKind::kOther) return coding;
  }
  return kNoCoding;
}

Coding coding_of(uint8_t stream_type, TagReader descriptors) {
  constexpr uint8_t kPrivate = 0x06;
  const Coding coding = coding_of_type(stream_type);
  const bool told = stream_type == kPrivate || stream_type >= 0x80;
  return coding.kind == TsStreamKind::kOther && told ? coding_of_descriptors(descriptors) : coding;
}

// Long enough to hold anything, whole by its CRC, and in force now.
bool is_valid(const TsSections& section, uint8_t table) {
  const uint8_t* bytes = section.bytes();
  if (section.length() < kSectionHeadBytes + kCrcBytes) return false;
  if (bytes[0] != table || (bytes[1] & 0x80) == 0 || (bytes[5] & 1) == 0) return false;
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
  return true;  // a fuzzer does not guess a CRC, and is to see what lies behind it
#else
  return crc32_mpeg2(bytes, section.length()) == 0;
#endif
}

TagReader body_of(const TsSections& section) {
  return {section.bytes() + kSectionHeadBytes, section.bytes() + section.length() - kCrcBytes};
}

void read_streams(TagReader body, TsProgram& program) {
  while (body.left() >= 5 && program.stream_count < kTsStreamsMax) {
    const uint8_t stream_type = static_cast<uint8_t>(body.u8());
    const uint16_t pid = body.u16() & 0x1fff;
    const uint32_t length = body.u16() & 0x0fff;
    const uint8_t* descriptors = body.take(length);
    if (!body.whole) return;
    const Coding coding = coding_of(stream_type, {descriptors, descriptors + length});
    program.streams[program.stream_count++] = {pid, stream_type, coding.kind, coding.codec};
  }
}

bool same_program(const TsProgram& a, const TsProgram& b) {
  if (a.number != b.number || a.pmt_pid != b.pmt_pid || a.pcr_pid != b.pcr_pid ||
      a.stream_count != b.stream_count) {
    return false;
  }
  for (size_t i = 0; i < a.stream_count; i++) {
    const TsStream& x = a.streams[i];
    const TsStream& y = b.streams[i];
    if (x.pid != y.pid || x.stream_type != y.stream_type || x.codec != y.codec || x.kind != y.kind) {
      return false;
    }
  }
  return true;
}

// A section as packets of `pid`; the last one has the continuity counter given.
size_t packetise(const uint8_t* section, size_t length, uint16_t pid, uint8_t last_continuity,
                 uint8_t* out) {
  constexpr size_t kHeadBytes = 4;
  const size_t count = (length + 1 + kTsPacketBytes - kHeadBytes - 1) / (kTsPacketBytes - kHeadBytes);
  for (size_t i = 0; i < count; i++, out += kTsPacketBytes) {
    out[0] = kTsSync;
    out[1] = static_cast<uint8_t>((i == 0 ? 0x40 : 0) | pid >> 8);
    out[2] = static_cast<uint8_t>(pid);
    out[3] = static_cast<uint8_t>(0x10 | ((last_continuity - (count - 1 - i)) & 0x0f));
    size_t at = kHeadBytes;
    if (i == 0) out[at++] = 0;  // the section begins right here
    const size_t room = kTsPacketBytes - at;
    const size_t part = length < room ? length : room;
    std::memcpy(out + at, section, part);
    std::memset(out + at + part, 0xff, room - part);
    section += part;
    length -= part;
  }
  return count * kTsPacketBytes;
}

struct CrcTable {
  uint32_t of[256];
  constexpr CrcTable() : of() {
    for (uint32_t i = 0; i < 256; i++) {
      uint32_t crc = i << 24;
      for (int bit = 0; bit < 8; bit++) crc = crc << 1 ^ ((crc >> 31) != 0 ? 0x04c11db7u : 0u);
      of[i] = crc;
    }
  }
};

constexpr CrcTable kCrcTable;

}  // namespace

uint32_t crc32_mpeg2(const uint8_t* bytes, size_t length) {
  uint32_t crc = 0xffffffff;
  for (size_t i = 0; i < length; i++) crc = crc << 8 ^ kCrcTable.of[crc >> 24 ^ bytes[i]];
  return crc;
}

bool TsProgram::has_video() const {
  for (size_t i = 0; i < stream_count; i++) {
    if (streams[i].kind == TsStreamKind::kVideo) return true;
  }
  return false;
}

bool TsTables::Kept::same(const TsSections& sections) const {
  return length == sections.length() && std::memcmp(bytes.data(), sections.bytes(), length) == 0;
}

void TsTables::Kept::keep(const TsSections& sections) {
  length = sections.length();
  std::memcpy(bytes.data(), sections.bytes(), length);
}

bool TsTables::take(const TsPacket& packet) {
  bool changed = false;
  const uint16_t pid = packet.pid();
  if (pid == ts_pid::PAT) {
    pat_sections_.take(packet, [&] { changed |= read_pat(); });
    return changed;
  }
  for (size_t i = 0; i < entry_count_; i++) {
    if (entries_[i].pid != pid) continue;
    entries_[i].sections.take(packet, [&] { changed |= read_pmt(i); });
  }
  return changed;
}

// The program stays the one it was until a PMT says otherwise: a PAT alone tells nothing of what
// the packets are.
bool TsTables::read_pat() {
  if (pat_.same(pat_sections_) || !is_valid(pat_sections_, kTablePat)) return false;
  pat_.keep(pat_sections_);
  entry_count_ = 0;
  TagReader body = body_of(pat_sections_);
  while (body.left() >= 4 && entry_count_ < kTsProgramsMax) {
    const uint16_t number = static_cast<uint16_t>(body.u16());
    const uint16_t pid = body.u16() & 0x1fff;
    if (number == 0) continue;  // the network information table
    Entry& entry = entries_[entry_count_++];
    if (entry.number != number || entry.pid != pid) entry = {number, pid, {}};
  }
  return false;
}

bool TsTables::read_pmt(size_t index) {
  const Entry& entry = entries_[index];
  const bool chosen = known_ && entry.number == program_.number && entry.pid == program_.pmt_pid;
  if ((chosen && pmt_.same(entry.sections)) || !is_valid(entry.sections, kTablePmt)) return false;
  if (read_u16(entry.sections.bytes() + 3) != entry.number) return false;
  TsProgram program;
  program.number = entry.number;
  program.pmt_pid = entry.pid;
  TagReader body = body_of(entry.sections);
  program.pcr_pid = body.u16() & 0x1fff;
  body.take(body.u16() & 0x0fff);
  if (!body.whole) return false;
  read_streams(body, program);
  if (!chosen && !is_better(index, program)) return false;
  pmt_.keep(entry.sections);
  const bool changed = !known_ || !same_program(program, program_);
  program_ = program;
  known_ = true;
  return changed;
}

// The first with video, else the first; a program that is gone from the PAT gives way to any.
bool TsTables::is_better(size_t index, const TsProgram& program) const {
  const size_t current = entry_of(program_);
  if (!known_ || current == entry_count_) return true;
  if (program.has_video() != program_.has_video()) return program.has_video();
  return index < current;
}

size_t TsTables::entry_of(const TsProgram& program) const {
  size_t at = 0;
  while (at < entry_count_ &&
         (entries_[at].number != program.number || entries_[at].pid != program.pmt_pid)) {
    at++;
  }
  return at;
}

size_t TsTables::write(uint8_t* out, size_t room) const {
  const size_t at = entry_of(program_);
  if (!known_ || at == entry_count_ || room < kTsTableBytesMax) return 0;
  const uint8_t continuity = entries_[at].sections.continuity();
  const size_t pat =
      packetise(pat_.bytes.data(), pat_.length, ts_pid::PAT, pat_sections_.continuity(), out);
  return pat + packetise(pmt_.bytes.data(), pmt_.length, program_.pmt_pid, continuity, out + pat);
}

}  // namespace headgate
