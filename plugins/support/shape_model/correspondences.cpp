#include "shape_model/correspondences.hpp"

#include "open3d_support/surfaces.hpp"

#include <osteon/error.hpp>
#include <osteon/memo.hpp>
#include <osteon/parallel.hpp>

#include <ATen/Functions.h>

namespace osteon::shape_model {

Correspondences::Result Correspondences::of(const std::vector<Mesh>& meshes) {
  if (meshes.size() < 2)
    throw Error(text("the gallery has ", meshes.size(),
                     " bones, and how shapes vary can be learnt from two or more; use shape/nearest"));
  const Mesh& median = open3d_support::of_median_size(meshes);
  const std::string name = text(open3d_support::digest_of(median), " with ", triangles_, " triangles");
  auto& pattern = templates_[name];
  if (!pattern) pattern = std::make_unique<Template>(median, triangles_);
  Result result{pattern.get(), std::vector<Points>(meshes.size())};
  parallel_for(0, std::ssize(meshes), 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) {
      throw_if_stopped();
      const Mesh& bone = meshes[static_cast<std::size_t>(i)];
      const at::Tensor points = memoised(text("template ", name, " on ", open3d_support::digest_of(bone)), [&] {
        const Points found = pattern->onto(open3d_support::ClosestPoints(bone));
        return at::from_blob(const_cast<double*>(found.data()), {found.rows(), 3}, at::kDouble).clone();
      });
      result.shapes[static_cast<std::size_t>(i)] =
          Eigen::Map<const Points>(points.data_ptr<double>(), points.size(0), 3);
    }
  });
  return result;
}

}  // namespace osteon::shape_model
