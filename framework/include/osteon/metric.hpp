#pragma once

#include <osteon/image_set.hpp>
#include <osteon/mesh.hpp>
#include <osteon/plugin.hpp>
#include <osteon/shape.hpp>
#include <osteon/specimen.hpp>

#include <limits>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace osteon {

/// What a metric may ask for. The runner computes the union of what all metrics declare, once.
enum class Need { embeddings, neighbours, trials, predictions, class_scores, meshes };

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

// Query images are compared with the gallery's images in several ways below. When people are held out in turn
// (`split.folds`), each fold's network answers for its own held-out people, and there is one entry a fold under the
// same names: a metric pools the queries of the entries that agree in embedding set, classifier and `held_out`.

/// What one classifier said of the query images from one embedding set.
struct Identification {
  std::string embedding_set, classifier;
  bool is_trivial = true;
  bool held_out = false;        ///< the column: bones never trained on, or bones seen in training
  at::Tensor images;            ///< int64 `[Q]`: the query images
  at::Tensor truth;             ///< int64 `[Q]`: index into `Evidence::bones`
  at::Tensor predicted;         ///< int64 `[Q]`: index into `Evidence::bones`, -1 unknown
  at::Tensor scores;            ///< float32 `[Q]`: larger is surer
  std::int64_t candidates = 0;  ///< bones in the gallery; chance is 1 of them
  /// The score from which on an answer is accepted, calibrated on validation images for a false-accept rate of
  /// `stated_rate`; NaN where nothing was calibrated.
  double accept_from = std::numeric_limits<double>::quiet_NaN();
  double stated_rate = std::numeric_limits<double>::quiet_NaN();
  /// float32 `[Q]`: the scores of the same queries when nobody has enrolled the person they show: both bones of that
  /// person are out of the gallery. Undefined where nothing was calibrated.
  at::Tensor impostor_scores;
};

/// Each query image's neighbours among the gallery's images, by Euclidean distance.
struct NeighbourTable {
  std::string embedding_set;
  bool is_trivial = true;
  bool held_out = false;     ///< of the queries' bones
  at::Tensor queries;        ///< int64 `[Q]`: image
  at::Tensor neighbours;     ///< int32 `[Q, K]`: gallery image, nearest first, of equally near ones the smaller first
  at::Tensor distances;      ///< float32 `[Q, K]`
  at::Tensor relevant;       ///< int64 `[Q]`: R, gallery images of the query's own bone; K is at least the largest R
  std::int64_t gallery = 0;  ///< images in the gallery
};

/// How far each query image is from each bone of the gallery.
struct Trials {
  std::string embedding_set;
  bool is_trivial = true;
  bool held_out = false;  ///< of the queries' bones
  at::Tensor queries;     ///< int64 `[Q]`: image
  at::Tensor truth;       ///< int64 `[Q]`: index into `Evidence::bones`
  at::Tensor distances;   ///< float32 `[Q, B]`: to the bone's nearest gallery image; infinite for bones without any
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
  std::int64_t bone = 0;                 ///< index into `Evidence::bones`
  Mesh truth;                            ///< iso-surface of the bone's CT, as all surfaces of the gallery are
  std::optional<Mesh> made_from;         ///< the surface that the CT was made from, where the source knows it
  std::vector<std::int64_t> candidates;  ///< the bones that were known then: indices into `ShapeEvidence::gallery`

  /// What one method said. `chosen` counts in `ShapeEvidence::gallery`.
  struct Answer {
    std::string estimator;
    ShapePrediction together;            ///< from all of the bone's X-ray pairs
    std::vector<ShapePrediction> alone;  ///< from each pair by itself; empty where there is one pair
    std::optional<Mesh> ceiling;         ///< the nearest that the method's model comes to the truth
  };
  std::vector<Answer> answers;
};

struct ShapeEvidence {
  std::vector<std::int64_t> gallery_bones;  ///< index into `Evidence::bones`
  std::vector<Mesh> gallery;                ///< every bone that was known in some fold
  std::vector<ShapeCase> cases;             ///< of all folds
};

