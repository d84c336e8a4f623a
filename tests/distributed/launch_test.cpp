// Which process of several this is, from the environment.

#include "training/launch.hpp"
#include "training/fixtures.hpp"

namespace osteon::training {
namespace {

Launch launch_of(const std::map<std::string, std::string>& variables) {
  return launch_from([&](const char* name) -> const char* {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  });
}

std::string mistake_in(const std::map<std::string, std::string>& variables) {
  return test::message_of([&] { (void)launch_of(variables); });
}

TEST(Launch, IsAloneWhereNothingIsSaid) {
  EXPECT_EQ(launch_of({}).size, 1);
  EXPECT_EQ(launch_of({{"WORLD_SIZE", "1"}}).size, 1);
  // A batch script of a job of four tasks, which are not started yet.
  EXPECT_EQ(launch_of({{"SLURM_NTASKS", "4"}, {"SLURM_PROCID", "0"}, {"SLURM_JOB_NODELIST", "n1"}}).size, 1);
}

TEST(Launch, ReadsTheUsualVariables) {
  const Launch launch = launch_of({{"RANK", "3"},
                                   {"WORLD_SIZE", "4"},
                                   {"MASTER_ADDR", "gpu1"},
                                   {"MASTER_PORT", "29500"},
                                   {"LOCAL_RANK", "1"},
                                   {"SLURM_STEP_NUM_TASKS", "9"}});
  EXPECT_EQ(launch.rank, 3);
  EXPECT_EQ(launch.size, 4);
  EXPECT_EQ(launch.local_rank, 1);
  EXPECT_EQ(launch.host, "gpu1");
  EXPECT_EQ(launch.port, 29500);
}

TEST(Launch, ReadsWhatSrunSets) {
  const std::map<std::string, std::string> variables{
      {"SLURM_STEP_NUM_TASKS", "4"}, {"SLURM_PROCID", "2"},
      {"SLURM_LOCALID", "0"},        {"SLURM_STEP_NODELIST", "gpu[03-05,9],login"},
      {"SLURM_JOB_ID", "77"},        {"SLURM_STEP_ID", "1"}};
  const Launch launch = launch_of(variables);
  EXPECT_EQ(launch.rank, 2);
  EXPECT_EQ(launch.size, 4);
  EXPECT_EQ(launch.host, "gpu03");
  EXPECT_EQ(launch.port, 15000 + 77 + 101);
  auto given = variables;
  given["MASTER_ADDR"] = "10.0.0.1";
  given["MASTER_PORT"] = "4000";
  EXPECT_EQ(launch_of(given).host, "10.0.0.1");
  EXPECT_EQ(launch_of(given).port, 4000);
}

TEST(Launch, FindsTheFirstHost) {
  EXPECT_EQ(first_host("node7"), "node7");
  EXPECT_EQ(first_host("node7,node8"), "node7");
  EXPECT_EQ(first_host("node[7,9-11]"), "node7");
  EXPECT_EQ(first_host("node[007-011],other"), "node007");
}

TEST(Launch, NamesTheVariableThatIsWrong) {
  EXPECT_EQ(mistake_in({{"WORLD_SIZE", "2"}}),
            "several processes are to train together and RANK is not set; each needs RANK, WORLD_SIZE, MASTER_ADDR and "
            "MASTER_PORT (torchrun sets them), or is started by srun");
  EXPECT_EQ(mistake_in({{"WORLD_SIZE", "2"}, {"RANK", "2"}}),
            "RANK = \"2\" in the environment: expected a whole number from 0 to 1");
  EXPECT_EQ(mistake_in({{"WORLD_SIZE", "two"}, {"RANK", "0"}}),
            "WORLD_SIZE = \"two\" in the environment: expected a whole number from 1 to 2147483647");
  EXPECT_EQ(mistake_in({{"WORLD_SIZE", "2"}, {"RANK", "1"}}),
            "WORLD_SIZE = 2 and MASTER_ADDR is not set; it is the name or address of the machine that rank 0 runs on");
  EXPECT_EQ(mistake_in({{"WORLD_SIZE", "2"}, {"RANK", "1"}, {"MASTER_ADDR", "a"}, {"MASTER_PORT", "65536"}}),
            "MASTER_PORT = \"65536\" in the environment: expected a whole number from 1 to 65535");
  EXPECT_EQ(mistake_in({{"SLURM_STEP_NUM_TASKS", "2"}, {"SLURM_PROCID", "1"}}),
            "SLURM_STEP_NODELIST = \"\": no host found in it; set MASTER_ADDR to the machine of the first task");
}

}  // namespace
}  // namespace osteon::training
