// Safetensors (Hugging Face, safetensors 0.4, "Format"): eight bytes of header length, a JSON object of names with
// type, shape and place, then the numbers, little-endian, row by row, without gaps.

#include "training/weights_formats.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <set>

namespace osteon::training {

namespace {

constexpr std::uint64_t kMostHeader = 100'000'000;  // the format's own limit
constexpr std::size_t kLengthSize = 8;

constexpr std::array<std::pair<std::string_view, at::ScalarType>, 10> kSafetensorTypes = {{{"F32", at::kFloat},
                                                                                           {"F64", at::kDouble},
                                                                                           {"F16", at::kHalf},
                                                                                           {"BF16", at::kBFloat16},
                                                                                           {"I64", at::kLong},
                                                                                           {"I32", at::kInt},
                                                                                           {"I16", at::kShort},
                                                                                           {"I8", at::kChar},
                                                                                           {"U8", at::kByte},
                                                                                           {"BOOL", at::kBool}}};

/// What the header says of one tensor.
struct Entry {
  std::string name, type;
  std::vector<std::uint64_t> sizes, offsets;
  bool has_type = false, has_sizes = false, has_offsets = false;
};

/// Takes the header's events one by one: a tree of it would be many times its size. False, from any event, stops the
/// parser with `problem` set.
class HeaderReader : public nlohmann::json_sax<nlohmann::json> {
 public:
  std::vector<Entry> entries;
  std::string problem;

  bool start_object(std::size_t) override { return ++depth_ <= 2 && list_ == nullptr ? true : wrong(); }
  bool end_object() override {
    if (--depth_ == 1 && !metadata_) {
      const Entry& entry = entries.back();
      if (!entry.has_type || !entry.has_sizes || !entry.has_offsets || entry.offsets.size() != 2) return wrong();
    }
    return true;
  }
  bool key(string_t& name) override {
    if (depth_ == 1) {
      metadata_ = name == "__metadata__";
      if (!names_.insert(name).second) return stop("names \"" + shown(name) + "\" twice");
      if (!metadata_) {
        entries.emplace_back();
        entries.back().name = name;
      }
    } else if (!metadata_) {
      return entry_key(name);
    }
    return true;
  }
  bool start_array(std::size_t) override {
    if (list_ == nullptr || in_list_) return wrong();
    in_list_ = true;
    return true;
  }
  bool end_array() override {
    in_list_ = false;
    list_ = nullptr;
    return true;
  }
  bool number_unsigned(std::uint64_t value) override {
    if (!in_list_ || list_->size() >= 16) return wrong();
    list_->push_back(value);
    return true;
  }
  bool string(string_t& value) override {
    if (depth_ != 2) return wrong();
    if (metadata_) return true;
    if (!is_type_) return wrong();
    entries.back().type = value;
    is_type_ = false;
    return true;
  }
  bool null() override { return wrong(); }
  bool boolean(bool) override { return wrong(); }
  bool number_integer(std::int64_t) override { return wrong(); }
  bool number_float(double, const string_t&) override { return wrong(); }
  bool binary(binary_t&) override { return wrong(); }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
    return stop("is no JSON");
  }

 private:
  bool stop(std::string why) {
    if (problem.empty()) problem = std::move(why);
    return false;
  }
  bool wrong() {
    return stop(entries.empty()
                    ? "does not list tensors"
                    : "has something else than type, shape and place for \"" + shown(entries.back().name) + "\"");
  }
  bool entry_key(const std::string& name) {
    Entry& entry = entries.back();
    if (list_ != nullptr || is_type_) return wrong();
    if (name == "dtype" && !std::exchange(entry.has_type, true)) return is_type_ = true;
    if (name == "shape" && !std::exchange(entry.has_sizes, true)) return (list_ = &entry.sizes) != nullptr;
    if (name == "data_offsets" && !std::exchange(entry.has_offsets, true)) return (list_ = &entry.offsets) != nullptr;
    return wrong();
  }

