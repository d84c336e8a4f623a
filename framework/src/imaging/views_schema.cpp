// The parameters of [views].

#include "imaging/views.hpp"

namespace osteon::imaging {

namespace {

using Choices = std::vector<std::string>;

Parameter angle(std::string name, double standard, double largest, std::string sentence) {
  return Parameter::real(std::move(name), standard, std::move(sentence)).unit("degrees").at_least(0).at_most(largest);
}

Parameter offset(std::string name, std::string sentence) {
  return Parameter::real(std::move(name), 0, std::move(sentence)).unit("degrees").at_least(-180).at_most(180);
}

Parameter choice(std::string name, std::string standard, std::string sentence, Choices choices) {
  return Parameter::text(std::move(name), std::move(standard), std::move(sentence)).one_of(std::move(choices));
}

std::vector<Parameter> poses() {
  return {
      angle("axial_range", 21, 180,
            "Grid: rotation about the bone's long axis, from minus this to this (the study's 70 to 112° in steps of 3° "
            "is -21 to 21° from its middle)."),
      Parameter::real("axial_step", 3, "Grid: step of the axial angle.").unit("degrees").above(0).at_most(360),
      angle("in_plane_range", 21, 180, "Grid: rotation about the beam, from minus this to this."),
      Parameter::real("in_plane_step", 3, "Grid: step of the in-plane angle.").unit("degrees").above(0).at_most(360),
      Parameter::reals("tilts", {0.0}, "Grid: angles of the proximal end towards the source, each with all others.")
          .unit("degrees")
          .at_least(-60)
          .at_most(60)
          .length_at_least(1),
      choice("gallery", "grid", "Poses of the gallery's acquisitions: the grid, or drawn at random.",
             {"grid", "random"}),
      choice("queries", "random", "Poses of the query acquisition: drawn at random, or the grid.", {"random", "grid"}),
      Parameter::integer("gallery_poses", 225, "How many poses a gallery acquisition draws when gallery is random.")
          .at_least(1)
          .at_most(100000),
      Parameter::integer("query_poses", 16, "How many poses a query acquisition draws when queries is random.")
          .at_least(1)
          .at_most(100000),
      angle("drawn_axial", 21, 180, "Drawn axial angles lie between minus this and this."),
      angle("drawn_in_plane", 21, 180, "Drawn in-plane angles lie between minus this and this."),
      angle("drawn_tilt", 5, 60, "Drawn tilts of queries lie between minus this and this (clinical: 10)."),
      angle("gallery_tilt", 5, 60, "The same for a gallery that is drawn at random."),
      choice("drawn", "pair",
             "pair: AP and ML of a drawn pose share its tilt and in-plane angle; view: each has its own, as two "
             "exposures of a patient have.",
             {"pair", "view"}),
      choice("pairing", "per_view",
             "per_view turns the bone alike before the AP and the 90° turned ML exposure (the study's); "
             "rigid takes both of one pose, from two sources at 90°.",
             {"per_view", "rigid"}),
      angle("ap_ml_spread", 0, 45, "Error: the angle between AP and ML is drawn from 90° plus or minus this."),
      Parameter::real("scale_error", 0,
                      "Error: standard deviation of each view's scale; its millimetres are not what they seem.")
          .unit("%")
          .at_least(0)
          .at_most(20),
      Parameter::real("ap_shorter", 0,
                      "Error: the AP image shows the bone this much smaller than the ML image (the study's real pairs: "
                      "6).")
          .unit("%")
          .at_least(0)
          .at_most(50),
      choice("errors_in", "queries", "Which acquisitions have the errors above.", {"queries", "all"})};
}

std::vector<Parameter> axes() {
  return {choice("axes", "shaft",
                 "What the views are taken about: shaft and mechanical are found from the anatomy (mechanical runs "
                 "from the knee's to the hip's centre, the ISB's axis); patient takes the CT's axes.",
                 {"shaft", "mechanical", "patient"}),
          offset("axial_offset", "Turns every view by this before its pose, axially: corrects axes by hand."),
          offset("tilt_offset", "Tilts the bone by this before every pose."),
          offset("in_plane_offset", "Turns the bone in the AP image's plane by this before every pose.")};
}

std::vector<Parameter> geometry() {
  return {
      choice("geometry", "perspective",
             "A point source, parallel rays, or a slot scan (parallel along the image's height, perspective across).",
             {"perspective", "parallel", "slot"}),
      Parameter::real("source_detector", 1000,
                      "From the source to the detector (human limbs: 1150). Pixels are measured at the isocentre, so "
                      "what shows is the perspective and the magnification.")
          .unit("mm")
          .above(0)
          .at_most(100000),
      Parameter::real("object_detector", 100, "From the bone's centroid to the detector.")
          .unit("mm")
          .at_least(0)
          .at_most(10000),
      Parameter::real("detector_width", 0,
                      "Width of the detector of each view; what falls beside it is black. 0 is as wide as the image.")
          .unit("mm")
          .at_least(0)
          .at_most(5000),
      Parameter::real("detector_height", 0,
                      "Height of the detector of each view (a 43 cm cassette holds no whole human femur). 0 is as "
                      "high as the image.")
          .unit("mm")
          .at_least(0)
          .at_most(5000),
      Parameter::reals("detector_shift", {0.0, 0.0},
                       "How far to the right and up the detector's centre lies from the shadow of the bone's centroid.")
          .unit("mm")
          .at_least(-5000)
          .at_most(5000)
          .length_at_least(2),
      Parameter::integer("height", 128, "Pixels of an image's height and width; the AP and ML halves are half as wide.")
          .unit("pixels")
          .at_least(16)
          .at_most(4096),
      choice("scaling", "world",
             "world gives all bones one size of a pixel; framed lets each bone's length fill 85 % of the height.",
             {"world", "framed"}),
      Parameter::real("field_of_view", 560,
                      "What the image's height shows at the isocentre when scaling is world; 560 suits human "
                      "femurs, 140 a cat's.")
          .unit("mm")
          .above(0)
          .at_most(2000)};
}

}  // namespace

Schema views_schema() {
  Schema schema{
      "Poses of the bone and the geometry of the exposures; the grid of angles is the study's (Čavojská et al., 2020).",
      poses()};
  for (auto& more : {axes(), geometry()}) schema.parameters.insert(schema.parameters.end(), more.begin(), more.end());
  return schema;
}

}  // namespace osteon::imaging
