#include "page.hpp"

#include "markup.hpp"
#include "script.hpp"
#include "sweep.hpp"

#include <ctime>
#include <set>

namespace osteon::report {

namespace {

std::string date_text(std::chrono::system_clock::time_point time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm local{};
  localtime_r(&seconds, &local);
  char buffer[96];
  std::strftime(buffer, sizeof buffer, " %B %Y, %H:%M %Z", &local);
  return text(local.tm_mday, buffer);
}

std::string status_line(const Page& page) {
  const std::string status = page.finish ? page.finish->status : "running";
  if (status == "complete") return "";
  std::string message = page.finish ? page.finish->message : "this page shows what there is so far";
  return text("<p class=\"status\" role=\"status\"><strong>", escaped(status), "</strong> ", escaped(message),
              "</p>\n");
}

std::string answer_text(const Page& page) {
  if (page.sweep) return sweep_answer(*page.sweep);
  std::string sentence = answer(page.values);
  if (!sentence.empty()) return sentence;
  if (!page.values.empty()) return "No method has a figure; the tables below say why.";
  return page.finish ? "There are no figures: the run ended before it was evaluated." : "There are no figures yet.";
}

std::string top(const Page& page) {
  std::string html = text("<header>\n<p class=\"brand\">Osteon</p>\n<h1>", escaped(page.start.title), "</h1>\n");
  if (!page.start.point.empty())
    html +=
        text("<p class=\"point\">", escaped(page.start.point), " · <a href=\"../report.html\">all points</a></p>\n");
  html += text("<p class=\"quiet\">", escaped(date_text(page.began)));
  if (page.finish) html += text(" · ", duration(page.finish->seconds));
  if (!page.start.plan.empty()) html += text("<br>", escaped(page.start.plan));
  html += "</p>\n" + status_line(page);
  html += text("<p class=\"answer\">", answer_text(page), "</p>\n", page.sweep ? "" : key_figures(page.values),
               "</header>\n");
  return html;
}

std::string left_out_text(int count, const char* what) {
  return count == 0
             ? std::string()
             : text("<p class=\"quiet\">", count, " more ", what, count == 1 ? " is" : "s are", " not shown.</p>\n");
}

std::string stages(const Page& page) {
  std::string html =
      "<div class=\"wide\"><table class=\"stages sortable\"><thead><tr><th scope=\"col\">stage</th><th "
      "scope=\"col\">plugin</th><th scope=\"col\">made"
      "</th><th scope=\"col\">reused</th><th scope=\"col\">time</th><th scope=\"col\">result</th><th scope=\"col\">why "
      "it ran</th></tr></thead>"
      "<tbody>\n";
  for (const Stage& stage : page.stages) {
    html += text("<tr><th scope=\"row\">", escaped(stage.name), "</th><td>", escaped(stage.plugin), "</td>");
    if (stage.finished) {
      const StageFinished& f = *stage.finished;
      html += text("<td data-v=\"", f.made, "\">", f.made, "</td><td data-v=\"", f.reused, "\">", f.reused,
                   "</td><td data-v=\"", f.seconds, "\">", duration(f.seconds), "</td><td>", escaped(f.detail),
                   "</td><td>", f.reason.empty() ? (f.made == 0 ? "all reused" : "") : escaped(f.reason), "</td>");
    } else {
      html += text("<td></td><td></td><td></td><td>", page.finish ? "did not end" : "running", "</td><td></td>");
    }
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

std::string specimens_left_out(const Page& page) {
  if (page.left_out.empty()) return "<p class=\"quiet\">None: every specimen passed every stage.</p>\n";
  std::string html =
      "<div class=\"wide\"><table class=\"sortable\"><thead><tr><th scope=\"col\">specimen</th><th "
      "scope=\"col\">stage</th><th "
      "scope=\"col\">reason"
      "</th></tr></thead><tbody>\n";
  for (const SpecimenLeftOut& one : page.left_out)
    html += text("<tr><th scope=\"row\">", escaped(one.specimen), "</th><td>", escaped(one.stage),
                 "</td><td class=\"prose\">", escaped(one.reason), "</td></tr>\n");
  return html + "</tbody></table></div>\n";
}

std::string notices(const Page& page) {
  std::string html = "<ul>\n";
  for (const std::string& one : page.notices) html += text("<li>", escaped(one), "</li>\n");
  return html + "</ul>\n";
}

std::string environment(const Page& page) {
  std::string html = "<div class=\"wide\"><table class=\"pairs\"><tbody>\n";
  for (const auto& [name, value] : page.start.environment)
    html += text("<tr><th scope=\"row\">", escaped(name), "</th><td class=\"prose\">", escaped(value), "</td></tr>\n");
  return html + "</tbody></table></div>\n";
}

std::string repeat(const Page& page) {
  return text("<p>The same command continues this run, or repeats it from what is stored:</p>\n<pre><code>",
              escaped(page.start.command),
              "</code></pre>\n<p>The resolved experiment below runs as it is, from <code>experiment.toml</code> in the "
              "run's folder <code>",
              escaped(page.start.folder.filename().string()),
              "</code>. Same seeds, same machine and same number of threads give the same numbers.</p>\n");
}

/// Title, short remark, HTML and whether it begins open.
struct Section {
  std::string title, remark, body;
  bool open = true;
};

std::string count_text(std::size_t count, const char* one) { return text(count, " ", one, count == 1 ? "" : "s"); }

/// What lies at the bottom of every page.
void add_record(const Page& page, std::vector<Section>& all) {
  if (!page.notices.empty()) all.push_back({"Notices", "", notices(page)});
  if (!page.sweep) all.push_back({"Stages", "what was made, what was reused, and why", stages(page)});
  all.push_back({"How to repeat it", "", repeat(page)});
  all.push_back({"Resolved experiment", "experiment.toml",
                 text("<pre><code>", escaped(page.start.experiment), "</code></pre>\n"), false});
  all.push_back({"Environment", "", environment(page), false});
}

std::vector<Section> sweep_sections(const Page& page) {
  const SweepSummary& sweep = *page.sweep;
  std::vector<Section> all;
  all.push_back({"Settings", count_text(sweep.settings.size(), "setting"), sweep_settings(sweep)});
  if (std::string plots = sweep_effects(sweep); !plots.empty())
    all.push_back({"Effects", "each factor by itself", std::move(plots)});
  if (std::string lines = parallel_axes(sweep); !lines.empty())
    all.push_back({"All points at once", "parallel coordinates", std::move(lines)});
  all.push_back({"Points", count_text(sweep.points.size(), "point"), sweep_points(sweep)});
  add_record(page, all);
  return all;
}

std::vector<Section> sections(const Page& page) {
  if (page.sweep) return sweep_sections(page);
  std::vector<Section> all;
  all.push_back(
      {"Results", "", page.values.empty() ? "<p class=\"quiet\">No figures.</p>\n" : result_tables(page.values)});
  if (page.surfaces_shown > 0)
    all.push_back({"Shape", count_text(static_cast<std::size_t>(page.surfaces_shown), "prediction"),
                   page.surfaces + left_out_text(page.surfaces_left_out, "prediction")});
  if (page.maps.count() > 0) all.push_back({"Embedding space", count_text(page.maps.count(), "map"), page.maps.html()});
  for (const ChartSection& charts : page.charts)
    all.push_back(
        {charts.name, count_text(charts.count, "chart"), text("<div class=\"plots\">\n", charts.figures, "</div>\n")});
  for (const PictureSection& pictures : page.pictures)
    all.push_back({pictures.name, count_text(static_cast<std::size_t>(pictures.shown), "picture"),
                   text("<div class=\"pictures\"",
                        pictures.is_layered ? text(" data-over=\"", escaped(pictures.name), " over the X-ray\"") : "",
                        ">\n", pictures.figures, "</div>\n", left_out_text(pictures.left_out, "picture"))});
  if (!page.curves.empty()) all.push_back({"Learning curves", "", learning_curves(page.curves)});
  all.push_back({"Specimens left out", page.left_out.empty() ? "none" : count_text(page.left_out.size(), "specimen"),
                 specimens_left_out(page)});
  add_record(page, all);
  return all;
}

std::string security_policy() {
  return text("default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src '", script_hash(), "'");
}

}  // namespace

std::string whole_page(const Page& page) {
  std::string contents, body;
  std::set<std::string> ids;
  for (const Section& one : sections(page)) {
    std::string id = slug(one.title);
    while (!ids.insert(id).second) id += "-too";  // a section of pictures may be called as one of the page's own
    contents += text("<a href=\"#", id, "\">", escaped(one.title), "</a>\n");
    body += section(id, one.title, one.remark, one.body, one.open);
  }
  return text(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"",
      security_policy(), "\">\n<title>", escaped(page.start.title), " · Osteon</title>\n<style>\n", kStyle,
      "</style>\n</head>\n<body>\n<main>\n", top(page), "<nav aria-label=\"contents\">\n", contents, "</nav>\n", body,
      "<footer>Research software, not for clinical use. Made by Osteon.</footer>\n</main>\n", "<script>", page_script(),
      "</script>\n</body>\n</html>\n");
}

}  // namespace osteon::report
