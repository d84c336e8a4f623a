#pragma once

// A small loss that keeps every promise of its kind; each broken one beside it breaks a single one.

#include <osteon/loss.hpp>

#include <ATen/TensorOperators.h>

namespace broken {

using osteon::LossValue;
using osteon::Parameter;
using osteon::Parameters;
using osteon::Schema;
using osteon::Tuples;

class SoundLoss : public osteon::Loss {
 public:
  explicit SoundLoss(const Parameters& parameters) : gap_(parameters.real("gap")) {}
  static Schema schema() {
    return {"A plugin for the tests of the contract suite",
            {Parameter::real("gap", 0.5, "Distance beyond which negatives are far enough.").above(0).at_most(4)}};
  }
  LossValue compute(const at::Tensor& embeddings, const at::Tensor& /*labels*/, const Tuples& tuples) override {
    return {value_of(embeddings, tuples, gap_), {}};
  }

 protected:
  static at::Tensor value_of(const at::Tensor& embeddings, const Tuples& tuples, double gap) {
    if (tuples.anchor.numel() == 0) return embeddings.sum() * 0;
    return distance(embeddings, tuples.anchor, tuples.positive).mean() +
           (gap - distance(embeddings, tuples.anchor, tuples.negative)).clamp_min(0).mean();
  }
  static at::Tensor distance(const at::Tensor& embeddings, const at::Tensor& a, const at::Tensor& b) {
    return (embeddings.index_select(0, a) - embeddings.index_select(0, b)).square().sum(1);
  }

  double gap_;
};

}  // namespace broken
