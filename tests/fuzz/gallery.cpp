// Galleries and models as files: as they are, and once more with length and checksum repaired, as somebody would who
// means harm.

#include "harness.hpp"

#include "pipeline/pack.hpp"

#include <osteon/digest.hpp>

#include <cstring>

namespace osteon::fuzz {
namespace {

constexpr std::size_t kVersionAt = 8, kLengthAt = 16, kPreamble = 24, kDigest = 64;

std::string sealed(std::string_view bytes) {
  std::string result(bytes.substr(0, bytes.size() - kDigest));
  const std::uint64_t length = bytes.size();
  const std::uint32_t version = 1;
  result.replace(0, 8, "\x89OSTEON\n");
  std::memcpy(result.data() + kVersionAt, &version, sizeof version);
  std::memcpy(result.data() + kLengthAt, &length, sizeof length);
  return result + sha256(result);
}

std::string read_file_of(std::string_view bytes) {
  static host::Registry registry({std::filesystem::path(OSTEON_BUILD_DIR) / "lib/osteon/plugins"});
  const std::filesystem::path file = put("x.osteon", bytes);
  const std::string message = message_of([&] {
    const pipeline::Gallery gallery = pipeline::read_gallery(file);
    (void)pipeline::size_text(gallery);
    (void)pipeline::doubts(gallery);
  });
  const std::string model = message_of([&] { (void)pipeline::read_pack(file, registry); });
  return bytes.find("\"model\"") == std::string_view::npos ? message : model;
}

std::string read_gallery(std::string_view bytes) {
  const std::string message = read_file_of(bytes);
  if (message.empty() || bytes.size() < kPreamble + kDigest) return message;
  return read_file_of(sealed(bytes));
}

const Registered kGallery("gallery", read_gallery);

}  // namespace
}  // namespace osteon::fuzz
