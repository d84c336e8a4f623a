// The harnesses over everything that is kept: seeds, and the inputs that once found a mistake; then mutations of both,
// the same ones each time. What fails here is what scripts/fuzz calls a finding.

#include "harness.hpp"

#include <osteon/digest.hpp>
#include <osteon/files.hpp>
#include <osteon/random.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <map>

namespace osteon::fuzz {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kLongest{10};  ///< for one input

fs::path kept(const std::string& kind, const std::string& harness) {
  return fs::path(OSTEON_SOURCE_DIR) / "tests/fuzz" / kind / harness;
}

/// Name → bytes of the files in a folder; empty where there is no such folder.
std::map<std::string, std::string> files_in(const fs::path& folder) {
  std::map<std::string, std::string> files;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(folder, none)) files[entry.path().filename()] = read_file(entry);
  return files;
}

/// What came of the input: "" or an `Error`'s message. Anything else fails the test.
std::string outcome(const Harness& harness, const std::string& bytes, const std::string& name) {
  const auto start = Clock::now();
  std::string message = "(no outcome)";
  try {
    message = harness.read(bytes);
  } catch (const std::exception& e) {
    ADD_FAILURE() << harness.name << ", " << name << ": an exception that is no osteon::Error: " << e.what();
  }
  EXPECT_LT(Clock::now() - start, kLongest) << harness.name << ", " << name;
  return message;
}

std::string with_changes(std::string bytes, Random& random, const std::vector<std::string>& others) {
  static const std::vector<std::string> kNasty = {std::string(1, '\0'),
                                                  "\xff",
                                                  std::string("\0\0\0\x80", 4),
                                                  "\xff\xff\xff\xff",
                                                  "\xff\xff\xff\x7f",
                                                  "18446744073709551615",
                                                  "-1",
                                                  "1e999",
                                                  "9223372036854775807",
                                                  "nan",
                                                  "[[[[[[[[",
                                                  "\"\"\"",
                                                  "999999999999",
                                                  "{",
                                                  "\n"};
  const auto place = [&] { return bytes.empty() ? 0 : random.below(bytes.size()); };
  for (std::uint64_t changes = 1 + random.below(6); changes > 0; --changes) {
    const std::size_t at = place(), length = 1 + random.below(8);
    switch (random.below(6)) {
      case 0:
        if (!bytes.empty()) bytes[at] = static_cast<char>(random.bits());
        break;
      case 1:
        if (!bytes.empty()) bytes[at] = static_cast<char>(bytes[at] ^ (1 << random.below(8)));
        break;
      case 2:
        bytes.erase(at, length);
        break;
      case 3:
        bytes.insert(at, bytes.substr(place(), length * 4));
        break;
      case 4: {
        const std::string& nasty = kNasty[random.below(kNasty.size())];
        bytes.replace(at, random.below(2) == 0 ? 0 : nasty.size(), nasty);
        break;
      }
      default: {
        const std::string& other = others[random.below(others.size())];
        const std::size_t from = other.empty() ? 0 : random.below(other.size());
        bytes = bytes.substr(0, at) + other.substr(from);
      }
    }
  }
  return bytes;
}

/// How the messages about findings begin that were none, or another one, when they were found.
const std::map<std::string, std::string> kMessages = {
    {"artifact/images_without_rows",
     "a stored image set cannot be read: an entry of its facts or a tensor is missing or of another type; remove it "
     "from "
     "the store and run again"},
    {"artifact/one_pixel",
     "a stored image set cannot be read: its \"pixels\" is 0-dimensional of type Byte; expected 3 dimensions of Byte; "
     "remove it from the store and run again"},
    {"artifact/pose_without_number",
     "a stored image set cannot be read: image 0 is of pose nan, which is no number of one; remove it from the store "
     "and "
     "run again"},
    {"artifact/rows_of_integers",
     "a stored image set cannot be read: its \"rows\" is 2-dimensional of type Long; expected 2 dimensions of Double; "
     "remove it from the store and run again"},
    {"dicom/compressed_gigabytes", "0.dcm: its header promises 8589672450 bytes of pixels, which can't be in "},
    {"dicom/frames_of_other_bits",
     "0.dcm, frame 2: the header gives this frame another number of bits than the file's first frame; one file stores "
     "all of its frames alike"},
    {"dicom/outside_every_scanner",
     "0.dcm: not usable as a CT slice: its ImagePositionPatient, 0\\0\\-1e308 mm, lies outside every scanner"},
    {"dicom/promises_gigabytes",
     "0.dcm: the file is cut off: expected 8589672450 bytes of pixels, found 32; copy it again from where it came"},
    {"dicom/sheared_by_kilometres",
     "0.dcm: the slices of its series are shifted against each other by up to 630000 mm, so that an upright grid "
     "around "
     "them would be 315001 times as large as they are; up to 16 times is resampled: export the series on an upright "
     "grid"},
    {"gallery/empty_and_endless", "x.osteon: damaged: its tensors are not those that it lists"},
    {"image/packed_gigabytes.mha",
     "image.mha: its voxels are damaged or cut off: expected 6750000000 bytes, unpacked, found "},
    {"image/promises_gigabytes.nii",
     "image.nii: its voxels are damaged or cut off: expected 6750000000 bytes, found 16; copy it again from where it "
     "came"},
    {"picture/broken_header.jpg", "x.jpg: a damaged JPEG picture ("},
    {"picture/no_end.jpg", "x.jpg: a damaged JPEG picture ("},
    {"picture/pages_in_a_circle.tif", "x.tif: the picture is damaged or cut off; copy it again from where it came"},
    {"picture/thousands_of_samples.tif", "x.tif: 4 x 4 pixels of 52737 numbers can't be read"}};

