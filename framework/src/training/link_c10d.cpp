// A link over LibTorch's c10d: words through a key-value store that rank 0 serves, tensors over Gloo or NCCL.

#include "training/group.hpp"

#include <osteon/error.hpp>

#if defined(USE_C10D_GLOO) && __has_include(<gloo/context.h>)

#include "host/stop.hpp"
#include "training/presence.hpp"
#include "training/torch_compat.hpp"

#include <osteon/parallel.hpp>

#include <ATen/Functions.h>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#ifdef USE_C10D_NCCL
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#endif

#include <netdb.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <thread>

namespace osteon::training {

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kLook{500};  // between looks at who lives
constexpr std::chrono::milliseconds kPoll{20};   // between looks for words
constexpr std::chrono::minutes kLongest{30};     // of one exchange of tensors; a lost rank is noticed by its silence

/// The first line of what LibTorch threw; its traces are for its own authors.
std::string first_line(const std::exception& e) {
  const std::string all = e.what();
  return all.substr(0, all.find('\n'));
}

std::string read(c10d::Store& store, const std::string& key) {
  const std::vector<std::uint8_t> bytes = store.get(key);
  return {bytes.begin(), bytes.end()};
}

/// Addresses of a machine; freed at the end.
class Addresses {
 public:
  Addresses(const std::string& host, int port, int kind) {
    addrinfo hints{};
    hints.ai_socktype = kind;
    const int problem = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &first_);
    if (problem != 0)
      throw Error(text("MASTER_ADDR: no machine \"", host, "\" is known here: ", ::gai_strerror(problem)));
  }
  Addresses(const Addresses&) = delete;
  Addresses& operator=(const Addresses&) = delete;
  ~Addresses() { ::freeaddrinfo(first_); }

  /// The first address for which `use`, given a connected socket, returns true.
  template <class Use>
  bool any_connected(Use&& use) const {
    for (const addrinfo* each = first_; each != nullptr; each = each->ai_next) {
      const int socket = ::socket(each->ai_family, each->ai_socktype | SOCK_CLOEXEC, each->ai_protocol);
      if (socket < 0) continue;
      const bool done = ::connect(socket, each->ai_addr, each->ai_addrlen) == 0 && use(socket);
      ::close(socket);
      if (done) return true;
    }
    return false;
  }

 private:
  addrinfo* first_ = nullptr;
};

/// This machine's address on the way to rank 0's: a datagram socket that is connected sends nothing, but has one.
std::string own_address(const Launch& launch) {
  std::string result;
  Addresses(launch.host, launch.port, SOCK_DGRAM).any_connected([&](int socket) {
    sockaddr_storage own{};
    socklen_t size = sizeof own;
    char name[NI_MAXHOST] = "";
    if (::getsockname(socket, reinterpret_cast<sockaddr*>(&own), &size) != 0 ||
        ::getnameinfo(reinterpret_cast<sockaddr*>(&own), size, name, sizeof name, nullptr, 0, NI_NUMERICHOST) != 0)
      return false;
    result = name;
    return true;
  });
  if (result.empty()) throw Error(text("MASTER_ADDR: this machine has no way to \"", launch.host, "\""));
  return result;
}

void wait_until_rank_0_listens(const Launch& launch, Clock::time_point latest) {
  while (!Addresses(launch.host, launch.port, SOCK_STREAM).any_connected([](int) { return true; })) {
    throw_if_stopped();
    if (Clock::now() > latest)
      throw Error(text("rank ", launch.rank, " waited ", launch.join_seconds, " s for rank 0 at ", launch.host, ":",
                       launch.port, "; was it started there, with the same MASTER_ADDR and MASTER_PORT?"));
    std::this_thread::sleep_for(5 * kPoll);
  }
}

c10::intrusive_ptr<c10d::Store> open_store(const Launch& launch, Clock::time_point latest) {
  c10d::TCPStoreOptions options;
  options.port = static_cast<std::uint16_t>(launch.port);
  options.isServer = launch.rank == 0;
  options.waitWorkers = false;
  options.timeout = std::chrono::seconds(30);
  if (launch.rank != 0) wait_until_rank_0_listens(launch, latest);
  try {
    return c10::make_intrusive<c10d::TCPStore>(launch.host, options);
  } catch (const std::exception& e) {
    throw Error(text("rank ", launch.rank, launch.rank == 0 ? " can't listen at " : " can't reach ", launch.host, ":",
                     launch.port, ": ", first_line(e),
                     "; is MASTER_ADDR the machine of rank 0, and MASTER_PORT free?"));
  }
}

