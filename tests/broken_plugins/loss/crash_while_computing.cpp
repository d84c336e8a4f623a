// Crashes when it is asked for the loss of its first batch.
#include <osteon/loss.hpp>

#include <csignal>

namespace broken {

class CrashWhileComputing final : public osteon::Loss {
 public:
  explicit CrashWhileComputing(const osteon::Parameters& /*parameters*/) {}
  static osteon::Schema schema() { return {"A plugin for the tests of sweeps: one point crashes", {}}; }
  osteon::LossValue compute(const at::Tensor& embeddings, const at::Tensor&, const osteon::Tuples&) override {
    std::raise(SIGSEGV);
    return {embeddings.sum(), {}};
  }
};

}  // namespace broken

using broken::CrashWhileComputing;
OSTEON_PLUGIN(loss, crash_while_computing, "0.1.0", CrashWhileComputing)
