#include <osteon/random.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

namespace osteon {

namespace {

/// FNV-1a: purposes are a handful of words in this code, and the hash must be the same everywhere.
std::uint64_t hash(std::string_view words) {
  std::uint64_t value = 14695981039346656037ULL;
  for (const char c : words) value = (value ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return value;
}

std::uint64_t mix(std::uint64_t x) {  // SplitMix64's finaliser
  x ^= x >> 30;
  x *= 0xbf58476d1ce4e5b9ULL;
  x ^= x >> 27;
  x *= 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

}  // namespace

Random::Random(std::uint64_t seed, std::string_view purpose, std::uint64_t index) {
  const std::uint64_t key = mix(seed + 0x9e3779b97f4a7c15ULL * mix(hash(purpose)));
  key_ = {static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32)};
  counter_ = {0, 0, static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(index >> 32)};
}

void Random::refill() {
  std::array<std::uint32_t, 4> c = counter_;
  std::array<std::uint32_t, 2> k = key_;
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t a = std::uint64_t{0xD2511F53} * c[0], b = std::uint64_t{0xCD9E8D57} * c[2];
    c = {static_cast<std::uint32_t>(b >> 32) ^ c[1] ^ k[0], static_cast<std::uint32_t>(b),
         static_cast<std::uint32_t>(a >> 32) ^ c[3] ^ k[1], static_cast<std::uint32_t>(a)};
    k[0] += 0x9E3779B9;
    k[1] += 0xBB67AE85;
  }
  block_ = c;
  used_ = 0;
  if (++counter_[0] == 0) ++counter_[1];
}

std::uint32_t Random::bits() {
  if (used_ == 4) refill();
  return block_[static_cast<std::size_t>(used_++)];
}

double Random::uniform() {
  const std::uint64_t high = bits() >> 5, low = bits() >> 6;  // 53 bits
  return static_cast<double>((high << 26) | low) * 0x1p-53;
}

double Random::normal() {
  if (has_spare_) {
    has_spare_ = false;
    return spare_;
  }
  const double radius = std::sqrt(-2 * std::log(1 - uniform())), angle = 2 * std::numbers::pi * uniform();
  spare_ = radius * std::sin(angle);
  has_spare_ = true;
  return radius * std::cos(angle);
}

std::uint64_t Random::below(std::uint64_t n) {
  const std::uint64_t limit = n * (~std::uint64_t{0} / n);  // reject the uneven rest
  for (;;) {
    const std::uint64_t value = (std::uint64_t{bits()} << 32) | bits();
    if (value < limit) return value % n;
  }
}

std::vector<std::int64_t> Random::permutation(std::int64_t n) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  for (std::int64_t i = n - 1; i > 0; --i)
    std::swap(order[static_cast<std::size_t>(i)], order[below(static_cast<std::uint64_t>(i + 1))]);
  return order;
}

}  // namespace osteon
