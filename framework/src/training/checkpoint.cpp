// What a training needs to go on after a kill: one LibTorch archive.

#include "training/checkpoint.hpp"

#include "host/fault.hpp"

#include <fcntl.h>
#include <torch/serialize.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace osteon::training {

namespace {

using Tensors = c10::Dict<std::string, at::Tensor>;

constexpr std::int64_t kFormat = 1;

std::map<std::string, at::Tensor> tensors_in_use(const TrainingState& state) {
  std::map<std::string, at::Tensor> result;
  for (const auto& parameter : state.network.named_parameters())
    result["network." + parameter.key()] = parameter.value();
  for (const auto& buffer : state.network.named_buffers()) result["network." + buffer.key()] = buffer.value();
  for (const auto& [name, tensor] : state.loss_state) result["loss." + name] = tensor;
  return result;
}

void write_curves(torch::serialize::OutputArchive& archive, const std::vector<CurvePoint>& curves) {
  c10::List<std::string> names;
  c10::List<double> steps, values;
  for (const CurvePoint& point : curves) {
    names.push_back(point.curve);
    steps.push_back(point.step);
    values.push_back(point.value);
  }
  archive.write("curves", c10::IValue(names));
  archive.write("steps", c10::IValue(steps));
  archive.write("values", c10::IValue(values));
}

c10::IValue read_value(torch::serialize::InputArchive& archive, const std::string& key) {
  c10::IValue value;
  archive.read(key, value);
  return value;
}

std::vector<CurvePoint> read_curves(torch::serialize::InputArchive& archive) {
  const auto names = read_value(archive, "curves").toList();
  const auto steps = read_value(archive, "steps").toDoubleVector(),
             values = read_value(archive, "values").toDoubleVector();
  std::vector<CurvePoint> curves;
  for (std::size_t i = 0; i < names.size(); ++i)
    curves.push_back({names.get(i).toStringRef(), steps.at(i), values.at(i)});
  return curves;
}

/// The optimiser's state has to come back where the weights are.
at::Device device_of(const TrainingState& state) { return state.network.parameters().front().device(); }

/// A file that is written aside and gets its name by a rename when it is whole and on the disk. Errors are kept until
/// the end: LibTorch's own writer ends the program when it meets one (its destructor throws).
class NewFile {
 public:
  explicit NewFile(std::filesystem::path file)
      : file_(std::move(file)),
        partial_(file_.string() + ".partial"),
        descriptor_(::open(partial_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)),
        reason_(descriptor_ < 0 ? errno : 0) {}
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  ~NewFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
    if (!renamed_) ::unlink(partial_.c_str());
  }

  void write(const void* bytes, std::size_t count) {
    const auto* next = static_cast<const char*>(bytes);
    while (count > 0 && reason_ == 0) {
      const ssize_t written = ::write(descriptor_, next, count);
      if (written < 0 && errno != EINTR) reason_ = errno;
      if (written <= 0) continue;
      next += written;
      count -= static_cast<std::size_t>(written);
    }
  }

  void finish() {
    if (reason_ == 0 && ::fsync(descriptor_) != 0) reason_ = errno;
    host::fault_point("checkpoint");
    if (reason_ == 0 && ::rename(partial_.c_str(), file_.c_str()) != 0) reason_ = errno;
    if (reason_ != 0)
      throw failure(text(file_.string(), ": cannot write: ", std::strerror(reason_),
                         "; is the disk full or the folder read-only?"));
    renamed_ = true;
  }

 private:
  std::filesystem::path file_, partial_;
  int descriptor_;
  int reason_;
  bool renamed_ = false;
};

void write_texts(torch::serialize::OutputArchive& archive, const std::string& key,
                 const std::vector<std::string>& texts) {
  c10::List<std::string> list;
  for (const std::string& one : texts) list.push_back(one);
  archive.write(key, c10::IValue(list));
}

std::vector<std::string> read_texts(torch::serialize::InputArchive& archive, const std::string& key) {
  std::vector<std::string> texts;
  const auto list = read_value(archive, key).toList();
  for (std::size_t i = 0; i < list.size(); ++i) texts.push_back(list.get(i).toStringRef());
  return texts;
}

void write_tensors(torch::serialize::OutputArchive& archive, const TrainingState& state) {
  Tensors tensors;
  for (const auto& [name, tensor] : tensors_in_use(state)) tensors.insert(name, tensor.detach());
  archive.write("tensors", c10::IValue(tensors));
}

