#pragma once

// What makes a shared library an Osteon plugin: one class that implements the interface of a kind and has a
// `static osteon::Schema schema()` and a constructor from `const osteon::Parameters&`, and one line at the end:
//
//     OSTEON_PLUGIN(loss, triplet, "0.1.0", TripletLoss)
//
// The exported symbol's name carries kind, plugin name, SDK version and digest, compiler, standard library and LibTorch
// version. The host reads it from the file's symbol table and compares before it loads anything: a library made for
// another LibTorch would die on an undefined symbol before it could say what it is.

#include <osteon/build_stamp.hpp>  // generated: OSTEON_BUILD_STAMP
#include <osteon/error.hpp>
#include <osteon/export.hpp>
#include <osteon/parameters.hpp>

#include <memory>

namespace osteon {

/// The common base of all kinds; a plugin derives from the interface of its kind, never from this.
class OSTEON_API Plugin {
 public:
  Plugin() = default;
  Plugin(const Plugin&) = delete;
  Plugin& operator=(const Plugin&) = delete;
  virtual ~Plugin();
};

/// What the exported symbol holds.
struct PluginDescriptor {
  const char* kind;
  const char* name;
  const char* version;
  Schema (*schema)();
  std::unique_ptr<Plugin> (*create)(const Parameters&);
};

}  // namespace osteon

#define OSTEON_JOIN_(kind, name, stamp) osteon_plugin__##kind##__##name##__##stamp
#define OSTEON_JOIN(kind, name, stamp) OSTEON_JOIN_(kind, name, stamp)

#define OSTEON_PLUGIN(kind, name, version, Class)                                                     \
  extern "C" OSTEON_API const ::osteon::PluginDescriptor OSTEON_JOIN(kind, name, OSTEON_BUILD_STAMP); \
  const ::osteon::PluginDescriptor OSTEON_JOIN(kind, name, OSTEON_BUILD_STAMP) = {                    \
      #kind, #name, version, &Class::schema,                                                          \
      [](const ::osteon::Parameters& parameters) -> std::unique_ptr<::osteon::Plugin> {               \
        return std::make_unique<Class>(parameters);                                                   \
      }};
