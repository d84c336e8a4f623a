// metric/shape_identity: whose bone is it, by the surface that was predicted from its X-rays?
//
// Every known bone's surface (from its CT; every bone that some fold knew) is laid onto the predicted surface by a
// rotation and a translation, and the nearest by symmetric RMS is the answer. Two questions: which bone is this, all
// bones enrolled (rank-1, "same bone"); and who is it when only bones of the other side are enrolled, one a person
// ("the other side"; lefts are mirrored), as metric/verification asks it. The methods never learnt from the person:
// neither bone of a held-out person is among what a shape method is shown.
//
// Beside the methods stand the bone that is nearest by the length of the true surface, and by its length and volume
// (each in units of its standard deviation over the enrolled bones), both measured on the CT, without an X-ray's scale
// error; and chance. A row "one pair" is the mean over a bone's X-ray pairs, asked one by one; counts are of bones.
//
// Parameters
//   methods   names of shape methods that are asked; none means all (default none)
//   samples   points each way of a surface distance (default 1500, at least 100)
//
//     [metric.shape_identity]
//     plugin  = "shape_identity"
//     methods = ["regress"]
//     samples = 1500

#include "open3d_support/surfaces.hpp"
#include "statistics/statistics.hpp"

#include <osteon/error.hpp>
#include <osteon/metric.hpp>
#include <osteon/parallel.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

namespace osteon {

namespace {

using open3d_support::ClosestPoints;

/// How far a question's bone is from each enrolled one, in whatever unit.
using Distances = std::vector<double>;

/// What was answered about one bone, as shares of its X-ray pairs; NaN where the question cannot be asked.
struct Answered {
  double same_bone = 0, other_side = 0;
};

struct Row {
  std::string name;
  bool is_baseline = false;
  std::vector<Answered> cases;
};

double length(const Mesh& mesh) {
  const Box box = bounding_box(mesh);
  return box.high.z - box.low.z;
}

double deviation(const std::vector<double>& values) {
  double mean = 0, squares = 0;
  for (const double v : values) mean += v / static_cast<double>(values.size());
  for (const double v : values) squares += (v - mean) * (v - mean) / static_cast<double>(values.size());
  return squares > 0 ? std::sqrt(squares) : 1;
}

class Enrolled {
 public:
  explicit Enrolled(const Evidence& evidence) : evidence_(evidence) {}

  [[nodiscard]] const EvidenceBone& bone(std::size_t g) const {
    return evidence_.bones()[static_cast<std::size_t>(evidence_.shapes().gallery_bones[g])];
  }
  [[nodiscard]] std::size_t size() const { return evidence_.shapes().gallery.size(); }

  /// Whether the nearest enrolled bone is the right one; the other side only where the person has one enrolled.
  [[nodiscard]] Answered answered(const ShapeCase& one, const Distances& distances) const {
    const auto nearest = [&](const std::vector<std::size_t>& among) {
      return *std::ranges::min_element(among, {}, [&](std::size_t g) { return distances[g]; });
    };
    Answered answer{std::nan(""), std::nan("")};
    const std::vector<std::size_t> all = everything(), opposite = opposite_side(one);
    if (std::ranges::any_of(all, [&](std::size_t g) { return is_itself(one, g); }))
      answer.same_bone = is_itself(one, nearest(all)) ? 1 : 0;
    if (std::ranges::any_of(opposite, [&](std::size_t g) { return is_same_person(one, g); }))
      answer.other_side = is_same_person(one, nearest(opposite)) ? 1 : 0;
    return answer;
  }

  /// What a guess would answer, where there is an answer.
  [[nodiscard]] Answered chance(const ShapeCase& one) const {
    const auto share = [](double answer, std::size_t among) {
      return std::isnan(answer) ? answer : 1 / static_cast<double>(among);
    };
    const Answered any = answered(one, Distances(size(), 0));
    return {share(any.same_bone, size()), share(any.other_side, opposite_side(one).size())};
  }

