#include "store/bundle.hpp"

#include "host/fault.hpp"
#include "store/disk.hpp"
#include "store/layout.hpp"

#include <osteon/digest.hpp>
#include <osteon/error.hpp>

#include <ATen/Functions.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <limits>

namespace osteon::store {

namespace {

using nlohmann::json;
namespace fs = std::filesystem;

static_assert(std::endian::native == std::endian::little, "numbers are written as they stand in memory");

constexpr std::string_view kMagic{"\x89OSTEON\n", 8};
constexpr std::size_t kVersionAt = 8, kHeaderLengthAt = 12, kLengthAt = 16, kPreamble = 24, kDigest = 64;
constexpr std::size_t kMostDimensions = 32;
constexpr std::string_view kAdvice = "the old file, if there was one, is unchanged; make room there, or name another";

constexpr std::array<std::pair<at::ScalarType, const char*>, 6> kTypes = {{{at::kByte, "uint8"},
                                                                           {at::kShort, "int16"},
                                                                           {at::kInt, "int32"},
                                                                           {at::kLong, "int64"},
                                                                           {at::kFloat, "float32"},
                                                                           {at::kDouble, "float64"}}};

template <class Number>
std::string bytes_of(Number number) {
  std::string bytes(sizeof number, '\0');
  std::memcpy(bytes.data(), &number, sizeof number);
  return bytes;
}

template <class Number>
Number number_at(std::string_view bytes, std::size_t place) {
  Number number{};
  std::memcpy(&number, bytes.data() + place, sizeof number);
  return number;
}

std::string_view numbers_of(const at::Tensor& tensor) {
  return {static_cast<const char*>(tensor.data_ptr()), tensor.nbytes()};
}

const char* type_name(const std::string& tensor, at::ScalarType type) {
  const auto* found = std::ranges::find(kTypes, type, &std::pair<at::ScalarType, const char*>::first);
  if (found == kTypes.end())
    throw failure(text("tensor \"", tensor, "\" is of type ", c10::toString(type), ", which no bundle holds"));
  return found->second;
}

Error refusal(const fs::path& file, const auto&... what) { return Error(text(file.string(), ": ", what...)); }

std::string whole_file(const fs::path& file) {
  std::error_code problem;
  if (!fs::is_regular_file(file, problem)) throw refusal(file, "no such file");
  const std::uintmax_t size = fs::file_size(file, problem);
  std::ifstream in(file, std::ios::binary);
  if (problem || !in) throw refusal(file, "cannot read: ", std::strerror(errno));
  std::string bytes(size, '\0');
  in.read(bytes.data(), static_cast<std::streamsize>(size));
  if (static_cast<std::uintmax_t>(in.gcount()) != size) throw refusal(file, "became shorter while it was read");
  return bytes;
}

/// The file's bytes, after magic, version, lengths and checksum have been found right.
std::string sound_bytes(const fs::path& file) {
  std::string bytes = whole_file(file);
  const std::string_view begin = std::string_view(bytes).substr(0, kMagic.size());
  if (begin != kMagic.substr(0, begin.size()) || begin.empty())
    throw refusal(file, "no model and no gallery of Osteon: its first bytes are others");
  const auto cut_off = [&](std::uint64_t expected) {
    return refusal(file, "cut off: it has ", bytes.size(), " of ", expected, " bytes; copy or make it again");
  };
  if (bytes.size() < kPreamble + kDigest) throw cut_off(kPreamble + kDigest);
  const auto version = number_at<std::uint32_t>(bytes, kVersionAt);
  if (version != kBundleVersion)
    throw refusal(file, "of version ", version, ", and this Osteon reads version ", kBundleVersion,
                  "; use the Osteon that wrote it, or make the file again with this one");
  const auto length = number_at<std::uint64_t>(bytes, kLengthAt);
  if (bytes.size() < length) throw cut_off(length);
  const std::string_view content(bytes.data(), bytes.size() - kDigest),
      told = std::string_view(bytes).substr(content.size());
  if (bytes.size() != length || sha256(content) != told ||
      number_at<std::uint32_t>(bytes, kHeaderLengthAt) > content.size() - kPreamble)
    throw refusal(file, "damaged: its content is not what its checksum was made of; copy or make it again");
  return bytes;
}

json header_of(const fs::path& file, const std::string& bytes) {
  const auto length = number_at<std::uint32_t>(bytes, kHeaderLengthAt);
  json header = json_from(std::string_view(bytes).substr(kPreamble, length));
  if (!header.is_object() || !header.contains("kind") || !header["kind"].is_string() || !header.contains("facts") ||
      !header.contains("tensors") || !header["tensors"].is_array())
    throw refusal(file, "damaged: its header cannot be read");
  return header;
}

/// Bytes of a tensor; nothing when the shape is none or its size does not fit 62 bits.
std::optional<std::uint64_t> size_of(const std::vector<std::int64_t>& shape, std::uint64_t bytes_each) {
  std::uint64_t extent = bytes_each;
  bool empty = false;
  if (shape.size() > kMostDimensions) return std::nullopt;
  for (const std::int64_t size : shape) {
    empty |= size == 0;
    // The strides of an empty tensor must fit too.
    if (size < 0 ||
        __builtin_mul_overflow(extent, static_cast<std::uint64_t>(std::max<std::int64_t>(size, 1)), &extent) ||
        extent > std::uint64_t{1} << 62)
      return std::nullopt;
  }
  return empty ? 0 : extent;
}

/// The tensors that the header lists, from their numbers.
std::map<std::string, at::Tensor> tensors_of(const fs::path& file, const json& list, std::string_view numbers) {
  std::map<std::string, at::Tensor> tensors;
  try {
    for (const json& entry : list) {
      const std::string name = entry.at("name"), type = entry.at("dtype");
      const std::vector<std::int64_t> shape = entry.at("shape");
      const auto* known = std::ranges::find_if(kTypes, [&](const auto& each) { return type == each.second; });
      const auto size = known == kTypes.end() ? std::nullopt : size_of(shape, c10::elementSize(known->first));
      if (!size || *size > numbers.size()) throw refusal(file, "damaged: its tensors are not those that it lists");
      at::Tensor tensor = at::empty(shape, known->first);
      if (*size > 0) std::memcpy(tensor.data_ptr(), numbers.data(), *size);
      numbers.remove_prefix(*size);
      tensors[name] = tensor;
    }
  } catch (const json::exception&) {
    throw refusal(file, "damaged: its list of tensors cannot be read");
  }
  if (!numbers.empty()) throw refusal(file, "damaged: ", numbers.size(), " bytes belong to no tensor");
  return tensors;
}

}  // namespace

void write_bundle(const fs::path& file, const std::string& kind, const Artifact& artifact) {
  json list = json::array();
  std::vector<at::Tensor> tensors;
  std::uint64_t length = kPreamble + kDigest;
  for (const auto& [name, tensor] : artifact.tensors) {
    tensors.push_back(tensor.detach().cpu().contiguous());
    list.push_back({{"name", name}, {"dtype", type_name(name, tensor.scalar_type())}, {"shape", tensor.sizes().vec()}});
    length += tensors.back().nbytes();
  }
  const std::string header = json({{"kind", kind}, {"facts", artifact.facts}, {"tensors", list}})
                                 .dump(-1, ' ', false, json::error_handler_t::replace);
  if (header.size() > std::numeric_limits<std::uint32_t>::max())
    throw failure(text(file.string(), ": cannot write: its facts take more than 4 GiB; use several files"));
  length += header.size();
  const std::string preamble = std::string(kMagic) + bytes_of(kBundleVersion) +
                               bytes_of(static_cast<std::uint32_t>(header.size())) + bytes_of(length);
  std::vector<std::string_view> pieces{preamble, header};
  for (const at::Tensor& tensor : tensors) pieces.push_back(numbers_of(tensor));
  Digest digest;
  for (const std::string_view piece : pieces) digest.add(piece);
  const std::string told = digest.hex();
  pieces.emplace_back(told);

  const fs::path partial = file.string() + ".partial";
  write_flushed(partial, pieces, 0644, kAdvice);
  host::fault_point("rename");
  if (::rename(partial.c_str(), file.c_str()) != 0) {
    const int reason = errno;
    ::unlink(partial.c_str());
    throw cannot(file, "write", reason, kAdvice);
  }
  flush_folder(file.has_parent_path() ? file.parent_path() : fs::path("."));
}

Bundle read_bundle(const fs::path& file) {
  const std::string bytes = sound_bytes(file);
  json header = header_of(file, bytes);
  const std::size_t first = kPreamble + number_at<std::uint32_t>(bytes, kHeaderLengthAt);
  const std::string_view numbers = std::string_view(bytes).substr(first, bytes.size() - kDigest - first);
  return {header["kind"], {std::move(header["facts"]), tensors_of(file, header["tensors"], numbers)}};
}

Artifact read_bundle(const fs::path& file, const std::string& kind) {
  Bundle bundle = read_bundle(file);
  if (bundle.kind != kind) throw refusal(file, "is a ", bundle.kind, "; expected a ", kind);
  return std::move(bundle.artifact);
}

}  // namespace osteon::store
