// Plain and packed bytes, and voxels in the byte order of this machine.

#include "itk/image_stream.hpp"

#include "itk/image_header.hpp"

#include <osteon/error.hpp>

#include <zlib.h>

#include <algorithm>
#include <bit>
#include <fstream>
#include <limits>

namespace osteon::image {

namespace {

constexpr std::size_t kPiece = 1 << 18;  // bytes

/// Unpacks a gzip (of one or several members) or zlib stream.
class Unpacker {
 public:
  explicit Unpacker(std::ifstream& in) : in_(&in), packed_(kPiece, '\0') {
    if (::inflateInit2(&stream_, MAX_WBITS + 32) != Z_OK) throw failure("out of memory");  // 32: gzip or zlib by itself
  }
  Unpacker(const Unpacker&) = delete;
  Unpacker& operator=(const Unpacker&) = delete;
  ~Unpacker() { ::inflateEnd(&stream_); }

  std::size_t read(char* bytes, std::size_t count) {
    std::size_t done = 0;
    while (done < count && !ended_) {
      if (stream_.avail_in == 0) {
        in_->read(packed_.data(), static_cast<std::streamsize>(packed_.size()));
        stream_.next_in = reinterpret_cast<Bytef*>(packed_.data());
        stream_.avail_in = static_cast<uInt>(in_->gcount());
        if (stream_.avail_in == 0) break;
      }
      const auto room = static_cast<uInt>(std::min<std::size_t>(count - done, std::numeric_limits<uInt>::max() / 2));
      stream_.next_out = reinterpret_cast<Bytef*>(bytes + done);
      stream_.avail_out = room;
      const int result = ::inflate(&stream_, Z_NO_FLUSH);
      done += room - stream_.avail_out;
      if (result == Z_STREAM_END)
        ended_ = ::inflateReset(&stream_) != Z_OK;
      else
        ended_ = result != Z_OK && result != Z_BUF_ERROR;
    }
    return done;
  }

 private:
  std::ifstream* in_;
  std::string packed_;
  z_stream stream_{};
  bool ended_ = false;
};

}  // namespace

std::size_t read_bytes(const std::filesystem::path& file, std::uintmax_t begin, bool compressed, std::uintmax_t skip,
                       char* bytes, std::size_t count) {
  std::ifstream in(file, std::ios::binary);
  if (!in || !in.seekg(static_cast<std::streamoff>(begin)))
    throw Error(text(file.filename().string(), ": cannot read the file"));
  if (!compressed) {
    in.read(bytes, static_cast<std::streamsize>(count));
    return static_cast<std::size_t>(in.gcount());
  }
  Unpacker unpacker(in);
  std::string passed(std::min<std::uintmax_t>(skip, kPiece), '\0');
  while (skip > 0) {
    const auto piece = static_cast<std::size_t>(std::min<std::uintmax_t>(skip, passed.size()));
    if (unpacker.read(passed.data(), piece) < piece) return 0;
    skip -= piece;
  }
  return unpacker.read(bytes, count);
}

std::string start_of(const std::filesystem::path& file, std::size_t count, bool compressed) {
  std::string bytes(count, '\0');
  bytes.resize(read_bytes(file, 0, compressed, 0, bytes.data(), count));
  return bytes;
}

void require_voxels(const Header& header, std::size_t count) {
  constexpr std::uintmax_t kMostUnpacked = 1032;  // deflate: 258 bytes from two bits
  const std::uintmax_t expected = static_cast<std::uintmax_t>(count) * bytes_of(header.type);
  std::error_code problem;
  const std::uintmax_t size = std::filesystem::file_size(header.data, problem);
  const std::uintmax_t held = problem || size < header.stream ? 0 : size - header.stream;
  if (expected > (header.compressed ? held * kMostUnpacked : held))
    throw Error(text(header.data.filename().string(), ": its voxels are damaged or cut off: expected ", expected,
                     " bytes", header.compressed ? ", unpacked" : "", ", found ", held,
                     header.compressed ? " packed ones" : "", "; copy it again from where it came"));
}

std::vector<char> read_voxels(const Header& header, std::size_t count) {
  require_voxels(header, count);
  const std::size_t width = bytes_of(header.type);
  std::vector<char> bytes(count * width);
  const std::size_t found =
      read_bytes(header.data, header.stream, header.compressed, header.skip, bytes.data(), bytes.size());
  if (found < bytes.size())
    throw Error(text(header.data.filename().string(), ": its voxels are damaged or cut off: expected ", bytes.size(),
                     " bytes", header.compressed ? ", unpacked" : "", ", found ", found,
                     "; copy it again from where it came"));
  if (width > 1 && header.big_endian == (std::endian::native == std::endian::little))
    for (std::size_t v = 0; v < bytes.size(); v += width)
      std::reverse(bytes.begin() + static_cast<std::ptrdiff_t>(v),
                   bytes.begin() + static_cast<std::ptrdiff_t>(v + width));
  return bytes;
}

}  // namespace osteon::image
