// A sound plugin whose version is no version.
#include "sound_loss.hpp"
OSTEON_PLUGIN(loss, version_in_words, "the newest", broken::SoundLoss)
