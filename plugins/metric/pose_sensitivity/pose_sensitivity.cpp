// metric/pose_sensitivity: rank-1 recognition of never-trained bones by how an X-ray was taken: energy, tilt, axial and
// in-plane angle, error of scale, and distance of its pose from the nearest pose of the bone's own gallery images.
//
//     [metric.pose_sensitivity]
//     groups = 3               # of query X-rays, equally large, for each of these
//
// The answer to an X-ray is the bone of the nearest gallery image. Within a group each bone's X-rays are averaged
// first, then the bones: images of one bone are no independent trials. Of two views the worse one counts: the larger
// |angle| and the larger error of scale. The distance between poses is √(Δaxial² + Δtilt² + Δin-plane²) over both
// views, in degrees. X-rays of one value stay in one group, so that groups may be fewer; what all X-rays share (one
// energy, no error of scale) has no table.

#include "statistics/statistics.hpp"

#include <osteon/metric.hpp>

#include <ATen/Functions.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>

namespace osteon {
namespace {

/// One query X-ray: which bone it shows, the image, and whether it was recognised, or how probable that was.
struct Answer {
  std::int64_t bone, image;
  double right;
};

/// The answers from one embedding set, folds together.
struct Method {
  std::string name;
  bool is_trivial;
  std::vector<Answer> answers;
};

/// A guess among the bones that `like` has in its gallery.
Method chance(const Evidence& evidence, const std::string& like) {
  Method method{"chance", true, {}};
  for (const Trials& trials : evidence.trials()) {
    if (!trials.held_out || trials.embedding_set != like) continue;
    const at::Tensor enrolled = at::isfinite(trials.distances).sum(1);
    for (std::int64_t q = 0; q < trials.queries.numel(); ++q)
      method.answers.push_back({trials.truth[q].item<std::int64_t>(), trials.queries[q].item<std::int64_t>(),
                                1 / std::max(1.0, enrolled[q].item<double>())});
  }
  return method;
}

std::vector<Method> methods_of(const Evidence& evidence) {
  std::vector<Method> methods;
  for (const Trials& trials : evidence.trials()) {
    if (!trials.held_out || trials.queries.numel() == 0) continue;
    auto same = std::ranges::find(methods, trials.embedding_set, &Method::name);
    if (same == methods.end()) same = methods.insert(methods.end(), {trials.embedding_set, trials.is_trivial, {}});
    const at::Tensor nearest = trials.distances.argmin(1);
    for (std::int64_t q = 0; q < trials.queries.numel(); ++q) {
      const auto bone = trials.truth[q].item<std::int64_t>();
      same->answers.push_back(
          {bone, trials.queries[q].item<std::int64_t>(), nearest[q].item<std::int64_t>() == bone ? 1.0 : 0.0});
    }
  }
  if (!methods.empty()) methods.push_back(chance(evidence, methods.front().name));
  return methods;
}

double squared_pose_distance(const ImageRow& a, const ImageRow& b) {
  double sum = 0;
  for (const auto member : {&ImageRow::axial, &ImageRow::tilt, &ImageRow::in_plane, &ImageRow::ml_axial,
                            &ImageRow::ml_tilt, &ImageRow::ml_in_plane})
    sum += (a.*member - b.*member) * (a.*member - b.*member);
  return sum;
}

/// Whether an image only asks. In folds beyond the first, validation images of what is then a held-out bone do so too
/// where there is no second scan.
bool is_query(const Evidence& evidence, Role role) {
  return role == Role::query || (role == Role::validation && evidence.queries_share_volume());
}

/// Degrees to the nearest pose among the gallery images of the bone that `image` shows.
double distance_from_gallery(const Evidence& evidence, std::int64_t image) {
  const auto* bone = evidence.bone_of_image().data_ptr<std::int64_t>();
  const ImageRow& own = evidence.image_rows()[static_cast<std::size_t>(image)];
  double nearest = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < evidence.roles().size(); ++i)
    if (!is_query(evidence, evidence.roles()[i]) && bone[i] == bone[image])
      nearest = std::min(nearest, squared_pose_distance(own, evidence.image_rows()[i]));
  return std::sqrt(nearest);
}

/// A way in which X-rays differ.
struct Factor {
  std::string name, unit;
  std::function<double(std::int64_t image)> value;
};

std::vector<Factor> factors_of(const Evidence& evidence) {
  const auto row = [&evidence](std::int64_t image) -> const ImageRow& {
    return evidence.image_rows()[static_cast<std::size_t>(image)];
  };
  const auto larger = [row](double ImageRow::*ap, double ImageRow::*ml) {
    return [row, ap, ml](std::int64_t image) { return std::max(std::abs(row(image).*ap), std::abs(row(image).*ml)); };
  };
  return {{"energy", " keV", [row](std::int64_t image) { return row(image).energy; }},
          {"tilt", "°", larger(&ImageRow::tilt, &ImageRow::ml_tilt)},
          {"axial angle", "°", larger(&ImageRow::axial, &ImageRow::ml_axial)},
          {"in-plane angle", "°", larger(&ImageRow::in_plane, &ImageRow::ml_in_plane)},
          {"error of scale", " %",
           [row](std::int64_t image) {
             return 100 * std::max(std::abs(row(image).ap_scale - 1), std::abs(row(image).ml_scale - 1));
           }},
          {"distance from the gallery's poses", "°",
           [&evidence](std::int64_t image) { return distance_from_gallery(evidence, image); }}};
}

/// X-rays whose value lies in [low, high], both of which occur.
struct Group {
  double low, high;
  [[nodiscard]] bool holds(double value) const { return value >= low && value <= high; }
};

/// At most `count` groups, as equally large as they can be without dividing X-rays of one value: each takes values
/// until it has its share of what the groups before have left.
std::vector<Group> groups_of(std::vector<double> values, std::int64_t count) {
  std::ranges::sort(values);
  std::vector<Group> groups;
  std::int64_t taken = 0, group_end = 0;
  for (const std::int64_t total = std::ssize(values); taken < total;) {
    const double value = values[static_cast<std::size_t>(taken)];
    if (taken >= group_end) {
      const std::int64_t groups_left = count - std::ssize(groups);
      groups.push_back({value, value});
      group_end = taken + (total - taken + groups_left - 1) / groups_left;
    }
    groups.back().high = value;
    taken = std::ranges::upper_bound(values, value) - values.begin();
  }
  return groups;
}

std::string short_number(double value) {
  char digits[32];
  std::snprintf(digits, sizeof digits, "%.3g", value);
  return digits;
}

/// "4.2–11", or "146" where all of a group have it.
std::string range_text(const Group& group) {
  const std::string low = short_number(group.low), high = short_number(group.high);
  return low == high ? low : low + "–" + high;
}

class PoseSensitivity final : public Metric {
 public:
  static Schema schema() {
    return {
        "Rank-1 recognition of never-trained bones by energy, pose, error of scale and distance from gallery poses.",
        {Parameter::integer("groups", 3, "Groups of query X-rays, as equally large as their values allow.")
             .at_least(2)
             .at_most(20)}};
  }

