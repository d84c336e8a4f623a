// Keeps the first figure of every table, also of one that has none.
#include <osteon/reporter.hpp>

namespace broken {

class NeedsAFigure final : public osteon::Reporter {
 public:
  explicit NeedsAFigure(const osteon::Parameters& /*parameters*/) {}
  static osteon::Schema schema() { return {"A plugin for the tests of the contract suite", {}}; }
  void report(const osteon::Event& event) override {
    if (const auto* results = std::get_if<osteon::Results>(&event)) best_ = results->values.at(0).value;
  }

 private:
  double best_ = 0;
};

}  // namespace broken

OSTEON_PLUGIN(reporter, needs_a_figure, "0.1.0", broken::NeedsAFigure)
