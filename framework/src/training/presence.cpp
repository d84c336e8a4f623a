#include "training/presence.hpp"

#include <osteon/error.hpp>

#include <algorithm>

namespace osteon::training {

namespace {

constexpr double kBeat = 0.5;      // seconds between signs of life
constexpr double kAfterBreak = 4;  // seconds of silence that are a loss where a connection has broken
constexpr const char* kBroken = "broken";
constexpr const char* kVerdict = "verdict";

std::string beat_key(std::size_t rank) { return text("beat/", rank); }
std::string end_key(std::size_t rank) { return text("end/", rank); }

std::string words_of(const std::vector<std::uint8_t>& bytes) { return {bytes.begin(), bytes.end()}; }

/// As it stands in the store: what kind it is, then the reason.
std::string packed(const Presence::End& end) { return (end.is_stop ? "s" : "f") + end.reason; }
Presence::End unpacked(const std::string& words) { return {words.starts_with('s'), words.substr(1)}; }

std::string lost(const std::string& name) {
  return name +
         " was lost: it was killed, or its machine is gone; its own output may say more. The same command, with any "
         "number of processes, goes on from the last epoch";
}

}  // namespace

Presence::Presence(c10::intrusive_ptr<c10d::Store> store, int rank, std::vector<std::string> names, double silence)
    : store_(std::move(store)),
      rank_(static_cast<std::size_t>(rank)),
      names_(std::move(names)),
      silence_(silence),
      signs_(names_.size()) {
  thread_ = std::thread([this] { watch(); });
}

Presence::~Presence() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

std::optional<Presence::End> Presence::end() const {
  const std::lock_guard lock(mutex_);
  // A machine that is switched off closes no connection: the thread may wait for its answer for a quarter of an hour.
  if (!end_ && rank_ != 0 && std::chrono::duration<double>(Clock::now() - answered_).count() > silence_)
    return End{false, lost(names_.front())};
  return end_;
}

Presence::End Presence::end_after_break(const std::string& problem) {
  try {
    store_->add(kBroken, 1);
  } catch (const std::exception&) {
    // Rank 0's store is gone; the thread notices it too.
  }
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, std::chrono::duration<double>(2 * kAfterBreak), [this] { return end_.has_value(); });
  return end_.value_or(
      End{false, text("an exchange with the other processes failed, though all still answer: ", problem,
                      "; is the network sound? The same command goes on from the last epoch")});
}

void Presence::leave(const End& end) {
  try {
    store_->set(end_key(rank_), store_bytes(packed(end)));
    if (rank_ != 0) return;
    const bool is_failure = end.is_stop || !end.reason.empty();
    if (is_failure) declare({end.is_stop, text(names_.front(), " ended: ", end.reason)});
    std::unique_lock lock(mutex_);
    if (is_failure)
      changed_.wait_for(lock, std::chrono::duration<double>(kAfterBreak), [this] { return all_left_; });
    else
      changed_.wait(lock, [this] { return all_left_ || end_.has_value(); });
  } catch (const std::exception&) {
    // The store is gone, and with it rank 0; who is left notices that too.
  }
}

void Presence::watch() {
  try {
    for (std::int64_t beat = 1; pause(beat == 1 ? 0 : kBeat); ++beat) {
      store_->set(beat_key(rank_), store_bytes(std::to_string(beat)));
      if (rank_ == 0)
        judge();
      else if (store_->check({kVerdict}))
        declare(unpacked(words_of(store_->get(kVerdict))));
      const std::lock_guard lock(mutex_);
      answered_ = Clock::now();
    }
  } catch (const std::exception&) {
    declare({false, lost(names_.front())});
  }
}

void Presence::judge() {
  const double patience = store_->add(kBroken, 0) > 0 ? std::min(kAfterBreak, silence_) : silence_;
  bool all_left = true;
  for (std::size_t rank = 1; rank < names_.size(); ++rank) {
    Sign& sign = signs_[rank];
    if (sign.has_left) continue;
    if (store_->check({end_key(rank)})) {
      const End end = unpacked(words_of(store_->get(end_key(rank))));
      sign.has_left = true;
      if (end.is_stop || !end.reason.empty()) declare({end.is_stop, text(names_[rank], " ended: ", end.reason)});
      continue;
    }
    all_left = false;
    const std::string beat = store_->check({beat_key(rank)}) ? words_of(store_->get(beat_key(rank))) : "";
    if (beat != sign.last) {
      sign.last = beat;
      sign.when = Clock::now();
    } else if (std::chrono::duration<double>(Clock::now() - sign.when).count() > patience) {
      sign.has_left = true;
      declare({false, lost(names_[rank])});
    }
  }
  if (!all_left) return;
  const std::lock_guard lock(mutex_);
  all_left_ = true;
  changed_.notify_all();
}

void Presence::declare(const End& end) {
  {
    const std::lock_guard lock(mutex_);
    if (end_) return;
    end_ = end;
  }
  changed_.notify_all();
  if (rank_ == 0) store_->set(kVerdict, store_bytes(packed(end)));
}

bool Presence::pause(double seconds) {
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, std::chrono::duration<double>(seconds), [this] { return stopping_; });
}

}  // namespace osteon::training
