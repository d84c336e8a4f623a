#pragma once

// Plugins of this build, and small images of made-up "bones" whose identity is known.

#include "host/handles.hpp"
#include "training/training.hpp"

#include <osteon/random.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

namespace osteon::test {

using Values = std::map<std::string, ParameterValue>;

inline const host::LoadedPlugin& plugin(const std::string& kind, const std::string& name) {
  static host::Registry registry({std::filesystem::path(OSTEON_BUILD_DIR) / "lib/osteon/plugins"});
  return registry.find(kind, name);
}

template <class Handle>
Handle make(const std::string& kind, const std::string& name, const Values& values = {}) {
  const host::LoadedPlugin& loaded = plugin(kind, name);
  return Handle(loaded, Parameters(loaded.schema, values));
}

template <class Body>
std::string message_of(Body&& body) {
  try {
    body();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

/// A folder of its own for each test, removed at the end.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "osteon-test-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// One class: three rods of random place, direction, length and thickness. `draw` shows them turned, moved and
/// dimmed a little.
class MadeUpBone {
 public:
  MadeUpBone(std::uint64_t seed, std::uint64_t label) {
    Random random(seed, "made-up bone", label);
    for (Rod& rod : rods_) {
      const double angle = random.uniform(0, 3.14159), half = random.uniform(0.15, 0.4);
      const double x = random.uniform(-0.25, 0.25), y = random.uniform(-0.25, 0.25);
      rod = {x - half * std::cos(angle), y - half * std::sin(angle), x + half * std::cos(angle),
             y + half * std::sin(angle), random.uniform(0.04, 0.12)};
    }
  }

  void draw(std::uint8_t* pixels, std::int64_t size, Random& random) const {
    const double turn = random.uniform(-0.35, 0.35), right = random.uniform(-0.06, 0.06),
                 down = random.uniform(-0.06, 0.06);
    const double brightness = random.uniform(0.8, 1), cosine = std::cos(turn), sine = std::sin(turn);
    for (std::int64_t row = 0; row < size; ++row)
      for (std::int64_t column = 0; column < size; ++column) {
        const double u = (static_cast<double>(column) + 0.5) / static_cast<double>(size) - 0.5 - right;
        const double v = (static_cast<double>(row) + 0.5) / static_cast<double>(size) - 0.5 - down;
        double sum = 0;
        for (const Rod& rod : rods_) sum += rod.chord(cosine * u + sine * v, cosine * v - sine * u);
        pixels[row * size + column] = static_cast<std::uint8_t>(255 * brightness * std::min(1.0, sum));
      }
  }

 private:
  struct Rod {
    double x0 = 0, y0 = 0, x1 = 0, y1 = 0, radius = 0;

    /// How much of the rod a ray through (x, y) meets.
    [[nodiscard]] double chord(double x, double y) const {
      const double dx = x1 - x0, dy = y1 - y0;
      const double t = std::clamp(((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy), 0.0, 1.0);
      const double distance = std::hypot(x - x0 - t * dx, y - y0 - t * dy);
      return distance < radius ? 3 * std::sqrt(radius * radius - distance * distance) : 0;
    }
  };
  std::array<Rod, 3> rods_;
};

/// `per_class` images of each of `classes` made-up bones, of which the last 30 % validate.
inline training::Data made_up_data(std::int64_t classes, std::int64_t per_class, std::int64_t size,
                                   std::uint64_t seed = 1) {
  training::Data data;
  data.classes = classes;
  const at::Tensor pixels = at::zeros({classes * per_class, size, size}, at::kByte);
  data.pixels = pixels;
  data.labels = at::zeros({classes * per_class}, at::kLong);
  const std::int64_t training_images = std::llround(0.7 * static_cast<double>(per_class));
  for (std::int64_t label = 0; label < classes; ++label) {
    const MadeUpBone bone(seed, static_cast<std::uint64_t>(label));
    for (std::int64_t image = 0; image < per_class; ++image) {
      const std::int64_t row = label * per_class + image;
      Random random(seed, "made-up image", static_cast<std::uint64_t>(row));
      bone.draw(pixels.data_ptr<std::uint8_t>() + row * size * size, size, random);
      data.labels.data_ptr<std::int64_t>()[row] = label;
      (image < training_images ? data.training : data.validation).push_back(row);
    }
  }
  return data;
}

inline Parameters augment_parameters(const Values& values = {}) { return {training::augment_schema(), values}; }

/// Fingerprints of all images of `pixels`.
inline at::Tensor embed_all(training::FingerprintNetwork& network, const training::Pixels& pixels,
                            const Parameters& training) {
  return training::embed(network, pixels, training::every_row(pixels), training, {});
}

inline Parameters training_parameters(const Values& values) { return {training::training_schema(), values}; }
inline Parameters head_parameters(const Values& values = {}) { return {training::head_schema(), values}; }

}  // namespace osteon::test
