// The whitening at the end of a head: against its definition, on planted data, and through a network.

#include "training/whitening.hpp"

#include "training/fixtures.hpp"

#include <ATen/ATen.h>

namespace osteon {
namespace {

/// `per_class` rows of each class: the class's own place along the first axis, noise of this deviation along each axis.
struct Planted {
  at::Tensor features, labels;

  Planted(std::int64_t classes, std::int64_t per_class, const std::vector<double>& deviation, std::uint64_t seed) {
    const auto axes = std::ssize(deviation);
    features = at::empty({classes * per_class, axes}, at::kFloat);
    labels = at::empty({classes * per_class}, at::kLong);
    Random random(seed, "planted");
    for (std::int64_t i = 0; i < labels.numel(); ++i) {
      const std::int64_t label = i / per_class;
      labels.data_ptr<std::int64_t>()[i] = label;
      for (std::int64_t axis = 0; axis < axes; ++axis) {
        const double place = axis == 0 ? static_cast<double>(label) : 0;
        features.data_ptr<float>()[i * axes + axis] =
            static_cast<float>(random.normal(place, deviation[static_cast<std::size_t>(axis)]));
      }
    }
  }
};

/// Share of rows whose nearest other row is of their class.
double nearest_is_right(const at::Tensor& rows, const at::Tensor& labels) {
  at::Tensor distances = at::cdist(rows, rows);
  distances.fill_diagonal_(1e30);
  return labels.index_select(0, distances.argmin(1)).eq(labels).to(at::kDouble).mean().item<double>();
}

at::Tensor whitened(const training::Whitening& whitening, const at::Tensor& features) {
  return (features - whitening.mean).matmul(whitening.weight.t());
}

/// Mean outer product of the differences from the class's mean, one row after another in float64.
at::Tensor scatter_within_by_hand(const at::Tensor& rows, const at::Tensor& labels) {
  const at::Tensor wide = rows.to(at::kDouble);
  at::Tensor scatter = at::zeros({rows.size(1), rows.size(1)}, at::kDouble);
  for (std::int64_t i = 0; i < rows.size(0); ++i) {
    const at::Tensor own = wide.index_select(0, labels.eq(labels[i]).nonzero().flatten());
    const at::Tensor difference = wide[i] - own.mean(0);
    scatter += at::outer(difference, difference);
  }
  return scatter / static_cast<double>(rows.size(0));
}

TEST(Whitening, MakesTheScatterWithinClassesTheIdentity) {
  const Planted data(6, 40, {0.3, 5, 1, 0.1, 2}, 1);
  const auto whitening = training::whitening_of(data.features, data.labels, 5, 0, 1);
  const at::Tensor scatter = scatter_within_by_hand(whitened(whitening, data.features), data.labels);
  EXPECT_LT((scatter - at::eye(5, at::kDouble)).abs().max().item<double>(), 1e-3);
}

TEST(Whitening, FindsClassesThatALargerNuisanceHides) {
  const Planted train(10, 40, {0.1, 20, 15}, 2), others(10, 40, {0.1, 20, 15}, 3);
  const auto whitening = training::whitening_of(train.features, train.labels, 3, 0, 1);
  EXPECT_LT(nearest_is_right(others.features, others.labels), 0.5);
  EXPECT_GT(nearest_is_right(whitened(whitening, others.features), others.labels), 0.95);
}

TEST(Whitening, KeepsTheLargestPrincipalComponents) {
  const Planted data(4, 60, {0.5, 9, 0.01, 4, 0.02, 0.03}, 4);
  const auto whitening = training::whitening_of(data.features, data.labels, 3, 0, 1);
  const at::Tensor centred = (data.features - data.features.mean(0)).to(at::kDouble);
  const at::Tensor largest = std::get<1>(at::linalg_eigh(centred.t().matmul(centred))).flip({1}).narrow(1, 0, 3);
  const at::Tensor rows = whitening.weight.to(at::kDouble);
  const at::Tensor left = rows - rows.matmul(largest).matmul(largest.t());
  EXPECT_LT(left.norm().item<double>(), 1e-3 * rows.norm().item<double>());
}

TEST(Whitening, OfFullShrinkageIsPrincipalComponentsOfOneScale) {
  const Planted data(3, 50, {0.5, 3, 7}, 5);
  const auto whitening = training::whitening_of(data.features, data.labels, 3, 1, 1);
  const at::Tensor product = whitening.weight.matmul(whitening.weight.t()).to(at::kDouble);
  EXPECT_LT((product / product[0][0] - at::eye(3, at::kDouble)).abs().max().item<double>(), 1e-4);
}

TEST(Whitening, HasZeroRowsBeyondWhatTheDataCanTell) {
  const Planted data(2, 3, {0.5, 3, 7}, 6);
  const auto whitening = training::whitening_of(data.features, data.labels, 8, 0.1, 1);
  EXPECT_EQ(whitening.weight.sizes(), at::IntArrayRef({8, 3}));
  EXPECT_EQ(whitening.weight.narrow(0, 3, 5).count_nonzero().item<std::int64_t>(), 0);
  EXPECT_GT(whitening.weight.narrow(0, 0, 3).abs().sum(1).min().item<float>(), 0);
}

TEST(Whitening, RefusesClassesThatDoNotVary) {
  const at::Tensor labels = at::arange(3, at::kLong).repeat_interleave(4);
  EXPECT_EQ(
      test::message_of([&] { (void)training::whitening_of(labels.unsqueeze(1).to(at::kFloat), labels, 1, 0, 1); }),
      "head.whitening: the training images of every bone are all alike, so there is nothing to overlook; give the "
      "views more poses or set [augment]");
}

class WhitenedNetwork : public testing::Test {
 protected:
  test::Values head_{{"pairs", std::int64_t{0}}, {"whitening", true}, {"dimensions", std::int64_t{16}}};
  Parameters training_ = test::training_parameters({{"epochs", std::int64_t{0}}, {"threads", std::int64_t{1}}});
  training::Data data_ = test::made_up_data(12, 30, 48);

