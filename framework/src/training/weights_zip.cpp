// Zip archives without compression; see the header.

#include "training/weights_zip.hpp"

#include <algorithm>
#include <limits>
#include <vector>

namespace osteon::training {

namespace {

constexpr std::string_view kLocal = "PK\x03\x04", kCentral = "PK\x01\x02", kEnd = "PK\x05\x06";
constexpr std::string_view kEnd64 = "PK\x06\x06", kLocator64 = "PK\x06\x07";
constexpr std::size_t kLocalSize = 30, kCentralSize = 46, kEndSize = 22, kEnd64Size = 56, kLocatorSize = 20;
constexpr std::uint64_t kNone32 = 0xFFFFFFFF, kNone16 = 0xFFFF;
constexpr std::uint64_t kAlignment = 64;

struct Directory {
  std::uint64_t first = 0, size = 0, records = 0;
};

Error damaged(const WeightsFile& file, std::string_view what) {
  return refusal(file.path(), "damaged or cut off: ", what, "; fetch or copy it again");
}

/// The end record of 64 bits, whose locator stands in front of the ordinary one.
Directory directory64(const WeightsFile& file, std::uint64_t end) {
  if (end < kLocatorSize) throw damaged(file, "its zip directory is not where its end record says");
  const std::string locator = file.read(end - kLocatorSize, kLocatorSize);
  const std::uint64_t place = little_endian(locator, 8, 8);
  if (!locator.starts_with(kLocator64) || !file.holds(place, kEnd64Size) || place + kEnd64Size > end)
    throw damaged(file, "its zip directory is not where its end record says");
  const std::string record = file.read(place, kEnd64Size);
  if (!record.starts_with(kEnd64)) throw damaged(file, "its zip directory is not where its end record says");
  return {little_endian(record, 48, 8), little_endian(record, 40, 8), little_endian(record, 32, 8)};
}

Directory find_directory(const WeightsFile& file) {
  constexpr std::uint64_t kLongestComment = 0xFFFF;
  const std::uint64_t tail_size = std::min<std::uint64_t>(file.size(), kEndSize + kLongestComment);
  const std::uint64_t tail_first = file.size() - tail_size;
  const std::string tail = file.read(tail_first, tail_size);
  for (std::size_t place = tail.rfind(kEnd); place != std::string::npos;
       place = place == 0 ? std::string::npos : tail.rfind(kEnd, place - 1)) {
    if (tail.size() - place < kEndSize || little_endian(tail, place + 20, 2) != tail.size() - place - kEndSize)
      continue;
    Directory found{little_endian(tail, place + 16, 4), little_endian(tail, place + 12, 4),
                    little_endian(tail, place + 10, 2)};
    const std::uint64_t end = tail_first + place;
    if (found.first == kNone32 || found.size == kNone32 || found.records == kNone16) found = directory64(file, end);
    if (found.first > end || found.size > end - found.first || found.records > found.size / kCentralSize)
      throw damaged(file, "its zip directory does not lie in the file");
    return found;
  }
  throw damaged(file, "it has no zip directory at its end");
}

void check_name(const WeightsFile& file, const std::string& name) {
  const std::string padded = "/" + name + "/";
  if (name.empty() || name.front() == '/' || name.find('\\') != std::string::npos ||
      name.find('\0') != std::string::npos || padded.find("/../") != std::string::npos)
    throw refusal(file.path(), "holds a record named \"", shown(name), "\", which PyTorch never writes");
}

/// One entry of the directory: sizes and place of what it describes.
struct ZipEntry {
  std::string name;
  std::uint64_t method = 0, flags = 0, crc = 0, packed = 0, size = 0, header = 0;
};

/// Sizes that don't fit 32 bits stand in an extra field.
void read_extra64(std::string_view extra, ZipEntry& entry) {
  while (extra.size() >= 4) {
    const std::uint64_t kind = little_endian(extra, 0, 2), size = little_endian(extra, 2, 2);
    extra.remove_prefix(4);
    if (size > extra.size()) return;
    std::string_view field = extra.substr(0, size);
    extra.remove_prefix(size);
    if (kind != 1) continue;
    for (std::uint64_t* value : {&entry.size, &entry.packed, &entry.header}) {
      if (*value != kNone32 || field.size() < 8) continue;
      *value = little_endian(field, 0, 8);
      field.remove_prefix(8);
    }
  }
}

/// The entry at `place`, which moves behind it.
ZipEntry read_entry(const WeightsFile& file, std::string_view directory, std::size_t& place) {
  if (directory.size() - place < kCentralSize || directory.substr(place, 4) != kCentral)
    throw damaged(file, "its zip directory is broken");
  const auto field = [&](std::size_t at, std::size_t size) { return little_endian(directory, place + at, size); };
  const std::size_t name = field(28, 2), extra = field(30, 2), comment = field(32, 2);
  ZipEntry entry{"", field(10, 2), field(8, 2), field(16, 4), field(20, 4), field(24, 4), field(42, 4)};
  if (directory.size() - place - kCentralSize < name + extra + comment)
    throw damaged(file, "its zip directory is broken");
  entry.name = directory.substr(place + kCentralSize, name);
  read_extra64(directory.substr(place + kCentralSize + name, extra), entry);
  place += kCentralSize + name + extra + comment;
  return entry;
}

/// The record that an entry describes, after its header in front of the bytes agrees.
ZipRecord locate(const WeightsFile& file, const ZipEntry& entry, std::uint64_t limit) {
  const std::string name = shown(entry.name);
  if (entry.method != 0 || entry.packed != entry.size || (entry.flags & 1) != 0)
    throw refusal(file.path(), "record \"", name,
                  "\" is compressed or encrypted, which PyTorch never does; unpack the file and save it again with "
                  "torch.save");
  if (!file.holds(entry.header, kLocalSize)) throw damaged(file, "record \"" + name + "\" does not lie in the file");
  const std::string header = file.read(entry.header, kLocalSize);
  const std::uint64_t name_size = little_endian(header, 26, 2), extra = little_endian(header, 28, 2);
  const std::uint64_t first = entry.header + kLocalSize + name_size + extra;
  if (!header.starts_with(kLocal) || name_size != entry.name.size() || first > limit || entry.size > limit - first ||
      file.read(entry.header + kLocalSize, name_size) != entry.name)
    throw damaged(file, "record \"" + name + "\" does not lie where the zip directory says");
  return {first, entry.size, static_cast<std::uint32_t>(entry.crc)};
}

void append(std::string& bytes, std::uint64_t value, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) bytes += static_cast<char>(value >> (8 * i));
}

}  // namespace

