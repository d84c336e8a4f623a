#include "pipeline/stored_model.hpp"

#include <osteon/error.hpp>
#include <osteon/files.hpp>

#include <nlohmann/json.hpp>

namespace osteon::pipeline {

namespace fs = std::filesystem;

StoredModel stored_model(const fs::path& run) {
  const fs::path file = run / "model.json";
  if (!fs::exists(file))
    throw Error(
        text(run.string(),
             ": not the folder of a run that has trained (it has no model.json); of a sweep, name the folder of "
             "one point, as ",
             (run / "01").string()));
  std::string key;
  try {
    key = nlohmann::json::parse(read_file(file)).at("key");
  } catch (const nlohmann::json::exception&) {
    throw Error(text(file.string(), ": damaged; run the experiment again, which writes it anew"));
  }
  const fs::path root = store::Store::standard_root();
  const Error gone(text(run.string(), ": its model is not in the store ", root.string(),
                        "; set OSTEON_STORE to the store of the run, or make it again: osteon run ",
                        (run / "experiment.toml").string()));
  if (!fs::exists(root)) throw gone;
  const store::Store store(root);
  const auto digest = store.digest(key);
  if (!digest) throw gone;
  return {{key, *digest}, store.load(key)};
}

}  // namespace osteon::pipeline