  [[nodiscard]] std::shared_ptr<training::FingerprintNetwork> network() const {
    const auto backbone = test::make<host::BackboneHandle>("backbone", "raw_pixels", {{"rows", std::int64_t{12}}});
    return training::make_network(backbone, test::head_parameters(head_), training_, 48, 48);
  }
  void fit(training::FingerprintNetwork& network, const test::Values& augment = {}) const {
    training::fit_whitening(network, data_, test::head_parameters(head_), training_, test::augment_parameters(augment));
  }
};

TEST_F(WhitenedNetwork, IsItsFeaturesUntilItIsFittedAndUnitRowsFromThenOn) {
  const auto network = this->network();
  EXPECT_FALSE(network->is_normalised());
  EXPECT_EQ(network->embedding_size(), 144);
  fit(*network);
  EXPECT_TRUE(network->is_normalised());
  EXPECT_EQ(network->embedding_size(), 16);
  EXPECT_EQ(network->trained_size(), 144);
  const at::Tensor embeddings = test::embed_all(*network, data_.pixels, training_);
  EXPECT_EQ(embeddings.sizes(), at::IntArrayRef({360, 16}));
  EXPECT_LT((embeddings.norm(2, {1}) - 1).abs().max().item<float>(), 1e-5);
}

TEST_F(WhitenedNetwork, AppliesWhatWasFittedToItsFeatures) {
  const auto network = this->network();
  const at::Tensor features = test::embed_all(*network, data_.pixels, training_);
  const at::Tensor rows = at::tensor(data_.training, at::kLong);
  const auto whitening = training::whitening_of(features.index_select(0, rows), data_.labels.index_select(0, rows), 16,
                                                0.05, static_cast<std::uint64_t>(training_.integer("seed")));
  fit(*network);
  const at::Tensor expected = whitened(whitening, features),
                   embeddings = test::embed_all(*network, data_.pixels, training_);
  EXPECT_LT((embeddings - expected / expected.norm(2, {1}, true)).abs().max().item<float>(), 1e-5);
}

TEST_F(WhitenedNetwork, ComesBackFromItsState) {
  const auto first = network(), second = network();
  fit(*first);
  training::load_network_state(*second, training::network_state(*first));
  EXPECT_TRUE(second->is_whitened());
  EXPECT_TRUE(
      test::embed_all(*first, data_.pixels, training_).equal(test::embed_all(*second, data_.pixels, training_)));
}

TEST_F(WhitenedNetwork, IsTheSameEachTimeAndSeesNoValidationImage) {
  const auto first = network(), second = network();
  fit(*first, {{"rotation", 5.0}});
  // Other validation images, the same training images.
  at::Tensor pixels = data_.pixels.gather(training::every_row(data_.pixels));
  pixels.index_fill_(0, at::tensor(data_.validation, at::kLong), 200);
  data_.pixels = training::Pixels(pixels);
  fit(*second, {{"rotation", 5.0}});
  for (const auto& [name, tensor] : training::network_state(*first))
    EXPECT_TRUE(tensor.equal(training::network_state(*second).at(name))) << name;
}

TEST_F(WhitenedNetwork, CountsChangedCopiesOfItsImages) {
  const auto plain = network(), changed = network();
  fit(*plain);
  fit(*changed, {{"rotation", 5.0}});
  EXPECT_FALSE(training::network_state(*plain)
                   .at("whitening_weight")
                   .equal(training::network_state(*changed).at("whitening_weight")));
  head_["whitening_copies"] = std::int64_t{0};
  const auto without = network();
  fit(*without, {{"rotation", 5.0}});
  EXPECT_TRUE(training::network_state(*plain)
                  .at("whitening_weight")
                  .equal(training::network_state(*without).at("whitening_weight")));
}

}  // namespace
}  // namespace osteon
