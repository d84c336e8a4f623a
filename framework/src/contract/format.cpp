// What a file format promises (osteon/format.hpp): what it writes it reads, and what it cannot read it refuses.

#include "contract/evidence.hpp"
#include "contract/kind.hpp"
#include "contract/workroom.hpp"

#include <osteon/format.hpp>

#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>

#include <cmath>
#include <fstream>
#include <optional>

namespace osteon::contract {

namespace {

namespace fs = std::filesystem;

Mesh written_mesh(int input) { return ellipsoid({20.5 + input, 15.25, 40}); }

/// A small piece of a scan, axes of three lengths.
Volume written_volume(int input) {
  Volume volume;
  volume.grid.size = {7, 6, 5};
  volume.grid.spacing = {0.75, 0.8, 1.5};
  volume.grid.origin = {-12.5, 30.25, -400};
  volume.hounsfield = (at::arange(5 * 6 * 7, at::kShort).view({5, 6, 7}) * 7 - 900 + input).contiguous();
  return volume;
}

/// Whether the format does that at all; what it does not do, it inherits from the base, which says so.
bool is_done(const std::function<void()>& deed) {
  try {
    deed();
    return true;
  } catch (const Error& error) {
    if (std::string_view(error.what()).starts_with("this format does not ")) return false;
    throw;
  }
}

/// What lies in a folder alone, for a format that writes under another name than the one that it was given.
fs::path only_one_in(const fs::path& folder, const fs::path& named) {
  fs::path found;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (!found.empty()) return named;
    found = entry.path();
  }
  return found.empty() ? named : found;
}

void expect_same_mesh(const std::string& what, const Mesh& found, const Mesh& written) {
  found.check();
  expect(found.triangles.size(0) == written.triangles.size(0), what, text(written.triangles.size(0), " triangles"),
         text(found.triangles.size(0)));
  const Box box = bounding_box(found), expected = bounding_box(written);
  expect(norm(box.low - expected.low) < 0.01 && norm(box.high - expected.high) < 0.01, what,
         "the same box within 0.01 mm", text("one of ", box.diagonal(), " mm for ", expected.diagonal(), " mm"));
  const double share = enclosed_volume(found) / enclosed_volume(written);
  expect(std::abs(share - 1) < 0.001, what, "the same volume within 0.1 %", text(100 * share, " % of it"));
}

void expect_same_volume(const std::string& what, const Volume& found, const Volume& written) {
  found.check();
  expect(found.grid.size == written.grid.size, what, "7 × 6 × 5 voxels",
         text(found.grid.size[0], " × ", found.grid.size[1], " × ", found.grid.size[2]));
  expect(norm(found.grid.spacing - written.grid.spacing) < 1e-4 && norm(found.grid.origin - written.grid.origin) < 1e-3,
         what, "the same spacing and origin", "others");
  expect(found.hounsfield.equal(written.hounsfield), what, "the same Hounsfield units", "others");
}

/// One thing that formats write and read.
struct RoundTrip {
  const char* name;
  void (*make)(const Format&, const fs::path&, int input);
  /// Returns the digest of what was read. Compares it with what was written where `what` is not empty.
  std::string (*read)(const Format&, const fs::path&, int input, const std::string& what);
};

const std::array<RoundTrip, 2> kRoundTrips = {
    RoundTrip{
        "surface",
        [](const Format& format, const fs::path& path, int input) { format.write_mesh(written_mesh(input), path); },
        [](const Format& format, const fs::path& path, int input, const std::string& what) {
          const Mesh found = format.read_mesh(path);
          if (!what.empty()) expect_same_mesh(what, found, written_mesh(input));
          return digest_of(found.vertices);
        }},
    RoundTrip{"volume",
              [](const Format& format, const fs::path& path, int input) {
                format.write_volume(written_volume(input), {{"bone-1", "person-1", Side::left, 1}, 0}, path);
              },
              [](const Format& format, const fs::path& path, int input, const std::string& what) {
                const Volume found = format.read_volume(path);
                if (!what.empty()) expect_same_volume(what, found, written_volume(input));
                return digest_of(found.hounsfield);
              }}};

struct ReadBack {
  std::string digest;
  bool has_its_ending = false;  ///< false where the format has put one of its own after it
};

/// Writes and reads; nothing where the format does not do that.
std::optional<ReadBack> round_trip(const Format& format, const RoundTrip& trip, const std::string& ending, int input,
                                   const std::string& what = "") {
  const Workroom room;
  const fs::path path = room.file("written" + ending);
  if (!is_done([&] { trip.make(format, path, input); })) return std::nullopt;
  ReadBack back{"", fs::exists(path)};
  if (!is_done([&] { back.digest = trip.read(format, only_one_in(room.file(""), path), input, what); }))
    return std::nullopt;
  return back;
}

std::vector<std::string> endings_of(const Format& format) {
  std::vector<std::string> endings = format.endings();
  if (endings.empty()) endings.emplace_back();
  return endings;
}

class FormatInUse final : public Subject {
 public:
  explicit FormatInUse(std::unique_ptr<Format> format) : format_(std::move(format)) {}
  std::string use(int input) override {
    Digest digest;
    for (const RoundTrip& trip : kRoundTrips) try {
        if (const auto back = round_trip(*format_, trip, endings_of(*format_).front(), input)) digest.add(back->digest);
      } catch (const Error&) {  // what it refuses is another check's business
        digest.add("refused");
      }
    return digest.hex();
  }

