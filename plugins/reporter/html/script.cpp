#include "script.hpp"

#include <osteon/digest.hpp>
#include <osteon/error.hpp>
#include <osteon/png.hpp>

namespace osteon::report {

namespace {

constexpr const char* kStart = R"js(
for (const figure of document.querySelectorAll('figure.plot')) (figure.classList.contains('map') ? map : chart)(figure);
for (const figure of document.querySelectorAll('figure.solid')) solid(figure);
for (const table of document.querySelectorAll('table.sortable')) sortable(table);
for (const figure of document.querySelectorAll('figure.parallel')) parallel(figure);
for (const pictures of document.querySelectorAll('.pictures')) layered(pictures);
)js";

}  // namespace

const std::string& page_script() {
  static const std::string script =
      text("\n(() => {\n'use strict';\n", kScriptTools, kScriptCharts, kScriptMaps, kScriptSolids, kScriptTables,
           kScriptPictures, kScriptParallel, kScriptSections, kStart, "})();\n");
  return script;
}

std::string script_hash() {
  const std::string hex = sha256(page_script());
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2) bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return "sha256-" + base64(bytes);
}

}  // namespace osteon::report
