#include "line_integrals.hpp"

#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <array>
#include <limits>

namespace osteon::torch_renderer {

namespace {

/// Voxel planes that are sampled together. Fixed, so that the order of summation doesn't depend on the memory allowed.
constexpr std::int64_t kPlanes = 16;
/// Numbers that a sample needs at one time: its place and its values, and the gradients of both.
constexpr std::int64_t kNumbersPerSample = 10;

/// Sums over the planes s = 0 … S - 1 of a volume, at base + s·slope in each.
struct PlaneRays {
  at::Tensor base, slope;  ///< `[2, n]`, place in the plane as `at::grid_sampler_2d` counts: along b, then along a
  at::Tensor begin;        ///< empty, or the plane `[n]` from which on …
  at::Tensor sign;         ///< … upwards (+1) or downwards (-1) the ray exists
};

/// One block of planes and one piece of the rays.
struct Piece {
  at::Tensor grid;  ///< `[planes, 1, rays, 2]`
  at::Tensor seen;  ///< undefined or `[planes, 1, 1, rays]`, 1 where the ray exists
  at::Tensor s;     ///< `[planes, 1, 1]`
};

Piece make_piece(const PlaneRays& rays, std::int64_t first_plane, std::int64_t planes, std::int64_t first_ray,
                 std::int64_t count) {
  const auto part = [&](const at::Tensor& t) { return t.narrow(-1, first_ray, count); };
  Piece piece;
  piece.s = at::arange(first_plane, first_plane + planes, rays.base.options()).reshape({-1, 1, 1});
  // Multiplied, then added: one fused operation rounds otherwise at the end of a row of memory than in its middle.
  piece.grid = (piece.s * part(rays.slope)).add_(part(rays.base)).permute({0, 2, 1}).unsqueeze(1);
  if (rays.begin.numel() > 0)
    piece.seen = ((piece.s - part(rays.begin)) * part(rays.sign) >= 0).to(rays.base.scalar_type()).unsqueeze(1);
  return piece;
}

/// Bilinear, 0 outside (falling to it over one voxel), numbers -1 … 1 spanning the voxels with their full width.
constexpr std::int64_t kBilinear = 0, kZeros = 0;

/// Sum over the first dimension, by halves, in place: in an order that doesn't depend on the other dimensions, as
/// `at::sum`'s does, so that a ray's integral has the same bits whichever rays go with it.
at::Tensor sum_in_halves(at::Tensor values) {
  while (values.size(0) > 1) {
    const std::int64_t half = values.size(0) / 2;
    if (values.size(0) % 2 == 1) values.select(0, 0).add_(values.select(0, -1));
    values = values.narrow(0, 0, half).add_(values.narrow(0, half, half));
  }
  return values.squeeze(0);
}

/// Calls `body(first plane, planes, first ray, rays)` on the pieces of a sum.
template <class Body>
void in_pieces(std::int64_t planes, std::int64_t rays, std::int64_t rays_at_once, const Body& body) {
  for (std::int64_t plane = 0; plane < planes; plane += kPlanes)
    for (std::int64_t ray = 0; ray < rays; ray += rays_at_once)
      body(plane, std::min(kPlanes, planes - plane), ray, std::min(rays_at_once, rays - ray));
}

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// Sum over the planes `[S, kMaterials, A, B]` → `[kMaterials, n]`. Nothing of a sample is kept for the gradient.
class PlaneSum : public torch::autograd::Function<PlaneSum> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& planes, const at::Tensor& base,
                            const at::Tensor& slope, const at::Tensor& begin, const at::Tensor& sign,
                            std::int64_t rays_at_once) {
    context->save_for_backward({planes, base, slope, begin, sign});
    context->saved_data["rays_at_once"] = rays_at_once;
    const PlaneRays rays{base, slope, begin, sign};
    at::Tensor result = at::zeros({kMaterials, base.size(1)}, base.options());
    in_pieces(planes.size(0), base.size(1), rays_at_once,
              [&](std::int64_t plane, std::int64_t count, std::int64_t ray, std::int64_t n) {
                const Piece piece = make_piece(rays, plane, count, ray, n);
                at::Tensor values =
                    at::grid_sampler_2d(planes.narrow(0, plane, count), piece.grid, kBilinear, kZeros, false);
                if (piece.seen.defined()) values.mul_(piece.seen);
                result.narrow(1, ray, n) += sum_in_halves(values).squeeze(1);
              });
    return result;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &planes = saved[0], &upstream = gradients[0];
    const PlaneRays rays{saved[1], saved[2], saved[3], saved[4]};
    const bool of_planes = context->needs_input_grad(0), of_rays = context->needs_input_grad(1);
    at::Tensor d_planes, d_base, d_slope;
    if (of_planes) d_planes = at::zeros_like(planes);
    if (of_rays) d_base = at::zeros_like(rays.base), d_slope = at::zeros_like(rays.slope);
    in_pieces(planes.size(0), rays.base.size(1), context->saved_data["rays_at_once"].toInt(),
              [&](std::int64_t plane, std::int64_t count, std::int64_t ray, std::int64_t n) {
                const Piece piece = make_piece(rays, plane, count, ray, n);
                at::Tensor d_values = upstream.narrow(1, ray, n).unsqueeze(1).expand({count, kMaterials, 1, n});
                if (piece.seen.defined()) d_values = d_values * piece.seen;
                const auto [d_piece, d_grid] =
                    at::grid_sampler_2d_backward(d_values, planes.narrow(0, plane, count), piece.grid, kBilinear,
                                                 kZeros, false, {of_planes, of_rays});
                if (of_planes) d_planes.narrow(0, plane, count) += d_piece;
                if (!of_rays) return;
                const at::Tensor d_place = d_grid.squeeze(1).permute({0, 2, 1});  // [planes, 2, rays]
                d_base.narrow(1, ray, n) += d_place.sum(0);
                d_slope.narrow(1, ray, n) += (d_place * piece.s).sum(0);
              });
    return {d_planes, d_base, d_slope, {}, {}, {}};
  }
};

