#include "config/draws.hpp"

#include <osteon/error.hpp>
#include <osteon/random.hpp>

#include <boost/random/sobol.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace osteon::config {

namespace {

bool has_range(const Value& table) {
  return std::ranges::any_of(table.entries, [](const Entry& entry) {
    return is_range(entry.value) || (entry.value.is_table() && has_range(entry.value));
  });
}

double real_number(const Value& value) {
  if (value.type == Value::Type::integer) return static_cast<double>(std::get<std::int64_t>(value.scalar));
  return value.type == Value::Type::real ? std::get<double>(value.scalar) : std::nan("");
}

/// One coordinate of all points, in [0, 1).
std::vector<double> places(const Draws& draws, std::size_t dimension, const std::string& path) {
  std::vector<double> result(draws.points);
  Random random(draws.seed, "range of a sweep: " + path);
  if (draws.is_random) {
    for (double& place : result) place = random.uniform();
    return result;
  }
  // Sobol's sequence (Joe & Kuo's directions), shifted round by the seed (Cranley & Patterson 1976). Boost leaves out
  // its first point, the origin, without which 2ᵏ points do not lie evenly.
  boost::random::sobol sequence(dimension + 1);
  const double shift = random.uniform();
  for (std::size_t n = 0; n < result.size(); ++n) {
    double value = 0;
    if (n > 0) {
      sequence.discard(dimension);
      value = static_cast<double>(sequence()) / (static_cast<double>(boost::random::sobol::max()) + 1);
    }
    result[n] = value + shift - std::floor(value + shift);
  }
  return result;
}

}  // namespace

bool is_range(const Value& value) {
  return value.is_table() && value.find("from") != nullptr && value.find("to") != nullptr;
}

std::optional<Draws> draws_of(const Value& table, std::size_t most_points, Mistakes& mistakes) {
  Draws draws;
  const Value *points = table.find("points"), *order = table.find("order"), *seed = table.find("seed");
  if (!has_range(table)) {
    for (const Value* value : {points, order, seed})
      if (value != nullptr)
        mistakes.add(value->place,
                     "sweep: points, order and seed are for ranges, written {from = …, to = …}, and this "
                     "sweep has none");
    return std::nullopt;
  }
  const auto count = [](const Value& value) {
    return value.type == Value::Type::integer ? std::get<std::int64_t>(value.scalar) : -1;
  };
  if (points == nullptr) {
    mistakes.add(table.place, "sweep: has a range; say how many points are drawn, e.g. points = 16");
  } else if (count(*points) < 1 || count(*points) > static_cast<std::int64_t>(most_points)) {
    mistakes.add(points->place,
                 text("sweep.points: must be an integer from 1 to ", most_points, "; found ", points->describe()));
  } else {
    draws.points = static_cast<std::size_t>(count(*points));
  }
  if (order != nullptr && order->as_text() != "sobol" && order->as_text() != "random")
    mistakes.add(order->place, "sweep.order: must be \"sobol\" or \"random\"; found " + order->describe());
  draws.is_random = order != nullptr && order->as_text() == "random";
  if (seed != nullptr && count(*seed) < 0)
    mistakes.add(seed->place, "sweep.seed: must be an integer, at least 0; found " + seed->describe());
  if (seed != nullptr && count(*seed) >= 0) draws.seed = static_cast<std::uint64_t>(count(*seed));
  return draws;
}

std::vector<Value> drawn(const std::string& path, const Value& range, std::size_t dimension, const Draws& draws,
                         Mistakes& mistakes) {
  const Value &from = *range.find("from"), &to = *range.find("to");
  const double low = real_number(from), high = real_number(to);
  const Value* scale = range.find("scale");
  const bool is_log = scale != nullptr && scale->as_text() == "log";
  for (const Entry& entry : range.entries)
    if (entry.key != "from" && entry.key != "to" && entry.key != "scale")
      mistakes.add(entry.key_place, "sweep." + path + ": a range has from, to and scale; found " + entry.key);
  if (scale != nullptr && !is_log && scale->as_text() != "linear")
    mistakes.add(scale->place, "sweep." + path + ".scale: must be \"linear\" or \"log\"; found " + scale->describe());
  if (!(low < high) || (is_log && low <= 0)) {
    mistakes.add(range.place, "sweep." + path + ": a range runs from a number to a larger one" +
                                  (is_log ? ", on a log scale both above 0" : "") + "; found " + from.shown() + " to " +
                                  to.shown());
    return {from};
  }
  // Sobol's directions are tabulated for some thousand dimensions; nobody understands a search in more than a few.
  constexpr std::size_t kMostRanges = 1000;
  if (dimension >= kMostRanges) {
    mistakes.add(range.place, text("sweep.", path, ": a sweep draws from at most ", kMostRanges, " ranges"));
    return {from};
  }
  const bool is_whole = from.type == Value::Type::integer && to.type == Value::Type::integer;
  std::vector<Value> values;
  for (const double place : places(draws, dimension, path)) {
    const double end = is_whole ? high + 1 : high;
    const double real = is_log ? low * std::pow(end / low, place) : low + place * (end - low);
    Value value;
    value.place = range.place;
    if (is_whole) {
      value.type = Value::Type::integer;
      // Near the largest integers a double is none of them.
      value.scalar = real >= high ? std::get<std::int64_t>(to.scalar) : static_cast<std::int64_t>(std::floor(real));
    } else {
      char digits[32];
      std::snprintf(digits, sizeof digits, "%.4g", real);
      value.type = Value::Type::real;
      value.scalar = std::clamp(std::strtod(digits, nullptr), low, high);
    }
    values.push_back(std::move(value));
  }
  return values;
}

}  // namespace osteon::config
