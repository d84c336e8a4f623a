#pragma once

// Exact k nearest rows of a gallery, for one query or thousands.

#include "recognition/codes.hpp"

namespace osteon::recognition {

enum class Distance { euclidean, cosine };

struct Neighbour {
  double distance;  ///< Euclidean, or 1 - cosine; from float64 sums
  std::int64_t row;
  bool operator<(const Neighbour& other) const {
    return distance != other.distance ? distance < other.distance : row < other.row;
  }
};

/// Rows and what the search has made of them. The rows themselves are shared with the caller's tensor, not copied.
class NearestRows {
 public:
  NearestRows() = default;
  /// `rows` float32 `[N, d]`, finite. Throws `Error` for rows of length 0 under the cosine distance; `whose` names
  /// them. With `only_measure`, `search` is not to be called.
  NearestRows(const at::Tensor& rows, Distance distance, const char* whose, bool only_measure = false);

  /// For each query the k nearest rows (all, if there are fewer), nearest first; of rows equally far the smaller index
  /// is nearer. The same for every number of threads and every processor.
  [[nodiscard]] std::vector<std::vector<Neighbour>> search(const at::Tensor& queries, std::int64_t k) const;

  /// The k nearest of the given rows, which may repeat and be -1 for none: `candidates[query]`.
  [[nodiscard]] std::vector<std::vector<Neighbour>> nearest_of(const at::Tensor& queries,
                                                               const std::vector<std::vector<std::int64_t>>& candidates,
                                                               std::int64_t k) const;

  [[nodiscard]] const at::Tensor& rows() const { return rows_; }
  [[nodiscard]] std::int64_t size() const { return rows_.size(0); }

 private:
  class Best;
  [[nodiscard]] std::vector<double> factors_of(const at::Tensor& rows, const char* whose) const;
  [[nodiscard]] double measure(ScaledRow query, std::int64_t row) const;
  [[nodiscard]] double reach(double measured) const;
  void search_tiles(std::vector<Best>& best, std::int64_t first, std::int64_t last) const;
  void search_codes(std::vector<Best>& best, std::int64_t first, std::int64_t last) const;
  void search_floats(std::vector<Best>& best, std::int64_t first, std::int64_t last) const;
  void take(Best& best, std::int64_t tile, std::uint64_t mask) const;

  at::Tensor rows_;
  Distance distance_ = Distance::euclidean;
  std::vector<double> factors_;  ///< 1 / length for the cosine distance
  bool has_codes_ = false;
  CodeTable codes_;
};

}  // namespace osteon::recognition
