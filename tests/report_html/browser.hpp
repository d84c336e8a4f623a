#pragma once

// A page opened in headless Chromium: a script of the test's is put behind the page's own, and tells what it saw.

#include "report.hpp"

#include <nlohmann/json.hpp>

#include <cstdio>
#include <string>

namespace osteon {

/// Chromium's command, or "" where there is none.
inline std::string browser() {
  for (const char* name : {"chromium", "chromium-browser", "google-chrome"})
    if (std::system(text("command -v ", name, " > /dev/null 2>&1").c_str()) == 0) return name;
  return "";
}

/// Put before all other scripts: it keeps what goes wrong.
constexpr const char* kWatcher = R"js(
window.mistakes = [];
addEventListener('error', (event) => mistakes.push(String(event.message)));
addEventListener('unhandledrejection', (event) => mistakes.push(String(event.reason)));
addEventListener('securitypolicyviolation', (event) => mistakes.push('refused: ' + event.violatedDirective));
for (const kind of ['error', 'warn']) console[kind] = (...words) => mistakes.push(words.join(' '));
)js";

/// Around the test's script: `seen` is what it tells; `pause()` lets the page act, `drawn()` and `after()` wait until a
/// canvas has been drawn and has changed.
constexpr const char* kTeller = R"js(
addEventListener('load', async () => {
  const seen = {}, all = (words) => [...document.querySelectorAll(words)], one = (words) => document.querySelector(words);
  const pause = () => new Promise((go) => setTimeout(go, 120));
  const act = (element, kind, more = {}) =>
      element.dispatchEvent(new (kind.startsWith('pointer') ? PointerEvent : kind.startsWith('key') ? KeyboardEvent : Event)(
          kind, {bubbles: true, cancelable: true, pointerId: 1, ...more}));
  // Drawn pixels of a canvas, and their mean colour.
  const pixels = (canvas) => {
    const copy = document.createElement('canvas');
    copy.width = canvas.width;
    copy.height = canvas.height;
    const plane = copy.getContext('2d');
    plane.drawImage(canvas, 0, 0);
    const bytes = plane.getImageData(0, 0, copy.width, copy.height).data, sum = [0, 0, 0];
    let count = 0, mark = 0;
    for (let i = 0; i < bytes.length; i += 4) {
      if (bytes[i + 3] < 128) continue;
      ++count;
      mark = (mark * 31 + i) % 1000003;
      for (const k of [0, 1, 2]) sum[k] += bytes[i + k];
    }
    return {count, mark, colour: sum.map((value) => Math.round(value / count)), size: copy.width * copy.height};
  };
  // What is drawn, at first and after an action; a busy machine draws late.
  const drawn = async (canvas) => {
    for (let i = 0; i < 40 && pixels(canvas).count === 0; ++i) await pause();
    return pixels(canvas);
  };
  const after = async (canvas, action) => {
    const before = pixels(canvas).mark;
    action();
    for (let i = 0; i < 40 && pixels(canvas).mark === before; ++i) await pause();
    return pixels(canvas);
  };
  try {
    await pause();
    /* SCRIPT */
  } catch (error) { mistakes.push('test: ' + error.stack); }
  seen.mistakes = mistakes;
  const words = JSON.stringify(seen).replace(/[<>&]/g, (c) => '\\u00' + c.charCodeAt(0).toString(16));
  const told = document.createElement('pre');
  told.id = 'told';
  told.textContent = words;
  document.body.append(told);
  if (parent !== window) parent.postMessage(words, '*');
});
)js";

/// What `script` put into `seen`, and `mistakes`: what went wrong on the page. Two seconds, most of it Chromium's
/// start.
inline nlohmann::json seen_in_browser(const std::filesystem::path& page, const std::string& script, int width = 1200) {
  std::string html = read_file(page), tell = kTeller;
  const std::string policy = "script-src '", charset = "<meta charset=\"utf-8\">", mark = "/* SCRIPT */";
  html.insert(html.find(policy) + policy.size(), "nonce-test' '");
  html.insert(html.find("</head>"), text("<script nonce=\"test\">", kWatcher, "</script>"));
  html.insert(html.rfind("</body>"),
              text("<script nonce=\"test\">", tell.replace(tell.find(mark), mark.size(), script), "</script>"));
  const std::filesystem::path copy = page.parent_path() / "seen.html";
  write_file(copy, html);
  // Chromium's window is never narrower than 500 pixels, a frame is.
  const std::filesystem::path frame = page.parent_path() / "frame.html";
  write_file(frame, text("<iframe src=\"seen.html\" width=\"", width,
                         "\" height=\"900\" style=\"border:0\"></iframe><pre id=\"told\"></pre><script>",
                         "addEventListener('message', (event) => { told.textContent = event.data; });</script>"));
  const std::string command =
      text("HOME='", page.parent_path().string(), "' timeout 90 ", browser(),
           " --headless --no-sandbox --disable-gpu --enable-unsafe-swiftshader --no-first-run --user-data-dir='",
           (page.parent_path() / "profile").string(), "' --window-size=", width, ",900 --virtual-time-budget=60000 ",
           "--dump-dom 'file://", (width < 500 ? frame : copy).string(), "' 2> '",
           (page.parent_path() / "browser.txt").string(), "'");
  std::FILE* output = ::popen(command.c_str(), "r");
  if (output == nullptr) throw failure("no browser");
  std::string dom;
  char buffer[65536];
  for (std::size_t n = 0; (n = std::fread(buffer, 1, sizeof buffer, output)) > 0;) dom.append(buffer, n);
  ::pclose(output);
  const std::string begin = "<pre id=\"told\">";
  const std::size_t from = dom.find(begin);
  if (from == std::string::npos)
    throw failure("the page told nothing: " + read_file(page.parent_path() / "browser.txt"));
  return nlohmann::json::parse(dom.substr(from + begin.size(), dom.find("</pre>", from) - from - begin.size()));
}

}  // namespace osteon
