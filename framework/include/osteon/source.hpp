#pragma once

#include <osteon/plugin.hpp>
#include <osteon/specimen.hpp>

#include <vector>

namespace osteon {

/// Parameters → specimens, each with one or more separate acquisitions: CT volumes on grids of their own, or pairs of
/// radiographs.
class OSTEON_API Source : public Plugin {
 public:
  ~Source() override;

  /// Called once, before anything else, with a secret that stays in the store: the key with which a source of patients'
  /// data turns identifiers into pseudonyms (`hmac_sha256`).
  virtual void keep_secret(const std::string& salt);

  /// Every specimen, in an order that depends on the parameters and the data only. Cheap: reads headers, not voxels.
  /// Throws `Error` when there is none, saying where it looked and for what.
  [[nodiscard]] virtual std::vector<SpecimenInfo> specimens() const = 0;

  /// What a person should know of the whole that `specimens` lists ("2 localisers left out"); asked after it. Says
  /// files by their own names, never a patient's name or folder.
  [[nodiscard]] virtual std::vector<std::string> notices() const;

  /// What the acquisition is made from beyond the parameters: the SHA-256 of the content of the files it reads; ""
  /// for a procedural source. Part of the cache key, so that an edited file is read again.
  [[nodiscard]] virtual std::string content_digest(const SpecimenInfo& specimen, int acquisition) const = 0;

  /// Reads or makes one volume, whose grid is canonical (`Grid::canonical`), or reads one pair of radiographs. A
  /// function of the parameters, the specimen and the acquisition's number alone: never of which specimens were asked
  /// for before. Called from several threads.
  [[nodiscard]] virtual Acquisition acquire(const SpecimenInfo& specimen, int acquisition) const = 0;
};

}  // namespace osteon
