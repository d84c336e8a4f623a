#pragma once

// The zip archive that PyTorch ≥ 1.6 writes: records stored without compression (PKWARE, APPNOTE.TXT 6.3; sizes of 64
// bits too).

#include "training/weights_file.hpp"

#include <map>
#include <string>

namespace osteon::training {

struct ZipRecord {
  std::uint64_t first = 0, size = 0;  ///< its bytes in the file
  std::uint32_t crc = 0;
};

/// Where each record's bytes lie. Throws `Error` unless every record lies in the file, is stored as it is, overlaps no
/// other and has a name of its own that stays inside the archive; the checksums are not looked at.
[[nodiscard]] std::map<std::string, ZipRecord> zip_records(const WeightsFile& file);

/// Throws `Error` when the bytes of a record don't have its checksum.
void check_record(const WeightsFile& file, const std::string& name, const ZipRecord& record);

/// Writes an archive, each record's bytes at a multiple of 64 as PyTorch has them, so that they can be mapped.
class ZipWriter {
 public:
  explicit ZipWriter(WeightsSink& sink) : sink_(sink) {}
  void add(const std::string& name, std::string_view bytes);
  /// The directory; nothing can be added afterwards.
  void finish();

 private:
  WeightsSink& sink_;
  std::string directory_;
  std::uint64_t records_ = 0;
};

}  // namespace osteon::training
