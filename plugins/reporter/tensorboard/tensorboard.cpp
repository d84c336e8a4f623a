// reporter/tensorboard: a run for TensorBoard, in the run's folder under tensorboard/.
//
//     [reporter.tensorboard]
//     steps_per_epoch = 100      # TensorBoard's steps are whole numbers: of a learning curve, so many an epoch
//     pictures        = 24       # largest number of pictures in a section
//
// `tensorboard --logdir runs` then shows, beside each other for all runs and points of sweeps: learning curves
// ("learning curves/NAME"), the final figures ("TABLE/ROW/COLUMN" at step 0, with unit, interval and count behind the
// "i"; undefined ones are left out), pictures ("SECTION/CAPTION"), and maps of images in the projector, with bone,
// role and pose of each point and its thumbnail. A slash inside a name would make a group of its own and becomes "|".
// Charts and surfaces stand in report.html: TensorBoard has no place for them.
//
// An event file grows record by record, as the format wants it, and never ends within a record; the projector's files
// are replaced in one rename each. A run that begins in a folder takes the place of an earlier one there.
//
// The messages are written with protozero, which needs a field's number and nothing else. libprotobuf would want
// copies of TensorFlow's .proto files, a compiler for them in every build, and a second protobuf in a process whose
// LibTorch may bring its own of another version; that ends such a process. The checksum is Boost.CRC's.

#include "event_file.hpp"
#include "projector.hpp"

#include <osteon/error.hpp>
#include <osteon/reporter.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <system_error>

namespace osteon {
namespace {

std::string without_slash(std::string name) {
  std::ranges::replace(name, '/', '|');
  return name;
}

class TensorBoard final : public Reporter {
 public:
  static Schema schema() {
    return {"Learning curves, figures, pictures and maps for TensorBoard, in the run's folder under tensorboard/.",
            {Parameter::integer("steps_per_epoch", 100,
                                "Steps of TensorBoard, which are whole numbers, in an epoch of a learning curve.")
                 .at_least(1)
                 .at_most(1000000)
                 .not_in_key(),
             Parameter::integer("pictures", 24, "Largest number of pictures in a section.")
                 .at_least(1)
                 .at_most(1000)
                 .not_in_key()}};
  }

  explicit TensorBoard(const Parameters& parameters)
      : steps_per_epoch_(static_cast<double>(parameters.integer("steps_per_epoch"))),
        most_pictures_(parameters.integer("pictures")) {}

  void report(const Event& event) override {
    std::visit([this](const auto& one) { take(one); }, event);
  }

 private:
  void take(const RunStarted& run) {
    const std::filesystem::path folder = run.folder / "tensorboard";
    std::error_code problem;
    std::filesystem::create_directories(folder, problem);
    if (problem)
      throw failure(text(folder.string(), ": cannot make the folder: ", problem.message(),
                         "; the run's folder must be one that can be written"));
    events_.reset();
    tensorboard::remove_event_files(folder);
    projector_ = tensorboard::Projector(folder);
    events_ = std::make_unique<tensorboard::EventFile>(folder);
    tags_ = {};
    pictures_.clear();
  }

  void take(const Scalar& point) {
    const auto step = static_cast<std::int64_t>(std::llround(point.step * steps_per_epoch_));
    events().add_scalar(tags_.name_of("curve\n" + point.curve, "learning curves/" + without_slash(point.curve)), step,
                        point.value, "");
  }

  void take(const Picture& picture) {
    const std::int64_t number = pictures_[picture.section]++;
    if (number >= most_pictures_) return;
    events().add_image(tags_.name_of(text("picture\n", picture.section, "\n", number),
                                     without_slash(picture.section) + "/" + without_slash(picture.caption)),
                       picture.image);
  }

  void take(const PicturedMap& map) {
    (void)events();
    projector_.add(map);
  }

  void take(const Results& results) {
    for (const MetricValue& value : results.values) {
      if (std::isnan(value.value)) continue;
      std::string about = to_text(value);
      if (!value.counted.empty()) about += text("; ", value.count, " ", value.counted);
      about += value.larger_is_better ? "; larger is better" : "; smaller is better";
      if (value.is_baseline) about += "; a trivial row or a bound";
      if (!value.note.empty()) about += "; " + value.note;
      events().add_scalar(tags_.name_of("figure\n" + value.table + "\n" + value.row + "\n" + value.column,
                                        without_slash(value.table) + "/" + without_slash(value.row) + "/" +
                                            without_slash(value.column)),
                          0, value.value, about);
    }
  }

  /// TensorBoard has no place for the rest.
  template <class Other>
  void take(const Other& /*event*/) {}

  tensorboard::EventFile& events() {
    if (!events_) throw failure("there is nothing to write to before a run has started");
    return *events_;
  }

  double steps_per_epoch_;
  std::int64_t most_pictures_;
  std::unique_ptr<tensorboard::EventFile> events_;
  tensorboard::Projector projector_;
  reports::UniqueNames tags_;
  std::map<std::string, std::int64_t> pictures_;  ///< of each section
};

}  // namespace

OSTEON_PLUGIN(reporter, tensorboard, "0.1.0", TensorBoard)

}  // namespace osteon