std::string machine() {
  char name[256] = "";
  ::gethostname(name, sizeof name - 1);
  return name;
}

/// The cores that this process may run on: "0011…".
std::string cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  ::sched_getaffinity(0, sizeof set, &set);
  std::string result;
  for (std::size_t core = 0; core < CPU_SETSIZE; ++core) result += CPU_ISSET(core, &set) ? '1' : '0';
  return result;
}

/// What the ranks tell each other when they meet.
struct Hello {
  std::string purpose, machine, process, cores;

  [[nodiscard]] std::string packed() const { return text(purpose, "\n", machine, "\n", process, "\n", cores); }
  static Hello unpacked(const std::string& words) {
    Hello hello;
    std::istringstream in(words);
    for (std::string* each : {&hello.purpose, &hello.machine, &hello.process, &hello.cores}) std::getline(in, *each);
    return hello;
  }
  [[nodiscard]] std::string name(int rank) const {
    return text("rank ", rank, " (", machine, ", process ", process, ")");
  }
};

std::vector<Hello> greet(c10d::Store& store, const Launch& launch, const std::string& purpose,
                         Clock::time_point latest) {
  const auto key = [](int rank) { return text("hello/", rank); };
  if (store.add(text("came/", launch.rank), 1) > 1)
    throw Error(text("two processes came as rank ", launch.rank, " of ", launch.size, " to ", launch.host, ":",
                     launch.port, "; give each a RANK of its own, and each run a MASTER_PORT of its own"));
  const Hello own{text(purpose, " ", launch.size), machine(), std::to_string(::getpid()), cores()};
  store.set(key(launch.rank), store_bytes(own.packed()));
  std::vector<Hello> hellos;
  for (int rank = 0; rank < launch.size; ++rank) {
    while (!store.check({key(rank)})) {
      throw_if_stopped();
      if (Clock::now() > latest)
        throw Error(text("rank ", rank, " of ", launch.size, " did not come to ", launch.host, ":", launch.port,
                         " within ", launch.join_seconds, " s; were all started, with the same WORLD_SIZE?"));
      std::this_thread::sleep_for(kPoll);
    }
    hellos.push_back(Hello::unpacked(read(store, key(rank))));
    if (hellos.back().purpose != hellos.front().purpose)
      throw Error(text(hellos.back().name(rank), " runs another experiment or another WORLD_SIZE than ",
                       hellos.front().name(0), "; start all ranks with the same command"));
  }
  return hellos;
}

c10::intrusive_ptr<compat::Collectives> open_collectives(const c10::intrusive_ptr<c10d::Store>& store,
                                                         const Launch& launch, [[maybe_unused]] at::Device device) {
#ifdef USE_C10D_NCCL
  if (device.is_cuda()) return c10::make_intrusive<c10d::ProcessGroupNCCL>(store, launch.rank, launch.size);
#endif
  const char* const interface = std::getenv("GLOO_SOCKET_IFNAME");
  const auto options = c10d::ProcessGroupGloo::Options::create(kLongest);
  options->threads = 1;  // exchanges come one after the other
  options->devices.push_back(interface != nullptr
                                 ? c10d::ProcessGroupGloo::createDeviceForInterface(interface)
                                 : c10d::ProcessGroupGloo::createDeviceForHostname(own_address(launch)));
  return c10::make_intrusive<c10d::ProcessGroupGloo>(store, launch.rank, launch.size, options);
}

