// A comparison as Markdown, LaTeX, CSV and JSON, whole pages.

#include "pipeline/comparison_text.hpp"
#include "runs.hpp"

namespace osteon::pipeline {
namespace {

/// Two settings and two figures: one of twelve people with everything, one of three with a number alone.
RunComparison small() {
  RunComparison comparison;
  RunSetting first{"loss.margin = 0.1", {{"loss.margin", "0.1"}}, {}}, second = first;
  second.name = "loss.margin = 0.2, film.polarity = bone_bright";
  second.differing = {{"loss.margin", "0.2"}, {"film.polarity", "bone_bright"}};
  for (RunSetting* setting : {&first, &second}) {
    RunResult run;
    run.folder = setting == &first ? "runs/a" : "runs/b|c";
    run.training_seed = "1";
    setting->seeds.push_back(run);
  }
  first.seeds.push_back(first.seeds.front());
  first.seeds.back().training_seed = "2";
  comparison.settings = {first, second};
  ComparedFigure rank{"fingerprint + knn", "never trained on", "%", "bones", true, {}};
  ComparedValue baseline;
  baseline.seeds = 2;
  baseline.mean = 93.75;
  baseline.deviation = 1.5;
  baseline.count = 21;
  baseline.people = 12;
  baseline.rank = 1;
  baseline.first = 0.96;
  ComparedValue other = baseline;
  other.setting = 1;
  other.seeds = 1;
  other.mean = 91.25;
  other.deviation = std::nan("");
  other.paired = 12;
  other.difference = -2.5;
  other.interval = std::pair(-4.25, 0.5);
  other.p = 0.015625;
  other.corrected = 0.03125;
  other.rank = 2;
  other.first = 0.04;
  other.notes = {"one seed: the interval holds for these trainings, not for others"};
  rank.values = {baseline, other};
  ComparedFigure worst{"a_b & \"c\"", "worst", "mm", "bones", false, {}};
  ComparedValue alone;
  alone.seeds = 2;
  alone.mean = 2.5;
  alone.deviation = 0.25;
  alone.count = 3;
  worst.values = {alone};
  comparison.tables = {{"identity, rank-1", 2, {rank, worst}}};
  comparison.notices = {"runs/x: left out, as it is not complete"};
  return comparison;
}

/// What stands in all pages of several settings.
std::string methods(const std::string& before) {
  std::string lines;
  for (const std::string& one : methods_of(small())) lines += before + one + "\n";
  return lines;
}

TEST(Markdown, IsASmallTableAFigure) {
  EXPECT_EQ(
      to_markdown(small()),
      "| setting                                        | seeds | runs              |\n"
      "|:-----------------------------------------------|:------|:------------------|\n"
      "| loss.margin = 0.1 (baseline)                   | 1, 2  | runs/a and 1 more |\n"
      "| loss.margin = 0.2, film.polarity = bone_bright | 1     | runs/b\\|c         |\n"
      "\n" +
          methods("") +
          "\nNote: runs/x: left out, as it is not complete\n"
          "\n## identity, rank-1\n"
          "\np by Holm over 2 comparisons.\n"
          "\n**fingerprint + knn: never trained on (%, 21 bones, 12 people, larger is better)**\n\n"
          "| setting                                        |      value | difference [95 %] |     p | rank | first |\n"
          "|:-----------------------------------------------|-----------:|------------------:|------:|-----:|------:|\n"
          "| loss.margin = 0.1                              | 93.8 ± 1.5 |          baseline |     – |    1 |  96 % |\n"
          "| loss.margin = 0.2, film.polarity = bone_bright |     91.2 ¹ | −2.5 [−4.2, +0.5] | 0.031 |    2 |   4 % |\n"
          "\n**a_b & \"c\": worst (mm, 3 bones, smaller is better)**\n\n"
          "| setting           |       value | difference [95 %] |   p | rank | first |\n"
          "|:------------------|------------:|------------------:|----:|-----:|------:|\n"
          "| loss.margin = 0.1 | 2.50 ± 0.25 |          baseline |   – |    – |     – |\n"
          "\n- ¹ one seed: the interval holds for these trainings, not for others\n");
}

TEST(Markdown, OfOneSettingHasNoColumnsOfDifferences) {
  RunComparison comparison = small();
  comparison.settings.resize(1);
  comparison.tables[0].figures[0].values.resize(1);
  EXPECT_EQ(column_names(comparison), (std::vector<std::string>{"setting", "value"}));
  EXPECT_EQ(to_markdown(comparison).find("baseline"), std::string::npos);
  EXPECT_EQ(to_markdown(comparison).find("sign"), std::string::npos);
}

TEST(Latex, IsOneTableATable) {
  EXPECT_EQ(to_latex(small()), "% Of `osteon compare`; needs \\usepackage{booktabs}.\n" + methods("% ") +
                                   R"(% Note: runs/x: left out, as it is not complete

\begin{table}
  \caption{identity, rank-1 ($p$ by Holm over 2 comparisons)}
  \begin{tabular}{lrrrrr}
    \toprule
    setting & value & difference [95 \%] & p & rank & first \\
    \midrule
    \multicolumn{6}{l}{\emph{fingerprint + knn: never trained on (\%, 21 bones, 12 people, larger is better)}} \\
    loss.margin = 0.1 & 93.8 $\pm$ 1.5 & baseline & -- & 1 & 96 \% \\
    loss.margin = 0.2, film.polarity = bone\_bright & 91.2\textsuperscript{1} & $-$2.5 [$-$4.2, +0.5] & 0.031 & 2 & 4 \% \\
    \midrule
    \multicolumn{6}{l}{\emph{a\_b \& ''c'': worst (mm, 3 bones, smaller is better)}} \\
    loss.margin = 0.1 & 2.50 $\pm$ 0.25 & baseline & -- & -- & -- \\
    \bottomrule
  \end{tabular}
  \par\footnotesize\textsuperscript{1}~one seed: the interval holds for these trainings, not for others
\end{table}
)");
}

TEST(Latex, EscapesWhatHasAMeaning) {
  EXPECT_EQ(latex_escaped(R"(a_b & 5% of #1 {x} $y$ ^ ~ \z)"),
            R"(a\_b \& 5\% of \#1 \{x\} \$y\$ \textasciicircum{} \textasciitilde{} \textbackslash{}z)");
  EXPECT_EQ(latex_escaped("1 → 2°, ±3 µm – <4> |5|"),
            "1 $\\to$ 2\\textdegree{}, $\\pm$3 \\textmu{}m -- \\textless{}4\\textgreater{} \\textbar{}5\\textbar{}");
  EXPECT_EQ(latex_escaped("Čavojská"), "Čavojská");
}

TEST(Csv, IsOneLineAFigureAndSetting) {
  EXPECT_EQ(
      to_csv(small()),
      "table,row,column,setting,baseline,seeds,mean,deviation,unit,larger_is_better,count,counted,people,paired,"
      "difference,interval_low,interval_high,p,p_holm,comparisons,rank,first,notes\r\n"
      "\"identity, rank-1\",fingerprint + knn,never trained on,loss.margin = 0.1,true,2,93.75,1.5,%,true,21,bones,"
      "12,0,,,,,,2,1,0.96,\r\n"
      "\"identity, rank-1\",fingerprint + knn,never trained on,\"loss.margin = 0.2, film.polarity = "
      "bone_bright\",false,1,91.25,,%,true,21,bones,12,12,-2.5,-4.25,0.5,0.015625,0.03125,2,2,0.04,\"one seed: the "
      "interval holds for these trainings, not for others\"\r\n"
      "\"identity, rank-1\",\"a_b & \"\"c\"\"\",worst,loss.margin = 0.1,true,2,2.5,0.25,mm,false,3,bones,0,0,,,,,,2,"
      ",,\r\n");
}

TEST(Json, HoldsEverything) {
  const auto file = nlohmann::json::parse(to_json(small()));
  EXPECT_EQ(file.at("baseline"), "loss.margin = 0.1");
  EXPECT_EQ(file.at("settings")[1], nlohmann::json::parse(R"({"name": "loss.margin = 0.2, film.polarity = bone_bright",
              "parameters": {"loss.margin": "0.2", "film.polarity": "bone_bright"}, "seeds": ["1"], "runs": ["runs/b|c"]})"));
  EXPECT_EQ(file.at("methods").size(), 4U);
  EXPECT_EQ(file.at("notices")[0], "runs/x: left out, as it is not complete");
  const auto& table = file.at("tables")[0];
  EXPECT_EQ(table.at("table"), "identity, rank-1");
  EXPECT_EQ(table.at("comparisons"), 2);
  const auto& figure = table.at("figures")[0];
  EXPECT_EQ(figure.at("row"), "fingerprint + knn");
  EXPECT_EQ(figure.at("larger_is_better"), true);
  EXPECT_EQ(figure.at("values")[1],
            nlohmann::json::parse(R"({"setting": "loss.margin = 0.2, film.polarity = bone_bright",
    "seeds": 1, "mean": 91.25, "deviation": null, "count": 21, "people": 12, "paired": 12, "difference": -2.5,
    "interval": [-4.25, 0.5], "p": 0.015625, "p_holm": 0.03125, "rank": 2, "first": 0.04,
    "notes": ["one seed: the interval holds for these trainings, not for others"]})"));
  EXPECT_TRUE(figure.at("values")[0].at("interval").is_null());
  EXPECT_TRUE(table.at("figures")[1].at("values")[0].at("rank").is_null());
}

TEST(Text, ShowsAsManyDigitsAsTheSpreadNeeds) {
  RunComparison comparison = small();
  ComparedFigure& figure = comparison.tables[0].figures[0];
  figure.values[0].mean = 99.996;
  figure.values[0].deviation = 0.0012;
  figure.values[1].difference = 1e-15;  // a rounding error
  figure.values[1].interval.reset();
  Footnotes notes;
  const auto lines = lines_of(figure, comparison, notes);
  EXPECT_EQ(lines[0].cells[1], "99.996 ± 0.001");
  EXPECT_EQ(lines[1].cells[2], "0.000");
}

class CompareCommand : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* margin : {"0.1", "0.2"})
      for (int seed = 1; seed <= 2; ++seed)
        test::write_run(place_.folder() / text("m", margin, "-", seed), seed,
                        test::experiment(text("plugin = \"triplet\"\nmargin = ", margin)),
                        {test::recognised({100, 50.0 * seed, margin[2] == '1' ? 100.0 : 0.0})});
  }

  test::Workplace place_;
};

