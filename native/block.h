// Block: the body of one message. It is allocated once, grows with the bytes that arrive, and is
// moved from the demuxer to the GOP store: a frame is copied from the socket buffer exactly once.
// Where nothing is kept, the next message is written over the last one in the same memory.
#ifndef HEADGATE_BLOCK_H_
#define HEADGATE_BLOCK_H_

#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace headgate {

/// Owned bytes, move-only. Allocation failure is a return value: the addon has no exceptions.
class Block {
 public:
  Block() = default;
  ~Block() { std::free(bytes_); }
  Block(Block&& other) noexcept
      : bytes_(other.bytes_), size_(other.size_), capacity_(other.capacity_) {
    other.forget();
  }
  Block& operator=(Block&& other) noexcept {
    if (this != &other) {
      std::free(bytes_);
      bytes_ = other.bytes_;
      size_ = other.size_;
      capacity_ = other.capacity_;
      other.forget();
    }
    return *this;
  }
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  const uint8_t* bytes() const { return bytes_; }
  uint32_t size() const { return size_; }
  uint32_t capacity() const { return capacity_; }

  /// Makes room for `capacity` bytes in all; false when memory is out, with the old bytes kept.
  bool reserve(uint32_t capacity) {
    if (capacity <= capacity_) return true;
    void* grown = std::realloc(bytes_, capacity);
    if (grown == nullptr) return false;
    bytes_ = static_cast<uint8_t*>(grown);
    capacity_ = capacity;
    return true;
  }

  /// Appends within the reserved room.
  void append(const uint8_t* bytes, uint32_t length) {
    std::memcpy(bytes_ + size_, bytes, length);
    size_ += length;
  }

  /// Takes bytes off the end, down to `size`; the room stays.
  void truncate(uint32_t size) { size_ = size; }

  /// Overwrites bytes that are there.
  void overwrite(uint32_t at, const uint8_t* bytes, uint32_t length) {
    std::memcpy(bytes_ + at, bytes, length);
  }

  void clear() {
    std::free(bytes_);
    forget();
  }

 private:
  void forget() {
    bytes_ = nullptr;
    size_ = 0;
    capacity_ = 0;
  }

  uint8_t* bytes_ = nullptr;
  uint32_t size_ = 0;
  uint32_t capacity_ = 0;
};

}  // namespace headgate

#endif  // HEADGATE_BLOCK_H_
