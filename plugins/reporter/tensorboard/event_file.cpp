#include "event_file.hpp"

#include "reports/text.hpp"

#include <osteon/error.hpp>
#include <osteon/png.hpp>

#include <fcntl.h>
#include <unistd.h>
#include <boost/crc.hpp>
#include <protozero/pbf_writer.hpp>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <system_error>

namespace osteon::tensorboard {

namespace {

namespace fs = std::filesystem;
using protozero::pbf_writer;

constexpr std::string_view kBegin = "events.out.tfevents.", kMaker = ".osteon";

// Numbers of the fields.
namespace event {
constexpr protozero::pbf_tag_type kWallTime = 1, kStep = 2, kFileVersion = 3, kSummary = 5;
}
namespace summary {
constexpr protozero::pbf_tag_type kValue = 1;
}
namespace value {
constexpr protozero::pbf_tag_type kTag = 1, kSimpleValue = 2, kImage = 4, kMetadata = 9;
}
namespace metadata {
constexpr protozero::pbf_tag_type kDescription = 3;
}
namespace picture {
constexpr protozero::pbf_tag_type kHeight = 1, kWidth = 2, kColourSpace = 3, kEncoded = 4;
constexpr std::int32_t kGrey = 1, kRgb = 3;
}  // namespace picture

double now() { return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count(); }

std::string little_endian(std::uint64_t number, int bytes) {
  std::string result;
  for (int i = 0; i < bytes; ++i) result += static_cast<char>(number >> (8 * i) & 0xff);
  return result;
}

/// CRC-32C (Castagnoli), masked.
std::string checksum(std::string_view bytes) {
  boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true> crc;
  crc.process_bytes(bytes.data(), bytes.size());
  const auto plain = static_cast<std::uint32_t>(crc.checksum());
  return little_endian(static_cast<std::uint32_t>((plain >> 15 | plain << 17) + 0xa282ead8U), 4);
}

std::string record(std::string_view message) {
  const std::string length = little_endian(message.size(), 8);
  return length + checksum(length) + std::string(message) + checksum(message);
}

/// TensorBoard reads a folder's event files in order of their names.
fs::path unused_name(const fs::path& folder) {
  char seconds[32];
  std::snprintf(seconds, sizeof seconds, "%010lld", static_cast<long long>(now()));
  const std::string name = std::string(kBegin) + seconds + std::string(kMaker);
  fs::path file = folder / name;
  for (int more = 2; fs::exists(file); ++more) file = folder / text(name, ".", more);
  return file;
}

std::string event_with_value(std::int64_t step, const std::string& value) {
  std::string values, message;
  pbf_writer(values).add_message(summary::kValue, value);
  pbf_writer writer(message);
  writer.add_double(event::kWallTime, now());
  writer.add_int64(event::kStep, step);
  writer.add_message(event::kSummary, values);
  return message;
}

}  // namespace

EventFile::EventFile(const fs::path& folder)
    : file_(unused_name(folder)),
      descriptor_(::open(file_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0644)) {
  if (descriptor_.number() < 0)
    throw failure(text(file_.string(), ": cannot make the event file: ", std::strerror(errno)));
  std::string message;
  pbf_writer writer(message);
  writer.add_double(event::kWallTime, now());
  writer.add_string(event::kFileVersion, "brain.Event:2");
  append(message);
}

EventFile::Descriptor::~Descriptor() {
  if (number_ >= 0) ::close(number_);
}

void EventFile::add_scalar(const std::string& tag, std::int64_t step, double number, const std::string& description) {
  std::string value;
  pbf_writer writer(value);
  writer.add_string(value::kTag, reports::utf8(tag));
  writer.add_float(value::kSimpleValue, static_cast<float>(number));
  if (!description.empty()) {
    std::string about;
    pbf_writer(about).add_string(metadata::kDescription, reports::utf8(description));
    writer.add_message(value::kMetadata, about);
  }
  append(event_with_value(step, value));
}

void EventFile::add_image(const std::string& tag, const at::Tensor& image) {
  const std::string png = encode_png(image);
  std::string value, shown;
  pbf_writer writer(shown);
  writer.add_int32(picture::kHeight, static_cast<std::int32_t>(image.size(0)));
  writer.add_int32(picture::kWidth, static_cast<std::int32_t>(image.size(1)));
  writer.add_int32(picture::kColourSpace, image.dim() == 3 ? picture::kRgb : picture::kGrey);
  writer.add_bytes(picture::kEncoded, png);
  pbf_writer whole(value);
  whole.add_string(value::kTag, reports::utf8(tag));
  whole.add_message(value::kImage, shown);
  append(event_with_value(0, value));
}

void EventFile::append(std::string_view message) {
  const std::string bytes = record(message);
  const off_t end = ::lseek(descriptor_.number(), 0, SEEK_END);
  std::string_view rest = bytes;
  while (!rest.empty()) {
    const ssize_t written = ::write(descriptor_.number(), rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      const int reason = errno;
      if (end < 0 || ::ftruncate(descriptor_.number(), end) != 0)
        throw failure(text(file_.string(), ": cannot write, and its last record is a part: ", std::strerror(reason)));
      throw failure(text(file_.string(), ": cannot write: ", std::strerror(reason)));
    }
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
}

void remove_event_files(const fs::path& folder) {
  std::error_code problem;
  for (const auto& entry : fs::directory_iterator(folder, problem)) {
    const std::string name = entry.path().filename();
    if (!name.starts_with(kBegin) || name.find(kMaker) == std::string::npos) continue;
    std::error_code reason;
    fs::remove(entry.path(), reason);
    if (reason)
      throw failure(
          text(entry.path().string(), ": cannot remove the event file of an earlier run: ", reason.message()));
  }
}

}  // namespace osteon::tensorboard
