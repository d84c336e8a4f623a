// Walks the elements of a DICOM file with every length checked.

#include "itk/dicom_elements.hpp"

#include <osteon/error.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <string_view>

namespace osteon::dicom {

namespace {

constexpr std::uint32_t kPixelData = 0x7fe00010, kItem = 0xfffee000, kItemEnd = 0xfffee00d, kSequenceEnd = 0xfffee0dd;
constexpr std::uint32_t kTransferSyntax = 0x00020010, kUndefined = 0xffffffff;
constexpr std::uint32_t kLongestKept = 1024;  // bytes; names, numbers and identifiers are shorter
constexpr int kDeepest = 16;                  // sequences within sequences

std::string trimmed(std::string_view word) {
  constexpr std::string_view kPadding(" \0\t\r\n", 5);
  const std::size_t first = word.find_first_not_of(kPadding);
  if (first == std::string_view::npos) return "";
  return std::string(word.substr(first, word.find_last_not_of(kPadding) - first + 1));
}

class Walker {
 public:
  explicit Walker(const std::filesystem::path& file) : file_(file), in_(file, std::ios::binary) {
    std::error_code problem;
    size_ = std::filesystem::file_size(file, problem);
    if (!in_ || problem) throw Error(osteon::text(file.string(), ": cannot read the file"));
  }

  Elements run() {
    Elements elements;
    elements.file_size = size_;
    seek(132);
    explicit_ = true;
    bool in_meta = true;
    while (position_ < size_) {
      if (in_meta && peek_group() != 0x0002) {
        in_meta = false;
        choose_syntax(elements);
      }
      const Head head = next();
      if (head.tag == kPixelData) {
        elements.pixel_offset = position_;
        elements.encapsulated = head.length == kUndefined;
        break;
      }
      keep(head, elements, 0);
    }
    return elements;
  }

  /// From the first fragment to the delimiter behind the last.
  void fragments(const Elements& elements) {
    seek(elements.pixel_offset);
    for (;;) {
      const Head head = next();
      if (head.tag == kSequenceEnd) return;
      if (head.tag != kItem || head.length == kUndefined) damaged();
      skip(head.length);
    }
  }

 private:
  struct Head {
    std::uint32_t tag = 0, length = 0;
    bool unknown = false;   ///< VR UN: what is inside is in implicit VR
    bool sequence = false;  ///< may be one: VR SQ, or implicit VR
  };

  static bool is_wanted(std::uint32_t tag) {
    return tag == kShared || tag == kPerFrame ||
           std::find(kFrameMacros.begin(), kFrameMacros.end(), tag) != kFrameMacros.end();
  }

  /// Takes one element up into the group, or passes it.
  void keep(const Head& head, Group& group, int depth) {
    if (head.sequence && is_wanted(head.tag))
      group.sequences[head.tag] = items(head, depth + 1);
    else if (head.length == kUndefined)
      skip_items(head, depth);
    else if (head.length <= kLongestKept)
      group.values[head.tag] = take(head.length);
    else
      skip(head.length);
  }

  std::uintmax_t end_of(const Head& head) const {
    if (head.length == kUndefined) return size_;
    if (head.length > size_ - position_) damaged();
    return position_ + head.length;
  }

  /// The items of a sequence, behind whose head the walker stands.
  std::vector<Group> items(const Head& sequence, int depth) {
    if (depth > kDeepest) damaged();
    std::vector<Group> list;
    const std::uintmax_t end = end_of(sequence);
    while (position_ < end) {
      const Head item = next();
      if (item.tag == kSequenceEnd && sequence.length == kUndefined) return list;
      if (item.tag != kItem) damaged();
      const std::uintmax_t item_end = end_of(item);
      Group& group = list.emplace_back();
      bool closed = false;
      while (position_ < item_end && !closed) {
        const Head inner = next();
        closed = inner.tag == kItemEnd;
        if (!closed) keep(inner, group, depth);
      }
      if (item.length == kUndefined ? !closed : position_ != item_end) damaged();
    }
    if (sequence.length == kUndefined || position_ != end) damaged();
    return list;
  }

  [[noreturn]] void damaged() const {
    throw Error(osteon::text(file_.filename().string(), ": the file is damaged or cut off at byte ", position_,
                             "; copy it again from where it came, or remove it"));
  }

  void seek(std::uintmax_t position) {
    if (position > size_) damaged();
    in_.seekg(static_cast<std::streamoff>(position));
    position_ = position;
  }
  void skip(std::uint32_t length) { seek(position_ + length); }

