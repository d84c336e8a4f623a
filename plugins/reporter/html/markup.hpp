#pragma once

// Pieces of HTML5: every text that comes from outside passes `escaped`.

#include <ATen/core/Tensor.h>

#include <nlohmann/json_fwd.hpp>

#include <cmath>
#include <string>
#include <string_view>

namespace osteon::report {

/// Safe between tags and between quotes: & < > " ' as references, control characters left out, bytes that are no UTF-8
/// replaced by U+FFFD.
[[nodiscard]] std::string escaped(std::string_view text);

/// A word for an `id`: lower case letters, digits and hyphens.
[[nodiscard]] std::string slug(std::string_view text);

/// "data:image/png;base64,…" of a uint8 picture [H, W], [H, W, 3] or [H, W, 4].
[[nodiscard]] std::string data_url(const at::Tensor& picture);

/// With so many significant digits, without trailing zeros: "0.25", "1200".
[[nodiscard]] std::string number(double value, int digits = 3);
/// A coordinate of a drawing, to a tenth of its unit.
[[nodiscard]] inline std::string tenths(double value) { return number(std::round(value * 10) / 10, 6); }

/// A figure as it is set: with a minus sign where a hyphen stands before a number, "−5.0 [−9.0, −1.0]".
[[nodiscard]] std::string with_minus(std::string_view figure);

/// "8.1 s", "2 min 31 s", "1 h 04 min".
[[nodiscard]] std::string duration(double seconds);

/// A picture that grows to the whole window when it is clicked (or chosen with the space bar) and shrinks again.
/// `width` and `height` in CSS pixels.
[[nodiscard]] std::string zoomable(const std::string& url, std::string_view description, std::int64_t width,
                                   std::int64_t height);

/// The same with a picture beneath it, which the script lets show.
[[nodiscard]] std::string zoomable(const std::string& url, const std::string& beneath, std::string_view description,
                                   std::int64_t width, std::int64_t height);

/// What the page's script reads: a block of JSON that no text in it can end or leave (< > & and line separators are
/// written as \u…), and that no browser runs.
[[nodiscard]] std::string data_block(const nlohmann::ordered_json& data);

/// A collapsible, linkable section. `body` is HTML, the rest text; `id` is a slug.
[[nodiscard]] std::string section(std::string_view id, std::string_view title, std::string_view remark,
                                  std::string_view body, bool open);

}  // namespace osteon::report
