// What a reconstruction looks like: both X-rays, and the outline of the re-rendered bone over them.

#include "imaging/canvas.hpp"
#include "imaging/silhouette.hpp"
#include "pipeline/reconstruct.hpp"

#include <ATen/Functions.h>

#include <algorithm>
#include <cstdio>

namespace osteon::pipeline {

namespace {

constexpr std::int64_t kOverlayHeight = 768, kOverlayGap = 12, kOverlayHead = 76, kOverlayFoot = 36;
constexpr int kLargeDots = 3, kSmallDots = 2;  // dots a dot of the font

/// So many times as large, each way.
at::Tensor enlarged(const at::Tensor& grey, std::int64_t times) {
  const at::Tensor image = grey.to(at::kFloat).unsqueeze(0).unsqueeze(0);
  return at::upsample_bilinear2d(image, {grey.size(0) * times, grey.size(1) * times}, false)
      .squeeze()
      .round()
      .clamp(0, 255)
      .to(at::kByte);
}

void draw(imaging::Canvas& canvas, const at::Tensor& outline, std::int64_t x, std::int64_t y, imaging::Colour colour) {
  const at::Tensor places = outline.nonzero().contiguous();
  const auto* place = places.data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < places.size(0); ++i) {
    const auto right = static_cast<double>(x + place[2 * i + 1]), down = static_cast<double>(y + place[2 * i]);
    canvas.line(right, down, right, down, colour);
  }
}

}  // namespace

at::Tensor picture_of(const Reconstruction& reconstruction) {
  const at::Tensor& montage = reconstruction.query.montage;
  const std::int64_t times = std::max<std::int64_t>(1, kOverlayHeight / montage.size(0));
  const std::int64_t half = montage.size(1) / 2, width = half * times, height = montage.size(0) * times;
  imaging::Canvas canvas(kOverlayHead + height + kOverlayFoot, 2 * width + 3 * kOverlayGap);
  const bool is_doubtful = !reconstruction.doubts.empty();
  const imaging::Colour colour = is_doubtful ? imaging::kOrange : imaging::kGreen;
  canvas.words(is_doubtful ? "do not trust this" : reconstruction.method, kOverlayGap, kOverlayGap, kLargeDots, colour);
  char words[96];
  std::snprintf(words, sizeof words, "outlines %.1f and %.1f mm apart", reconstruction.misfit.ap,
                reconstruction.misfit.ml);
  canvas.words(words, kOverlayGap, kOverlayGap + 12 * kLargeDots, kSmallDots, imaging::kGrey);
  const PairExposures& fitted = reconstruction.prediction.exposures.front();
  std::int64_t x = kOverlayGap, from = 0;
  for (const auto& [exposure, name] : {std::pair(&fitted.ap, "AP"), std::pair(&fitted.ml, "ML")}) {
    canvas.image(enlarged(montage.slice(1, from, from + half), times), x, kOverlayHead);
    const at::Tensor shadow =
        imaging::silhouette(reconstruction.prediction.mesh, *exposure, reconstruction.slot_scan, times);
    draw(canvas, imaging::outline_of(shadow), x, kOverlayHead, colour);
    canvas.words(name, x, kOverlayHead + height + 8, kSmallDots, imaging::kWhite);
    x += width + kOverlayGap;
    from += half;
  }
  return canvas.pixels();
}

}  // namespace osteon::pipeline
