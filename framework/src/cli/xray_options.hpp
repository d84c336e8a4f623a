#pragma once

// The options of every command that takes a pair of real X-rays: where they lie, of which side they are, and what a
// person has to say of each picture.

#include "cli/commands.hpp"
#include "pipeline/model.hpp"

namespace osteon::cli {

/// The options of one picture: --ap-crop and so on.
class ViewOptions {
 public:
  void add(CLI::App& command, const std::string& view, const std::string& name);

  /// `spacing` and `marker` are those of both pictures; this one's own go before them.
  [[nodiscard]] imaging::RadiographHints hints(double spacing, const std::vector<double>& marker) const;

 private:
  std::vector<std::int64_t> crop_;
  std::vector<double> marker_;
  double angle_ = 0, spacing_ = 0;
  bool upside_down_ = false, mirrored_ = false;
  CLI::Option* angle_option_ = nullptr;
};

/// AP and ML, --side, --format, and the options of both pictures and of each.
class PairOptions {
 public:
  /// Whether the two files must be given, or something else may be instead.
  enum class Files { required, optional };
  void add(CLI::App& command, Files files);

  [[nodiscard]] bool has_files() const { return !ap_.empty() && !ml_.empty(); }
  [[nodiscard]] bool has_one_file() const { return ap_.empty() != ml_.empty(); }
  [[nodiscard]] pipeline::XrayPair pair() const;

 private:
  std::filesystem::path ap_, ml_;
  ViewOptions ap_view_, ml_view_;
  std::vector<double> marker_;
  double spacing_ = 0;
  std::string side_ = "unknown", format_;
};

/// What a model is asked about, or told of: a pair of radiographs with their options, or --montage; and --set of
/// [xray].
class QueryOptions {
 public:
  void add(CLI::App& command);

  /// Throws `Error` unless either both radiographs or a montage are given.
  [[nodiscard]] pipeline::QueryFiles files() const;

 private:
  PairOptions pair_;
  std::filesystem::path montage_;
  std::vector<std::string> overrides_;
};

}  // namespace osteon::cli
