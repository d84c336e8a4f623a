#pragma once

// What every classifier demands of the embeddings and labels that it is given, and says in the same words.

#include <ATen/core/Tensor.h>

namespace osteon::recognition {

/// float32 `[N, d]` on the CPU, d at least 1, and finite, or a failure that names the first bad row and dimension.
/// `whose`: "gallery", "query".
void check_embeddings(const at::Tensor& embeddings, const char* whose);

/// As `check_embeddings`, and at least one row, with int64 labels `[N]` that are not negative.
void check_gallery(const at::Tensor& embeddings, const at::Tensor& labels, const char* who);

/// As `check_embeddings`, and as many dimensions as the gallery has.
void check_queries(const at::Tensor& queries, std::int64_t gallery_dimensions);

}  // namespace osteon::recognition
