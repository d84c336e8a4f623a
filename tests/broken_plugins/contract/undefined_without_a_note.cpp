// The mean of nothing, without a word about it.
#include <osteon/metric.hpp>

namespace broken {

class UndefinedWithoutANote final : public osteon::Metric {
 public:
  explicit UndefinedWithoutANote(const osteon::Parameters& /*parameters*/) {}
  static osteon::Schema schema() { return {"A plugin for the tests of the contract suite", {}}; }

  [[nodiscard]] std::set<osteon::Need> needs() const override { return {}; }
  [[nodiscard]] osteon::MetricResult evaluate(const osteon::Evidence& evidence) const override {
    double held_out = 0;
    for (const osteon::EvidenceBone& bone : evidence.bones()) held_out += bone.held_out ? 1 : 0;
    osteon::MetricValue value;
    value.table = "bones";
    value.row = "held out";
    value.value = held_out / static_cast<double>(evidence.bones().size());
    return {{value}, {}, {}, {}};
  }
};

}  // namespace broken

OSTEON_PLUGIN(metric, undefined_without_a_note, "0.1.0", broken::UndefinedWithoutANote)
