#include "markup.hpp"

#include <osteon/error.hpp>
#include <osteon/png.hpp>

#include <nlohmann/json.hpp>

#include <cctype>
#include <cmath>
#include <cstdio>

namespace osteon::report {

namespace {

/// Length of the UTF-8 sequence that begins at `at`, 0 when it isn't one (RFC 3629).
std::size_t sequence_length(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) -> unsigned {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const unsigned first = byte(at);
  const auto follows = [&](std::size_t count) {
    for (std::size_t i = 1; i <= count; ++i)
      if ((byte(at + i) & 0xC0U) != 0x80U) return false;
    return true;
  };
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF && follows(1)) return 2;
  if (first >= 0xE0 && first <= 0xEF && follows(2)) {
    const bool overlong = first == 0xE0 && byte(at + 1) < 0xA0, surrogate = first == 0xED && byte(at + 1) >= 0xA0;
    return overlong || surrogate ? 0 : 3;
  }
  if (first >= 0xF0 && first <= 0xF4 && follows(3)) {
    const bool overlong = first == 0xF0 && byte(at + 1) < 0x90, outside = first == 0xF4 && byte(at + 1) >= 0x90;
    return overlong || outside ? 0 : 4;
  }
  return 0;
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string result;
  result.reserve(text.size() + text.size() / 8);
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = sequence_length(text, i);
    const char c = text[i];
    if (length == 0) {
      result += "\xEF\xBF\xBD";
    } else if (length > 1) {
      result += text.substr(i, length);
    } else if (c == '&') {
      result += "&amp;";
    } else if (c == '<') {
      result += "&lt;";
    } else if (c == '>') {
      result += "&gt;";
    } else if (c == '"') {
      result += "&quot;";
    } else if (c == '\'') {
      result += "&#39;";
    } else if (c == '\n' || c == '\t' || (c >= 0x20 && c != 0x7F)) {
      result += c;
    }
    i += length == 0 ? 1 : length;
  }
  return result;
}

std::string slug(std::string_view text) {
  std::string result;
  for (const char c : text) {
    const auto letter = static_cast<unsigned char>(c);
    if (letter < 0x80 && std::isalnum(letter) != 0) {
      result += static_cast<char>(std::tolower(letter));
    } else if (!result.empty() && result.back() != '-') {
      result += '-';
    }
  }
  while (!result.empty() && result.back() == '-') result.pop_back();
  return result.empty() ? "section" : result;
}

std::string data_url(const at::Tensor& picture) { return text("data:image/png;base64,", base64(encode_png(picture))); }

std::string number(double value, int digits) {
  if (!std::isfinite(value)) return "undefined";
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, "%.*g", digits, value);
  if (std::string_view(buffer).find('e') != std::string_view::npos && std::abs(value) >= 1 && std::abs(value) < 1e7)
    std::snprintf(buffer, sizeof buffer, "%.0f", value);
  return std::string_view(buffer) == "-0" ? "0" : buffer;
}

std::string with_minus(std::string_view figure) {
  std::string result;
  for (std::size_t i = 0; i < figure.size(); ++i) {
    const bool begins = i == 0 || figure[i - 1] == ' ' || figure[i - 1] == '[';
    const bool is_number = i + 1 < figure.size() && (std::isdigit(static_cast<unsigned char>(figure[i + 1])) != 0);
    if (figure[i] == '-' && begins && is_number)
      result += "−";
    else
      result += figure[i];
  }
  return result;
}

std::string duration(double seconds) {
  char buffer[64];
  const auto whole = std::llround(std::max(0.0, seconds));
  if (seconds < 59.95) {
    std::snprintf(buffer, sizeof buffer, "%.1f s", std::max(0.0, seconds));
  } else if (whole < 3600) {
    std::snprintf(buffer, sizeof buffer, "%lld min %02lld s", whole / 60, whole % 60);
  } else {
    std::snprintf(buffer, sizeof buffer, "%lld h %02lld min", whole / 3600, whole / 60 % 60);
  }
  return buffer;
}

std::string zoomable(const std::string& url, std::string_view description, std::int64_t width, std::int64_t height) {
  return zoomable(url, "", description, width, height);
}

std::string zoomable(const std::string& url, const std::string& beneath, std::string_view description,
                     std::int64_t width, std::int64_t height) {
  const std::string label = escaped(description), size = text("\" width=\"", width, "\" height=\"", height, "\">");
  return text("<label class=\"zoom\"><input type=\"checkbox\" aria-label=\"enlarge: ", label, "\">",
              beneath.empty() ? "" : text("<img src=\"", beneath, "\" alt=\"", size), "<img",
              beneath.empty() ? "" : " class=\"over\"", " src=\"", url, "\" alt=\"", label, size, "</label>");
}

std::string data_block(const nlohmann::ordered_json& data) {
  // In JSON these characters stand in strings alone. With `ensure_ascii` the line separators are escaped already.
  std::string result = "<script type=\"application/json\">";
  for (const char c : data.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace)) {
    if (c == '<') {
      result += "\\u003c";
    } else if (c == '>') {
      result += "\\u003e";
    } else if (c == '&') {
      result += "\\u0026";
    } else {
      result += c;
    }
  }
  return result + "</script>";
}

std::string section(std::string_view id, std::string_view title, std::string_view remark, std::string_view body,
                    bool open) {
  return text("<details class=\"section\" id=\"", id, "\"", open ? " open" : "", ">\n<summary><h2>", escaped(title),
              "</h2>", remark.empty() ? "" : text("<span class=\"aside\">", escaped(remark), "</span>"),
              "<a class=\"anchor\" href=\"#", id, "\" aria-label=\"link to this section\">#</a></summary>\n", body,
              "</details>\n");
}

}  // namespace osteon::report