 private:
  [[nodiscard]] const EvidenceBone& asked(const ShapeCase& one) const {
    return evidence_.bones()[static_cast<std::size_t>(one.bone)];
  }
  [[nodiscard]] bool is_itself(const ShapeCase& one, std::size_t g) const {
    return evidence_.shapes().gallery_bones[g] == one.bone;
  }
  [[nodiscard]] bool is_same_person(const ShapeCase& one, std::size_t g) const {
    return bone(g).subject == asked(one).subject;
  }
  [[nodiscard]] std::vector<std::size_t> everything() const {
    std::vector<std::size_t> all(size());
    std::iota(all.begin(), all.end(), std::size_t{0});
    return all;
  }
  /// Empty where the asked bone's own side is not known.
  [[nodiscard]] std::vector<std::size_t> opposite_side(const ShapeCase& one) const {
    std::vector<std::size_t> result;
    if (asked(one).side == Side::unknown) return result;
    const Side opposite = asked(one).side == Side::right ? Side::left : Side::right;
    for (std::size_t g = 0; g < size(); ++g)
      if (bone(g).side == opposite) result.push_back(g);
    return result;
  }

  const Evidence& evidence_;
};

class ShapeIdentity : public Metric {
 public:
  static Schema schema() {
    return {"Whose bone is it, by the predicted surface: the bone itself, or the person's other femur.",
            {Parameter::texts("methods", {}, "Names of shape methods that are asked; none means all."),
             Parameter::integer("samples", 1500, "Points each way of a surface distance.")
                 .at_least(100)
                 .at_most(10'000'000)}};
  }

  explicit ShapeIdentity(const Parameters& parameters)
      : methods_(parameters.texts("methods")), samples_(parameters.integer("samples")) {}

  [[nodiscard]] std::set<Need> needs() const override { return {Need::meshes}; }

  [[nodiscard]] MetricResult evaluate(const Evidence& evidence) const override {
    const ShapeEvidence& shapes = evidence.shapes();
    if (shapes.cases.empty() || shapes.gallery.empty()) return {{undefined()}, {}, {}, {}};
    std::vector<Row> rows = method_rows(evidence);
    rows.push_back(measured_row("nearest by length", {&length}, evidence));
    rows.push_back(measured_row("nearest by length and volume", {&length, &enclosed_volume}, evidence));
    rows.push_back(chance_row(evidence));
    MetricResult result;
    for (const Row& row : rows) {
      result.values.push_back(figure(row, "same bone", &Answered::same_bone, evidence));
      result.values.push_back(figure(row, "the other side", &Answered::other_side, evidence));
    }
    return result;
  }

 private:
  static MetricValue undefined() {
    MetricValue value;
    value.table = "identity by shape, rank-1";
    value.row = "chance";
    value.column = "same bone";
    value.is_baseline = true;
    value.note = "no bone was held out";
    return value;
  }

  /// The enrolled surfaces laid onto each of the predicted ones.
  [[nodiscard]] std::vector<Distances> laid(const std::vector<const Mesh*>& predicted,
                                            const std::vector<ClosestPoints>& enrolled) const {
    std::vector<Distances> distances(predicted.size(), Distances(enrolled.size()));
    std::vector<ClosestPoints> surfaces;
    for (const Mesh* mesh : predicted) surfaces.emplace_back(*mesh);
    const auto width = std::ssize(enrolled);
    parallel_for(0, width * std::ssize(predicted), 1, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t i = first; i < last; ++i) {
        throw_if_stopped();
        const auto p = static_cast<std::size_t>(i / width), g = static_cast<std::size_t>(i % width);
        const Affine map = open3d_support::align_rigid(enrolled[g], surfaces[p]);
        distances[p][g] = open3d_support::surface_distance(surfaces[p], enrolled[g], map, samples_, 0).rms;
      }
    });
    return distances;
  }

  [[nodiscard]] bool is_asked(const std::string& method) const {
    return methods_.empty() || std::ranges::find(methods_, method) != methods_.end();
  }

