#pragma once

// The 3D shape of a bone that a finished run has never seen, from a pair of X-rays: what the run's shape method makes
// of it, how far that can be trusted, and a picture of the re-rendered bone over both X-rays.

#include "pipeline/misfit.hpp"
#include "pipeline/model.hpp"

namespace osteon::pipeline {

struct ReconstructionOptions {
  std::filesystem::path run;  ///< its folder
  std::vector<std::filesystem::path> plugin_folders;
  std::string shape;  ///< a shape method of the run; "": of those that fit X-rays, the one with the least error there
  QueryFiles files;
  double scale_error = 2;      ///< %, standard deviation of the scale that the X-rays claim
  std::filesystem::path mesh;  ///< a name with an ending that a format plugin knows
};

struct Reconstruction {
  std::string method;
  ShapePrediction prediction;  ///< in the bone's own frame, both sides alike
  Side side = Side::unknown;   ///< as the person says
  Misfit misfit;
  std::vector<Misfit> usual;  ///< of bones that the method did not know
  std::vector<std::string> doubts, notices;
  std::vector<std::string> lines;     ///< of the files, the run and its method
  std::vector<std::string> measured;  ///< of the run's cross-validated errors
  Query query;
  bool slot_scan = false;
};

/// Throws `Error` when the folder is not that of a run that has trained, its experiment has no shape method, its bones
/// no surfaces, the X-rays no scale, the method fits nothing to X-rays, or no format knows the mesh's ending.
[[nodiscard]] Reconstruction reconstruct(const ReconstructionOptions& options);

/// Writes the surface of the bone on its own side of the body: x to the patient's left, y to the back, z along the bone
/// to its proximal end, from its centroid, mm. Returns how many triangles it has.
std::int64_t write_bone(const Reconstruction& reconstruction, const ReconstructionOptions& options);

/// The result as lines for a terminal.
[[nodiscard]] std::vector<std::string> told(const Reconstruction& reconstruction);

/// Both X-rays with the outline of the re-rendered bone over them, uint8 `[H, W, 3]`.
[[nodiscard]] at::Tensor picture_of(const Reconstruction& reconstruction);

}  // namespace osteon::pipeline
