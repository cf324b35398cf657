#include "rtmp_demux.h"

#include <algorithm>
#include <utility>

#include "big_endian.h"

namespace headgate {

namespace {

constexpr uint32_t kExtendedMarker = 0xffffff;
constexpr uint32_t kMessageHeaderBytes[4] = {11, 7, 3, 0};

bool is_data(uint8_t type) {
  return type == message_type::kDataAmf0 || type == message_type::kDataAmf3;
}

bool is_command(uint8_t type) {
  return type == message_type::kCommandAmf0 || type == message_type::kCommandAmf3;
}

bool is_control(uint8_t type) {
  return type >= message_type::kSetChunkSize && type <= message_type::kSetPeerBandwidth;
}

}  // namespace

bool is_media(uint8_t type) {
  return type == message_type::kAudio || type == message_type::kVideo || is_data(type) ||
         type == message_type::kAggregate;
}

RtmpDemux::Step RtmpDemux::advance(const uint8_t* input, size_t length, size_t& offset) {
  if (error_ != RtmpError::none) return Step::kError;
  // A header cut by the end of the last input is completed in a small buffer of its own. Some of
  // its bytes may turn out to be payload: senders that do not repeat the extended timestamp.
  while (partial_length_ > 0) {
    const size_t fresh = std::min<size_t>(kChunkHeaderBytesMax - partial_length_, length - offset);
    if (fresh > 0) std::memcpy(partial_.data() + partial_length_, input + offset, fresh);
    size_t used = 0;
    const Step step = run(partial_.data(), partial_length_ + fresh, used);
    if (used == 0 && step == Step::kNeedInput) {
      partial_length_ += static_cast<uint32_t>(fresh);
      offset += fresh;
      return step;
    }
    if (used >= partial_length_) {
      offset += used - partial_length_;
      partial_length_ = 0;
    } else {
      partial_length_ -= static_cast<uint32_t>(used);
      std::memmove(partial_.data(), partial_.data() + used, partial_length_);
    }
    if (step != Step::kNeedInput) return step;
  }
  const Step step = run(input, length, offset);
  if (step == Step::kNeedInput && offset < length) {
    partial_length_ = static_cast<uint32_t>(length - offset);
    std::memcpy(partial_.data(), input + offset, partial_length_);
    offset = length;
  }
  return step;
}

// Consumes whole headers and any payload; bytes left over are the beginning of a header.
RtmpDemux::Step RtmpDemux::run(const uint8_t* input, size_t length, size_t& offset) {
  while (true) {
    if (chunk_left_ == 0) {
      Header header;
      if (!parse_header(input + offset, length - offset, header)) return Step::kNeedInput;
      if (!open_chunk(header, input + offset)) return Step::kError;
      offset += header.size;
    }
    ChunkStream& stream = *current_;
    const uint32_t take = static_cast<uint32_t>(std::min<size_t>(chunk_left_, length - offset));
    if (take > 0) {
      payload_total_ += take;
      if (!stream.skipped && !store(stream, input + offset, take, length - offset)) {
        return Step::kError;
      }
      stream.received += take;
      chunk_left_ -= take;
      offset += take;
    }
    if (stream.received == stream.length) {
      return complete(stream) ? Step::kMessage : Step::kError;
    }
    if (chunk_left_ > 0) return Step::kNeedInput;
  }
}

// Sections 5.3.1.1 to 5.3.1.3. False when the header is not all there yet.
bool RtmpDemux::parse_header(const uint8_t* bytes, size_t length, Header& header) {
  if (length == 0) return false;
  header.format = bytes[0] >> 6;
  header.id = bytes[0] & 0x3f;
  uint32_t size = 1;
  if (header.id < 2) {
    size = header.id + 2;
    if (length < size) return false;
    header.id = 64 + bytes[1] + (size == 3 ? bytes[2] * 256u : 0);
  }
  header.stream = find(header.id);
  const uint32_t message_header = kMessageHeaderBytes[header.format];
  if (length < size + message_header) return false;
  if (header.format < 3) {
    header.field = read_u24(bytes + size);
    size += message_header;
    header.extended = header.field == kExtendedMarker;
    if (header.extended) {
      if (length < size + 4) return false;
      header.field = read_u32(bytes + size);
      size += 4;
    }
  } else if (header.stream != nullptr && header.stream->extended) {
    // The spec has type 3 chunks repeat the extended timestamp. Some encoders do not, so it is
    // there only if it has the value it must have; the first byte that differs settles it.
    const uint32_t expected = header.stream->field;
    uint32_t same = 0;
    while (same < 4 && size + same < length &&
           bytes[size + same] == static_cast<uint8_t>(expected >> (24 - 8 * same))) {
      same++;
    }
    if (same < 4 && size + same == length) return false;
    if (same == 4) size += 4;
  }
  header.size = size;
  return true;
}

bool RtmpDemux::open_chunk(const Header& header, const uint8_t* bytes) {
  ChunkStream* stream = header.stream;
  if (stream == nullptr) {
    // librtmp opens a chunk stream with type 1 for pings, so only the types without a length are
    // refused on one that was never seen.
    if (header.format >= 2) return fail(RtmpError::header_missing);
    stream = find_or_add(header.id);
    if (stream == nullptr) return fail(RtmpError::chunk_stream_limit);
  }
  if (stream->open) {
    // A second header could shrink, enlarge or retype a message that is half there.
    if (header.format != 3) return fail(RtmpError::header_in_message);
  } else {
    if (!read_message_header(*stream, header, bytes)) return false;
  }
  current_ = stream;
  chunk_left_ = std::min(chunk_size_, stream->length - stream->received);
  return true;
}

bool RtmpDemux::read_message_header(ChunkStream& stream, const Header& header,
                                    const uint8_t* bytes) {
  if (header.format < 3) {
    const uint32_t extended_bytes = header.extended ? 4 : 0;
    const uint8_t* fields = bytes + header.size - extended_bytes - kMessageHeaderBytes[header.format];
    stream.extended = header.extended;
    stream.field = header.field;
    stream.delta = header.field;
    if (header.format < 2) {
      stream.length = read_u24(fields + 3);
      stream.type = fields[6];
    }
    if (header.format == 0) stream.message_stream_id = read_u32_little(fields + 7);
  }
  // A type 3 header that begins a message repeats the last delta. After a type 0 header that is
  // its timestamp (section 5.3.1.2.4): ffmpeg writes and reads it so, librtmp and SRS read it so.
  // Deltas wrap around like the clock itself, which is 32 bits wide.
  stream.timestamp = header.format == 0 ? header.field : stream.timestamp + stream.delta;
  return open_message(stream);
}

bool RtmpDemux::open_message(ChunkStream& stream) {
  const RtmpError wrong_length = length_error(stream);
  if (wrong_length != RtmpError::none) return fail(wrong_length);
  stream.open = true;
  stream.received = 0;
  if (is_media(stream.type)) {
    // Metadata arrives on message stream 0 from some encoders; audio and video never do.
    const bool ours = stream.message_stream_id == media_stream_id_ ||
                      (is_data(stream.type) && stream.message_stream_id == 0);
    stream.skipped = !media_stored_ || !ours;
  } else {
    stream.skipped = !is_command(stream.type) && !is_control(stream.type);
  }
  return true;
}

RtmpError RtmpDemux::length_error(const ChunkStream& stream) const {
  const uint32_t length = stream.length;
  switch (stream.type) {
    case message_type::kSetChunkSize:
    case message_type::kAbort:
    case message_type::kAcknowledgement:
    case message_type::kWindowAckSize:
      return length == 4 ? RtmpError::none : RtmpError::control_length;
    case message_type::kSetPeerBandwidth:
      return length == 5 ? RtmpError::none : RtmpError::control_length;
    case message_type::kUserControl:
      return length >= 2 && length <= kUserControlBytesMax ? RtmpError::none
                                                           : RtmpError::control_length;
    default:
      break;
  }
  if (is_command(stream.type) && length == 0) return RtmpError::message_length;
  const uint32_t length_max = is_media(stream.type) ? kMediaBytesMax : kCommandBytesMax;
  return length <= length_max ? RtmpError::none : RtmpError::message_length;
}

// Grows the body with what has arrived, not to what was declared: by doubling, or at once to the
// end of a message that the input at hand can complete, if the connection has sent as much before.
bool RtmpDemux::store(ChunkStream& stream, const uint8_t* bytes, uint32_t length, size_t at_hand) {
  Block& body = stream.body;
  const uint32_t needed = body.size() + length;
  if (needed > body.capacity()) {
    const uint32_t whole = stream.length - body.capacity();
    const bool in_reach = stream.length - body.size() <= at_hand && pending_ + whole <= payload_total_;
    const uint32_t target = in_reach ? stream.length : std::min(stream.length, needed * 2);
    const uint32_t growth = target - body.capacity();
    if (growth > kPendingBytesMax - pending_) return fail(RtmpError::pending_limit);
    if (!body.reserve(target)) return fail(RtmpError::out_of_memory);
    pending_ += growth;
  }
  body.append(bytes, length);
  return true;
}

bool RtmpDemux::complete(ChunkStream& stream) {
  pending_ -= stream.body.capacity();
  message_.type = stream.type;
  message_.skipped = stream.skipped;
  message_.length = stream.length;
  message_.timestamp = stream.timestamp;
  message_.message_stream_id = stream.message_stream_id;
  message_.chunk_stream_id = stream.id;
  message_.body = std::move(stream.body);
  stream.open = false;
  stream.received = 0;
  chunk_left_ = 0;
  return obey();
}

// Set chunk size and abort are for the chunk stream itself (sections 5.4.1 and 5.4.2).
bool RtmpDemux::obey() {
  if (message_.type == message_type::kSetChunkSize) {
    const uint32_t size = read_u32(message_.body.bytes());
    if (size < kChunkSizeMin || size > kChunkSizeMax) return fail(RtmpError::chunk_size);
    chunk_size_ = size;
  } else if (message_.type == message_type::kAbort) {
    ChunkStream* aborted = find(read_u32(message_.body.bytes()));
    if (aborted != nullptr) discard(*aborted);
  }
  return true;
}

void RtmpDemux::discard(ChunkStream& stream) {
  pending_ -= stream.body.capacity();
  stream.body.clear();
  stream.open = false;
  stream.received = 0;
}

void RtmpDemux::store_media(uint32_t message_stream_id) {
  media_stored_ = true;
  media_stream_id_ = message_stream_id;
}

void RtmpDemux::skip_media() {
  media_stored_ = false;
  for (uint32_t i = 0; i < stream_count_; i++) {
    ChunkStream& stream = streams_[i];
    if (!stream.open || stream.skipped || !is_media(stream.type)) continue;
    pending_ -= stream.body.capacity();
    stream.body.clear();
    stream.skipped = true;
  }
}

RtmpDemux::ChunkStream* RtmpDemux::find(uint32_t id) {
  if (current_ != nullptr && current_->id == id) return current_;
  for (uint32_t i = 0; i < stream_count_; i++) {
    if (streams_[i].id == id) return &streams_[i];
  }
  return nullptr;
}

RtmpDemux::ChunkStream* RtmpDemux::find_or_add(uint32_t id) {
  ChunkStream* stream = find(id);
  if (stream != nullptr) return stream;
  if (stream_count_ == kChunkStreamsMax) return nullptr;
  stream = &streams_[stream_count_++];
  stream->id = id;
  return stream;
}

}  // namespace headgate
