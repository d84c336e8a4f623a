// Key functions of the SDK's interfaces: their vtables and type information live here, once, in libosteon.so.

#include <osteon/backbone.hpp>
#include <osteon/classifier.hpp>
#include <osteon/format.hpp>
#include <osteon/loss.hpp>
#include <osteon/metric.hpp>
#include <osteon/renderer.hpp>
#include <osteon/reporter.hpp>
#include <osteon/shape.hpp>
#include <osteon/source.hpp>
#include <osteon/surface.hpp>

#include <ATen/Functions.h>

namespace osteon {

Plugin::~Plugin() = default;
Source::~Source() = default;
Format::~Format() = default;
Surface::~Surface() = default;
Projector::~Projector() = default;
DifferentiableProjector::~DifferentiableProjector() = default;
Renderer::~Renderer() = default;
Network::~Network() = default;
Backbone::~Backbone() = default;
Loss::~Loss() = default;
Classifier::~Classifier() = default;
Shape::~Shape() = default;

std::optional<Mesh> Shape::ceiling(const Mesh& /*truth*/) const { return std::nullopt; }
std::vector<std::pair<std::string, at::Tensor>> Shape::arrays() const { return {}; }
Metric::~Metric() = default;
Reporter::~Reporter() = default;

std::unique_ptr<DifferentiableProjector> Renderer::prepare_differentiable(const Volume& /*volume*/) const {
  throw Error(
      "this renderer is not differentiable, so nothing can be fitted through it; choose one whose summary in `osteon "
      "describe` says that it is");
}

void Source::keep_secret(const std::string& /*salt*/) {}
std::vector<std::string> Source::notices() const { return {}; }

Tuples make_tuples(at::Tensor anchor, at::Tensor positive, at::Tensor negative, std::int64_t rows) {
  const auto pairs = [&](const at::Tensor& other) {
    at::Tensor mask = at::zeros({rows * rows}, anchor.options().dtype(at::kBool));
    mask.index_fill_(0, anchor * rows + other, true);
    return mask.view({rows, rows});
  };
  at::Tensor positive_pairs = pairs(positive), negative_pairs = pairs(negative);
  return {std::move(anchor), std::move(positive), std::move(negative), std::move(positive_pairs),
          std::move(negative_pairs)};
}

void Loss::prepare(std::int64_t /*classes*/, std::int64_t /*embedding_size*/) {}
std::map<std::string, at::Tensor> Loss::state() { return {}; }
bool Loss::uses_tuples() const { return true; }
at::Tensor Loss::class_scores(const at::Tensor& /*embeddings*/) { return {}; }
double Loss::margin() const { return -1; }

namespace {
[[noreturn]] void cannot(const char* deed) { throw Error(text("this format does not ", deed)); }
}  // namespace

Volume Format::read_volume(const std::filesystem::path& /*path*/) const { cannot("read volumes"); }
Radiograph Format::read_radiograph(const std::filesystem::path& /*path*/) const { cannot("read radiographs"); }
Mesh Format::read_mesh(const std::filesystem::path& /*path*/) const { cannot("read meshes"); }
void Format::write_volume(const Volume& /*volume*/, const VolumeLabel& /*label*/,
                          const std::filesystem::path& /*path*/) const {
  cannot("write volumes");
}
void Format::write_mesh(const Mesh& /*mesh*/, const std::filesystem::path& /*path*/) const { cannot("write meshes"); }

std::string to_text(Side side) { return side == Side::right ? "right" : side == Side::left ? "left" : "unknown"; }

std::string to_text(Need need) {
  switch (need) {
    case Need::embeddings:
      return "embeddings";
    case Need::neighbours:
      return "neighbours";
    case Need::trials:
      return "trials";
    case Need::predictions:
      return "predictions";
    case Need::class_scores:
      return "class scores";
    case Need::meshes:
      return "meshes";
  }
  return "?";
}

void Evidence::require(Need need) const {
  if (!allowed_.contains(need))
    throw failure("the metric asked for " + to_text(need) + " without declaring it in needs()");
}

const std::vector<EmbeddingSet>& Evidence::embeddings() const {
  require(Need::embeddings);
  return contents_->embeddings;
}

const std::vector<NeighbourTable>& Evidence::neighbours() const {
  require(Need::neighbours);
  return contents_->neighbours;
}

const std::vector<Trials>& Evidence::trials() const {
  require(Need::trials);
  return contents_->trials;
}

const std::vector<Identification>& Evidence::identifications() const {
  require(Need::predictions);
  return contents_->identifications;
}

const ClassScores& Evidence::class_scores() const {
  require(Need::class_scores);
  return contents_->class_scores;
}

const ShapeEvidence& Evidence::shapes() const {
  require(Need::meshes);
  return contents_->shapes;
}

std::string to_text(const MetricValue& value) {
  if (std::isnan(value.value)) return "undefined" + (value.note.empty() ? "" : " (" + value.note + ")");
  char digits[64];
  std::snprintf(digits, sizeof digits, value.unit == "%" ? "%.1f" : "%.3g", value.value);
  if (value.unit == "mm") std::snprintf(digits, sizeof digits, "%.2f", value.value);
  std::string result = digits;
  if (value.unit.starts_with("of ")) {  // "2.5 of 3"
    std::snprintf(digits, sizeof digits, "%.3f", value.value);
    result = digits;
    result.erase(result.find_last_not_of('0') + 1);
    if (result.back() == '.') result.pop_back();
  }
  if (!value.unit.empty()) result += " " + value.unit;
  if (value.interval) {
    char bounds[64];
    std::snprintf(bounds, sizeof bounds, " [%.3g, %.3g]", value.interval->first, value.interval->second);
    result += bounds;
  }
  return result;
}

}  // namespace osteon
