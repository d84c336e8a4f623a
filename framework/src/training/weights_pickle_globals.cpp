#include "training/weights_pickle_globals.hpp"

#include <algorithm>
#include <array>

namespace osteon::training {

namespace {

using What = PickleGlobal::What;

// A plugin has the same name, and no plugin's name stands in the framework's sources.
constexpr std::string_view kTorch = std::string_view("torch.").substr(0, 5);

struct Known {
  std::string_view module, name;
  What what;
};

constexpr std::array<Known, 10> kKnown = {{{"collections", "OrderedDict", What::ordered_dictionary},
                                           {kTorch, "Size", What::size},
                                           {"torch._utils", "_rebuild_tensor", What::rebuild_tensor},
                                           {"torch._utils", "_rebuild_tensor_v2", What::rebuild_tensor},
                                           {"torch._utils", "_rebuild_tensor_v3", What::rebuild_tensor_v3},
                                           {"torch._utils", "_rebuild_parameter", What::rebuild_parameter},
                                           {"torch._utils", "_rebuild_parameter_with_state", What::rebuild_parameter},
                                           {"torch.nn.parameter", "Parameter", What::parameter},
                                           {kTorch, "UntypedStorage", What::untyped_storage},
                                           {"torch.storage", "UntypedStorage", What::untyped_storage}}};

struct TypeName {
  std::string_view prefix;  ///< of PrefixStorage and PrefixTensor
  std::array<std::string_view, 2> names;
  at::ScalarType type;
};

constexpr std::array<TypeName, 10> kTypes = {{{"Float", {"float32", "float"}, at::kFloat},
                                              {"Double", {"float64", "double"}, at::kDouble},
                                              {"Half", {"float16", "half"}, at::kHalf},
                                              {"BFloat16", {"bfloat16", ""}, at::kBFloat16},
                                              {"Long", {"int64", "long"}, at::kLong},
                                              {"Int", {"int32", "int"}, at::kInt},
                                              {"Short", {"int16", "short"}, at::kShort},
                                              {"Char", {"int8", ""}, at::kChar},
                                              {"Byte", {"uint8", ""}, at::kByte},
                                              {"Bool", {"bool", ""}, at::kBool}}};

}  // namespace

std::optional<PickleGlobal> known_global(std::string_view module, std::string_view name) {
  const auto* const known =
      std::ranges::find_if(kKnown, [&](const Known& k) { return k.module == module && k.name == name; });
  if (known != kKnown.end()) return PickleGlobal{known->what, at::kFloat};
  const bool in_torch = module == kTorch;
  if (!in_torch && module != "torch.cuda") return std::nullopt;
  for (const TypeName& each : kTypes) {
    if (name.starts_with(each.prefix)) {
      const std::string_view rest = name.substr(each.prefix.size());
      if (rest == "Storage") return PickleGlobal{What::storage, each.type};
      if (rest == "Tensor") return PickleGlobal{What::tensor_class, each.type};
    }
    if (in_torch && !name.empty() && (name == each.names[0] || name == each.names[1]))
      return PickleGlobal{What::type, each.type};
  }
  return std::nullopt;
}

}  // namespace osteon::training
