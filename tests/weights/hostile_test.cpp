// Files made to run code, to fill the memory or to break the reader, and files that are merely damaged: each is an
// error that says so, and never a crash or a hang.

#include "training/weights_zip.hpp"
#include "weights/support.hpp"

#include <osteon/random.hpp>

#include <sys/resource.h>

#include <chrono>
#include <fstream>

namespace osteon::training {
namespace {

class Hostile : public testing::Test {
 protected:
  fs::path write(const std::string& name, const std::string& bytes) const {
    write_file(place_.path() / name, bytes);
    return place_.path() / name;
  }
  /// A zip container around a pickle and, when `numbers` isn't empty, storage 0.
  fs::path zip(const std::string& pickle, const std::string& numbers = "") const {
    WeightsSink sink(place_.path() / "w.pth");
    ZipWriter writer(sink);
    writer.add("w/data.pkl", pickle);
    if (!numbers.empty()) writer.add("w/data/0", numbers);
    writer.finish();
    sink.finish();
    return place_.path() / "w.pth";
  }

  test::TemporaryFolder place_;
};

/// No more than about a gigabyte beyond what the process has: a reader that takes memory before it checks gets none.
class MemoryLimit {
 public:
  MemoryLimit() {
    std::ifstream status("/proc/self/statm");
    std::uint64_t pages = 0;
    status >> pages;
    ::getrlimit(RLIMIT_AS, &before_);
    const rlimit limit{pages * 4096 + (std::uint64_t{1} << 30), before_.rlim_max};
    ::setrlimit(RLIMIT_AS, &limit);
  }
  ~MemoryLimit() { ::setrlimit(RLIMIT_AS, &before_); }

