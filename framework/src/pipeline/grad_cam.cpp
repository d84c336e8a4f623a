// grad_cam: heat maps over an X-ray of each bone that was trained on.

#include "pipeline/grad_cam.hpp"

#include "pipeline/stage_tools.hpp"
#include "training/grad_cam.hpp"
#include "training/runtime.hpp"

#include "host/stop.hpp"

#include <osteon/digest.hpp>
#include <osteon/parallel.hpp>

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace osteon::pipeline {

namespace {

/// Validation images of a bone: the one nearest to the nominal pose, then others at even steps away from it.
std::vector<std::int64_t> shown_images(const ImageTable& images, std::int64_t bone, std::int64_t most) {
  std::vector<std::int64_t> all, shown;
  for (std::int64_t i = 0; i < std::ssize(images.role); ++i)
    if (images.role[static_cast<std::size_t>(i)] == Role::validation && images.bone.data_ptr<std::int64_t>()[i] == bone)
      all.push_back(i);
  std::ranges::stable_sort(all, {}, [&](std::int64_t i) {
    const ImageRow& row = images.rows[static_cast<std::size_t>(i)];
    return std::abs(row.axial) + std::abs(row.tilt) + std::abs(row.in_plane);
  });
  const std::int64_t total = std::ssize(all), count = std::min(most, total);
  for (std::int64_t n = 0; n < count; ++n) shown.push_back(all[static_cast<std::size_t>(n * total / count)]);
  return shown;
}

/// Mean fingerprint of a bone's training images, of unit length.
at::Tensor class_mean(const ImageTable& images, const EmbeddingSet& fingerprints, std::int64_t bone) {
  const at::Tensor rows = images.rows_where([&](std::int64_t i) {
    return images.role[static_cast<std::size_t>(i)] == Role::training &&
           images.bone.data_ptr<std::int64_t>()[i] == bone;
  });
  const at::Tensor mean = fingerprints.vectors.index_select(0, rows).mean(0);
  return mean / mean.norm().clamp_min(1e-12);
}

std::string caption(const ImageTable& images, std::int64_t bone, std::int64_t image, const at::Tensor& heat,
                    bool of_classes) {
  const ImageRow& row = images.rows[static_cast<std::size_t>(image)];
  char angles[160];
  std::snprintf(angles, sizeof angles, ": axial %.0f°, in-plane %.0f°, %.0f keV; %s, from %ld × %ld maps", row.axial,
                row.in_plane, row.energy, of_classes ? "class score" : "similarity to the bone's mean fingerprint",
                static_cast<long>(heat.size(0)), static_cast<long>(heat.size(1)));
  return images.bones[static_cast<std::size_t>(bone)].id + angles +
         (heat.max().item<float>() > 0 ? "" : "; nothing speaks for it");
}

}  // namespace

Schema grad_cam_schema() {
  return {"Grad-CAM (Selvaraju et al. 2017): where the network looks, over validation images of each bone trained on.",
          {Parameter::integer("images", 1, "Of each bone; 0 for none.").at_least(0).at_most(100)}};
}

void show_heat_maps(const RunContext& run, const ImageTable& images, const TrainedModel& model,
                    const EmbeddingSet& fingerprints, Records& records) {
  const std::int64_t each = run.experiment.sections.at("grad_cam").integer("images");
  if (each == 0) return;
  const at::Device device = training::resolved_device(run.experiment.sections.at("training"));
  StageReport report(run.reporters, "grad_cam", "", std::ssize(images.bones), "bones");
  store::Ingredients ingredients{"grad_cam", run.experiment.title, section_parts(run.experiment, "grad_cam")};
  ingredients.parts["revision"] = "1";
  ingredients.parts["input.network"] = model.stored.digest;
  ingredients.parts["input.fingerprints"] =
      sha256({static_cast<const char*>(fingerprints.vectors.contiguous().data_ptr()), fingerprints.vectors.nbytes()});
  const Stored stored = find_or_make(run, ingredients, report, [&] {
    store::Artifact artifact;
    artifact.facts["captions"] = nlohmann::json::array();
    std::vector<at::Tensor> pictures;
    const std::vector<std::int64_t> classes = classes_of_bones(images);
    for (std::int64_t bone = 0; bone < std::ssize(images.bones); ++bone) {
      const std::int64_t label = classes[static_cast<std::size_t>(bone)];
      if (label < 0) continue;
      const at::Tensor mean = class_mean(images, fingerprints, bone).to(device);
      for (const std::int64_t image : shown_images(images, bone, each)) {
        throw_if_stopped();
        bool of_classes = false;
        const auto score = [&](const at::Tensor& embedding) {
          const at::Tensor scores = model.class_scores(embedding);
          of_classes = scores.defined();
          return of_classes ? scores[0][label] : embedding[0].dot(mean);
        };
        const at::Tensor heat = training::grad_cam(*model.network, images.network_input[image], score, device);
        pictures.push_back(training::overlay(images.network_input[image], heat));
        artifact.facts["captions"].push_back(caption(images, bone, image, heat, of_classes));
      }
      report.progress(bone + 1);
    }
    if (!pictures.empty()) artifact.tensors["pictures"] = at::stack(pictures);
    return artifact;
  });
  const store::Artifact artifact = run.store.load(stored.key);
  std::int64_t number = 0;
  for (const nlohmann::json& one : artifact.facts.at("captions")) {
    const std::vector<at::Tensor> halves = artifact.tensors.at("pictures")[number++].chunk(2, 1);  // X-ray, overlay
    run.reporters(Picture{"Grad-CAM", one, halves.at(1).contiguous(), halves.at(0).contiguous()});
  }
  finish(report, records, text(number, " heat maps"));
}

}  // namespace osteon::pipeline
