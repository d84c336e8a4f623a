// The pickle machine: a stack, marks and a memo; see the header.

#include "training/weights_pickle.hpp"

#include "training/weights_pickle_globals.hpp"

#include <unordered_map>

namespace osteon::training {

namespace {

using Kind = PickleValue::Kind;
using What = PickleGlobal::What;
using Values = std::vector<PickleValue>;

class Machine {
 public:
  explicit Machine(PickleInput& input) : input_(input) {}

  Pickle run() {
    for (unsigned char code = next(); code != '.'; code = next())
      if (!constant(code) && !text(code) && !container(code) && !stack_or_memo(code) && !object(code))
        refuse("its pickle has the instruction 0x", hexadecimal(code), ", which PyTorch never writes");
    pickle_.root = pop();
    return std::move(pickle_);
  }

 private:
  template <class... Parts>
  [[noreturn]] void refuse(const Parts&... what) const {
    throw refusal(input_.file().path(), what...);
  }
  [[noreturn]] void damaged(std::string_view what) const { refuse("damaged: its pickle ", what); }

  static std::string hexadecimal(unsigned char code) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    return {kDigits[code >> 4], kDigits[code & 15]};
  }

  unsigned char next() { return static_cast<unsigned char>(input_.take(1).front()); }

  void push(PickleValue value) {
    input_.charge(2 * sizeof value);  // a growing vector holds up to twice what is in it
    stack_.push_back(value);
  }
  void push(Kind kind, std::int64_t number) { push({kind, number}); }

  PickleValue pop() {
    const std::size_t bottom = marks_.empty() ? 0 : marks_.back();
    if (stack_.size() <= bottom) damaged("takes more from its stack than is there");
    const PickleValue value = stack_.back();
    stack_.pop_back();
    return value;
  }
  PickleValue& top() {
    if (stack_.size() <= (marks_.empty() ? 0 : marks_.back())) damaged("takes more from its stack than is there");
    return stack_.back();
  }
  Values pop(std::size_t count) {
    if (stack_.size() - (marks_.empty() ? 0 : marks_.back()) < count)
      damaged("takes more from its stack than is there");
    Values values(stack_.end() - static_cast<std::ptrdiff_t>(count), stack_.end());
    stack_.resize(stack_.size() - count);
    return values;
  }
  Values pop_to_mark() {
    if (marks_.empty()) damaged("takes more from its stack than is there");
    Values values = pop(stack_.size() - marks_.back());
    marks_.pop_back();
    return values;
  }

  // Places in the pickle.

  template <class T>
  std::int64_t keep(std::vector<T>& all, T one, std::uint64_t more = 0) {
    input_.charge(2 * sizeof one + more);
    all.push_back(std::move(one));
    return static_cast<std::int64_t>(all.size() - 1);
  }
  void push_text(std::string_view bytes) {
    push(Kind::text, keep(pickle_.texts, std::string(bytes), bytes.size() + 1));
  }
  void push_list(Values values) {
    const std::uint64_t bytes = values.size() * sizeof(PickleValue);
    push(Kind::list, keep(pickle_.lists, std::move(values), bytes));
  }
  Values& list_at(PickleValue value) {
    if (!value.is(Kind::list)) damaged("treats something as a list that is none");
    return pickle_.lists[static_cast<std::size_t>(value.number)];
  }
  void add_pairs(PickleValue to, const Values& values) {
    if (!to.is(Kind::dictionary) || values.size() % 2 != 0) damaged("fills a dictionary that is none");
    auto& pairs = pickle_.dictionaries[static_cast<std::size_t>(to.number)];
    input_.charge(2 * values.size() * sizeof(PickleValue));
    for (std::size_t i = 0; i < values.size(); i += 2) pairs.emplace_back(values[i], values[i + 1]);
  }
  void push_dictionary() { push(Kind::dictionary, keep(pickle_.dictionaries, {})); }

  // Instructions. Each function does those of its group and returns false for the others.

  bool constant(unsigned char code) {
    switch (code) {
      case 'N':
        return push(Kind::none, 0), true;
      case 0x88:
      case 0x89:
        return push(Kind::flag, code == 0x88 ? 1 : 0), true;
      case 'J':
        return push(Kind::integer, static_cast<std::int32_t>(input_.integer(4))), true;
      case 'K':
        return push(Kind::integer, static_cast<std::int64_t>(input_.integer(1))), true;
      case 'M':
        return push(Kind::integer, static_cast<std::int64_t>(input_.integer(2))), true;
      case 'G': {
        std::uint64_t bits = 0;  // most significant byte first
        for (const char byte : input_.take(8)) bits = bits << 8 | static_cast<unsigned char>(byte);
        return push(Kind::real, static_cast<std::int64_t>(bits)), true;
      }
      case 0x8a:
        return long_integer(next()), true;
      case 0x8b:
        return long_integer(input_.integer(4)), true;
      default:
        return false;
    }
  }

