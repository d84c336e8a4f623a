// An artifact as one file, and what may have happened to the file on its way.

#include "store/bundle.hpp"

#include "store/scratch.hpp"

#include <osteon/digest.hpp>
#include <osteon/files.hpp>

#include <ATen/Functions.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>

#include <cstring>

namespace osteon::store {
namespace {

namespace fs = std::filesystem;

Artifact artifact() {
  Artifact made;
  made.facts = {{"title", "Femora"}, {"rate", 0.1}};
  made.tensors["a"] = at::arange(6, at::kFloat).view({2, 3});
  made.tensors["b"] = at::arange(5, at::kByte);
  made.tensors["none"] = at::empty({0, 4}, at::kDouble);
  made.tensors["one"] = at::full({}, 7, at::kLong);
  return made;
}

/// A bundle from its header and the bytes of its numbers, with a checksum that is right.
std::string sealed(const std::string& header, const std::string& numbers) {
  const auto length = static_cast<std::uint64_t>(24 + header.size() + numbers.size() + 64);
  const auto header_length = static_cast<std::uint32_t>(header.size());
  std::string bytes("\x89OSTEON\n\x01\0\0\0", 12);
  bytes.append(reinterpret_cast<const char*>(&header_length), 4);
  bytes.append(reinterpret_cast<const char*>(&length), 8);
  bytes += header + numbers;
  return bytes + sha256(bytes);
}

class Bundles : public ::testing::Test {
 protected:
  [[nodiscard]] std::string refusal(const std::string& bytes, const std::string& kind = "model") const {
    write_file(file_, bytes);
    const std::string message = message_of([&] { (void)read_bundle(file_, kind); });
    EXPECT_TRUE(message.starts_with(file_.string() + ": ")) << message;
    return message.size() > file_.string().size() + 2 ? message.substr(file_.string().size() + 2) : message;
  }

  Scratch scratch_;
  fs::path file_ = scratch_.path() / "x.osteon";
};

TEST_F(Bundles, ComeBackAsTheyWere) {
  write_bundle(file_, "model", artifact());
  const Artifact back = read_bundle(file_, "model");
  EXPECT_EQ(back.facts, artifact().facts);
  ASSERT_EQ(back.tensors.size(), 4U);
  for (const auto& [name, tensor] : artifact().tensors) {
    EXPECT_EQ(back.tensors.at(name).scalar_type(), tensor.scalar_type()) << name;
    EXPECT_TRUE(back.tensors.at(name).equal(tensor)) << name;
  }
  EXPECT_EQ(names_in(scratch_.path()), std::vector<std::string>{"x.osteon"});
}

TEST_F(Bundles, CutOffAnywhereAreRefused) {
  write_bundle(file_, "model", artifact());
  const std::string whole = read_file(file_);
  for (std::size_t length = 1; length < whole.size(); ++length) {
    const std::string expected = std::to_string(length < 88 ? 88 : whole.size());
    EXPECT_EQ(refusal(whole.substr(0, length)),
              text("cut off: it has ", length, " of ", expected, " bytes; copy or make it again"));
  }
  EXPECT_EQ(refusal(""), "no model and no gallery of Osteon: its first bytes are others");
}

TEST_F(Bundles, AlteredAnywhereAreRefused) {
  write_bundle(file_, "model", artifact());
  const std::string whole = read_file(file_);
  const std::string damaged = "damaged: its content is not what its checksum was made of; copy or make it again";
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ 1);
    const std::string message = refusal(bytes);
    if (at < 8)
      EXPECT_EQ(message, "no model and no gallery of Osteon: its first bytes are others");
    else if (at < 12)
      EXPECT_TRUE(message.starts_with("of version ")) << message;
    else if (at < 16 || at >= 24)
      EXPECT_EQ(message, damaged) << at;
    else  // the length itself: the file is too long for it, or too short
      EXPECT_TRUE(message == damaged || message.starts_with("cut off")) << message;
  }
  EXPECT_EQ(refusal(whole + "x"), damaged);
}

TEST_F(Bundles, OfAnotherVersionOrKindSaySo) {
  write_bundle(file_, "gallery", artifact());
  std::string bytes = read_file(file_);
  EXPECT_EQ(refusal(bytes), "is a gallery; expected a model");
  bytes[8] = 2;
  EXPECT_EQ(refusal(bytes, "gallery"),
            "of version 2, and this Osteon reads version 1; use the Osteon that wrote it, or make the file again with "
            "this one");
}

TEST_F(Bundles, FromAStrangerAreNotBelieved) {
  const auto listed = [](const std::string& entry) {
    return R"({"kind":"model","facts":{},"tensors":[)" + entry + "]}";
  };
  const std::string eight(8, 'x');
  EXPECT_EQ(
      read_bundle((write_file(file_, sealed(listed(R"({"name":"a","dtype":"int32","shape":[2]})"), eight)), file_),
                  "model")
          .tensors.at("a")
          .size(0),
      2);
  const std::string others = "damaged: its tensors are not those that it lists";
  EXPECT_EQ(refusal(sealed(listed(R"({"name":"a","dtype":"int32","shape":[3]})"), eight)), others);
  EXPECT_EQ(refusal(sealed(listed(R"({"name":"a","dtype":"int32","shape":[-2]})"), eight)), others);
  EXPECT_EQ(refusal(sealed(listed(R"({"name":"a","dtype":"int32","shape":[4611686018427387904,4]})"), eight)), others);
  EXPECT_EQ(refusal(sealed(listed(R"({"name":"a","dtype":"complex64","shape":[1]})"), eight)), others);
  EXPECT_EQ(refusal(sealed(listed(R"({"name":"a","dtype":"int32","shape":[1]})"), eight)),
            "damaged: 4 bytes belong to no tensor");
  EXPECT_EQ(refusal(sealed(listed(R"({"name":"a","shape":[1]})"), eight)),
            "damaged: its list of tensors cannot be read");
  EXPECT_EQ(refusal(sealed("[1,2", "")), "damaged: its header cannot be read");
}

TEST_F(Bundles, LeaveTheOldFileWhenTheDiskIsFull) {
  write_bundle(file_, "model", artifact());
  const std::string before = read_file(file_);
  Artifact large = artifact();
  large.tensors["large"] = at::zeros({1 << 20}, at::kByte);
  // A limit on the size of files is what a full disk looks like to a program.
  rlimit old{};
  ::getrlimit(RLIMIT_FSIZE, &old);
  ::signal(SIGXFSZ, SIG_IGN);
  const rlimit limit{100000, old.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  const std::string message = message_of([&] { write_bundle(file_, "model", large); });
  ::setrlimit(RLIMIT_FSIZE, &old);
  EXPECT_EQ(message, file_.string() +
                         ".partial: cannot write: File too large; the old file, if there was one, is unchanged; make "
                         "room there, or name another");
  EXPECT_EQ(read_file(file_), before);
  EXPECT_EQ(names_in(scratch_.path()), std::vector<std::string>{"x.osteon"});
}

}  // namespace
}  // namespace osteon::store
