#include "pipeline/gallery.hpp"
#include "cli/commands.hpp"
#include "pipeline/pack.hpp"

#include <osteon/error.hpp>

#include <iostream>
#include <map>

namespace osteon::cli {

namespace {

namespace fs = std::filesystem;
using pipeline::Gallery;
using pipeline::GalleryEntry;

std::string summary(const fs::path& file, const Gallery& gallery) {
  return file.string() + " · " + pipeline::size_text(gallery);
}

void list(const fs::path& file, bool every) {
  const Gallery gallery = pipeline::read_gallery(file);
  std::cout << summary(file, gallery) << "\nnetwork    " << gallery.network << "\n";
  std::map<std::string, std::int64_t> count;
  for (const GalleryEntry& entry : gallery.entries) ++count[entry.id];
  for (const GalleryEntry& entry : gallery.entries) {
    const std::int64_t fingerprints = count[entry.id];
    if (!every && fingerprints == 0) continue;
    std::cout << "bone       " << entry.id << " · subject " << entry.subject << " · " << to_text(entry.side);
    if (every)
      std::cout << " · image " << entry.image << " of " << entry.source.substr(0, 12) << " · " << entry.command;
    else
      std::cout << " · " << fingerprints << (fingerprints == 1 ? " fingerprint" : " fingerprints");
    if (entry.pixel_spacing > 0) std::cout << " · " << entry.pixel_spacing << " mm";
    if (!entry.mesh.empty()) std::cout << " · mesh " << entry.mesh.substr(0, 12);
    std::cout << " · " << entry.date << "\n";
    if (!every) count[entry.id] = 0;
  }
}

void add_list(CLI::App& gallery) {
  auto* command = gallery.add_subcommand("list", "Show the bones of a gallery or of a model");
  auto file = std::make_shared<fs::path>();
  auto every = std::make_shared<bool>(false);
  command->add_option("FILE", *file, "A gallery or a model")->required()->type_name("");
  command->add_flag("--all", *every, "Each fingerprint, with where it came from");
  command->callback([file, every] { list(*file, *every); });
}

void add_remove(CLI::App& gallery) {
  auto* command = gallery.add_subcommand("remove", "Take a bone, or all of a person, out of a gallery");
  struct Options {
    fs::path file;
    std::string id, subject;
  };
  auto options = std::make_shared<Options>();
  command->add_option("FILE", options->file, "The gallery")->required()->type_name("");
  auto* id = command->add_option("--id", options->id, "The bone");
  command->add_option("--subject", options->subject, "The person")->excludes(id);
  command->callback([options] {
    if (options->id.empty() == options->subject.empty()) throw Error("name what to remove: --id ID or --subject S");
    pipeline::change_gallery(options->file, std::nullopt, [&](Gallery& known) {
      const bool by_id = !options->id.empty();
      const std::string& wanted = by_id ? options->id : options->subject;
      std::vector<std::string> names;
      for (const GalleryEntry& entry : known.entries) names.push_back(by_id ? entry.id : entry.subject);
      const std::int64_t removed = pipeline::remove_entries(
          known, [&](const GalleryEntry& entry) { return (by_id ? entry.id : entry.subject) == wanted; });
      if (removed == 0) {
        const std::string near = host::nearest_word(wanted, names);
        throw Error(text(options->file.string(), ": no ", by_id ? "bone" : "subject", " \"", wanted, "\"",
                         near.empty() ? "" : "; did you mean \"" + near + "\"?"));
      }
      std::cout << "removed    " << removed << (removed == 1 ? " fingerprint" : " fingerprints") << "\n"
                << summary(options->file, known) << "\n";
      return true;
    });
  });
}

void add_merge(CLI::App& gallery) {
  auto* command = gallery.add_subcommand("merge", "Add the bones of galleries and models to a gallery");
  auto into = std::make_shared<fs::path>();
  auto from = std::make_shared<std::vector<fs::path>>();
  command->add_option("INTO", *into, "The gallery that grows; made when it isn't there")->required()->type_name("");
  command->add_option("FROM", *from, "Galleries and models of the same network")->required()->type_name("");
  command->callback([into, from] {
    std::vector<Gallery> others;
    for (const fs::path& file : *from) others.push_back(pipeline::read_gallery(file));
    const Gallery empty{others.front().network, {}, {}, {}};
    pipeline::change_gallery(*into, empty, [&](Gallery& known) {
      std::int64_t added = 0;
      for (std::size_t i = 0; i < others.size(); ++i) {
        pipeline::require_network((*from)[i].string(), others[i], known.network);
        added += pipeline::merge_gallery(known, others[i]);
      }
      std::cout << "added      " << added << (added == 1 ? " fingerprint" : " fingerprints") << "\n"
                << summary(*into, known) << "\n";
      return added > 0;
    });
  });
}

void add_check_of(CLI::App& gallery, Common& common) {
  auto* command = gallery.add_subcommand("check", "Say whether a gallery is whole, and whether it fits a model");
  auto file = std::make_shared<fs::path>();
  auto model = std::make_shared<fs::path>();
  command->add_option("FILE", *file, "A gallery or a model")->required()->type_name("");
  command->add_option("--model", *model, "Whether this model's network made it")->type_name("FILE");
  add_plugins_option(*command, common);
  command->callback([&common, file, model] {
    const Gallery known = pipeline::read_gallery(*file);
    if (!model->empty()) {
      host::Registry registry(host::Registry::search_path(common.plugin_folders));
      pipeline::require_network(file->string(), known, pipeline::read_pack(*model, registry).network);
    }
    std::cout << summary(*file, known) << "\nnetwork    " << known.network << "\n";
    const std::vector<std::string> doubts = pipeline::doubts(known);
    for (const std::string& doubt : doubts) std::cout << "doubt      " << doubt << "\n";
    std::cout << (doubts.empty() ? "sound\n" : "");
    if (!doubts.empty()) common.exit_code = 2;
  });
}

}  // namespace

void add_gallery(CLI::App& app, Common& common) {
  auto* command = app.add_subcommand("gallery", "List, remove, merge and check the bones that are known");
  command->require_subcommand(1);
  add_list(*command);
  add_remove(*command);
  add_merge(*command);
  add_check_of(*command, common);
}

}  // namespace osteon::cli
