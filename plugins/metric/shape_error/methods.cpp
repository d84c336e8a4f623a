#include "methods.hpp"

#include <osteon/error.hpp>
#include <osteon/parallel.hpp>

#include <algorithm>

namespace osteon::shape_error {

namespace {

/// A surface that has still to be laid.
struct Task {
  const Mesh* mesh;
  std::size_t which;  ///< case
  bool with_regions;
  std::string whose;
  Laid* place;
};

void run(const std::vector<Task>& tasks, const Comparison& comparison) {
  parallel_for(0, std::ssize(tasks), 1, [&](std::int64_t first, std::int64_t last) {
    for (auto i = static_cast<std::size_t>(first); i < static_cast<std::size_t>(last); ++i) {
      const Task& task = tasks[i];
      const ClosestPoints surface = prepared(*task.mesh, task.whose);
      *task.place = comparison.lay(surface, task.which);
      if (task.with_regions) task.place->regions = comparison.regions(surface, task.place->onto_truth, task.which);
    }
  });
}

const Laid& chosen_by(const std::string& estimator, std::int64_t chosen, std::size_t c, Comparison& comparison) {
  if (!comparison.candidates(c).contains(chosen))
    throw failure(text(estimator, " chose gallery bone ", chosen, ", which is no candidate"));
  return comparison.candidate(c, chosen);
}

void add_answer(Method& method, std::size_t c, Comparison& comparison, std::vector<Task>& tasks) {
  const ShapeCase::Answer& answer = *method.answers[c];
  const auto add = [&](const ShapePrediction& prediction, bool with_regions, Laid& place) {
    if (!prediction.chosen) {
      tasks.push_back({&prediction.mesh, c, with_regions, method.name, &place});
      return;
    }
    method.deforms = false;
    place = chosen_by(method.name, *prediction.chosen, c, comparison);
  };
  add(answer.together, true, method.together[c].emplace());
  method.alone[c].resize(answer.alone.size());
  for (std::size_t q = 0; q < answer.alone.size(); ++q) add(answer.alone[q], false, method.alone[c][q]);
  if (answer.ceiling)
    tasks.push_back({&*answer.ceiling, c, true, method.name + ", its 3D ceiling", &method.ceiling[c].emplace()});
}

}  // namespace

std::vector<Method> measured_methods(Comparison& comparison) {
  const auto& cases = comparison.cases();
  std::vector<Method> methods;
  for (std::size_t c = 0; c < cases.size(); ++c)
    for (const ShapeCase::Answer& answer : cases[c].answers) {
      auto method = std::ranges::find(methods, answer.estimator, &Method::name);
      if (method == methods.end()) {
        methods.emplace_back();
        method = methods.end() - 1;
        method->name = answer.estimator;
        method->answers.resize(cases.size());
        method->together.resize(cases.size());
        method->alone.resize(cases.size());
        method->ceiling.resize(cases.size());
      }
      method->answers[c] = &answer;
    }
  std::vector<Task> tasks;
  for (Method& method : methods)
    for (std::size_t c = 0; c < cases.size(); ++c)
      if (method.answers[c] != nullptr) add_answer(method, c, comparison, tasks);
  run(tasks, comparison);
  return methods;
}

}  // namespace osteon::shape_error
