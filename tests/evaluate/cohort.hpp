#pragma once

// A made-up cohort: images of people with two bones each, and embeddings of them, without any picture. And a classifier
// that answers as a plain loop would, and keeps what it was shown.

#include "host/handles.hpp"
#include "pipeline/stages.hpp"

#include <osteon/random.hpp>

#include <ATen/Functions.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>

namespace osteon::test {

/// `trained` people whose bones have training and validation images, then `held_out` people whose bones have gallery
/// images; all bones have query images too. Two bones a person, left and right; images of all roles are mixed.
inline pipeline::ImageTable made_up_table(int trained, int held_out, int images_of_each_role) {
  pipeline::ImageTable table;
  std::vector<std::int64_t> bone;
  for (int person = 0; person < trained + held_out; ++person)
    for (const Side side : {Side::left, Side::right})
      table.bones.push_back({text("bone ", table.bones.size()), text("person ", person), side, person >= trained});
  for (int image = 0; image < images_of_each_role; ++image)
    for (std::size_t b = 0; b < table.bones.size(); ++b) {
      // People differ in how many images they have, so that weighting each image alike would show.
      if (image > 0 && image % (1 + static_cast<int>(b) / 2) != 0) continue;
      for (const Role role : table.bones[b].held_out ? std::vector{Role::gallery, Role::query}
                                                     : std::vector{Role::training, Role::validation, Role::query}) {
        table.role.push_back(role);
        bone.push_back(static_cast<std::int64_t>(b));
      }
    }
  table.bone = at::tensor(bone, at::kLong);
  table.scan.assign(bone.size(), 0);
  table.rows.resize(bone.size());
  return table;
}

/// float32 `[N, d]`: a centre for each bone and normal deviates around it, so that bones overlap.
inline EmbeddingSet made_up_embeddings(const pipeline::ImageTable& table, std::int64_t d, double spread,
                                       std::uint64_t seed = 1) {
  EmbeddingSet set{"fingerprint", false, at::empty({std::ssize(table.role), d}, at::kFloat)};
  for (std::int64_t i = 0; i < set.vectors.size(0); ++i) {
    Random centre(3, "centre", static_cast<std::uint64_t>(table.bone.data_ptr<std::int64_t>()[i]));
    Random random(seed, "image", static_cast<std::uint64_t>(i));
    for (std::int64_t j = 0; j < d; ++j)
      set.vectors.data_ptr<float>()[i * d + j] = static_cast<float>(centre.normal() + spread * random.normal());
  }
  return set;
}

inline const EvidenceBone& bone_of(const pipeline::ImageTable& table, std::int64_t image) {
  return table.bones[static_cast<std::size_t>(table.bone.data_ptr<std::int64_t>()[image])];
}

/// Minus the Euclidean distance of an image from the nearest of others: a nearest neighbour's score, in float64.
inline double naive_score(const EmbeddingSet& set, std::int64_t query, const std::vector<std::int64_t>& gallery) {
  const std::int64_t d = set.vectors.size(1);
  const float* all = set.vectors.data_ptr<float>();
  double nearest = INFINITY;
  for (const std::int64_t row : gallery) {
    double squares = 0;
    for (std::int64_t j = 0; j < d; ++j) squares += std::pow(double{all[query * d + j]} - all[row * d + j], 2);
    nearest = std::min(nearest, std::sqrt(squares));
  }
  return -nearest;
}

inline host::ClassifierHandle make_classifier(const std::string& name,
                                              const std::map<std::string, ParameterValue>& given = {}) {
  static host::Registry registry({std::filesystem::path(OSTEON_BUILD_DIR) / "lib/osteon/plugins"});
  const host::LoadedPlugin& plugin = registry.find("classifier", name);
  return {plugin, Parameters(plugin.schema, given)};
}

/// Fitted and asked with images' own numbers in dimension 0, it remembers both and scores every query 0.
class Recorder final : public Classifier {
 public:
  struct Episode {
    std::set<std::int64_t> fitted, asked;
  };
  inline static std::vector<Episode> episodes;
  inline static float score = 0;

  explicit Recorder(const Parameters& /*parameters*/) {}
  static Schema schema() { return {"Remembers what it is shown.", {}}; }
  void fit(const at::Tensor& embeddings, const at::Tensor& /*labels*/) override {
    episodes.push_back({numbers(embeddings), {}});
  }
  [[nodiscard]] Prediction predict(const at::Tensor& queries) const override {
    episodes.back().asked = numbers(queries);
    return {at::zeros({queries.size(0)}, at::kLong), at::full({queries.size(0)}, score, at::kFloat)};
  }

 private:
  static std::set<std::int64_t> numbers(const at::Tensor& rows) {
    std::set<std::int64_t> result;
    for (std::int64_t i = 0; i < rows.size(0); ++i) result.insert(std::llround(rows[i][0].item<double>()));
    return result;
  }
};

inline host::ClassifierHandle make_recorder() {
  static const PluginDescriptor descriptor{
      "classifier", "recorder", "0", &Recorder::schema,
      [](const Parameters& parameters) -> std::unique_ptr<Plugin> { return std::make_unique<Recorder>(parameters); }};
  static const host::LoadedPlugin plugin{&descriptor, {}, "", Recorder::schema()};
  Recorder::episodes.clear();
  Recorder::score = 0;
  return {plugin, Parameters(plugin.schema, {})};
}

/// Embeddings that say which image they are of.
inline EmbeddingSet numbered(const pipeline::ImageTable& table) {
  return {"fingerprint", false, at::arange(std::ssize(table.role)).to(at::kFloat).unsqueeze(1).contiguous()};
}

}  // namespace osteon::test
