// reporter/html: one self-contained page, report.html in the run's folder. It asks for no address, so it opens
// from a disk or an e-mail, and prints. All figures show without a script; one script, which a content security policy
// knows by its digest, turns bones in 3D, sorts tables, fades heat maps, says what the pointer is on, and zooms maps.
//
//     [reporter.html]
//     pictures     = 24      # largest number of pictures in a section
//     surface_size = 460     # height of a picture of a bone, pixels
//
// The page is written when the figures are known and again when the run ends, so a run that is stopped, fails or is
// killed afterwards leaves what it had. Each point of a sweep has a folder and a page of its own.

#include "markup.hpp"
#include "page.hpp"
#include "plot.hpp"
#include "surfaces.hpp"

#include <osteon/files.hpp>

#include <algorithm>

namespace osteon {
namespace {

class HtmlReporter final : public Reporter {
 public:
  static Schema schema() {
    return {"One self-contained page, report.html, in the run's folder.",
            {Parameter::integer("pictures", 24, "Largest number of pictures in a section.")
                 .at_least(1)
                 .at_most(1000)
                 .not_in_key(),
             Parameter::integer("surface_size", 460, "Height of a picture of a bone.")
                 .unit("pixels")
                 .at_least(64)
                 .at_most(2000)
                 .not_in_key()}};
  }

  explicit HtmlReporter(const Parameters& parameters)
      : most_pictures_(static_cast<int>(parameters.integer("pictures"))),
        surface_size_(static_cast<int>(parameters.integer("surface_size"))) {}

  void report(const Event& event) override {
    std::visit([this](const auto& one) { take(one); }, event);
  }

 private:
  void take(const RunStarted& event) {
    page_ = report::Page{};
    surfaces_.clear();
    page_.start = event;
    page_.began = std::chrono::system_clock::now();
  }

  void take(const StageStarted& event) { page_.stages.push_back({event.stage, event.plugin, std::nullopt}); }

  void take(const StageProgress& /*event*/) {}

  void take(const StageFinished& event) {
    auto& stages = page_.stages;
    const auto open = std::find_if(stages.rbegin(), stages.rend(),
                                   [&](const report::Stage& one) { return one.name == event.stage && !one.finished; });
    if (open != stages.rend()) {
      open->finished = event;
    } else {
      stages.push_back({event.stage, "", event});
    }
  }

  void take(const SpecimenLeftOut& event) { page_.left_out.push_back(event); }

  void take(const Notice& event) { page_.notices.push_back(event.message); }

  void take(const Scalar& event) {
    auto& curves = page_.curves;
    auto curve =
        std::find_if(curves.begin(), curves.end(), [&](const report::Curve& one) { return one.name == event.curve; });
    if (curve == curves.end()) curve = curves.insert(curves.end(), {event.curve, {}});
    curve->points.emplace_back(event.step, event.value);
  }

  void take(const Picture& event) {
    auto& sections = page_.pictures;
    auto place =
        std::find_if(sections.begin(), sections.end(), [&](const auto& one) { return one.name == event.section; });
    if (place == sections.end()) place = sections.insert(sections.end(), {event.section, "", 0, 0, false});
    if (place->shown == most_pictures_) {
      ++place->left_out;
      return;
    }
    ++place->shown;
    const std::string beneath = event.beneath.defined() ? report::data_url(event.beneath) : "";
    place->is_layered = place->is_layered || !beneath.empty();
    place->figures += text("<figure>",
                           report::zoomable(report::data_url(event.image), beneath, event.caption, event.image.size(1),
                                            event.image.size(0)),
                           "<figcaption>", report::escaped(event.caption), "</figcaption></figure>\n");
  }

  void take(const SurfacePair& event) {
    if (std::ssize(surfaces_) < most_pictures_) {
      surfaces_.push_back(event);
    } else {
      ++page_.surfaces_left_out;
    }
  }

  void take(const Chart& event) {
    auto& sections = page_.charts;
    auto place =
        std::find_if(sections.begin(), sections.end(), [&](const auto& one) { return one.name == event.section; });
    if (place == sections.end()) place = sections.insert(sections.end(), {event.section, "", 0});
    place->figures += report::chart_figure(event);
    ++place->count;
  }

  void take(const PicturedMap& event) { page_.maps.add(event); }

  void take(const SweepSummary& event) { page_.sweep = event; }

  void take(const Results& event) {
    page_.values.insert(page_.values.end(), event.values.begin(), event.values.end());
    write();
  }

  void take(const RunFinished& event) {
    page_.finish = event;
    write();
  }

  void write() {
    if (page_.start.folder.empty()) return;  // no run was begun: there is nowhere to write to
    if (page_.surfaces_shown != std::ssize(surfaces_)) {
      page_.surfaces = report::surface_figures(surfaces_, surface_size_);
      page_.surfaces_shown = static_cast<int>(surfaces_.size());
    }
    write_file(page_.start.folder / "report.html", report::whole_page(page_));
  }

  int most_pictures_, surface_size_;
  report::Page page_;
  std::vector<SurfacePair> surfaces_;
};

}  // namespace

OSTEON_PLUGIN(reporter, html, "0.1.0", HtmlReporter)

}  // namespace osteon
