// Sources, formats and surfaces.

#include "bench/inputs.hpp"
#include "bench/work.hpp"

#include <osteon/error.hpp>

#include <ATen/ATen.h>

namespace osteon::bench {

namespace fs = std::filesystem;

namespace {

using Handle = std::shared_ptr<host::FormatHandle>;

/// Files of one content in a format: what it is written from and read to.
struct Written {
  std::string noun;  ///< "volume"
  std::function<void(std::int64_t side, const fs::path& path)> write;
  std::function<void(const fs::path& path)> read;
  std::function<std::int64_t(std::int64_t side)> items;
  std::string items_name;
};

/// The first of the format's endings with which this can be done; nothing where none will do.
std::optional<std::string> ending_for(const std::function<void(const fs::path&)>& done, const Handle& format,
                                      const fs::path& scratch) {
  std::vector<std::string> endings = format->endings();
  if (endings.empty()) endings.emplace_back();
  for (const std::string& ending : endings) {
    const fs::path trial = scratch / ("trial" + ending);
    try {
      done(trial);
      fs::remove_all(trial);
      return ending;
    } catch (const Error&) {
      fs::remove_all(trial);
    }
  }
  return std::nullopt;
}

void add_format_works(StandardWork& standard, const Written& written, const Handle& format, const fs::path& scratch) {
  constexpr std::int64_t kTrial = 16;
  const auto writes = ending_for([&](const fs::path& path) { written.write(kTrial, path); }, format, scratch);
  if (!writes) return;
  const auto file = [scratch, written, writes](std::int64_t side) {
    return scratch / text(written.noun, "-", side, *writes);
  };
  standard.works.push_back(
      {"write_" + written.noun, written.items_name, written.items_name, [written, file](std::int64_t side) {
         const fs::path path = file(side);
         return Call{[written, side, path] { written.write(side, path); }, written.items(side), written.items(side),
                     [path] { fs::remove_all(path); }};
       }});
  const auto reads = ending_for(
      [&](const fs::path& path) {
        written.write(kTrial, path);
        written.read(path);
      },
      format, scratch);
  if (reads != writes) return;
  standard.works.push_back(
      {"read_" + written.noun, written.items_name, written.items_name, [written, file](std::int64_t side) {
         const fs::path path = file(side);
         fs::remove_all(path);
         written.write(side, path);
         return Call{[written, path] { written.read(path); }, written.items(side), written.items(side)};
       }});
}

Written written_volumes(const Handle& format) {
  // Made once a size, outside the times.
  const auto made = std::make_shared<std::map<std::int64_t, Volume>>();
  return {"volume",
          [format, made](std::int64_t side, const fs::path& path) {
            if (!made->contains(side)) made->emplace(side, bone_in_tissue(side));
            VolumeLabel label;
            label.specimen = {"bone-1", "person-1", Side::right, 1};
            format->write_volume(made->at(side), label, path);
          },
          [format](const fs::path& path) { static_cast<void>(format->read_volume(path)); },
          [](std::int64_t side) { return side * side * side; }, "voxels"};
}

Written written_meshes(const Handle& format) {
  const auto made = std::make_shared<std::map<std::int64_t, Mesh>>();
  const auto mesh = [made](std::int64_t side) -> const Mesh& {
    if (!made->contains(side)) made->emplace(side, femur(1, static_cast<int>(side)));
    return made->at(side);
  };
  return {"surface", [format, mesh](std::int64_t side, const fs::path& path) { format->write_mesh(mesh(side), path); },
          [format](const fs::path& path) { static_cast<void>(format->read_mesh(path)); },
          [mesh](std::int64_t side) { return mesh(side).triangles.size(0); }, "triangles"};
}

}  // namespace

StandardWork source_work(const Subject& subject) {
  const auto source = subject.make<host::SourceHandle>();
  source->keep_secret("osteon bench");
  using OneAcquisition = std::pair<SpecimenInfo, int>;
  const auto all = std::make_shared<std::vector<OneAcquisition>>();
  for (const SpecimenInfo& specimen : source->specimens())
    for (int i = 0; i < specimen.acquisitions; ++i) all->emplace_back(specimen, i);
  if (all->empty()) throw Error(source->id() + ": lists no specimen, so there is nothing to measure");
  return {"acquisitions",
          {1, 2, 4},
          1,
          10'000,
          {{"acquire", "acquisitions", "acquisitions", [source, all](std::int64_t size) {
              return Call{[source, all, size] {
                            for (std::int64_t i = 0; i < size; ++i) {
                              const auto& [specimen, acquisition] = (*all)[static_cast<std::size_t>(i) % all->size()];
                              static_cast<void>(source->acquire(specimen, acquisition));
                            }
                          },
                          size, size};
            }}}};
}

StandardWork format_work(const Subject& subject) {
  const auto format = subject.make<host::FormatHandle>();
  StandardWork standard{"side", {32, 64, 128}, 8, 1024, {}};
  add_format_works(standard, written_volumes(format), format, subject.scratch);
  add_format_works(standard, written_meshes(format), format, subject.scratch);
  if (standard.works.empty())
    throw Error(format->id() + ": writes neither volumes nor surfaces, so there is no file to measure it on");
  return standard;
}

StandardWork surface_work(const Subject& subject) {
  const auto surface = subject.make<host::SurfaceHandle>();
  return {"side",
          {32, 64, 96, 128},
          24,
          1024,
          {{"extract", "voxels", "voxels", [surface](std::int64_t side) {
              const Volume volume = bone_in_tissue(side);
              const std::int64_t voxels = volume.hounsfield.numel();
              return Call{[surface, volume] { static_cast<void>(surface->extract(volume)); }, voxels, voxels};
            }}}};
}

}  // namespace osteon::bench
