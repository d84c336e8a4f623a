// How the training scales with processes: images a second by 1, 2 and 4 of one thread each, on loopback, with the same
// batches (48 images of 96 × 192 pixels, ResNet-18, triplet loss), fp32.
//
//     ranks-scale [PROCESSES …]
//
// One line a number of processes: images a second of all together, and how many times that of the first line. More
// processes than cores show what the exchanges cost, not what more cores would give.

#include "training/training.hpp"

#include <osteon/random.hpp>

#include <ATen/Functions.h>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>

namespace osteon {
namespace {

namespace fs = std::filesystem;
constexpr std::int64_t kHeight = 96, kWidth = 192, kBatch = 48;  ///< 8 classes × 6 images, the defaults
constexpr std::int64_t kBatches = 12, kWarm = 2;                 ///< of one epoch, the first ones unmeasured
constexpr std::int64_t kClasses = 12, kImages = kBatches * kBatch / kClasses;

/// Noise: what the images show changes nothing about the time.
training::Data data() {
  training::Data data;
  at::Tensor pixels = at::empty({kClasses * kImages, kHeight, kWidth}, at::kByte);
  Random random(1, "pixels");
  for (std::int64_t i = 0; i < pixels.numel(); ++i)
    pixels.data_ptr<std::uint8_t>()[i] = static_cast<std::uint8_t>(random.bits());
  data.pixels = pixels;
  data.views = 2;
  data.labels = at::arange(kClasses, at::kLong).repeat_interleave(kImages);
  data.classes = kClasses;
  data.training = training::every_row(data.pixels);
  return data;
}

/// One rank; rank 0 prints images a second.
void train() {
  host::Registry registry({fs::path(OSTEON_BUILD_DIR) / "lib/osteon/plugins"});
  const Parameters settings(
      training::training_schema(),
      {{"epochs", std::int64_t{1}}, {"threads", std::int64_t{1}}, {"precision", std::string("fp32")}});
  const host::LoadedPlugin &resnet = registry.find("backbone", "resnet"), &triplet = registry.find("loss", "triplet");
  const host::LossHandle loss(triplet, Parameters(triplet.schema, {}));
  const auto network = training::make_network(host::BackboneHandle(resnet, Parameters(resnet.schema, {})),
                                              Parameters(training::head_schema(), {}), settings, kHeight, kWidth);
  training::Group group(training::launch_from([](const char* name) { return std::getenv(name); }), "scale");
  const fs::path work = fs::temp_directory_path() / text("osteon-ranks-scale-", std::getenv("MASTER_PORT"));
  using Clock = std::chrono::steady_clock;
  Clock::time_point begin, end;
  const training::Listener listener{[&](const training::Progress& p) {
                                      if (p.batches_done == kWarm) begin = Clock::now();
                                      end = Clock::now();
                                    },
                                    {}};
  (void)training::train(*network, loss, data(), settings, Parameters(training::augment_schema(), {}), work, listener,
                        group);
  group.leave("");
  if (!group.is_first()) return;
  fs::remove_all(work);
  std::printf("%f\n",
              static_cast<double>((kBatches - kWarm) * kBatch) / std::chrono::duration<double>(end - begin).count());
}

int free_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  (void)::bind(socket, reinterpret_cast<sockaddr*>(&address), size);
  (void)::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(socket);
  return ntohs(address.sin_port);
}

/// Images a second by so many processes: this program once more for each.
double measured(int processes) {
  const std::string port = std::to_string(free_port());
  int ends[2];
  if (::pipe(ends) != 0) throw failure("no pipe");
  for (int rank = 0; rank < processes; ++rank) {
    if (::fork() != 0) continue;
    ::dup2(ends[1], STDOUT_FILENO);
    for (const auto& [name, value] : std::map<std::string, std::string>{{"RANK", std::to_string(rank)},
                                                                        {"WORLD_SIZE", std::to_string(processes)},
                                                                        {"MASTER_ADDR", "127.0.0.1"},
                                                                        {"MASTER_PORT", port}})
      ::setenv(name.c_str(), value.c_str(), 1);
    ::execl("/proc/self/exe", "ranks-scale", "--rank", nullptr);
    ::_exit(127);
  }
  ::close(ends[1]);
  std::string words;
  char buffer[64];
  for (ssize_t n = 0; (n = ::read(ends[0], buffer, sizeof buffer)) > 0;) words.append(buffer, static_cast<size_t>(n));
  ::close(ends[0]);
  while (::wait(nullptr) > 0) continue;
  return words.empty() ? 0 : std::stod(words);
}

}  // namespace
}  // namespace osteon

int main(int argc, char** argv) {
  try {
    if (argc > 1 && std::string(argv[1]) == "--rank") {
      osteon::train();
      return 0;
    }
    std::vector<int> numbers;
    for (int i = 1; i < argc; ++i) numbers.push_back(std::stoi(argv[i]));
    if (numbers.empty()) numbers = {1, 2, 4};
    double first = 0;
    for (const int processes : numbers) {
      const double pace = osteon::measured(processes);
      if (first == 0) first = pace;
      std::printf("%2d %-9s  %7.1f images/s  %.2f times\n", processes, processes == 1 ? "process" : "processes", pace,
                  pace / first);
      std::fflush(stdout);
    }
  } catch (const std::exception& e) {
    std::cerr << e.what() << "\n";
    return 1;
  }
}
