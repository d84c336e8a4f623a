#include "pipeline/reconstruct.hpp"
#include "cli/xray_options.hpp"
#include "pipeline/opened.hpp"

#include <osteon/png.hpp>

#include <iostream>

namespace osteon::cli {

namespace {

struct ReconstructOptions {
  pipeline::ReconstructionOptions reconstruction;
  std::filesystem::path out;
  QueryOptions query;
};

void reconstruct(ReconstructOptions& options) {
  pipeline::ReconstructionOptions& asked = options.reconstruction;
  asked.files = options.query.files();
  if (asked.mesh.empty()) asked.mesh = options.out / "bone.stl";
  const pipeline::Reconstruction result = pipeline::reconstruct(asked);
  pipeline::make_folder(options.out);
  const std::int64_t triangles = pipeline::write_bone(result, asked);
  const std::filesystem::path picture = options.out / "xrays.png";
  write_png(picture, pipeline::picture_of(result));
  for (const std::string& line : pipeline::told(result)) std::cout << line << "\n";
  std::cout << "mesh       " << asked.mesh.string() << " · " << triangles << " triangles\n"
            << "picture    " << picture.string() << "\n"
            << "Research software, not for clinical use.\n";
}

}  // namespace

void add_reconstruct(CLI::App& app, Common& common) {
  auto* command =
      app.add_subcommand("reconstruct", "Make a bone's surface from an X-ray pair, with a run's shape method");
  auto options = std::make_shared<ReconstructOptions>();
  command->add_option("--model", options->reconstruction.run, "The run's folder, as runs/quickstart-3f9a1c")
      ->required()
      ->type_name("RUN");
  command
      ->add_option(
          "--shape", options->reconstruction.shape,
          "One of the run's shape methods; when left out, of those that fit X-rays the one with the least error "
          "in the run")
      ->type_name("NAME");
  command
      ->add_option("--scale-error", options->reconstruction.scale_error,
                   "How well the X-rays' scale is known, %: its standard deviation (a marker beside the bone: about 1)")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 50.0))
      ->type_name("PERCENT");
  command->add_option("--out", options->out, "Folder for bone.stl and xrays.png, the bone's outline over both X-rays")
      ->required()
      ->type_name("FOLDER");
  command->add_option("--mesh", options->reconstruction.mesh, "Write the surface here instead: .stl, .ply, .obj")
      ->type_name("FILE");
  options->query.add(*command);
  add_plugins_option(*command, common);
  command->callback([&common, options] {
    options->reconstruction.plugin_folders = common.plugin_folders;
    reconstruct(*options);
  });
}

}  // namespace osteon::cli
