#include "pipeline/program.hpp"

#include <osteon/error.hpp>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace osteon::pipeline {

namespace {

struct Close {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, Close>;

File unnamed_file() {
  File file(std::tmpfile());
  if (file == nullptr) throw failure(text("cannot make a temporary file: ", std::strerror(errno)));
  return file;
}

std::string content(std::FILE* file) {
  std::string all;
  char piece[4096];
  std::rewind(file);
  while (const std::size_t count = std::fread(piece, 1, sizeof piece, file)) all.append(piece, count);
  return all;
}

}  // namespace

std::optional<ProgramEnd> run_program(const std::vector<std::string>& words) {
  const File out = unnamed_file(), err = unnamed_file();
  posix_spawn_file_actions_t files;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&files, ::fileno(out.get()), STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&files, ::fileno(err.get()), STDERR_FILENO);
  std::vector<std::string> own = words;
  std::vector<char*> pointers;
  for (std::string& word : own) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  pid_t process = 0;
  const int problem = ::posix_spawnp(&process, pointers[0], &files, nullptr, pointers.data(), environ);
  ::posix_spawn_file_actions_destroy(&files);
  if (problem == ENOENT) return std::nullopt;
  if (problem != 0) throw failure(text("cannot start ", words[0], ": ", std::strerror(problem)));
  int status = 0;
  while (::waitpid(process, &status, 0) < 0)
    if (errno != EINTR) throw failure(text("cannot wait for ", words[0], ": ", std::strerror(errno)));
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return ProgramEnd{code, content(out.get()), content(err.get())};
}

}  // namespace osteon::pipeline
