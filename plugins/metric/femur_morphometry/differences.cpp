#include "differences.hpp"

#include "open3d_support/surfaces.hpp"

#include <osteon/error.hpp>
#include <osteon/parallel.hpp>

#include <cmath>
#include <limits>

namespace osteon::morphometry {

namespace {

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

Values of_prediction(const Mesh& mesh, const Mesh& truth, const femur::Morphometry& known) {
  throw_if_stopped();
  const Affine onto_truth = open3d_support::align_rigid(mesh, truth);
  return difference(known, femur::measured(mesh), onto_truth);
}

}  // namespace

Values values_of(const femur::Morphometry& bone) {
  return {kUndefined, bone.head ? bone.head->radius : kUndefined, bone.length, bone.neck_shaft, bone.anteversion};
}

Values difference(const Values& truth, const Values& predicted) {
  Values result{};
  for (std::size_t m = 0; m < kMeasures; ++m) result[m] = std::abs(predicted[m] - truth[m]);
  return result;
}

Values difference(const femur::Morphometry& truth, const femur::Morphometry& predicted, const Affine& onto_truth) {
  Values result = difference(values_of(truth), values_of(predicted));
  if (truth.head && predicted.head) result[0] = norm(onto_truth * predicted.head->centre - truth.head->centre);
  return result;
}

Values mean(const std::vector<Values>& values) {
  Values result{};
  for (std::size_t m = 0; m < kMeasures; ++m) {
    double count = 0;
    for (const Values& one : values)
      if (!std::isnan(one[m])) result[m] += one[m], ++count;
    result[m] = count > 0 ? result[m] / count : kUndefined;
  }
  return result;
}

std::map<Prediction, Values> differences(const std::vector<ShapeCase>& cases,
                                         const std::vector<femur::Morphometry>& truths,
                                         const std::map<Prediction, std::string>& names) {
  std::map<Prediction, Values> result;
  std::vector<std::pair<const Prediction, Values>*> work;
  for (const auto& [prediction, name] : names) work.push_back(&*result.try_emplace(prediction).first);
  parallel_for(0, std::ssize(work), 1, [&](std::int64_t first, std::int64_t last) {
    for (auto i = static_cast<std::size_t>(first); i < static_cast<std::size_t>(last); ++i) {
      const auto [c, mesh] = work[i]->first;
      try {
        work[i]->second = of_prediction(*mesh, cases[c].truth, truths[c]);
      } catch (const Error& error) {
        throw error.within(names.at({c, mesh}));
      }
    }
  });
  return result;
}

}  // namespace osteon::morphometry
