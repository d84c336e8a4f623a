#pragma once

#include <osteon/mesh.hpp>
#include <osteon/plugin.hpp>
#include <osteon/specimen.hpp>

#include <limits>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace osteon {

/// What a metric may ask for. The runner computes the union of what all metrics declare, once.
enum class Need { embeddings, predictions, class_scores, meshes };

OSTEON_API std::string to_text(Need need);

/// A bone of the run, as the metrics see it.
struct EvidenceBone {
  std::string id, subject;
  Side side = Side::unknown;
  bool held_out = false;  ///< no image of it, nor of its subject, was trained on
};

/// What an image was used for. Training and validation images come from a bone's first acquisition (the gallery too);
/// query images from another acquisition, in other poses.
enum class Role { training, validation, gallery, query };

/// Embeddings of all images of the run by one method: the trained network, or a trivial row beside it.
struct EmbeddingSet {
  std::string name;        ///< "fingerprint", "raw pixels", "bone length", "untrained network", …
  bool is_trivial = true;  ///< false for the trained network's
  at::Tensor vectors;      ///< float32 `[N, d]`, row n belongs to image n
};

/// What one classifier said of the query images from one embedding set.
struct Identification {
  std::string embedding_set, classifier;
  bool is_trivial = true;
  bool held_out = false;        ///< the column: bones never trained on, or bones seen in training
  at::Tensor truth;             ///< int64 `[Q]`: index into `Evidence::bones`
  at::Tensor predicted;         ///< int64 `[Q]`: index into `Evidence::bones`, -1 unknown
  std::int64_t candidates = 0;  ///< bones in the gallery; chance is 1 of them
};

/// What the trained network's own class layer says of images of the bones that it was trained on. Empty where the loss
/// knows no classes.
struct ClassScores {
  at::Tensor bones;   ///< int64 `[C]`: index into `Evidence::bones` of each class
  at::Tensor images;  ///< int64 `[M]`: validation images, and query images of those bones
  at::Tensor scores;  ///< float32 `[M, C]`, larger is likelier
};

/// One held-out bone whose shape was predicted. All meshes are in the bone's own frame, both sides alike (right ones
/// mirrored).
struct ShapeCase {
  std::int64_t bone = 0;          ///< index into `Evidence::bones`
  Mesh truth;                     ///< iso-surface of the bone's CT, as all surfaces of the gallery are
  std::optional<Mesh> made_from;  ///< the surface that the CT was made from, where the source knows it
  struct Answer {
    std::string estimator;
    Mesh mesh;
    std::optional<std::int64_t> chosen;  ///< index into `ShapeEvidence::gallery`
  };
  std::vector<Answer> answers;
};

struct ShapeEvidence {
  std::vector<std::int64_t> gallery_bones;  ///< index into `Evidence::bones`
  std::vector<Mesh> gallery;
  std::vector<ShapeCase> cases;
};

/// Read-only evidence of a run. Touching what a metric did not declare throws a failure.
class OSTEON_API Evidence {
 public:
  /// The runner's store of everything; a metric is handed a view of it by `for_needs`.
  struct Contents {
    std::vector<EvidenceBone> bones;
    at::Tensor bone;         ///< int64 `[N]`: which bone an image shows
    std::vector<Role> role;  ///< of each image
    std::vector<EmbeddingSet> embeddings;
    std::vector<Identification> identifications;
    ClassScores class_scores;
    ShapeEvidence shapes;
    double margin = -1;                 ///< of the loss; negative when it has none
    std::uint64_t seed = 0;             ///< for sampling in metrics
    bool queries_share_volume = false;  ///< the source has one acquisition a bone: identity figures say so
  };

  Evidence(const Contents& contents, std::set<Need> allowed) : contents_(&contents), allowed_(std::move(allowed)) {}

  [[nodiscard]] const std::vector<EvidenceBone>& bones() const { return contents_->bones; }
  [[nodiscard]] const at::Tensor& bone_of_image() const { return contents_->bone; }
  [[nodiscard]] const std::vector<Role>& roles() const { return contents_->role; }
  [[nodiscard]] double margin() const { return contents_->margin; }
  [[nodiscard]] std::uint64_t seed() const { return contents_->seed; }
  [[nodiscard]] bool queries_share_volume() const { return contents_->queries_share_volume; }

  [[nodiscard]] const std::vector<EmbeddingSet>& embeddings() const;         ///< needs `embeddings`
  [[nodiscard]] const std::vector<Identification>& identifications() const;  ///< needs `predictions`
  [[nodiscard]] const ClassScores& class_scores() const;                     ///< needs `class_scores`
  [[nodiscard]] const ShapeEvidence& shapes() const;                         ///< needs `meshes`

 private:
  void require(Need need) const;

  const Contents* contents_;
  std::set<Need> allowed_;
};

/// One figure of a result table.
struct MetricValue {
  std::string table;                                        ///< "identity, rank-1"
  std::string row;                                          ///< "fingerprint + knn"
  std::string column;                                       ///< "never trained"
  double value = std::numeric_limits<double>::quiet_NaN();  ///< NaN: undefined; `note` says why
  std::string unit;                                         ///< "%", "mm", "" for a ratio
  bool larger_is_better = true;
  bool is_baseline = false;                           ///< a trivial row or a bound, not the method's own figure
  std::int64_t count = 0;                             ///< of `counted`, never of images where bones are meant
  std::string counted;                                ///< "bones", "people", "triplets"
  std::optional<std::pair<double, double>> interval;  ///< 95 %, over people or bones
  std::string note;
};

/// A picture of a true and a predicted surface, for the report: in one frame, aligned.
struct SurfacePair {
  std::string caption;
  Mesh truth, predicted;
  at::Tensor distance;  ///< float32 `[N]`: mm from each vertex of `predicted` to `truth`
};

struct MetricResult {
  std::vector<MetricValue> values;
  std::vector<SurfacePair> surfaces;
};

/// Evidence → named figures with unit, direction, count and interval.
class OSTEON_API Metric : public Plugin {
 public:
  ~Metric() override;

  [[nodiscard]] virtual std::set<Need> needs() const = 0;
  [[nodiscard]] virtual MetricResult evaluate(const Evidence& evidence) const = 0;
};

}  // namespace osteon
