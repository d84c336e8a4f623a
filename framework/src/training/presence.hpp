#pragma once

// Who of a group still lives: every rank leaves a sign of life in the key-value store that rank 0 serves.

#include <torch/csrc/distributed/c10d/Store.hpp>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace osteon::training {

/// Text as the key-value store takes it.
[[nodiscard]] inline std::vector<std::uint8_t> store_bytes(const std::string& words) {
  return {words.begin(), words.end()};
}

/// A thread that writes a sign of life twice a second. Rank 0's also judges the others by theirs, and all hear its
/// verdict; that rank 0 itself is gone they notice by its store.
class Presence {
 public:
  /// Why the group can't go on.
  struct End {
    bool is_stop = false;  ///< somebody was asked to stop
    std::string reason;
  };

  /// `names` of the ranks, "rank 1 (host, process 42)"; `silence` seconds without a sign of life are a loss.
  Presence(c10::intrusive_ptr<c10d::Store> store, int rank, std::vector<std::string> names, double silence);
  ~Presence();
  Presence(const Presence&) = delete;
  Presence& operator=(const Presence&) = delete;

  /// Nothing while all is well.
  [[nodiscard]] std::optional<End> end() const;
  /// For who has lost a connection with this `problem`: why the group can't go on. From now on a few seconds of silence
  /// are a loss; waits for the verdict until then.
  [[nodiscard]] End end_after_break(const std::string& problem);
  /// Says goodbye, with a reason unless all is well, and ends the thread. Rank 0, with whom the store goes, first
  /// waits until the others have gone, or for a few seconds after a failure.
  void leave(const End& end);

 private:
  using Clock = std::chrono::steady_clock;

  void watch();
  void judge();  ///< rank 0's part
  void declare(const End& end);
  [[nodiscard]] bool pause(double seconds);  ///< false when the thread is to end

  c10::intrusive_ptr<c10d::Store> store_;
  std::size_t rank_;
  std::vector<std::string> names_;
  double silence_;

  /// What rank 0 knows of each.
  struct Sign {
    std::string last;
    Clock::time_point when = Clock::now();
    bool has_left = false;
  };
  std::vector<Sign> signs_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<End> end_;
  Clock::time_point answered_ = Clock::now();  ///< when the store last did
  bool stopping_ = false, all_left_ = false;
  std::thread thread_;
};

}  // namespace osteon::training
