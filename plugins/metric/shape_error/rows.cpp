#include "rows.hpp"

#include <osteon/error.hpp>

#include <algorithm>

namespace osteon::shape_error {

namespace {

std::string chosen_text(const ShapePrediction& prediction, const Comparison& comparison) {
  const auto& bones = comparison.shapes().gallery_bones;
  if (!prediction.chosen || *prediction.chosen >= std::ssize(bones)) return "";
  return text(", given ", comparison.bone(bones[static_cast<std::size_t>(*prediction.chosen)]).id);
}

Row empty_row(const std::string& name, bool is_baseline, const Comparison& comparison) {
  return {name, is_baseline, std::vector<std::optional<Outcome>>(comparison.cases().size()), {}, {}};
}

bool has_any(const Row& row) {
  return std::ranges::any_of(row.cases, [](const auto& one) { return one.has_value(); });
}

Outcome mean_of_pairs(const Method& method, std::size_t c, const Comparison& comparison) {
  std::vector<Outcome> outcomes;
  for (std::size_t q = 0; q < method.alone[c].size(); ++q) {
    outcomes.push_back(outcome(method.alone[c][q], comparison, c));
    outcomes.back().worst_of = text(comparison.bone_of_case(c).id, ", X-ray pair ", q + 1, " of ",
                                    method.alone[c].size(), chosen_text(method.answers[c]->alone[q], comparison));
  }
  return mean_outcome(outcomes);
}

}  // namespace

Outcome outcome(const Laid& laid, const Comparison& comparison, std::size_t c) {
  Outcome result;
  result.rms = laid.distance.rms;
  result.mean = laid.distance.mean;
  result.hd95 = laid.distance.hd95;
  result.hausdorff = laid.distance.hausdorff;
  result.relative = 100 * laid.distance.rms / comparison.diagonal(c);
  result.better = comparison.better(c, laid.distance.rms);
  result.worst = laid.distance.rms;
  result.worst_of = comparison.bone_of_case(c).id;
  result.regions = laid.regions;
  return result;
}

Outcome mean_outcome(const std::vector<Outcome>& outcomes) {
  const auto mean = [&](double Outcome::*figure) {
    double sum = 0;
    for (const Outcome& one : outcomes) sum += one.*figure;
    return sum / static_cast<double>(outcomes.size());
  };
  Outcome result;
  for (const auto figure :
       {&Outcome::rms, &Outcome::mean, &Outcome::hd95, &Outcome::hausdorff, &Outcome::relative, &Outcome::better})
    result.*figure = mean(figure);
  const Outcome& worst = *std::ranges::max_element(outcomes, {}, &Outcome::worst);
  result.worst = worst.worst;
  result.worst_of = worst.worst_of;
  return result;
}

std::vector<Row> method_rows(const Method& method, const Comparison& comparison) {
  Row together = empty_row(method.name, false, comparison);
  Row one_pair = empty_row(method.name + ", one pair", false, comparison);
  Row ceiling = empty_row(method.name + ", its 3D ceiling", true, comparison);
  for (std::size_t c = 0; c < comparison.cases().size(); ++c) {
    if (method.together[c]) {
      together.cases[c] = outcome(*method.together[c], comparison, c);
      together.cases[c]->worst_of += chosen_text(method.answers[c]->together, comparison);
    }
    if (!method.alone[c].empty()) one_pair.cases[c] = mean_of_pairs(method, c, comparison);
    if (method.ceiling[c]) ceiling.cases[c] = outcome(*method.ceiling[c], comparison, c);
  }
  std::vector<Row> rows{std::move(together)};
  for (Row* row : {&one_pair, &ceiling})
    if (has_any(*row)) rows.push_back(std::move(*row));
  return rows;
}

}  // namespace osteon::shape_error
