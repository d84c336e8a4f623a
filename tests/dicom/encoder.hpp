#pragma once

// DICOM files written byte by byte (PS3.5, explicit little endian), for what format/dicom does not write: enhanced
// multi-frame images and 8-bit pixels.

#include <osteon/error.hpp>
#include <osteon/volume.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace osteon::test {

inline std::string little(std::uint64_t value, int bytes) {
  std::string result;
  for (int i = 0; i < bytes; ++i) result += static_cast<char>(value >> 8 * i & 255);
  return result;
}

inline std::string tag(std::uint32_t number) { return little(number >> 16, 2) + little(number & 0xffff, 2); }

inline std::string element(std::uint32_t number, const std::string& vr, std::string value) {
  if (value.size() % 2 == 1) value += vr == "UI" ? '\0' : ' ';
  const bool wide = vr == "OB" || vr == "OW" || vr == "SQ" || vr == "UN";
  return tag(number) + vr + (wide ? little(0, 2) + little(value.size(), 4) : little(value.size(), 2)) + value;
}

/// A sequence of defined or of undefined length; each item is its elements.
inline std::string sequence(std::uint32_t number, const std::vector<std::string>& items, bool defined) {
  std::string body;
  for (const std::string& item : items)
    body += defined ? tag(0xfffee000) + little(item.size(), 4) + item
                    : tag(0xfffee000) + little(0xffffffff, 4) + item + tag(0xfffee00d) + little(0, 4);
  if (defined) return element(number, "SQ", body);
  return tag(number) + "SQ" + little(0, 2) + little(0xffffffff, 4) + body + tag(0xfffee0dd) + little(0, 4);
}

inline std::string file_of(const std::string& sop_class, const std::string& elements) {
  const std::string meta = element(0x00020001, "OB", std::string("\0\1", 2)) + element(0x00020002, "UI", sop_class) +
                           element(0x00020003, "UI", "1.2.3.4") + element(0x00020010, "UI", "1.2.840.10008.1.2.1") +
                           element(0x00020012, "UI", "1.2.3");
  return std::string(128, '\0') + "DICM" + element(0x00020000, "UL", little(meta.size(), 4)) + meta + elements;
}

inline std::string numbers(std::initializer_list<double> values) {
  std::string words;
  for (const double value : values) {
    if (!words.empty()) words += '\\';
    words += text(value);
  }
  return words;
}

/// An enhanced CT image of a volume: frames in the given order, HU = stored - 1024.
inline std::string enhanced_ct(const Volume& volume, const std::vector<std::int64_t>& order, bool defined,
                               const std::string& patient = "4711") {
  const Grid& grid = volume.grid;
  const Vec3 &row = grid.direction.column[0], &column = grid.direction.column[1];
  std::vector<std::string> frames;
  std::string pixels;
  const std::int64_t plane = grid.size[0] * grid.size[1];
  for (const std::int64_t k : order) {
    const Vec3 corner = grid.to_patient({0, 0, static_cast<double>(k)});
    frames.push_back(
        sequence(0x00209113, {element(0x00200032, "DS", numbers({corner.x, corner.y, corner.z}))}, defined));
    for (std::int64_t v = 0; v < plane; ++v)
      pixels += little(static_cast<std::uint16_t>(volume.hounsfield.data_ptr<std::int16_t>()[k * plane + v] + 1024), 2);
  }
  const std::string shared =
      sequence(0x00189329, {element(0x00089007, "CS", "ORIGINAL\\PRIMARY\\VOLUME\\NONE")}, defined) +
      sequence(0x00209071, {element(0x00209072, "CS", "R")}, defined) +
      sequence(0x00209116, {element(0x00200037, "DS", numbers({row.x, row.y, row.z, column.x, column.y, column.z}))},
               defined) +
      sequence(0x00289110, {element(0x00280030, "DS", numbers({grid.spacing.y, grid.spacing.x}))}, defined) +
      sequence(0x00289145,
               {element(0x00281052, "DS", "-1024") + element(0x00281053, "DS", "1") + element(0x00281054, "LO", "HU")},
               defined);
  const std::string sop_class = "1.2.840.10008.5.1.4.1.1.2.1";
  return file_of(sop_class, element(0x00080008, "CS", "ORIGINAL\\PRIMARY\\VOLUME\\NONE") +
                                element(0x00080016, "UI", sop_class) + element(0x00080018, "UI", "1.2.3.4") +
                                element(0x00080060, "CS", "CT") + element(0x00100020, "LO", patient) +
                                element(0x0020000d, "UI", "1.2.3.5") + element(0x0020000e, "UI", "1.2.3.6") +
                                element(0x00280002, "US", little(1, 2)) + element(0x00280004, "CS", "MONOCHROME2") +
                                element(0x00280008, "IS", std::to_string(order.size())) +
                                element(0x00280010, "US", little(static_cast<std::uint64_t>(grid.size[1]), 2)) +
                                element(0x00280011, "US", little(static_cast<std::uint64_t>(grid.size[0]), 2)) +
                                element(0x00280100, "US", little(16, 2)) + element(0x00280101, "US", little(16, 2)) +
                                element(0x00280102, "US", little(15, 2)) + element(0x00280103, "US", little(0, 2)) +
                                sequence(0x52009229, {shared}, defined) + sequence(0x52009230, frames, defined) +
                                element(0x7fe00010, "OW", pixels));
}

/// One CT slice of 8 bits, HU = 8 · stored - 1024, at z mm.
inline std::string eight_bit_slice(const std::vector<std::uint8_t>& pixels, int side, int z) {
  const std::string sop_class = "1.2.840.10008.5.1.4.1.1.2";
  return file_of(
      sop_class,
      element(0x00080008, "CS", "ORIGINAL\\PRIMARY\\AXIAL") + element(0x00080016, "UI", sop_class) +
          element(0x00080018, "UI", "1.2.3.4." + std::to_string(z)) + element(0x00080060, "CS", "CT") +
          element(0x00100020, "LO", "4711") + element(0x0020000d, "UI", "1.2.3.5") +
          element(0x0020000e, "UI", "1.2.3.6") + element(0x00200032, "DS", numbers({0, 0, static_cast<double>(z)})) +
          element(0x00200037, "DS", "1\\0\\0\\0\\1\\0") + element(0x00280002, "US", little(1, 2)) +
          element(0x00280004, "CS", "MONOCHROME2") +
          element(0x00280010, "US", little(static_cast<std::uint64_t>(side), 2)) +
          element(0x00280011, "US", little(static_cast<std::uint64_t>(side), 2)) + element(0x00280030, "DS", "1\\1") +
          element(0x00280100, "US", little(8, 2)) + element(0x00280101, "US", little(8, 2)) +
          element(0x00280102, "US", little(7, 2)) + element(0x00280103, "US", little(0, 2)) +
          element(0x00281052, "DS", "-1024") + element(0x00281053, "DS", "8") +
          element(0x7fe00010, "OB", std::string(pixels.begin(), pixels.end())));
}

}  // namespace osteon::test
