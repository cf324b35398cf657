// Sizes out of parameter sets of x264 and x265, out of sets made bit by bit, and out of none.
#include "../sps.h"

#include "bodies.h"
#include "check.h"

namespace headgate::test {
namespace {

Bytes hex(const char* text) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  Bytes bytes;
  for (; text[0] != 0; text += 2) bytes.push_back(static_cast<uint8_t>(digit(text[0]) << 4 | digit(text[1])));
  return bytes;
}

// Writes an RBSP bit by bit, then puts emulation prevention in.
class BitWriter {
 public:
  BitWriter& bits(uint32_t value, uint32_t count) {
    while (count-- > 0) {
      if (used_ == 0) bytes_.push_back(0);
      bytes_.back() = static_cast<uint8_t>(bytes_.back() | (value >> count & 1) << (7 - used_));
      used_ = (used_ + 1) % 8;
    }
    return *this;
  }
  BitWriter& ue(uint32_t value) {
    uint32_t length = 0;
    while ((uint64_t{value} + 1) >> (length + 1) != 0) length++;
    bits(0, length);
    if (length == 31) return bits(1, 1).bits(value + 1, 31);
    return bits(value + 1, length + 1);
  }
  Bytes nal() const {
    Bytes nal;
    uint32_t zeros = 0;
    for (const uint8_t byte : bytes_) {
      if (zeros >= 2 && byte <= 3) {
        nal.push_back(3);
        zeros = 0;
      }
      nal.push_back(byte);
      zeros = byte == 0 ? zeros + 1 : 0;
    }
    return nal;
  }

