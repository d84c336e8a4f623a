#include "host/registry.hpp"

#include "host/crash_guard.hpp"
#include "host/log.hpp"

#include <osteon/digest.hpp>

#include <boost/dll/library_info.hpp>
#include <boost/dll/runtime_symbol_info.hpp>
#include <boost/dll/shared_library.hpp>

#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <set>
#include <sstream>
#include <tuple>

namespace osteon::host {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kPrefix = "osteon_plugin__";

#define OSTEON_QUOTE_(word) #word
#define OSTEON_QUOTE(word) OSTEON_QUOTE_(word)
constexpr std::string_view kOwnBuild = OSTEON_QUOTE(OSTEON_BUILD_STAMP);

struct Symbol {
  std::string name;
  Stamp stamp;
};

/// "osteon_plugin__loss__triplet__sdk1_0_…" → kind, name, build.
std::optional<Stamp> parse(std::string_view symbol) {
  if (!symbol.starts_with(kPrefix)) return std::nullopt;
  symbol.remove_prefix(kPrefix.size());
  const auto first = symbol.find("__");
  if (first == std::string_view::npos) return std::nullopt;
  const auto second = symbol.find("__", first + 2);
  if (second == std::string_view::npos) return std::nullopt;
  return Stamp{std::string(symbol.substr(0, first)), std::string(symbol.substr(first + 2, second - first - 2)),
               std::string(symbol.substr(second + 2))};
}

Symbol read_symbol(const fs::path& library) {
  std::vector<std::string> symbols;
  try {
    symbols = boost::dll::library_info(library.string()).symbols();
  } catch (const std::exception& e) {
    throw Error(
        text(library.string(), ": not a shared library (", e.what(), "); a plugin is what add_osteon_plugin builds"));
  }
  if (symbols.empty())
    throw Error(text(library.string(),
                     ": has no symbol table, by which a plugin is known before it is loaded; it was stripped: build it "
                     "again, or strip no more than --strip-debug"));
  std::vector<Symbol> found;
  for (const std::string& name : symbols)
    if (auto stamp = parse(name)) found.push_back({name, *stamp});
  if (found.empty())
    throw Error(text(library.string(),
                     ": exports no Osteon plugin; its source must end with OSTEON_PLUGIN(kind, name, "
                     "version, Class)"));
  if (found.size() > 1)
    throw Error(text(library.string(), ": exports ", found.size(), " plugins; a library holds one"));
  return found.front();
}

/// As `probe`, but a file that has not changed is read once: the check of an experiment asks for the names of a kind at
/// each mistake.
Stamp known_stamp(const fs::path& library) {
  struct Known {
    fs::file_time_type time;
    std::uintmax_t size = 0;
    Stamp stamp;
  };
  static std::mutex mutex;
  static std::map<fs::path, Known> all;
  std::error_code gone;
  const auto time = fs::last_write_time(library, gone);
  const std::uintmax_t size = fs::file_size(library, gone);
  const std::lock_guard lock(mutex);
  if (const auto found = all.find(library);
      found != all.end() && !gone && found->second.time == time && found->second.size == size)
    return found->second.stamp;
  return all.insert_or_assign(library, Known{time, size, read_symbol(library).stamp}).first->second.stamp;
}

std::string build_mismatch(const fs::path& library, const Stamp& stamp) {
  return text(library.string(), ": ", stamp.kind, "/", stamp.name, " was built for another Osteon\n  plugin  ",
              stamp.build, "\n  host    ", kOwnBuild,
              "\n  rebuild the plugin with the SDK, compiler and LibTorch of this host (find_package(Osteon))");
}

/// Where KIND/NAME.so or NAME.so stands, in order of precedence; empty when nowhere.
fs::path locate(const std::vector<fs::path>& folders, std::string_view kind, std::string_view name) {
  const std::string file = std::string(name) + ".so";
  for (const fs::path& folder : folders) {
    if (fs::path library = folder / kind / file; fs::exists(library)) return library;
    if (fs::path library = folder / file; fs::exists(library)) return library;
  }
  return {};
}

}  // namespace

bool is_kind(std::string_view word) { return std::ranges::find(kKinds, word) != kKinds.end(); }

Stamp probe(const fs::path& library) { return read_symbol(library).stamp; }

Registry::Registry(std::vector<fs::path> folders) : folders_(std::move(folders)) {}

std::vector<fs::path> Registry::search_path(const std::vector<fs::path>& from_command_line) {
  std::vector<fs::path> folders = from_command_line;
  if (const char* variable = std::getenv("OSTEON_PLUGIN_PATH")) {
    std::istringstream entries(variable);
    for (std::string entry; std::getline(entries, entry, ':');)
      if (!entry.empty()) folders.emplace_back(entry);
  }
  for (const fs::path& folder : folders)
    if (!fs::is_directory(folder))
      throw Error(text("plugin folder ", folder.string(), " does not exist (from --plugins or OSTEON_PLUGIN_PATH)"));
  // Next to libosteon.so, in a build tree and in an installation alike.
  const fs::path own = boost::dll::this_line_location().string();
  folders.push_back(fs::weakly_canonical(own).parent_path() / "osteon" / "plugins");
  return folders;
}