  void long_integer(std::uint64_t size) {
    const std::string_view bytes = input_.take(size);
    if (size > 8) return push(Kind::other, 0);
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < size; ++i) value |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
    if (size > 0 && size < 8 && (static_cast<unsigned char>(bytes[size - 1]) & 0x80) != 0) value |= ~0ULL << (8 * size);
    push(Kind::integer, static_cast<std::int64_t>(value));
  }

  bool text(unsigned char code) {
    switch (code) {
      case 0x8c:  // short text, and the bytes that Python 2 took for text
      case 'U':
      case 'C':
        return push_text(input_.take(input_.integer(1))), true;
      case 'X':
      case 'T':
      case 'B':
        return push_text(input_.take(input_.integer(4))), true;
      case 0x8d:
      case 0x8e:
        return push_text(input_.take(input_.integer(8))), true;
      default:
        return false;
    }
  }

  bool container(unsigned char code) {
    switch (code) {
      case ')':
      case ']':
        return push_list({}), true;
      case 't':
        return push_list(pop_to_mark()), true;
      case 0x85:
      case 0x86:
      case 0x87:
        return push_list(pop(code - 0x84U)), true;
      case '}':
        return push_dictionary(), true;
      case 'a':
      case 'e': {
        const Values values = code == 'a' ? pop(1) : pop_to_mark();
        Values& list = list_at(top());
        input_.charge(2 * values.size() * sizeof(PickleValue));
        return list.insert(list.end(), values.begin(), values.end()), true;
      }
      case 's':
      case 'u': {
        const Values values = code == 's' ? pop(2) : pop_to_mark();
        return add_pairs(top(), values), true;
      }
      default:
        return false;
    }
  }

  bool stack_or_memo(unsigned char code) {
    switch (code) {
      case '(':
        input_.charge(2 * sizeof(std::size_t));
        return marks_.push_back(stack_.size()), true;
      case '0':
        return pop(), true;
      case '1':
        return pop_to_mark(), true;
      case '2':
        return push(top()), true;
      case 'q':
      case 'r':
        return remember(input_.integer(code == 'q' ? 1 : 4)), true;
      case 0x94:
        return remember(memo_.size()), true;
      case 'h':
      case 'j': {
        const auto found = memo_.find(input_.integer(code == 'h' ? 1 : 4));
        if (found == memo_.end()) damaged("refers to something that it has not made");
        return push(found->second), true;
      }
      case 0x80:  // the protocol's number
        if (const unsigned char version = next(); version < 2 || version > 5)
          refuse("its pickle has protocol ", int{version}, "; expected 2 to 5");
        return true;
      case 0x95:  // the length of a frame
        return input_.take(8), true;
      default:
        return false;
    }
  }

  void remember(std::uint64_t place) {
    input_.charge(64);
    memo_[place] = top();
  }

  bool object(unsigned char code) {
    switch (code) {
      case 'c': {
        const std::string module = input_.line();
        return push_global(module, input_.line()), true;
      }
      case 0x93: {
        const Values names = pop(2);
        if (!names[0].is(Kind::text) || !names[1].is(Kind::text)) damaged("names something without a text");
        const std::string module = *pickle_.text(names[0]);
        return push_global(module, *pickle_.text(names[1])), true;
      }
      case 'Q':
        return push_storage(pop()), true;
      case 'R':
      case 0x81: {  // call; make an object of a class
        const PickleValue arguments = pop(), function = pop();
        return call(function, list_at(arguments)), true;
      }
      case 'b': {
        const PickleValue state = pop();
        return build(top(), state), true;
      }
      default:
        return false;
    }
  }

  void push_global(const std::string& module, const std::string& name) {
    const auto global = known_global(module, name);
    if (!global)
      refuse("refers to \"", shown(module + "." + name),
             "\": loading the file as Python does would run code that it chooses. Osteon reads tensors and containers "
             "only. If you trust the file, load it in Python and save its weights alone: "
             "torch.save(model.state_dict(), \"weights.pth\")");
    push(Kind::global, keep(globals_, *global));
  }

  // PyTorch's own objects.

  std::int64_t integer(PickleValue value) const {
    if (!value.is(Kind::integer)) damaged("has something else where a number belongs");
    return value.number;
  }
  std::vector<std::int64_t> integers(PickleValue value) {
    std::vector<std::int64_t> result;
    for (const PickleValue each : list_at(value)) result.push_back(integer(each));
    return result;
  }
  PickleGlobal global(PickleValue value) const {
    if (!value.is(Kind::global)) damaged("calls something that is no function");
    return globals_[static_cast<std::size_t>(value.number)];
  }

