// A second metric that measures a pair of surfaces, so that the command must be told which one is meant. It answers
// with its parameters and gives no surfaces.

#include <osteon/error.hpp>
#include <osteon/metric.hpp>

namespace osteon {

namespace {

class OtherDistance : public Metric {
 public:
  static Schema schema() {
    return {"Says what it was asked.",
            {Parameter::text("alignment", "none", "Said."), Parameter::text("sampling", "none", "Said."),
             Parameter::integer("samples", 1, "Said."), Parameter::integer("seed", 1, "Said.")}};
  }
  explicit OtherDistance(const Parameters& p)
      : asked_(osteon::text(p.text("alignment"), " ", p.text("sampling"), " ", p.integer("samples"), " ",
                            p.integer("seed"))) {}

  [[nodiscard]] std::set<Need> needs() const override { return {Need::meshes}; }
  [[nodiscard]] MetricResult evaluate(const Evidence& evidence) const override {
    const ShapeCase& one = evidence.shapes().cases.at(0);
    MetricValue value;
    value.table = "asked: " + asked_;
    value.row = evidence.bones().at(0).id + " and " + one.answers.at(0).estimator;
    value.column = "vertices";
    value.value = static_cast<double>(one.truth.vertices.size(0) - one.answers.at(0).together.mesh.vertices.size(0));
    return {{value}, {}, {}, {}};
  }

 private:
  std::string asked_;
};

}  // namespace

OSTEON_PLUGIN(metric, other_distance, "0.1.0", OtherDistance)

}  // namespace osteon
