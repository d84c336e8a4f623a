// The asking side. A request is the expected size (8 bytes), the length of the path (4 bytes) and the path; the answer
// is one byte, 1 or 0, and behind a 1 the pixels.

#include "itk/dicom_decoder.hpp"

#include <osteon/error.hpp>

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

extern char** environ;

namespace osteon::dicom {

namespace fs = std::filesystem;

namespace {

/// Beside the plugins: lib/osteon/tools/dicom_decoder, seen from lib/osteon/plugins/KIND/NAME.so.
fs::path program() {
  Dl_info here{};
  if (::dladdr(reinterpret_cast<const void*>(&program), &here) == 0 || here.dli_fname == nullptr)
    throw failure("the plugin can't tell where it lies, so its decoder of compressed pixels can't be found");
  const fs::path file = fs::absolute(here.dli_fname).parent_path() / "../../tools/dicom_decoder";
  std::error_code problem;
  if (!fs::exists(file, problem))
    throw failure(text(file.lexically_normal().string(),
                       ": the decoder of compressed DICOM pixels is missing; build or install Osteon again"));
  return file;
}

bool send_all(int socket, const void* bytes, std::size_t count) {
  const auto* next = static_cast<const char*>(bytes);
  while (count > 0) {
    const ssize_t sent = ::send(socket, next, count, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    next += sent;
    count -= static_cast<std::size_t>(sent);
  }
  return true;
}

bool receive_all(int socket, void* bytes, std::size_t count) {
  auto* next = static_cast<char*>(bytes);
  while (count > 0) {
    const ssize_t received = ::recv(socket, next, count, 0);
    if (received < 0 && errno == EINTR) continue;
    if (received <= 0) return false;
    next += received;
    count -= static_cast<std::size_t>(received);
  }
  return true;
}

}  // namespace

Decoder::~Decoder() { stop(); }

void Decoder::start() {
  const std::string name = program().string();
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    throw failure(text("cannot start the decoder of compressed DICOM pixels: ", std::strerror(errno)));
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawnattr_init(&attributes);
  ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDIN_FILENO);
  ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  // A group of its own, so that Ctrl-C reaches the host alone; the decoder ends when the host closes the socket.
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  char* arguments[] = {const_cast<char*>(name.c_str()), nullptr};
  const int problem = ::posix_spawn(&process_, name.c_str(), &actions, &attributes, arguments, environ);
  ::posix_spawn_file_actions_destroy(&actions);
  ::posix_spawnattr_destroy(&attributes);
  ::close(ends[1]);
  socket_ = ends[0];
  if (problem == 0) return;
  process_ = -1;
  stop();
  throw failure(text(name, ": cannot start the decoder of compressed DICOM pixels: ", std::strerror(problem)));
}

void Decoder::stop() {
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
  if (process_ > 0) {
    ::kill(process_, SIGKILL);  // it holds nothing that could be lost
    while (::waitpid(process_, nullptr, 0) < 0 && errno == EINTR) continue;
  }
  process_ = -1;
}

std::string Decoder::decode(const fs::path& file, std::size_t expected) {
  if (process_ < 0) start();
  const std::string name = fs::absolute(file).string();
  const std::uint64_t size = expected;
  const auto length = static_cast<std::uint32_t>(name.size());
  char decoded = 0;
  if (send_all(socket_, &size, sizeof size) && send_all(socket_, &length, sizeof length) &&
      send_all(socket_, name.data(), name.size()) && receive_all(socket_, &decoded, 1)) {
    if (decoded == 0) return "";
    std::string bytes(expected, '\0');
    if (receive_all(socket_, bytes.data(), bytes.size())) return bytes;
  }
  stop();  // the file has ended the process
  return "";
}

}  // namespace osteon::dicom