 private:
  std::unique_ptr<Format> format_;
};

std::unique_ptr<Subject> format_subject(const Candidate& candidate, const Parameters& values, std::uint64_t /*seed*/) {
  return std::make_unique<FormatInUse>(candidate.make<Format>(values));
}

std::string format_outputs(const Candidate& candidate) {
  const auto format = candidate.make<Format>();
  for (const std::string& ending : format->endings()) {
    bool is_right = ending.size() > 1 && ending.front() == '.';
    for (const char c : ending) is_right = is_right && !(c >= 'A' && c <= 'Z');
    expect(is_right, "the endings", "a dot and lower case, as in .ply", "\"" + ending + "\"");
  }
  std::string written;
  for (const RoundTrip& trip : kRoundTrips) {
    std::string endings;
    for (const std::string& ending : endings_of(*format)) {
      const std::string what = text("a ", trip.name, " written as ", ending.empty() ? "a folder" : ending);
      std::optional<ReadBack> back;
      // An ending that is read and never written is refused in words.
      (void)answers_or_refuses(what, [&] { back = round_trip(*format, trip, ending, 0, what); });
      if (back && back->has_its_ending) endings += " " + ending;
    }
    if (!endings.empty()) written += text(written.empty() ? "" : "; ", trip.name, "s written and read:", endings);
  }
  return written.empty() ? text(format->endings().size(), " endings; it writes nothing") : written;
}

/// Refused in words, or read as something sound.
void expect_sound_reading(const Format& format, const std::string& what, const fs::path& path) {
  (void)answers_or_refuses(what + " read as a volume", [&] { format.read_volume(path).check(); });
  (void)answers_or_refuses(what + " read as a surface", [&] { format.read_mesh(path).check(); });
  (void)answers_or_refuses(what + " read as a radiograph", [&] {
    expect(all_finite(format.read_radiograph(path).intensity), what + " read as a radiograph", "finite pixels",
           "others");
  });
}

void write_bytes(const fs::path& path, const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }

std::string read_bytes(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string format_degenerate(const Candidate& candidate) {
  const auto format = candidate.make<Format>();
  const Workroom room;
  int files = 0;
  for (const std::string& ending : endings_of(*format)) {
    const fs::path folder = room.file(text("files-", ++files)), path = folder / ("file" + ending);
    fs::create_directory(folder);
    const auto refused = [&](const std::string& what) {
      expect_refusal(what + " read as a volume", [&] { (void)format->read_volume(path); });
      expect_refusal(what + " read as a radiograph", [&] { (void)format->read_radiograph(path); });
      expect_refusal(what + " read as a surface", [&] { (void)format->read_mesh(path); });
    };
    refused(text("a file", ending, " that is not there"));
    write_bytes(path, "");
    refused(text("an empty file", ending));
    std::string noise(4096, '\0');
    for (std::size_t i = 0; i < noise.size(); ++i) noise[i] = static_cast<char>((i * i * 31 + i / 7) & 255);
    write_bytes(path, noise);
    expect_sound_reading(*format, text("a file", ending, " of noise"), path);
    fs::remove(path);
    for (const RoundTrip& trip : kRoundTrips) {
      bool is_made = false;
      (void)answers_or_refuses(text("a ", trip.name, " to be written as ", ending),
                               [&] { is_made = is_done([&] { trip.make(*format, path, 0); }); });
      if (is_made && fs::is_regular_file(path)) {
        const std::string whole = read_bytes(path);
        write_bytes(path, whole.substr(0, whole.size() / 2));
        expect_sound_reading(*format, text("half of a ", trip.name, " as ", ending), path);
      }
      fs::remove_all(folder);
      fs::create_directory(folder);
    }
  }
  return "files that are missing, empty, noise or cut off are refused in words";
}

}  // namespace

KindContract format_contract() {
  return {format_subject,     format_outputs, format_degenerate, nothing_declared_of_threads,
          nothing_is_trained, nothing_is_kept};
}

}  // namespace osteon::contract
