// What a loss promises (osteon/loss.hpp).

#include "contract/kind.hpp"
#include "training/first_weights.hpp"

#include <osteon/loss.hpp>

#include <ATen/Functions.h>

#include <cmath>

namespace osteon::contract {

namespace {

constexpr std::int64_t kClasses = 3, kImages = 3, kDimensions = 8, kBatchRows = kClasses * kImages;

Tuples no_tuples(std::int64_t rows) {
  const at::Tensor none = at::empty({0}, at::kLong);
  return make_tuples(none, none, none, rows);
}

/// All valid triplets of images with these labels.
Tuples all_tuples(const at::Tensor& labels) {
  std::vector<std::int64_t> anchor, positive, negative;
  const auto* label = labels.data_ptr<std::int64_t>();
  for (std::int64_t a = 0; a < labels.numel(); ++a)
    for (std::int64_t p = 0; p < labels.numel(); ++p)
      for (std::int64_t n = 0; n < labels.numel(); ++n)
        if (a != p && label[a] == label[p] && label[a] != label[n])
          anchor.push_back(a), positive.push_back(p), negative.push_back(n);
  return make_tuples(at::tensor(anchor, at::kLong), at::tensor(positive, at::kLong), at::tensor(negative, at::kLong),
                     labels.numel());
}

at::Tensor batch_labels() { return at::arange(kClasses, at::kLong).repeat_interleave(kImages); }

/// A loss ready for a batch: its trained state, where it has some, drawn as the host draws it.
std::unique_ptr<Loss> ready(std::unique_ptr<Loss> loss, std::uint64_t seed) {
  loss->prepare(kClasses, kDimensions);
  training::draw_loss_state(loss->state(), seed);
  return loss;
}

Tuples tuples_for(const Loss& loss, const at::Tensor& labels) {
  return loss.uses_tuples() ? all_tuples(labels) : Tuples{};
}

LossValue computed(Loss& loss, const at::Tensor& embeddings) {
  const at::Tensor labels = batch_labels();
  return loss.compute(embeddings, labels, tuples_for(loss, labels));
}

void forget_gradients(Loss& loss) {
  for (const auto& [name, tensor] : loss.state())
    if (tensor.requires_grad()) tensor.mutable_grad().reset();
}

class LossInUse final : public Subject {
 public:
  LossInUse(std::unique_ptr<Loss> loss, std::uint64_t seed) : loss_(ready(std::move(loss), seed)) {}

  std::string use(int input) override {
    forget_gradients(*loss_);
    const at::Tensor x = unit_rows(kBatchRows, kDimensions, 10 + static_cast<std::uint64_t>(input)).requires_grad_();
    const LossValue value = computed(*loss_, x);
    value.value.sum().backward();
    Digest digest;
    add_to(digest, value.value);
    add_to(digest, x.grad());
    for (const auto& [name, number] : value.statistics) add_to(digest.add(name), number);
    for (const auto& [name, tensor] : loss_->state()) {
      add_to(digest.add(name), tensor);
      add_to(digest, tensor.grad());
    }
    add_to(digest, loss_->class_scores(x));
    return digest.hex();
  }

