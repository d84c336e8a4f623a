"""Loads weights that Osteon wrote into torchvision's ResNet-18, strictly, and writes its features of an image.

python_loads.py WEIGHTS IMAGE OUT [LINE…]: IMAGE a .safetensors with `image`, float32 [1, 1, H, W]; LINEs make `model`
and load the weights; without them an unchanged resnet18 without class layer does. OUT: the features as raw float32."""
import json
import struct
import sys
import types

import torch
import torchvision


def load_file(path):
    """What safetensors.torch.load_file does; the package is not in Debian 12."""
    types_of = {"F32": torch.float32, "I64": torch.int64, "F16": torch.float16}
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = bytearray(file.read())
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        first, last = entry["data_offsets"]
        tensors[name] = torch.frombuffer(data[first:last], dtype=types_of[entry["dtype"]]).reshape(entry["shape"])
    return tensors


torch.set_num_threads(1)
weights, image, out, *lines = sys.argv[1:]
if lines:
    safetensors = types.ModuleType("safetensors")
    safetensors.torch = types.ModuleType("safetensors.torch")
    safetensors.torch.load_file = load_file
    sys.modules["safetensors"], sys.modules["safetensors.torch"] = safetensors, safetensors.torch
    exec("\n".join(lines))
else:
    model = torchvision.models.resnet18()
    model.fc = torch.nn.Identity()
    model.load_state_dict(load_file(weights) if weights.endswith(".safetensors") else torch.load(weights))
grey = load_file(image)["image"]
if model.conv1.in_channels == 3:
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    grey = (grey - mean.view(1, 3, 1, 1)) / deviation.view(1, 3, 1, 1)
else:
    grey = grey / 0.25
with torch.no_grad():
    features = model.eval()(grey)
with open(out, "wb") as file:
    file.write(features.numpy().tobytes())
