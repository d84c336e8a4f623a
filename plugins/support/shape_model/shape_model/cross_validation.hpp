#pragma once

// A fit tried on bones that are known, by models that have not seen their people: how it should be set, and how much
// what it sees is worth, without a look at the bones that are asked for.

#include "shape_model/correspondences.hpp"
#include "shape_model/image_fit.hpp"
#include "shape_model/uncertainty.hpp"

#include "open3d_support/closest_points.hpp"

#include <osteon/shape.hpp>

#include <functional>
#include <vector>

namespace osteon::shape_model {

using Builder = std::function<ShapeModel(const std::vector<Points>& aligned_shapes)>;

/// One half of an X-ray pair, looked at.
using ViewFinder = std::function<View(std::int64_t image, const Projection& told, bool is_ml)>;

class CrossValidation {
 public:
  /// The known people dealt into at most four groups, each left out of a model in turn; at most eight bones are asked
  /// for. There is nothing to try when a model would be left with one bone or the gallery tells of no X-rays.
  /// `settings`: those with which the fits are begun, once for all that is tried.
  CrossValidation(const ShapeGallery& gallery, const Correspondences::Result& bones, const Builder& builder,
                  const ViewFinder& find, const FitSettings& settings);

  [[nodiscard]] bool empty() const { return questions_.empty(); }

  struct Outcome {
    double error = 0;    ///< mm after rigid alignment, root mean square over the bones asked for
    double noisier = 1;  ///< how much noisier edges are than misfits say: see `noisier_by`
  };
  /// From one X-ray pair of each bone, or from up to three together. A fit that finds nothing counts as the mean shape.
  [[nodiscard]] Outcome outcome(const FitSettings& settings, bool from_one_pair) const;

 private:
  struct Question {
    std::size_t group;
    Points shape;  ///< the bone, as the template describes it
    std::vector<View> views;
    open3d_support::ClosestPoints surface;
    std::vector<Placement> beginnings;  ///< of each pair; none where nothing was found
  };

  struct Answer {
    double error;
    Uncertainty uncertainty;
  };
  [[nodiscard]] Answer answer(const Question& question, const FitSettings& settings, bool from_one_pair) const;
  void begin(Question& question, const FitSettings& settings) const;

  std::vector<ShapeModel> models_;  ///< of each group, without it
  std::vector<Question> questions_;
};

}  // namespace osteon::shape_model
