#pragma once

// Every loss once more, as its publication writes it: plain loops over indices in double precision, no masks, no
// stabilised sums, no tensors.

#include <osteon/parameters.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <numbers>
#include <set>
#include <string>
#include <vector>

namespace osteon::test::naive {

using Row = std::vector<double>;
using Matrix = std::vector<Row>;
using Values = std::map<std::string, ParameterValue>;

struct Problem {
  Matrix x;
  std::vector<int> labels;
  int classes = 0;
  std::vector<std::array<int, 3>> triplets;
  std::map<std::string, Matrix> state;  ///< a tensor of one axis is one row
  Matrix weighed;                       ///< what the circle loss takes its constant weights from

  [[nodiscard]] int rows() const { return static_cast<int>(x.size()); }
  [[nodiscard]] int label(int i) const { return labels[static_cast<std::size_t>(i)]; }
  [[nodiscard]] const Row& row(int i) const { return x[static_cast<std::size_t>(i)]; }

  /// The other images of the anchor's chosen triplets: of its class, or of others.
  [[nodiscard]] std::set<int> partners(int anchor, bool positive) const {
    std::set<int> found;
    for (const auto& [a, p, n] : triplets)
      if (a == anchor) found.insert(positive ? p : n);
    return found;
  }
  [[nodiscard]] std::set<int> anchors() const {
    std::set<int> found;
    for (const auto& triplet : triplets) found.insert(triplet[0]);
    return found;
  }
};

inline double real(const Values& values, const std::string& name) { return std::get<double>(values.at(name)); }
inline bool flag(const Values& values, const std::string& name) { return std::get<bool>(values.at(name)); }
inline std::string word(const Values& values, const std::string& name) {
  return std::get<std::string>(values.at(name));
}

inline double dot(const Row& a, const Row& b) {
  double sum = 0;
  for (std::size_t k = 0; k < a.size(); ++k) sum += a[k] * b[k];
  return sum;
}
inline double cosine(const Row& a, const Row& b) { return dot(a, b) / std::sqrt(dot(a, a) * dot(b, b)); }
inline double squared(const Row& a, const Row& b) {
  double sum = 0;
  for (std::size_t k = 0; k < a.size(); ++k) sum += (a[k] - b[k]) * (a[k] - b[k]);
  return sum;
}
inline double distance(const Row& a, const Row& b) { return std::sqrt(squared(a, b)); }

inline double triplet(const Problem& problem, const Values& values) {
  const auto between = [&](int i, int j) {
    const double d = squared(problem.row(i), problem.row(j));
    return flag(values, "squared") ? d : std::sqrt(d);
  };
  double sum = 0, active = 0;
  for (const auto& [a, p, n] : problem.triplets) {
    double negative = between(a, n);
    if (word(values, "tertiary_distance") == "mean") negative = (negative + between(p, n)) / 2;
    if (word(values, "tertiary_distance") == "least") negative = std::min(negative, between(p, n));
    const double difference = between(a, p) - negative;
    const double term = word(values, "form") == "hinge" ? std::max(0.0, difference + real(values, "margin"))
                                                        : std::log(1 + std::exp(difference));
    sum += term;
    active += term > 0 ? 1 : 0;
  }
  if (word(values, "reduction") == "sum") return sum;
  if (word(values, "reduction") == "mean") return sum / static_cast<double>(problem.triplets.size());
  return sum / std::max(1.0, active);
}

inline double contrastive(const Problem& problem, const Values& values) {
  double total = 0;
  for (const bool positive : {true, false}) {
    double sum = 0, pairs = 0, active = 0;
    for (const int i : problem.anchors())
      for (const int j : problem.partners(i, positive)) {
        const double d = distance(problem.row(i), problem.row(j));
        const double beyond = positive ? d - real(values, "positive_margin") : real(values, "negative_margin") - d;
        if (beyond > 0) sum += beyond * beyond / 2, ++active;
        ++pairs;
      }
    const std::string reduction = word(values, "reduction");
    total += reduction == "sum" ? sum : sum / std::max(1.0, reduction == "mean" ? pairs : active);
  }
  return total;
}

/// −log of the softmax of `logits` at `own`.
inline double cross_entropy(const Row& logits, std::size_t own) {
  double sum = 0;
  for (const double logit : logits) sum += std::exp(logit);
  return std::log(sum) - logits[own];
}

inline double softmax(const Problem& problem, const Values& values) {
  const double smoothing = real(values, "label_smoothing");
  double sum = 0;
  for (int i = 0; i < problem.rows(); ++i) {
    Row logits;
    for (std::size_t c = 0; c < static_cast<std::size_t>(problem.classes); ++c)
      logits.push_back(dot(problem.row(i), problem.state.at("weight")[c]) + problem.state.at("bias")[0][c]);
    for (int c = 0; c < problem.classes; ++c) {
      const double target = smoothing / problem.classes + (c == problem.label(i) ? 1 - smoothing : 0);
      sum += target * cross_entropy(logits, static_cast<std::size_t>(c));
    }
  }
  return sum / problem.rows();
}

inline double arcface(const Problem& problem, const Values& values) {
  const double scale = real(values, "scale"), margin = real(values, "margin");
  double sum = 0;
  for (int i = 0; i < problem.rows(); ++i) {
    Row logits;
    for (int c = 0; c < problem.classes; ++c) {
      const double angle = std::acos(cosine(problem.row(i), problem.state.at("weight")[static_cast<std::size_t>(c)]));
      double score = std::cos(angle);
      if (c == problem.label(i)) {
        if (flag(values, "easy_margin"))
          score = angle < std::numbers::pi / 2 ? std::cos(angle + margin) : score;
        else
          score = angle + margin < std::numbers::pi ? std::cos(angle + margin) : score - margin * std::sin(margin);
      }
      logits.push_back(scale * score);
    }
    sum += cross_entropy(logits, static_cast<std::size_t>(problem.label(i)));
  }
  return sum / problem.rows();
}

inline double proxy_anchor(const Problem& problem, const Values& values) {
  const double alpha = real(values, "alpha"), delta = real(values, "margin");
  double pull = 0, present = 0, push = 0;
  for (int c = 0; c < problem.classes; ++c) {
    double own = 0, other = 0;
    bool occurs = false;
    for (int i = 0; i < problem.rows(); ++i) {
      const double s = cosine(problem.row(i), problem.state.at("proxies")[static_cast<std::size_t>(c)]);
      if (problem.label(i) == c)
        own += std::exp(-alpha * (s - delta)), occurs = true;
      else
        other += std::exp(alpha * (s + delta));
    }
    pull += std::log1p(own);
    push += std::log1p(other);
    present += occurs ? 1 : 0;
  }
  return pull / present + push / problem.classes;
}

inline double supcon(const Problem& problem, const Values& values) {
  const double temperature = real(values, "temperature");
  double sum = 0;
  for (const int i : problem.anchors()) {
    std::set<int> all = problem.partners(i, true);
    all.merge(problem.partners(i, false));
    double below = 0;
    for (const int a : all) below += std::exp(cosine(problem.row(i), problem.row(a)) / temperature);
    double own = 0;
    for (const int p : problem.partners(i, true))
      own -= std::log(std::exp(cosine(problem.row(i), problem.row(p)) / temperature) / below);
    sum += own / static_cast<double>(problem.partners(i, true).size());
  }
  return sum / static_cast<double>(problem.anchors().size());
}

inline double ntxent(const Problem& problem, const Values& values) {
  const auto power = [&](int i, int j) {
    return std::exp(cosine(problem.row(i), problem.row(j)) / real(values, "temperature"));
  };
  double sum = 0, pairs = 0;
  for (const int i : problem.anchors())
    for (const int p : problem.partners(i, true)) {
      double below = power(i, p);
      for (const int n : problem.partners(i, false)) below += power(i, n);
      sum -= std::log(power(i, p) / below);
      ++pairs;
    }
  return sum / pairs;
}

inline double multi_similarity(const Problem& problem, const Values& values) {
  const double alpha = real(values, "alpha"), beta = real(values, "beta"), lambda = real(values, "lambda"),
               epsilon = real(values, "epsilon");
  double sum = 0;
  for (const int i : problem.anchors()) {
    double least = 2, most = -2, pull = 0, push = 0;
    for (const int p : problem.partners(i, true)) least = std::min(least, cosine(problem.row(i), problem.row(p)));
    for (const int n : problem.partners(i, false)) most = std::max(most, cosine(problem.row(i), problem.row(n)));
    for (const int p : problem.partners(i, true))
      if (const double s = cosine(problem.row(i), problem.row(p)); s < most + epsilon)
        pull += std::exp(-alpha * (s - lambda));
    for (const int n : problem.partners(i, false))
      if (const double s = cosine(problem.row(i), problem.row(n)); s > least - epsilon)
        push += std::exp(beta * (s - lambda));
    sum += std::log1p(pull) / alpha + std::log1p(push) / beta;
  }
  return sum / static_cast<double>(problem.anchors().size());
}

inline double circle(const Problem& problem, const Values& values) {
  const double m = real(values, "margin"), gamma = real(values, "gamma");
  const auto weighed = [&](int i, int j) {
    const auto a = static_cast<std::size_t>(i), b = static_cast<std::size_t>(j);
    return problem.weighed.empty() ? cosine(problem.x[a], problem.x[b])
                                   : cosine(problem.weighed[a], problem.weighed[b]);
  };
  double sum = 0;
  for (const int i : problem.anchors()) {
    double pull = 0, push = 0;
    for (const int p : problem.partners(i, true))
      pull +=
          std::exp(-gamma * std::max(0.0, 1 + m - weighed(i, p)) * (cosine(problem.row(i), problem.row(p)) - (1 - m)));
    for (const int n : problem.partners(i, false))
      push += std::exp(gamma * std::max(0.0, weighed(i, n) + m) * (cosine(problem.row(i), problem.row(n)) - m));
    sum += std::log1p(push * pull);
  }
  return sum / static_cast<double>(problem.anchors().size());
}

inline Row mean_of(const Problem& problem, const std::vector<int>& images) {
  Row mean(problem.x.front().size());
  for (const int i : images)
    for (std::size_t k = 0; k < mean.size(); ++k) mean[k] += problem.row(i)[k] / static_cast<double>(images.size());
  return mean;
}

/// The images of a class in clusters: farthest-first, then k-means until nothing moves.
inline std::vector<std::vector<int>> clusters(const Problem& problem, const std::vector<int>& images,
                                              std::size_t count) {
  const auto nearest = [](const Row& row, const Matrix& centres) {
    return std::min_element(centres.begin(), centres.end(),
                            [&](const Row& a, const Row& b) { return squared(row, a) < squared(row, b); }) -
           centres.begin();
  };
  Matrix centres;
  while (centres.size() < std::min(count, images.size())) {
    const Matrix from = centres.empty() ? Matrix{mean_of(problem, images)} : centres;
    const auto gap = [&](int i) {
      return squared(problem.row(i), from[static_cast<std::size_t>(nearest(problem.row(i), from))]);
    };
    centres.push_back(
        problem.row(*std::max_element(images.begin(), images.end(), [&](int a, int b) { return gap(a) < gap(b); })));
  }
  std::vector<std::vector<int>> found, before;
  do {
    before = found;
    found.assign(centres.size(), {});
    for (const int i : images) found[static_cast<std::size_t>(nearest(problem.row(i), centres))].push_back(i);
    for (std::size_t c = 0; c < centres.size(); ++c)
      if (!found[c].empty()) centres[c] = mean_of(problem, found[c]);
  } while (found != before);
  return found;
}

inline double magnet(const Problem& problem, const Values& values) {
  Matrix means;
  std::vector<int> class_of_mean;
  std::map<int, std::size_t> own;  // the mean of each image's cluster
  for (int c = 0; c < problem.classes; ++c) {
    std::vector<int> images;
    for (int i = 0; i < problem.rows(); ++i)
      if (problem.label(i) == c) images.push_back(i);
    if (images.empty()) continue;
    for (const auto& cluster :
         clusters(problem, images, static_cast<std::size_t>(std::get<std::int64_t>(values.at("clusters"))))) {
      if (cluster.empty()) continue;
      for (const int i : cluster) own[i] = means.size();
      means.push_back(mean_of(problem, cluster));
      class_of_mean.push_back(c);
    }
  }
  double variance = 0;
  for (int i = 0; i < problem.rows(); ++i) variance += squared(problem.row(i), means[own[i]]) / (problem.rows() - 1);
  double sum = 0;
  for (const int i : problem.anchors()) {
    double impostors = 0;
    for (std::size_t c = 0; c < means.size(); ++c)
      if (class_of_mean[c] != problem.label(i))
        impostors += std::exp(-squared(problem.row(i), means[c]) / (2 * variance));
    const double likelihood =
        std::exp(-squared(problem.row(i), means[own[i]]) / (2 * variance) - real(values, "alpha")) / impostors;
    sum += std::max(0.0, -std::log(likelihood));
  }
  return sum / static_cast<double>(problem.anchors().size());
}

}  // namespace osteon::test::naive
