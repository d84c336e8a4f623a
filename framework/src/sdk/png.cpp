#include <osteon/error.hpp>
#include <osteon/files.hpp>
#include <osteon/png.hpp>

#include <png.h>

namespace osteon {

std::string encode_png(const at::Tensor& image) {
  const std::int64_t channels = image.dim() == 3 ? image.size(2) : image.dim() == 2 ? 1 : 0;
  if (image.scalar_type() != at::kByte || (channels != 1 && channels != 3 && channels != 4) ||
      (image.dim() == 3 && channels == 1))
    throw failure("a PNG is made from a uint8 tensor [H, W], [H, W, 3] or [H, W, 4]");
  const at::Tensor pixels = image.contiguous();
  png_image header{};
  header.version = PNG_IMAGE_VERSION;
  header.height = static_cast<png_uint_32>(pixels.size(0));
  header.width = static_cast<png_uint_32>(pixels.size(1));
  header.format = channels == 4 ? PNG_FORMAT_RGBA : channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(header);
  std::string bytes(size, '\0');
  if (png_image_write_to_memory(&header, bytes.data(), &size, 0, pixels.data_ptr<std::uint8_t>(), 0, nullptr) == 0)
    throw failure(text("PNG: ", header.message));
  bytes.resize(size);
  return bytes;
}

void write_png(const std::filesystem::path& file, const at::Tensor& image) { write_file(file, encode_png(image)); }

std::string base64(std::string_view bytes) {
  static constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string result;
  result.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    unsigned int group = 0;
    for (std::size_t k = 0; k < 3; ++k)
      group = (group << 8) | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k) result += i + k <= bytes.size() ? kDigits[(group >> (18 - 6 * k)) & 63] : '=';
  }
  return result;
}

}  // namespace osteon
