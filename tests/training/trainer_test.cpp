// Training as a whole: it learns, it repeats itself bit for bit, it survives being killed, it says what is wrong.

#include "training/fixtures.hpp"

#include "host/stop.hpp"
#include "training/runtime.hpp"

#include <torch/torch.h>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>

#include <fstream>
#include <set>

namespace osteon::training {
namespace {

using test::Values;

/// A training of a few seconds: 6 made-up bones, a network of an eighth of the width.
struct SmallTraining {
  explicit SmallTraining(Values values = {}, Data given = test::made_up_data(6, 20, 32), const Values& augmented = {})
      : data(std::move(given)), augment(test::augment_parameters(augmented)) {
    Values settings{{"epochs", std::int64_t{3}},
                    {"classes_per_batch", std::int64_t{4}},
                    {"images_per_class", std::int64_t{4}},
                    {"threads", std::int64_t{1}}};
    for (auto& [name, value] : values) settings[name] = value;
    parameters = test::training_parameters(settings);
    network = make_network(test::make<host::BackboneHandle>("backbone", "resnet", {{"width", 0.125}}),
                           test::head_parameters({{"dimensions", std::int64_t{32}}}), parameters, 32, 32);
  }

  std::vector<CurvePoint> run(const std::filesystem::path& work) { return train_with(loss, work).curves; }
  Trained train_with(const host::LossHandle& by, const std::filesystem::path& work) {
    return train(*network, by, data, parameters, augment, work,
                 {[this](const Progress& p) { progress.push_back(p); }, {}});
  }

