#include "cli/xray_options.hpp"

#include <osteon/error.hpp>

namespace osteon::cli {

void ViewOptions::add(CLI::App& command, const std::string& view, const std::string& name) {
  const std::string prefix = "--" + view + "-";
  command.add_option(prefix + "spacing", spacing_, name + ": mm between its pixels at the bone")
      ->type_name("MM")
      ->check(CLI::PositiveNumber);
  command.add_option(prefix + "marker", marker_, name + ": the marker's two ends in pixels and its length in mm")
      ->type_name("X0,Y0,X1,Y1,MM")
      ->delimiter(',')
      ->expected(5);
  command.add_option(prefix + "crop", crop_, name + ": look at this part only, in pixels")
      ->type_name("LEFT,TOP,WIDTH,HEIGHT")
      ->delimiter(',')
      ->expected(4);
  angle_option_ =
      command.add_option(prefix + "angle", angle_, name + ": how far the bone leans counter-clockwise from upright")
          ->type_name("DEGREES")
          ->check(CLI::Range(-180.0, 180.0));
  command.add_flag(prefix + "upside-down", upside_down_, name + ": its proximal end is at the bottom");
  command.add_flag(prefix + "mirrored", mirrored_, name + ": shown from the side opposite to the source");
}

imaging::RadiographHints ViewOptions::hints(double spacing, const std::vector<double>& marker) const {
  imaging::RadiographHints hints;
  if (!crop_.empty()) hints.crop = std::array<std::int64_t, 4>{crop_[0], crop_[1], crop_[2], crop_[3]};
  if (angle_option_->count() > 0) hints.angle = angle_;
  hints.upside_down = upside_down_;
  hints.mirrored = mirrored_;
  hints.spacing = spacing_ > 0 ? spacing_ : spacing;
  const auto& m = marker_.empty() ? marker : marker_;
  if (!m.empty()) hints.marker = imaging::Marker{m[0], m[1], m[2], m[3], m[4]};
  return hints;
}

void PairOptions::add(CLI::App& command, Files files) {
  auto* ap = command.add_option("AP", ap_, "The anterior-posterior radiograph")->type_name("");
  auto* ml = command.add_option("ML", ml_, "The medial-lateral radiograph")->type_name("");
  ap->required(files == Files::required);
  ml->required(files == Files::required);
  command.add_option("--side", side_, "Of the body; left bones are mirrored to right ones")
      ->check(CLI::IsMember({"left", "right", "unknown"}));
  command.add_option("--spacing", spacing_, "mm between the pixels of both pictures, at the bone")
      ->type_name("MM")
      ->check(CLI::PositiveNumber);
  command.add_option("--marker", marker_, "The same marker in both pictures")
      ->type_name("X0,Y0,X1,Y1,MM")
      ->delimiter(',')
      ->expected(5);
  command.add_option("--format", format_, "Format plugin for files whose ending says nothing")->type_name("");
  ap_view_.add(command, "ap", "AP");
  ml_view_.add(command, "ml", "ML");
}

pipeline::XrayPair PairOptions::pair() const {
  const Side side = side_ == "left" ? Side::left : side_ == "right" ? Side::right : Side::unknown;
  return {{ap_, ap_view_.hints(spacing_, marker_)}, {ml_, ml_view_.hints(spacing_, marker_)}, side, format_};
}

void QueryOptions::add(CLI::App& command) {
  pair_.add(command, PairOptions::Files::optional);
  command.add_option("--montage", montage_, "Instead of AP and ML: the PNG that xray prepare or render wrote")
      ->type_name("PNG");
  command.add_option("--set", overrides_, "Override how X-rays are read: --set xray.polarity=bone_dark")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false)
      ->take_all();
}

pipeline::QueryFiles QueryOptions::files() const {
  if (pair_.has_one_file()) throw Error("one radiograph is missing: give the AP one, then the ML one");
  if (pair_.has_files() == !montage_.empty())
    throw Error(montage_.empty() ? "no X-rays: give the AP and the ML radiograph, or --montage PNG"
                                 : "give either two radiographs or --montage, not both");
  return {pair_.pair(), montage_, overrides_};
}

}  // namespace osteon::cli