 private:
  rlimit before_{};
};

const std::string kRunsCode =
    "loading the file as Python does would run code that it chooses. Osteon reads tensors and containers only. If you "
    "trust the file, load it in Python and save its weights alone: torch.save(model.state_dict(), \"weights.pth\")";

std::string pickled(const std::string& word) { return text("X", bytes_of_number(word.size(), 4), word); }
std::string pickled(std::uint64_t value) { return text("\x8a\x08", bytes_of_number(value, 8)); }

/// {"w": a tensor of float32 of storage 0}
std::string tensor_pickle(std::uint64_t elements, std::uint64_t offset, const std::string& sizes,
                          const std::string& strides) {
  return "\x80\x02}" + pickled("w") + "ctorch._utils\n_rebuild_tensor_v2\n((" + pickled("storage") +
         "ctorch\nFloatStorage\n" + pickled("0") + pickled("cpu") + pickled(elements) + "tQ" + pickled(offset) + "(" +
         sizes + "t(" + strides + "t\x89}tRs.";
}

TEST_F(Hostile, FilesThatRunCodeAreRefusedByTheFunctionsName) {
  EXPECT_EQ(refused(fixture("runs_code.pth")), "runs_code.pth: refers to \"posix.system\": " + kRunsCode);
  EXPECT_EQ(refused(fixture("runs_code_legacy.pth")), "runs_code_legacy.pth: refers to \"posix.system\": " + kRunsCode);
  EXPECT_EQ(refused(fixture("whole_model.pth")),
            "whole_model.pth: refers to \"torch.nn.modules.linear.Linear\": " + kRunsCode);
  EXPECT_EQ(refused(zip("\x80\x02"
                        "cos\nsystem\n" +
                        pickled("ls") + "\x85R.")),
            "w.pth: refers to \"os.system\": " + kRunsCode);
  EXPECT_EQ(refused(zip("\x80\x04\x8c\x02os\x8c\x06system\x93.")), "w.pth: refers to \"os.system\": " + kRunsCode);
  EXPECT_EQ(refused(zip("\x80\x02"
                        "c__builtin__\ngetattr\n.")),
            "w.pth: refers to \"__builtin__.getattr\": " + kRunsCode);
  EXPECT_EQ(refused(zip("\x80\x02"
                        "ctorch\nload\n.")),
            "w.pth: refers to \"torch.load\": " + kRunsCode);
  EXPECT_EQ(refused(zip("\x80\x02"
                        "cx\x1b[2J\ny\n.")),
            "w.pth: refers to \"x?[2J.y\": " + kRunsCode);
}

TEST_F(Hostile, InstructionsThatPyTorchNeverWritesAreRefused) {
  EXPECT_EQ(refused(zip("\x80\x02I1\n.")), "w.pth: its pickle has the instruction 0x49, which PyTorch never writes");
  EXPECT_EQ(refused(zip("\x80\x09.")), "w.pth: its pickle has protocol 9; expected 2 to 5");
  EXPECT_EQ(refused(zip("\x80\x02.")), "w.pth: damaged: its pickle takes more from its stack than is there");
  EXPECT_EQ(refused(zip("\x80\x02}(q\x01h\x01.")),
            "w.pth: damaged: its pickle takes more from its stack than is there");
  EXPECT_EQ(refused(zip("\x80\x02h\x01.")), "w.pth: damaged: its pickle refers to something that it has not made");
  EXPECT_EQ(refused(zip("\x80\x02N)R.")), "w.pth: damaged: its pickle calls something that is no function");
  EXPECT_EQ(refused(zip("\x80\x02"
                        "ctorch._utils\n_rebuild_tensor_v2\n)R.")),
            "w.pth: damaged: its pickle calls a function with too few arguments");
  EXPECT_EQ(refused(zip("\x80\x02NQ.")), "w.pth: damaged: its pickle treats something as a list that is none");
  EXPECT_EQ(refused(zip("\x80\x02}")), "w.pth: damaged or cut off: its pickle goes on beyond its end");
  EXPECT_EQ(refused(zip("\x80\x02\x8d\xff\xff\xff\xff\xff\xff\xff\x7f.")),
            "w.pth: damaged or cut off: its pickle goes on beyond its end");
}

TEST_F(Hostile, TensorsThatTheirStorageDoesNotHoldAreRefused) {
  const std::string sixteen(16, '\0');  // four numbers
  const std::string needs = "w.pth: damaged: tensor \"w\" needs more numbers than its storage holds";
  const std::string impossible = "w.pth: damaged: tensor \"w\" has an impossible shape";
  EXPECT_EQ(refused(zip(tensor_pickle(4, 0, pickled(4U), pickled(1U)), sixteen)), "no error");
  EXPECT_EQ(refused(zip(tensor_pickle(4, 1, pickled(4U), pickled(1U)), sixteen)), needs);
  EXPECT_EQ(refused(zip(tensor_pickle(4, 0, pickled(2U), pickled(4U)), sixteen)), needs);
  EXPECT_EQ(refused(zip(tensor_pickle(8, 0, pickled(8U), pickled(1U)), sixteen)), needs) << "the storage says 8, has 4";
  EXPECT_EQ(refused(zip(tensor_pickle(1ULL << 62, 0, pickled(1ULL << 61), pickled(1U)), sixteen)), needs);
  EXPECT_EQ(refused(zip(tensor_pickle(4, 0, pickled(~0ULL), pickled(1U)), sixteen)), impossible);
  EXPECT_EQ(refused(zip(tensor_pickle(4, ~0ULL, pickled(1U), pickled(1U)), sixteen)), impossible);
  EXPECT_EQ(refused(zip(tensor_pickle(4, 0, pickled(4U), pickled(1U) + pickled(1U)), sixteen)), impossible);
  EXPECT_EQ(
      refused(zip(tensor_pickle(4, 0, pickled(1ULL << 40) + pickled(1ULL << 40), pickled(0U) + pickled(0U)), sixteen)),
      impossible);
  const fs::path repeats = zip(tensor_pickle(4, 0, pickled(1ULL << 40), pickled(0U)), sixteen);
  EXPECT_EQ(refused(repeats),
            text("w.pth: its tensors together would take more than 4 times the file's ", fs::file_size(repeats),
                 " bytes: they repeat the same few numbers; it was made to fill the memory"));
  EXPECT_EQ(refused(zip(tensor_pickle(4, 0, pickled(4U), pickled(1U)))),
            "w.pth: damaged: the numbers of tensor \"w\" are missing");
  EXPECT_EQ(refused(zip(tensor_pickle(~0ULL, 0, pickled(4U), pickled(1U)), sixteen)),
            "w.pth: damaged: its pickle has a storage of an impossible size");
}

TEST_F(Hostile, PicklesThatFillTheMemoryAreStopped) {
  const MemoryLimit limit;
  const auto start = std::chrono::steady_clock::now();
  // 4 MiB each of: empty lists; ever deeper lists; copies of a large list; marks.
  const std::string many(4 << 20, ']');
  EXPECT_NE(refused(zip("\x80\x02" + many + ".")).find("; it was made to fill the memory"), std::string::npos);
  const std::string marks(4 << 20, '(');
  EXPECT_NE(refused(zip("\x80\x02" + marks + ".")).find("; it was made to fill the memory"), std::string::npos);
  std::string copies = "\x80\x02](";
  for (int i = 0; i < 100000; ++i) copies += "N";
  copies +=
      "eq\x01"
      "0ctorch\nSize\nq\x02";
  for (int i = 0; i < 500000; ++i) copies += "h\x02h\x01\x85R";
  EXPECT_NE(refused(zip(copies + ".")).find("; it was made to fill the memory"), std::string::npos);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

TEST_F(Hostile, DepthAndCyclesNeedNoStack) {
  std::string deep = "\x80\x02";
  for (int i = 0; i < 20000; ++i) deep += text("}", pickled("a"));
  deep += "N";
  for (int i = 0; i < 20000; ++i) deep += "s";
  EXPECT_EQ(refused(zip(deep + ".")),
            "w.pth: holds no weights: expected a dictionary of tensors, as model.state_dict() makes it");
  EXPECT_EQ(refused(zip("\x80\x02}q\x01" + pickled("a") + "h\x01s.")),
            "w.pth: holds no weights: expected a dictionary of tensors, as model.state_dict() makes it");
  EXPECT_EQ(refused(zip("\x80\x02]q\x01h\x01"
                        "a.")),
            "w.pth: holds no weights: expected a dictionary of tensors, as model.state_dict() makes it");
}

/// Replaces a record's bytes in place, all occurrences.
std::string replaced(std::string bytes, const std::string& from, const std::string& to) {
  for (std::size_t at = bytes.find(from); at != std::string::npos; at = bytes.find(from, at + to.size()))
    bytes.replace(at, from.size(), to);
  return bytes;
}

TEST_F(Hostile, ZipArchivesOfOtherKindsAreRefused) {
  const std::string plain = read_file(fixture("zip.pth"));
  EXPECT_EQ(refused(fixture("compressed.pth")),
            "compressed.pth: record \"zip/data.pkl\" is compressed or encrypted, which PyTorch never does; unpack the "
            "file and save it again with torch.save");
  EXPECT_EQ(refused(write("w.pth", replaced(plain, "zip/data/0", "../../up/0"))),
            "w.pth: holds a record named \"../../up/0\", which PyTorch never writes");
  EXPECT_EQ(refused(write("w.pth", replaced(plain, "zip/data/0", "/etc/owner"))),
            "w.pth: holds a record named \"/etc/owner\", which PyTorch never writes");
  EXPECT_EQ(refused(write("w.pth", replaced(plain, "zip/data/0", "zip/data/1"))),
            "w.pth: holds two records named \"zip/data/1\"");
  EXPECT_EQ(refused(write("w.pth", replaced(plain, "zip/data.pkl", "zip/data.plk"))),
            "w.pth: a zip archive with 0 records data.pkl; expected the one that torch.save writes");
  EXPECT_EQ(refused(write("w.pth", plain + "more")),
            "w.pth: damaged or cut off: it has no zip directory at its end; fetch or copy it again");
}

TEST_F(Hostile, ZipRecordsThatOverlapAreRefused) {
  // Two entries of the directory at one place: a small file that would be read many times over.
  std::string bytes = read_file(zip("\x80\x02}.", "0123"));
  const std::size_t second = bytes.rfind("PK\x01\x02");
  bytes.replace(second + 42, 4, std::string(4, '\0'));
  EXPECT_EQ(
      refused(write("w.pth", bytes)),
      "w.pth: damaged or cut off: record \"w/data/0\" does not lie where the zip directory says; fetch or copy it "
      "again");
  std::string longer = read_file(zip("\x80\x02}.", "0123"));
  const std::size_t first = longer.find("PK\x01\x02");
  for (const std::size_t at : {first + 20, first + 24}) longer.replace(at, 4, bytes_of_number(60, 4));
  EXPECT_EQ(refused(write("w.pth", longer)), "w.pth: holds records that overlap");
}

TEST_F(Hostile, AFlippedBitIsFoundByTheChecksum) {
  std::string bytes = read_file(fixture("zip.pth"));
  const std::size_t place = bytes.find(std::string("\0\0\x90\xc0", 4));  // -4.5, the first number of conv.weight
  ASSERT_NE(place, std::string::npos);
  bytes[place] ^= 1;
  EXPECT_EQ(
      refused(write("w.pth", bytes)),
      "w.pth: damaged or cut off: record \"zip/data/0\" has another checksum than the zip directory says; fetch or "
      "copy it again");
}

std::string safetensors(const std::string& header, const std::string& numbers) {
  return bytes_of_number(header.size(), 8) + header + numbers;
}

TEST_F(Hostile, SafetensorsHeadersAreNotBelieved) {
  const MemoryLimit limit;
  const auto refused_header = [&](const std::string& header, const std::string& numbers = "01234567") {
    return refused(write("w.safetensors", safetensors(header, numbers)));
  };
  const std::string w = R"("w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]})";
  EXPECT_EQ(refused_header("{" + w + "}"), "no error");
  EXPECT_EQ(refused(write("w.safetensors", bytes_of_number(~0ULL, 8) + "{}")),
            "w.safetensors: cut off or damaged: its header would take 18446744073709551615 bytes of the file's 10");
  EXPECT_EQ(refused_header("{" + w + "," + w + "}"), "w.safetensors: damaged: its header names \"w\" twice");
  EXPECT_EQ(refused_header("{" + w), "w.safetensors: damaged: its header is no JSON");
  EXPECT_EQ(refused_header("{}", ""), "w.safetensors: holds no weights");
  EXPECT_EQ(refused_header("{" + w + R"(,"v":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})"),
            "w.safetensors: damaged: its tensors overlap or leave gaps at byte 4 of its numbers");
  EXPECT_EQ(refused_header("{" + w + "}", "0123456789"),
            "w.safetensors: cut off or damaged: its header lists 8 bytes of numbers, but 10 follow");
  const auto one = [](const std::string& inner) { return "{\"w\":{" + inner + "}}"; };
  EXPECT_EQ(refused_header(one(R"("dtype":"F32","shape":[3],"data_offsets":[0,8])")),
            "w.safetensors: \"w\" has 8 bytes, which is not what its type and shape need");
  EXPECT_EQ(refused_header(one(R"("dtype":"F32","shape":[4611686018427387904,4,2],"data_offsets":[0,8])")),
            "w.safetensors: \"w\" has 8 bytes, which is not what its type and shape need");
  EXPECT_EQ(refused_header(one(R"("dtype":"F8_E5M2","shape":[8],"data_offsets":[0,8])")),
            "w.safetensors: \"w\" is of type F8_E5M2, which Osteon does not know; convert it to float32 or float16");
  const std::string other =
      "w.safetensors: damaged: its header has something else than type, shape and place for \"w\"";
  EXPECT_EQ(refused_header(one(R"("dtype":"F32","shape":[2])")), other);
  EXPECT_EQ(refused_header(one(R"("dtype":"F32","shape":[-2],"data_offsets":[0,8])")), other);
  EXPECT_EQ(refused_header(one(R"("dtype":"F32","shape":[[2]],"data_offsets":[0,8])")), other);
  EXPECT_EQ(refused_header(one(R"("dtype":"F32","shape":{"a":{}},"data_offsets":[0,8])")), other);
  EXPECT_EQ(refused_header("{\"w\":" + std::string(1 << 20, '[')), other);
  EXPECT_EQ(refused_header("{\"w\":3}"), other);
}

