// What a surface plugin promises (osteon/surface.hpp).

#include "contract/kind.hpp"

#include <osteon/surface.hpp>

#include <ATen/Functions.h>

#include <cmath>
#include <future>
#include <optional>

namespace osteon::contract {

namespace {

constexpr std::int64_t kVoxels = 32;

/// A ball of bone in soft tissue, 1 mm voxels.
Volume ball_of_bone(double radius) {
  Grid grid;
  grid.size = {kVoxels, kVoxels, kVoxels};
  at::Tensor voxels = at::full({kVoxels, kVoxels, kVoxels}, 40, at::kShort);
  auto* hounsfield = voxels.data_ptr<std::int16_t>();
  const double middle = (kVoxels - 1) / 2.0;
  for (std::int64_t k = 0; k < kVoxels; ++k)
    for (std::int64_t j = 0; j < kVoxels; ++j)
      for (std::int64_t i = 0; i < kVoxels; ++i, ++hounsfield) {
        const Vec3 from{static_cast<double>(i) - middle, static_cast<double>(j) - middle,
                        static_cast<double>(k) - middle};
        // A soft edge of one voxel, as partial volumes make it.
        const double share = std::clamp(radius - norm(from) + 0.5, 0.0, 1.0);
        *hounsfield = static_cast<std::int16_t>(40 + 1160 * share);
      }
  return {voxels, grid};
}

std::string digest_of_surface(const Surface& surface, const Volume& volume) {
  const Mesh mesh = surface.extract(volume, {});
  Digest digest;
  add_to(digest, mesh.vertices);
  add_to(digest, mesh.triangles);
  return digest.hex();
}

class SurfaceInUse final : public Subject {
 public:
  explicit SurfaceInUse(std::unique_ptr<Surface> surface) : surface_(std::move(surface)) {}
  std::string use(int input) override { return digest_of_surface(*surface_, ball_of_bone(input == 0 ? 10 : 8)); }

 private:
  std::unique_ptr<Surface> surface_;
};

std::unique_ptr<Subject> surface_subject(const Candidate& candidate, const Parameters& values, std::uint64_t /*seed*/) {
  return std::make_unique<SurfaceInUse>(candidate.make<Surface>(values));
}

std::string surface_outputs(const Candidate& candidate) {
  const auto surface = candidate.make<Surface>();
  const Volume volume = ball_of_bone(10);
  const std::string before = digest_of(volume.hounsfield);
  const Mesh mesh = surface->extract(volume, {});
  try {
    mesh.check();
    require_closed(mesh, "the surface of a ball");
  } catch (const Error& error) {
    throw Broken{text("the surface of a ball: expected closed, outward and sound, found: ", error.what())};
  }
  const double expected = 4.0 / 3 * std::numbers::pi * 1000, found = enclosed_volume(mesh);
  expect(std::abs(found / expected - 1) < 0.15, "the volume of a ball of 10 mm", text(expected, " mm³ within 15 %"),
         text(found, " mm³"));
  expect(digest_of(volume.hounsfield) == before, "the volume", "to be left as it is", "that it has written into it");
  return "closed and outward; a ball has its volume";
}

std::string surface_degenerate(const Candidate& candidate) {
  const auto surface = candidate.make<Surface>();
  for (const std::int16_t hounsfield : {-1000, 0}) {
    Volume volume = ball_of_bone(0);
    volume.hounsfield.fill_(hounsfield);
    expect_refusal(hounsfield == 0 ? "a volume of water" : "a volume of air",
                   [&] { (void)surface->extract(volume, {}); });
  }
  expect_refusal("a bone that leaves the volume", [&] {
    Volume volume = ball_of_bone(10);
    volume.hounsfield.fill_(1200);
    (void)surface->extract(volume, {});
  });
  return "no bone, and one that leaves the volume, are refused in words";
}

std::string surface_threads(const Candidate& candidate) {
  const auto surface = candidate.make<Surface>();
  const std::array<Volume, 2> volumes{ball_of_bone(10), ball_of_bone(8)};
  const std::array<std::string, 2> alone{digest_of_surface(*surface, volumes[0]),
                                         digest_of_surface(*surface, volumes[1])};
  for (int round = 0; round < 3; ++round) {
    std::vector<std::future<std::string>> answers;
    for (std::size_t i = 0; i < 4; ++i)
      answers.push_back(std::async(std::launch::async, [&, i] { return digest_of_surface(*surface, volumes[i % 2]); }));
    for (std::size_t i = 0; i < answers.size(); ++i)
      expect(answers[i].get() == alone[i % 2], "surfaces extracted in 4 threads at once",
             "those of one thread, bit for bit", "others");
  }
  return "4 threads at once give what one gives";
}

}  // namespace

KindContract surface_contract() {
  return {surface_subject, surface_outputs, surface_degenerate, surface_threads, nothing_is_trained, nothing_is_kept};
}

}  // namespace osteon::contract