 private:
  Bytes bytes_;
  uint32_t used_ = 0;
};

// Up to the size: header, profile, level and set number.
BitWriter avc_start(uint8_t profile) {
  return BitWriter().bits(0x67, 8).bits(profile, 8).bits(0, 8).bits(31, 8).ue(0);
}

// From the reference frames to the cropping of a 320x240 picture.
Bytes avc_end(BitWriter sps) {
  return sps.ue(4).bits(0, 1).ue(19).ue(14).bits(1, 1).bits(1, 1).bits(0, 1).bits(1, 1).nal();
}

struct Size {
  uint32_t width;
  uint32_t height;
};

void check_size(bool (*read)(const uint8_t*, size_t, Dimensions&), const Bytes& sps, Size expected) {
  Dimensions size;
  CHECK(read(sps.data(), sps.size(), size));
  CHECK_EQ(size.width, expected.width);
  CHECK_EQ(size.height, expected.height);
}

bool refused(bool (*read)(const uint8_t*, size_t, Dimensions&), const Bytes& sps) {
  Dimensions size{7, 7};
  return !read(sps.data(), sps.size(), size) && size.width == 7 && size.height == 7;
}

TEST(sizes_out_of_what_x264_writes) {
  const struct {
    const char* sps;
    Size size;
    AvcFormat format;
  } rows[] = {
      {"6742c01fd9005005bb011000000300100000030320f1832480", {1280, 720}, {1, 8, 8}},
      {"67640028acd940780227e5c044000003000400000300c83c60c658", {1920, 1080}, {1, 8, 8}},
      {"6764000bf3650d3f9e2f016c800000030080000019078a14cb", {202, 102}, {0, 8, 8}},
      {"676e000ca6cd941419f9f011000003000100000300320f142996", {320, 180}, {1, 10, 10}},
      {"677a000dbcd941519e222f011000000300100000030320f1429960", {322, 182}, {2, 8, 8}},
      {"67f4000d919b282a33c7c5e022000003000200000300641e28532c", {322, 182}, {3, 8, 8}},
      // Interlaced: rows of macroblocks are counted in fields.
      {"67640028acd94078044fde0220000003002000000643e2c5b2c0", {1920, 1080}, {1, 8, 8}},
  };
  for (const auto& row : rows) {
    const Bytes sps = hex(row.sps);
    check_size(h264_dimensions, sps, row.size);
    AvcFormat format{9, 9, 9};
    CHECK(h264_format(sps.data(), sps.size(), format));
    CHECK_EQ(format.chroma_format, row.format.chroma_format);
    CHECK_EQ(format.bit_depth_luma, row.format.bit_depth_luma);
    CHECK_EQ(format.bit_depth_chroma, row.format.bit_depth_chroma);
  }
}

TEST(sizes_out_of_what_x265_writes) {
  const struct {
    const char* sps;
    Size size;
  } rows[] = {
      {"420101016000000300900000030000030078a003c08010e596566924caf0168080000003008000000c84", {1920, 1080}},
      {"42010102200000030090000003000003003ca00a080b9f6d96566924caf0168080000003008000000c84", {320, 180}},
      {"4201010408000003009e0800000300003c90014901739a4cb2b349265780b4040000030004000003006420", {323, 181}},
      {"4201010408000003009d0800000300003cb00a480b9dde5959a4932bc05a020000030002000003003210", {324, 182}},
  };
  for (const auto& row : rows) check_size(hevc_dimensions, hex(row.sps), row.size);
}

TEST(fields_of_any_length_on_the_way_to_the_size_are_passed_over) {
  check_size(h264_dimensions, avc_end(avc_start(66).ue(0).ue(2)), {320, 240});
  BitWriter cycle = avc_start(77).ue(0).ue(1).bits(0, 1).ue(3).ue(4).ue(5);
  for (uint32_t i = 0; i < 5; i++) cycle.ue(1000 * i);
  check_size(h264_dimensions, avc_end(cycle), {320, 240});
  BitWriter scaling = avc_start(100).ue(1).ue(0).ue(0).bits(0, 1).bits(1, 1);
  scaling.bits(1, 1);
  for (uint32_t i = 0; i < 16; i++) scaling.ue(i % 3);
  scaling.bits(1, 1).ue(16);  // 8 - 8: the rest of the list is as it was
  scaling.bits(0, 4).bits(1, 1).ue(2).ue(14).bits(0, 1);  // 8 - 1 - 7
  check_size(h264_dimensions, avc_end(scaling.ue(0).ue(2)), {320, 240});
}

TEST(sub_layers_of_hevc_are_passed_over) {
  BitWriter sps = BitWriter().bits(0x4201, 16).bits(0, 4).bits(2, 3).bits(1, 1);
  for (uint32_t i = 0; i < 12; i++) sps.bits(0x40 + i, 8);
  sps.bits(3, 2).bits(1, 2).bits(0, 12);
  for (uint32_t i = 0; i < 12; i++) sps.bits(0xff, 8);
  sps.bits(0xff, 8);
  sps.ue(0).ue(1).ue(640).ue(368).bits(1, 1).ue(0).ue(0).ue(0).ue(4);
  check_size(hevc_dimensions, sps.bits(1, 1).nal(), {640, 360});
}

TEST(sets_that_end_early_have_no_size) {
  const Bytes avc = hex("67640028acd940780227e5c044000003000400000300c83c60c658");
  const Bytes hevc = hex("420101016000000300900000030000030078a003c08010e596566924caf0168080000003008000000c84");
  const auto cut = [](const Bytes& sps, size_t length) {
    return Bytes(sps.begin(), sps.begin() + static_cast<long>(length));
  };
  for (size_t length = 0; length < 11; length++) CHECK(refused(h264_dimensions, cut(avc, length)));
  for (size_t length = 0; length < 24; length++) CHECK(refused(hevc_dimensions, cut(hevc, length)));
  check_size(h264_dimensions, cut(avc, 11), {1920, 1080});
  check_size(hevc_dimensions, cut(hevc, 24), {1920, 1080});
}

TEST(sets_that_make_no_sense_have_no_size) {
  CHECK(refused(h264_dimensions, hex("68eb8f2c")));
  CHECK(refused(h264_dimensions, Bytes(100, 0)));
  CHECK(refused(hevc_dimensions, hex("4401c172b4")));
  CHECK(refused(hevc_dimensions, hex("4209") + Bytes(100, 0xaa)));
  CHECK(refused(hevc_dimensions, hex("42010e") + Bytes(100, 0xaa)));
  // No chroma format 4, no bit depth of 15, no cropping of more than there is, no side of 65,536.
  CHECK(refused(h264_dimensions, avc_end(avc_start(100).ue(4).ue(0).ue(0).bits(0, 2).ue(0).ue(2))));
  CHECK(refused(h264_dimensions, avc_end(avc_start(100).ue(1).ue(7).ue(0).bits(0, 2).ue(0).ue(2))));
  const BitWriter sized = avc_start(66).ue(0).ue(2).ue(4).bits(0, 1);
  CHECK(refused(h264_dimensions, BitWriter(sized).ue(19).ue(14).bits(7, 3).ue(100).ue(60).ue(0).ue(0).bits(1, 1).nal()));
  CHECK(refused(h264_dimensions, BitWriter(sized).ue(4095).ue(14).bits(6, 3).bits(1, 1).nal()));
  CHECK(refused(h264_dimensions, BitWriter(sized).ue(0xfffffffe).ue(14).bits(6, 3).bits(1, 1).nal()));
}

}  // namespace
}  // namespace headgate::test