/// The rays whose dominant axis is `axis` (0, 1, 2: i, j, k).
at::Tensor integrals_along(int axis, const at::Tensor& fractions, const at::Tensor& start, const at::Tensor& direction,
                           const at::Tensor& both_ways, Vec3 spacing, std::int64_t rays_at_once) {
  const int b = axis == 0 ? 1 : 0, a = 3 - axis - b;
  const auto dimension = [](int of) { return 3 - static_cast<std::int64_t>(of); };
  const at::Tensor planes = fractions.permute({dimension(axis), 0, dimension(a), dimension(b)});
  const at::Tensor along = direction.select(1, axis), from = start.select(1, axis);

  // Place x of a sampling in units where the voxels 0 … size - 1 span -1 … 1 with their full width.
  const auto scaled = [&](int other) {
    const auto size = static_cast<double>(fractions.size(dimension(other)));
    const at::Tensor slope = direction.select(1, other) / along;
    const at::Tensor base = start.select(1, other) - from * slope;
    return std::pair{(2 * base + 1) / size - 1, 2 * slope / size};
  };
  const auto [b_base, b_slope] = scaled(b);
  const auto [a_base, a_slope] = scaled(a);
  const auto type = fractions.scalar_type();
  const at::Tensor base = at::stack({b_base, a_base}).to(type), slope = at::stack({b_slope, a_slope}).to(type);

  // Where a ray begins matters only when the source stands among the planes or behind them.
  at::Tensor begin = at::empty({0}, base.options()), sign = begin;
  {
    const at::NoGradGuard no_graph;
    const double last = static_cast<double>(planes.size(0)) - 1;
    const at::Tensor behind = at::where(along > 0, from > 0, from < last).logical_and(both_ways.logical_not());
    if (behind.any().item<bool>()) {
      sign = at::sign(along).to(type);
      begin = at::where(both_ways, -sign * (2 * last + 2), from.detach()).to(type);
    }
  }
  const at::Tensor millimetres =
      (direction * at::tensor(std::vector<double>{spacing.x, spacing.y, spacing.z}, direction.options())).norm(2, 1) /
      along.abs();
  return PlaneSum::apply(planes, base, slope, begin, sign, rays_at_once) * millimetres.to(type);
}

}  // namespace

at::Tensor line_integrals(const at::Tensor& fractions, const Rays& rays, Vec3 spacing, std::int64_t bytes) {
  const auto sample = kNumbersPerSample * static_cast<std::int64_t>(fractions.element_size());
  const std::int64_t rays_at_once = std::max<std::int64_t>(1, bytes / (sample * kPlanes));
  const at::Tensor dominant = rays.direction.detach().abs().argmax(1);
  const std::int64_t count = rays.start.size(0);
  at::Tensor result;
  for (int axis = 0; axis < 3; ++axis) {
    const at::Tensor which = (dominant == axis).nonzero().squeeze(1);
    if (which.size(0) == 0) continue;
    if (which.size(0) == count)
      return integrals_along(axis, fractions, rays.start, rays.direction, rays.both_ways, spacing, rays_at_once);
    const auto of = [&](const at::Tensor& t) { return t.index_select(0, which); };
    const at::Tensor part =
        integrals_along(axis, fractions, of(rays.start), of(rays.direction), of(rays.both_ways), spacing, rays_at_once);
    if (!result.defined()) result = at::zeros({kMaterials, count}, fractions.options());
    result = result.index_copy(1, which, part);
  }
  return result;
}

}  // namespace osteon::torch_renderer
