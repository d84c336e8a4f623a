#pragma once

// What the tests of weights share: the fixtures of scripts/weights_fixtures, their rule of numbers, and files written
// byte by byte.

#include "training/fixtures.hpp"
#include "training/weights.hpp"

#include <osteon/files.hpp>

#include <gtest/gtest.h>
#include <torch/torch.h>

namespace osteon::training {

namespace fs = std::filesystem;

inline fs::path fixture(const std::string& name) {
  return fs::path(OSTEON_SOURCE_DIR) / "tests/weights/fixtures" / name;
}

/// Element i of n is (i - n / 2) / 8; for integers without the division.
inline at::Tensor numbers(std::vector<std::int64_t> sizes, at::ScalarType type = at::kFloat) {
  std::int64_t count = 1;
  for (const std::int64_t size : sizes) count *= size;
  at::Tensor values = at::arange(count, at::kDouble) - count / 2;
  if (c10::isFloatingType(type)) values = values / 8;
  return values.reshape(sizes).to(type);
}

inline at::Tensor read(const StateDict& weights, const std::string& name) {
  const StoredTensor* found = weights.find(name);
  return found == nullptr ? at::Tensor() : weights.read(*found);
}

inline void expect_equal(const at::Tensor& found, const at::Tensor& expected, const std::string& name) {
  ASSERT_TRUE(found.defined()) << name << " is missing";
  EXPECT_EQ(found.scalar_type(), expected.scalar_type()) << name;
  EXPECT_TRUE(found.is_contiguous()) << name;
  ASSERT_EQ(found.sizes(), expected.sizes()) << name;
  EXPECT_TRUE(at::equal(found, expected.contiguous())) << name << "\n" << found;
}

inline std::vector<std::string> names(const StateDict& weights) {
  std::vector<std::string> result;
  for (const StoredTensor& tensor : weights.tensors) result.push_back(tensor.name);
  return result;
}

using test::message_of;

/// The message that reading a file gives.
inline std::string refused(const fs::path& file, const std::string& key = "") {
  return message_of([&] { (void)read_state_dict(file, key); });
}

inline std::string bytes_of_number(std::uint64_t value, std::size_t size) {
  std::string bytes;
  for (std::size_t i = 0; i < size; ++i) bytes += static_cast<char>(value >> (8 * i));
  return bytes;
}

}  // namespace osteon::training
