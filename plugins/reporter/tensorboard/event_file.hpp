#pragma once

// TensorBoard's event file: records of TFRecord, each one a protobuf message `Event` (tensorboard/compat/proto:
// event.proto, summary.proto). A record is its length (uint64, little-endian), the masked CRC-32C of these eight bytes,
// the message, and the masked CRC-32C of the message; masked is rotated right by 15 bits plus 0xa282ead8.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace osteon::tensorboard {

/// A new event file in `folder`, whose name no file there has; it begins with the format's version.
class EventFile {
 public:
  /// Throws a failure when the file can't be made.
  explicit EventFile(const std::filesystem::path& folder);

  /// `description` (Markdown) stands behind the chart's "i".
  void add_scalar(const std::string& tag, std::int64_t step, double value, const std::string& description);
  /// uint8 `[H, W]` or `[H, W, 3]`, as PNG.
  void add_image(const std::string& tag, const at::Tensor& image);

 private:
  /// A whole record or, where the disk is full, none: then throws a failure.
  void append(std::string_view message);

  /// Closes itself.
  class Descriptor {
   public:
    explicit Descriptor(int number) : number_(number) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor();
    [[nodiscard]] int number() const { return number_; }

   private:
    int number_;
  };

  std::filesystem::path file_;
  Descriptor descriptor_;
};

/// Takes away the event files that earlier runs left in `folder`; those of other programs stay.
void remove_event_files(const std::filesystem::path& folder);

}  // namespace osteon::tensorboard
