#include "pipeline/model.hpp"

#include "pipeline/network_input.hpp"
#include "pipeline/stages.hpp"

#include <osteon/digest.hpp>
#include <osteon/error.hpp>

#include <ATen/Functions.h>

#include <algorithm>

namespace osteon::pipeline {

namespace {

namespace fs = std::filesystem;

/// The options that a person gave of a picture, as typed.
std::string said_of(const imaging::RadiographHints& hints, const std::string& view) {
  const std::string option = " --" + view + "-";
  std::string said;
  if (hints.spacing > 0) said += text(option, "spacing ", hints.spacing);
  if (const auto& m = hints.marker)
    said += text(option, "marker ", m->x0, ",", m->y0, ",", m->x1, ",", m->y1, ",", m->length);
  if (const auto& c = hints.crop) said += text(option, "crop ", c->at(0), ",", c->at(1), ",", c->at(2), ",", c->at(3));
  if (hints.angle) said += text(option, "angle ", *hints.angle);
  if (hints.upside_down) said += option + "upside-down";
  if (hints.mirrored) said += option + "mirrored";
  return said;
}

/// The middle brightness along the border of each half of a montage, from 0 to 255.
double border_brightness(const at::Tensor& montage) {
  const at::Tensor grey = montage.to(at::kFloat);
  const std::int64_t rows = grey.size(0), columns = grey.size(1);
  return at::cat({grey[0], grey[rows - 1], grey.select(1, 0), grey.select(1, columns - 1)}).median().item<double>();
}

/// A montage of another size made that of the network: areas averaged, or pixels interpolated where there are fewer.
at::Tensor resized(const at::Tensor& montage, std::int64_t height, std::int64_t width) {
  const at::Tensor from = montage.to(at::kFloat).unsqueeze(0);
  const at::Tensor to = montage.size(0) > height
                            ? at::adaptive_avg_pool2d(from, {height, width})
                            : at::upsample_bilinear2d(from.unsqueeze(0), {height, width}, false).squeeze(0);
  return to.squeeze(0).round().clamp(0, 255).to(at::kByte).contiguous();
}

}  // namespace

Model::Model(const fs::path& file, host::Registry& registry) : Model(file, read_pack(file, registry), registry) {}

Model::Model(const fs::path& name, Pack pack, host::Registry& registry)
    : file_(name), registry_(registry), pack_(std::move(pack)) {
  const host::BackboneHandle backbone(registry.find("backbone", pack_.backbone.plugin), pack_.backbone.parameters);
  network_ =
      training::make_network(backbone, pack_.section("head"), pack_.section("training"), pack_.height, pack_.width);
  try {
    training::load_network_state(*network_, pack_.weights);
  } catch (const Error& e) {
    throw e.within(name.string());
  }
}

at::Tensor Model::fingerprint(const at::Tensor& montage) const {
  const Parameters& settings = pack_.section("training");
  const at::Tensor image = as_seen(montage.unsqueeze(0).contiguous(), network_input_of(settings));
  const std::vector<std::int64_t> only{0};
  return training::embed(*network_, training::Pixels(image), only, settings, {})[0].contiguous();
}

Query Model::read(const QueryFiles& files) const {
  Query query;
  query.side = files.pair.side;
  if (query.side != Side::unknown) query.said = " --side " + to_text(query.side);
  for (const std::string& word : files.overrides) query.said += " --set " + word;
  if (files.montage.empty()) {
    read_pair(files, query);
  } else {
    read_montage(files, query);
  }
  query.fingerprint = fingerprint(query.montage);
  return query;
}

Parameters Model::xray_settings(const std::vector<std::string>& overrides) const {
  constexpr std::string_view kSection = "xray.";
  const Schema schema = imaging::radiographs_schema();
  auto values = pack_.section("xray").values();
  for (const std::string& word : overrides) {
    const std::size_t sign = word.find('=');
    const std::string path = word.substr(0, sign);
    if (sign == std::string::npos || !path.starts_with(kSection))
      throw Error(text("--set ", word, ": expected xray.KEY=VALUE; all else is as the network was trained"));
    const std::string name = path.substr(kSection.size());
    const Parameter* declared = schema.find(name);
    std::vector<std::string> names;
    for (const Parameter& each : schema.parameters) names.push_back(each.name);
    if (declared == nullptr) {
      const std::string near = host::nearest_word(name, names);
      throw Error(text("--set ", word, ": [xray] has no parameter \"", name, "\"",
                       near.empty() ? "" : "; did you mean \"" + near + "\"?"));
    }
    const std::string value = word.substr(sign + 1);
    auto parsed = nlohmann::json::parse(value, nullptr, false);
    if (parsed.is_discarded() || declared->type == Parameter::Type::text) parsed = value;
    values[name] = value_from(*declared, parsed);
  }
  return {schema, values};
}

/// Says before anything is looked for in the pictures what a person must add.
void Model::require_scale(const XrayPair& pair) const {
  if (pack_.section("views").text("scaling") != "world") return;
  for (const auto& [view, name] : {std::pair(&pair.ap, "AP"), std::pair(&pair.ml, "ML")}) {
    if (view->hints.spacing > 0 || view->hints.marker) continue;
    const Radiograph radiograph = read_radiograph(registry_, view->file, pair.format);
    if (radiograph.pixel_spacing > 0) continue;
    throw Error(text("the ", name, " radiograph has no scale (",
                     radiograph.spacing_source.empty() ? "the file carries none" : radiograph.spacing_source,
                     "), and the network was trained on bones at their size in millimetres: give --spacing, mm between "
                     "pixels at the bone, or --marker, the ends and the length of a marker"));
  }
}

void Model::read_pair(const QueryFiles& files, Query& query) const {
  const XrayPair& pair = files.pair;
  const XraySettings settings{pack_.section("views"), pack_.section("film"), xray_settings(files.overrides)};
  require_scale(pair);
  PreparedPair prepared = prepare_pair(registry_, pair, settings);
  query.lines = std::move(prepared.lines);
  query.montage = prepared.montage(settings);
  query.pixel_spacing = prepared.ap.output_spacing();
  query.ml_pixel_spacing = prepared.ml.output_spacing();
  query.source = sha256(sha256_of_file(pair.ap.file) + sha256_of_file(pair.ml.file));
  query.said += said_of(pair.ap.hints, "ap") + said_of(pair.ml.hints, "ml");
  if (pair.side == Side::unknown)
    query.notices.emplace_back(
        "no --side was given: the bone is taken for a right one, and a left one is not known so");
  for (const auto& [view, name] : {std::pair(&prepared.ap, "AP"), std::pair(&prepared.ml, "ML")})
    if (view->resampling() < 0.99)
      query.notices.push_back(text("the ", name,
                                   " radiograph is coarser than the images that the network was trained on: ",
                                   std::round(100 * view->resampling()) / 100, " of its pixels make one of theirs"));
}

void Model::read_montage(const QueryFiles& files, Query& query) const {
  const Radiograph radiograph = read_radiograph(registry_, files.montage, files.pair.format);
  query.montage = radiograph.intensity.mul(255).round().to(at::kByte);
  query.source = sha256_of_file(files.montage);
  query.lines = {text("montage  ", files.montage.filename().string()),
                 text("    size       ", query.montage.size(1), " x ", query.montage.size(0), " pixels")};
  const Parameters& views = pack_.section("views");
  const bool is_world = views.text("scaling") == "world";
  if (is_world) query.pixel_spacing = views.real("field_of_view") / static_cast<double>(pack_.height);
  query.ml_pixel_spacing = query.pixel_spacing;
  const std::int64_t rows = query.montage.size(0), columns = query.montage.size(1);
  if (rows != pack_.height || columns != pack_.width) {
    // As wide to its height as the network's, to a pixel.
    if (std::abs(columns * pack_.height - rows * pack_.width) > std::max(pack_.height, pack_.width))
      throw Error(text(files.montage.filename().string(), ": ", columns, " x ", rows,
                       " pixels are no montage for a network that sees ", pack_.width, " x ", pack_.height,
                       ": AP left, ML right, each twice as high as wide; make one with osteon xray prepare"));
    query.montage = resized(query.montage, pack_.height, pack_.width);
    query.notices.push_back(
        text("the montage of ", columns, " x ", rows, " pixels was made ", pack_.width, " x ", pack_.height,
             ", the network's size",
             is_world ? text("; its height must show ", views.real("field_of_view"), " mm, or all sizes are wrong")
                      : std::string()));
  }
  const bool dark_ground = pack_.section("film").text("polarity") != "bone_dark";
  constexpr double kMiddleGrey = 127.5;
  if ((border_brightness(query.montage) > kMiddleGrey) == dark_ground)
    query.notices.push_back(text("the montage's border is ", dark_ground ? "bright" : "dark",
                                 ", and the network was trained on images with ", dark_ground ? "bright" : "dark",
                                 " bone on ", dark_ground ? "black" : "white", ": is it the negative?"));
}

}  // namespace osteon::pipeline
