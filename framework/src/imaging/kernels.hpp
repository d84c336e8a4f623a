#pragma once

// The film's and the roll's inner loops, for whole rows of pixels. They are compiled twice, for any x86-64 and for AVX2
// without fused multiplication, so that both give the same bits.

#include <cstdint>
#include <span>
#include <vector>

#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__)
#define OSTEON_CLONES __attribute__((target_clones("default", "avx2")))
#else
#define OSTEON_CLONES
#endif

namespace osteon::imaging {

/// Weights of a Gaussian of `sigma` pixels: odd, sum 1; one entry for none.
[[nodiscard]] std::vector<float> gaussian(double sigma);

/// Separable convolution with a symmetric kernel; beyond the border the outermost pixels repeat. `from` and `to` may be
/// the same.
void blur(const float* from, float* to, std::int64_t rows, std::int64_t columns, std::span<const float> kernel);

/// to = round(clamp(water_weight·water + bone_weight·bone + offset, 0, 255)).
void mix_to_grey(const float* water, const float* bone, float water_weight, float bone_weight, float offset,
                 std::uint8_t* to, std::int64_t count);

}  // namespace osteon::imaging
