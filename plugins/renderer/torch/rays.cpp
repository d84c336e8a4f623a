#include "rays.hpp"

#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>

#include <functional>
#include <vector>

namespace osteon::torch_renderer {

namespace {

at::Tensor row_of(Vec3 v) { return at::tensor(std::vector<double>{v.x, v.y, v.z}, at::kDouble); }

/// One vector of each exposure, `[V, 3]`.
at::Tensor gather(std::span<const Projection> projections, const std::function<Vec3(const Projection&)>& of) {
  std::vector<at::Tensor> rows;
  for (const Projection& p : projections) rows.push_back(row_of(of(p)));
  return at::stack(rows);
}

/// Rotation matrices `[V, 3, 3]` of rotation vectors `[V, 3]`: the exponential of the cross product's matrix, which has
/// derivatives at 0 too.
at::Tensor rotations(const at::Tensor& vectors) {
  const at::Tensor x = vectors.select(1, 0), y = vectors.select(1, 1), z = vectors.select(1, 2);
  const at::Tensor none = at::zeros_like(x);
  const at::Tensor cross = at::stack({none, -z, y, z, none, -x, -y, x, none}, 1).reshape({-1, 3, 3});
  return at::matrix_exp(cross);
}

/// Patient coordinates → voxel indices, for rows of vectors: v·matrix.
at::Tensor index_matrix(const Grid& grid) {
  std::vector<at::Tensor> columns;
  for (int axis = 0; axis < 3; ++axis)
    columns.push_back(row_of(grid.direction.column[axis] * (1 / grid.spacing[axis])));
  return at::stack(columns, 1);
}

}  // namespace

Exposures exposures_in_volume(std::span<const Projection> projections, const Grid& grid, const at::Tensor& motions,
                              Vec3 centre, at::Device device) {
  at::Tensor to_index = index_matrix(grid).to(device).unsqueeze(0);  // [1, 3, 3]
  const at::Tensor zero = (row_of(grid.origin).to(device).unsqueeze(0).matmul(to_index.squeeze(0)));
  at::Tensor moved = at::zeros({1, 3}, at::TensorOptions(device).dtype(at::kDouble));
  const at::Tensor pivot = row_of(centre).to(device).unsqueeze(0);
  at::Tensor turn;
  if (motions.defined()) {
    const at::Tensor motion = motions.to(device, at::kDouble);
    turn = rotations(motion.narrow(1, 0, 3));
    moved = motion.narrow(1, 3, 3);
  }
  // A row times a rotation matrix is the vector turned back.
  const auto vector = [&](const at::Tensor& v) {
    at::Tensor row = v.unsqueeze(1);
    if (turn.defined()) row = row.matmul(turn);
    return row.matmul(to_index).squeeze(1);
  };
  const auto point = [&](const at::Tensor& p) {
    return vector(p - pivot - moved) + pivot.matmul(to_index.squeeze(0)) - zero;
  };
  const auto collect = [&](const std::function<Vec3(const Projection&)>& of) {
    return gather(projections, of).to(device);
  };

  Exposures result;
  result.source = point(collect([](const Projection& p) { return p.parallel ? p.first_pixel : p.source; }));
  result.direction = vector(collect([](const Projection& p) { return p.parallel ? p.direction : Vec3{}; }));
  result.first_pixel = point(collect([](const Projection& p) { return p.first_pixel; }));
  result.row_step = vector(collect([](const Projection& p) { return p.row_step; }));
  result.column_step = vector(collect([](const Projection& p) { return p.column_step; }));
  at::Tensor parallel = at::empty({static_cast<std::int64_t>(projections.size()), 1, 1}, at::kBool);
  for (std::size_t v = 0; v < projections.size(); ++v) parallel.data_ptr<bool>()[v] = projections[v].parallel;
  result.parallel = parallel.to(device);
  result.rows = projections.front().rows;
  result.columns = projections.front().columns;
  return result;
}

Rays rays_of(const Exposures& exposures, std::int64_t first_view, std::int64_t views, std::int64_t first_pixel,
             std::int64_t pixels) {
  const auto of_views = [&](const at::Tensor& t) { return t.narrow(0, first_view, views); };
  const auto options = at::TensorOptions(exposures.source.device());
  const at::Tensor number = at::arange(first_pixel, first_pixel + pixels, options.dtype(at::kLong));
  const at::Tensor row = number.div(exposures.columns, "floor");
  const at::Tensor column = number - row * exposures.columns;
  const auto steps = [&](const at::Tensor& which, const at::Tensor& step) {
    return which.to(at::kDouble).reshape({1, -1, 1}) * of_views(step).unsqueeze(1);
  };
  const at::Tensor pixel = of_views(exposures.first_pixel).unsqueeze(1) + steps(row, exposures.row_step) +
                           steps(column, exposures.column_step);
  const at::Tensor parallel = of_views(exposures.parallel);
  const at::Tensor source = of_views(exposures.source).unsqueeze(1);
  Rays rays;
  rays.start = at::where(parallel, pixel, source).reshape({-1, 3});
  rays.direction = at::where(parallel, of_views(exposures.direction).unsqueeze(1), pixel - source).reshape({-1, 3});
  rays.both_ways = parallel.expand({views, pixels, 1}).reshape({-1});
  return rays;
}

}  // namespace osteon::torch_renderer
