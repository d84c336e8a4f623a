"""Random weights of torchvision's ResNet-18 in both containers, and the features that it makes of one image.

python_writes.py FOLDER → resnet18-zip.pth, resnet18-legacy.pth, image.safetensors with `image` and `features`."""
import json
import struct
import sys

import torch
import torchvision

torch.manual_seed(3)
torch.set_num_threads(1)
model = torchvision.models.resnet18()
for module in model.modules():
    if isinstance(module, torch.nn.BatchNorm2d):
        module.running_mean.uniform_(-0.2, 0.2)
        module.running_var.uniform_(0.5, 1.5)
folder = sys.argv[1]
torch.save(model.state_dict(), f"{folder}/resnet18-zip.pth")
torch.save({"epoch": 1, "state_dict": torch.nn.DataParallel(model).state_dict()}, f"{folder}/resnet18-legacy.pth",
           _use_new_zipfile_serialization=False)
model.fc = torch.nn.Identity()
grey = torch.rand(1, 1, 96, 64)
mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
with torch.no_grad():
    features = model.eval()((grey - mean.view(1, 3, 1, 1)) / deviation.view(1, 3, 1, 1))
header, data = {}, b""
for name, tensor in (("image", grey), ("features", features)):
    raw = tensor.numpy().tobytes()
    header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(raw)]}
    data += raw
text = json.dumps(header).encode()
with open(f"{folder}/image.safetensors", "wb") as file:
    file.write(struct.pack("<Q", len(text)) + text + data)
