// Training as a whole: it learns, it repeats itself bit for bit, it survives being killed, it says what is wrong.

#include "training/fixtures.hpp"

#include "host/stop.hpp"

#include <torch/torch.h>

#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

namespace osteon::training {
namespace {

using test::Values;

/// A training of a few seconds: 6 made-up bones, a network of an eighth of the width.
struct SmallTraining {
  explicit SmallTraining(Values values = {}, Data given = test::made_up_data(6, 20, 32)) : data(std::move(given)) {
    Values settings{{"epochs", std::int64_t{3}},
                    {"classes_per_batch", std::int64_t{4}},
                    {"images_per_class", std::int64_t{4}},
                    {"threads", std::int64_t{1}}};
    for (auto& [name, value] : values) settings[name] = value;
    parameters = test::training_parameters(settings);
    network = make_network(test::make<host::BackboneHandle>("backbone", "resnet", {{"width", 0.125}}),
                           test::head_parameters({{"dimensions", std::int64_t{32}}}), parameters, 32, 32);
  }

  std::vector<CurvePoint> run(const std::filesystem::path& work) {
    return train(*network, loss, data, parameters, work, [this](const Progress& p) { progress.push_back(p); });
  }

  Data data;
  Parameters parameters;
  host::LossHandle loss = test::make<host::LossHandle>("loss", "triplet", {{"margin", 0.2}});
  std::shared_ptr<FingerprintNetwork> network;
  std::vector<Progress> progress;
};

std::map<std::string, at::Tensor> weights_after(Values values, Data data = test::made_up_data(6, 20, 32)) {
  const test::TemporaryFolder work;
  SmallTraining training(std::move(values), std::move(data));
  training.run(work.path());
  return network_state(*training.network);
}

bool equal(const std::map<std::string, at::Tensor>& a, const std::map<std::string, at::Tensor>& b) {
  return std::ranges::equal(
      a, b, [](const auto& x, const auto& y) { return x.first == y.first && at::equal(x.second, y.second); });
}

std::vector<double> curve(const std::vector<CurvePoint>& points, const std::string& name) {
  std::vector<double> values;
  for (const CurvePoint& point : points)
    if (point.curve == name) values.push_back(point.value);
  return values;
}

TEST(Training, TellsMadeUpBonesApart) {
  const test::TemporaryFolder work;
  for (const std::string precision : {"bf16", "fp32"}) {
    SmallTraining training({{"epochs", std::int64_t{12}}, {"precision", precision}}, test::made_up_data(8, 30, 32));
    const auto curves = training.run(work.path() / precision);
    const auto accuracy = curve(curves, "triplet accuracy (validation)");
    ASSERT_EQ(accuracy.size(), 12U);
    EXPECT_GT(accuracy.back(), 0.95) << precision;
    const auto loss = curve(curves, "loss"), active = curve(curves, "active triplets");
    EXPECT_EQ(loss.size(), 12U * 10U);
    EXPECT_LT(active.back(), active.front());
    EXPECT_EQ(curves.back().step, 12);
  }
}

TEST(Training, ReportsItsProgress) {
  const test::TemporaryFolder work;
  SmallTraining training;
  training.run(work.path());
  ASSERT_EQ(training.progress.size(), 15U);  // 84 images / 16 = 5 batches, 3 epochs
  EXPECT_EQ(training.progress.back().batches_done, 15);
  EXPECT_EQ(training.progress.back().batches_total, 15);
  EXPECT_EQ(training.progress.back().seconds_left, 0);
  EXPECT_GT(training.progress.front().seconds_left, 0);
  EXPECT_TRUE(training.progress.back().detail.starts_with("epoch 3/3  loss 0."));
  EXPECT_NE(training.progress.back().detail.find("  triplet accuracy "), std::string::npos);
}

TEST(Training, RepeatsItselfBitForBit) {
  for (const std::string precision : {"bf16", "fp32"}) {
    const Values values{{"precision", precision}, {"mining", std::string("random")}, {"shift", std::int64_t{2}}};
    EXPECT_TRUE(equal(weights_after(values), weights_after(values))) << precision;
  }
  const Values two_threads{{"threads", std::int64_t{2}}, {"epochs", std::int64_t{1}}};
  EXPECT_TRUE(equal(weights_after(two_threads), weights_after(two_threads)));
}

TEST(Training, EveryParameterChangesTheWeights) {
  const auto standard = weights_after({});
  const Values others{{"epochs", std::int64_t{2}},
                      {"classes_per_batch", std::int64_t{3}},
                      {"images_per_class", std::int64_t{3}},
                      {"mining", std::string("batch_all")},
                      {"optimiser", std::string("sgd")},
                      {"learning_rate", 2e-3},
                      {"schedule", std::string("constant")},
                      {"warmup", 0.5},
                      {"layer_decay", 0.5},
                      {"momentum", 0.5},
                      {"weight_decay", 0.1},
                      {"gradient_norm", 0.1},
                      {"shift", std::int64_t{1}},
                      {"precision", std::string("fp32")},
                      {"seed", std::int64_t{2}}};
  for (const auto& [name, value] : others) EXPECT_FALSE(equal(standard, weights_after({{name, value}}))) << name;
  // "threads" may change the last bits and "device" what is computed where; neither has to.
  EXPECT_EQ(others.size() + 2, training_schema().parameters.size());
}

TEST(Training, OptimisersDiffer) {
  const auto with = [](const char* name) {
    return weights_after({{"optimiser", std::string(name)}, {"weight_decay", 0.1}});
  };
  const auto sgd = with("sgd"), adam = with("adam"), adamw = with("adamw");
  EXPECT_FALSE(equal(sgd, adam));
  EXPECT_FALSE(equal(adam, adamw));
}

TEST(Training, LearnsWithoutValidationImages) {
  const test::TemporaryFolder work;
  SmallTraining training;
  training.data.validation.clear();
  EXPECT_TRUE(curve(training.run(work.path()), "triplet accuracy (validation)").empty());
}

TEST(Training, StopsBetweenBatchesAndGoesOn) {
  const test::TemporaryFolder work;
  const auto expected = weights_after({});
  SmallTraining training;
  const auto stop_at_8 = [](const Progress& p) { host::set_stop_flag(p.batches_done == 8); };
  EXPECT_THROW(train(*training.network, training.loss, training.data, training.parameters, work.path(), stop_at_8),
               host::Stopped);
  host::set_stop_flag(false);
  SmallTraining again;
  const auto curves = again.run(work.path());
  EXPECT_EQ(again.progress.front().batches_done, 6);
  EXPECT_EQ(curve(curves, "triplet accuracy (validation)").size(), 3U);
  EXPECT_TRUE(equal(network_state(*again.network), expected));
}

/// Not a test of its own: what the next test starts in another process and kills.
TEST(KilledTraining, Child) {
  const char* work = std::getenv("OSTEON_TEST_WORK");
  if (work == nullptr) GTEST_SKIP() << "started by Training.KilledAnywhereItEndsWithTheSameWeights";
  SmallTraining({{"shift", std::int64_t{1}}, {"mining", std::string("random")}}).run(work);
}

int run_child(const std::string& fault, const std::filesystem::path& work) {
  const std::string setting = "OSTEON_FAULT=" + fault, folder = "OSTEON_TEST_WORK=" + work.string();
  const pid_t child = ::fork();
  if (child == 0) {
    ::putenv(const_cast<char*>(setting.c_str()));
    ::putenv(const_cast<char*>(folder.c_str()));
    ::close(STDOUT_FILENO);
    ::execl("/proc/self/exe", "test_training", "--gtest_filter=KilledTraining.Child", nullptr);
    ::_exit(127);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

TEST(Training, KilledAnywhereItEndsWithTheSameWeights) {
  const Values values{{"shift", std::int64_t{1}}, {"mining", std::string("random")}};
  const auto expected = weights_after(values);
  for (const std::string fault : {"batch:3", "batch:7", "checkpoint:1", "checkpoint:2"}) {
    const test::TemporaryFolder work;
    const int status = run_child(fault, work.path());
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << fault << " " << status;
    SmallTraining again(values);
    const auto curves = again.run(work.path());
    EXPECT_TRUE(equal(network_state(*again.network), expected)) << fault;
    EXPECT_EQ(curve(curves, "loss").size(), 15U) << fault;
    EXPECT_EQ(again.progress.front().batches_done, fault == "batch:7" || fault == "checkpoint:2" ? 6 : 1) << fault;
    EXPECT_FALSE(std::filesystem::exists(work.path() / "checkpoint.pt.partial"));
  }
}

TEST(Training, RefusesADamagedOrForeignCheckpoint) {
  const test::TemporaryFolder work;
  const std::string file = (work.path() / "checkpoint.pt").string();
  SmallTraining({{"epochs", std::int64_t{1}}}).run(work.path());
  EXPECT_EQ(
      test::message_of([&] {
        SmallTraining({{"epochs", std::int64_t{2}}}).run(work.path());
      }),
      file + ": checkpoint of a training with other parameters or images; delete it, and the training starts anew");
  std::ofstream(file, std::ios::trunc) << "no archive";
  EXPECT_EQ(test::message_of([&] { SmallTraining().run(work.path()); }),
            file + ": damaged checkpoint; delete it, and the training starts anew");
}

TEST(Training, NamesTheCheckpointThatItCannotWrite) {
  SmallTraining training;
  EXPECT_TRUE(test::message_of([&] {
                training.run("/proc/osteon");
              }).starts_with("/proc/osteon/checkpoint.pt: cannot write: "));
}

/// Fine for seven batches, then not a number.
class BrokenLoss : public Loss {
 public:
  static Schema schema() { return {"For this test.", {}}; }
  explicit BrokenLoss(const Parameters& /*parameters*/) {}
  [[nodiscard]] LossValue compute(const at::Tensor& embeddings, const at::Tensor& /*labels*/,
                                  const Tuples& /*tuples*/) override {
    return {embeddings.sum() * (++calls_ > 7 ? std::nan("") : 0.0), {}};
  }

 private:
  int calls_ = 0;
};

const PluginDescriptor kBrokenLoss = {
    "loss", "broken", "0.1.0", &BrokenLoss::schema,
    [](const Parameters& parameters) -> std::unique_ptr<Plugin> { return std::make_unique<BrokenLoss>(parameters); }};

TEST(Training, SaysWhereItDiverged) {
  const test::TemporaryFolder work;
  SmallTraining training;
  const host::LoadedPlugin broken{&kBrokenLoss, "", "", kBrokenLoss.schema()};
  const host::LossHandle loss(broken, Parameters(broken.schema, {}));
  EXPECT_EQ(
      test::message_of([&] { train(*training.network, loss, training.data, training.parameters, work.path(), {}); }),
      "the loss became nan in epoch 2, batch 3; lower training.learning_rate, limit training.gradient_norm (to 1, "
      "say), or "
      "set training.precision = \"fp32\"");
}

/// Pulls embeddings towards proxies of the classes: a loss with trained state.
class ProxyLoss : public Loss {
 public:
  static Schema schema() { return {"For this test.", {}}; }
  explicit ProxyLoss(const Parameters& /*parameters*/) {}
  void prepare(std::int64_t classes, std::int64_t embedding_size) override {
    proxies_ = at::eye(classes, embedding_size).set_requires_grad(true);
  }
  [[nodiscard]] LossValue compute(const at::Tensor& embeddings, const at::Tensor& labels, const Tuples&) override {
    return {(embeddings - proxies_.index_select(0, labels)).square().sum(), {}};
  }
  [[nodiscard]] std::map<std::string, at::Tensor> state() override { return {{"proxies", proxies_}}; }

 private:
  at::Tensor proxies_;
};

const PluginDescriptor kProxyLoss = {
    "loss", "proxy", "0.1.0", &ProxyLoss::schema,
    [](const Parameters& parameters) -> std::unique_ptr<Plugin> { return std::make_unique<ProxyLoss>(parameters); }};

TEST(Training, TrainsAndRestoresTheLossesOwnState) {
  const host::LoadedPlugin plugin{&kProxyLoss, "", "", kProxyLoss.schema()};
  const auto proxies_after = [&](std::int64_t stop_at) {
    const test::TemporaryFolder work;
    for (;;) {
      SmallTraining training;
      const host::LossHandle loss(plugin, Parameters(plugin.schema, {}));
      try {
        train(*training.network, loss, training.data, training.parameters, work.path(),
              [&](const Progress& p) { host::set_stop_flag(p.batches_done == stop_at); });
        return loss.state().at("proxies").detach().clone();
      } catch (const host::Stopped&) {
        host::set_stop_flag(false);
        stop_at = -1;
      }
    }
  };
  const at::Tensor whole = proxies_after(-1);
  EXPECT_FALSE(at::equal(whole, at::eye(6, 32)));
  EXPECT_TRUE(at::equal(whole, proxies_after(12)));
}

}  // namespace
}  // namespace osteon::training
