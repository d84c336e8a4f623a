#include "pictures.hpp"

#include <osteon/error.hpp>

#include <algorithm>
#include <cstdio>

namespace osteon::shape_error {

namespace {

SurfacePair picture(const Method& method, const Comparison& comparison, std::size_t c) {
  SurfacePair pair;
  pair.truth = comparison.cases()[c].truth;
  pair.predicted = transformed(method.answers[c]->together.mesh, method.together[c]->onto_truth);
  pair.distance = open3d_support::vertex_distances(pair.predicted, comparison.truth(c));
  char rms[32];
  std::snprintf(rms, sizeof rms, "%.2f", method.together[c]->distance.rms);
  pair.caption = text(comparison.bone_of_case(c).id, ", ", method.name, ": ", rms, " mm RMS");
  return pair;
}

}  // namespace

std::vector<SurfacePair> pictures(const Method& method, const Comparison& comparison, std::int64_t count) {
  std::vector<std::size_t> order;
  for (std::size_t c = 0; c < method.together.size(); ++c)
    if (method.together[c]) order.push_back(c);
  std::ranges::stable_sort(order, {}, [&](std::size_t c) { return method.together[c]->distance.rms; });
  const std::size_t shown = std::min(static_cast<std::size_t>(count), order.size());
  std::vector<SurfacePair> pairs;
  for (std::size_t i = 0; i < shown; ++i) {
    const std::size_t rank = shown == 1 ? order.size() / 2 : i * (order.size() - 1) / (shown - 1);
    pairs.push_back(picture(method, comparison, order[rank]));
    pairs.back().caption += text(", rank ", rank + 1, " of ", order.size(), " held-out bones");
  }
  return pairs;
}

}  // namespace osteon::shape_error