  int depth_ = 0;
  bool metadata_ = false, in_list_ = false, is_type_ = false;
  std::vector<std::uint64_t>* list_ = nullptr;
  std::set<std::string> names_;
};

/// An entry as a tensor whose numbers start at byte `data`, after its sizes agree with its place.
StoredTensor tensor_of(const Entry& entry, const StateDict& weights, std::uint64_t data) {
  const auto& path = weights.file->path();
  const auto* const type = std::ranges::find(kSafetensorTypes, entry.type, [](const auto& each) { return each.first; });
  if (type == kSafetensorTypes.end())
    throw refusal(path, "\"", shown(entry.name), "\" is of type ", shown(entry.type),
                  ", which Osteon does not know; convert it to float32 or float16");
  StoredTensor tensor{entry.name, type->second, {}, {}, data + entry.offsets[0]};
  for (const std::uint64_t size : entry.sizes) tensor.sizes.push_back(static_cast<std::int64_t>(size));
  const std::vector<std::int64_t> ones(tensor.sizes.size(), 1);
  if (touched_elements(tensor.sizes, ones)) tensor.strides = packed_strides(tensor.sizes);
  const auto elements = touched_elements(tensor.sizes, tensor.strides);
  const std::uint64_t bytes = entry.offsets[1] - entry.offsets[0];
  if (!elements || bytes % c10::elementSize(type->second) != 0 ||
      static_cast<std::uint64_t>(*elements) != bytes / c10::elementSize(type->second))
    throw refusal(path, "\"", shown(entry.name), "\" has ", bytes, " bytes, which is not what its type and shape need");
  return tensor;
}

/// The numbers must fill the rest of the file, each byte once.
void check_places(const std::vector<Entry>& entries, const StateDict& weights, std::uint64_t bytes) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> spans;
  for (const Entry& entry : entries) spans.emplace_back(entry.offsets[0], entry.offsets[1]);
  std::ranges::sort(spans);
  std::uint64_t end = 0;
  for (const auto& [first, last] : spans) {
    if (first != end || last < first)
      throw refusal(weights.file->path(), "damaged: its tensors overlap or leave gaps at byte ", std::min(first, end),
                    " of its numbers");
    end = last;
  }
  if (end != bytes)
    throw refusal(weights.file->path(), "cut off or damaged: its header lists ", end, " bytes of numbers, but ", bytes,
                  " follow");
}

}  // namespace

bool is_safetensors(const WeightsFile& file) {
  return file.holds(0, kLengthSize + 1) && file.read(kLengthSize, 1) == "{";
}

void read_safetensors(StateDict& weights) {
  const WeightsFile& file = *weights.file;
  const std::uint64_t length = little_endian(file.read(0, kLengthSize), 0, kLengthSize);
  if (length > kMostHeader || !file.holds(kLengthSize, length))
    throw refusal(file.path(), "cut off or damaged: its header would take ", length, " bytes of the file's ",
                  file.size());
  weights.container = "safetensors";
  HeaderReader header;
  const std::string json = file.read(kLengthSize, length);
  if (!nlohmann::json::sax_parse(json, &header))
    throw refusal(file.path(), "damaged: its header ", header.problem.empty() ? "is no JSON" : header.problem);
  check_places(header.entries, weights, file.size() - kLengthSize - length);
  for (const Entry& entry : header.entries) weights.tensors.push_back(tensor_of(entry, weights, kLengthSize + length));
  if (weights.tensors.empty()) throw refusal(file.path(), "holds no weights");
}

void write_safetensors(WeightsSink& sink, std::span<const WrittenTensor> tensors) {
  // Larger numbers first: then each lies at a multiple of its size.
  std::vector<const WrittenTensor*> order;
  for (const WrittenTensor& tensor : tensors) order.push_back(&tensor);
  std::ranges::stable_sort(order, std::greater(), [](const auto* t) { return c10::elementSize(t->type); });
  nlohmann::ordered_json header = {{"__metadata__", {{"format", "pt"}}}};
  std::uint64_t end = 0;
  for (const WrittenTensor* tensor : order) {
    const auto* const type =
        std::ranges::find(kSafetensorTypes, tensor->type, [](const auto& each) { return each.second; });
    if (type == kSafetensorTypes.end())
      throw Error(
          text("\"", shown(tensor->name), "\" is of type ", type_text(tensor->type), ", which .safetensors has not"));
    const std::uint64_t first = end;
    std::uint64_t bytes = c10::elementSize(tensor->type);
    for (const std::int64_t size : tensor->sizes) bytes *= static_cast<std::uint64_t>(size);
    end += bytes;
    header[tensor->name] = {
        {"dtype", std::string(type->first)}, {"shape", tensor->sizes}, {"data_offsets", {first, end}}};
  }
  std::string json = header.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  json.resize((json.size() + kLengthSize - 1) / kLengthSize * kLengthSize, ' ');
  std::string length(kLengthSize, '\0');
  for (std::size_t i = 0; i < kLengthSize; ++i) length[i] = static_cast<char>(json.size() >> (8 * i));
  sink.write(length);
  sink.write(json);
  for (const WrittenTensor* tensor : order) {
    at::Tensor holder;
    sink.write(bytes_of(*tensor, holder));
  }
}

}  // namespace osteon::training
