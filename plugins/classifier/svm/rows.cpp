#include "rows.hpp"

namespace osteon::svm {

Rows::Rows(const at::Tensor& embeddings, const Scale& scale)
    : size_(embeddings.size(0)),
      dimensions_(embeddings.size(1)),
      values_(static_cast<std::size_t>(size_ * dimensions_)) {
  const at::Tensor whole = embeddings.contiguous();
  const float* given = whole.data_ptr<float>();
  for (std::size_t i = 0; i < values_.size(); ++i) {
    const std::size_t j = i % scale.shift.size();
    values_[i] = (given[i] - scale.shift[j]) * scale.factor[j];
  }
}

recognition::Panels Rows::gathered(std::span<const std::int32_t> chosen) const {
  recognition::Panels result(dimensions_, std::ssize(chosen));
  for (std::int64_t i = 0; i < std::ssize(chosen); ++i) {
    const double* from = row(chosen[static_cast<std::size_t>(i)]);
    for (std::int64_t j = 0; j < dimensions_; ++j) result.at(j, i) = from[j];
  }
  return result;
}

}  // namespace osteon::svm
