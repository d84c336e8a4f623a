#include "store/store.hpp"

#include "scratch.hpp"

#include <osteon/files.hpp>

#include <ATen/Functions.h>
#include <gtest/gtest.h>

namespace osteon::store {
namespace {

using namespace std::string_literals;

/// A file of version 1.0 with this dictionary, unpadded, and so many bytes of numbers.
std::string npy_bytes(const std::string& dictionary, std::size_t bytes) {
  return "\x93NUMPY\x01\x00"s + static_cast<char>(dictionary.size() & 255) + static_cast<char>(dictionary.size() >> 8) +
         dictionary + std::string(bytes, '\0');
}

class Npy : public ::testing::Test {
 protected:
  std::string refusal(const std::string& bytes) {
    write_file(file_, bytes);
    std::string message = message_of([this] { (void)read_npy(file_); });
    const std::string start = file_.string() + ": ";
    return message.starts_with(start) ? message.substr(start.size()) : "(no file named) " + message;
  }

  Scratch scratch_;
  std::filesystem::path file_ = scratch_.path() / "a.npy";
};

TEST_F(Npy, ReadsBackEveryTypeAndShape) {
  for (const auto type : {at::kByte, at::kShort, at::kInt, at::kLong, at::kFloat, at::kDouble})
    for (const std::vector<std::int64_t>& shape :
         std::vector<std::vector<std::int64_t>>{{}, {0}, {5}, {2, 0, 3}, {2, 3, 4}}) {
      const at::Tensor tensor = at::arange(1, 1 + c10::multiply_integers(shape), at::kDouble).reshape(shape).to(type);
      write_npy(file_, tensor);
      const at::Tensor back = read_npy(file_);
      EXPECT_EQ(back.scalar_type(), type);
      EXPECT_EQ(back.sizes(), tensor.sizes());
      EXPECT_TRUE(at::equal(back, tensor));
    }
}

// The bytes that numpy.save writes for numpy.array([[1, -2], [3, 4], [5, 6]], "<i2").
TEST_F(Npy, WritesWhatNumpyWrites) {
  write_npy(file_, at::tensor({1, -2, 3, 4, 5, 6}, at::kShort).reshape({3, 2}));
  std::string dictionary = "{'descr': '<i2', 'fortran_order': False, 'shape': (3, 2), }";
  dictionary.resize(117, ' ');
  EXPECT_EQ(read_file(file_),
            "\x93NUMPY\x01\x00\x76\x00"s + dictionary + "\n\x01\x00\xfe\xff\x03\x00\x04\x00\x05\x00\x06\x00"s);
  write_npy(file_, at::tensor({7}, at::kByte));
  EXPECT_NE(read_file(file_).find("{'descr': '|u1', 'fortran_order': False, 'shape': (1,), }"), std::string::npos);
  write_npy(file_, at::scalar_tensor(7.0, at::kDouble));
  EXPECT_NE(read_file(file_).find("{'descr': '<f8', 'fortran_order': False, 'shape': (), }"), std::string::npos);
}

TEST_F(Npy, WritesAViewInCOrder) {
  const at::Tensor view = at::arange(6, at::kFloat).reshape({2, 3}).t();
  write_npy(file_, view);
  EXPECT_TRUE(at::equal(read_npy(file_), view));
}

TEST_F(Npy, RefusesATypeThatItDoesNotWrite) {
  EXPECT_EQ(message_of([this] { write_npy(file_, at::zeros({2}, at::kBool)); }), "a tensor of Bool has no .npy form");
  EXPECT_FALSE(std::filesystem::exists(file_));
}

TEST_F(Npy, RefusesHostileFiles) {
  const std::string good = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n";
  EXPECT_EQ(refusal(npy_bytes(good, 24)), "(no file named) nothing was thrown");
  EXPECT_EQ(refusal("abc"), "has 3 bytes; a .npy file has at least 10");
  EXPECT_EQ(refusal("\x93NUMPY\x03\x00\x76\x00"s), "is no .npy file of version 1.0");
  EXPECT_EQ(refusal("\x93NUMPY\x01\x00\xff\xff{}"s), "truncated: its header should end at byte 65545, the file at 12");
  EXPECT_EQ(refusal(npy_bytes(good, 23)), "truncated: its header promises 24 bytes of numbers, it has 23");
  EXPECT_EQ(refusal(npy_bytes(good, 25)), "too long: its header promises 24 bytes of numbers, it has 25");
  const auto shaped = [](const std::string& shape) {
    return npy_bytes("{'descr': '<f8', 'fortran_order': False, 'shape': " + shape + ", }\n", 0);
  };
  // 2^61 doubles: the product of sizes and bytes is 0 modulo 2^64.
  EXPECT_EQ(refusal(shaped("(2305843009213693952,)")), "claims a shape that no memory can hold");
  EXPECT_EQ(refusal(shaped("(4294967296, 4294967296)")), "claims a shape that no memory can hold");
  EXPECT_EQ(refusal(shaped("(0, 4294967296, 4294967296)")), "claims a shape that no memory can hold");
  EXPECT_EQ(refusal(shaped("(1000000000000,)")),
            "truncated: its header promises 8000000000000 bytes of numbers, it has 0");
  for (const char* shape : {"(-1,)", "(99999999999999999999,)", "(2 3)", "2", "(2,", "('a',)", "(True,)"})
    EXPECT_EQ(refusal(shaped(shape)), "its .npy header cannot be read") << shape;
  std::string many = "(";
  for (int i = 0; i < 33; ++i) many += "1,";
  EXPECT_EQ(refusal(shaped(many + ")")), "its .npy header cannot be read");
  EXPECT_EQ(refusal(npy_bytes("__import__('os').system('true')", 0)), "its .npy header cannot be read");
  EXPECT_EQ(refusal(npy_bytes("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", 4)),
            "its .npy header cannot be read");
  EXPECT_EQ(refusal(npy_bytes("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", 8)),
            "holds numbers of an unknown type; expected one of |u1, <i2, <i4, <i8, <f4, <f8");
  EXPECT_EQ(refusal(npy_bytes("{'descr': '<f4', 'fortran_order': True, 'shape': (1,), }", 4)),
            "is in Fortran order; expected C order");
}

TEST_F(Npy, NamesAFileThatIsMissingOrNone) {
  EXPECT_EQ(message_of([this] { (void)read_npy(file_); }), file_.string() + ": cannot read: No such file or directory");
  EXPECT_EQ(message_of([this] { (void)read_npy(scratch_.path()); }),
            scratch_.path().string() + ": is not a regular file");
}

}  // namespace
}  // namespace osteon::store
