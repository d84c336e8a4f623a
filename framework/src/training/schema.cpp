// The parameters of [head] and [training], declared once.

#include "training/training.hpp"

namespace osteon::training {

Schema head_schema() {
  return {
      "Reduces the backbone's features to the fingerprint by pairs of a linear layer and L2 normalisation "
      "(Čavojská et al. 2020); sizes fall geometrically.",
      {Parameter::integer("dimensions", 128, "Numbers in a fingerprint, d.").at_least(2).at_most(4096),
       Parameter::integer("pairs", 3, "Pairs of a linear layer and L2 normalisation.").at_least(1).at_most(8),
       Parameter::flag("inner_normalisation", true,
                       "Normalise after every pair's linear layer; else only after the last.")}};
}

Schema training_schema() {
  using Choices = std::vector<std::string>;
  return {
      "Training on batches of P classes × K images, each embedded once (Hermans, Beyer, Leibe 2017).",
      {Parameter::integer("epochs", 6, "Passes over the training images.").at_least(1),
       Parameter::integer("classes_per_batch", 8, "P; all classes when there are fewer.").at_least(2),
       Parameter::integer("images_per_class", 6, "K; all training images of a class when it has fewer.").at_least(2),
       Parameter::text("mining", "semi_hard",
                       "Which triplets of a batch the loss sees: all; hardest positive and negative of each anchor "
                       "(Hermans et al. 2017; may collapse from random weights); nearest negative beyond each positive "
                       "(Schroff et al. 2015); a random negative for each positive pair.")
           .one_of(Choices{"batch_all", "batch_hard", "semi_hard", "random"}),
       Parameter::text("optimiser", "adamw", "Rule that changes the weights.").one_of(Choices{"sgd", "adam", "adamw"}),
       Parameter::real("learning_rate", 1e-3, "Step size at its highest.").above(0).at_most(10),
       Parameter::text("schedule", "cosine",
                       "Constant step size, or falling to zero along half a cosine (Loshchilov and Hutter 2017).")
           .one_of(Choices{"constant", "cosine"}),
       Parameter::real("warmup", 0.1, "Share of all batches over which the step size rises from zero.")
           .at_least(0)
           .below(1),
       Parameter::real("layer_decay", 1,
                       "Factor on the step size for each layer group that lies farther from the output; below 1 the "
                       "first layers learn slowest.")
           .above(0)
           .at_most(1),
       Parameter::real("momentum", 0.9, "SGD's momentum, Adam's first beta.").at_least(0).below(1),
       Parameter::real("weight_decay", 1e-4, "Pull of the weights towards zero; decoupled for adamw.")
           .at_least(0)
           .at_most(1),
       Parameter::real("gradient_norm", 0, "Longer gradients are shortened to this norm; 0 leaves them.").at_least(0),
       Parameter::integer("shift", 0, "Each training image moves by up to this much along each axis, anew each time.")
           .unit("pixels")
           .at_least(0),
       Parameter::text("precision", "bf16", "Of convolutions and matrix products; the head and the loss stay fp32.")
           .one_of(Choices{"bf16", "fp32"}),
       Parameter::integer("threads", 0, "Processor threads; 0 is one for each core. Changes the last bits.")
           .at_least(0),
       Parameter::text("device", "cpu", "\"auto\" takes the first CUDA device where there is one.")
           .one_of(Choices{"cpu", "auto"}),
       Parameter::integer("seed", 1, "Of first weights, batches, mining and shifts.").at_least(0)}};
}

}  // namespace osteon::training
