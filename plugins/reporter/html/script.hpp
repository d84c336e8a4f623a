#pragma once

// The page's only script: it adds what the nearest point says to charts and maps, and colours and zooms maps. All texts
// reach the page through `textContent`, never as HTML.

#include <string>

namespace osteon::report {

extern const char* const kScript;

/// "sha256-…" of the script: the content security policy lets no other run.
[[nodiscard]] std::string script_hash();

}  // namespace osteon::report
