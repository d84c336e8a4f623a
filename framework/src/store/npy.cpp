// NumPy's .npy files, version 1.0: magic, version, header length, a Python dictionary as text, then the numbers
// (NumPy Enhancement Proposal 1; numpy.lib.format). A file may come from anywhere, so nothing in its header is believed
// before it agrees with the file's size, and no memory is taken before that.

#include "store/disk.hpp"
#include "store/store.hpp"

#include <ATen/Functions.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cstring>

namespace osteon::store {

namespace {

static_assert(std::endian::native == std::endian::little, "the .npy files are written as they stand in memory");

constexpr std::string_view kNpyMagic{"\x93NUMPY\x01\x00", 8};
constexpr std::size_t kNpyPreamble = 10;  // magic, version, two bytes of header length
constexpr std::size_t kMostNpyDimensions = 32;

struct NumberType {
  at::ScalarType type;
  std::string_view description;
};

constexpr std::array<NumberType, 6> kNpyTypes = {{{at::kByte, "|u1"},
                                                  {at::kShort, "<i2"},
                                                  {at::kInt, "<i4"},
                                                  {at::kLong, "<i8"},
                                                  {at::kFloat, "<f4"},
                                                  {at::kDouble, "<f8"}}};

std::string header_of(const at::Tensor& tensor) {
  const auto* found = std::ranges::find(kNpyTypes, tensor.scalar_type(), &NumberType::type);
  if (found == kNpyTypes.end())
    throw failure(text("a tensor of ", c10::toString(tensor.scalar_type()), " has no .npy form"));
  std::string shape = "(";
  for (const std::int64_t size : tensor.sizes()) shape += std::to_string(size) + ", ";
  if (tensor.dim() > 0) shape.resize(shape.size() - (tensor.dim() == 1 ? 1 : 2));  // "(3,)", "(3, 4)"
  std::string dictionary =
      text("{'descr': '", found->description, "', 'fortran_order': False, 'shape': ", shape, "), }");
  dictionary.resize((kNpyPreamble + dictionary.size() + 64) / 64 * 64 - kNpyPreamble,
                    ' ');  // data starts at a multiple of 64
  dictionary.back() = '\n';
  std::string header(kNpyMagic);
  header += static_cast<char>(dictionary.size() & 255);
  header += static_cast<char>(dictionary.size() >> 8);
  return header + dictionary;
}

/// Reads a header's dictionary, of which only the form that NumPy writes is understood.
class HeaderReader {
 public:
  explicit HeaderReader(std::string_view dictionary) : rest_(dictionary) {}

  /// False when it is not such a dictionary.
  bool read() {
    if (!take("{")) return false;
    while (!take("}")) {
      std::string_view key;
      if (!quoted(key) || !take(":") || !value_of(key)) return false;
      if (!take(",")) {
        if (!take("}")) return false;
        break;
      }
    }
    skip_space();
    return rest_.empty() && has_description_ && has_order_ && has_shape_;
  }

  std::string_view description;
  bool fortran_order = false;
  std::vector<std::int64_t> shape;

 private:
  void skip_space() {
    while (!rest_.empty() && std::isspace(static_cast<unsigned char>(rest_.front()))) rest_.remove_prefix(1);
  }

  bool take(std::string_view word) {
    skip_space();
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }

  bool quoted(std::string_view& word) {
    if (!take("'")) return false;
    const std::size_t end = rest_.find('\'');
    if (end == std::string_view::npos) return false;
    word = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return true;
  }

  bool value_of(std::string_view key) {
    if (key == "descr") return !std::exchange(has_description_, true) && quoted(description);
    if (key == "shape") return !std::exchange(has_shape_, true) && tuple();
    if (key != "fortran_order" || std::exchange(has_order_, true)) return false;
    fortran_order = take("True");
    return fortran_order || take("False");
  }

  bool tuple() {
    if (!take("(")) return false;
    while (!take(")")) {
      skip_space();
      std::int64_t size = 0;
      const auto [end, problem] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), size);
      if (problem != std::errc() || size < 0 || shape.size() == kMostNpyDimensions) return false;
      rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
      shape.push_back(size);
      if (!take(",")) return take(")");
    }
    return true;
  }

  std::string_view rest_;
  bool has_description_ = false, has_order_ = false, has_shape_ = false;
};

/// Bytes of a tensor of this shape, or nothing when it (or a stride) does not fit 63 bits.
std::optional<std::uint64_t> size_in_bytes(const std::vector<std::int64_t>& shape, std::uint64_t bytes_each) {
  std::uint64_t extent = bytes_each;
  bool empty = false;
  for (const std::int64_t size : shape) {
    empty |= size == 0;
    if (__builtin_mul_overflow(extent, static_cast<std::uint64_t>(std::max<std::int64_t>(size, 1)), &extent) ||
        extent > std::uint64_t{1} << 62)
      return std::nullopt;
  }
  return empty ? 0 : extent;
}