  /// ("storage", type, key, place, elements, [view]): a storage whose bytes stand elsewhere in the file.
  void push_storage(PickleValue identity) {
    const Values& parts = list_at(identity);
    if (parts.size() < 5 || parts.size() > 6 || pickle_.text(parts[0]) == nullptr ||
        *pickle_.text(parts[0]) != "storage" || pickle_.text(parts[2]) == nullptr)
      damaged("refers to something that is no storage");
    const PickleGlobal type = global(parts[1]);
    if (type.what != What::storage && type.what != What::untyped_storage)
      damaged("refers to something that is no storage");
    PickledStorage storage{*pickle_.text(parts[2]), std::nullopt, integer(parts[4]), 0};
    if (type.what == What::storage) storage.type = type.type;
    if (parts.size() == 6 && !parts[5].is(Kind::none)) {
      const Values& view = list_at(parts[5]);
      if (view.size() < 2) damaged("refers to something that is no storage");
      storage.first = integer(view[1]);
    }
    if (storage.elements < 0 || storage.first < 0 || storage.first > storage.elements)
      damaged("has a storage of an impossible size");
    const std::uint64_t bytes = storage.key.size();
    push(Kind::storage, keep(pickle_.storages, std::move(storage), bytes));
  }

  PickledTensor tensor_of(PickleValue storage, PickleValue offset, PickleValue sizes, PickleValue strides) {
    if (!storage.is(Kind::storage)) damaged("has a tensor without a storage");
    PickledTensor tensor;
    tensor.storage = static_cast<std::size_t>(storage.number);
    tensor.type = pickle_.storages[tensor.storage].type.value_or(at::kByte);
    tensor.sizes = integers(sizes);
    tensor.strides = integers(strides);
    const std::int64_t first = pickle_.storages[tensor.storage].first;
    if (__builtin_add_overflow(integer(offset), first, &tensor.offset)) damaged("has a tensor of an impossible size");
    tensor.is_complete = true;
    return tensor;
  }
  void push_tensor(PickledTensor tensor) {
    const std::uint64_t bytes = 16 * tensor.sizes.size() + 16 * tensor.strides.size();
    push(Kind::tensor, keep(pickle_.tensors, std::move(tensor), bytes));
  }
  PickledTensor& tensor_at(PickleValue value) {
    if (!value.is(Kind::tensor)) damaged("treats something as a tensor that is none");
    return pickle_.tensors[static_cast<std::size_t>(value.number)];
  }

  void call(PickleValue function, const Values& arguments) {
    const PickleGlobal called = global(function);
    const auto need = [&](std::size_t count) {
      if (arguments.size() < count) damaged("calls a function with too few arguments");
    };
    switch (called.what) {
      case What::ordered_dictionary:
        return make_dictionary(arguments);
      case What::size:
        return need(1), push_list(list_at(arguments[0]));
      case What::rebuild_tensor:
        need(4);
        return push_tensor(tensor_of(arguments[0], arguments[1], arguments[2], arguments[3]));
      case What::rebuild_tensor_v3: {
        need(7);
        PickledTensor tensor = tensor_of(arguments[0], arguments[1], arguments[2], arguments[3]);
        const PickleGlobal type = global(arguments[6]);
        if (type.what != What::type) damaged("has a tensor of no type");
        tensor.type = type.type;
        return push_tensor(std::move(tensor));
      }
      case What::rebuild_parameter:
        return need(1), tensor_at(arguments[0]), push(arguments[0]);
      case What::parameter:
        if (!arguments.empty()) return tensor_at(arguments[0]), push(arguments[0]);
        return push_tensor({});
      case What::tensor_class: {
        PickledTensor tensor;
        tensor.type = called.type;
        return push_tensor(std::move(tensor));
      }
      default:
        damaged("calls something that is no function");
    }
  }

  /// OrderedDict(), or of a list of pairs as Python 2 wrote it.
  void make_dictionary(const Values& arguments) {
    const PickleValue pairs = arguments.empty() ? PickleValue{} : arguments[0];
    push_dictionary();
    if (pairs.is(Kind::none)) return;
    Values flat;
    for (const PickleValue pair : list_at(pairs)) {
      const Values& two = list_at(pair);
      if (two.size() != 2) damaged("fills a dictionary that is none");
      flat.insert(flat.end(), two.begin(), two.end());
    }
    add_pairs(top(), flat);
  }

  /// Gives an object its state. That of a dictionary is versions of modules, which nothing here depends on; tensors of
  /// files before PyTorch 0.4 get their storage here.
  void build(PickleValue object, PickleValue state) {
    if (object.is(Kind::dictionary)) return;
    const Values& parts = list_at(state);
    PickledTensor& tensor = tensor_at(object);
    if (parts.size() == 4) {
      PickledTensor made = tensor_of(parts[0], parts[1], parts[2], parts[3]);
      input_.charge(16 * made.sizes.size() + 16 * made.strides.size());
      tensor = std::move(made);
    } else if (parts.size() == 5) {
      const PickledTensor& data = tensor_at(parts[0]);
      input_.charge(16 * data.sizes.size() + 16 * data.strides.size());
      tensor = PickledTensor(data);
    } else if (parts.size() != 3) {
      damaged("gives a tensor a state that it can't have");
    }
  }

  PickleInput& input_;
  Pickle pickle_;
  Values stack_;
  std::vector<std::size_t> marks_;
  std::vector<PickleGlobal> globals_;
  std::unordered_map<std::uint64_t, PickleValue> memo_;
};

}  // namespace

Pickle read_pickle(PickleInput& input) { return Machine(input).run(); }

}  // namespace osteon::training