TEST_F(CompareCommand, WritesTheFormatThatIsAskedFor) {
  const std::string runs = "compare m0.1-1 m0.1-2 m0.2-1 m0.2-2";
  const auto markdown = place_.osteon(runs);
  EXPECT_EQ(markdown.code, 0) << markdown.err;
  EXPECT_NE(markdown.out.find("| loss.margin = 0.2 |"), std::string::npos) << markdown.out;
  EXPECT_NE(markdown.out.find("−33.3"), std::string::npos) << markdown.out;
  EXPECT_EQ(place_.osteon(runs + " --format csv").out.substr(0, 17), "table,row,column,");
  EXPECT_NE(place_.osteon(runs + " --format latex").out.find("\\begin{tabular}"), std::string::npos);
  const auto written = place_.osteon(runs + " --baseline loss.margin=0.2 --format json --out c.json");
  EXPECT_EQ(written.out, "wrote   c.json · 2 settings · 1 tables\n");
  const auto file = nlohmann::json::parse(test::read(place_.folder() / "c.json"));
  EXPECT_EQ(file.at("baseline"), "loss.margin = 0.2");
  EXPECT_NEAR(file.at("tables")[0].at("figures")[0].at("values")[0].at("difference").get<double>(), 100 / 3.0, 1e-9);
}

TEST_F(CompareCommand, RefusesWhatItCannotCompare) {
  const auto unknown = place_.osteon("compare m0.1-1 m0.2-1 --baseline m0.3-1");
  EXPECT_EQ(unknown.code, 2);
  EXPECT_EQ(unknown.err.substr(0, 43), "no setting \"m0.3-1\" to compare with; did yo");
  const auto format = place_.osteon("compare m0.1-1 --format word");
  EXPECT_EQ(format.code, 2);
  EXPECT_EQ(place_.osteon("compare").code, 2);
  const auto help = place_.osteon("compare --help");
  EXPECT_EQ(help.code, 0);
  for (const char* part : {"--baseline", "--format", "--out", "--table", "osteon compare runs/"})
    EXPECT_NE(help.out.find(part), std::string::npos) << part;
}

}  // namespace
}  // namespace osteon::pipeline
