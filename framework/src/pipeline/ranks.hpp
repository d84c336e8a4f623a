#pragma once

// One run by several processes: rank 0 does all of it, the others come for the trainings.

#include "pipeline/stages.hpp"

namespace osteon::pipeline {

/// What the environment says of this process (training/launch.hpp). Throws `Error` when several processes were started
/// for a whole sweep (`point` 0): they train one point together.
[[nodiscard]] training::Launch launch_of(const config::Plan& plan, std::int64_t point);

/// Meets the other ranks of this experiment, alone where there are none, and takes a share of the machine.
[[nodiscard]] std::unique_ptr<training::Group> join(const training::Launch& launch,
                                                    const config::Experiment& experiment);

/// Runs `body`, which returns an exit code, and tells the other ranks how it ended.
int as_rank(training::Group& group, const std::function<int()>& body);

/// What ranks from 1 on do of a run: wait until rank 0 has made the images, find them in the store, take part in each
/// training, and end. They write nothing and print nothing. Returns the exit code.
int follow_run(const config::Experiment& experiment, host::Registry& registry, training::Group& group);

/// Rank 0: all images are in the store.
void tell_images_made(const RunContext& run);

/// Rank 0: a training of these ingredients begins, or (without) none is needed.
void tell_training(const RunContext& run, const store::Ingredients* ingredients);
/// The others: waits for rank 0 to say whether a training begins. Throws a failure when this rank would train something
/// else.
[[nodiscard]] bool joins_training(const RunContext& run, const store::Ingredients& ingredients);

/// The ingredients as one process by itself would have them: whose checkpoints any number of ranks goes on from.
[[nodiscard]] store::Ingredients of_one_process(store::Ingredients ingredients, const Parameters& training);

}  // namespace osteon::pipeline
