"""scikit-learn's side of `scripts/peers search`, on two threads.

    embedding_peer.py data FOLDER [SEED]          20 classes of 150 unit rows with 128 dimensions, and 1,000 queries
    embedding_peer.py knn|svm|svm_search|pca|tsne FOLDER
                                                  seconds of the computation; leaves its answer in FOLDER
    embedding_peer.py check FOLDER                fails unless our answers (embedding-peer) are as good
    embedding_peer.py check_maps FOLDER...        fails unless our maps keep neighbours as well, over these data sets

Classes overlap, so that neither labels nor maps are trivial.
"""
import os
import sys
import time

import numpy as np

CLASSES, IMAGES, DIMENSIONS, QUERIES, NEIGHBOURS = 20, 150, 128, 1000, 10


def load(folder, name):
    return np.load(os.path.join(folder, name + ".npy"))


def write_data(folder, seed):
    random = np.random.default_rng(seed)
    # Classes lie in few dimensions, as those of a trained network do, and differ by about as much as their rows.
    centres = random.normal(size=(CLASSES, 12)) @ random.normal(size=(12, DIMENSIONS)) / np.sqrt(12)

    def rows(labels):
        values = centres[labels] + 2.6 * random.normal(size=(len(labels), DIMENSIONS)) * np.geomspace(1, 0.2, DIMENSIONS)
        return (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)

    labels = np.repeat(np.arange(CLASSES), IMAGES)
    truth = random.integers(0, CLASSES, QUERIES)
    for name, array in [("gallery", rows(labels)), ("labels", labels), ("queries", rows(truth)), ("truth", truth)]:
        np.save(os.path.join(folder, name + ".npy"), array)


def run(task, folder):
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE
    from sklearn.model_selection import GridSearchCV, PredefinedSplit
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.svm import SVC
    from threadpoolctl import threadpool_limits

    gallery, labels, queries = (load(folder, name) for name in ("gallery", "labels", "queries"))
    with threadpool_limits(2):
        PCA(10, svd_solver="full").fit(gallery[:200])  # what only a first call costs, as on our side
        start = time.perf_counter()
        if task == "knn":
            answer = KNeighborsClassifier(1, algorithm="brute", n_jobs=2).fit(gallery, labels).predict(queries)
        elif task == "svm":
            answer = SVC(C=8.0, gamma=1.0).fit(gallery, labels).predict(queries)
        elif task == "svm_search":
            grid = {"C": [0.5, 2, 8, 32, 128], "gamma": [0.03125, 0.125, 0.5, 2, 8]}
            search = GridSearchCV(SVC(), grid, cv=PredefinedSplit(load(folder, "folds")), n_jobs=2)
            answer = search.fit(gallery[::3], labels[::3]).predict(queries)
        elif task == "pca":
            pca = PCA(10, svd_solver="full").fit(gallery)
            pca.transform(gallery)
            answer = pca.explained_variance_ratio_
        else:
            answer = TSNE(perplexity=30, n_iter=750, init="pca", learning_rate="auto", n_jobs=2,
                          random_state=1).fit_transform(gallery)
        seconds = time.perf_counter() - start
    np.save(os.path.join(folder, f"peer-{task}.npy"), answer)
    print(f"{seconds:.9f}")


def check_maps(folders):
    """Descents end in different places when a last bit changes, so that one map says little: the mean over several."""
    from sklearn.manifold import trustworthiness

    kept = np.array([[trustworthiness(load(folder, "gallery"), load(folder, side + "-tsne"), n_neighbors=NEIGHBOURS)
                      for side in ("ours", "peer")] for folder in folders])
    for folder, (ours, peer) in zip(folders, kept):
        print(f"  t-SNE, {os.path.basename(folder)}: trustworthiness {ours:.5f}, the peer's {peer:.5f}")
    ours, peer = kept.mean(axis=0)
    print(f"  t-SNE, mean of {len(folders)} data sets: trustworthiness {ours:.5f}, the peer's {peer:.5f}")
    if not ours >= peer:
        sys.exit(f"NOT AS GOOD: t-SNE: mean trustworthiness {ours:.5f} is below scikit-learn's {peer:.5f}")


def check(folder):
    bad = []
    truth = load(folder, "truth")
    for task in ("knn", "svm", "svm_search"):
        ours, peer = load(folder, "ours-" + task), load(folder, "peer-" + task)
        right = np.mean(peer == truth)
        print(f"  {task}: {len(ours)} queries, {100 * right:.1f} % right")
        if not np.array_equal(ours, peer):
            bad.append(f"{task}: {np.sum(ours != peer)} of {len(ours)} labels differ")
    worst = np.abs(load(folder, "ours-pca") - load(folder, "peer-pca")).max()
    print(f"  pca: explained variance differs by at most {worst:.1e}")
    if not worst <= 1e-5:
        bad.append(f"pca: explained variance differs by {worst:.1e}")
    if bad:
        sys.exit("NOT THE SAME: " + "; ".join(bad))


if __name__ == "__main__":
    name, where = sys.argv[1:3]
    if name == "data":
        write_data(where, int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    elif name == "check_maps":
        check_maps(sys.argv[2:])
    elif name == "check":
        check(where)
    else:
        run(name, where)