/// An open file, read from the start.
class Input {
 public:
  // O_NONBLOCK: a pipe of that name must not stop the program.
  explicit Input(const std::filesystem::path& file)
      : file_(file), descriptor_(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
    struct stat status {};
    if (descriptor_ < 0 || ::fstat(descriptor_, &status) != 0) {
      const int reason = errno;
      if (descriptor_ >= 0) ::close(descriptor_);
      throw Error(text(file.string(), ": cannot read: ", std::strerror(reason)));
    }
    is_file_ = S_ISREG(status.st_mode);
    size_ = is_file_ ? static_cast<std::uint64_t>(status.st_size) : 0;
  }
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;
  ~Input() { ::close(descriptor_); }

  [[nodiscard]] bool is_file() const { return is_file_; }
  [[nodiscard]] std::uint64_t size() const { return size_; }

  /// The whole file in memory, loaded as it is looked at; what is written there stays private. Null where that fails.
  [[nodiscard]] void* map() const {
    void* const address =
        ::mmap(nullptr, static_cast<std::size_t>(size_), PROT_READ | PROT_WRITE, MAP_PRIVATE, descriptor_, 0);
    return address == MAP_FAILED ? nullptr : address;
  }

  void read(void* to, std::uint64_t bytes) {
    auto* next = static_cast<char*>(to);
    while (bytes > 0) {
      const ssize_t got = ::read(descriptor_, next, std::min<std::uint64_t>(bytes, std::uint64_t{1} << 30));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw Error(text(file_.string(), ": cannot read: ", std::strerror(errno)));
      if (got == 0) throw Error(text(file_.string(), ": truncated while it was read"));
      next += got;
      bytes -= static_cast<std::uint64_t>(got);
    }
  }

 private:
  std::filesystem::path file_;
  int descriptor_;
  bool is_file_ = false;
  std::uint64_t size_ = 0;
};

}  // namespace

void write_npy(const std::filesystem::path& file, const at::Tensor& tensor) {
  const at::Tensor packed = tensor.detach().cpu().contiguous();
  write_flushed(file, {header_of(packed), {static_cast<const char*>(packed.data_ptr()), packed.nbytes()}});
}

at::Tensor read_npy(const std::filesystem::path& file) {
  Input input(file);
  const auto refuse = [&file](const auto&... what) { throw Error(text(file.string(), ": ", what...)); };
  std::array<char, kNpyPreamble> preamble{};
  if (!input.is_file()) refuse("is not a regular file");
  if (input.size() < kNpyPreamble) refuse("has ", input.size(), " bytes; a .npy file has at least ", kNpyPreamble);
  input.read(preamble.data(), kNpyPreamble);
  if (std::string_view(preamble.data(), kNpyMagic.size()) != kNpyMagic) refuse("is no .npy file of version 1.0");
  const std::size_t length = static_cast<unsigned char>(preamble[8]) | static_cast<unsigned char>(preamble[9]) << 8;
  if (input.size() < kNpyPreamble + length)
    refuse("truncated: its header should end at byte ", kNpyPreamble + length, ", the file at ", input.size());
  std::string dictionary(length, ' ');
  input.read(dictionary.data(), length);

  HeaderReader header(dictionary);
  if (!header.read()) refuse("its .npy header cannot be read");
  const auto* type = std::ranges::find(kNpyTypes, header.description, &NumberType::description);
  if (type == kNpyTypes.end()) refuse("holds numbers of an unknown type; expected one of |u1, <i2, <i4, <i8, <f4, <f8");
  if (header.fortran_order) refuse("is in Fortran order; expected C order");
  const auto expected = size_in_bytes(header.shape, c10::elementSize(type->type));
  const std::uint64_t found = input.size() - kNpyPreamble - length;
  if (!expected) refuse("claims a shape that no memory can hold");
  if (*expected != found)
    refuse(found < *expected ? "truncated" : "too long", ": its header promises ", *expected,
           " bytes of numbers, it has ", found);
  // A data set of images may be larger than memory, so its files are mapped: the system drops and reloads their pages.
  constexpr std::uint64_t kWorthMapping = std::uint64_t{1} << 20;
  const bool is_aligned = (kNpyPreamble + length) % sizeof(double) == 0;
  void* const base = found >= kWorthMapping && is_aligned ? input.map() : nullptr;
  if (base != nullptr)
    return at::from_blob(
        static_cast<char*>(base) + kNpyPreamble + length, header.shape,
        [base, bytes = static_cast<std::size_t>(input.size())](void*) { ::munmap(base, bytes); }, type->type);
  at::Tensor tensor = at::empty(header.shape, type->type);
  input.read(tensor.data_ptr(), found);
  return tensor;
}

}  // namespace osteon::store
