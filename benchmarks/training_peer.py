"""The other side of `scripts/peers training`: the study's triplet network in PyTorch for Python, as one writes it.

    training_peer.py step FOLDER       seconds an image and peak resident megabytes: three passes of shared weights
    training_peer.py step-tuned FOLDER the same with channels-last maps and one pass over all three images of a triplet
    training_peer.py accuracy FOLDER RATE        seconds of training until 95 % of the validation images' triplets hold
                                                 at margin 0.1, at most 120; looked at every 480 images, off the clock
    training_peer.py accuracy-tuned FOLDER RATE  the same in one pass, channels-last

Images and split come from `training-peer data FOLDER`. Network: torchvision's ResNet-18 with a stem of one channel and
three pairs of a linear layer and L2 normalisation to 128 dimensions; Adam.
"""
import os
import resource
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F
import torchvision

BATCH, WARM, MEASURED, MARGIN, LONGEST = 16, 4, 20, 0.1, 120


class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.base = torchvision.models.resnet18(weights=None)
        self.base.conv1 = torch.nn.Conv2d(1, 64, 7, 2, 3, bias=False)
        self.base.fc = torch.nn.Identity()
        sizes = [512, 323, 203, 128]
        self.reductions = torch.nn.ModuleList(torch.nn.Linear(a, b) for a, b in zip(sizes, sizes[1:]))

    def forward(self, images):
        rows = self.base(images)
        for layer in self.reductions:
            rows = F.normalize(layer(rows))
        return rows


class Data:
    def __init__(self, folder):
        load = lambda name: np.load(os.path.join(folder, name), mmap_mode="r")
        self.pixels, self.labels = load("pixels.npy"), np.array(load("labels.npy"))
        self.training, self.validation = np.array(load("training.npy")), np.array(load("validation.npy"))
        self.random = np.random.default_rng(1)
        self.rows_of = {c: self.training[self.labels[self.training] == c] for c in np.unique(self.labels)}

    def images(self, rows):
        return torch.from_numpy(self.pixels[rows]).unsqueeze(1).float().div_(255).div_(0.25)

    def triplets(self):
        anchors = self.random.choice(self.training, BATCH, replace=False)
        positives, negatives = [], []
        for anchor in anchors:
            own = self.rows_of[self.labels[anchor]]
            positives.append(self.random.choice(own[own != anchor]))
            negative = anchor
            while self.labels[negative] == self.labels[anchor]:
                negative = self.random.choice(self.training)
            negatives.append(negative)
        return anchors, np.array(positives), np.array(negatives)


def train_step(network, optimiser, data, tuned):
    rows = data.triplets()
    if tuned:
        images = data.images(np.concatenate(rows)).contiguous(memory_format=torch.channels_last)
        a, p, n = network(images).chunk(3)
    else:
        a, p, n = (network(data.images(r)) for r in rows)
    loss = F.relu((a - p).square().sum(1) - (a - n).square().sum(1) + MARGIN).mean()
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()


def prepare(folder, tuned=False, rate=1e-3):
    torch.set_num_threads(os.cpu_count())
    torch.manual_seed(1)
    network = Network()
    if tuned:
        network = network.to(memory_format=torch.channels_last)
    return network, torch.optim.Adam(network.parameters(), lr=rate), Data(folder)


def step(folder, tuned):
    network, optimiser, data = prepare(folder, tuned)
    for batch in range(WARM + MEASURED):
        if batch == WARM:
            start = time.perf_counter()
        train_step(network, optimiser, data, tuned)
    seconds = (time.perf_counter() - start) / (MEASURED * 3 * BATCH)
    print(f"{seconds:.8f} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.1f}")


def triplet_accuracy(network, data):
    network.eval()
    with torch.no_grad():
        rows = torch.cat([network(data.images(chunk)) for chunk in np.array_split(data.validation, 20)])
    network.train()
    distances = torch.cdist(rows, rows).square().numpy()
    labels = data.labels[data.validation]
    right = total = 0
    for anchor in range(len(labels)):
        same = labels == labels[anchor]
        negatives = np.sort(distances[anchor][~same])
        same[anchor] = False
        positives = distances[anchor][same]
        right += (len(negatives) - np.searchsorted(negatives, positives + MARGIN, side="right")).sum()
        total += len(positives) * len(negatives)
    return right / total


def accuracy(folder, tuned, rate):
    network, optimiser, data = prepare(folder, tuned, rate)
    spent, start, batch = 0.0, time.perf_counter(), 0
    while spent < LONGEST:
        train_step(network, optimiser, data, tuned)
        batch += 1
        if batch % 10 == 0:
            spent += time.perf_counter() - start
            reached = triplet_accuracy(network, data)
            if reached >= 0.95:
                break
            start = time.perf_counter()
    else:
        print(f"only {100 * reached:.1f} % after {spent:.0f} s", file=sys.stderr)
    print(f"{spent:.3f}")


if __name__ == "__main__":
    task, folder = sys.argv[1:3]
    if task.startswith("accuracy"):
        accuracy(folder, task == "accuracy-tuned", float(sys.argv[3]))
    else:
        step(folder, task == "step-tuned")
