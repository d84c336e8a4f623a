#pragma once

// From a file, what it extends and the command line to one tree.

#include "config/document.hpp"
#include "config/mistakes.hpp"

#include <array>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace osteon::config {

/// Kinds of which an experiment has exactly one, in the order of the data's way.
inline constexpr std::array<std::string_view, 5> kSingleKinds = {"source", "surface", "renderer", "backbone", "loss"};
/// Kinds of which it may have several, each in a named table. (A format is chosen by a file, not by an experiment.)
inline constexpr std::array<std::string_view, 4> kSeveralKinds = {"classifier", "shape", "metric", "reporter"};

[[nodiscard]] bool is_several_kind(std::string_view kind);
/// Whether a table of this name holds one plugin and its parameters: a single kind's, or [query_renderer].
[[nodiscard]] bool is_plugin_table(std::string_view name);

/// `file` over what it extends, which is over what that extends, and so on.
[[nodiscard]] Value read_with_bases(const std::filesystem::path& file, Mistakes& mistakes);

/// Lays `over` on `base`: the later key wins, a changed `plugin` drops the parameters of the old one, [sweep] is
/// replaced as a whole.
void merge(Value& base, Value over);

/// Takes [profile] out of `root` and lays the named profiles on it, in this order. Returns all profiles by name, so
/// that those which nobody asked for can be checked too.
std::vector<Entry> apply_profiles(Value& root, std::span<const std::string> names, Mistakes& mistakes);

/// Sets `path` ("loss.margin") in a tree that will be laid over another. A table joins the table that is there.
void put(Value& root, const std::string& path, const Place& key_place, Value value);

struct Override {
  std::string path;
  Value value;
};

/// `loss.margin=0.2` and so on, as the command line gives them.
[[nodiscard]] std::vector<Override> read_overrides(std::span<const std::string> words, Mistakes& mistakes);

/// `file` as the user would name it: from the working folder when it lies inside.
[[nodiscard]] std::string shown_name(const std::filesystem::path& file);

}  // namespace osteon::config
