// Models as bundles of named parts.

#include "pipeline/pack.hpp"

#include "pipeline/runner.hpp"
#include "store/bundle.hpp"

#include <osteon/error.hpp>

#include <ATen/Functions.h>

#include <algorithm>

namespace osteon::pipeline {

namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr const char* kNetworkPart = "network";
constexpr const char* kCalibrationPart = "calibration";

void put_part(store::Artifact& whole, const std::string& name, const store::Artifact& part) {
  whole.facts["parts"][name] = part.facts;
  for (const auto& [tensor, values] : part.tensors) whole.tensors[text(name, "/", tensor)] = values;
}

/// Values without the paths: those are folders of whoever trained, and no part of what was trained.
json parameters_json(const Parameters& parameters, const Schema& schema) {
  json values = json::object();
  for (const auto& [name, value] : parameters.values())
    if (const Parameter* declared = schema.find(name); declared != nullptr && declared->type != Parameter::Type::path)
      values[name] = std::visit([](const auto& one) { return json(one); }, value);
  return values;
}

Parameters parameters_from(const json& values, const Schema& schema, const std::string& owner) {
  std::map<std::string, ParameterValue> given;
  for (const auto& [name, value] : values.items()) {
    const Parameter* declared = schema.find(name);
    if (declared == nullptr)
      throw Error(text(owner, " of this Osteon has no parameter \"", name,
                       "\": the model was made by another version; use that one, or pack the run again"));
    given[name] = value_from(*declared, value);
  }
  try {
    return {schema, given};
  } catch (const Error& e) {
    throw e.within(owner);
  }
}

json choice_json(const config::PluginChoice& choice, host::Registry& registry) {
  return {{"instance", choice.instance},
          {"plugin", choice.plugin},
          {"parameters", parameters_json(choice.parameters, registry.find(choice.kind, choice.plugin).schema)}};
}

config::PluginChoice choice_from(const std::string& kind, const json& j, host::Registry& registry) {
  const std::string plugin = j.at("plugin");
  const host::LoadedPlugin& found = registry.find(kind, plugin);
  return {kind, j.at("instance"), plugin, parameters_from(j.at("parameters"), found.schema, found.id())};
}

store::Artifact network_part(const Pack& pack, host::Registry& registry) {
  store::Artifact part;
  const config::Sections schemas = sections();
  json values = json::object(), classifiers = json::array();
  for (const auto& [name, parameters] : pack.sections) values[name] = parameters_json(parameters, schemas.at(name));
  for (const PackedClassifier& one : pack.classifiers) classifiers.push_back(choice_json(one.choice, registry));
  part.facts = {{"digest", pack.network},    {"height", pack.height},
                {"width", pack.width},       {"views", kMontageViews},
                {"sections", values},        {"backbone", choice_json(pack.backbone, registry)},
                {"classifiers", classifiers}};
  part.tensors = pack.weights;
  return part;
}

void read_network(const store::Artifact& part, host::Registry& registry, Pack& pack) {
  if (part.facts.at("views") != json(kMontageViews))
    throw Error("its network sees other pictures than an AP and an ML X-ray side by side");
  pack.network = part.facts.at("digest");
  pack.height = part.facts.at("height");
  pack.width = part.facts.at("width");
  const config::Sections schemas = sections();
  for (const auto& [name, values] : part.facts.at("sections").items()) {
    const auto schema = schemas.find(name);
    if (schema == schemas.end())
      throw Error(text("this Osteon has no section [", name, "]: the model was made by another version"));
    pack.sections[name] = parameters_from(values, schema->second, "[" + name + "]");
  }
  for (const char* needed : {"views", "film", "xray", "head", "training", "unknown", "split"})
    if (!pack.sections.contains(needed)) throw Error(text("the section [", needed, "] is missing"));
  pack.backbone = choice_from("backbone", part.facts.at("backbone"), registry);
  for (const json& one : part.facts.at("classifiers"))
    pack.classifiers.push_back({choice_from("classifier", one, registry), {}, {}});
  pack.weights = part.tensors;
}

/// The calibration's lists of people by name: fingerprints, and scores of each classifier.
template <class P>
auto people_lists(P& pack) {
  return std::array{std::pair("trained", &pack.trained), std::pair("unseen", &pack.unseen)};
}
template <class C>
auto scores_of(C& classifier) {
  return std::array{std::pair("trained", &classifier.strangers.trained),
                    std::pair("unseen", &classifier.strangers.unseen), std::pair("known", &classifier.known)};
}

store::Artifact calibration_part(const Pack& pack) {
  store::Artifact part;
  for (const auto& [kind, people] : people_lists(pack)) {
    part.facts["person"][kind] = people->person;
    part.tensors[kind] = people->vectors;
  }
  for (const PackedClassifier& one : pack.classifiers)
    for (const auto& [kind, people] : scores_of(one)) {
      part.facts["classifiers"][one.choice.instance][kind] = people->person;
      part.tensors[text(one.choice.instance, "/", kind)] = people->scores;
    }
  return part;
}

void read_calibration(const store::Artifact& part, Pack& pack) {
  const auto require = [](bool holds) {
    if (!holds) throw Error("its calibration cannot be read: numbers and people don't belong together");
  };
  for (const auto& [kind, people] : people_lists(pack)) {
    people->person = part.facts.at("person").at(kind);
    people->vectors = part.tensors.at(kind);
    require(people->vectors.dim() == 2 && people->vectors.scalar_type() == at::kFloat &&
            people->vectors.size(0) == std::ssize(people->person) && at::isfinite(people->vectors).all().item<bool>());
    people->labels = at::zeros({people->vectors.size(0)}, at::kLong);
  }
  for (PackedClassifier& one : pack.classifiers)
    for (const auto& [kind, people] : scores_of(one)) {
      people->person = part.facts.at("classifiers").at(one.choice.instance).at(kind);
      people->scores = part.tensors.at(text(one.choice.instance, "/", kind));
      require(people->scores.dim() == 1 && people->scores.scalar_type() == at::kFloat &&
              people->scores.size(0) == std::ssize(people->person));
    }
}

}  // namespace

