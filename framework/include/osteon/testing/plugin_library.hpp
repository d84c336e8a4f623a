#pragma once

// A plugin's library opened without a host: what a test or benchmark of a plugin uses outside the tree. No plugin
// includes it, so it lies outside the SDK's digest.

#include <osteon/plugin.hpp>

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include <dlfcn.h>

#define OSTEON_TESTING_QUOTE_(word) #word
#define OSTEON_TESTING_QUOTE(word) OSTEON_TESTING_QUOTE_(word)

namespace osteon {

/// `PluginLibrary("loss", ".../margin.so").make<Loss>({{"margin", 0.2}})`
class PluginLibrary {
 public:
  /// Opens NAME.so. Throws `Error` when it can't be loaded or holds no plugin of this kind, of its own name and for
  /// this SDK. It stays loaded to the end of the process, as in the host: LibTorch keeps pointers into it.
  PluginLibrary(const std::string& kind, const std::filesystem::path& library) {
    void* handle = ::dlopen(library.c_str(), RTLD_NOW);
    if (handle == nullptr) throw Error(text(library.string(), ": cannot be loaded: ", ::dlerror()));
    const std::string symbol =
        text("osteon_plugin__", kind, "__", library.stem().string(), "__", OSTEON_TESTING_QUOTE(OSTEON_BUILD_STAMP));
    descriptor_ = static_cast<const PluginDescriptor*>(::dlsym(handle, symbol.c_str()));
    if (descriptor_ == nullptr) throw Error(text(library.string(), ": does not export ", symbol));
  }

  [[nodiscard]] Schema schema() const { return descriptor_->schema(); }

  /// A new object with `given` over the defaults. Throws `Error` for values that the plugin did not declare or refuses,
  /// and a failure when its class is not a `Kind`.
  template <class Kind>
  [[nodiscard]] std::unique_ptr<Kind> make(const std::map<std::string, ParameterValue>& given = {}) const {
    std::unique_ptr<Plugin> object = descriptor_->create(Parameters(schema(), given));
    auto* of_kind = dynamic_cast<Kind*>(object.get());
    if (of_kind == nullptr) throw failure(text(descriptor_->name, ": the class is not of its plugin's kind"));
    (void)object.release();
    return std::unique_ptr<Kind>(of_kind);
  }

 private:
  const PluginDescriptor* descriptor_ = nullptr;
};

}  // namespace osteon