 private:
  std::unique_ptr<Loss> loss_;
};

std::unique_ptr<Subject> loss_subject(const Candidate& candidate, const Parameters& values, std::uint64_t seed) {
  return std::make_unique<LossInUse>(candidate.make<Loss>(values), seed);
}

void expect_scalar(const at::Tensor& value, at::ScalarType type, const std::string& what) {
  expect(value.defined() && value.dim() == 0 && value.scalar_type() == type, what,
         text("a scalar ", c10::toString(type), " []"), described(value));
}

std::string loss_outputs(const Candidate& candidate) {
  const auto loss = ready(candidate.make<Loss>(), 1);
  for (const at::ScalarType type : {at::kFloat, at::kDouble}) {
    const std::string what = text("the loss of ", type == at::kFloat ? "float32" : "float64", " embeddings");
    const at::Tensor x = unit_rows(kBatchRows, kDimensions, 1).to(type).requires_grad_();
    const std::string before = digest_of(x);
    const LossValue value = computed(*loss, x);
    expect_scalar(value.value, type, what);
    expect(value.value.requires_grad(), what, "a graph", "none");
    expect(all_finite(value.value), what, "a finite number", text(value.value.item<double>()));
    for (const auto& [name, number] : value.statistics)
      expect(std::isfinite(number), text("statistic \"", name, "\""), "a finite number", text(number));
    expect(digest_of(x) == before, what, "the embeddings as they were", "that it has written into them");
  }
  const at::Tensor x = unit_rows(kBatchRows, kDimensions, 1).requires_grad_();
  const at::Tensor scores = loss->class_scores(x);
  if (scores.defined()) {
    const bool is_right = scores.dim() == 2 && scores.size(0) == kBatchRows && scores.size(1) == kClasses;
    expect(is_right, "class scores of 9 images of 3 classes", "[9, 3]", described(scores));
    expect(scores.requires_grad() && all_finite(scores), "class scores", "finite, with a graph",
           scores.requires_grad() ? "not finite" : "without one");
  }
  for (const auto& [name, tensor] : loss->state())
    expect(tensor.defined() && at::isFloatingType(tensor.scalar_type()), text("state \"", name, "\""),
           "floating numbers", described(tensor));
  expect(!std::isnan(loss->margin()), "the margin", "a number, negative where there is none", "NaN");
  return text("a scalar with a graph", scores.defined() ? ", class scores [N, classes]" : "", ", ",
              loss->state().size(), " trained tensors");
}

/// Value and gradient are finite, or the loss says in words why there are none. Returns whether it answered.
bool is_sound(Loss& loss, const std::string& what, const at::Tensor& rows, const at::Tensor& labels, bool has_tuples) {
  const at::Tensor x = rows.clone().requires_grad_();
  forget_gradients(loss);
  return answers_or_refuses(what, [&] {
    const Tuples tuples = !loss.uses_tuples() ? Tuples{} : has_tuples ? all_tuples(labels) : no_tuples(rows.size(0));
    const LossValue value = loss.compute(x, labels, tuples);
    const double sum = value.value.sum().item<double>();
    expect(std::isfinite(sum), what, "a finite loss", text(sum));
    expect(value.value.requires_grad(), what, "a loss with a graph", "none");
    value.value.sum().backward();
    expect(!x.grad().defined() || all_finite(x.grad()), what, "a finite gradient", "one that is not");
    for (const auto& [name, tensor] : loss.state())
      expect(!tensor.grad().defined() || all_finite(tensor.grad()), text(what, ", state \"", name, "\""),
             "a finite gradient", "one that is not");
    if (!loss.uses_tuples() || tuples.anchor.numel() > 0) return;
    const bool is_level = !x.grad().defined() || x.grad().abs().sum().item<float>() == 0;
    expect(sum == 0 && is_level, what, "0, and a gradient of 0", text(sum, is_level ? "" : ", and a gradient"));
  });
}

std::string loss_degenerate(const Candidate& candidate) {
  const auto loss = ready(candidate.make<Loss>(), 1);
  const at::Tensor labels = batch_labels(), rows = unit_rows(kBatchRows, kDimensions, 2);
  (void)is_sound(*loss, "a batch without a valid triplet", rows, labels, false);
  (void)is_sound(*loss, "embeddings that are all equal", rows.slice(0, 0, 1).repeat({kBatchRows, 1}), labels, true);
  (void)is_sound(*loss, "embeddings that are all zero", at::zeros({kBatchRows, kDimensions}), labels, true);
  const at::Tensor pairs = rows.slice(0, 0, kClasses).repeat_interleave(kImages, 0);
  (void)is_sound(*loss, "images of a class that are equal", pairs, labels, true);
  (void)is_sound(*loss, "embeddings of opposite signs", at::cat({rows.slice(0, 0, 4), -rows.slice(0, 0, 5)}), labels,
                 true);
  (void)is_sound(*loss, "a batch of one class", rows.slice(0, 0, 3), at::zeros({3}, at::kLong), false);
  (void)is_sound(*loss, "a batch of one image", rows.slice(0, 0, 1), at::zeros({1}, at::kLong), false);
  (void)is_sound(*loss, "embeddings a thousand long", 1000 * rows, labels, true);
  return "finite value and gradient in 8 batches";
}

std::string loss_gradient(const Candidate& candidate) {
  const auto loss = ready(candidate.make<Loss>(), 1);
  const at::Tensor x = unit_rows(kBatchRows, kDimensions, 4).to(at::kDouble).requires_grad_();
  const at::Tensor value = computed(*loss, x).value;
  value.sum().backward();
  const at::Tensor gradient = x.grad();
  expect(gradient.defined() && gradient.sizes() == x.sizes(), "the gradient of the embeddings", "one", "none");
  expect(all_finite(gradient), "the gradient of the embeddings", "finite numbers", "others");
  const double length = gradient.norm().item<double>();
  expect(length > 0, "the gradient of the embeddings", "another than 0", "0 everywhere");
  for (const auto& [name, tensor] : loss->state()) {
    if (!tensor.requires_grad()) continue;
    const bool has = tensor.grad().defined() && tensor.grad().abs().sum().item<double>() > 0;
    expect(has, text("the gradient of state \"", name, "\""), "another than 0",
           tensor.grad().defined() ? "0 everywhere" : "none");
    expect(all_finite(tensor.grad()), text("the gradient of state \"", name, "\""), "finite numbers", "others");
  }
  // No finite differences: a loss may publish a gradient that is not quite its value's. But it must lead down.
  const at::Tensor moved = (x.detach() - gradient * (1e-4 / length)).requires_grad_();
  const double change = (computed(*loss, moved).value - value).sum().item<double>();
  expect(change < 0, "a small step against the gradient", "a smaller loss", text("a change of ", change));
  return "finite, not 0, and leads down";
}

std::string loss_state(const Candidate& candidate) {
  const Parameters values = candidate.parameters();
  (void)candidate.make<Loss>();
  LossInUse one(candidate.make<Loss>(values), 1);
  const std::string answer = repeated_answer(one);
  const auto saved_from = ready(candidate.make<Loss>(values), 1), loaded = ready(candidate.make<Loss>(values), 2);
  if (saved_from->state().empty()) throw NotForThisKind{"this one owns no trained state"};
  const at::Tensor x = unit_rows(kBatchRows, kDimensions, 10).requires_grad_();
  const at::Tensor expected = computed(*saved_from, x).value;
  (void)computed(*loaded, x);  // so that what it caches is stale
  {
    const at::NoGradGuard no_graph;
    std::map<std::string, at::Tensor> saved, into = loaded->state();
    for (const auto& [name, tensor] : saved_from->state()) saved[name] = tensor.detach().clone();
    for (const auto& [name, tensor] : saved) {
      expect(into.contains(name) && into[name].sizes() == tensor.sizes(), text("state \"", name, "\""),
             "the same in every object prepared alike", into.contains(name) ? "another shape" : "none");
      into[name].copy_(tensor);
    }
  }
  const at::Tensor found = computed(*loaded, x).value;
  expect(digest_of(found) == digest_of(expected), "the loss after its state was saved and copied back",
         text(expected.item<double>(), ", as before"), text(found.item<double>()));
  return text(saved_from->state().size(), " tensors saved and copied back: the same loss");
}

}  // namespace

std::string loss_devices(const Candidate& candidate) {
  const auto loss = ready(candidate.make<Loss>(), 1);
  const at::Tensor labels = batch_labels(), rows = unit_rows(kBatchRows, kDimensions, 1);
  const double expected = computed(*loss, rows.clone().requires_grad_()).value.item<double>();
  for (auto& [name, tensor] : loss->state()) tensor.set_data(tensor.to(at::kCUDA));
  Tuples tuples = tuples_for(*loss, labels);
  for (at::Tensor* each :
       {&tuples.anchor, &tuples.positive, &tuples.negative, &tuples.positive_pairs, &tuples.negative_pairs})
    if (each->defined()) *each = each->to(at::kCUDA);
  const at::Tensor x = rows.to(at::kCUDA).requires_grad_();
  const at::Tensor value = loss->compute(x, labels.to(at::kCUDA), tuples).value;
  value.sum().backward();
  expect(value.is_cuda(), "the loss of embeddings on CUDA", "one on CUDA", text("one on ", value.device()));
  expect(x.grad().defined() && all_finite(x.grad()), "the gradient of embeddings on CUDA", "finite numbers", "others");
  const double found = value.item<double>();
  expect(std::abs(found - expected) <= 1e-3 * std::abs(expected) + 1e-4, "the loss of embeddings on CUDA",
         text(expected, ", as on the CPU"), text(found));
  return "CUDA gives what the CPU gives";
}

KindContract loss_contract() {
  return {loss_subject, loss_outputs, loss_degenerate, nothing_declared_of_threads, loss_gradient, loss_state};
}

}  // namespace osteon::contract