/// Read-only evidence of a run. Touching what a metric did not declare throws a failure.
class OSTEON_API Evidence {
 public:
  /// The runner's store of everything; a metric is handed a view of it by `for_needs`.
  struct Contents {
    std::vector<EvidenceBone> bones;
    at::Tensor bone;             ///< int64 `[N]`: which bone an image shows
    std::vector<Role> role;      ///< of each image
    std::vector<ImageRow> rows;  ///< how each image was taken
    std::vector<EmbeddingSet> embeddings;
    std::vector<NeighbourTable> neighbours;
    std::vector<Trials> trials;
    std::vector<Identification> identifications;
    ClassScores class_scores;
    ShapeEvidence shapes;
    double margin = -1;                 ///< of the loss; negative when it has none
    std::uint64_t seed = 0;             ///< for sampling in metrics
    bool queries_share_volume = false;  ///< the source has one acquisition a bone: identity figures say so
    /// People are held out in turn, by so many networks; 1 when the same people are held out throughout. What is not
    /// pooled over folds (embeddings, class scores, bones seen in training) is of the first fold.
    std::int64_t folds = 1;
  };

  Evidence(const Contents& contents, std::set<Need> allowed) : contents_(&contents), allowed_(std::move(allowed)) {}

  [[nodiscard]] const std::vector<EvidenceBone>& bones() const { return contents_->bones; }
  [[nodiscard]] const at::Tensor& bone_of_image() const { return contents_->bone; }
  [[nodiscard]] const std::vector<Role>& roles() const { return contents_->role; }
  [[nodiscard]] const std::vector<ImageRow>& image_rows() const { return contents_->rows; }
  [[nodiscard]] double margin() const { return contents_->margin; }
  [[nodiscard]] std::uint64_t seed() const { return contents_->seed; }
  [[nodiscard]] bool queries_share_volume() const { return contents_->queries_share_volume; }
  [[nodiscard]] std::int64_t folds() const { return contents_->folds; }

  [[nodiscard]] const std::vector<EmbeddingSet>& embeddings() const;         ///< needs `embeddings`
  [[nodiscard]] const std::vector<NeighbourTable>& neighbours() const;       ///< needs `neighbours`
  [[nodiscard]] const std::vector<Trials>& trials() const;                   ///< needs `trials`
  [[nodiscard]] const std::vector<Identification>& identifications() const;  ///< needs `predictions`
  [[nodiscard]] const ClassScores& class_scores() const;                     ///< needs `class_scores`
  [[nodiscard]] const ShapeEvidence& shapes() const;                         ///< needs `meshes`

 private:
  void require(Need need) const;

  const Contents* contents_;
  std::set<Need> allowed_;
};

/// What one person adds to a figure that is a mean.
struct PersonPart {
  std::string person;
  double sum = 0, count = 0;
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
  /// Where the figure is a mean Σ sum / Σ count over people (in `unit`; the share in percent where the figure is how
  /// many of `count`): so that runs are compared person by person. Empty where it is something else.
  std::vector<PersonPart> people;
};

/// A picture of a true and a predicted surface, for the report: in one frame, aligned.
struct SurfacePair {
  std::string caption;
  Mesh truth, predicted;
  at::Tensor distance;  ///< float32 `[N]`: mm from each vertex of `predicted` to `truth`
};

/// One line, cloud of points or row of bars in a chart.
struct ChartSeries {
  enum class Mark { line, points, bars };
  std::string name;
  Mark mark = Mark::line;
  std::vector<double> x, y;  ///< as many of each; of bars, x is the middle; values that are not finite break a line
  bool is_baseline = false;  ///< drawn more quietly
  std::vector<std::string> hover;  ///< nothing, or what each point says when it is pointed at
};

/// A plot for the report.
struct Chart {
  std::string section;  ///< "Pairwise separation": charts of one section stand together
  std::string title;
  std::string x_label, y_label;
  std::vector<ChartSeries> series;
  struct Guide {
    std::string name;  ///< "margin"
    double x;
  };
  std::vector<Guide> guides;  ///< upright lines
  bool log_x = false;
  std::string note;
};

/// Images as points of a plane, near where their embeddings are near. The host adds their pictures.
struct EmbeddingMap {
  std::string title;  ///< "fingerprint, t-SNE"
  std::string note;
  at::Tensor images;  ///< int64 `[n]`
  at::Tensor points;  ///< float32 `[n, 2]`
};

struct MetricResult {
  std::vector<MetricValue> values;
  std::vector<SurfacePair> surfaces;
  std::vector<Chart> charts;
  std::vector<EmbeddingMap> maps;
};

/// Evidence → named figures with unit, direction, count and interval.
class OSTEON_API Metric : public Plugin {
 public:
  ~Metric() override;

  [[nodiscard]] virtual std::set<Need> needs() const = 0;
  [[nodiscard]] virtual MetricResult evaluate(const Evidence& evidence) const = 0;
};

}  // namespace osteon
