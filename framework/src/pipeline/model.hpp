#pragma once

// A packed model at work: from a pair of X-rays to the fingerprint that its network makes of them.

#include "pipeline/pack.hpp"
#include "pipeline/radiographs.hpp"
#include "training/training.hpp"

namespace osteon::pipeline {

/// What a person gives to a model: a pair of radiographs, or a montage that is made already.
struct QueryFiles {
  XrayPair pair;                       ///< `side` counts for a montage too
  std::filesystem::path montage;       ///< instead of the pair when it is not ""
  std::vector<std::string> overrides;  ///< "xray.polarity=bone_dark"; of [xray] alone, the rest is the network's
};

/// An X-ray pair as the network takes it.
struct Query {
  at::Tensor montage;      ///< uint8 `[H, W]`, as it was made
  at::Tensor fingerprint;  ///< float32 `[d]`
  Side side = Side::unknown;
  double pixel_spacing = 0;     ///< mm of the montage's pixels; 0: unknown
  double ml_pixel_spacing = 0;  ///< of its ML half, which differs where each bone fills its picture
  std::string source;           ///< SHA-256 of the files' SHA-256
  std::string said;             ///< what the person said of the pictures, as options, without files
  std::vector<std::string> lines, notices;
};

class Model {
 public:
  /// Throws `Error` as `read_pack` does, and when the weights are not those of the backbone.
  Model(const std::filesystem::path& file, host::Registry& registry);
  /// A network that has not been packed into a file; `name` stands for it in messages.
  Model(const std::filesystem::path& name, Pack pack, host::Registry& registry);

  [[nodiscard]] const Pack& pack() const { return pack_; }
  [[nodiscard]] const std::filesystem::path& file() const { return file_; }

  /// Fingerprint float32 `[d]` of a montage uint8 `[H, W]` of the network's size; turned upright first if the network
  /// was trained so.
  [[nodiscard]] at::Tensor fingerprint(const at::Tensor& montage) const;

  /// Reads what a person gives, makes it like the network's images and tells what is unlike them. Throws `Error` when
  /// it can't be made so: no scale where the network wants millimetres, a montage of another shape, no bone found.
  [[nodiscard]] Query read(const QueryFiles& files) const;

 private:
  void read_pair(const QueryFiles& files, Query& query) const;
  void read_montage(const QueryFiles& files, Query& query) const;
  [[nodiscard]] Parameters xray_settings(const std::vector<std::string>& overrides) const;
  void require_scale(const XrayPair& pair) const;

  std::filesystem::path file_;
  host::Registry& registry_;
  Pack pack_;
  std::shared_ptr<training::FingerprintNetwork> network_;
};

}  // namespace osteon::pipeline
