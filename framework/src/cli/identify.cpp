#include "pipeline/identify.hpp"
#include "cli/xray_options.hpp"

#include <osteon/files.hpp>
#include <osteon/png.hpp>

#include <iostream>

namespace osteon::cli {

namespace {

struct IdentifyOptions {
  std::filesystem::path model, gallery, out;
  std::string classifier;
  std::int64_t top = 5;
  QueryOptions query;
};

void show(const IdentifyOptions& options, const pipeline::Model& model, const pipeline::Gallery& gallery,
          const pipeline::Query& query, const pipeline::Answer& answer) {
  for (const std::string& line : query.lines) std::cout << line << "\n";
  std::cout << "model      " << options.model.string() << " · network " << model.pack().network.substr(0, 12) << "\n"
            << "gallery    " << (options.gallery.empty() ? "the model's own" : options.gallery.string()) << " · "
            << pipeline::size_text(gallery) << "\n";
  for (const std::string& line : pipeline::told(answer, gallery)) std::cout << line << "\n";
  for (const std::string& notice : model.pack().notices) std::cout << "note       " << notice << "\n";
  if (options.out.empty()) return;
  const std::string ending = options.out.extension().string();
  if (ending == ".html")
    write_file(options.out, pipeline::page_of(answer, gallery, query, model));
  else
    write_png(options.out, pipeline::picture_of(answer, gallery, query));
  std::cout << "picture    " << options.out.string() << "\n";
}

}  // namespace

void add_identify(CLI::App& app, Common& common) {
  auto* command = app.add_subcommand("identify", "Say whose bone an X-ray pair shows, or that it is unknown");
  auto options = std::make_shared<IdentifyOptions>();
  command->add_option("--model", options->model, "What osteon pack wrote")->required()->type_name("FILE");
  command->add_option("--gallery", options->gallery, "The bones that are known; the model's own when left out")
      ->type_name("FILE");
  command->add_option("--classifier", options->classifier, "One of the model's classifiers; its first when left out");
  command->add_option("--top", options->top, "How many candidates to show; 5 by default")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1000}));
  command->add_option("--out", options->out, "The query beside the best candidates, .png or .html")->type_name("FILE");
  options->query.add(*command);
  add_plugins_option(*command, common);
  command->callback([&common, options] {
    const std::string ending = options->out.extension().string();
    if (!options->out.empty() && ending != ".png" && ending != ".html")
      throw Error(text("--out ", options->out.string(), ": expected a name that ends in .png or .html"));
    host::Registry registry(host::Registry::search_path(common.plugin_folders));
    const pipeline::QueryFiles files = options->query.files();
    const pipeline::Model model(options->model, registry);
    const bool own = options->gallery.empty();
    const pipeline::Gallery gallery = own ? model.pack().gallery : pipeline::read_gallery(options->gallery);
    if (!own) pipeline::require_network(options->gallery.string(), gallery, model.pack().network);
    const pipeline::Query query = model.read(files);
    show(*options, model, gallery, query,
         pipeline::identify(registry, model, gallery, own, query, options->classifier, options->top));
  });
}

}  // namespace osteon::cli
