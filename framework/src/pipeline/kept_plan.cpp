#include "pipeline/kept_plan.hpp"

#include "pipeline/opened.hpp"
#include "pipeline/sweep_run.hpp"

#include <osteon/error.hpp>
#include <osteon/files.hpp>

#include <nlohmann/json.hpp>

namespace osteon::pipeline {

namespace fs = std::filesystem;
using nlohmann::json;

void keep_plan(const config::Plan& plan, const std::string& command, const fs::path& folder,
               const std::vector<std::size_t>& numbers) {
  json points = json::array();
  for (const config::Point& point : plan.points)
    points.push_back({{"changes", point.changes}, {"repeat", point.repeat}});
  make_folder(folder);
  write_file(folder / kExperimentFile, plan.base.to_toml());
  for (const std::size_t number : numbers) {
    const fs::path own = folder_of(plan, folder, number - 1);
    make_folder(own);
    write_file(own / kExperimentFile, plan.points[number - 1].experiment.to_toml());
  }
  write_file(folder / kPlanFile, json({{"title", plan.title},
                                       {"swept", plan.swept},
                                       {"repeats", plan.repeats},
                                       {"command", command},
                                       {"points", points}})
                                     .dump(1));
}

KeptPlan kept_plan(const fs::path& folder, host::Registry& registry) {
  const fs::path file = folder / kPlanFile;
  if (!fs::exists(file))
    throw Error(text(folder.string(), ": not the folder of a submitted experiment (it has no ", kPlanFile,
                     "); `osteon run FILE --executor slurm` makes one"));
  KeptPlan kept;
  kept.plan.base = config::load({folder / kExperimentFile, {}, {}}, sections(), registry).base;
  try {
    const json words = json::parse(read_file(file));
    words.at("title").get_to(kept.plan.title);
    words.at("swept").get_to(kept.plan.swept);
    words.at("repeats").get_to(kept.plan.repeats);
    words.at("command").get_to(kept.command);
    for (const json& point : words.at("points"))
      kept.plan.points.push_back({{},
                                  point.at("changes").get<std::vector<std::pair<std::string, std::string>>>(),
                                  point.at("repeat").get<int>()});
  } catch (const json::exception& e) {
    throw Error(text(file.string(), ": this is no plan of a sweep (", e.what(), "); submit it again"));
  }
  return kept;
}

void load_point(KeptPlan& kept, std::size_t index, const fs::path& folder, host::Registry& registry) {
  const fs::path file = folder_of(kept.plan, folder, index) / kExperimentFile;
  kept.plan.points.at(index).experiment = config::load({file, {}, {}}, sections(), registry).points.front().experiment;
}

fs::path folder_of(const config::Plan& plan, const fs::path& folder, std::size_t index) {
  return plan.points.size() > 1 ? point_folder(folder, index) : folder;
}

}  // namespace osteon::pipeline