std::map<std::string, ZipRecord> zip_records(const WeightsFile& file) {
  const Directory where = find_directory(file);
  const std::string directory = file.read(where.first, where.size);
  std::map<std::string, ZipRecord> records;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> spans;  // header to end of each record
  std::size_t place = 0;
  for (std::uint64_t i = 0; i < where.records; ++i) {
    const ZipEntry entry = read_entry(file, directory, place);
    check_name(file, entry.name);
    const ZipRecord record = locate(file, entry, where.first);
    spans.emplace_back(entry.header, record.first + record.size);
    if (!records.emplace(entry.name, record).second)
      throw refusal(file.path(), "holds two records named \"", shown(entry.name), "\"");
  }
  std::ranges::sort(spans);
  for (std::size_t i = 1; i < spans.size(); ++i)
    if (spans[i].first < spans[i - 1].second) throw refusal(file.path(), "holds records that overlap");
  return records;
}

void check_record(const WeightsFile& file, const std::string& name, const ZipRecord& record) {
  constexpr std::uint64_t kBlock = 1 << 20;
  std::string block;
  std::uint32_t crc = 0;
  for (std::uint64_t done = 0; done < record.size; done += block.size()) {
    block.resize(std::min(kBlock, record.size - done));
    file.read(record.first + done, block.data(), block.size());
    crc = crc32(block, crc);
  }
  if (crc != record.crc)
    throw damaged(file, "record \"" + shown(name) + "\" has another checksum than the zip directory says");
}

void ZipWriter::add(const std::string& name, std::string_view bytes) {
  const std::uint64_t start = sink_.written(), fixed = start + kLocalSize + name.size() + 4;
  const std::uint64_t padding = (kAlignment - fixed % kAlignment) % kAlignment;
  if (bytes.size() >= kNone32 || fixed + padding + bytes.size() >= kNone32)
    throw Error("weights of 4 GiB and more cannot be written as .pth; write .safetensors");
  std::string common;             // of the header in front of the bytes and the directory's entry
  append(common, 0x0800, 2);      // names are UTF-8
  append(common, 0, 2);           // stored
  append(common, 0x00210000, 4);  // 1 January 1980: the same weights give the same file
  append(common, crc32(bytes), 4);
  append(common, bytes.size(), 4);
  append(common, bytes.size(), 4);
  append(common, name.size(), 2);
  std::string header(kLocal);
  append(header, 20, 2);
  header += common;
  append(header, 4 + padding, 2);
  header += name + "FB";  // PyTorch's own mark of padding
  append(header, padding, 2);
  header.append(padding, 'Z');
  sink_.write(header);
  sink_.write(bytes);
  directory_ += kCentral;
  append(directory_, 20, 2);
  append(directory_, 20, 2);
  directory_ += common;
  directory_.append(12, '\0');  // no extra field, comment, attributes
  append(directory_, start, 4);
  directory_ += name;
  ++records_;
}

void ZipWriter::finish() {
  const std::uint64_t start = sink_.written();
  if (records_ >= kNone16 || start + directory_.size() >= kNone32)
    throw Error("more than 65,534 tensors or 4 GiB cannot be written as .pth; write .safetensors");
  sink_.write(directory_);
  std::string end(kEnd);
  append(end, 0, 4);
  append(end, records_, 2);
  append(end, records_, 2);
  append(end, directory_.size(), 4);
  append(end, start, 4);
  append(end, 0, 2);
  sink_.write(end);
}

}  // namespace osteon::training
