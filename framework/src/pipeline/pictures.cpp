#include "pipeline/pictures.hpp"

#include "imaging/nominal_views.hpp"
#include "pipeline/opened.hpp"
#include "pipeline/stage_tools.hpp"

#include <osteon/files.hpp>
#include <osteon/parallel.hpp>
#include <osteon/png.hpp>

#include <ATen/Functions.h>

#include <algorithm>
#include <chrono>

namespace osteon::pipeline {

namespace fs = std::filesystem;

namespace {

/// Up to 6 × 4 images, spread evenly over the set.
at::Tensor contact_sheet(const at::Tensor& pixels) {
  const std::int64_t columns = 6, count = std::min<std::int64_t>(24, pixels.size(0));
  const std::int64_t lines = (count + columns - 1) / columns, height = pixels.size(1), width = pixels.size(2);
  at::Tensor sheet = at::zeros({lines * (height + 4), std::min(columns, count) * (width + 4)}, at::kByte);
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t y = i / columns * (height + 4), x = i % columns * (width + 4);
    sheet.slice(0, y, y + height).slice(1, x, x + width).copy_(pixels[i * pixels.size(0) / count]);
  }
  return sheet;
}

std::vector<std::string> ids(const std::vector<SpecimenInfo>& specimens) {
  std::vector<std::string> result;
  for (const SpecimenInfo& specimen : specimens) result.push_back(specimen.id);
  return result;
}

std::size_t number_of(const std::vector<SpecimenInfo>& specimens, const std::string& id) {
  if (id.empty()) return 0;
  const auto names = ids(specimens);
  const auto found = std::ranges::find(names, id);
  if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  const std::string near = host::nearest_word(id, names);
  throw Error(text("there is no specimen \"", id, "\" among the ", names.size(), " of this source",
                   near.empty() ? text("; the first is \"", names.front(), "\"") : "; did you mean \"" + near + "\"?"));
}

/// The experiment's views at a height that one can look at.
Parameters enlarged(const Parameters& views) {
  auto values = views.values();
  values["height"] = std::int64_t{400};
  return {imaging::views_schema(), values};
}

}  // namespace

RenderedPictures render_pngs(const RunOptions& options, const fs::path& folder) {
  const OpenedExperiment opened(options);
  const RunContext& run = opened.run();
  make_folder(folder);
  Records records;
  Cohort cohort = make_volumes(run, records);
  make_surfaces(run, cohort, records);
  const RenderTime time = make_images(run, cohort, records);

  RenderedPictures result{0, time.images, time.seconds, 0};
  const auto start = std::chrono::steady_clock::now();
  std::string all = index_header();
  for (const Scan& scan : cohort.scans) {
    const ImageSet set = image_set_from(run.store.load(scan.images.key));
    const std::string name = text(cohort.specimens[scan.specimen].id, "-", scan.acquisition + 1);
    make_folder(folder / name);
    std::string index = index_header();
    for (std::size_t i = 0; i < set.rows.size(); ++i) {
      throw_if_stopped();
      char file[40];
      std::snprintf(file, sizeof file, "%05zu.png", i);
      write_png(folder / name / file, set.pixels[static_cast<std::int64_t>(i)]);
      index += index_line(file, set.rows[i]);
      all += index_line(name + "/" + file, set.rows[i]);
      ++result.xrays;
    }
    write_file(folder / name / "index.csv", index);
    write_png(folder / (name + ".png"), contact_sheet(set.pixels));
  }
  write_file(folder / "index.csv", all);
  result.png_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

std::vector<std::string> view_specimen(const RunOptions& options, const std::string& specimen, int acquisition,
                                       const fs::path& file) {
  const OpenedExperiment opened(options);
  const RunContext& run = opened.run();
  Cohort cohort = list_scans(run);
  const std::size_t number = number_of(cohort.specimens, specimen);
  const SpecimenInfo info = cohort.specimens[number];
  if (acquisition < 0 || acquisition >= info.acquisitions)
    throw Error(text("specimen ", info.id, " has ", info.acquisitions, info.acquisitions == 1 ? " scan" : " scans",
                     "; there is no number ", acquisition + 1));
  std::erase_if(cohort.scans, [&](const Scan& s) { return s.specimen != number || s.acquisition != acquisition; });
  Records records;
  make_volumes(run, cohort, records);
  if (!cohort.has_volumes())
    throw Error(text("specimen ", info.id,
                     " is a pair of radiographs, which have no axes in space; look at them with osteon xray prepare"));
  make_surfaces(run, cohort, records);

  const Scan& scan = cohort.scans.front();
  const Volume volume = acquisition_from(run.store.load(scan.volume.key)).volume;
  const BoneSurface surface = bone_surface_from(run.store.load(scan.surface.key));
  const Parameters views = enlarged(run.experiment.sections.at("views"));
  const std::vector<imaging::Pose> nominal_pose(1);
  const ImageSet xrays =
      imaging::render(make_handle<host::RendererHandle>(run, "renderer"), volume, surface.frame, nominal_pose, views,
                      imaging::first_energy(run.experiment.sections.at("film")), {});
  const imaging::NominalViews nominal{volume,
                                      surface.frame,
                                      views,
                                      xrays.pixels[0],
                                      text(info.id, ", scan ", acquisition + 1, " of ", info.acquisitions),
                                      info.side};
  if (file.has_parent_path()) make_folder(file.parent_path());
  write_png(file, imaging::picture(nominal));
  return imaging::facts(nominal);
}

}  // namespace osteon::pipeline