std::string message_from(const std::string& reader, const std::string& bytes) {
  for (const Harness& harness : harnesses())
    if (harness.name == reader) return outcome(harness, bytes, "made by the test");
  return "(no harness)";
}

std::string toml_message(const std::string& content) { return message_from("toml", content); }

std::string repeated(const std::string& word, int times) {
  std::string result;
  for (int i = 0; i < times; ++i) result += word;
  return result;
}

/// Too large to be kept as files.
TEST(LongExperiments, WithKeysOfManyPartsAreRefused) {
  const std::string parts = repeated("a.", 100'000) + "a";
  const std::string refusal =
      ": not valid here: a key of more than 32 parts; keys of an experiment have two or three\n";
  for (const std::string& content :
       {parts + " = 1\n", "[" + parts + "]\n", "x = {y = \"\"\"\\\"\"\"\"\"\", " + parts + " = 1}\n",
        "'='.\"#\"." + parts + " = 1\n"}) {
    const std::string message = toml_message(content);
    EXPECT_NE(message.find(refusal), std::string::npos) << message.substr(0, 300);
  }
  EXPECT_EQ(toml_message("# " + parts + "\na = '" + parts + "'\n").find("parts;"), std::string::npos);
}

TEST(LongExperiments, WithThousandsOfRangesAreRefused) {
  std::string content = "[sweep]\npoints = 2\n";
  for (int i = 0; i < 3700; ++i) content += text("\"training.x", i, "\" = {from = 1, to = 2}\n");
  EXPECT_NE(toml_message(content).find("sweep.training.x1000: a sweep draws from at most 1000 ranges"),
            std::string::npos);
}

TEST(NestedJson, OfAMillionBracketsIsRefused) {
  const std::string deep = repeated("[", 1'000'000) + repeated("]", 1'000'000);
  const std::string header = "{\"kind\":\"gallery\",\"facts\":" + deep + ",\"tensors\":[]}";
  const auto header_length = static_cast<std::uint32_t>(header.size());
  const std::uint64_t length = 24 + header.size() + 64;
  std::string bundle("\x89OSTEON\n\1\0\0\0", 12);
  bundle.append(reinterpret_cast<const char*>(&header_length), sizeof header_length);
  bundle.append(reinterpret_cast<const char*>(&length), sizeof length);
  bundle += header;
  EXPECT_EQ(message_from("gallery", bundle + sha256(bundle)), "x.osteon: damaged: its header cannot be read");
  const std::string message = message_from("artifact", "{\"format\":1,\"facts\":" + deep + ",\"tensors\":[]}");
  EXPECT_NE(message.find("manifest.json: is no JSON; the artifact is damaged"), std::string::npos) << message;
}

class Fuzzed : public testing::TestWithParam<Harness> {};

TEST_P(Fuzzed, ReadsOrRefusesWhatIsKept) {
  const auto seeds = files_in(kept("corpus", GetParam().name));
  EXPECT_FALSE(seeds.empty()) << "scripts/fuzz_corpus writes them";
  std::size_t sound = 0;
  for (const auto& [name, bytes] : seeds) sound += outcome(GetParam(), bytes, "corpus/" + name).empty() ? 1 : 0;
  EXPECT_GT(sound, 0U) << "no seed is read to its end";
  for (const auto& [name, bytes] : files_in(kept("findings", GetParam().name))) {
    const std::string message = outcome(GetParam(), bytes, "findings/" + name);
    const auto expected = kMessages.find(GetParam().name + "/" + name);
    if (expected == kMessages.end()) continue;
    EXPECT_EQ(message.substr(0, expected->second.size()), expected->second) << message;
  }
}

TEST_P(Fuzzed, ReadsOrRefusesMutations) {
  // Compressed DICOM goes to another process, so this reader is slower than the others.
  const char* const asked = std::getenv("OSTEON_FUZZ_MUTATIONS");
  const std::uint64_t count = asked != nullptr             ? std::strtoull(asked, nullptr, 10)
                              : GetParam().name == "dicom" ? 500
                                                           : 2000;
  std::vector<std::string> all;
  for (const char* kind : {"corpus", "findings"})
    for (auto& [name, bytes] : files_in(kept(kind, GetParam().name))) all.push_back(std::move(bytes));
  ASSERT_FALSE(all.empty());
  Random random(20260101, GetParam().name);
  std::uint64_t refused = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::string bytes = with_changes(all[random.below(all.size())], random, all);
    refused += outcome(GetParam(), bytes, text("mutation ", i)).empty() ? 0 : 1;
    if (HasFailure()) {
      write_file(fs::path(OSTEON_BUILD_DIR) / ("fuzz-failure-" + GetParam().name), bytes);
      break;
    }
  }
  std::cout << GetParam().name << ": " << count << " mutations of " << all.size() << " files, " << refused
            << " of them refused\n";
}

INSTANTIATE_TEST_SUITE_P(Readers, Fuzzed, testing::ValuesIn(harnesses()),
                         [](const auto& each) { return each.param.name; });

}  // namespace
}  // namespace osteon::fuzz