  std::string take(std::uint32_t length) {
    if (length > size_ - position_) damaged();
    std::string bytes(length, '\0');
    if (!in_.read(bytes.data(), length)) damaged();
    position_ += length;
    return bytes;
  }
  std::uint32_t take_number(std::uint32_t bytes) {
    std::uint32_t number = 0;
    const std::string raw = take(bytes);
    for (std::size_t i = 0; i < raw.size(); ++i) number |= std::uint32_t{static_cast<unsigned char>(raw[i])} << 8 * i;
    return number;
  }
  std::uint32_t take_tag() {
    const std::uint32_t group = take_number(2);
    return group << 16 | take_number(2);
  }
  std::uint32_t peek_group() {
    const std::uintmax_t here = position_;
    const std::uint32_t group = take_number(2);
    seek(here);
    return group;
  }

  Head next() {
    Head head;
    head.tag = take_tag();
    if (head.tag >> 16 == 0xfffe || !explicit_) {
      head.length = take_number(4);
      head.sequence = !explicit_;
      return head;
    }
    const std::string vr = take(2);
    if (vr[0] < 'A' || vr[0] > 'Z' || vr[1] < 'A' || vr[1] > 'Z') damaged();
    static constexpr std::string_view kLong = " OB OD OF OL OV OW SQ SV UC UN UR UT UV ";
    if (kLong.find(" " + vr + " ") != std::string_view::npos) {
      take_number(2);
      head.length = take_number(4);
    } else {
      head.length = take_number(2);
    }
    head.unknown = vr == "UN";
    head.sequence = vr == "SQ";
    return head;
  }

  /// Behind the head of a sequence of undefined length: to behind its delimiter.
  void skip_items(const Head& sequence, int depth) {
    if (depth > kDeepest) damaged();
    const bool outer = explicit_;
    explicit_ = explicit_ && !sequence.unknown;
    for (Head item = next(); item.tag != kSequenceEnd; item = next()) {
      if (item.tag != kItem) damaged();
      if (item.length != kUndefined) {
        skip(item.length);
        continue;
      }
      for (Head inner = next(); inner.tag != kItemEnd; inner = next()) {
        if (inner.length == kUndefined)
          skip_items(inner, depth + 1);
        else
          skip(inner.length);
      }
    }
    explicit_ = outer;
  }

  void choose_syntax(Elements& elements) {
    elements.transfer_syntax = elements.text(kTransferSyntax);
    const std::string& syntax = elements.transfer_syntax;
    if (syntax == "1.2.840.10008.1.2.2" || syntax == "1.2.840.10008.1.2.1.99")
      throw Error(osteon::text(file_.filename().string(), ": the file is in ",
                               syntax.ends_with("99") ? "deflated" : "big-endian",
                               " encoding, which is not read; convert "
                               "it with `gdcmconv --explicit IN OUT`"));
    explicit_ = syntax != "1.2.840.10008.1.2";
  }

  std::filesystem::path file_;
  std::ifstream in_;
  std::uintmax_t size_ = 0, position_ = 0;
  bool explicit_ = true;
};

}  // namespace

std::string Group::text(std::uint32_t tag) const {
  const auto found = values.find(tag);
  return found == values.end() ? "" : trimmed(found->second);
}

std::int64_t Group::number(std::uint32_t tag) const {
  const auto found = values.find(tag);
  if (found == values.end() || found->second.size() < 2) return 0;
  return static_cast<unsigned char>(found->second[0]) | static_cast<unsigned char>(found->second[1]) << 8;
}

bool is_dicom(const std::filesystem::path& file) {
  std::array<char, 132> head{};
  std::ifstream in(file, std::ios::binary);
  return in.read(head.data(), head.size()) && std::memcmp(head.data() + 128, "DICM", 4) == 0;
}

Elements read_elements(const std::filesystem::path& file) { return Walker(file).run(); }

void require_fragments(const std::filesystem::path& file, const Elements& elements) {
  Walker(file).fragments(elements);
}

void require_pixels(const PixelPlace& place, const std::string& name, std::uintmax_t expected) {
  // A frame of one value, of 4096 x 4096 pixels, leaves about a 30,000th in JPEG 2000.
  constexpr std::uintmax_t kMostCompressed = 100'000;
  std::error_code problem;
  const std::uintmax_t size = std::filesystem::file_size(place.file, problem);
  const std::uintmax_t held = problem || size < place.offset ? 0 : size - place.offset;
  if (!place.encapsulated && held < expected)
    throw Error(osteon::text(name, ": the file is cut off: expected ", expected, " bytes of pixels, found ", held,
                             "; copy it again from where it came"));
  if (place.encapsulated && held < expected / kMostCompressed)
    throw Error(osteon::text(name, ": its header promises ", expected, " bytes of pixels, which can't be in ", held,
                             " compressed bytes; copy it again from where it came"));
}

}  // namespace osteon::dicom
