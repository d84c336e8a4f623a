#pragma once

// From a volume and a bone's own frame to finished X-rays: the bone's axes, the exposures around it, the film, and what
// puts the three together.

#include "imaging/attenuation.hpp"
#include "imaging/bone_frame.hpp"
#include "imaging/crop.hpp"
#include "imaging/detector.hpp"
#include "imaging/film.hpp"
#include "imaging/perturb.hpp"
#include "imaging/render.hpp"
#include "imaging/roll.hpp"
#include "imaging/spectrum.hpp"
#include "imaging/subset.hpp"
#include "imaging/views.hpp"
