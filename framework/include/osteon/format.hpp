#pragma once

#include <osteon/mesh.hpp>
#include <osteon/plugin.hpp>
#include <osteon/radiograph.hpp>
#include <osteon/specimen.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace osteon {

/// What a writer of volumes may say of the specimen. Pseudonyms only.
struct VolumeLabel {
  SpecimenInfo specimen;
  int acquisition = 0;
};

/// Reads and writes one file format of volumes, radiographs or meshes. What a format does not do, it inherits: the
/// base throws an `Error` that says so.
class OSTEON_API Format : public Plugin {
 public:
  ~Format() override;

  /// File name endings with the dot, lower case: ".ply". Empty for formats that are folders.
  [[nodiscard]] virtual std::vector<std::string> endings() const = 0;

  [[nodiscard]] virtual Volume read_volume(const std::filesystem::path& path) const;
  [[nodiscard]] virtual Radiograph read_radiograph(const std::filesystem::path& path) const;
  [[nodiscard]] virtual Mesh read_mesh(const std::filesystem::path& path) const;
  virtual void write_volume(const Volume& volume, const VolumeLabel& label, const std::filesystem::path& path) const;
  virtual void write_mesh(const Mesh& mesh, const std::filesystem::path& path) const;
};

}  // namespace osteon
