// What the processes of a group say and send to each other. Here each is a thread.

#include "training/group.hpp"
#include "distributed/ranks.hpp"
#include "training/fixtures.hpp"
#include "training/sampler.hpp"

#include <ATen/ATen.h>

#include <functional>

#include <thread>

namespace osteon::training {
namespace {

Launch launch_for(int rank, int size, int port, double seconds = 20) {
  return {rank, size, rank, "127.0.0.1", port, seconds};
}

/// Runs `body` as each rank of a group. Returns what went wrong in each, "no error" where nothing did.
std::vector<std::string> as_ranks(int size, const std::function<void(Group&)>& body) {
  const int port = test::free_port();
  std::vector<std::string> ends(static_cast<std::size_t>(size));
  std::vector<std::thread> threads;
  for (int rank = 0; rank < size; ++rank)
    threads.emplace_back([&, rank] {
      ends[static_cast<std::size_t>(rank)] = test::message_of([&] {
        Group group(launch_for(rank, size, port), "test");
        try {
          body(group);
          group.leave("");
        } catch (const Error& e) {
          group.leave(e.what());
          throw;
        }
      });
    });
  for (std::thread& thread : threads) thread.join();
  return ends;
}

const std::vector<std::string> kWell{"no error", "no error", "no error"};

TEST(Group, OfOneProcessLeavesAllAsItIs) {
  Group& group = Group::alone();
  at::Tensor values = at::arange(4, at::kFloat);
  group.sum(values);
  group.copy_from_first(values);
  EXPECT_TRUE(at::equal(group.gather(values, 4), at::arange(4, at::kFloat)));
  EXPECT_EQ(group.from_first("words"), "words");
  EXPECT_EQ(group.share(7).count(), 7);
  EXPECT_EQ(group.sharing_cores(), 1);
}

TEST(Group, SharesFollowEachOtherAndGatherInOrder) {
  const auto ends = as_ranks(3, [](Group& group) {
    for (const std::int64_t count : {2, 3, 10, 11}) {
      const Group::Share share = group.share(count);
      const at::Tensor all = at::arange(2 * count, at::kFloat).view({count, 2});
      EXPECT_TRUE(at::equal(group.gather(all.slice(0, share.first, share.last), count), all)) << count;
    }
    const at::Tensor bytes = at::full({1, 3}, group.rank(), at::kByte);
    EXPECT_TRUE(at::equal(group.gather(bytes, 3), at::arange(3, at::kByte).unsqueeze(1).expand({3, 3})));
    EXPECT_EQ(group.sharing_cores(), 3);
  });
  EXPECT_EQ(ends, kWell);
}

TEST(Group, AddsAndCopiesInPlaceWhateverTheMemoryFormat) {
  const auto ends = as_ranks(3, [](Group& group) {
    const at::Tensor own = at::arange(2 * 3 * 4 * 5, at::kFloat).view({2, 3, 4, 5}) * (group.rank() + 1);
    at::Tensor last = own.contiguous(at::MemoryFormat::ChannelsLast), copy = last.clone(), part = own.clone()[0];
    group.sum(last);
    EXPECT_TRUE(at::equal(last, at::arange(120, at::kFloat).view({2, 3, 4, 5}) * 6));
    group.copy_from_first(copy);
    EXPECT_TRUE(at::equal(copy, at::arange(120, at::kFloat).view({2, 3, 4, 5})));
    at::Tensor transposed = part.transpose(0, 1);
    group.copy_from_first(transposed);
    EXPECT_TRUE(at::equal(part, at::arange(60, at::kFloat).view({3, 4, 5})));
    at::Tensor count = at::full({}, group.rank() + 7, at::kLong);
    group.copy_from_first(count);
    EXPECT_EQ(count.item<std::int64_t>(), 7);
  });
  EXPECT_EQ(ends, kWell);
}

TEST(Group, HearsWhatRank0SaysWheneverItDoes) {
  const auto ends = as_ranks(3, [](Group& group) {
    if (group.is_first()) std::this_thread::sleep_for(std::chrono::milliseconds(300));
    EXPECT_EQ(group.from_first(text("from ", group.rank())), "from 0");
    EXPECT_EQ(group.from_first(""), "");
    EXPECT_TRUE(group.decided_by_first(group.is_first()));
    EXPECT_FALSE(group.decided_by_first(!group.is_first()));
  });
  EXPECT_EQ(ends, kWell);
}

TEST(Group, TellsTheOthersWhatEndedARank) {
  for (const int culprit : {0, 1}) {
    const auto ends = as_ranks(3, [&](Group& group) {
      if (group.rank() == culprit) throw Error("the disk is full");
      at::Tensor one = at::ones({1});
      group.sum(one);
    });
    EXPECT_EQ(ends[static_cast<std::size_t>(culprit)], "the disk is full");
    for (int rank = 0; rank < 3; ++rank) {
      const std::string& end = ends[static_cast<std::size_t>(rank)];
      if (rank == culprit) continue;
      EXPECT_TRUE(end.starts_with(text("rank ", culprit, " ("))) << end;
      EXPECT_TRUE(end.ends_with(") ended: the disk is full")) << end;
    }
  }
}

TEST(Group, SaysWhoDidNotCome) {
  const int port = test::free_port();
  EXPECT_EQ(test::message_of([&] { Group(launch_for(0, 2, port, 0.3), "test"); }),
            text("rank 1 of 2 did not come to 127.0.0.1:", port,
                 " within 0.3 s; were all started, with the same WORLD_SIZE?"));
  EXPECT_EQ(test::message_of([&] { Group(launch_for(1, 2, port, 0.3), "test"); }),
            text("rank 1 waited 0.3 s for rank 0 at 127.0.0.1:", port,
                 "; was it started there, with the same MASTER_ADDR and MASTER_PORT?"));
  Launch nowhere = launch_for(1, 2, port);
  nowhere.host = "no-such-machine.invalid";
  EXPECT_TRUE(test::message_of([&] {
                Group(nowhere, "test");
              }).starts_with("MASTER_ADDR: no machine \"no-such-machine.invalid\" is known here: "));
}

TEST(Group, RefusesASecondOfARankAndAnotherPurpose) {
  const int port = test::free_port();
  std::thread first(
      [&] { EXPECT_NE(test::message_of([&] { Group(launch_for(0, 3, port, 2), "test"); }), "no error"); });
  std::string duplicate, stranger;
  std::thread one([&] { duplicate = test::message_of([&] { Group(launch_for(1, 3, port, 2), "test"); }); });
  std::thread two([&] { stranger = test::message_of([&] { Group(launch_for(1, 3, port, 2), "test"); }); });
  for (std::thread* each : {&first, &one, &two}) each->join();
  const std::string expected = text("two processes came as rank 1 of 3 to 127.0.0.1:", port);
  EXPECT_TRUE(duplicate.starts_with(expected) || stranger.starts_with(expected)) << duplicate << "\n" << stranger;

  const int other_port = test::free_port();
  std::thread server(
      [&] { EXPECT_NE(test::message_of([&] { Group(launch_for(0, 2, other_port, 2), "test"); }), "no error"); });
  const std::string refused = test::message_of([&] { Group(launch_for(1, 2, other_port, 2), "another"); });
  server.join();
  EXPECT_NE(refused.find("runs another experiment or another WORLD_SIZE than rank 0 ("), std::string::npos) << refused;
}

TEST(Group, RefusesMoreProcessesThanABatchHasImages) {
  const auto ends = as_ranks(3, [](Group& group) {
    const test::TemporaryFolder work;
    const Parameters settings = test::training_parameters(
        {{"sampling", std::string("images")}, {"batch_size", std::int64_t{2}}, {"threads", std::int64_t{1}}});
    const auto network = make_network(test::make<host::BackboneHandle>("backbone", "resnet", {{"width", 0.125}}),
                                      test::head_parameters({{"dimensions", std::int64_t{32}}}), settings, 32, 32);
    (void)train(*network, test::make<host::LossHandle>("loss", "softmax"), test::made_up_data(3, 4, 32), settings,
                test::augment_parameters(), work.path(), {}, group);
  });
  EXPECT_EQ(ends, std::vector<std::string>(
                      3,
                      "training by 3 processes: a batch may have 2 images and each process needs one; start fewer "
                      "processes or enlarge the batches (training.classes_per_batch, images_per_class, batch_size)"));
}

TEST(Group, TheSmallestBatchCountsSmallClasses) {
  Data data = test::made_up_data(3, 10, 32);                                // 7 training images each
  std::erase_if(data.training, [&](std::int64_t row) { return row < 5; });  // 2 of the first
  const auto smallest = [&](const test::Values& values) {
    return Sampler(data, test::training_parameters(values)).smallest_batch();
  };
  EXPECT_EQ(smallest({{"classes_per_batch", std::int64_t{2}}, {"images_per_class", std::int64_t{4}}}), 2 + 4);
  EXPECT_EQ(smallest({{"sampling", std::string("triplets")}, {"batch_size", std::int64_t{5}}}), 15);
  EXPECT_EQ(smallest({{"sampling", std::string("images")}, {"batch_size", std::int64_t{5}}}), 5);
}

}  // namespace
}  // namespace osteon::training
