// The parameters of [head] and [training], declared once.

#include "training/training.hpp"

namespace osteon::training {

Schema head_schema() {
  return {
      "Reduces the backbone's features to the fingerprint by pairs of a linear layer and L2 normalisation "
      "(Čavojská et al. 2020); sizes fall geometrically.",
      {Parameter::integer("dimensions", 128, "Numbers in a fingerprint, d.").at_least(2).at_most(4096),
       Parameter::integer("pairs", 3,
                          "Pairs of a linear layer and L2 normalisation. 0 leaves the backbone's features as they are, "
                          "for transfer learning with a loss over classes.")
           .at_least(0)
           .at_most(8),
       Parameter::flag("inner_normalisation", true,
                       "Normalise after every pair's linear layer; else only after the last."),
       Parameter::flag("whitening", false,
                       "After the training a last linear layer to `dimensions` numbers of unit length is fitted to the "
                       "training images in closed form: their principal components, divided by how much the images of "
                       "one bone differ in each direction (Belhumeur et al. 1997; Mikolajczyk and Matas 2007)."),
       Parameter::real("whitening_shrinkage", 0.05,
                       "Of whitening: how far the scatter within bones is drawn towards one that is alike in all "
                       "directions; 1 leaves principal components alone.")
           .at_least(0)
           .at_most(1),
       Parameter::integer("whitening_copies", 1,
                          "Of whitening: changed copies of each training image ([augment]) that are counted beside "
                          "it, so that it learns to overlook those changes.")
           .at_least(0)
           .at_most(100)}};
}

Schema training_schema() {
  using Choices = std::vector<std::string>;
  const Choices minings = {"batch_all", "batch_hard", "semi_hard", "distance_weighted", "random"};
  return {
      "How the network is trained: batches, the triplets chosen from them, the rule that changes the weights.",
      {Parameter::integer("epochs", 6,
                          "Passes over the training images; 0 leaves the first weights, for a backbone without any or "
                          "weights from a file.")
           .at_least(0),
       Parameter::text(
           "sampling", "classes",
           "Batches of classes_per_batch × images_per_class images, from which triplets are mined (Hermans, "
           "Beyer, Leibe 2017); of batch_size random triplets, the study's, which are not mined; or of "
           "batch_size images in random order.")
           .one_of(Choices{"classes", "triplets", "images"}),
       Parameter::integer("classes_per_batch", 8, "P; all classes when there are fewer.").at_least(2),
       Parameter::integer("images_per_class", 6, "K; all training images of a class when it has fewer.").at_least(2),
       Parameter::integer("batch_size", 16, "Triplets, or images, in a batch whose sampling is one of these.")
           .at_least(2),
       Parameter::text("mining", "semi_hard",
                       "Which triplets of a batch the loss sees: all; hardest positive and negative of each anchor "
                       "(Hermans et al. 2017; may collapse from random weights); nearest negative beyond each positive "
                       "(Schroff et al. 2015); for each positive pair a negative at any distance equally likely (Wu et "
                       "al. 2017), or any negative.")
           .one_of(minings),
       Parameter::texts("curriculum", {}, "Minings that replace the first one later.").one_of(minings),
       Parameter::integers("curriculum_epochs", {}, "From which epoch on each mining of the curriculum rules."),
       Parameter::text("optimiser", "adamw", "Rule that changes the weights.").one_of(Choices{"sgd", "adam", "adamw"}),
       Parameter::real("learning_rate", 1e-3, "Step size at its highest.").above(0).at_most(10),
       Parameter::text("schedule", "cosine",
                       "Constant step size; divided every few epochs; falling to zero along half a cosine (Loshchilov "
                       "and Hutter 2017); or rising and falling once (Smith and Topin 2018).")
           .one_of(Choices{"constant", "step", "cosine", "one_cycle"}),
       Parameter::integer("step_epochs", 2, "Epochs between the falls of schedule \"step\".").at_least(1),
       Parameter::real("step_factor", 0.1, "What each fall of schedule \"step\" multiplies by.").above(0).at_most(1),
       Parameter::real("warmup", 0.1, "Share of all batches over which the step size rises.").at_least(0).below(1),
       Parameter::real("layer_decay", 1,
                       "Factor on the step size for each layer group that lies farther from the output; below 1 the "
                       "first layers learn slowest.")
           .above(0)
           .at_most(1),
       Parameter::reals("layer_rates", {},
                        "Factor on the step size of each layer group of the backbone, from the image on, beside "
                        "layer_decay; none: 1 for all.")
           .at_least(0)
           .at_most(1000),
       Parameter::real("loss_rate", 1, "Factor on the step size of the loss's own weights (classes, proxies).")
           .above(0)
           .at_most(10000),
       Parameter::texts("frozen", {},
                        "Layer groups of the backbone that keep their weights, or \"backbone\": all of them."),
       Parameter::flag("frozen_batch_norm", false,
                       "Batch normalisation keeps its weights and its running mean and variance."),
       Parameter::real("momentum", 0.9, "SGD's momentum, Adam's first beta.").at_least(0).below(1),
       Parameter::real("weight_decay", 1e-4, "Pull of the weights towards zero; decoupled for adamw.")
           .at_least(0)
           .at_most(1),
       Parameter::real("gradient_norm", 0, "Longer gradients are shortened to this norm; 0 leaves them.").at_least(0),
       Parameter::integer("patience", 0,
                          "Ends the training after so many epochs without a better accuracy on the validation images; "
                          "0 never does.")
           .at_least(0),
       Parameter::text("keep", "last",
                       "The weights of the last epoch, or of the one with the best accuracy on the validation images "
                       "(the latest of equals).")
           .one_of(Choices{"last", "best"}),
       Parameter::flag("upright", false,
                       "The network sees each view turned upright and centred by its own brightness, so that poses in "
                       "the picture's plane are nothing that it must learn."),
       Parameter::text("planes", "both",
                       "Which views the network sees; the other one is black (for raw pixels beside it too).")
           .one_of(Choices{"both", "ap", "ml"}),
       Parameter::text(
           "precision", "auto",
           "Of convolutions and matrix products; the head and the loss stay fp32. \"auto\" takes bf16 where "
           "the device computes it fast (CUDA, AVX-512), else fp32.")
           .one_of(Choices{"auto", "bf16", "fp32"}),
       Parameter::integer("threads", 0,
                          "Processor threads; 0 is one for each core, divided among processes that train together. "
                          "Changes the last bits.")
           .at_least(0),
       Parameter::integer("workers", 1,
                          "Threads that read and change images ahead of the network; 0 does it in between. Changes "
                          "nothing but the time.")
           .at_least(0)
           .at_most(64)
           .not_in_key(),
       Parameter::text("device", "auto", "\"auto\" takes the first CUDA device where there is one, else the processor.")
           .one_of(Choices{"cpu", "auto"}),
       Parameter::integer("seed", 1, "Of first weights, batches, mining and augmentation.").at_least(0)}};
}

}  // namespace osteon::training
