#include "pipeline/slurm_status.hpp"

#include "pipeline/slurm_queue.hpp"

#include <osteon/error.hpp>

#include <set>

namespace osteon::pipeline {

namespace {

constexpr const char* kAgain = "; the same command submits it again, and it goes on where it was";

/// Whether Slurm knows more than the point's folder.
bool is_of_slurm(const PointStatus& point) {
  return point.status != "complete" && !point.job.empty() && !point.is_later_than_job;
}

/// The job has ended. What the point itself said of its failure stands.
void add_end(PointStatus& point, const SlurmJob& job) {
  if (point.status == "failed") return;
  point.status = job.state == "FAILED" || job.state == "OUT_OF_MEMORY" ? "failed" : "interrupted";
  point.message = job.text(point.job) + kAgain;
}

void add_job(PointStatus& point, const SlurmJob& job) {
  if (job.is_waiting()) {
    point.status = "waiting";
    point.message = job.text(point.job);
  } else if (job.is_running()) {
    if (point.status == "failed" || point.status == "stopped") return;  // Slurm has not noticed yet
    point.status = "running";
    point.message = job.text(point.job);
  } else if (job.state != "COMPLETING") {
    add_end(point, job);
  }
}

void add_silence(PointStatus& point, const SlurmAnswer& answer) {
  if (point.status != "waiting" && point.status != "running") return;
  if (!answer.problem.empty()) {
    point.message = text("job ", point.job, ", of which Slurm says nothing: ", answer.problem);
  } else if (point.status == "waiting" || point.is_elsewhere) {
    point.status = "interrupted";
    point.message = text("Slurm no longer knows its job ", point.job, kAgain);
  }
}

}  // namespace

void add_slurm_status(std::vector<PointStatus>& points) {
  std::set<std::string> jobs;
  for (const PointStatus& point : points)
    if (is_of_slurm(point)) jobs.insert(point.job);
  if (jobs.empty()) return;
  const SlurmAnswer answer = ask_slurm(jobs);
  for (PointStatus& point : points) {
    if (!is_of_slurm(point)) continue;
    const auto job = answer.jobs.find(point.job);
    if (job == answer.jobs.end()) {
      add_silence(point, answer);
    } else {
      add_job(point, job->second);
    }
  }
}

}  // namespace osteon::pipeline