  /// Two rows a method: from all X-ray pairs together, and from one pair.
  [[nodiscard]] std::vector<Row> method_rows(const Evidence& evidence) const {
    const ShapeEvidence& shapes = evidence.shapes();
    const Enrolled enrolled(evidence);
    std::vector<ClosestPoints> surfaces;
    for (const Mesh& mesh : shapes.gallery) surfaces.emplace_back(mesh);
    std::vector<std::string> names;
    for (const ShapeCase::Answer& answer : shapes.cases.front().answers)
      if (is_asked(answer.estimator)) names.push_back(answer.estimator);
    for (const std::string& method : methods_)
      if (std::ranges::find(names, method) == names.end())
        throw Error(text("methods: there is no shape method \"", method, "\" in this experiment"));
    std::vector<Row> rows;
    for (const std::string& name : names) {
      Row together{name, false, {}}, alone{name + ", one pair", false, {}};
      for (const ShapeCase& one : shapes.cases) {
        const auto answer = std::ranges::find(one.answers, name, &ShapeCase::Answer::estimator);
        if (answer == one.answers.end()) throw failure(text(name, " gave no answer about a bone"));
        std::vector<const Mesh*> predicted{&answer->together.mesh};
        for (const ShapePrediction& prediction : answer->alone) predicted.push_back(&prediction.mesh);
        const auto distances = laid(predicted, surfaces);
        together.cases.push_back(enrolled.answered(one, distances.front()));
        Answered sum;
        const double share = 1 / std::max(1.0, static_cast<double>(distances.size()) - 1);
        for (std::size_t i = 1; i < distances.size(); ++i) {
          const Answered answered = enrolled.answered(one, distances[i]);
          sum.same_bone += share * answered.same_bone;
          sum.other_side += share * answered.other_side;
        }
        if (distances.size() > 1) alone.cases.push_back(sum);
      }
      const bool has_pairs = alone.cases.size() == together.cases.size();
      rows.push_back(std::move(together));
      if (has_pairs) rows.push_back(std::move(alone));
    }
    return rows;
  }

  static Row measured_row(const std::string& name, const std::vector<double (*)(const Mesh&)>& properties,
                          const Evidence& evidence) {
    const ShapeEvidence& shapes = evidence.shapes();
    const Enrolled enrolled(evidence);
    Row row{name, true, {}};
    for (const ShapeCase& one : shapes.cases) {
      Distances squares(shapes.gallery.size(), 0);
      for (const auto property : properties) {
        std::vector<double> known;
        for (const Mesh& mesh : shapes.gallery) known.push_back(property(mesh));
        const double own = property(one.made_from ? *one.made_from : one.truth), spread = deviation(known);
        for (std::size_t g = 0; g < known.size(); ++g) squares[g] += std::pow((own - known[g]) / spread, 2);
      }
      row.cases.push_back(enrolled.answered(one, squares));
    }
    return row;
  }

  static Row chance_row(const Evidence& evidence) {
    const Enrolled enrolled(evidence);
    Row row{"chance", true, {}};
    for (const ShapeCase& one : evidence.shapes().cases) row.cases.push_back(enrolled.chance(one));
    return row;
  }

  /// Bones that were right; an interval over people where there are enough.
  static MetricValue figure(const Row& row, const std::string& column, double Answered::*member,
                            const Evidence& evidence) {
    std::map<std::string, statistics::Contribution> people;
    double hits = 0;
    std::int64_t count = 0;
    for (std::size_t c = 0; c < row.cases.size(); ++c) {
      const double share = row.cases[c].*member;
      if (std::isnan(share)) continue;
      const auto& subject = evidence.bones()[static_cast<std::size_t>(evidence.shapes().cases[c].bone)].subject;
      people[subject].hits += share;
      people[subject].total += 1;
      hits += share;
      ++count;
    }
    MetricValue value;
    value.table = "identity by shape, rank-1";
    value.row = row.name;
    value.column = column;
    value.is_baseline = row.is_baseline;
    value.count = count;
    value.counted = "bones";
    value.unit = text("of ", count);
    if (count == 0) {
      value.note = "nobody has a femur of the other side enrolled";
      return value;
    }
    value.value = hits;
    statistics::set_people(value, people, evidence.seed(), 100);
    const double bones_per_percent = static_cast<double>(count) / 100;
    if (value.interval)
      value.interval = {value.interval->first * bones_per_percent, value.interval->second * bones_per_percent};
    return value;
  }

  std::vector<std::string> methods_;
  std::int64_t samples_;
};

}  // namespace

OSTEON_PLUGIN(metric, shape_identity, "0.1.0", ShapeIdentity)

}  // namespace osteon
