#include "cli/commands.hpp"
#include "pipeline/radiographs.hpp"

#include <iostream>

namespace osteon::cli {

namespace {

/// The options of one picture: --ap-crop and so on.
struct ViewOptions {
  std::vector<std::int64_t> crop;
  std::vector<double> marker;
  double angle = 0, spacing = 0;
  bool upside_down = false, mirrored = false;
  CLI::Option* angle_option = nullptr;

  void add(CLI::App& command, const std::string& view, const std::string& name) {
    const std::string prefix = "--" + view + "-";
    command.add_option(prefix + "spacing", spacing, name + ": mm between its pixels at the bone")
        ->type_name("MM")
        ->check(CLI::PositiveNumber);
    command.add_option(prefix + "marker", marker, name + ": the marker's two ends in pixels and its length in mm")
        ->type_name("X0,Y0,X1,Y1,MM")
        ->delimiter(',')
        ->expected(5);
    command.add_option(prefix + "crop", crop, name + ": look at this part only, in pixels")
        ->type_name("LEFT,TOP,WIDTH,HEIGHT")
        ->delimiter(',')
        ->expected(4);
    angle_option =
        command.add_option(prefix + "angle", angle, name + ": how far the bone leans counter-clockwise from upright")
            ->type_name("DEGREES")
            ->check(CLI::Range(-180.0, 180.0));
    command.add_flag(prefix + "upside-down", upside_down, name + ": its proximal end is at the bottom");
    command.add_flag(prefix + "mirrored", mirrored, name + ": shown from the side opposite to the source");
  }

  [[nodiscard]] imaging::RadiographHints hints(double both, const std::vector<double>& marker_of_both) const {
    imaging::RadiographHints hints;
    if (!crop.empty()) hints.crop = std::array<std::int64_t, 4>{crop[0], crop[1], crop[2], crop[3]};
    if (angle_option->count() > 0) hints.angle = angle;
    hints.upside_down = upside_down;
    hints.mirrored = mirrored;
    hints.spacing = spacing > 0 ? spacing : both;
    const auto& m = marker.empty() ? marker_of_both : marker;
    if (!m.empty()) hints.marker = imaging::Marker{m[0], m[1], m[2], m[3], m[4]};
    return hints;
  }
};

struct Options {
  std::filesystem::path ap, ml, experiment, out = "xray.png";
  std::vector<std::string> overrides;
  ViewOptions ap_view, ml_view;
  std::vector<double> marker;
  double spacing = 0;
  std::string side = "unknown", format;
  bool framed = false;
};

void add_prepare(CLI::App& xray, Common& common) {
  auto* command = xray.add_subcommand("prepare", "Make an X-ray pair like the artificial ones and show the result");
  auto options = std::make_shared<Options>();
  command->add_option("AP", options->ap, "The anterior-posterior radiograph")->required()->type_name("");
  command->add_option("ML", options->ml, "The medial-lateral radiograph")->required()->type_name("");
  command->add_option("--experiment", options->experiment, "Take [views], [film] and [xray] from this experiment")
      ->type_name("FILE");
  command->add_option("--set", options->overrides, "Override one value of the experiment: --set xray.match=none")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false)
      ->take_all()
      ->needs("--experiment");
  command->add_option("--side", options->side, "Of the body; left bones are mirrored to right ones")
      ->check(CLI::IsMember({"left", "right", "unknown"}));
  command->add_option("--spacing", options->spacing, "mm between the pixels of both pictures, at the bone")
      ->type_name("MM")
      ->check(CLI::PositiveNumber);
  command->add_option("--marker", options->marker, "The same marker in both pictures")
      ->type_name("X0,Y0,X1,Y1,MM")
      ->delimiter(',')
      ->expected(5);
  command->add_flag("--framed", options->framed, "Let the bone fill the image, whatever its size");
  command->add_option("--format", options->format, "Format plugin for files whose ending says nothing")->type_name("");
  options->ap_view.add(*command, "ap", "AP");
  options->ml_view.add(*command, "ml", "ML");
  command->add_option("--out", options->out, "The montage's file; xray.png by default")->type_name("PNG");
  add_plugins_option(*command, common);
  command->callback([&common, options] {
    const Side side = options->side == "left" ? Side::left : options->side == "right" ? Side::right : Side::unknown;
    const pipeline::XrayRequest request{{options->ap, options->ap_view.hints(options->spacing, options->marker)},
                                        {options->ml, options->ml_view.hints(options->spacing, options->marker)},
                                        side,
                                        options->format,
                                        options->framed,
                                        options->out};
    for (const std::string& line : pipeline::prepare_xrays(
             {{options->experiment, options->overrides, {}}, common.plugin_folders, "runs", common.command_line},
             request))
      std::cout << line << "\n";
    std::cout << "montage  " << options->out.string() << "\n";
  });
}

}  // namespace

void add_xray(CLI::App& app, Common& common) {
  auto* command = app.add_subcommand("xray", "Work with real X-rays");
  command->require_subcommand(1);
  add_prepare(*command, common);
}

}  // namespace osteon::cli