ParameterValue value_from(const Parameter& parameter, const json& j) {
  using Type = Parameter::Type;
  try {
    switch (parameter.type) {
      case Type::flag:
        return j.get<bool>();
      case Type::integer:
        if (j.is_number_integer()) return j.get<std::int64_t>();
        break;
      case Type::real:
        if (j.is_number()) return j.get<double>();
        break;
      case Type::text:
      case Type::path:
        return j.get<std::string>();
      case Type::integers:
        return j.get<std::vector<std::int64_t>>();
      case Type::reals:
        return j.get<std::vector<double>>();
      case Type::texts:
        return j.get<std::vector<std::string>>();
    }
  } catch (const json::exception&) {
  }
  throw Error(text(parameter.name, ": ", j.dump(-1, ' ', false, json::error_handler_t::replace),
                   " is of another type; expected ", parameter.range_text()));
}

Strangers strangers_of(const host::ClassifierHandle& classifier, const Pack& pack, const Gallery& gallery) {
  const PeopleScores nobody{at::empty({0}, at::kFloat), {}};
  const Parameters& unknown = pack.section("unknown");
  if (unknown.real("false_accept_rate") == 0) return {nobody, nobody};
  Labelled known{gallery.fingerprints.contiguous(), gallery.labels(), {}};
  for (const GalleryEntry& entry : gallery.entries) known.person.push_back(entry.subject);
  const auto ask = [&](const Labelled& asked) {
    std::vector<std::string> people;
    for (const std::string& one : asked.person)
      if (std::ranges::find(people, one) == people.end()) people.push_back(one);
    if (people.empty()) return nobody;
    return ask_strangers(classifier, known, asked, people, unknown.integer("groups"),
                         static_cast<std::uint64_t>(pack.section("split").integer("seed")));
  };
  return {ask(pack.trained), ask(pack.unseen)};
}

store::Artifact part_of(const store::Artifact& whole, const std::string& name, const std::string& file) {
  const json* parts = whole.facts.is_object() && whole.facts.contains("parts") ? &whole.facts["parts"] : nullptr;
  if (parts == nullptr || !parts->is_object() || !parts->contains(name))
    throw Error(text(file, ": the model has no part \"", name, "\""));
  store::Artifact part{parts->at(name), {}};
  for (const auto& [tensor, values] : whole.tensors)
    if (tensor.starts_with(name + "/")) part.tensors[tensor.substr(name.size() + 1)] = values;
  return part;
}

void write_pack(const fs::path& file, const Pack& pack, host::Registry& registry) {
  store::Artifact whole;
  whole.facts = {{"title", pack.title}, {"run", pack.run}, {"date", pack.date}, {"notices", pack.notices}};
  put_part(whole, kNetworkPart, network_part(pack, registry));
  put_part(whole, kCalibrationPart, calibration_part(pack));
  put_part(whole, kGalleryKind, to_artifact(pack.gallery));
  for (const auto& [name, part] : pack.more) put_part(whole, name, part);
  store::write_bundle(file, kModelKind, whole);
}

Pack read_pack(const fs::path& file, host::Registry& registry) {
  const store::Artifact whole = store::read_bundle(file, kModelKind);
  const auto part = [&](const std::string& name) { return part_of(whole, name, file.string()); };
  Pack pack;
  try {
    pack.title = whole.facts.at("title");
    pack.run = whole.facts.at("run");
    pack.date = whole.facts.at("date");
    pack.notices = whole.facts.at("notices");
    for (const std::string& word : {pack.title, pack.run, pack.date}) require_printable(word);
    for (const std::string& notice : pack.notices) require_printable(notice);
    read_network(part(kNetworkPart), registry, pack);
    read_calibration(part(kCalibrationPart), pack);
    for (const auto& [name, facts] : whole.facts.at("parts").items())
      if (name != kNetworkPart && name != kCalibrationPart && name != kGalleryKind) pack.more[name] = part(name);
  } catch (const Error& e) {
    throw e.within(file.string());
  } catch (const std::exception&) {
    throw Error(text(file.string(), ": the model cannot be read: an entry is missing or of another type"));
  }
  pack.gallery = gallery_from(part(kGalleryKind), file.string());
  require_network(file.string(), pack.gallery, pack.network);
  return pack;
}

}  // namespace osteon::pipeline