  explicit PoseSensitivity(const Parameters& parameters) : groups_(parameters.integer("groups")) {}

  [[nodiscard]] std::set<Need> needs() const override { return {Need::trials}; }

  [[nodiscard]] MetricResult evaluate(const Evidence& evidence) const override {
    MetricResult result;
    const std::vector<Method> methods = methods_of(evidence);
    if (methods.empty()) return result;
    for (const Factor& factor : factors_of(evidence)) {
      std::map<std::int64_t, double> value_of;  // by image; all methods answer the same X-rays
      for (const Answer& answer : methods.front().answers) value_of[answer.image] = factor.value(answer.image);
      std::vector<double> values;
      for (const auto& [image, value] : value_of) values.push_back(value);
      const std::vector<Group> groups = groups_of(values, groups_);
      if (groups.size() < 2) continue;
      add_factor(factor, groups, value_of, methods, evidence, result);
    }
    return result;
  }

 private:
  static void add_factor(const Factor& factor, const std::vector<Group>& groups,
                         const std::map<std::int64_t, double>& value_of, const std::vector<Method>& methods,
                         const Evidence& evidence, MetricResult& result) {
    Chart chart;
    chart.section = "Recognition by pose and energy";
    chart.title = "rank-1 by " + factor.name + ", never trained on";
    chart.x_label = factor.name + (factor.unit == "°" ? ", degrees" : "," + factor.unit);
    chart.y_label = "rank-1, %";
    for (const Method& method : methods) {
      ChartSeries series{method.name, ChartSeries::Mark::line, {}, {}, method.is_trivial, {}};
      for (const Group& group : groups) {
        MetricValue value = share_right(method, group, value_of, evidence);
        value.table = chart.title;
        value.column = range_text(group) + factor.unit;
        series.x.push_back((group.low + group.high) / 2);
        series.y.push_back(value.value);
        result.values.push_back(std::move(value));
      }
      chart.series.push_back(std::move(series));
    }
    result.charts.push_back(std::move(chart));
  }

  static MetricValue share_right(const Method& method, const Group& group,
                                 const std::map<std::int64_t, double>& value_of, const Evidence& evidence) {
    std::map<std::int64_t, statistics::Contribution> by_bone;
    for (const Answer& answer : method.answers) {
      if (!group.holds(value_of.at(answer.image))) continue;
      by_bone[answer.bone].total += 1;
      by_bone[answer.bone].hits += answer.right;
    }
    std::map<std::string, statistics::Contribution> by_person;
    double sum = 0;
    for (const auto& [bone, own] : by_bone) {
      statistics::Contribution& person = by_person[evidence.bones()[static_cast<std::size_t>(bone)].subject];
      person.total += 1;
      person.hits += own.hits / own.total;
      sum += own.hits / own.total;
    }
    MetricValue value;
    value.row = method.name;
    value.unit = "%";
    value.is_baseline = method.is_trivial;
    value.count = std::ssize(by_bone);
    value.counted = "bones";
    if (by_bone.empty()) {
      value.note = "no X-ray of a never-trained bone";
      return value;
    }
    if (evidence.queries_share_volume())
      value.note = "gallery and queries share a CT volume: says nothing about identity";
    value.value = 100 * sum / static_cast<double>(by_bone.size());
    statistics::set_people(value, by_person, evidence.seed(), 100);
    return value;
  }

  std::int64_t groups_;
};

}  // namespace

OSTEON_PLUGIN(metric, pose_sensitivity, "0.1.0", PoseSensitivity)

}  // namespace osteon
