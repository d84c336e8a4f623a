// Collapse, and what to do about it.

#include "training/monitor.hpp"

#include <osteon/error.hpp>

#include <ATen/Functions.h>

#include <cmath>
#include <cstdio>

namespace osteon::training {

namespace {

std::string number(double value) {
  char digits[32];
  std::snprintf(digits, sizeof digits, "%.3g", value);
  return digits;
}

}  // namespace

std::optional<double> mean_between(const at::Tensor& distances, const at::Tensor& labels) {
  const at::Tensor different = labels.unsqueeze(0) != labels.unsqueeze(1);
  const auto count = different.sum().item<std::int64_t>();
  if (count == 0) return std::nullopt;
  return (distances * different).sum().item<double>() / static_cast<double>(count);
}

std::optional<std::string> CollapseDetector::look(std::int64_t epoch, const EpochSummary& summary) {
  constexpr double kNothing = 1e-3;   // of the 2 that unrelated unit vectors lie apart, squared
  constexpr double kAtMargin = 0.02;  // relative
  constexpr const char* kRemedies =
      "usual remedies: a smaller training.learning_rate or a longer training.warmup; training.mining = "
      "\"semi_hard\" or \"distance_weighted\" instead of \"batch_hard\" until distances have spread "
      "(training.curriculum "
      "changes it later); batch normalisation in the backbone; more classes in a batch";
  std::string symptom;
  if (unit_ && summary.between && *summary.between < kNothing)
    symptom = text("images of different bones lie only ", number(*summary.between),
                   " apart (squared; unrelated ones 2): distances go to 0");
  if (margin_ > 0 && std::abs(summary.loss - margin_) < kAtMargin * margin_ && summary.between &&
      *summary.between < margin_)
    symptom += text(symptom.empty() ? "" : " and ", "the loss stands at its margin, ", number(margin_));
  const double blind = classes_ > 1 ? std::log(static_cast<double>(classes_)) : 0;
  if (classes_ > 1 && epoch > 1 && std::abs(summary.loss - blind) < kAtMargin * blind)
    symptom = text("the loss stands at that of a blind guess, ln ", classes_, " = ", number(blind));
  if (symptom.empty()) {
    told_ = false;
    return std::nullopt;
  }
  if (std::exchange(told_, true)) return std::nullopt;
  return text("training has collapsed in epoch ", epoch, ": ", symptom, "; ", kRemedies);
}

}  // namespace osteon::training
