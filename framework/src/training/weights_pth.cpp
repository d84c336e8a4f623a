// PyTorch's own files: a pickle that says how tensors are put together, and the storages that it refers to. The zip
// container has them as records (torch/serialization.py, PyTorch 1.13, _save and _load); the one before it is five
// pickles and then the storages, one after the other (_legacy_save, _legacy_load).

#include "training/weights_formats.hpp"
#include "training/weights_pickle.hpp"
#include "training/weights_zip.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace osteon::training {

namespace {

using Kind = PickleValue::Kind;

/// Where each storage's bytes lie: key → first byte, bytes.
using Storages = std::map<std::string, std::pair<std::uint64_t, std::uint64_t>>;

constexpr std::string_view kMagic{"\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 13};  // after the protocol

/// A dictionary of tensors inside a pickle.
struct Candidate {
  std::string key;
  PickleValue dictionary;
};

bool holds_tensors(const Pickle& pickle, PickleValue value) {
  const auto* const pairs = pickle.dictionary(value);
  return pairs != nullptr && std::ranges::any_of(*pairs, [&](const auto& pair) {
           return pickle.text(pair.first) != nullptr && pair.second.is(Kind::tensor);
         });
}

/// The dictionaries of tensors that can be reached through dictionaries with text as keys; one that holds tensors is
/// not searched further.
std::vector<Candidate> find_candidates(const Pickle& pickle) {
  constexpr std::size_t kMost = 100;
  std::vector<Candidate> found, todo = {{"", pickle.root}};
  std::set<std::int64_t> seen;
  for (std::size_t i = 0; i < todo.size() && found.size() < kMost; ++i) {
    const Candidate here = todo[i];
    const auto* const pairs = pickle.dictionary(here.dictionary);
    if (pairs == nullptr || !seen.insert(here.dictionary.number).second) continue;
    if (holds_tensors(pickle, here.dictionary)) {
      found.push_back(here);
      continue;
    }
    for (const auto& [name, value] : *pairs)
      if (const std::string* word = pickle.text(name); word != nullptr && value.is(Kind::dictionary))
        todo.push_back({here.key.empty() ? shown(*word) : shown(here.key + "." + *word), value});
  }
  return found;
}

std::string names_of(const std::vector<Candidate>& candidates) {
  constexpr std::size_t kMost = 10;
  std::string result;
  for (std::size_t i = 0; i < std::min(kMost, candidates.size()); ++i)
    result += (i == 0 ? "\"" : ", \"") + candidates[i].key + "\"";
  return candidates.size() > kMost ? text(result, " and ", candidates.size() - kMost, " more") : result;
}

Candidate choose(const Pickle& pickle, const std::string& key, const std::filesystem::path& path) {
  const std::vector<Candidate> candidates = find_candidates(pickle);
  if (candidates.empty()) {
    if (pickle.root.is(Kind::tensor))
      throw refusal(path, "holds a single tensor; expected the dictionary of a network's: model.state_dict()");
    throw refusal(path, "holds no weights: expected a dictionary of tensors, as model.state_dict() makes it");
  }
  if (!key.empty()) {
    const auto found = std::ranges::find(candidates, key, &Candidate::key);
    if (found != candidates.end()) return *found;
    if (candidates.front().key.empty())
      throw refusal(path, "no key \"", shown(key),
                    "\": its tensors stand in no dictionary of their own; leave key out");
    throw refusal(path, "no tensors under the key \"", shown(key), "\"; they stand under ", names_of(candidates));
  }
  if (candidates.size() > 1)
    throw refusal(path, "holds ", candidates.size(), " sets of weights: ", names_of(candidates),
                  "; name one with --key, or with key = in [weights]");
  return candidates.front();
}

/// A pickled tensor as one of the file. Throws `Error` when its storage doesn't hold it.
StoredTensor stored(const std::string& name, const PickledTensor& tensor, const Pickle& pickle,
                    const Storages& storages, const std::filesystem::path& path) {
  const std::uint64_t size = c10::elementSize(tensor.type);
  const auto touched = touched_elements(tensor.sizes, tensor.strides);
  if (!tensor.is_complete || !touched || tensor.offset < 0)
    throw refusal(path, "damaged: tensor \"", shown(name), "\" has an impossible shape");
  const PickledStorage& storage = pickle.storages[tensor.storage];
  const auto found = storages.find(storage.key);
  if (found == storages.end()) throw refusal(path, "damaged: the numbers of tensor \"", shown(name), "\" are missing");
  const auto& [first, bytes] = found->second;
  const std::uint64_t all = std::min<std::uint64_t>(bytes / size, static_cast<std::uint64_t>(storage.elements));
  const auto offset = static_cast<std::uint64_t>(tensor.offset);
  if (offset > all || static_cast<std::uint64_t>(*touched) > all - offset)
    throw refusal(path, "damaged: tensor \"", shown(name), "\" needs more numbers than its storage holds");
  return {name, tensor.type, tensor.sizes, tensor.strides, first + offset * size};
}

/// The chosen dictionary's tensors.
void list_tensors(StateDict& weights, const Pickle& pickle, const Candidate& chosen, const Storages& storages) {
  const auto& path = weights.file->path();
  weights.key = chosen.key;
  std::set<std::string> names;
  for (const auto& [name, value] : *pickle.dictionary(chosen.dictionary)) {
    const std::string* const word = pickle.text(name);
    if (word == nullptr) continue;
    if (!value.is(Kind::tensor)) {
      weights.others.push_back(shown(*word));
      continue;
    }
    if (!names.insert(*word).second) throw refusal(path, "holds two tensors named \"", shown(*word), "\"");
    weights.tensors.push_back(
        stored(*word, pickle.tensors[static_cast<std::size_t>(value.number)], pickle, storages, path));
  }
}

/// Type and number of elements of each storage that the pickle refers to; all its mentions must agree.
std::map<std::string, PickledStorage> declared_storages(const Pickle& pickle, const std::filesystem::path& path) {
  std::map<std::string, PickledStorage> result;
  for (const PickledStorage& storage : pickle.storages) {
    const auto [known, is_new] = result.emplace(storage.key, storage);
    if (!is_new && (known->second.type != storage.type || known->second.elements != storage.elements))
      throw refusal(path, "damaged: its pickle describes one storage in two ways");
  }
  return result;
}

std::uint64_t element_bytes(const PickledStorage& storage) {
  return storage.type ? c10::elementSize(*storage.type) : 1;
}

/// The record "PREFIX/data.pkl"; PREFIX is the file's first name or "archive".
std::string find_prefix(const std::map<std::string, ZipRecord>& records, const std::filesystem::path& path) {
  constexpr std::string_view kPickle = "data.pkl";
  std::vector<std::string> prefixes;
  for (const auto& [name, record] : records)
    if (name == kPickle || name.ends_with("/data.pkl"))
      prefixes.push_back(name.substr(0, name.size() - kPickle.size()));
  if (prefixes.size() != 1)
    throw refusal(path, "a zip archive with ", prefixes.size(),
                  " records data.pkl; expected the one that torch.save writes");
  return prefixes.front();
}

/// Reads the small pickles in front of a legacy file's weights. Throws `Error` when its numbers have another byte
/// order.
void read_preamble(PickleInput& input) {
  for (int i = 0; i < 2; ++i) (void)read_pickle(input);  // magic number, version
  const Pickle system = read_pickle(input);
  if (const auto* facts = system.dictionary(system.root))
    for (const auto& [name, value] : *facts)
      if (const std::string* word = system.text(name);
          word != nullptr && *word == "little_endian" && value.is(Kind::flag) && value.number == 0)
        throw refusal(input.file().path(), "written on a machine with another byte order; save it again on this kind");
}

/// The storages that follow a legacy file's pickles: for each key a number of elements and the elements.
Storages legacy_storages(PickleInput& input, const std::map<std::string, PickledStorage>& declared) {
  const WeightsFile& file = input.file();
  const Pickle keys = read_pickle(input);
  const auto* const list = keys.list(keys.root);
  if (list == nullptr) throw refusal(file.path(), "damaged: it has no list of its storages");
  Storages storages;
  std::uint64_t place = input.place();
  for (const PickleValue each : *list) {
    const std::string* const key = keys.text(each);
    const auto known = key == nullptr ? declared.end() : declared.find(*key);
    if (known == declared.end()) throw refusal(file.path(), "damaged: it lists a storage that no tensor uses");
    const auto elements = static_cast<std::uint64_t>(known->second.elements);
    const std::uint64_t size = element_bytes(known->second);
    if (little_endian(file.read(place, 8), 0, 8) != elements || elements > file.size() / size ||
        !file.holds(place + 8, elements * size))
      throw refusal(file.path(), "cut off or damaged: a storage of ", elements, " numbers does not lie in it");
    if (!storages.emplace(*key, std::pair(place + 8, elements * size)).second)
      throw refusal(file.path(), "damaged: it lists one storage twice");
    place += 8 + elements * size;
  }
  return storages;
}

}  // namespace

bool is_zip(const WeightsFile& file) { return file.holds(0, 4) && file.read(0, 4) == "PK\x03\x04"; }

bool is_legacy(const WeightsFile& file) {
  return file.holds(0, 2 + kMagic.size()) && file.read(0, 1) == "\x80" && file.read(2, kMagic.size()) == kMagic;
}

void read_zip(StateDict& weights, const std::string& key) {
  const WeightsFile& file = *weights.file;
  weights.container = "zip (PyTorch 1.6 or newer)";
  const std::map<std::string, ZipRecord> records = zip_records(file);
  const std::string prefix = find_prefix(records, file.path());
  for (const auto& [name, record] : records) check_record(file, name, record);
  if (const auto order = records.find(prefix + "byteorder");
      order != records.end() && file.read(order->second.first, order->second.size) != "little")
    throw refusal(file.path(), "written on a machine with another byte order; save it again on this kind");
  const ZipRecord& data = records.at(prefix + "data.pkl");
  PickleInput input(file, data.first, data.size);
  const Pickle pickle = read_pickle(input);
  Storages storages;
  for (const auto& [storage_key, storage] : declared_storages(pickle, file.path()))
    if (const auto record = records.find(prefix + "data/" + storage_key); record != records.end())
      storages[storage_key] = {record->second.first, record->second.size};
  list_tensors(weights, pickle, choose(pickle, key, file.path()), storages);
}

void read_legacy(StateDict& weights, const std::string& key) {
  const WeightsFile& file = *weights.file;
  weights.container = "legacy (before PyTorch 1.6)";
  PickleInput input(file, 0, file.size());
  read_preamble(input);
  const Pickle pickle = read_pickle(input);
  const Storages storages = legacy_storages(input, declared_storages(pickle, file.path()));
  list_tensors(weights, pickle, choose(pickle, key, file.path()), storages);
}

namespace {

std::string number_bytes(std::uint64_t value, std::size_t size) {
  std::string bytes;
  for (std::size_t i = 0; i < size; ++i) bytes += static_cast<char>(value >> (8 * i));
  return bytes;
}

std::string pickled(std::string_view word) { return "X" + number_bytes(word.size(), 4) + std::string(word); }

std::string pickled(std::int64_t value) { return "\x8a\x08" + number_bytes(static_cast<std::uint64_t>(value), 8); }

std::string pickled(std::span<const std::int64_t> values) {
  std::string result = "(";
  for (const std::int64_t value : values) result += pickled(value);
  return result + "t";
}

std::string storage_class(const WrittenTensor& tensor) {
  // LibTorch's own names of types are those of Python's storage classes.
  return text("ctorch\n", c10::toString(tensor.type), "Storage\n");
}

/// OrderedDict of _rebuild_tensor_v2(storage, offset, sizes, strides, requires_grad, hooks).
std::string pickle_of(std::span<const WrittenTensor> tensors) {
  const std::string dictionary = "ccollections\nOrderedDict\n)R";
  std::string result = "\x80\x02" + dictionary + "(";
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const WrittenTensor& tensor = tensors[i];
    std::int64_t elements = 1;
    for (const std::int64_t size : tensor.sizes) elements *= size;
    result += pickled(tensor.name) + "ctorch._utils\n_rebuild_tensor_v2\n((" + pickled("storage") +
              storage_class(tensor) + pickled(std::to_string(i)) + pickled("cpu") + pickled(elements) + "tQ" +
              pickled(std::int64_t{0}) + pickled(tensor.sizes) + pickled(packed_strides(tensor.sizes)) + "\x89" +
              dictionary + "tR";
  }
  return result + "u.";
}

}  // namespace

void write_zip(WeightsSink& sink, std::span<const WrittenTensor> tensors) {
  ZipWriter zip(sink);
  zip.add("archive/data.pkl", pickle_of(tensors));
  zip.add("archive/byteorder", "little");
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    at::Tensor holder;
    zip.add("archive/data/" + std::to_string(i), bytes_of(tensors[i], holder));
  }
  zip.add("archive/version", "3\n");
  zip.finish();
}

}  // namespace osteon::training