void read_tensors(torch::serialize::InputArchive& archive, TrainingState& state) {
  const at::NoGradGuard no_graph;
  const c10::impl::GenericDict saved = read_value(archive, "tensors").toGenericDict();
  for (auto& [name, tensor] : tensors_in_use(state)) tensor.copy_(saved.at(name).toTensor());
}

void restore(TrainingState& state, torch::serialize::InputArchive& archive) {
  read_tensors(archive, state);
  torch::serialize::InputArchive rule;
  archive.read("optimiser", rule);
  state.optimiser.rule().load(rule);
  state.epochs_done = read_value(archive, "epochs").toInt();
  state.best_epoch = read_value(archive, "best epoch").toInt();
  state.best_accuracy = read_value(archive, "best accuracy").toDouble();
  state.epochs_without_gain = read_value(archive, "epochs without gain").toInt();
  c10::IValue ranks;
  if (archive.try_read("ranks", ranks)) state.ranks = ranks.toInt();  // older ones: 1
  state.curves = read_curves(archive);
  state.notices = read_texts(archive, "notices");
}

void write_archive(torch::serialize::OutputArchive& archive, const std::filesystem::path& path) {
  std::error_code seen_when_opened;
  std::filesystem::create_directories(path.parent_path(), seen_when_opened);
  NewFile file(path);
  archive.save_to([&file](const void* bytes, std::size_t count) {
    file.write(bytes, count);
    return count;
  });
  file.finish();
}

/// Why a checkpoint can't be gone on from; "" when it can.
std::string misfit(torch::serialize::InputArchive& archive, const Identity& identity) {
  const std::int64_t format = read_value(archive, "format").toInt();
  if (format > kFormat) return text("checkpoint of a newer Osteon (format ", format, "; this one knows ", kFormat, ")");
  if (read_value(archive, "architecture").toStringRef() != identity.architecture)
    return "checkpoint of another network";
  if (read_value(archive, "training").toStringRef() != identity.training)
    return "checkpoint of a training with other parameters or images";
  return "";
}

}  // namespace

void save_checkpoint(const TrainingState& state, const Identity& identity, const std::filesystem::path& folder) {
  torch::serialize::OutputArchive archive, rule;
  archive.write("format", c10::IValue(kFormat));
  archive.write("architecture", c10::IValue(identity.architecture));
  archive.write("training", c10::IValue(identity.training));
  archive.write("epochs", c10::IValue(state.epochs_done));
  archive.write("best epoch", c10::IValue(state.best_epoch));
  archive.write("best accuracy", c10::IValue(state.best_accuracy));
  archive.write("epochs without gain", c10::IValue(state.epochs_without_gain));
  archive.write("ranks", c10::IValue(state.ranks));
  write_tensors(archive, state);
  state.optimiser.rule().save(rule);
  archive.write("optimiser", rule);
  write_curves(archive, state.curves);
  write_texts(archive, "notices", state.notices);
  write_archive(archive, folder / "checkpoint.pt");
}

bool restore_checkpoint(TrainingState& state, const Identity& identity, const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "checkpoint.pt";
  if (!std::filesystem::exists(file)) return false;
  std::string reason;
  try {
    torch::serialize::InputArchive archive;
    archive.load_from(file.string(), device_of(state));
    reason = misfit(archive, identity);
    if (reason.empty()) restore(state, archive);
  } catch (const std::exception&) {
    reason = "damaged checkpoint";
  }
  if (!reason.empty()) throw Error(text(file.string(), ": ", reason, "; delete it, and the training starts anew"));
  return true;
}

void save_best(const TrainingState& state, const std::filesystem::path& folder) {
  torch::serialize::OutputArchive archive;
  write_tensors(archive, state);
  write_archive(archive, folder / "best.pt");
}

void restore_best(TrainingState& state, const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "best.pt";
  try {
    torch::serialize::InputArchive archive;
    archive.load_from(file.string(), device_of(state));
    read_tensors(archive, state);
  } catch (const std::exception&) {
    throw Error(text(file.string(), ": damaged or missing weights of the best epoch; delete the folder ",
                     folder.string(), ", and the training starts anew"));
  }
}

}  // namespace osteon::training
