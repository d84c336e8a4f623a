// The program that decodes compressed DICOM pixels for the plugins, one file after the other, so that a stream on which
// GDCM or a codec fails ends this process and not the user's. Requests and answers on descriptor 0: see
// dicom_decoder.cpp. Not meant to be started by hand.

#include <gdcmImageReader.h>
#include <gdcmTrace.h>

#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <string>
#include <vector>

/// In the place of the C library's. GDCM hands a stream that its own codecs refuse to /usr/bin/pvrg-jpeg where that is
/// installed, and on a damaged one that program may never end. No file starts a program here.
extern "C" int system(const char*) { return -1; }

namespace {

constexpr std::uint64_t kMebibyte = 1 << 20;

bool receive(void* bytes, std::size_t count) {
  return ::recv(0, bytes, count, MSG_WAITALL) == static_cast<ssize_t>(count);
}

bool answer(const char* bytes, std::size_t count) {
  while (count > 0) {
    const ssize_t sent = ::send(0, bytes, count, MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes += sent;
    count -= static_cast<std::size_t>(sent);
  }
  return true;
}

/// Time and memory in proportion to what the header promises.
void limit(std::uint64_t expected) {
  ::alarm(static_cast<unsigned>(std::min<std::uint64_t>(3600, 60 + expected / kMebibyte)));
  const rlimit memory{1024 * kMebibyte + 8 * expected, RLIM_INFINITY};
  ::setrlimit(RLIMIT_AS, &memory);
}

bool decode(const std::string& file, std::uint64_t expected, std::vector<char>& pixels) {
  try {
    gdcm::ImageReader reader;
    reader.SetFileName(file.c_str());
    if (!reader.Read()) return false;
    const gdcm::Image& image = reader.GetImage();
    if (image.GetBufferLength() != expected) return false;
    pixels.resize(expected);
    return image.GetBuffer(pixels.data());
  } catch (const std::exception&) {
    return false;  // GDCM throws some of its errors and returns others
  }
}

}  // namespace

int main() {
  gdcm::Trace::DebugOff();
  gdcm::Trace::WarningOff();
  gdcm::Trace::ErrorOff();
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  std::uint64_t expected = 0;
  std::uint32_t length = 0;
  std::vector<char> pixels;
  while (receive(&expected, sizeof expected) && receive(&length, sizeof length)) {
    std::string file(length, '\0');
    if (!receive(file.data(), length)) break;
    limit(expected);
    const char decoded = decode(file, expected, pixels) ? 1 : 0;
    if (!answer(&decoded, 1) || (decoded == 1 && !answer(pixels.data(), pixels.size()))) break;
  }
  return 0;
}
