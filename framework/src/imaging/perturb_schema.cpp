// The parameters of [perturb].

#include "imaging/perturb.hpp"

#include <osteon/error.hpp>

namespace osteon::imaging {

namespace {

using Choices = std::vector<std::string>;

Parameter percent(std::string name, double standard, double most, std::string sentence) {
  return Parameter::real(std::move(name), standard, std::move(sentence)).unit("%").at_least(0).at_most(most);
}

Parameter millimetres(std::string name, double standard, double most, std::string sentence) {
  return Parameter::real(std::move(name), standard, std::move(sentence)).unit("mm").at_least(0).at_most(most);
}

Parameter word(std::string name, std::string standard, std::string sentence, Choices choices) {
  return Parameter::text(std::move(name), std::move(standard), std::move(sentence)).one_of(std::move(choices));
}

std::vector<Parameter> thin_shaft() {
  return {percent("thin_shaft", 0, 95, "Share of its thickness that the shaft loses between two heights; 0 is none."),
          percent("thin_shaft_from", 35, 100, "Where the thin part begins, from the distal end on."),
          percent("thin_shaft_to", 65, 100, "Where the thin part ends; over its first and last fifth it narrows."),
          word("thin_shaft_on", "volume",
               "Made in the volume, so that AP and ML agree, or painted on finished images, as the study did.",
               {"volume", "ap", "ml", "both"})};
}

std::vector<Parameter> broken_end() {
  return {Parameter::real("broken_end", 0, "Angle by which the proximal end is turned as if broken off; 0 is none.")
              .unit("degrees")
              .at_least(0)
              .at_most(120),
          Parameter::real("broken_end_height", 78,
                          "Where it breaks, from the distal end on: below the lesser trochanter (78) up to the neck.")
              .unit("%")
              .at_least(10)
              .at_most(97),
          Parameter::real("broken_end_towards", 0,
                          "Where the end tips to: 0 is medial, 90 anterior, 180 lateral, 270 posterior. On an image, "
                          "to the side of it that this is nearer to.")
              .unit("degrees")
              .at_least(0)
              .below(360),
          millimetres("broken_end_shift", 0, 100, "How far the end is shifted in that direction beside its turn."),
          word("broken_end_on", "volume",
               "Made in the volume, or painted on one of the two finished images, as the study did.",
               {"volume", "ap", "ml"})};
}

std::vector<Parameter> implant() {
  return {
      word("implant", "rod",
           "A rod in the shaft, a plate on its lateral side, or a hip stem with neck and ball in place of the head.",
           {"rod", "plate", "stem"}),
      millimetres("implant_diameter", 0, 60,
                  "Diameter of the rod and of the stem's upper end, thickness of the plate; 0 is no implant."),
      millimetres("implant_width", 16, 100, "Width of the plate."),
      millimetres("implant_length", 200, 600, "Length of the rod and the plate, and of the stem within the shaft."),
      percent("implant_height", 50, 100, "Where the middle of the rod or plate lies, from the distal end on."),
      Parameter::integer("implant_hounsfield", 3071,
                         "What its voxels hold: 3071 is the end of a 12-bit CT's scale. Above 1600 a voxel counts as "
                         "cortical bone of a higher density.")
          .unit("HU")
          .at_least(200)
          .at_most(30000)};
}

std::vector<Parameter> images() {
  return {Parameter::real("noise", 0, "Standard deviation of normal noise on the finished 8-bit images.")
              .unit("grey values")
              .at_least(0)
              .at_most(255),
          Parameter::real("view_error", 0,
                          "The axial, tilt and in-plane angles differ from those that one is told by up to this, each "
                          "drawn on its own.")
              .unit("degrees")
              .at_least(0)
              .at_most(60),
          percent("truncation", 0, 90,
                  "Share of the finished image's rows that are black at an end (beside what the detector cuts, which "
                  "alone the index of views tells)."),
          word("truncation_end", "proximal", "Which rows: those at the top, at the bottom, or as many at each end.",
               {"proximal", "distal", "both"})};
}

}  // namespace

Schema perturb_schema() {
  Schema schema{
      "Deformed bones, implants and bad images (the deformities are those of Čavojská et al., 2020); all off by "
      "default.",
      {word("applies_to", "queries", "Which scans: those that are asked about, or the gallery's too.",
            {"queries", "all"})}};
  for (auto& more : {thin_shaft(), broken_end(), implant(), images()})
    schema.parameters.insert(schema.parameters.end(), more.begin(), more.end());
  return schema;
}

bool is_perturbed(const Parameters& perturb) {
  const double from = perturb.real("thin_shaft_from"), to = perturb.real("thin_shaft_to");
  if (from >= to) throw Error(text("perturb.thin_shaft_from = ", from, " must be below perturb.thin_shaft_to = ", to));
  for (const char* strength :
       {"thin_shaft", "broken_end", "broken_end_shift", "implant_diameter", "noise", "view_error", "truncation"})
    if (perturb.real(strength) > 0) return true;
  return false;
}

}  // namespace osteon::imaging
