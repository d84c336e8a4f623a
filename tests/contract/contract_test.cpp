// The contract suite: what every plugin of a kind promises, checked on each plugin that was built, and on those of
// $OSTEON_PLUGIN_PATH.

#include "host/handles.hpp"
#include "training/first_weights.hpp"

#include <osteon/error.hpp>
#include <osteon/random.hpp>

#include <ATen/Functions.h>
#include <gtest/gtest.h>

#include <cctype>
#include <cmath>

namespace osteon {
namespace {

host::Registry& registry() {
  static host::Registry instance(host::Registry::search_path({}));
  return instance;
}

std::vector<std::string> built(const std::string& kind = "") {
  std::vector<std::string> ids;
  for (const host::FoundPlugin& plugin : registry().list())
    if (kind.empty() || plugin.kind == kind) ids.push_back(plugin.kind + "/" + plugin.name);
  return ids;
}

const host::LoadedPlugin& load(const std::string& id) {
  const auto slash = id.find('/');
  return registry().find(id.substr(0, slash), id.substr(slash + 1));
}

/// Values for the required parameters: any folder that exists.
std::map<std::string, ParameterValue> required(const Schema& schema) {
  std::map<std::string, ParameterValue> given;
  for (const Parameter& p : schema.parameters)
    if (p.is_required)
      given[p.name] = p.type == Parameter::Type::path ? ParameterValue(std::string(OSTEON_SOURCE_DIR)) : p.standard;
  return given;
}

template <class H>
H make(const std::string& id, const std::map<std::string, ParameterValue>& given = {}) {
  const host::LoadedPlugin& plugin = load(id);
  std::map<std::string, ParameterValue> values = required(plugin.schema);
  values.insert(given.begin(), given.end());
  return H(plugin, Parameters(plugin.schema, values));
}

at::Tensor unit_rows(std::int64_t n, std::int64_t d, std::uint64_t seed) {
  Random random(seed, "contract");
  at::Tensor rows = at::empty({n, d}, at::kFloat);
  for (std::int64_t i = 0; i < n * d; ++i) rows.data_ptr<float>()[i] = static_cast<float>(random.normal());
  return rows / rows.norm(2, {1}, true);
}

std::string test_name(const testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  for (char& c : name)
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  return name;
}

class EveryPlugin : public testing::TestWithParam<std::string> {};

TEST_P(EveryPlugin, DeclaresParametersThatAPersonUnderstands) {
  const host::LoadedPlugin& plugin = load(GetParam());
  EXPECT_FALSE(plugin.schema.summary.empty());
  std::set<std::string> names;
  for (const Parameter& p : plugin.schema.parameters) {
    EXPECT_TRUE(names.insert(p.name).second) << p.name << " is declared twice";
    EXPECT_FALSE(p.sentence.empty()) << p.name;
    EXPECT_EQ(p.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_"), std::string::npos) << p.name;
    if (!p.is_required) {
      EXPECT_EQ(p.refusal(p.standard).value_or(""), "") << p.name << "'s default is not allowed";
    }
  }
}

TEST_P(EveryPlugin, RefusesValuesOutsideItsBounds) {
  for (const Parameter& p : load(GetParam()).schema.parameters) {
    const auto refused = [&](double value) {
      return p.type == Parameter::Type::integer ? p.refusal(static_cast<std::int64_t>(value)).has_value()
                                                : p.refusal(value).has_value();
    };
    if (p.type != Parameter::Type::integer && p.type != Parameter::Type::real) continue;
    EXPECT_TRUE(!std::isfinite(p.low) || refused(p.low - 1)) << p.name;
    EXPECT_TRUE(!std::isfinite(p.high) || refused(p.high + 1)) << p.name;
  }
}

TEST_P(EveryPlugin, ReadsEveryParameterThatItDeclares) {
  const host::LoadedPlugin& plugin = load(GetParam());
  const Parameters parameters(plugin.schema, required(plugin.schema));
  std::unique_ptr<Plugin> object;
  try {
    object = plugin.descriptor->create(parameters);
  } catch (const Error&) {
    return;  // the source tree's folder is no data; what it needs is tested with the plugin
  }
  EXPECT_EQ(parameters.unread(), std::vector<std::string>{});
}

INSTANTIATE_TEST_SUITE_P(Built, EveryPlugin, testing::ValuesIn(built()), test_name);

class EveryLoss : public testing::TestWithParam<std::string> {};

/// A loss whose published gradient is on purpose not its value's, and the setting in which it is. What it is as
/// published is tested in tests/loss.
const std::map<std::string, std::map<std::string, ParameterValue>> kExactGradient = {
    {"loss/circle", {{"constant_weights", false}}}};

/// A loss ready for a batch: its trained state, where it has some, drawn as the host draws it.
host::LossHandle prepared_loss(const std::string& id, const std::map<std::string, ParameterValue>& given = {}) {
  auto loss = make<host::LossHandle>(id, given);
  loss.prepare(3, 8);
  training::draw_loss_state(loss.state(), 1);
  return loss;
}

/// A batch of three classes with three images each, all valid triplets.
struct Batch {
  at::Tensor labels = at::tensor(std::vector<std::int64_t>{0, 0, 0, 1, 1, 1, 2, 2, 2}, at::kLong);
  Tuples all;

  Batch() {
    std::vector<std::int64_t> a, p, n;
    for (int i = 0; i < 9; ++i)
      for (int j = 0; j < 9; ++j)
        for (int k = 0; k < 9; ++k)
          if (i != j && i / 3 == j / 3 && i / 3 != k / 3) a.push_back(i), p.push_back(j), n.push_back(k);
    all = make_tuples(at::tensor(a, at::kLong), at::tensor(p, at::kLong), at::tensor(n, at::kLong), 9);
  }
};

TEST_P(EveryLoss, HasAGradientThatMatchesFiniteDifferences) {
  const auto exact = kExactGradient.find(GetParam());
  const auto loss =
      exact == kExactGradient.end() ? prepared_loss(GetParam()) : prepared_loss(GetParam(), exact->second);
  const Batch batch;
  at::Tensor x = unit_rows(9, 8, 1).requires_grad_();
  loss.compute(x, batch.labels, batch.all).value.backward();
  const at::Tensor gradient = x.grad().clone();
  const double scale = gradient.abs().max().item<double>();
  for (const std::int64_t i : {0, 13, 40, 71}) {
    const auto value = [&](double change) {
      at::Tensor moved = x.detach().clone();
      moved.data_ptr<float>()[i] += static_cast<float>(change);
      return loss.compute(moved.requires_grad_(), batch.labels, batch.all).value.item<double>();
    };
    EXPECT_NEAR(gradient.data_ptr<float>()[i], (value(1e-3) - value(-1e-3)) / 2e-3, 0.02 * scale + 1e-4)
        << "entry " << i;
  }
}

TEST_P(EveryLoss, GivesACountedZeroWithAGraphWhenThereIsNoTripletUnlessItNeedsNone) {
  const auto loss = prepared_loss(GetParam());
  at::Tensor x = unit_rows(9, 8, 2).requires_grad_();
  const at::Tensor none = at::empty({0}, at::kLong);
  const LossValue value = loss.compute(x, Batch().labels, make_tuples(none, none, none, 9));
  value.value.backward();
  if (loss.uses_tuples()) {
    EXPECT_EQ(value.value.item<float>(), 0);
    EXPECT_EQ(x.grad().abs().sum().item<float>(), 0);
    EXPECT_EQ(value.statistics.at("empty batches"), 1);
  } else {
    EXPECT_GT(x.grad().abs().sum().item<float>(), 0);
  }
}

TEST_P(EveryLoss, TrainsItsStateAndScoresClassesIfItKnowsThem) {
  const auto loss = prepared_loss(GetParam());
  const Batch batch;
  const at::Tensor x = unit_rows(9, 8, 4).requires_grad_();
  loss.compute(x, batch.labels, loss.uses_tuples() ? batch.all : Tuples{}).value.backward();
  for (const auto& [name, tensor] : loss.state())
    EXPECT_TRUE(!tensor.requires_grad() || tensor.grad().abs().sum().item<float>() > 0) << name;
  const at::Tensor scores = loss.class_scores(x);
  if (!scores.defined()) return;
  EXPECT_EQ(scores.sizes(), (std::vector<std::int64_t>{9, 3}));
  EXPECT_TRUE(scores.requires_grad());
}

TEST_P(EveryLoss, IsTheSameForTheSameInput) {
  const auto a = prepared_loss(GetParam()), b = prepared_loss(GetParam());
  const Batch batch;
  const at::Tensor x = unit_rows(9, 8, 3).requires_grad_();
  const float first = a.compute(x, batch.labels, batch.all).value.item<float>();
  EXPECT_EQ(first, a.compute(x, batch.labels, batch.all).value.item<float>());
  EXPECT_EQ(first, b.compute(x, batch.labels, batch.all).value.item<float>());
}

INSTANTIATE_TEST_SUITE_P(Built, EveryLoss, testing::ValuesIn(built("loss")), test_name);

class EveryClassifier : public testing::TestWithParam<std::string> {};

TEST_P(EveryClassifier, RecognisesWhatItWasFittedOn) {
  const auto classifier = make<host::ClassifierHandle>(GetParam());
  const at::Tensor centres = unit_rows(4, 16, 5);
  const at::Tensor labels = at::arange(4, at::kLong).repeat_interleave(10);
  const at::Tensor points = (centres.repeat_interleave(10, 0) + 0.05 * unit_rows(40, 16, 6)).contiguous();
  classifier.fit(points, labels);
  EXPECT_TRUE(classifier.predict(points).labels.equal(labels));
}

TEST_P(EveryClassifier, RefusesQueriesOfAnotherSizeOrWithoutAGallery) {
  const auto classifier = make<host::ClassifierHandle>(GetParam());
  EXPECT_THROW((void)classifier.predict(unit_rows(2, 16, 1)), Error);
  classifier.fit(unit_rows(6, 16, 1), at::arange(6, at::kLong));
  EXPECT_THROW((void)classifier.predict(unit_rows(2, 8, 1)), Error);
}

INSTANTIATE_TEST_SUITE_P(Built, EveryClassifier, testing::ValuesIn(built("classifier")), test_name);

class EveryRenderer : public testing::TestWithParam<std::string> {};

/// A 20 mm cube of water in air, on a 1 mm grid.
Volume water_cube() {
  at::Tensor voxels = at::full({40, 40, 40}, -1000, at::kShort);
  voxels.slice(0, 10, 30).slice(1, 10, 30).slice(2, 10, 30).fill_(0);
  Grid grid;
  grid.size = {40, 40, 40};
  grid.origin = {-19.5, -19.5, -19.5};
  return {voxels, grid};
}

Projection straight_on(std::int64_t pixels) {
  Projection p;
  p.parallel = true;
  p.direction = {0, 1, 0};
  p.source = {0, -500, 0};
  p.rows = p.columns = pixels;
  p.column_step = {1, 0, 0};
  p.row_step = {0, 0, -1};
  p.first_pixel = {-(static_cast<double>(pixels) - 1) / 2, 100, (static_cast<double>(pixels) - 1) / 2};
  return p;
}

TEST_P(EveryRenderer, MeasuresAChordInMillimetres) {
  const auto renderer = make<host::RendererHandle>(GetParam());
  const Volume volume = water_cube();
  const std::vector<Projection> one{straight_on(9)};
  const at::Tensor integrals = renderer.prepare(volume).project(one);
  EXPECT_NEAR(integrals[0][0][4][4].item<float>(), 20, 0.2);
  EXPECT_EQ(integrals[0][1].abs().max().item<float>(), 0);
}

TEST_P(EveryRenderer, SeesNothingInAir) {
  const auto renderer = make<host::RendererHandle>(GetParam());
  Volume volume = water_cube();
  volume.hounsfield.fill_(-1000);
  const std::vector<Projection> one{straight_on(9)};
  EXPECT_EQ(renderer.prepare(volume).project(one).abs().max().item<float>(), 0);
}

INSTANTIATE_TEST_SUITE_P(Built, EveryRenderer, testing::ValuesIn(built("renderer")), test_name);

class EverySurface : public testing::TestWithParam<std::string> {};

TEST_P(EverySurface, SaysWhenThereIsNoBone) {
  const auto surface = make<host::SurfaceHandle>(GetParam());
  try {
    (void)surface.extract(water_cube());
    FAIL() << "found a bone in water";
  } catch (const Error& e) {
    EXPECT_EQ(e.cause(), Error::Cause::mistake) << e.what();
    EXPECT_TRUE(std::string(e.what()).starts_with(GetParam() + ": ")) << e.what();
  }
}

INSTANTIATE_TEST_SUITE_P(Built, EverySurface, testing::ValuesIn(built("surface")), test_name);

class EveryBackbone : public testing::TestWithParam<std::string> {};

TEST_P(EveryBackbone, MakesFeaturesAndNamesItsParts) {
  const auto backbone = make<host::BackboneHandle>(GetParam());
  const auto network = backbone.make(1, 96, 96);
  network->eval();
  const at::Tensor images = at::rand({2, 1, 96, 96});
  const at::Tensor features = network->forward(images);
  EXPECT_EQ(features.size(0), 2);
  EXPECT_EQ(features.size(1), network->features());
  const auto groups = network->layer_groups();
  for (const auto& parameter : network->named_parameters()) {
    const bool grouped = std::any_of(groups.begin(), groups.end(),
                                     [&](const std::string& group) { return parameter.key().starts_with(group); });
    EXPECT_TRUE(grouped) << parameter.key() << " belongs to no layer group";
  }
  const auto modules = network->named_modules();
  EXPECT_NE(modules.find(network->last_convolution()), nullptr) << network->last_convolution();
}

INSTANTIATE_TEST_SUITE_P(Built, EveryBackbone, testing::ValuesIn(built("backbone")), test_name);

class EveryMetric : public testing::TestWithParam<std::string> {};

TEST_P(EveryMetric, SaysThatNothingIsDefinedWhereThereIsNoEvidence) {
  const auto metric = make<host::MetricHandle>(GetParam());
  Evidence::Contents nothing;
  nothing.bone = at::empty({0}, at::kLong);
  for (const MetricValue& value : metric.evaluate(nothing).values) {
    EXPECT_TRUE(std::isnan(value.value)) << value.row;
    EXPECT_FALSE(value.note.empty()) << value.row << " is undefined and does not say why";
  }
}

INSTANTIATE_TEST_SUITE_P(Built, EveryMetric, testing::ValuesIn(built("metric")), test_name);

class EveryShape : public testing::TestWithParam<std::string> {};

TEST_P(EveryShape, RefusesAnEmptyGallery) {
  const auto shape = make<host::ShapeHandle>(GetParam());
  ShapeGallery nobody;
  nobody.embeddings = at::empty({0, 8});
  nobody.bone = at::empty({0}, at::kLong);
  EXPECT_THROW(shape.fit(nobody), Error);
}

INSTANTIATE_TEST_SUITE_P(Built, EveryShape, testing::ValuesIn(built("shape")), test_name);

}  // namespace
}  // namespace osteon
