// format/plugin_name: triangle surfaces as OFF text files (Geomview's Object File Format): the word OFF, the numbers of
// vertices, faces and edges, then a line for each vertex (its coordinates, mm) and each face (how many corners, and
// which vertices). Faces of more than three corners are read as fans of triangles; colours are not read.
//
//     [format]
//     plugin = "plugin_name"
//     digits = 6     # significant ones of a coordinate that is written

#include <osteon/files.hpp>
#include <osteon/format.hpp>

#include <ATen/ATen.h>

#include <iomanip>
#include <sstream>

namespace osteon {
namespace {

/// The words of a file, one after another, without comments. What is wrong with it is said with the file's name.
class WordsOfFile {
 public:
  explicit WordsOfFile(const std::filesystem::path& path) : name_(path.string()) {
    std::istringstream lines(read_file(path));
    std::string kept;
    for (std::string line; std::getline(lines, line);) kept += line.substr(0, line.find('#')) + "\n";
    words_.str(kept);
  }

  template <class Value>
  Value next(const char* what) {
    Value value{};
    if (!(words_ >> value)) throw Error(text(name_, ": expected ", what, "; the file is cut off or no OFF file"));
    return value;
  }

  /// Checked before anything is allocated: a file may say any number.
  std::int64_t count(const char* what, std::int64_t low, std::int64_t high) {
    const auto number = next<std::int64_t>(what);
    if (number < low || number > high)
      throw Error(text(name_, ": ", what, " is ", number, ", expected ", low, " to ", high));
    return number;
  }

  /// The rest of a face's line: its colour.
  void skip_line() {
    std::string rest;
    std::getline(words_, rest);
  }

 private:
  std::string name_;
  std::istringstream words_;
};

class PluginName final : public Format {
 public:
  static Schema schema() {
    return {"Triangle surfaces as OFF text files, in millimetres.",
            {Parameter::integer("digits", 6, "Significant digits of coordinates that are written.")
                 .at_least(3)
                 .at_most(9)}};
  }

  explicit PluginName(const Parameters& parameters) : digits_(static_cast<int>(parameters.integer("digits"))) {}

  [[nodiscard]] std::vector<std::string> endings() const override { return {".off"}; }

  [[nodiscard]] Mesh read_mesh(const std::filesystem::path& path) const override {
    constexpr std::int64_t kMost = 50'000'000;
    WordsOfFile words(path);
    if (words.next<std::string>("the word OFF") != "OFF")
      throw Error(text(path.string(), ": does not begin with the word OFF"));
    const std::int64_t vertices = words.count("the number of vertices", 0, kMost);
    const std::int64_t faces = words.count("the number of faces", 0, kMost);
    (void)words.next<std::int64_t>("the number of edges");
    std::vector<float> coordinates;
    for (std::int64_t i = 0; i < 3 * vertices; ++i) coordinates.push_back(words.next<float>("a coordinate"));
    std::vector<int> corners;
    for (std::int64_t face = 0; face < faces; ++face) {
      const std::int64_t count = words.count("the number of a face's corners", 3, vertices);
      std::vector<int> fan;
      for (std::int64_t i = 0; i < count; ++i)
        fan.push_back(static_cast<int>(words.count("a face's corner", 0, vertices - 1)));
      for (std::size_t i = 2; i < fan.size(); ++i) corners.insert(corners.end(), {fan[0], fan[i - 1], fan[i]});
      words.skip_line();
    }
    return {at::tensor(coordinates, at::kFloat).view({vertices, 3}),
            at::tensor(corners, at::kInt).view({std::ssize(corners) / 3, 3})};
  }

  void write_mesh(const Mesh& mesh, const std::filesystem::path& path) const override {
    std::ostringstream lines;
    lines << std::setprecision(digits_) << "OFF\n" << mesh.vertices.size(0) << " " << mesh.triangles.size(0) << " 0\n";
    const auto* at = mesh.vertices.data_ptr<float>();
    for (std::int64_t i = 0; i < mesh.vertices.size(0); ++i, at += 3)
      lines << at[0] << " " << at[1] << " " << at[2] << "\n";
    const auto* corner = mesh.triangles.data_ptr<int>();
    for (std::int64_t i = 0; i < mesh.triangles.size(0); ++i, corner += 3)
      lines << "3 " << corner[0] << " " << corner[1] << " " << corner[2] << "\n";
    write_file(path, lines.str());
  }

 private:
  int digits_;
};

}  // namespace

OSTEON_PLUGIN(format, plugin_name, "0.1.0", PluginName)

}  // namespace osteon