/// Reads a file's tensors to the end; true when it was refused with a message, false when it was read.
bool is_refused(const fs::path& file) {
  try {
    const StateDict weights = read_state_dict(file);
    for (const StoredTensor& tensor : weights.tensors) (void)weights.read(tensor);
  } catch (const Error& error) {
    EXPECT_EQ(error.cause(), Error::Cause::mistake) << error.what();
    EXPECT_LT(std::string(error.what()).size(), 2000U);
    return true;
  }
  return false;
}

const std::vector<std::string> kWhole = {"zip.pth",     "legacy.pth",        "nested.pth",      "old.pth",
                                         "strided.pth", "plain.safetensors", "half.safetensors"};

TEST_F(Hostile, AFileCutOffAnywhereIsRefused) {
  const MemoryLimit limit;
  for (const std::string& name : kWhole) {
    SCOPED_TRACE(name);
    const std::string bytes = read_file(fixture(name));
    ASSERT_FALSE(is_refused(write("cut", bytes)));
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      std::ofstream(place_.path() / "cut", std::ios::binary) << bytes.substr(0, size);
      EXPECT_TRUE(is_refused(place_.path() / "cut")) << size << " of " << bytes.size() << " bytes";
    }
  }
}

TEST_F(Hostile, FlippedBytesNeverCrashOrHang) {
  const MemoryLimit limit;
  constexpr int kRounds = 4000;
  int refusals = 0;
  for (const std::string& name : kWhole) {
    SCOPED_TRACE(name);
    const std::string whole = read_file(fixture(name));
    for (int round = 0; round < kRounds; ++round) {
      Random random(1, name, static_cast<std::uint64_t>(round));
      std::string bytes = whole;
      for (std::uint64_t flips = 1 + random.below(4); flips > 0; --flips)
        bytes[random.below(bytes.size())] = static_cast<char>(random.below(256));
      std::ofstream(place_.path() / "flipped", std::ios::binary) << bytes;
      refusals += is_refused(place_.path() / "flipped") ? 1 : 0;
    }
  }
  EXPECT_GT(refusals, kRounds);
}

}  // namespace
}  // namespace osteon::training
