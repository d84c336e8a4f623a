#include "pipeline/enroll.hpp"

#include <osteon/digest.hpp>
#include <osteon/error.hpp>

namespace osteon::pipeline {

std::vector<std::string> enroll(const Model& model, const std::filesystem::path& gallery, const Enrolment& enrolment) {
  const std::string subject = enrolment.subject.empty() ? enrolment.id : enrolment.subject;
  require_pseudonym("--id", enrolment.id);
  require_pseudonym("--subject", subject);
  Query query = model.read(enrolment.files);

  GalleryEntry entry{enrolment.id, subject, query.side};
  entry.pixel_spacing = query.pixel_spacing;
  if (!enrolment.mesh.empty()) entry.mesh = sha256_of_file(enrolment.mesh);
  entry.source = query.source;
  entry.date = utc_now();
  entry.command = "osteon enroll --id " + enrolment.id + query.said;

  std::vector<std::string> lines = std::move(query.lines);
  for (const std::string& notice : query.notices) lines.push_back("note       " + notice);
  const Gallery empty{model.pack().network, {}, {}, {}};
  change_gallery(gallery, empty, [&](Gallery& known) {
    require_network(gallery.string(), known, model.pack().network);
    const bool is_new = add_entry(known, entry, query.fingerprint, small_picture(query.montage));
    lines.push_back(
        text(is_new ? "enrolled   " : "there      ", enrolment.id, " · ", gallery.string(), " has ", size_text(known)));
    return is_new;
  });
  return lines;
}

}  // namespace osteon::pipeline
