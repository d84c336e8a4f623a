#include "pipeline/enroll.hpp"
#include "cli/xray_options.hpp"

#include <iostream>

namespace osteon::cli {

void add_enroll(CLI::App& app, Common& common) {
  auto* command = app.add_subcommand("enroll", "Put the X-rays of a bone that is known into a gallery");
  struct Options {
    std::filesystem::path model, gallery, mesh;
    std::string id, subject;
    QueryOptions query;
  };
  auto options = std::make_shared<Options>();
  command->add_option("--model", options->model, "What osteon pack wrote")->required()->type_name("FILE");
  command->add_option("--gallery", options->gallery, "The gallery's file; made when it isn't there")
      ->required()
      ->type_name("FILE");
  command->add_option("--id", options->id, "Of the bone: a pseudonym, never a patient's name")->required();
  command->add_option("--subject", options->subject, "The person, as a pseudonym; the id when left out");
  command->add_option("--mesh", options->mesh, "The bone's surface; its SHA-256 is kept")->type_name("FILE");
  options->query.add(*command);
  add_plugins_option(*command, common);
  command->callback([&common, options] {
    host::Registry registry(host::Registry::search_path(common.plugin_folders));
    const pipeline::QueryFiles files = options->query.files();
    const pipeline::Model model(options->model, registry);
    for (const std::string& line :
         pipeline::enroll(model, options->gallery, {options->id, options->subject, options->mesh, files}))
      std::cout << line << "\n";
  });
}

}  // namespace osteon::cli
