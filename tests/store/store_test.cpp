#include "store/store.hpp"

#include "scratch.hpp"

#include <osteon/files.hpp>

#include <ATen/Functions.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <limits>
#include <thread>

namespace osteon::store {
namespace {

Ingredients ingredients() {
  return {"train", "all bones", {{"loss.margin", "0.1"}, {"loss.plugin", "triplet"}, {"input.images", "ab"}}};
}

Artifact artifact() {
  Artifact made;
  made.facts = {{"epochs", 6}, {"rate", 0.001}, {"curve", {0.5, 0.25}}, {"unit", "1/mm · µ"}};
  made.tensors["network.layer1.0.weight"] = at::arange(24, at::kFloat).reshape({2, 3, 4});
  made.tensors["pixels"] = at::arange(10, at::kByte);
  made.tensors["steps"] = at::scalar_tensor(7, at::kLong);
  return made;
}

/// A store with one artifact in it.
class StoreTest : public ::testing::Test {
 protected:
  Scratch scratch_;
  Store store_{scratch_.path() / "store"};
  std::string key_ = ingredients().key();
  std::filesystem::path folder_ = store_.root() / key_.substr(0, 2) / key_;
};

TEST_F(StoreTest, ReadsBackWhatWasPut) {
  EXPECT_EQ(store_.digest(key_), std::nullopt);
  const std::string digest = store_.put(ingredients(), artifact());
  EXPECT_EQ(digest.size(), 64u);
  EXPECT_EQ(store_.digest(key_), digest);
  const Artifact back = store_.load(key_);
  EXPECT_EQ(back.facts, artifact().facts);
  ASSERT_EQ(back.tensors.size(), 3u);
  for (const auto& [name, tensor] : artifact().tensors) {
    EXPECT_EQ(back.tensors.at(name).scalar_type(), tensor.scalar_type());
    EXPECT_TRUE(at::equal(back.tensors.at(name), tensor)) << name;
  }
  EXPECT_TRUE(names_in(store_.root() / "tmp").empty());
}

TEST_F(StoreTest, ReadsBackFloatsBitForBit) {
  Artifact made;
  made.tensors["x"] = at::tensor({std::numeric_limits<double>::quiet_NaN(), -0.0, 5e-324, 0.1}, at::kDouble);
  store_.put(ingredients(), made);
  EXPECT_EQ(std::memcmp(store_.load(key_).tensors.at("x").data_ptr(), made.tensors["x"].data_ptr(), 32), 0);
}

TEST_F(StoreTest, DigestIsOfTheContent) {
  const std::string digest = store_.put(ingredients(), artifact());
  Ingredients others = ingredients();
  others.parts["loss.margin"] = "0.2";
  EXPECT_EQ(store_.put(others, artifact()), digest);
  const auto digest_of = [&](const Artifact& made) {
    others.parts["loss.margin"] += "1";
    return store_.put(others, made);
  };
  Artifact changed = artifact();
  changed.facts["epochs"] = 7;
  EXPECT_NE(digest_of(changed), digest);
  changed = artifact();
  changed.tensors["pixels"][3] = 0;
  EXPECT_NE(digest_of(changed), digest);
  changed = artifact();
  changed.tensors["pixels"] = changed.tensors["pixels"].reshape({2, 5});
  EXPECT_NE(digest_of(changed), digest);
  changed = artifact();
  changed.tensors["pixel"] = changed.tensors.extract("pixels").mapped();
  EXPECT_NE(digest_of(changed), digest);
}

TEST(Key, DependsOnStageAndEachPartAndNotOnTheSubject) {
  const std::string key = ingredients().key();
  Ingredients other = ingredients();
  other.subject = "p04, acquisition 2";
  EXPECT_EQ(other.key(), key);
  other.stage = "embed";
  EXPECT_NE(other.key(), key);
  for (const auto& [name, value] : ingredients().parts) {
    other = ingredients();
    other.parts[name] += "0";
    EXPECT_NE(other.key(), key) << name;
    other.parts.erase(name);
    EXPECT_NE(other.key(), key) << name;
  }
}

TEST(Key, IsUnambiguous) {
  EXPECT_NE((Ingredients{"a", "", {{"b", "c"}}}.key()), (Ingredients{"a", "", {{"bc", ""}}}.key()));
  EXPECT_NE((Ingredients{"a", "", {{"b", "1:c"}}}.key()), (Ingredients{"a", "", {{"b", "1"}, {"c", ""}}}.key()));
  EXPECT_EQ((Ingredients{"a", "", {{"b", "\xff"}}}.key().size()), 64u);
}

TEST_F(StoreTest, RefusesNamesThatLeadElsewhere) {
  for (const std::string& name :
       {std::string("../x"), std::string("a/b"), std::string(".."), std::string(), std::string("a..b")}) {
    Artifact made;
    made.tensors[name] = at::zeros({1});
    EXPECT_EQ(
        message_of([&] { store_.put(ingredients(), made); }),
        "\"" + name +
            "\" cannot be the name of a tensor: expected 1 to 200 bytes without '/', \"..\", a dot in front or control "
            "characters");
  }
  EXPECT_EQ(message_of([&] { (void)store_.load("../../etc"); }),
            "\"../../etc\" is not the key of an artifact: expected 64 hexadecimal digits");
  EXPECT_TRUE(names_in(store_.root() / "tmp").empty());
  EXPECT_FALSE(std::filesystem::exists(folder_));
}

TEST_F(StoreTest, RefusesTypesThatItCannotKeep) {
  Artifact made;
  made.tensors["mask"] = at::zeros({2}, at::kBool);
  EXPECT_EQ(message_of([&] { store_.put(ingredients(), made); }),
            "a tensor of type Bool cannot be stored; expected uint8, int16, int32, int64, float32 or float64");
  made.tensors["mask"] = at::Tensor();
  EXPECT_EQ(message_of([&] { store_.put(ingredients(), made); }), "tensor \"mask\" of stage train holds nothing");
}

TEST_F(StoreTest, PutRemovesTheWorkingFolder) {
  const std::filesystem::path work = store_.working_folder(key_);
  EXPECT_EQ(work, store_.root() / "work" / key_);
  write_file(work / "checkpoint", "x");
  EXPECT_EQ(Store(store_.root()).working_folder(key_), work);
  EXPECT_EQ(read_file(work / "checkpoint"), "x");
  store_.put(ingredients(), artifact());
  EXPECT_FALSE(std::filesystem::exists(work));
}

TEST_F(StoreTest, SecondPutFindsTheFirst) {
  const std::string digest = store_.put(ingredients(), artifact());
  Artifact other = artifact();
  other.facts["epochs"] = 7;
  EXPECT_EQ(store_.put(ingredients(), other), digest);
  EXPECT_EQ(store_.load(key_).facts.at("epochs"), 6);
  EXPECT_TRUE(names_in(store_.root() / "tmp").empty());
}

TEST_F(StoreTest, ThreadsMayPutTheSameArtifact) {
  std::vector<std::string> digests(4);
  std::vector<std::thread> threads;
  for (std::string& digest : digests) threads.emplace_back([&] { digest = store_.put(ingredients(), artifact()); });
  for (std::thread& thread : threads) thread.join();
  for (const std::string& digest : digests) EXPECT_EQ(digest, store_.digest(key_));
}

TEST_F(StoreTest, SaltIsStableAndPrivate) {
  const std::string salt = store_.salt();
  EXPECT_EQ(salt.size(), 64u);
  EXPECT_EQ(store_.salt(), salt);
  EXPECT_EQ(Store(store_.root()).salt(), salt);
  EXPECT_NE(Store(scratch_.path() / "other").salt(), salt);
  struct stat status {};
  ASSERT_EQ(::stat((store_.root() / "salt").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  EXPECT_TRUE(names_in(store_.root() / "tmp").empty());
}

TEST_F(StoreTest, ThreadsGetOneSalt) {
  std::vector<std::string> salts(4);
  std::vector<std::thread> threads;
  for (std::string& salt : salts) threads.emplace_back([&] { salt = store_.salt(); });
  for (std::thread& thread : threads) thread.join();
  for (const std::string& salt : salts) EXPECT_EQ(salt, store_.salt());
}

TEST_F(StoreTest, RefusesADamagedSalt) {
  write_file(store_.root() / "salt", "short");
  EXPECT_EQ(
      message_of([this] { (void)store_.salt(); }),
      (store_.root() / "salt").string() +
          ": damaged: expected 64 bytes, found 5; restore it, or delete it, which gives every patient a new pseudonym");
}

TEST(StandardRoot, IsTheEnvironmentsOrBelowRuns) {
  ::setenv("OSTEON_STORE", "/somewhere", 1);
  EXPECT_EQ(Store::standard_root(), "/somewhere");
  ::setenv("OSTEON_STORE", "", 1);
  EXPECT_EQ(Store::standard_root(), "runs/.store");
  ::unsetenv("OSTEON_STORE");
  EXPECT_EQ(Store::standard_root(), "runs/.store");
}

class Damage : public StoreTest {
 protected:
  void SetUp() override { store_.put(ingredients(), artifact()); }

  void cut(const std::filesystem::path& file, std::uintmax_t bytes) {
    std::filesystem::resize_file(file, std::filesystem::file_size(file) - bytes);
  }
  std::string load_error() {
    return message_of([this] { (void)store_.load(key_); });
  }
  std::string expected(const std::string& file, const std::string& what) {
    return (folder_ / file).string() + ": " + what + "; the artifact is damaged: delete the folder " +
           folder_.string() + " and run again";
  }
};

TEST_F(Damage, OfAMissingTensor) {
  std::filesystem::remove(folder_ / "pixels.npy");
  EXPECT_EQ(load_error(), expected("pixels.npy", "cannot read: No such file or directory"));
}

TEST_F(Damage, OfATruncatedTensor) {
  cut(folder_ / "network.layer1.0.weight.npy", 8);
  EXPECT_EQ(load_error(),
            expected("network.layer1.0.weight.npy", "truncated: its header promises 96 bytes of numbers, it has 88"));
}

TEST_F(Damage, OfAnotherShapeOrType) {
  write_npy(folder_ / "pixels.npy", at::arange(10, at::kByte).reshape({2, 5}));
  EXPECT_EQ(load_error(), expected("pixels.npy", "shape is [2,5], expected [10]"));
  write_npy(folder_ / "pixels.npy", at::arange(10, at::kInt));
  EXPECT_EQ(load_error(), expected("pixels.npy", "dtype is \"int32\", expected \"uint8\""));
}

TEST_F(Damage, OfOneNumber) {
  write_npy(folder_ / "pixels.npy", at::zeros({10}, at::kByte));
  const std::string message = load_error();
  EXPECT_TRUE(message.starts_with((folder_ / "pixels.npy").string() + ": sha256 is \"01d448")) << message;
  EXPECT_TRUE(message.ends_with("; the artifact is damaged: delete the folder " + folder_.string() + " and run again"));
}

TEST_F(Damage, OfTheManifest) {
  const std::filesystem::path file = folder_ / "manifest.json";
  const std::string good = read_file(file);
  write_file(file, good.substr(0, good.size() / 2));
  EXPECT_EQ(load_error(), expected("manifest.json", "is no JSON"));
  EXPECT_EQ(message_of([this] { (void)store_.digest(key_); }), load_error());
  write_file(file, "{}");
  EXPECT_EQ(load_error(), expected("manifest.json", "an entry is missing"));
  nlohmann::json manifest = nlohmann::json::parse(good);
  manifest["facts"]["epochs"] = 7;
  write_file(file, manifest.dump());
  EXPECT_EQ(load_error(), expected("manifest.json", "its content differs from its digest"));
  manifest["format"] = 2;
  write_file(file, manifest.dump());
  EXPECT_EQ(load_error(), expected("manifest.json", "format 2, expected 1"));
  std::filesystem::remove(file);
  EXPECT_EQ(load_error(), expected("manifest.json", "cannot read: No such file or directory"));
}

TEST_F(Damage, IsGoneWhenTheFolderIs) {
  std::filesystem::remove(folder_ / "pixels.npy");
  std::filesystem::remove_all(folder_);
  EXPECT_EQ(load_error(), folder_.string() + ": there is no such artifact");
  store_.put(ingredients(), artifact());
  EXPECT_EQ(store_.load(key_).tensors.size(), 3u);
}

}  // namespace
}  // namespace osteon::store