  Data data;
  Parameters parameters, augment;
  host::LossHandle loss = test::make<host::LossHandle>("loss", "triplet", {{"margin", 0.2}});
  std::shared_ptr<FingerprintNetwork> network;
  std::vector<Progress> progress;
};

std::map<std::string, at::Tensor> weights_after(Values values, const Values& augmented = {}) {
  const test::TemporaryFolder work;
  SmallTraining training(std::move(values), test::made_up_data(6, 20, 32), augmented);
  training.run(work.path());
  return network_state(*training.network);
}

bool equal(const std::map<std::string, at::Tensor>& a, const std::map<std::string, at::Tensor>& b) {
  return std::ranges::equal(
      a, b, [](const auto& x, const auto& y) { return x.first == y.first && at::equal(x.second, y.second); });
}

const Values kAugmented{{"shift", 0.05}, {"rotation", 5.0}, {"noise", 5.0}};

std::vector<double> curve(const std::vector<CurvePoint>& points, const std::string& name) {
  std::vector<double> values;
  for (const CurvePoint& point : points)
    if (point.curve == name) values.push_back(point.value);
  return values;
}

TEST(Training, TellsMadeUpBonesApart) {
  const test::TemporaryFolder work;
  for (const std::string precision : {"bf16", "fp32"}) {
    SmallTraining training({{"epochs", std::int64_t{18}}, {"precision", precision}}, test::made_up_data(8, 30, 32));
    const auto curves = training.run(work.path() / precision);
    const auto accuracy = curve(curves, "triplet accuracy (validation)");
    ASSERT_EQ(accuracy.size(), 18U);
    EXPECT_GT(accuracy.back(), 0.95) << precision;
    const auto loss = curve(curves, "loss"), active = curve(curves, "active triplets");
    EXPECT_EQ(loss.size(), 18U * 10U);
    EXPECT_LT(active.back(), active.front());
    EXPECT_EQ(curves.back().step, 18);
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
    const Values values{{"precision", precision}, {"mining", std::string("random")}};
    EXPECT_TRUE(equal(weights_after(values, kAugmented), weights_after(values, kAugmented))) << precision;
  }
  const Values two_threads{{"threads", std::int64_t{2}}, {"epochs", std::int64_t{1}}};
  EXPECT_TRUE(equal(weights_after(two_threads), weights_after(two_threads)));
}

/// The one that "auto" does not choose on this processor.
std::string other_precision() { return resolved_precision(test::training_parameters({})) == "bf16" ? "fp32" : "bf16"; }

TEST(Training, EveryParameterChangesTheWeights) {
  const auto standard = weights_after({});
  const auto texts = [](auto... words) { return std::vector<std::string>{words...}; };
  const std::vector<Values> others{
      {{"epochs", std::int64_t{2}}},
      {{"sampling", std::string("triplets")}},
      {{"sampling", std::string("triplets")}, {"batch_size", std::int64_t{8}}},
      {{"sampling", std::string("images")}},
      {{"classes_per_batch", std::int64_t{3}}},
      {{"images_per_class", std::int64_t{3}}},
      {{"mining", std::string("batch_all")}},
      {{"curriculum", texts("random")}, {"curriculum_epochs", std::vector<std::int64_t>{2}}},
      {{"curriculum", texts("random")}, {"curriculum_epochs", std::vector<std::int64_t>{3}}},
      {{"optimiser", std::string("sgd")}},
      {{"learning_rate", 2e-3}},
      {{"schedule", std::string("constant")}},
      {{"schedule", std::string("one_cycle")}},
      {{"schedule", std::string("step")}},
      {{"schedule", std::string("step")}, {"step_epochs", std::int64_t{1}}},
      {{"schedule", std::string("step")}, {"step_factor", 0.5}},
      {{"warmup", 0.5}},
      {{"layer_decay", 0.5}},
      {{"layer_rates", std::vector<double>{0.5, 1, 1, 1, 1, 1}}},
      {{"frozen", texts("conv1")}},
      {{"frozen_batch_norm", true}},
      {{"momentum", 0.5}},
      {{"weight_decay", 0.1}},
      {{"gradient_norm", 0.1}},
      {{"precision", other_precision()}},
      {{"seed", std::int64_t{2}}}};
  std::set<std::string> changed;
  std::vector<std::map<std::string, at::Tensor>> results{standard};
  for (const Values& values : others) {
    results.push_back(weights_after(values));
    for (std::size_t i = 0; i + 1 < results.size(); ++i)
      EXPECT_FALSE(equal(results[i], results.back())) << values.begin()->first << " is as run " << i;
    for (const auto& [name, value] : values) changed.insert(name);
  }
  // "threads" may change the last bits, "device" what is computed where, "workers" nothing; tests below show that
  // "patience" and "keep" choose an epoch and that "loss_rate" moves a loss's own weights. "upright" and "planes"
  // change the images before the trainer sees them: tests/pipeline.
  for (const char* elsewhere : {"threads", "device", "workers", "patience", "keep", "loss_rate", "upright", "planes"})
    changed.insert(elsewhere);
  for (const Parameter& parameter : training_schema().parameters)
    EXPECT_TRUE(changed.contains(parameter.name)) << parameter.name;
}

TEST(Training, EveryAugmentationChangesTheWeights) {
  const auto standard = weights_after({{"epochs", std::int64_t{1}}});
  for (const Parameter& parameter : augment_schema().parameters)
    EXPECT_FALSE(equal(standard, weights_after({{"epochs", std::int64_t{1}}}, {{parameter.name, 0.25}})))
        << parameter.name;
}

TEST(Training, TheNumberOfWorkersChangesNothing) {
  const auto with = [](std::int64_t workers) { return weights_after({{"workers", workers}}, kAugmented); };
  const auto none = with(0);
  EXPECT_TRUE(equal(none, with(1)));
  EXPECT_TRUE(equal(none, with(4)));
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
  const Listener stop_at_8{[](const Progress& p) { host::set_stop_flag(p.batches_done == 8); }, {}};
  EXPECT_THROW(train(*training.network, training.loss, training.data, training.parameters, training.augment,
                     work.path(), stop_at_8),
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
  SmallTraining({{"mining", std::string("random")}}, test::made_up_data(6, 20, 32), kAugmented).run(work);
}

int run_child(const std::string& fault, const std::filesystem::path& work,
              const std::string& test = "KilledTraining.Child") {
  const std::string setting = "OSTEON_FAULT=" + fault, folder = "OSTEON_TEST_WORK=" + work.string();
  const pid_t child = ::fork();
  if (child == 0) {
    ::putenv(const_cast<char*>(setting.c_str()));
    ::putenv(const_cast<char*>(folder.c_str()));
    ::close(STDOUT_FILENO);
    const std::string filter = "--gtest_filter=" + test;
    ::execl("/proc/self/exe", "test_training", filter.c_str(), nullptr);
    ::_exit(127);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

TEST(Training, KilledAnywhereItEndsWithTheSameWeights) {
  const Values values{{"mining", std::string("random")}};
  const auto expected = weights_after(values, kAugmented);
  for (const std::string fault : {"batch:3", "batch:7", "checkpoint:1", "checkpoint:2"}) {
    const test::TemporaryFolder work;
    const int status = run_child(fault, work.path());
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << fault << " " << status;
    SmallTraining again(values, test::made_up_data(6, 20, 32), kAugmented);
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

TEST(Training, RefusesACheckpointOfAnotherNetworkOrOfANewerOsteon) {
  const test::TemporaryFolder work;
  const std::string file = (work.path() / "checkpoint.pt").string();
  SmallTraining({{"epochs", std::int64_t{1}}}).run(work.path());
  SmallTraining other;
  other.network = make_network(test::make<host::BackboneHandle>("backbone", "resnet", {{"width", 0.25}}),
                               test::head_parameters({{"dimensions", std::int64_t{32}}}), other.parameters, 32, 32);
  EXPECT_EQ(test::message_of([&] { other.run(work.path()); }),
            file + ": checkpoint of another network; delete it, and the training starts anew");
  torch::serialize::OutputArchive newer;
  newer.write("format", c10::IValue(std::int64_t{7}));
  newer.save_to(file);
  EXPECT_EQ(
      test::message_of([&] { SmallTraining().run(work.path()); }),
      file + ": checkpoint of a newer Osteon (format 7; this one knows 1); delete it, and the training starts anew");
}

/// Not a test of its own: the next test starts it in a process whose files may not grow beyond a limit.
TEST(FullDisk, Child) {
  const char* work = std::getenv("OSTEON_TEST_WORK");
  if (work == nullptr) GTEST_SKIP() << "started by Training.KeepsTheLastCheckpointWhenTheDiskIsFull";
  SmallTraining training;
  std::size_t checkpoint = 0;
  try {
    train(*training.network, training.loss, training.data, training.parameters, training.augment, work,
          {[&](const Progress& p) {
             if (p.batches_done != 8) return;
             checkpoint = std::filesystem::file_size(std::filesystem::path(work) / "checkpoint.pt");
             ::signal(SIGXFSZ, SIG_IGN);
             const rlimit limit{checkpoint / 2, checkpoint / 2};
             ::setrlimit(RLIMIT_FSIZE, &limit);
           },
           {}});
  } catch (const Error& e) {
    const std::string message = e.what();
    ::_exit(message.find("checkpoint.pt: cannot write: File too large; is the disk full") == std::string::npos ? 8 : 7);
  }
  ::_exit(9);
}

TEST(Training, KeepsTheLastCheckpointWhenTheDiskIsFull) {
  const test::TemporaryFolder work;
  const auto expected = weights_after({});
  const int status = run_child("", work.path(), "FullDisk.Child");
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 7);
  EXPECT_FALSE(std::filesystem::exists(work.path() / "checkpoint.pt.partial"));
  SmallTraining again;
  again.run(work.path());
  EXPECT_EQ(again.progress.front().batches_done, 6);  // after the first epoch
  EXPECT_TRUE(equal(network_state(*again.network), expected));
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
      test::message_of([&] { training.train_with(loss, work.path()); }),
      "the loss became nan in epoch 2, batch 3 (its images: " + (work.path() / "diverged-batch.png").string() +
          "); lower training.learning_rate, limit training.gradient_norm (to 1, say), or set training.precision = "
          "\"fp32\"");
  EXPECT_GT(std::filesystem::file_size(work.path() / "diverged-batch.png"), 1000U);
  std::ifstream list(work.path() / "diverged-batch.csv");
  std::string header, first;
  std::getline(list, header);
  std::getline(list, first);
  EXPECT_EQ(header, "image,row,class");
  EXPECT_TRUE(first.starts_with("0,"));
}

/// Pulls embeddings towards proxies of the classes: a loss with trained state.
class ProxyLoss : public Loss {
 public:
  static Schema schema() { return {"For this test.", {}}; }
  explicit ProxyLoss(const Parameters& /*parameters*/) {}
  void prepare(std::int64_t classes, std::int64_t embedding_size) override {
    proxies_ = at::zeros({classes, embedding_size}).set_requires_grad(true);
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
  const auto proxies_after = [&](std::int64_t stop_at, double rate = 1) {
    const test::TemporaryFolder work;
    for (;;) {
      SmallTraining training({{"loss_rate", rate}});
      const host::LossHandle loss(plugin, Parameters(plugin.schema, {}));
      try {
        train(*training.network, loss, training.data, training.parameters, training.augment, work.path(),
              {[&](const Progress& p) { host::set_stop_flag(p.batches_done == stop_at); }, {}});
        return loss.state().at("proxies").detach().clone();
      } catch (const host::Stopped&) {
        host::set_stop_flag(false);
        stop_at = -1;
      }
    }
  };
  const at::Tensor whole = proxies_after(-1);
  EXPECT_TRUE(at::equal(whole, proxies_after(12)));
  EXPECT_FALSE(at::equal(whole, proxies_after(-1, 10)));
}

/// A class layer: all that a loss over classes needs.
class ClassLoss : public Loss {
 public:
  static Schema schema() { return {"For this test.", {}}; }
  explicit ClassLoss(const Parameters& /*parameters*/) {}
  void prepare(std::int64_t classes, std::int64_t embedding_size) override {
    weight_ = at::zeros({classes, embedding_size}).set_requires_grad(true);
  }
  [[nodiscard]] bool uses_tuples() const override { return false; }
  [[nodiscard]] at::Tensor class_scores(const at::Tensor& embeddings) override {
    return embeddings.matmul(weight_.t());
  }
  [[nodiscard]] LossValue compute(const at::Tensor& embeddings, const at::Tensor& labels,
                                  const Tuples& tuples) override {
    EXPECT_FALSE(tuples.anchor.defined());
    return {at::nll_loss(class_scores(embeddings).log_softmax(1), labels), {}};
  }
  [[nodiscard]] std::map<std::string, at::Tensor> state() override { return {{"weight", weight_}}; }

 private:
  at::Tensor weight_;
};

const PluginDescriptor kClassLoss = {
    "loss", "class", "0.1.0", &ClassLoss::schema,
    [](const Parameters& parameters) -> std::unique_ptr<Plugin> { return std::make_unique<ClassLoss>(parameters); }};

/// Transfer learning in small: a class layer on a network's features.
struct ClassTraining : SmallTraining {
  explicit ClassTraining(const Values& values) : SmallTraining(values) {
    network = make_network(test::make<host::BackboneHandle>("backbone", "resnet", {{"width", 0.125}}),
                           test::head_parameters({{"pairs", std::int64_t{0}}}), parameters, 32, 32);
  }
  Trained train_it() { return train_with(by, work.path()); }

  test::TemporaryFolder work;
  host::LoadedPlugin plugin{&kClassLoss, "", "", kClassLoss.schema()};
  host::LossHandle by{plugin, Parameters(plugin.schema, {})};
};

TEST(Training, OfAClassLayerAloneLeavesTheBackboneAsItWas) {
  ClassTraining training({{"frozen", std::vector<std::string>{"backbone"}},
                          {"sampling", std::string("images")},
                          {"learning_rate", 0.05},
                          {"epochs", std::int64_t{8}}});
  const auto before = network_state(*training.network);
  const Trained trained = training.train_it();
  EXPECT_TRUE(equal(network_state(*training.network), before));
  const auto accuracy = curve(trained.curves, "class accuracy (validation)");
  ASSERT_EQ(accuracy.size(), 8U);
  EXPECT_GT(accuracy.back(), 0.6);  // chance: 1 of 6
  EXPECT_TRUE(curve(trained.curves, "triplet accuracy (validation)").empty());
}

TEST(Training, KeepsTheBestEpochAndEndsWithoutGain) {
  // A rate that grows into ruin: the best epoch comes early.
  const Values values{
      {"epochs", std::int64_t{12}},  {"learning_rate", 0.3},        {"optimiser", std::string("sgd")},  {"warmup", 0.9},
      {"patience", std::int64_t{3}}, {"keep", std::string("best")}, {"sampling", std::string("images")}};
  ClassTraining training(values);
  const Trained trained = training.train_it();
  const auto accuracy = curve(trained.curves, "class accuracy (validation)");
  const auto best = std::ranges::max_element(accuracy);
  const at::NoGradGuard no_graph;
  std::vector<std::int64_t> rows = training.data.validation;
  const at::Tensor embeddings = embed(*training.network, training.data.pixels, rows, training.parameters, {});
  const at::Tensor labels = training.data.labels.index_select(0, at::tensor(rows, at::kLong));
  EXPECT_DOUBLE_EQ(training.by.class_scores(embeddings).argmax(1).eq(labels).to(at::kDouble).mean().item<double>(),
                   *best);
  ASSERT_FALSE(trained.notices.empty());
  EXPECT_TRUE(trained.notices.back().starts_with("kept the weights of epoch ")) << trained.notices.back();
  if (accuracy.size() < 12) {
    EXPECT_TRUE(trained.notices.front().starts_with("training ended after ")) << trained.notices.front();
    EXPECT_GE(accuracy.end() - best, 4);
  }
}

}  // namespace
}  // namespace osteon::training