class C10dLink final : public Link {
 public:
  C10dLink(const Launch& launch, const std::string& purpose, at::Device device) : device_(device) {
    const auto latest =
        Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(launch.join_seconds));
    store_ = open_store(launch, latest);
    const std::vector<Hello> hellos = greeted(launch, purpose, latest);
    std::vector<std::string> names;
    const Hello& own = hellos[static_cast<std::size_t>(launch.rank)];
    for (const Hello& hello : hellos) {
      names.push_back(hello.name(static_cast<int>(names.size())));
      if (hello.machine == own.machine && hello.cores == own.cores) ++sharing_cores_;
    }
#ifndef USE_C10D_NCCL
    device_ = at::kCPU;
#endif
    try {
      collectives_ = open_collectives(store_, launch, device_);
    } catch (const Error&) {
      throw;
    } catch (const std::exception& e) {
      throw Error(text("the ", launch.size, " ranks met and can't connect with each other: ", first_line(e),
                       "; GLOO_SOCKET_IFNAME names the network interface to use"));
    }
    presence_ = std::make_unique<Presence>(store_, launch.rank, std::move(names), Group::kSilence);
  }

  ~C10dLink() override {
    // An exchange that will never end has the backend's destructor wait for it: the process ends without.
    if (is_broken_) (void)collectives_.release();
  }

  [[nodiscard]] int sharing_cores() const override { return sharing_cores_; }

  void say(const std::string& key, const std::string& words) override {
    throw_if_ended();
    store_->set(key, store_bytes(words));
  }

  std::string hear(const std::string& key) override {
    try {
      while (!store_->check({key})) {
        throw_if_stopped();
        throw_if_ended();
        std::this_thread::sleep_for(kPoll);
      }
      return read(*store_, key);
    } catch (const Error&) {
      throw;
    } catch (const std::exception& e) {
      give_up(presence_->end_after_break(first_line(e)));
    }
  }

  void sum(at::Tensor& tensor) override {
    in_place(tensor, [this](std::vector<at::Tensor>& tensors) { return collectives_->allreduce(tensors); });
  }

  void copy_from_first(at::Tensor& tensor) override {
    in_place(tensor, [this](std::vector<at::Tensor>& tensors) { return collectives_->broadcast(tensors); });
  }

  std::vector<at::Tensor> gather(const at::Tensor& tensor) override {
    std::vector<at::Tensor> own{tensor.to(device_).contiguous()};
    std::vector<std::vector<at::Tensor>> all(1);
    for (int rank = 0; rank < collectives_->getSize(); ++rank) all.front().push_back(at::empty_like(own.front()));
    exchange([&] { return collectives_->allgather(all, own); });
    for (at::Tensor& each : all.front()) each = each.to(tensor.device());
    return all.front();
  }

  void leave(bool is_stop, const std::string& problem) override { presence_->leave({is_stop, problem}); }

 private:
  [[nodiscard]] std::vector<Hello> greeted(const Launch& launch, const std::string& purpose,
                                           Clock::time_point latest) const {
    try {
      return greet(*store_, launch, purpose, latest);
    } catch (const Error&) {
      // With rank 0 goes what the others read: they are to see for themselves what is wrong.
      if (launch.rank == 0) std::this_thread::sleep_for(std::chrono::seconds(1));
      throw;
    } catch (const std::exception& e) {
      throw Error(text("rank ", launch.rank, " lost rank 0 at ", launch.host, ":", launch.port,
                       " while they met; what that says tells why (", first_line(e), ")"));
    }
  }

  [[noreturn]] void give_up(const Presence::End& end) {
    is_broken_ = true;
    if (end.is_stop) throw host::Stopped();
    throw failure(end.reason);
  }

  void throw_if_ended() {
    if (const auto end = presence_->end()) give_up(*end);
  }

  template <class Start>
  void in_place(at::Tensor& tensor, Start&& start) {
    const at::NoGradGuard no_graph;
    std::vector<at::Tensor> sent{tensor.detach().to(device_).contiguous()};
    exchange([&] { return start(sent); });
    if (sent.front().data_ptr() != tensor.data_ptr()) tensor.detach().copy_(sent.front());
  }

  /// Starts an exchange and waits for its end as long as all ranks live.
  template <class Start>
  void exchange(Start&& start) {
    throw_if_ended();
    c10::intrusive_ptr<c10d::Work> work;
    for (;;) {
      try {
        if (!work) work = start();
        work->wait(kLook);
        return;
      } catch (const std::exception& e) {
        // It failed, or it is not yet through: `wait` throws for both.
        if (!work || work->isCompleted()) give_up(presence_->end_after_break(first_line(e)));
      }
      throw_if_ended();
    }
  }

  at::Device device_;
  int sharing_cores_ = 0;
  bool is_broken_ = false;
  c10::intrusive_ptr<c10d::Store> store_;
  c10::intrusive_ptr<compat::Collectives> collectives_;
  std::unique_ptr<Presence> presence_;
};

}  // namespace

std::unique_ptr<Link> meet(const Launch& launch, const std::string& purpose, at::Device device) {
  return std::make_unique<C10dLink>(launch, purpose, device);
}

}  // namespace osteon::training

#else

namespace osteon::training {

std::unique_ptr<Link> meet(const Launch& launch, const std::string&, at::Device) {
  throw Error(text(launch.size,
                   " processes are to train together, and this Osteon was built without LibTorch's c10d or without "
                   "Gloo's headers (Debian: libgloo-dev); build it with them, or start one process"));
}

}  // namespace osteon::training

#endif
