// What an answer looks like: the query and the best candidates side by side.

#include "imaging/canvas.hpp"
#include "pipeline/identify.hpp"

#include <osteon/png.hpp>

#include <ATen/Functions.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace osteon::pipeline {

namespace {

constexpr std::int64_t kHeight = 256, kGap = 12, kHead = 76, kFoot = 52, kShown = 3;
constexpr int kLarge = 3, kSmall = 2;  // dots a dot of the font

/// A picture as high as all: uint8 `[h, w]` → `[kHeight, w']`.
at::Tensor enlarged(const at::Tensor& grey) {
  const std::int64_t width = std::max<std::int64_t>(1, kHeight * grey.size(1) / grey.size(0));
  const at::Tensor image = grey.to(at::kFloat).unsqueeze(0).unsqueeze(0);
  return at::upsample_bilinear2d(image, {kHeight, width}, false).squeeze().round().clamp(0, 255).to(at::kByte);
}

/// As much of a word as has room, its end cut off.
std::string cut_to(std::string word, std::int64_t room, int size) {
  if (imaging::Canvas::width(word, size) <= room) return word;
  while (!word.empty() && imaging::Canvas::width(word + "...", size) > room) word.pop_back();
  return word + "...";
}

struct Panel {
  at::Tensor picture;
  std::string title, below;
  imaging::Colour colour;
};

std::vector<Panel> panels_of(const Answer& answer, const Gallery& gallery, const Query& query) {
  std::vector<Panel> panels{{enlarged(small_picture(query.montage)), "query", "AP | ML", imaging::kWhite}};
  for (const Candidate& one : answer.candidates) {
    if (std::ssize(panels) > kShown) break;
    char distance[40];
    std::snprintf(distance, sizeof distance, "distance %.3f", one.distance);
    const bool is_answer = answer.accepted && one.id == answer.id;
    panels.push_back(
        {one.picture < 0 ? at::zeros({kHeight, kHeight}, at::kByte) : enlarged(gallery.pictures[one.picture]), one.id,
         one.picture < 0 ? "no picture kept" : distance, is_answer ? imaging::kGreen : imaging::kGrey});
  }
  return panels;
}

std::string escaped(const std::string& line) {
  std::string result;
  for (const char c : line) {
    if (c == '<')
      result += "&lt;";
    else if (c == '>')
      result += "&gt;";
    else if (c == '&')
      result += "&amp;";
    else
      result += c;
  }
  return result;
}

}  // namespace

at::Tensor picture_of(const Answer& answer, const Gallery& gallery, const Query& query) {
  const std::vector<Panel> panels = panels_of(answer, gallery, query);
  std::int64_t width = kGap;
  for (const Panel& panel : panels) width += panel.picture.size(1) + kGap;
  imaging::Canvas canvas(kHead + kHeight + kFoot, width);
  const std::string headline = answer.accepted ? answer.id : "unknown";
  canvas.words(cut_to(headline, width - 2 * kGap, kLarge), kGap, kGap, kLarge,
               answer.accepted ? imaging::kGreen : imaging::kOrange);
  char score[80];
  if (std::isnan(answer.accept_from))
    std::snprintf(score, sizeof score, "score %.3g, not calibrated", answer.score);
  else
    std::snprintf(score, sizeof score, "score %.3g, accepted from %.3g on", answer.score, answer.accept_from);
  canvas.words(cut_to(score, width - 2 * kGap, kSmall), kGap, kGap + 12 * kLarge, kSmall, imaging::kGrey);
  std::int64_t x = kGap;
  for (const Panel& panel : panels) {
    const std::int64_t room = panel.picture.size(1);
    canvas.image(panel.picture, x, kHead);
    canvas.words(cut_to(panel.title, room, kSmall), x, kHead + kHeight + 8, kSmall, panel.colour);
    canvas.words(cut_to(panel.below, room, kSmall), x, kHead + kHeight + 8 + 10 * kSmall, kSmall, imaging::kGrey);
    x += room + kGap;
  }
  return canvas.pixels();
}

std::string page_of(const Answer& answer, const Gallery& gallery, const Query& query, const Model& model) {
  std::string lines;
  for (const std::string& line : told(answer, gallery)) lines += escaped(line) + "\n";
  return "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
         "<meta name=\"viewport\" content=\"width=device-width\"><title>Which bone is this?</title>\n"
         "<style>:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem "
         "auto;"
         "padding:0 1rem}img{max-width:100%}pre{overflow-x:auto}</style></head><body>\n<h1>" +
         escaped(answer.accepted ? answer.id : "unknown") +
         "</h1>\n<img alt=\"the query and the nearest bones\" src=\"" + "data:image/png;base64," +
         base64(encode_png(picture_of(answer, gallery, query))) + "\">\n<pre>" + lines + "</pre>\n<p>" +
         escaped(model.pack().title) + " · network <code>" + model.pack().network +
         "</code></p>\n<p>Research software, not for clinical use.</p>\n</body></html>\n";
}

}  // namespace osteon::pipeline
