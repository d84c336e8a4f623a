// Training by several processes is training by one, within rounding; whoever is lost is named, and any number goes on.

#include "distributed/ranks.hpp"
#include "training/fixtures.hpp"

#include "pipeline/ranks.hpp"

#include <torch/torch.h>

namespace osteon::training {
namespace {

using test::Values;

/// One of the trainings that are compared.
struct Case {
  std::string name;
  Values training;
  std::string loss = "triplet";
  Values backbone = {{"width", 0.125}};
  std::string network = "resnet";
  std::int64_t pairs = 3;
  at::ScalarType type = at::kDouble;

  /// How far apart rounding may lead two trainings. A ReLU, a hinge or a miner whose arguments are a rounding apart
  /// makes another choice, and from there on they go their own ways: in float64 that is as good as impossible, whatever
  /// the processor; in float32 the steps have to be small.
  [[nodiscard]] double rounding() const { return type == at::kDouble ? 1e-10 : 2e-4; }
};

// Stochastic gradient descent, whose steps are as small as the gradients' errors (Adam divides by them).
const Values kPlain{
    {"epochs", std::int64_t{2}},  {"classes_per_batch", std::int64_t{4}}, {"images_per_class", std::int64_t{4}},
    {"threads", std::int64_t{1}}, {"precision", std::string("fp32")},     {"optimiser", std::string("sgd")},
    {"learning_rate", 1e-3}};

Values with(Values more) {
  more.insert(kPlain.begin(), kPlain.end());
  return more;
}

const std::vector<Case>& cases() {
  static const std::vector<Case> all{
      {"batch normalisation, all triplets", with({{"mining", std::string("batch_all")}})},
      {"no batch normalisation, random mining",
       with({{"mining", std::string("random")}}),
       "triplet",
       {{"depth", std::int64_t{11}}, {"width", 0.125}},
       "vgg"},
      {"weights of the loss, clipped gradients",
       with({{"sampling", std::string("images")}, {"gradient_norm", 0.5}, {"loss_rate", 2.0}}),
       "softmax",
       {{"width", 0.125}},
       "resnet",
       0},
      {"drawn triplets, frozen statistics, Adam", with({{"sampling", std::string("triplets")},
                                                        {"batch_size", std::int64_t{5}},
                                                        {"frozen_batch_norm", true},
                                                        {"optimiser", std::string("adamw")},
                                                        {"learning_rate", 1e-4},
                                                        {"keep", std::string("best")}})},
      {"many epochs",
       with({{"epochs", std::int64_t{4}}, {"mining", std::string("batch_all")}, {"learning_rate", 1e-5}})},
      {"batch normalisation, mined triplets", with({})},
      {"float32",
       with({{"mining", std::string("batch_all")}, {"learning_rate", 1e-5}}),
       "triplet",
       {{"width", 0.125}},
       "resnet",
       3,
       at::kFloat}};
  return all;
}

const Values kAugmented{{"shift", 0.05}, {"rotation", 5.0}, {"noise", 5.0}};

/// Not a test of its own: one rank of one case, started by the tests below. Exits with 7 after an error, whose words it
/// leaves in its folder.
TEST(Rank, Child) {
  const char* const work = std::getenv("OSTEON_TEST_WORK");
  if (work == nullptr) GTEST_SKIP() << "started by the tests of DistributedTraining";
  const Case& one = cases().at(std::stoul(std::getenv("OSTEON_TEST_CASE")));
  const Launch launch = launch_from([](const char* name) { return std::getenv(name); });
  try {
    Group group(launch, one.name);
    pipeline::as_rank(group, [&] {
      const Data data = test::made_up_data(6, 20, 32);
      const Parameters settings = test::training_parameters(one.training);
      const auto network = make_network(test::make<host::BackboneHandle>("backbone", one.network, one.backbone),
                                        test::head_parameters({{"dimensions", std::int64_t{32}}, {"pairs", one.pairs}}),
                                        settings, 32, 32);
      network->to(one.type);
      train(*network, test::make<host::LossHandle>("loss", one.loss), data, settings,
            test::augment_parameters(kAugmented), work, {}, group);
      return 0;
    });
  } catch (const Error& e) {
    std::ofstream(std::filesystem::path(work) / ("error-" + std::to_string(launch.rank))) << e.what();
    std::_Exit(7);
  }
  std::_Exit(HasFailure() ? 1 : 0);
}

/// Ranks of a case in a folder. `faulty` meets `fault` (host/fault.hpp).
std::vector<int> run_ranks(std::size_t number, int size, const std::filesystem::path& work, int faulty = -1,
                           const std::string& fault = "") {
  const int port = test::free_port();
  std::vector<pid_t> children;
  for (int rank = 0; rank < size; ++rank) {
    test::Environment environment = test::rank_environment(rank, size, port);
    environment["OSTEON_TEST_WORK"] = work.string();
    environment["OSTEON_TEST_CASE"] = std::to_string(number);
    if (rank == faulty) environment["OSTEON_FAULT"] = fault;
    children.push_back(test::start_self("Rank.Child", environment));
  }
  std::vector<int> ends;
  for (const pid_t child : children) ends.push_back(test::end_of(child));
  return ends;
}

/// What a training leaves in its checkpoint.
struct Left {
  std::map<std::string, at::Tensor> tensors;
  std::map<std::string, std::vector<double>> curves;
  std::vector<std::string> notices;
};

Left left_in(const std::filesystem::path& work) {
  torch::serialize::InputArchive archive;
  archive.load_from((work / "checkpoint.pt").string());
  const auto value = [&](const char* name) {
    c10::IValue read;
    archive.read(name, read);
    return read;
  };
  Left left;
  const c10::impl::GenericDict tensors = value("tensors").toGenericDict();
  for (const auto& entry : tensors) left.tensors[entry.key().toStringRef()] = entry.value().toTensor();
  const auto names = value("curves").toList();
  const std::vector<double> values = value("values").toDoubleVector();
  for (std::size_t i = 0; i < values.size(); ++i) left.curves[names.get(i).toStringRef()].push_back(values[i]);
  const auto notices = value("notices").toList();
  for (std::size_t i = 0; i < notices.size(); ++i) left.notices.push_back(notices.get(i).toStringRef());
  return left;
}

/// The largest difference between two trainings' weights, relative to each tensor's largest number.
double difference(const Left& a, const Left& b) {
  EXPECT_EQ(a.tensors.size(), b.tensors.size());
  double largest = 0;
  for (const auto& [name, tensor] : a.tensors) {
    const at::Tensor x = tensor.to(at::kDouble), y = b.tensors.at(name).to(at::kDouble);
    const double scale = std::max(1e-3, x.abs().max().item<double>());
    largest = std::max(largest, (x - y).abs().max().item<double>() / scale);
  }
  return largest;
}

/// The same of loss, statistics and accuracy.
double difference_of_curves(const Left& a, const Left& b) {
  EXPECT_EQ(a.curves.size(), b.curves.size());
  double largest = 0;
  for (const auto& [name, values] : a.curves) {
    EXPECT_EQ(values.size(), b.curves.at(name).size()) << name;
    for (std::size_t i = 0; i < values.size(); ++i)
      largest = std::max(largest, std::abs(values[i] - b.curves.at(name).at(i)));
  }
  return largest;
}

/// The training by one process, once for each case.
const Left& by_one(std::size_t number) {
  static std::map<std::size_t, Left> known;
  if (!known.contains(number)) {
    const test::TemporaryFolder work;
    EXPECT_EQ(run_ranks(number, 1, work.path()), std::vector<int>{0});
    known[number] = left_in(work.path());
  }
  return known.at(number);
}

TEST(DistributedTraining, IsThatOfOneProcessWithinRounding) {
  for (std::size_t number = 0; number < cases().size(); ++number) {
    const test::TemporaryFolder work;
    ASSERT_EQ(run_ranks(number, 2, work.path()), (std::vector<int>{0, 0})) << cases()[number].name;
    const Left two = left_in(work.path());
    EXPECT_LT(difference(by_one(number), two), cases()[number].rounding()) << cases()[number].name;
    EXPECT_LT(difference_of_curves(by_one(number), two), cases()[number].rounding()) << cases()[number].name;
    RecordProperty(cases()[number].name, std::to_string(difference(by_one(number), two)));
    std::cout << cases()[number].name << ": weights " << difference(by_one(number), two) << ", curves "
              << difference_of_curves(by_one(number), two) << "\n";
  }
}

TEST(DistributedTraining, SharesNeedNotBeEqual) {
  const test::TemporaryFolder work;
  ASSERT_EQ(run_ranks(0, 3, work.path()), (std::vector<int>{0, 0, 0}));  // 16 images: 5, 5 and 6
  EXPECT_LT(difference(by_one(0), left_in(work.path())), cases()[0].rounding());
}

TEST(DistributedTraining, TheComparisonSeesAnotherTraining) { EXPECT_GT(difference(by_one(0), by_one(4)), 0.02); }

TEST(DistributedTraining, RepeatsItselfBitForBit) {
  const test::TemporaryFolder first, second;
  run_ranks(0, 2, first.path());
  run_ranks(0, 2, second.path());
  EXPECT_EQ(difference(left_in(first.path()), left_in(second.path())), 0);
}

TEST(DistributedTraining, NamesTheProcessThatWasKilledAndAnyNumberGoesOn) {
  for (const int faulty : {0, 1}) {
    const test::TemporaryFolder work;
    const auto start = std::chrono::steady_clock::now();
    std::vector<int> ends = run_ranks(0, 2, work.path(), faulty, "batch:8");  // in the second epoch
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30));
    EXPECT_EQ(ends[static_cast<std::size_t>(faulty)], 128 + SIGKILL);
    EXPECT_EQ(ends[static_cast<std::size_t>(1 - faulty)], 7);
    const std::string told = test::words_in(work.path() / ("error-" + std::to_string(1 - faulty)));
    EXPECT_TRUE(told.starts_with(text("rank ", faulty, " ("))) << told;
    EXPECT_NE(told.find(") was lost: it was killed, or its machine is gone"), std::string::npos) << told;
    ASSERT_EQ(run_ranks(0, 1, work.path()), std::vector<int>{0});
    const Left whole = left_in(work.path());
    EXPECT_LT(difference(by_one(0), whole), cases()[0].rounding());
    ASSERT_EQ(whole.notices.size(), 1U);
    EXPECT_EQ(whole.notices.front(),
              "went on after epoch 1 with 1 process where there had been 2: the weights are the same within rounding, "
              "not bit for bit");
  }
}

TEST(DistributedTraining, SeveralGoOnWhereOneWasKilled) {
  const test::TemporaryFolder work;
  EXPECT_EQ(run_ranks(0, 1, work.path(), 0, "batch:8"), std::vector<int>{128 + SIGKILL});
  ASSERT_EQ(run_ranks(0, 2, work.path()), (std::vector<int>{0, 0}));
  const Left whole = left_in(work.path());
  EXPECT_LT(difference(by_one(0), whole), cases()[0].rounding());
  EXPECT_EQ(whole.curves.at("loss").size(), by_one(0).curves.at("loss").size());
  ASSERT_EQ(whole.notices.size(), 1U);
  EXPECT_TRUE(whole.notices.front().starts_with("went on after epoch 1 with 2 processes where there had been 1"));
}

}  // namespace
}  // namespace osteon::training
