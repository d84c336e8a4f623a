// The answer and the key figures. They know the words of the standard metrics' tables ("identity", "shape", "never"),
// as a reader does; a run without these tables gets its first figures instead.

#include "markup.hpp"
#include "page.hpp"

#include <algorithm>
#include <cmath>

namespace osteon::report {

namespace {

bool has(const std::string& text, const char* word) { return text.find(word) != std::string::npos; }

bool is_identity(const MetricValue& value) { return value.table.rfind("identity", 0) == 0; }
bool is_unseen(const MetricValue& value) { return is_identity(value) && has(value.column, "never"); }
bool is_shape(const MetricValue& value) {
  return value.table.rfind("shape", 0) == 0 && value.unit == "mm" && value.column.rfind("RMS", 0) == 0;
}

/// The shape rows that a reader knows: what no X-ray is needed for, and what no choice among known bones can beat.
bool is_landmark(const MetricValue& value) {
  return has(value.row, "mean shape") || has(value.row, "length") || has(value.row, "oracle");
}

/// Bounds that are no method, and a bone that no method may choose: nothing has to beat them.
bool is_bound(const MetricValue& value) {
  return has(value.row, "oracle") || has(value.row, "floor") || has(value.row, "ceiling") ||
         has(value.row, "opposite femur") || value.row.rfind("chance", 0) == 0;
}

bool better(const MetricValue& a, const MetricValue& b) {
  return a.larger_is_better ? a.value > b.value : a.value < b.value;
}

/// The best value that `allowed` lets pass, or null.
template <class Allowed>
const MetricValue* best_of(const std::vector<MetricValue>& values, Allowed allowed) {
  const MetricValue* best = nullptr;
  for (const MetricValue& value : values)
    if (std::isfinite(value.value) && allowed(value) && (best == nullptr || better(value, *best))) best = &value;
  return best;
}

bool same_cell(const MetricValue& a, const MetricValue& b) { return a.table == b.table && a.column == b.column; }

/// The best trivial row beside a method's figure; failing that, chance.
const MetricValue* trivial_beside(const std::vector<MetricValue>& values, const MetricValue& own) {
  const auto* trivial =
      best_of(values, [&](const MetricValue& v) { return same_cell(v, own) && v.is_baseline && !is_bound(v); });
  if (trivial != nullptr) return trivial;
  return best_of(values, [&](const MetricValue& v) { return same_cell(v, own) && v.row.rfind("chance", 0) == 0; });
}

/// A figure in running text, which no line break parts.
std::string figure(const MetricValue& value) {
  std::string html;
  for (const char c : escaped(plain_text(value))) html += c == ' ' ? std::string("&nbsp;") : std::string(1, c);
  return html;
}

std::string strong(const MetricValue& value) { return text("<strong>", figure(value), "</strong>"); }

std::string verdict(const MetricValue& own, const MetricValue& trivial) {
  return better(own, trivial) ? "" : " <em>The trivial row does as well.</em>";
}

std::string identity_sentence(const std::vector<MetricValue>& values, const MetricValue& own) {
  const std::string interval = interval_text(own);
  std::string sentence =
      text("<strong>", escaped(own.row), "</strong> recognised ", strong(own), " bones that it was never trained on",
           interval.empty() ? "" : text(" ", escaped(interval)));
  const MetricValue* trivial = trivial_beside(values, own);
  if (trivial != nullptr)
    sentence +=
        text(is_bound(*trivial) ? "; chance gives " : text("; the best trivial row, ", escaped(trivial->row), ", "),
             figure(*trivial));
  sentence += ".";
  if (!own.note.empty()) sentence += text(" <em>", escaped(own.note), ".</em>");
  if (trivial != nullptr) sentence += verdict(own, *trivial);
  return sentence;
}

std::string shape_sentence(const std::vector<MetricValue>& values, const MetricValue& own) {
  std::string sentence =
      text("The shape predicted by <strong>", escaped(own.row), "</strong> is ", strong(own), " RMS from the true bone",
           own.count > 1 ? text(", on average over ", own.count, " ", escaped(own.counted)) : "");
  std::string beside;
  for (const MetricValue& value : values)
    if (same_cell(value, own) && value.is_baseline && std::isfinite(value.value) && is_landmark(value))
      beside += text(beside.empty() ? "; beside it: " : ", ", escaped(value.row), " ", figure(value));
  sentence += text(beside, ".");
  if (const MetricValue* trivial = trivial_beside(values, own)) sentence += verdict(own, *trivial);
  return sentence;
}

std::string card(const std::vector<MetricValue>& values, const MetricValue& own) {
  const std::string interval = interval_text(own);
  const MetricValue* trivial = trivial_beside(values, own);
  return text("<div class=\"card\"><h3>", escaped(own.table), "<span>", escaped(own.column),
              "</span></h3><p class=\"figure\">", figure(own), "</p><p>", escaped(own.row),
              interval.empty() ? "" : text(" · 95 % ", escaped(interval)), "</p>",
              trivial == nullptr
                  ? ""
                  : text("<p class=\"quiet\">beside it: ", escaped(trivial->row), ", ", figure(*trivial), "</p>"),
              "</div>\n");
}

}  // namespace

std::string plain_text(const MetricValue& value) {
  MetricValue plain = value;
  plain.interval.reset();
  plain.note.clear();
  return with_minus(to_text(plain));
}

std::string interval_text(const MetricValue& value) {
  if (!value.interval || !std::isfinite(value.value)) return "";
  const std::string whole = to_text(value);
  const std::size_t bracket = whole.find('[');
  return bracket == std::string::npos ? "" : with_minus(whole.substr(bracket));
}

std::string answer(const std::vector<MetricValue>& values) {
  const auto own = [&](auto wanted) {
    return best_of(values, [&](const MetricValue& v) { return wanted(v) && !v.is_baseline; });
  };
  std::string sentences;
  if (const MetricValue* identity = own(is_unseen)) sentences += identity_sentence(values, *identity);
  if (const MetricValue* shape = own(is_shape))
    sentences += text(sentences.empty() ? "" : " ", shape_sentence(values, *shape));
  if (!sentences.empty()) return sentences;
  const auto first = std::find_if(values.begin(), values.end(),
                                  [](const MetricValue& v) { return !v.is_baseline && std::isfinite(v.value); });
  if (first == values.end()) return "";
  return text(escaped(first->table), ": ", escaped(first->row), " ", strong(*first), " (", escaped(first->column),
              ").");
}

std::vector<const MetricValue*> chosen_figures(const std::vector<MetricValue>& values) {
  std::vector<const MetricValue*> chosen;
  const auto take = [&](auto wanted) {
    const MetricValue* best = best_of(values, [&](const MetricValue& v) { return !v.is_baseline && wanted(v); });
    const bool is_new = best != nullptr && std::none_of(chosen.begin(), chosen.end(),
                                                        [&](const MetricValue* one) { return same_cell(*one, *best); });
    if (is_new && chosen.size() < 4) chosen.push_back(best);
  };
  take(is_unseen);
  take(is_shape);
  take([](const MetricValue& v) { return is_identity(v) && !is_unseen(v); });
  for (const MetricValue& first : values)  // then the first column of each other table
    take([&](const MetricValue& v) {
      return same_cell(v, first) &&
             std::none_of(chosen.begin(), chosen.end(), [&](const MetricValue* one) { return one->table == v.table; });
    });
  return chosen;
}

std::string key_figures(const std::vector<MetricValue>& values) {
  const std::vector<const MetricValue*> chosen = chosen_figures(values);
  if (chosen.empty()) return "";
  std::string html = "<div class=\"cards\">\n";
  for (const MetricValue* value : chosen) html += card(values, *value);
  return html + "</div>\n";
}

}  // namespace osteon::report
