"""Reads MLflow's file store by MLflow's rules and prints it as JSON; shares no code with the writer.

    read_mlruns.py ROOT

Rules of mlflow/utils/validation.py and mlflow/store/tracking/file_store.py (MLflow 2 and 3): which ids and names are
allowed, what meta.yaml must say, how a metric's lines read. What breaks one ends this with a message.
"""

import json
import os
import pathlib
import posixpath
import re
import sys
import urllib.parse

import yaml

EXPERIMENT_ID = re.compile(r"^[a-zA-Z0-9][\w\-]{0,63}$")
RUN_ID = re.compile(r"^[a-zA-Z0-9][\w\-]{0,255}$")
NAME = re.compile(r"^[/\w.\- ]*$")
STATUS = {1: "RUNNING", 2: "SCHEDULED", 3: "FINISHED", 4: "FAILED", 5: "KILLED"}
RESERVED = {"tags", "datasets", "traces"}


class Broken(Exception):
    pass


def require(condition, message):
    if not condition:
        raise Broken(message)


def meta_of(folder, keys):
    meta = yaml.safe_load((folder / "meta.yaml").read_text("utf-8"))
    for key, kind in keys.items():
        require(key in meta, f"{folder}: meta.yaml has no {key}")
        require(isinstance(meta[key], kind), f"{folder}: {key} is {meta[key]!r}, not {kind}")
    return meta


def path_of(uri):
    parts = urllib.parse.urlparse(uri)
    require(parts.scheme == "file" and parts.netloc == "", f"{uri} is no file's URI")
    return pathlib.Path(urllib.parse.unquote(parts.path))


def entries(folder, longest):
    """Name → text of every file below, as os.walk finds them."""
    found = {}
    for place, _, files in os.walk(folder):
        for file in files:
            name = os.path.relpath(os.path.join(place, file), folder)
            require(NAME.match(name), f"{name!r} is not allowed as a name")
            require(posixpath.normpath(name) == name and not name.startswith(("..", "/")), f"{name!r} leads elsewhere")
            require(len(name) <= 250, f"{name!r} is longer than 250 characters")
            found[name] = pathlib.Path(place, file).read_text("utf-8")
            require(longest is None or len(found[name]) <= longest, f"{name!r}: the value is too long")
    return found


def metric(name, lines):
    points = []
    for line in lines.splitlines():
        fields = line.strip().split(" ")
        require(len(fields) in (2, 3), f"{name!r}: {len(fields)} fields in a line")
        require(int(fields[0]) > 1_500_000_000_000, f"{name!r}: {fields[0]} is no time in milliseconds")
        value = float(fields[1])
        points.append([value if abs(value) < float("inf") else fields[1], int(fields[2]) if len(fields) == 3 else 0])
    require(points, f"{name!r} has no value")
    return points


def run(folder, experiment_id):
    require(RUN_ID.match(folder.name), f"{folder.name!r} is not allowed as a run's id")
    text, number = str, int
    meta = meta_of(
        folder,
        {
            "artifact_uri": text,
            "end_time": (int, type(None)),
            "experiment_id": text,
            "lifecycle_stage": text,
            "run_id": text,
            "run_name": text,
            "run_uuid": text,
            "source_type": number,
            "start_time": number,
            "status": number,
            "tags": list,
            "user_id": text,
        },
    )
    require(meta["run_id"] == meta["run_uuid"] == folder.name, f"{folder}: the run's id differs from the folder's name")
    require(meta["experiment_id"] == experiment_id, f"{folder}: another experiment's id")
    artifacts = path_of(meta["artifact_uri"])
    require(artifacts == (folder / "artifacts").resolve(), f"{artifacts} is not the run's folder of artefacts")
    return {
        "name": meta["run_name"],
        "status": STATUS[meta["status"]],
        "stage": meta["lifecycle_stage"],
        "ended": meta["end_time"] is not None and meta["end_time"] >= meta["start_time"],
        "params": entries(folder / "params", 6000),
        "tags": entries(folder / "tags", 5000),
        "metrics": {name: metric(name, lines) for name, lines in entries(folder / "metrics", None).items()},
        "artifacts": sorted(str(file.relative_to(artifacts)) for file in artifacts.rglob("*") if file.is_file()),
    }


def experiment(folder):
    require(EXPERIMENT_ID.match(folder.name), f"{folder.name!r} is not allowed as an experiment's id")
    meta = meta_of(
        folder,
        {
            "artifact_location": str,
            "creation_time": int,
            "experiment_id": str,
            "last_update_time": int,
            "lifecycle_stage": str,
            "name": str,
        },
    )
    require(meta["experiment_id"] == folder.name, f"{folder}: the id differs from the folder's name")
    require(0 < len(meta["name"]) <= 500, f"{folder}: the name is empty or longer than 500 characters")
    require(path_of(meta["artifact_location"]) == folder.resolve(), f"{folder}: artefacts lie elsewhere")
    runs = [entry for entry in folder.iterdir() if entry.is_dir() and entry.name not in RESERVED]
    return {
        "id": folder.name,
        # A folder without meta.yaml is passed over.
        "runs": {entry.name: run(entry, folder.name) for entry in runs if (entry / "meta.yaml").exists()},
        "others": sorted(entry.name for entry in runs if not (entry / "meta.yaml").exists()),
        "name": meta["name"],
    }


def store(root):
    folders = [entry for entry in root.iterdir() if entry.is_dir() and entry.name not in (".trash", "models")]
    experiments = [experiment(folder) for folder in folders]
    names = [one["name"] for one in experiments]
    require(len(set(names)) == len(names), "two experiments have one name")
    ids = [run_id for one in experiments for run_id in one["runs"]]
    require(len(set(ids)) == len(ids), "two runs have one id")
    return {one["name"]: one for one in experiments}


if __name__ == "__main__":
    try:
        print(json.dumps(store(pathlib.Path(sys.argv[1]))))
    except (Broken, OSError, ValueError, yaml.YAMLError) as problem:
        sys.exit(str(problem))
