#pragma once

// Compressed pixels (JPEG, JPEG-LS, JPEG 2000, RLE), decoded by GDCM in a process of its own: on some damaged streams
// GDCM and its codecs end the program that they run in, write to the terminal or ask for all memory.

#include <sys/types.h>

#include <cstddef>
#include <filesystem>
#include <string>

namespace osteon::dicom {

/// Starts its process at first use and again when a file has ended it. One decoder belongs to one thread.
class Decoder {
 public:
  Decoder() = default;
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
  ~Decoder();

  /// The stored values of all frames of a file, `expected` bytes; "" when GDCM can't decode them, crashes on them, or
  /// takes longer than a minute and a second a mebibyte. Throws a failure when the process can't be started.
  [[nodiscard]] std::string decode(const std::filesystem::path& file, std::size_t expected);

 private:
  void start();
  void stop();

  pid_t process_ = -1;
  int socket_ = -1;
};

}  // namespace osteon::dicom