const LoadedPlugin& Registry::find(std::string_view kind, std::string_view name) {
  // One for the whole process, as are what is kept below and the guard's signal handlers.
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  const auto key = std::pair(std::string(kind), std::string(name));
  if (const auto known = loaded_.find(key); known != loaded_.end()) return known->second;

  const fs::path library = locate(folders_, kind, name);
  if (library.empty()) {
    std::vector<std::string> names;
    std::string all;
    for (const FoundPlugin& plugin : list(kind)) {
      names.push_back(plugin.name);
      all += (all.empty() ? "" : ", ") + plugin.name;
    }
    const std::string near = nearest_word(name, names);
    throw Error(text("no ", kind, " plugin \"", name, "\"", near.empty() ? "" : "; did you mean \"" + near + "\"?",
                     all.empty() ? text("; there is no ", kind, " plugin on the search path")
                                 : text(near.empty() ? "; there are: " : " There are: ", all)));
  }

  const Symbol symbol = read_symbol(library);
  if (symbol.stamp.kind != kind || symbol.stamp.name != name)
    throw Error(text(library.string(), ": holds ", symbol.stamp.kind, "/", symbol.stamp.name, ", not ", kind, "/", name,
                     "; its file must be named after its plugin and lie under its kind"));
  if (symbol.stamp.build != kOwnBuild) throw Error(build_mismatch(library, symbol.stamp));

  // Never unloaded: LibTorch's and ITK's registries keep pointers into it. Reachable, so that no leak is reported.
  static auto& kept = *new std::vector<std::unique_ptr<boost::dll::shared_library>>;
  boost::dll::shared_library* handle = kept.emplace_back(std::make_unique<boost::dll::shared_library>()).get();
  const CrashGuard guard(text(kind, "/", name, " (", library.string(), ")"));
  try {
    handle->load(library.string(), boost::dll::load_mode::rtld_now);
  } catch (const std::exception& e) {
    throw Error(text(library.string(), ": ", kind, "/", name, " cannot be loaded: ", e.what()));
  }
  LoadedPlugin plugin;
  plugin.descriptor = &handle->get<const PluginDescriptor>(symbol.name);
  plugin.library = library;
  plugin.build_id = sha256_of_file(library);
  plugin.schema = plugin.descriptor->schema();
  log(LogLevel::info,
      text("loaded ", kind, "/", name, " from ", library.string(), ", build ", plugin.build_id.substr(0, 12)));
  return loaded_.emplace(key, std::move(plugin)).first->second;
}

std::vector<FoundPlugin> Registry::list(std::string_view only) const {
  std::vector<FoundPlugin> found;
  std::set<std::pair<std::string, std::string>> seen;
  const auto consider = [&](const fs::path& library) {
    if (library.extension() != ".so") return;
    FoundPlugin plugin{"?", library.stem().string(), library, ""};
    try {
      const Stamp stamp = known_stamp(library);
      plugin.kind = stamp.kind;
      plugin.name = stamp.name;
      if (stamp.build != kOwnBuild)
        plugin.problem = "built for " + stamp.build + ", this host is " + std::string(kOwnBuild);
    } catch (const Error& e) {
      plugin.problem = e.what();
    }
    if (!only.empty() && plugin.kind != only) return;
    if (seen.emplace(plugin.kind, plugin.name).second) found.push_back(std::move(plugin));
  };
  for (const fs::path& folder : folders_) {
    if (!fs::is_directory(folder)) continue;
    for (const std::string_view kind : kKinds)
      if ((only.empty() || kind == only) && fs::is_directory(folder / kind))
        for (const auto& entry : fs::directory_iterator(folder / kind)) consider(entry.path());
    for (const auto& entry : fs::directory_iterator(folder))
      if (entry.is_regular_file()) consider(entry.path());
  }
  const auto order = [](const FoundPlugin& p) {
    return std::tuple(std::ranges::find(kKinds, p.kind) - kKinds.begin(), p.name);
  };
  std::ranges::sort(found, {}, order);
  return found;
}

std::string nearest_word(std::string_view word, const std::vector<std::string>& candidates) {
  // Optimal string alignment: insertions, deletions, substitutions, swaps of neighbours.
  const auto distance = [](std::string_view a, std::string_view b) {
    std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
    for (std::size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
    for (std::size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i)
      for (std::size_t j = 1; j <= b.size(); ++j) {
        d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] != b[j - 1])});
        if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
          d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
      }
    return d[a.size()][b.size()];
  };
  std::string best;
  std::size_t least = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const std::string& candidate : candidates)
    if (const std::size_t steps = distance(word, candidate); steps < least) {
      least = steps;
      best = candidate;
    }
  return best;
}

}  // namespace osteon::host
