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

/// On the disk, not only in the system's memory, before it gets its name.
void flush_and_rename(const std::filesystem::path& partial, const std::filesystem::path& file) {
  const int descriptor = ::open(partial.c_str(), O_RDONLY | O_CLOEXEC);
  const bool flushed = descriptor >= 0 && ::fsync(descriptor) == 0;
  int reason = flushed ? 0 : errno;
  if (descriptor >= 0) ::close(descriptor);
  host::fault_point("checkpoint");
  if (reason == 0 && ::rename(partial.c_str(), file.c_str()) != 0) reason = errno;
  if (reason != 0) throw failure(text(file.string(), ": cannot write: ", std::strerror(reason)));
}

void restore(TrainingState& state, torch::serialize::InputArchive& archive) {
  const at::NoGradGuard no_graph;
  const c10::impl::GenericDict saved = read_value(archive, "tensors").toGenericDict();
  for (auto& [name, tensor] : tensors_in_use(state)) tensor.copy_(saved.at(name).toTensor());
  torch::serialize::InputArchive rule;
  archive.read("optimiser", rule);
  state.optimiser.rule().load(rule);
  state.epochs_done = read_value(archive, "epochs").toInt();
  state.curves = read_curves(archive);
}

}  // namespace

void save_checkpoint(const TrainingState& state, const std::string& identity, const std::filesystem::path& folder) {
  torch::serialize::OutputArchive archive, rule;
  Tensors tensors;
  for (const auto& [name, tensor] : tensors_in_use(state)) tensors.insert(name, tensor.detach());
  archive.write("identity", c10::IValue(identity));
  archive.write("epochs", c10::IValue(state.epochs_done));
  archive.write("tensors", c10::IValue(tensors));
  state.optimiser.rule().save(rule);
  archive.write("optimiser", rule);
  write_curves(archive, state.curves);
  const std::filesystem::path file = folder / "checkpoint.pt", partial = folder / "checkpoint.pt.partial";
  try {
    std::filesystem::create_directories(folder);
    archive.save_to(partial.string());
  } catch (const std::exception&) {
    const int reason = errno;
    std::error_code ignored;
    std::filesystem::remove(partial, ignored);
    throw failure(
        text(file.string(), ": cannot write: ", std::strerror(reason), "; is the disk full or the folder read-only?"));
  }
  flush_and_rename(partial, file);
}

bool restore_checkpoint(TrainingState& state, const std::string& identity, const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "checkpoint.pt";
  if (!std::filesystem::exists(file)) return false;
  bool same = false;
  try {
    torch::serialize::InputArchive archive;
    archive.load_from(file.string(), at::kCPU);
    same = read_value(archive, "identity").toStringRef() == identity;
    if (same) restore(state, archive);
  } catch (const std::exception&) {
    throw Error(text(file.string(), ": damaged checkpoint; delete it, and the training starts anew"));
  }
  if (!same)
    throw Error(text(file.string(),
                     ": checkpoint of a training with other parameters or images; delete it, and the training "
                     "starts anew"));
  return true;
}

}  // namespace osteon::training
