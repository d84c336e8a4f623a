// Real X-rays: what files say, what is found in them, and how they become images like the artificial ones.

#include "fixture.hpp"

namespace osteon {
namespace {

using test::element;

TEST_F(Radiographs, TurnMonochrome1RoundAndKeepMonochrome2) {
  const Radiograph two = read(dicom({}, "MONOCHROME2")), one = read(dicom({}, "MONOCHROME1"));
  ASSERT_EQ(two.intensity.sizes(), at::IntArrayRef({3, 4}));
  EXPECT_FLOAT_EQ(two.intensity[2][3].item<float>(), 1100.0F / 4095);
  EXPECT_TRUE(at::allclose(one.intensity, 1 - two.intensity));
  const Radiograph falling = read(dicom({{0x00281053, element(0x00281053, "DS", "-1")}}, "MONOCHROME1"));
  EXPECT_TRUE(at::allclose(falling.intensity, two.intensity));
}

TEST_F(Radiographs, TakeTheSpacingThatHoldsAtTheBone) {
  const std::string pixel = element(0x00280030, "DS", "0.15\\0.15"), imager = element(0x00181164, "DS", "0.2\\0.2");
  const auto spacing = [&](const std::map<std::uint32_t, std::string>& more) {
    const Radiograph found = read(dicom(more, "MONOCHROME2"));
    return std::pair(found.pixel_spacing, found.spacing_source);
  };
  using Found = std::pair<double, std::string>;
  EXPECT_EQ(spacing({}), Found(0, "its header gives no spacing"));
  EXPECT_EQ(spacing({{0x00280030, pixel}}), Found(0.15, "PixelSpacing"));
  EXPECT_EQ(spacing({{0x00280030, pixel}, {0x00181164, imager}}),
            Found(0.15, "PixelSpacing, which differs from the detector's"));
  EXPECT_EQ(spacing({{0x00280030, pixel}, {0x00280a02, element(0x00280a02, "CS", "FIDUCIAL")}}),
            Found(0.15, "PixelSpacing, calibrated at an object of known size"));
  EXPECT_EQ(spacing({{0x00181164, imager}}),
            Found(0,
                  "its header gives 0.2 mm at the detector (ImagerPixelSpacing) but neither a magnification nor "
                  "distances"));
  EXPECT_EQ(spacing({{0x00181164, imager}, {0x00181114, element(0x00181114, "DS", "1.25")}}),
            Found(0.2 / 1.25,
                  "ImagerPixelSpacing 0.2 mm over a magnification of 1.25 "
                  "(EstimatedRadiographicMagnificationFactor)"));
  EXPECT_EQ(spacing({{0x00181164, imager},
                     {0x00181110, element(0x00181110, "DS", "1000")},
                     {0x00181111, element(0x00181111, "DS", "800")}}),
            Found(0.2 / 1.25,
                  "ImagerPixelSpacing 0.2 mm over a magnification of 1.25 (source to detector 1000 mm over "
                  "source to patient 800 mm)"));
}

TEST_F(Radiographs, RefuseWhatIsNoRadiograph) {
  EXPECT_EQ(refusal([&] { (void)read(dicom({}, "MONOCHROME2", "1.2.840.10008.5.1.4.1.1.2", "CT")); }),
            "format/dicom: x.dcm: not a radiograph: its modality is CT; computed (CR) and digital radiography (DX) and "
            "secondary captures are read");
  EXPECT_EQ(
      refusal([&] { (void)read(dicom({}, "RGB")); }),
      "format/dicom: x.dcm: its pixels are RGB, not grey (MONOCHROME1 or 2); export the original radiograph, not a "
      "coloured copy");
  EXPECT_EQ(refusal([&] {
              (void)read(dicom({{0x00280030, element(0x00280030, "DS", "0.1\\0.2")}}, "MONOCHROME2"));
            }),
            "format/dicom: x.dcm: its PixelSpacing is 0.1\\0.2 mm, so its pixels are not square; resample it to square "
            "pixels first");
  const std::string whole = dicom({}, "MONOCHROME2");
  EXPECT_EQ(
      refusal([&] { (void)read(whole.substr(0, whole.size() - 2)); }),
      "format/dicom: x.dcm: the file is cut off: expected 24 bytes of pixels, found 22; copy it again from where it "
      "came");
}

TEST_F(Radiographs, TakeASecondaryCaptureWithANotice) {
  const Radiograph found = read(
      dicom({{0x00280030, element(0x00280030, "DS", "0.1\\0.1")}}, "MONOCHROME2", "1.2.840.10008.5.1.4.1.1.7", "OT"));
  EXPECT_EQ(found.pixel_spacing, 0);
  EXPECT_EQ(found.spacing_source, "a secondary capture without calibrated spacing");
  EXPECT_EQ(found.notices.size(), 1U);
}

TEST_F(Radiographs, ReadGreyPicturesAndRefuseColours) {
  const at::Tensor grey = at::arange(12, at::kInt).mul(20).to(at::kByte).view({3, 4});
  write_png(folder_ / "grey.png", grey);
  const Radiograph found = format("itk").read_radiograph(folder_ / "grey.png");
  EXPECT_TRUE(at::allclose(found.intensity, grey.to(at::kFloat) / 255));
  EXPECT_EQ(found.pixel_spacing, 0);
  at::Tensor colours = grey.unsqueeze(2).expand({3, 4, 3}).contiguous();
  write_png(folder_ / "rgb.png", colours);
  const Radiograph equal = format("itk").read_radiograph(folder_ / "rgb.png");
  EXPECT_TRUE(at::equal(equal.intensity, found.intensity));
  EXPECT_EQ(equal.notices, std::vector<std::string>{"rgb.png: stored in colours that are all grey; taken for a grey "
                                                    "picture"});
  colours[1][1][2] = 255;
  write_png(folder_ / "rgb.png", colours);
  EXPECT_EQ(refusal([&] { (void)format("itk").read_radiograph(folder_ / "rgb.png"); }),
            "format/itk: rgb.png: a colour picture; a radiograph is grey: export it without coloured marks or lines");
  write_file(folder_ / "cut.png", read_file(folder_ / "grey.png").substr(0, 45));
  EXPECT_NE(refusal([&] { (void)format("itk").read_radiograph(folder_ / "cut.png"); }), "");
}

TEST_F(Radiographs, AreTurnedUprightWithinHalfADegree) {
  const auto lean = [](double degrees) {
    Drawing d;
    d.columns = 300;
    d.x = 150;
    d.lean = degrees;
    const std::vector<std::string> facts = prepared(radiograph(d)).facts();
    const std::string& line = facts.at(3);
    const double size = std::stod(line.substr(line.find("leans ") + 6));
    return line.find("counter-clockwise") == std::string::npos ? -size : size;
  };
  const double own = lean(0);  // the head pulls the axis over by this
  for (const double angle : {-60.0, -21.0, -7.3, 12.0, 45.0}) EXPECT_NEAR(lean(angle) - own, angle, 0.5);
}

TEST_F(Radiographs, GiveTheSameImageFromAnyPlaceAngleResolutionAndSide) {
  const Drawing upright;
  const at::Tensor reference = plain(radiograph(upright)).half(0);
  ASSERT_EQ(reference.sizes(), at::IntArrayRef({128, 64}));
  Drawing other{700, 600, 280, 371, 23, 0.8};
  EXPECT_LT(mean_difference(plain(radiograph(other)).half(0), reference), 1);
  other.mirrored = true;
  EXPECT_LT(mean_difference(plain(radiograph(other), Side::left).half(0), reference), 1);
  EXPECT_GT(mean_difference(plain(radiograph(other), Side::right).half(0), reference), 3);
}

TEST_F(Radiographs, TurnInThePlaneCounterClockwise) {
  Drawing leaning;
  leaning.columns = 300, leaning.x = 150, leaning.lean = 15;
  imaging::RadiographHints as_it_is;
  const auto upright = prepared(radiograph({}), Side::unknown, as_it_is, {{"match", std::string("none")}});
  const auto kept =
      prepared(radiograph(leaning), Side::unknown, as_it_is, {{"match", std::string("none")}, {"upright", false}});
  // `upright` is turned by the axis' own lean as well, which a picture that is left as taken keeps.
  const std::string line = upright.facts().at(3);
  const double own =
      std::stod(line.substr(line.find("leans ") + 6)) * (line.find("counter-clockwise") == std::string::npos ? -1 : 1);
  EXPECT_LT(mean_difference(upright.half(15 + own), kept.half(0)), 1);
}

TEST_F(Radiographs, TakeTheirScaleFromAMarker) {
  Radiograph unknown = radiograph({});
  unknown.pixel_spacing = 0;
  imaging::RadiographHints hints;
  hints.marker = imaging::Marker{10, 20, 40, 60, 100};  // 50 pixels
  EXPECT_EQ(prepared(unknown, Side::unknown, hints).facts().at(1),
            "spacing    2 mm at the bone (a marker of 100 mm over 50 pixels)");
  hints.marker = imaging::Marker{10, 20, 400, 60, 100};
  EXPECT_EQ(refusal([&] { (void)prepared(unknown, Side::unknown, hints); }),
            "the AP radiograph: the marker's end 400,60 lies outside its 200 x 300 pixels");
  hints.marker = imaging::Marker{10, 20, 10, 20, 100};
  EXPECT_EQ(
      refusal([&] { (void)prepared(unknown, Side::unknown, hints); }),
      "the AP radiograph: a marker of 100 mm over 0 pixels gives no scale; give its two ends and its length in mm");
}

TEST_F(Radiographs, NeedAScaleForRealWorldImages) {
  Radiograph unknown = radiograph({});
  unknown.pixel_spacing = 0;
  unknown.spacing_source = "a picture carries none";
  EXPECT_EQ(refusal([&] { (void)prepared(unknown); }),
            "the AP radiograph has no scale (a picture carries none), and views.scaling is \"world\": give its pixel "
            "spacing in mm at the bone, or the ends of a marker of known length, or set views.scaling to \"framed\"");
  EXPECT_EQ(prepared(unknown, Side::unknown, {}, {}, {{"scaling", std::string("framed")}}).half(0).size(0), 128);
}

TEST_F(Radiographs, FindTheBoneBesideLettersAndWithinFlesh) {
  Radiograph picture = radiograph({});
  picture.intensity.slice(0, 10, 30).slice(1, 150, 190).fill_(1);  // a letter
  EXPECT_LT(mean_difference(prepared(picture).half(0), prepared(radiograph({})).half(0)), 1);
  Radiograph thigh = radiograph({});
  thigh.intensity = at::maximum(thigh.intensity, at::zeros({300, 200}));
  thigh.intensity.slice(1, 40, 160).add_(0.45).clamp_(0, 1);
  const auto found = prepared(thigh);
  EXPECT_NE(found.facts().at(2).find("the second look"), std::string::npos) << found.facts().at(2);
  // The axis is the bone's, not that of the flesh.
  const auto lean = [](const imaging::PreparedRadiograph& p) { return std::stod(p.facts().at(3).substr(17)); };
  EXPECT_NEAR(lean(found), lean(prepared(radiograph({}))), 0.5);
}

TEST_F(Radiographs, SayWhatIsWrongWithACropOrAnEmptyPicture) {
  imaging::RadiographHints hints;
  hints.crop = std::array<std::int64_t, 4>{150, 0, 100, 300};
  EXPECT_EQ(
      refusal([&] { (void)prepared(radiograph({}), Side::unknown, hints); }),
      "the AP radiograph: the crop 150,0,100,300 (left, top, width, height) is not 8 or more pixels wide and high "
      "within its 200 x 300 pixels");
  EXPECT_EQ(refusal([&] {
              (void)prepared({at::zeros({50, 40}), 1, "drawn"});
            }),
            "the AP radiograph: all its pixels are alike; there is no bone in the picture, or none in the crop");
}

TEST_F(Radiographs, MatchGreyValuesByRankOrLinearly) {
  const auto bone_mean = [](const imaging::PreparedRadiograph& p) {
    const at::Tensor half = p.half(0).to(at::kFloat);
    return half.masked_select(half > 0).mean().item<double>();
  };
  Radiograph faint = radiograph({});
  faint.intensity = faint.intensity.mul(0.3);
  const double rank = bone_mean(prepared(radiograph({}))),
               linear = bone_mean(prepared(radiograph({}), Side::unknown, {}, {{"match", std::string("linear")}}));
  EXPECT_NEAR(bone_mean(prepared(faint)), rank, 1);
  EXPECT_NEAR(bone_mean(prepared(faint, Side::unknown, {}, {{"match", std::string("linear")}})), linear, 1);
  EXPECT_GT(std::abs(linear - rank), 1);
  EXPECT_LT(bone_mean(plain(faint)), 0.4 * bone_mean(plain(radiograph({}))));
  Radiograph negative = radiograph({});
  negative.intensity = 1 - negative.intensity;
  EXPECT_LT(mean_difference(prepared(negative, Side::unknown, {}, {{"polarity", std::string("bone_dark")}}).half(0),
                            prepared(radiograph({})).half(0)),
            0.1);
  EXPECT_GT(bone_mean(prepared(radiograph({}), Side::unknown, {}, {{"bone_threshold", 0.7}})), 0);
  EXPECT_GT(mean_difference(prepared(radiograph({}), Side::unknown, {}, {{"bone_threshold", 0.7}}).half(0),
                            prepared(radiograph({})).half(0)),
            0.5);
}

TEST_F(Radiographs, BecomeAMontageAtEachInPlaneAngle) {
  const auto ap = plain(radiograph({}));
  Drawing side_view;
  side_view.mirrored = true;
  const auto ml = plain(radiograph(side_view));
  const Parameters views(imaging::views_schema(), {{"in_plane_range", 3.0}, {"axial_range", 6.0}});
  const ImageSet set = imaging::expose_pair(ap, ml, imaging::gallery_poses(views), views);
  ASSERT_EQ(set.pixels.sizes(), at::IntArrayRef({3, 128, 128}));  // -3, 0, 3; axial angles can't be seen
  EXPECT_EQ(set.rows[1].in_plane, 0);
  EXPECT_NEAR(set.rows[1].pixel_spacing, 560.0 / 128, 1e-12);
  EXPECT_TRUE(at::equal(set.pixels[1].slice(1, 0, 64), ap.half(0)));
  EXPECT_TRUE(at::equal(set.pixels[1].slice(1, 64, 128), ml.half(0)));
}

TEST_F(Radiographs, SayWhatIsWrongWithTheTable) {
  write_png(folder_ / "a.png", at::zeros({4, 4}, at::kByte));
  const auto answer = [&](const std::string& lines) {
    table(lines);
    return refusal([&] { (void)source().specimens(); });
  };
  const std::string head = "file,subject,side,view,spacing\n";
  EXPECT_EQ(answer("file,subject,side,spacing\n"),
            "source/radiographs: xrays.csv:1: no column \"view\"; the first line must name the columns file, subject, "
            "side, view and spacing, separated by commas");
  EXPECT_EQ(answer(head), "source/radiographs: xrays.csv: the table names no file");
  EXPECT_EQ(answer(head + "a.png,p1,left,pa,0.2\n"),
            "source/radiographs: xrays.csv:2: view is \"pa\"; it must be ap or ml");
  EXPECT_EQ(answer(head + "b.png,p1,left,ap,0.2\n"),
            "source/radiographs: xrays.csv:2: no file \"b.png\"; file names are relative to the folder source.path");
  EXPECT_EQ(answer(head + "a.png,p1,left,ap,wide\n"),
            "source/radiographs: xrays.csv:2: spacing is \"wide\"; it must be mm above 0, or empty");
  EXPECT_EQ(answer(head + "a.png,p1,left,ap,\n"),
            "source/radiographs: xrays.csv:2: p1-left has an AP picture and no ML in acquisition 1; a pair needs both");
  EXPECT_EQ(answer(head + "a.png,p1,left,ap,\na.png,p1,left,ap,\n"),
            "source/radiographs: xrays.csv:3: a second AP picture of p1-left beside xrays.csv:2; number repeated "
            "pictures in a column acquisition");
}

TEST_F(Radiographs, AreListedByBoneAndAcquisition) {
  write_png(folder_ / "a.png", at::arange(16, at::kInt).to(at::kByte).view({4, 4}));
  table(
      "view,file,subject,side,spacing,acquisition\nAP,a.png,p1,L,0.2,1\nML,a.png,p1,l,,1\nap,a.png,p1,left,0.2,2\n"
      "ml,a.png,p1,left,0.2,2\nap,a.png,p2,,0.2,\nml,a.png,p2,,0.2,\n");
  const auto list = source().specimens();
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0].id, "p1-left");
  EXPECT_EQ(list[0].acquisitions, 2);
  EXPECT_EQ(list[1].id, "p2");
  const Acquisition first = source().acquire(list[0], 0);
  ASSERT_TRUE(first.radiographs.has_value());
  EXPECT_EQ(first.radiographs->ap.pixel_spacing, 0.2);
  EXPECT_EQ(first.radiographs->ml.pixel_spacing, 0);
  EXPECT_EQ(first.radiographs->ml.spacing_source, "xrays.csv:3 gives no spacing and a picture carries none");
}

}  // namespace
}  // namespace osteon
