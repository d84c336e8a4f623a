#pragma once

// The page's only script: it adds what the nearest point says to charts and maps, colours and zooms maps, turns bones,
// sorts tables and opens sections. All texts reach the page through `textContent`, never as HTML. It is written in
// parts, which share one function's names.

#include <string>

namespace osteon::report {

/// All parts, as the page has them.
[[nodiscard]] const std::string& page_script();

/// "sha256-…" of the script: the content security policy lets no other run.
[[nodiscard]] std::string script_hash();

extern const char* const kScriptTools;
extern const char* const kScriptCharts;    ///< defines `chart(figure)`
extern const char* const kScriptMaps;      ///< defines `map(figure)`
extern const char* const kScriptSolids;    ///< defines `solid(figure)`
extern const char* const kScriptTables;    ///< defines `sortable(table)`
extern const char* const kScriptPictures;  ///< defines `layered(pictures)`
extern const char* const kScriptParallel;  ///< defines `parallel(figure)`
extern const char* const kScriptSections;  ///< links open what they lead to, and print has all

}  // namespace osteon::report
